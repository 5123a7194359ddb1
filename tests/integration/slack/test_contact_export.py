"""Contacts as a file, and that file imported again, on a real database."""

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import attributes as rules
from engine import names
from engine.attributes import AttributeType
from engine.audience import Audience
from engine.audience_person import Person
from engine.contact_export import Format
from engine.phone import Phone
from storage import attributes, blobs, contacts, exports, imports, work
from storage.database import Database, Unit
from storage.exports import Export, ExportId, State
from tests.database import ACME
from tests.examples import ON_POSTGRES
from tests.integration.slack.contacts_room import Room, opened_room
from worker import exporting, files_in_turn
from worker.exporting import export_contacts
from worker.half_done import AT_ONCE, HalfDone
from worker.importing import import_contacts
from worker.writing import Writing

PHONES = [Phone(f"+3161234000{place}") for place in range(5)]


@pytest.fixture
async def room(database: Database) -> AsyncIterator[Room]:
    async with opened_room(database) as room:
        yield room


async def begin(room: Room, format_: Format) -> ExportId:
    """Ask for an export of everybody."""
    async with room.database.unit(ACME, room.clock.now()) as unit:
        return await exports.begin(
            unit,
            audience=Audience(everyone=True),
            named="all",
            format_=format_,
            attributes=sorted(await attributes.known(unit)),
            actor="U0OWNER",
            channel="D0OWNER",
        )


async def exported(room: Room, format_: Format, *, other_processes: bool = False) -> bytes:
    """Export everybody; each slice by a process of its own, if asked."""
    export = await begin(room, format_)
    worker = room.worker
    while await export_contacts(worker, ACME):
        worker = replace(worker, writing=HalfDone()) if other_processes else worker
    return await content_of(room, export)


async def content_of(room: Room, export: ExportId) -> bytes:
    async with room.database.unit(ACME, room.clock.now()) as unit:
        found = await exports.find(unit, export=export)
    assert found is not None
    assert found.state is State.WRITTEN
    assert found.blob_id is not None
    pieces = blobs.read(room.database, ACME, room.clock.now(), blob=found.blob_id)
    return b"".join([each async for each in pieces])


async def imported(room: Room, content: bytes, name: str) -> dict[str, int]:
    """Import a file; return its rows by verdict."""
    at = room.clock.now()
    blob = await blobs.write(
        room.database, ACME, at, name=name, mimetype="text/csv", content=content
    )
    async with room.database.unit(ACME, at) as unit:
        made = await imports.begin(
            unit, file=f"F{blob.id}", blob=blob.id, name=name, actor="U", channel="C", thread_ts="1"
        )
    assert made is not None
    while await import_contacts(room.worker, ACME):
        pass
    async with room.database.unit(ACME, at) as unit:
        await imports.start(unit, import_id=made)
    while await import_contacts(room.worker, ACME):
        pass
    async with room.database.unit(ACME, at) as unit:
        found = await imports.find(unit, import_id=made)
    assert found is not None
    assert found.problem is None
    return {verdict.value: count for verdict, count in found.verdicts.items()}


async def everything(room: Room) -> list[tuple[object, ...]]:
    return await room.rows(
        "select c.*, array(select row(i.kind, i.value) from contact_identities i"
        " where i.contact_id = c.id order by 1), array(select row(t.tag, t.added_at) from"
        " contact_tags t where t.contact_id = c.id order by 1) from contacts c order by c.id"
    )


LINES = (
    st.text(max_size=20)
    | st.sampled_from(["=1+1", "'=1", "'90s kid", "'t Hart", "a;=b", "a;'=b", "-5", "@x", "1,5"])
).map(names.cleaned)
OPTIONAL = LINES.map(lambda text: text or None) | st.none()
TAGS = st.sets(st.sampled_from(["vip", "lead", "to call", "+1", "=x"])).map(sorted).map(tuple)
VALUES = {
    "note": LINES.filter(bool),
    "total": st.decimals(-9999, 9999, places=3).map(
        lambda value: rules.read(f"{value:.4f}", AttributeType.NUMBER)
    ),
    "since": st.dates().map(str),
    "source": st.sampled_from(["fair", "web"]),
    "vip": st.sampled_from(["yes", "no"]),
    "last_name": LINES.filter(bool),
}
TYPES = {
    "note": AttributeType.TEXT,
    "total": AttributeType.NUMBER,
    "since": AttributeType.DATE,
    "source": AttributeType.TEXT,
    "vip": AttributeType.YESNO,
    "last_name": AttributeType.TEXT,
}
PEOPLE = st.builds(
    Person,
    name=OPTIONAL,
    first_name=OPTIONAL,
    company=OPTIONAL,
    email=st.sampled_from(["ada@x.example", None]),
    language=st.sampled_from(["nl", "en_US", "zh_Hans", None]),
    timezone=st.sampled_from(["Asia/Tokyo", None]),
    tags=TAGS,
    attributes=st.fixed_dictionaries({}, optional=VALUES).map(lambda said: tuple(said.items())),
)


@ON_POSTGRES
@given(people=st.lists(PEOPLE, min_size=1, max_size=5), format_=st.sampled_from(Format))
async def test_an_export_imported_again_changes_nothing(
    room: Room, people: list[Person], format_: Format
) -> None:
    await room.database.pool.execute("delete from contacts; delete from attributes")
    async with room.database.unit(ACME, room.clock.now()) as unit:
        await attributes.settled(unit, guessed=TYPES)
        await contacts.add(
            unit, people=list(zip(PHONES, people, strict=False)), source="slack:U0OWNER"
        )
    before = await everything(room)
    occurrences = await room.rows("select count(*) from occurrences")
    content = await exported(room, format_)

    verdicts = await imported(room, content, f"contacts.{format_}")

    assert await everything(room) == before
    assert await room.rows("select count(*) from occurrences") == occurrences
    assert verdicts == {"update": len(people)}


async def test_a_file_says_who_somebody_is_and_whether_they_may_be_written_to(room: Room) -> None:
    await room.command(f'contact add {PHONES[0]} name="=Ada" tags=vip,lead plan=gold')
    await room.command(f"contact add {PHONES[1]} name=Grace")
    await room.command(f"contact optout {PHONES[1]}")

    text = (await exported(room, Format.CSV)).decode("utf-8-sig")

    ada, grace = csv.DictReader(io.StringIO(text, newline=""))
    assert (ada["phone"], ada["name"], ada["tags"], ada["plan"]) == (
        PHONES[0],
        "'=Ada",
        "lead, vip",
        "gold",
    )
    assert ada["dripline_may_be_written_to"] == "yes"
    assert ada["dripline_source"] == "slack:U0OWNER"
    assert grace["dripline_may_be_written_to"].startswith("no: ")
    assert grace["dripline_consent_proof"] == "opt_out in slack by U0OWNER"


async def test_a_workbook_opens_and_none_of_its_cells_computes(room: Room) -> None:
    await room.command(f'contact add {PHONES[0]} name="=1+1" company="a<b>&c"')

    book = openpyxl.load_workbook(io.BytesIO(await exported(room, Format.XLSX)))

    (sheet,) = book.worksheets
    heading, row = sheet.iter_rows()
    found = {str(name.value): cell for name, cell in zip(heading, row, strict=False)}
    assert (found["name"].value, found["name"].data_type) == ("'=1+1", "s")
    assert found["company"].value == "a<b>&c"


@pytest.mark.parametrize("format_", list(Format))
async def test_an_export_goes_on_or_begins_anew_where_another_process_stopped(
    room: Room, monkeypatch: pytest.MonkeyPatch, format_: Format
) -> None:
    for phone in PHONES:
        await room.command(f"contact add {phone}")
    whole = await exported(room, format_)
    monkeypatch.setattr(exporting, "_CONTACTS", 2)
    monkeypatch.setattr(files_in_turn, "SLICE_S", 0.0)

    export = await begin(room, format_)
    await export_contacts(room.worker, ACME)
    survivor = replace(room.worker, writing=HalfDone())
    while await export_contacts(survivor, ACME):
        pass

    content = await content_of(room, export)
    if format_ is Format.CSV:
        assert content == whole
    assert len(await room.rows("select 1 from blobs")) == 2
    assert set(await imported(room, content, "x")) == {"update"}


async def test_whom_nobody_is_is_not_exported(room: Room) -> None:
    answer = await room.command("contact export tag:nobody")

    assert "is nobody yet. Nothing was exported." in answer.message.text
    assert await room.rows("select 1 from exports") == []


@pytest.mark.parametrize("format_", list(Format))
async def test_exports_asked_for_together_are_all_written_each_by_its_own_slices(
    room: Room, monkeypatch: pytest.MonkeyPatch, format_: Format
) -> None:
    asked, slices = AT_ONCE + 2, 4  # one for each of three pieces, and one that ends it
    for phone in PHONES:
        await room.command(f"contact add {phone}")
    monkeypatch.setattr(exporting, "_CONTACTS", 2)
    monkeypatch.setattr(files_in_turn, "SLICE_S", 0.0)
    begun = [await begin(room, format_) for _ in range(asked)]

    for _ in range(asked * slices):
        room.clock.at += timedelta(seconds=1)
        await export_contacts(room.worker, ACME)

    for export in begun:
        content = await content_of(room, export)
        if format_ is Format.XLSX:
            (sheet,) = openpyxl.load_workbook(io.BytesIO(content)).worksheets
            assert sheet.max_row == 1 + len(PHONES)
        else:
            assert content.count(b"\r\n") == 1 + len(PHONES)


@pytest.mark.parametrize("slow", [False, True], ids=["at once", "too slow"])
async def test_an_export_that_always_fails_is_set_aside_told_once_and_holds_up_no_other(
    room: Room, monkeypatch: pytest.MonkeyPatch, *, slow: bool
) -> None:
    await room.command(f"contact add {PHONES[0]}")
    async with room.database.owner_unit(ACME, room.clock.now()) as unit:
        besides = (await work.idle(unit, grace=timedelta(minutes=10))).due
    broken, whole = [await begin(room, Format.CSV) for _ in range(AT_ONCE)], exporting._write  # noqa: SLF001
    good = await begin(room, Format.CSV)
    mended: list[bool] = []

    async def fail(unit: Unit) -> None:
        if slow:
            await unit.connection.execute("select pg_sleep(60)", timeout=0.05)
        await unit.connection.execute("select 1 / 0")

    async def failing(unit: Unit, seen: Export, writing: Writing) -> Export | None:
        after = await whole(unit, seen, writing)
        if seen.id in broken and not mended:
            await fail(unit)
        return after

    monkeypatch.setattr(exporting, "_write", failing)
    while await export_contacts(room.worker, ACME):
        pass

    assert await content_of(room, good)
    assert await due(room, besides) == []
    kinds = await room.rows("select kind from events where kind like 'export%' order by 1")
    assert kinds == [("export_set_aside",)] * AT_ONCE + [("export_written",)]

    room.clock.at += timedelta(hours=1)
    assert await due(room, besides) == ["export_contacts"]
    while await export_contacts(room.worker, ACME):
        pass
    assert await due(room, besides) == []

    mended.append(True)
    room.clock.at += timedelta(days=1)
    while await export_contacts(room.worker, ACME):
        pass
    assert [bool(await content_of(room, each)) for each in broken] == [True] * AT_ONCE
    kinds = await room.rows("select distinct count(*) from events where kind = 'export_set_aside'")
    assert kinds == [(AT_ONCE,)]


async def due(room: Room, besides: int) -> list[str]:
    async with room.database.owner_unit(ACME, room.clock.now()) as unit:
        idle = await work.idle(unit, grace=timedelta(minutes=10))
        jobs = [each for each in await work.jobs(unit, numbers=[]) if each == "export_contacts"]
    assert (idle.due > besides) == bool(jobs)
    return jobs
