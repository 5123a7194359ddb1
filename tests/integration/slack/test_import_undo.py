"""Importing twice, and taking an import back, on a real database."""

import csv
import io
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack import import_undo
from bot.slack.alerts import Alert
from engine.ids import ImportId
from storage import blobs, events, imports
from storage.database import Database
from storage.imports import Import, State
from tests.database import ACME
from tests.examples import ON_POSTGRES
from tests.integration.slack.contacts_room import Room, opened_room
from worker.importing import import_contacts

PHONES = [f"+3161234000{place}" for place in range(6)]


@pytest.fixture
async def room(database: Database) -> AsyncIterator[Room]:
    async with opened_room(database) as room:
        yield room


async def bring(
    room: Room, content: str, name: str = "people.csv", listed: int | None = None
) -> Import:
    """Import a file as an owner who presses the button does."""
    at = room.clock.now()
    blob = await blobs.write(
        room.database, ACME, at, name=name, mimetype="text/csv", content=content.encode()
    )
    async with room.database.unit(ACME, at) as unit:
        made = await imports.begin(
            unit,
            file=f"F{blob.id}",
            blob=blob.id,
            name=name,
            actor="U0OWNER",
            channel="C0TEAM",
            thread_ts="1.0",
            list_id=listed,
        )
    assert made is not None
    await work(room)
    async with room.database.unit(ACME, room.clock.now()) as unit:
        await imports.start(unit, import_id=made)
    await work(room)
    return await found(room, made)


async def found(room: Room, import_id: ImportId) -> Import:
    async with room.database.unit(ACME, room.clock.now()) as unit:
        it = await imports.find(unit, import_id=import_id)
    assert it is not None
    return it


async def work(room: Room) -> None:
    while await import_contacts(room.worker, ACME):
        pass


async def undo(room: Room, name: str) -> str:
    """Undo as an owner does; return what is told at last."""
    asked = await room.command(f'import undo "{name}"')
    (value,) = [
        element["value"]
        for block in asked.message.blocks
        if block["type"] == "actions"
        for element in block["elements"]
    ]
    await room.click("import_undo", value)
    again = await room.click("import_undo", value)
    assert again is not None
    assert "undone already" in again.message.text
    await work(room)
    (alert,) = await _told(room)
    return alert.message.text


async def _told(room: Room) -> tuple[Alert, ...]:
    async with room.database.unit(ACME, room.clock.now()) as unit:
        row = await unit.connection.fetchrow(
            "select id, kind, campaign_id, content, at from events where kind = 'import_undone'"
            " order by id desc limit 1"
        )
        assert row is not None
        return await import_undo.undone(events.Event(**dict(row)), unit)


async def everything(room: Room) -> list[tuple[object, ...]]:
    """Return what is known of contacts, by phone."""
    return await room.rows(
        "select i.value, c.name, c.first_name, c.company, c.email, c.language, c.timezone,"
        " c.timezone_from, c.attributes, c.source, c.created_at,"
        " array(select t.tag from contact_tags t where t.contact_id = c.id order by 1),"
        " array(select l.list_id from list_members l where l.contact_id = c.id order by 1)"
        " from contacts c join contact_identities i on i.contact_id = c.id order by 1"
    )


async def test_an_import_goes_as_if_it_never_was(room: Room) -> None:
    await room.command(f"contact add {PHONES[0]} name=Ada company=Old city=London tags=vip")
    listed = await room.database.pool.fetchval(
        "insert into contact_lists (organization_id, name, created_at, created_by)"
        " values ($1, 'beta', $2, 'U') returning id",
        ACME,
        room.clock.now(),
    )
    before = await everything(room)

    done = await bring(
        room,
        "phone,name,company,city,plan,tags,timezone\n"
        f"{PHONES[0]},Ada,New,Utrecht,gold,lead,Asia/Tokyo\n{PHONES[1]},Grace,,,,lead,\n",
        listed=listed,
    )
    between = await everything(room)
    told = await undo(room, "people.csv")

    assert done.done.new == 1
    assert [row[-1] for row in between] == [[listed], [listed]]
    assert await everything(room) == before
    assert "1 contact gone, 1 contact as before, 1 tag taken off." in told
    assert (await found(room, done.id)).state is State.UNDONE
    assert await room.rows("select value from occurrences order by id") == [("",), ("vip",)]


async def test_what_something_happened_to_stays_and_is_listed_with_the_reason(room: Room) -> None:
    await room.command(f"contact add {PHONES[0]} company=Old plan=free")
    done = await bring(
        room,
        "phone,name,company,plan,tags\n"
        + "".join(f"{phone},P{place},New,gold,lead\n" for place, phone in enumerate(PHONES)),
    )
    await room.command(f"contact edit {PHONES[0]} company=Newer")
    await room.command(f"contact edit {PHONES[1]} city=Oslo")
    await room.command(f"contact optout {PHONES[2]}")
    await room.command(f"contact tag {PHONES[3]} vip")

    told = await undo(room, "people.csv")

    assert "2 contacts gone, 1 contact as before, 4 tags taken off." in told
    assert "Something of 4 rows stays" in told
    stays = (await found(room, done.id)).stays_blob_id
    assert stays is not None
    pieces = [each async for each in blobs.read(room.database, ACME, room.clock.now(), blob=stays)]
    listed = list(csv.reader(io.StringIO(b"".join(pieces).decode("utf-8-sig"), newline="")))
    assert [line[2:] for line in listed[1:]] == [
        ["company", "it was changed since"],
        ["the contact", "it was changed since"],
        ["the contact", "its consent was recorded"],
        ["the contact", "it was tagged since"],
    ]
    assert await room.rows(
        "select company, attributes from contacts c"
        " join contact_identities i on i.contact_id = c.id where value = $1",
        PHONES[0],
    ) == [("Newer", {"plan": "free"})]
    assert await room.rows("select tag from contact_tags") == [("vip",)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("import undo nothing.csv", "There is no import", id="unknown"),
        pytest.param("import undo people", "may be", id="ambiguous"),
    ],
)
async def test_an_import_that_is_not_clear_is_asked_for(room: Room, text: str, says: str) -> None:
    for place in range(2):
        await bring(room, f"phone\n{PHONES[place]}\n", name=f"people{place}.csv")

    assert says in (await room.command(text)).message.text
    assert "people1.csv" in (await room.command("import list")).message.text


CELLS = st.sampled_from(["", "Ada", "12", "2026-12-01", "yes", "=1+1", "'90", "1.234,5", "-5"])
ROWS = st.lists(
    st.tuples(
        st.sampled_from(PHONES), CELLS, CELLS, CELLS, st.sampled_from(["", "vip", "lead,vip"])
    ),
    max_size=8,
)


def _file(rows: list[tuple[str, ...]]) -> str:
    written = io.StringIO(newline="")
    csv.writer(written).writerows([("phone", "name", "company", "plan", "tags"), *rows])
    return written.getvalue()


@ON_POSTGRES
@given(first=ROWS, second=ROWS)
async def test_importing_twice_is_importing_once_and_undoing_is_not_having_imported(
    room: Room, first: list[tuple[str, ...]], second: list[tuple[str, ...]]
) -> None:
    await room.database.pool.execute("delete from contacts; delete from attributes")
    await bring(room, _file(first))
    before = await everything(room)
    occurrences = await room.rows("select count(*) from occurrences")

    again = await bring(room, _file(first))

    assert await everything(room) == before
    assert await room.rows("select count(*) from occurrences") == occurrences
    assert (again.done.new, again.done.tags) == (0, 0)

    other = await bring(room, _file(second), name="second.csv")
    async with room.database.unit(ACME, room.clock.now()) as unit:
        await imports.undo(unit, import_id=other.id, actor="U0OWNER")
    await work(room)

    assert await everything(room) == before
