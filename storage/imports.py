"""Imports: an uploaded file, the verdict on each of its rows, and how far it has come."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self

import asyncpg

from engine import setback
from engine.attributes import AttributeType, Form
from engine.audience_person import Person
from engine.audience_verdict import Judged, Verdict
from engine.ids import BlobId, CampaignId, ContactId, ImportId
from engine.import_deeds import Deed
from engine.phone import Phone, canonical, twins
from storage.database import Unit
from storage.queries import load

_SQL = load("imports")


class State(StrEnum):
    UPLOADED = "uploaded"
    JUDGING = "judging"
    JUDGED = "judged"  # waits for somebody to start or discard it
    IMPORTING = "importing"
    IMPORTED = "imported"
    REFUSED = "refused"  # the file as a whole cannot be used
    DISCARDED = "discarded"
    UNDOING = "undoing"
    UNDONE = "undone"


UNDOABLE: Final = timedelta(days=30)
"""After this nobody knows any more what an import did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The first row with a verdict, as staff are shown it.

    Attributes:
        row: As a spreadsheet counts.
        written: The phone as the file has it.
    """

    row: int
    written: str
    name: str | None
    remark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What importing came to so far.

    Attributes:
        tags: Tags put on, of new and known contacts.
        skipped: Rows that change nothing: duplicates and invalid ones.
    """

    new: int = 0
    updated: int = 0
    tags: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What undoing came to so far.

    Attributes:
        gone: Contacts that the import had made.
        restored: Contacts with fields or attributes as they were.
        tags: Taken off.
        stays: Rows of which something stays.
    """

    gone: int = 0
    restored: int = 0
    tags: int = 0
    stays: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a file is read, found out when it was opened.

    Attributes:
        about: For staff: ``text in UTF-8, semicolons between cells``.
        forms: How values of attributes are written.
        guesses: Types of attributes that nobody had before.
        ignored: Headings that cannot be used.
    """

    about: str = ""
    forms: Mapping[str, Form] = field(default_factory=dict)
    guesses: Mapping[str, AttributeType] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "about": self.about,
            "forms": {
                name: [form.decimal_comma, form.month_first] for name, form in self.forms.items()
            },
            "guesses": dict(self.guesses),
            "ignored": list(self.ignored),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        return cls(
            about=content.get("about", ""),
            forms={
                name: Form(decimal_comma=comma, month_first=month)
                for name, (comma, month) in content.get("forms", {}).items()
            },
            guesses={
                name: AttributeType(type_) for name, type_ in content.get("guesses", {}).items()
            },
            ignored=tuple(content.get("ignored", ())),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """An import as it stands.

    Attributes:
        position: The last row of the file that is through in the present state.
        verdicts: Rows by verdict, those judged so far; none of them zero.
        enrolls: How many enrollments its automations would lead to, by campaign; none zero.
        problem: Why it was refused; None: it was not.
        rows: Of the file, at most; 0: nobody knows.
        thread_ts: Of the message with the file; everything about it is said in that thread.
        list_name: Of the list everybody is put on; None: of none.
        stays_blob_id: A list of what undoing left; None: it is not undone.
    """

    id: ImportId
    blob_id: BlobId
    verdicts_blob_id: BlobId | None
    name: str
    state: State
    problem: str | None
    position: int
    verdicts: Mapping[Verdict, int] = field(default_factory=dict)
    samples: Mapping[Verdict, Sample] = field(default_factory=dict)
    enrolls: Mapping[CampaignId, int] = field(default_factory=dict)
    done: Done = field(default_factory=Done)
    undone: Undone = field(default_factory=Undone)
    rows: int = 0
    reading: Reading = field(default_factory=Reading)
    list_id: int | None = None
    list_name: str | None = None
    stays_blob_id: BlobId | None = None
    actor: str
    channel: str
    thread_ts: str | None
    created_at: datetime

    @property
    def importable(self) -> int:
        """How many rows write a contact."""
        return sum(count for verdict, count in self.verdicts.items() if verdict.imports)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRow:
    """A row as it was judged; *person* is empty where it imports nothing."""

    row: int
    verdict: Verdict
    phone: Phone | None
    person: Person


async def begin(
    unit: Unit,
    *,
    file: str,
    blob: BlobId,
    name: str,
    actor: str,
    channel: str,
    thread_ts: str,
    list_id: int | None = None,
) -> ImportId | None:
    """Keep an uploaded file to be judged; None: the same *file* of Slack's is there already."""
    new: ImportId | None = await unit.value(
        _SQL["begin"],
        file=file,
        blob=blob,
        name=name,
        actor=actor,
        channel=channel,
        thread_ts=thread_ts,
        list=list_id,
    )
    return new


async def has_file(unit: Unit, *, file: str) -> bool:
    return await unit.value(_SQL["of_file"], file=file) is not None


async def find(unit: Unit, *, import_id: ImportId) -> Import | None:
    return _from_row(await unit.row(_SQL["find"], **{"import": import_id}))


async def next_open(unit: Unit, *, at_once: int) -> Import | None:
    """Return the import that has waited longest for the worker; None: there is none."""
    return _from_row(await unit.row(_SQL["next_open"], at_once=at_once))


async def lock(unit: Unit, seen: Import) -> bool:
    """Lock an import as it was *seen*; False: another process moved it, or is about to.

    The statements that follow are planned anew: an import makes tables large in a minute.
    """
    await unit.value(_SQL["plan_anew"])
    found = await unit.value(
        _SQL["lock"], **{"import": seen.id}, state=seen.state, position=seen.position
    )
    return found is not None


async def advance(unit: Unit, after: Import) -> None:
    """Write how far an import has come; this unit holds its lock."""
    await unit.run(
        _SQL["advance"],
        **{"import": after.id},
        state=after.state,
        position=after.position,
        counts={
            "verdicts": {verdict.value: count for verdict, count in after.verdicts.items()},
            "enrolls": {str(campaign): count for campaign, count in after.enrolls.items()},
            "done": {name: getattr(after.done, name) for name in Done.__slots__},
            "undone": {name: getattr(after.undone, name) for name in Undone.__slots__},
        },
        samples={
            verdict.value: {name: getattr(sample, name) for name in Sample.__slots__}
            for verdict, sample in after.samples.items()
        },
        verdicts=after.verdicts_blob_id,
        problem=after.problem,
        rows=after.rows,
        reading=after.reading.to_json(),
        stays=after.stays_blob_id,
    )


async def failed(unit: Unit, seen: Import) -> bool:
    """Put it behind the others, or aside for a while; whether that was for the first time."""
    failures = await unit.value(
        _SQL["failed"], **{"import": seen.id}, state=seen.state, position=seen.position
    )
    if failures is None:
        return False  # somebody else has moved it
    pause = setback.pause(failures)
    if pause:
        await unit.run(_SQL["set_aside"], **{"import": seen.id}, again=unit.at + pause)
    return bool(failures == setback.TRIES)


async def start(unit: Unit, *, import_id: ImportId) -> bool:
    """Have a judged import imported; False: it is not judged, or no longer waits."""
    return await _moved(unit, import_id, State.IMPORTING)


async def discard(unit: Unit, *, import_id: ImportId) -> bool:
    """Put a judged import away; False: it is not judged, or no longer waits."""
    return await _moved(unit, import_id, State.DISCARDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """A large import under way, or one that just stopped.

    Attributes:
        done: Rows that are through in this state.
        rows: All of them, at most; 0: nobody knows.
    """

    id: ImportId
    name: str
    state: State
    done: int
    rows: int
    channel: str
    thread_ts: str | None


async def moving(unit: Unit, *, many: int) -> list[Moving]:
    """Return imports of at least *many* rows whose progress is to be shown."""
    return [
        Moving(
            id=row["id"],
            name=row["name"],
            state=State(row["state"]),
            done=row["position"],
            rows=max(row["rows"], sum(row["counts"].get("verdicts", {}).values())),
            channel=row["channel"],
            thread_ts=row["thread_ts"],
        )
        for row in await unit.rows(_SQL["moving"], many=many)
    ]


async def recent(unit: Unit, *, limit: int) -> list[Import]:
    """Return the last imports, the latest first."""
    rows = await unit.rows(_SQL["recent"], limit=limit)
    return [found for row in rows if (found := _from_row(row)) is not None]


async def undo(unit: Unit, *, import_id: ImportId, actor: str) -> bool:
    """Have an import undone; False: it is not imported, or no longer."""
    found = await unit.value(_SQL["undo"], **{"import": import_id}, actor=actor)
    return found is not None


async def first_rows(
    unit: Unit, *, import_id: ImportId, phones: Sequence[Phone]
) -> dict[Phone, int]:
    """Return the first row judged so far with each of *phones* or its twins.

    The keys are `engine.phone.canonical`.
    """
    several = {each for phone in phones for each in (phone, *twins(phone))}
    rows = await unit.rows(_SQL["first_rows"], **{"import": import_id}, phones=list(several))
    return {canonical(row["phone"]): row["row"] for row in rows}


async def tagged(unit: Unit, *, import_id: ImportId, tags: Collection[str]) -> int:
    """Return how many rows that write a contact bring one of *tags*."""
    count: int = await unit.value(
        _SQL["tagged"],
        **{"import": import_id},
        verdicts=[each for each in Verdict if each.imports],
        tags=list(tags),
    )
    return count


async def keep_rows(unit: Unit, *, import_id: ImportId, judged: Sequence[Judged]) -> None:
    await unit.run(
        _SQL["keep_rows"],
        **{"import": import_id},
        rows=[each.row.number for each in judged],
        verdicts=[each.verdict for each in judged],
        reasons=[each.remark for each in judged],
        phones=[each.row.phone for each in judged],
        contents=[_content(each) for each in judged],
    )


async def rows_after(unit: Unit, *, import_id: ImportId, after: int, limit: int) -> list[StoredRow]:
    rows = await unit.rows(_SQL["rows_after"], **{"import": import_id}, after=after, limit=limit)
    return [
        StoredRow(
            row=row["row"],
            verdict=Verdict(row["verdict"]),
            phone=row["phone"],
            person=_person(row["content"]),
        )
        for row in rows
    ]


async def rows_done(
    unit: Unit, *, import_id: ImportId, contacts: Mapping[int, tuple[ContactId, Deed]]
) -> None:
    """Note which contact each row became, and what was done to it."""
    await unit.run(
        _SQL["rows_done"],
        **{"import": import_id},
        rows=list(contacts),
        contacts=[contact for contact, _ in contacts.values()],
        deeds=[None if deed.nothing else deed.to_json() for _, deed in contacts.values()],
    )


async def _moved(unit: Unit, import_id: ImportId, state: State) -> bool:
    return await unit.value(_SQL["move"], **{"import": import_id}, state=state) is not None


def _from_row(row: asyncpg.Record | None) -> Import | None:
    if row is None:
        return None
    counts = row["counts"]
    return Import(
        id=row["id"],
        blob_id=row["blob_id"],
        verdicts_blob_id=row["verdicts_blob_id"],
        name=row["name"],
        state=State(row["state"]),
        problem=row["problem"],
        position=row["position"],
        verdicts={Verdict(word): count for word, count in counts.get("verdicts", {}).items()},
        enrolls={CampaignId(int(each)): n for each, n in counts.get("enrolls", {}).items()},
        samples={Verdict(word): Sample(**sample) for word, sample in row["samples"].items()},
        done=Done(**counts.get("done", {})),
        undone=Undone(**counts.get("undone", {})),
        rows=row["rows"],
        reading=Reading.from_json(row["reading"]),
        list_id=row["list_id"],
        list_name=row["list_name"],
        stays_blob_id=row["stays_blob_id"],
        created_at=row["created_at"],
        actor=row["actor"],
        channel=row["channel"],
        thread_ts=row["thread_ts"],
    )


_SINGLE = ("name", "first_name", "company", "email", "language", "timezone")


def _content(judged: Judged) -> dict[str, Any]:
    """Return what importing needs of a row; what does not import needs nothing."""
    if not judged.verdict.imports:
        return {}
    person = judged.row.person
    content: dict[str, Any] = {
        name: value for name in _SINGLE if (value := getattr(person, name)) is not None
    }
    if person.tags:
        content["tags"] = person.tags
    if person.attributes:
        content["attributes"] = dict(person.attributes)
    return content


def _person(content: Mapping[str, Any]) -> Person:
    return Person(
        **{name: content.get(name) for name in _SINGLE},
        tags=tuple(content.get("tags", ())),
        attributes=tuple(content.get("attributes", {}).items()),
    )
