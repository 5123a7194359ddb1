"""What the platform lists is taken over; half a list loses nothing."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from storage import template_sync
from tests.database import ACME, NOON
from tests.examples import ON_POSTGRES
from tests.integration.worker.world import World, worker
from worker.synchronization import TASK, sync_templates


def template(name: str, *, id: str | None = None, **fields: Any) -> dict[str, Any]:  # noqa: A002, ANN401 — the platform's word
    return {
        "id": id or name,
        "name": name,
        "language": "en",
        "category": "MARKETING",
        "status": "APPROVED",
        "components": [{"type": "BODY", "text": "Hello"}],
        **fields,
    }


async def known(world: World) -> dict[str, str]:
    rows = await world.rows("select name, status from templates where gone_at is null")
    return {row["name"]: row["status"] for row in rows}


async def test_templates_come_change_and_go(world: World) -> None:
    world.platform.templates = [template("one"), template("two")]
    await sync_templates(worker(world), ACME)
    assert await known(world) == {"one": "APPROVED", "two": "APPROVED"}

    world.platform.templates = [template("two", status="PAUSED"), template("three")]
    await sync_templates(worker(world), ACME)

    assert await known(world) == {"two": "PAUSED", "three": "APPROVED"}
    result = await world.value("select result from tasks where name = $1", TASK)
    assert result == {"templates": 2, "gone": 1}


async def test_a_template_made_again_under_its_name_replaces_the_old_one(world: World) -> None:
    world.platform.templates = [template("one", id="1")]
    await sync_templates(worker(world), ACME)
    world.platform.templates = [template("one", id="2")]

    await sync_templates(worker(world), ACME)

    rows = await world.rows("select id, gone_at is null as there from templates order by id")
    assert rows == [{"id": "1", "there": False}, {"id": "2", "there": True}]


async def test_one_that_cannot_be_read_does_not_hold_up_the_others(world: World) -> None:
    world.platform.templates = [{"nonsense": True}, template("one")]

    await sync_templates(worker(world), ACME)

    assert await known(world) == {"one": "APPROVED"}


async def test_a_platform_that_is_away_changes_nothing_and_is_asked_again_soon(
    world: World,
) -> None:
    world.platform.templates = [template("one")]
    await sync_templates(worker(world), ACME)
    world.platform.url = "http://127.0.0.1:1"
    world.clock.advance(timedelta(hours=2))

    await sync_templates(worker(world), ACME)

    assert await known(world) == {"one": "APPROVED"}
    assert "problem" in await world.value("select result from tasks where name = $1", TASK)
    assert not await _wanted(world)
    world.clock.advance(timedelta(seconds=11))
    assert await _wanted(world)


async def test_templates_are_wanted_once_an_hour(world: World) -> None:
    assert await _wanted(world)
    await sync_templates(worker(world), ACME)
    assert not await _wanted(world)
    world.clock.advance(timedelta(minutes=61))
    assert await _wanted(world)


async def _wanted(world: World) -> bool:
    at = world.clock.now()
    async with world.database.owner_unit(ACME, at) as unit:
        await template_sync.task_wanted(
            unit, name=TASK, since=at - timedelta(hours=1), again=at - timedelta(seconds=10)
        )
    wanted: bool = await world.value(
        "select done_at is null or done_at < requested_at from tasks where name = $1", TASK
    )
    return wanted


async def test_what_a_webhook_said_after_the_list_was_asked_for_stays(world: World) -> None:
    world.platform.templates = [template("one")]
    await sync_templates(worker(world), ACME)
    await world.value("update templates set status = 'PAUSED', synced_at = $1", LATER)

    await sync_templates(worker(world), ACME)

    assert await known(world) == {"one": "PAUSED"}


LATER = NOON + timedelta(days=1)
listings = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(("one", "two", "three")),
            "id": st.sampled_from("12345"),
            "language": st.sampled_from(("en", "nl")),
            "status": st.sampled_from(("APPROVED", "PAUSED", "REJECTED")),
        }
    ),
    max_size=5,
    unique_by=(lambda each: each["id"], lambda each: (each["name"], each["language"])),
)


@ON_POSTGRES
@given(before=listings, now=listings, times=st.integers(2, 4))
async def test_syncing_often_is_syncing_once(
    world: World, before: list[dict[str, Any]], now: list[dict[str, Any]], times: int
) -> None:
    await world.value("delete from templates")
    for listing in (before, now):
        world.platform.templates = [template(**each) for each in listing]
        await sync_templates(worker(world), ACME)
    once = await world.rows(_STORED)

    for _ in range(times):
        await sync_templates(worker(world), ACME)

    assert await world.rows(_STORED) == once
    there = {(row["name"], row["language"], row["status"]) for row in once if row["there"]}
    assert there == {(each["name"], each["language"], each["status"]) for each in now}


_STORED = (
    "select id, name, language, status, category, quality, content, gone_at is null as there"
    "  from templates order by id"
)
