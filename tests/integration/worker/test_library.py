"""Files fetched from an address, given to WhatsApp for a number, and replaced when forgotten."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiohttp import web

from engine import media_address
from engine.ids import MediaId
from engine.media_address import NotFetched
from storage import blobs, media
from storage.media import StaffLibrary
from tests.database import ACME, NOON
from tests.integration.worker.world import NUMBER, World, worker
from tests.unit.engine.test_media_file import PNG
from worker.fetching import Policy, fetched
from worker.library import _fetch, fetch_media, upload_media
from worker.saying import FILE_PAUSE

ANYWHERE = Policy(check=lambda url: url, allows=lambda _: True)
IMAGE = {"type": "media", "kind": "image", "media": "poster"}


@asynccontextmanager
async def web_server(*routes: web.RouteDef) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _wanted(world: World, url: str) -> MediaId:
    async with world.database.unit(ACME, world.clock.now()) as unit:
        added = await StaffLibrary(unit, "U0OWNER").add(
            name="poster", filename="a", url=url, found=None, size=None, blob=None
        )
    assert added is not None
    return added


async def _told(world: World) -> list[tuple[str, str | None]]:
    rows = await world.rows("select kind, content ->> 'why' as why from events order by id")
    return [(row["kind"], row["why"]) for row in rows]


async def test_a_file_is_fetched_stored_and_told(world: World) -> None:
    async def give(_: web.Request) -> web.Response:
        return web.Response(body=PNG, content_type="image/png")

    async with web_server(web.get("/poster.png", give)) as url:
        await _wanted(world, f"{url}/poster.png")
        assert await _fetch(worker(world), ACME, ANYWHERE)

    (row,) = await world.rows("select kind, mimetype, size, filename, blob_id from media")
    assert (row["kind"], row["size"], row["filename"]) == ("image", len(PNG), "poster.png")
    stored = [piece async for piece in blobs.read(world.database, ACME, NOON, blob=row["blob_id"])]
    assert b"".join(stored) == PNG
    assert await world.value("select keep from blobs") is True
    assert await _told(world) == [("media_added", None)]


@pytest.mark.parametrize("url", ["https://127.0.0.1/a.png", "https://[::1]/a.png"])
async def test_nothing_inside_is_ever_asked(world: World, url: str) -> None:
    await _wanted(world, url)

    await fetch_media(worker(world), ACME)

    assert await world.value("select count(*) from media") == 0
    ((kind, why),) = await _told(world)
    assert kind == "media_not_added"
    assert why is not None
    assert "not a public address" in why


async def test_a_name_that_leads_inside_is_not_asked() -> None:
    asked: list[str] = []

    async def hear(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(body=PNG)

    async with web_server(web.get("/a.png", hear)) as url:
        inside = Policy(check=lambda url: url)
        with pytest.raises(NotFetched, match="not on the open internet"):
            async with fetched(url.replace("127.0.0.1", "localhost") + "/a.png", policy=inside):
                pass

    assert asked == []


async def test_a_redirect_inside_is_not_followed() -> None:
    asked: list[str] = []

    async def onward(request: web.Request) -> web.Response:
        asked.append(request.path)
        raise web.HTTPFound("https://169.254.169.254/latest/meta-data")

    async with web_server(web.get("/a.png", onward)) as url:
        policy = Policy(
            check=lambda to: to if to.startswith(url) else media_address.checked(to),
            allows=lambda _: True,
        )
        with pytest.raises(NotFetched, match="not a public address"):
            async with fetched(f"{url}/a.png", policy=policy):
                pass

    assert asked == ["/a.png"]


async def test_redirects_end() -> None:
    async def again(_: web.Request) -> web.Response:
        raise web.HTTPFound("/a.png")

    async with web_server(web.get("/a.png", again)) as url:
        with pytest.raises(NotFetched, match="without an end"):
            async with fetched(f"{url}/a.png", policy=ANYWHERE):
                pass


@pytest.mark.parametrize(
    ("body", "kind", "status", "says"),
    [
        pytest.param(b"hello", "image/png", 200, "its content is text/plain", id="disguised"),
        pytest.param(b"<html>", "text/html", 200, "is no file WhatsApp takes", id="a page"),
        pytest.param(b"", "image/png", 200, "is empty", id="empty"),
        pytest.param(PNG + b"x" * 6_000_000, "image/png", 200, "make it smaller", id="too large"),
        pytest.param(b"", "image/png", 404, "no file at that address", id="gone"),
        pytest.param(b"", "image/png", 403, "not public", id="private"),
    ],
)
async def test_what_cannot_be_used_leaves_nothing_and_says_why(
    world: World, body: bytes, kind: str, status: int, says: str
) -> None:
    async def give(request: web.Request) -> web.StreamResponse:
        # Without a length, so that its end is only known when it comes.
        response = web.StreamResponse(status=status, headers={"Content-Type": kind})
        await response.prepare(request)
        await response.write(body)
        return response

    async with web_server(web.get("/a.png", give)) as url:
        await _wanted(world, f"{url}/a.png")
        await _fetch(worker(world), ACME, ANYWHERE)

    assert await world.value("select count(*) from media") == 0
    assert await world.value("select count(*) from blobs") == 0
    ((told, why),) = await _told(world)
    assert told == "media_not_added"
    assert says in (why or "")


async def _library(world: World) -> None:
    blob = await blobs.write(
        world.database, ACME, NOON, name="a.png", mimetype="image/png", content=PNG
    )
    await world.value(
        "insert into media (organization_id, name, kind, mimetype, size, filename, blob_id,"
        " created_at, created_by) values ($1, 'poster', 'image', 'image/png', $2, 'a.png', $3, $4,"
        " 'U0OWNER')",
        ACME,
        len(PNG),
        blob.id,
        NOON,
    )


async def _broadcast(world: World, contacts: int) -> int:
    ids = await world.contacts(contacts)
    await world.value(
        "insert into service_windows (organization_id, number_id, contact_id, last_inbound_at)"
        " select $1, $2, c, $4 from unnest($3::bigint[]) c",
        ACME,
        NUMBER,
        ids,
        world.clock.now(),
    )
    campaign = await world.campaign(content=IMAGE, type="transactional")
    await world.queued(campaign, ids)
    return campaign


async def _settled(world: World) -> None:
    for _ in range(6):
        await world.run()
        while await upload_media(worker(world), ACME):
            pass
        world.clock.advance(FILE_PAUSE + timedelta(seconds=1))


async def test_a_message_waits_for_its_files_id_and_then_goes_with_it(world: World) -> None:
    await _library(world)
    await _broadcast(world, 3)

    await world.run()
    assert world.platform.calls == []
    assert await world.states() == {"queued": 3}
    await _settled(world)

    assert await world.states() == {"accepted": 3}
    assert [len(upload) for upload in world.platform.uploads] == [len(PNG)]
    assert {taken.text for taken in world.platform.calls} == {"F1"}


async def test_an_id_the_platform_forgot_is_replaced_once(world: World) -> None:
    await _library(world)
    await _broadcast(world, 2)
    await world.value(
        "insert into media_ids (organization_id, media_id, number_id, platform_id, uploaded_at)"
        " select $1, id, $2, 'old', $3 from media",
        ACME,
        NUMBER,
        NOON - timedelta(days=2),
    )
    world.platform.behave = lambda taken: 131053 if taken.text == "old" else "accept"

    await _settled(world)

    assert await world.states() == {"accepted": 2}
    assert len(world.platform.uploads) == 1


async def test_a_file_refused_right_after_its_upload_stops_the_campaign(world: World) -> None:
    await _library(world)
    campaign = await _broadcast(world, 1)
    world.platform.behave = lambda _: 131053

    await _settled(world)

    assert await world.states() == {"dead:failed": 1}
    assert len(world.platform.uploads) == 1
    assert await world.value("select closed_why from campaigns where id = $1", campaign)


async def test_a_file_the_platform_does_not_take_stops_the_campaign_and_loses_nothing(
    world: World,
) -> None:
    await _library(world)
    campaign = await _broadcast(world, 2)
    world.platform.upload_error = 131053

    await _settled(world)

    assert await world.states() == {"queued": 2}
    why = await world.value("select closed_why from campaigns where id = $1", campaign)
    assert "does not take the file poster" in why

    world.platform.upload_error = None
    await world.value(
        "update campaigns set closed_until = null, closed_why = null where id = $1", campaign
    )
    await _settled(world)

    assert await world.states() == {"accepted": 2}


async def test_an_id_in_use_is_renewed_before_it_is_forgotten(world: World) -> None:
    await _library(world)
    await _broadcast(world, 1)
    await _settled(world)
    world.clock.advance(timedelta(days=24))
    assert not await upload_media(worker(world), ACME)

    world.clock.advance(timedelta(days=2))

    assert await upload_media(worker(world), ACME)
    assert not await upload_media(worker(world), ACME)
    assert await world.value("select platform_id from media_ids") == "F2"


async def test_two_processes_never_upload_the_same_file_at_once(world: World) -> None:
    await _library(world)
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        await media.want(unit, number=NUMBER, files=["poster"])

    await asyncio.gather(*(upload_media(worker(world), ACME) for _ in range(4)))

    assert len(world.platform.uploads) == 1
