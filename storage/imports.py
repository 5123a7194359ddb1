"""Imports: an uploaded file, the verdict on each of its rows, and how far it has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import asyncpg

from engine.audience_person import Person
from engine.audience_verdict import Judged, Verdict
from engine.ids import BlobId, CampaignId, ContactId, ImportId
from engine.phone import Phone
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
class Import:
    """An import as it stands.

    Attributes:
        position: The last row of the file that is through in the present state.
        verdicts: Rows by verdict, those judged so far; none of them zero.
        enrolls: How many enrollments its automations would lead to, by campaign; none zero.
        problem: Why it was refused; None: it was not.
        thread_ts: Of the message with the file; everything about it is said in that thread.
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
    actor: str
    channel: str
    thread_ts: str | None

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
    )
    return new


async def has_file(unit: Unit, *, file: str) -> bool:
    return await unit.value(_SQL["of_file"], file=file) is not None


async def find(unit: Unit, *, import_id: ImportId) -> Import | None:
    return _from_row(await unit.row(_SQL["find"], **{"import": import_id}))


async def next_open(unit: Unit) -> Import | None:
    """Return the import that has waited longest for the worker; None: there is none."""
    return _from_row(await unit.row(_SQL["next_open"]))


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
        },
        samples={
            verdict.value: {name: getattr(sample, name) for name in Sample.__slots__}
            for verdict, sample in after.samples.items()
        },
        verdicts=after.verdicts_blob_id,
        problem=after.problem,
    )


async def start(unit: Unit, *, import_id: ImportId) -> bool:
    """Have a judged import imported; False: it is not judged, or no longer waits."""
    return await _moved(unit, import_id, State.IMPORTING)


async def discard(unit: Unit, *, import_id: ImportId) -> bool:
    """Put a judged import away; False: it is not judged, or no longer waits."""
    return await _moved(unit, import_id, State.DISCARDED)


async def first_rows(
    unit: Unit, *, import_id: ImportId, phones: Sequence[Phone]
) -> dict[Phone, int]:
    """Return the first row judged so far with each of *phones*."""
    rows = await unit.rows(_SQL["first_rows"], **{"import": import_id}, phones=phones)
    return {row["phone"]: row["row"] for row in rows}


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


async def rows_done(unit: Unit, *, import_id: ImportId, contacts: Mapping[int, ContactId]) -> None:
    """Note which contact each row became."""
    await unit.run(
        _SQL["rows_done"],
        **{"import": import_id},
        rows=list(contacts),
        contacts=list(contacts.values()),
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
