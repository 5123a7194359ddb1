"""Importing files of contacts: every row judged, then, once staff say so, imported. In slices."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

import structlog

from engine import audience_file, audience_verdict
from engine.audience_file import Row, Sheet, Unreadable
from engine.audience_verdict import Judged, Known, Verdict
from engine.ids import ImportId, OrganizationId
from engine.phone import Phone
from storage import blobs, contacts, effects, imports
from storage.database import Unit
from storage.imports import Import, Sample, State, StoredRow
from worker.context import Worker
from worker.foresight import foreseen
from worker.reading import Reading

SLICE_S: Final = 0.2
_ROWS: Final = 500  # of a transaction, which takes a few hundredths of a second

log = structlog.get_logger()


async def import_contacts(worker: Worker, organization: OrganizationId) -> bool:
    """Judge or import rows for about SLICE_S seconds; return whether more is waiting."""
    ends = worker.clock.monotonic() + SLICE_S
    while True:
        async with worker.database.owner_unit(organization, worker.now()) as unit:
            open_import = await imports.next_open(unit)
        if open_import is None:
            return False
        moved = await _advance(worker, organization, open_import)
        if not moved:
            return False  # another process is at it, or it stopped waiting
        if worker.clock.monotonic() >= ends:
            return True


async def _advance(worker: Worker, organization: OrganizationId, seen: Import) -> bool:
    """Do the next piece of an import; whether it was ours to do."""
    match seen.state:
        case State.UPLOADED:
            sheet = await _sheet(worker, organization, seen)
            return await worker.database.run(
                organization, worker.now(), lambda unit: _open(unit, seen, sheet), owner=True
            )
        case State.JUDGING:
            reading = await _reading(worker, organization, seen)
            rows = list(islice(reading.rows, _ROWS))
            judged = await worker.database.run(
                organization, worker.now(), lambda unit: _judge(unit, seen, rows), owner=True
            )
            if judged and rows:
                worker.reading.keep(replace(reading, position=rows[-1].number))
            return judged
        case State.IMPORTING:
            return await worker.database.run(
                organization, worker.now(), lambda unit: _import(unit, seen), owner=True
            )
        case _:
            return False


async def _open(unit: Unit, seen: Import, sheet: Sheet | Unreadable) -> bool:
    """Refuse a file that cannot be read, or begin its list of verdicts."""
    if not await imports.lock(unit, seen):
        return False
    if isinstance(sheet, Unreadable):
        after = replace(seen, state=State.REFUSED, problem=sheet.reason)
        await imports.advance(unit, after)
        await _tell(unit, "import_refused", seen.id)
        return True
    verdicts = await blobs.create(unit, name=_verdicts_name(seen.name), mimetype="text/csv")
    for piece in audience_verdict.verdict_file(()):
        await blobs.append(unit, verdicts, piece)
    await imports.advance(unit, replace(seen, state=State.JUDGING, verdicts_blob_id=verdicts))
    return True


async def _judge(unit: Unit, seen: Import, rows: Sequence[Row]) -> bool:
    """Judge the next rows; without any the whole file is judged."""
    if not await imports.lock(unit, seen):
        return False
    if not rows:
        await imports.advance(unit, replace(seen, state=State.JUDGED, position=0))
        await _tell(unit, "import_judged", seen.id)
        return True
    phones = [row.phone for row in rows if row.phone is not None]
    reached = await contacts.reached(unit, phones=phones)
    judged = audience_verdict.judge(
        rows,
        seen=await imports.first_rows(unit, import_id=seen.id, phones=phones),
        known={phone: Known(opted_out=each.opted_out) for phone, each in reached.items()},
    )
    await imports.keep_rows(unit, import_id=seen.id, judged=judged)
    if seen.verdicts_blob_id is not None:
        # The first piece is the heading, which the list has already.
        for piece in islice(audience_verdict.verdict_file(judged), 1, None):
            await blobs.append(unit, seen.verdicts_blob_id, piece)
    there = {phone: each.id for phone, each in reached.items()}
    counted = Counter(seen.verdicts) + Counter(each.verdict for each in judged)
    await imports.advance(
        unit,
        replace(
            seen,
            position=rows[-1].number,
            verdicts=counted,
            samples=_samples(judged) | dict(seen.samples),
            enrolls=Counter(seen.enrolls) + await foreseen(unit, judged, there),
        ),
    )
    return True


async def _import(unit: Unit, seen: Import) -> bool:
    """Import the next rows; without any the whole file is imported."""
    if not await imports.lock(unit, seen):
        return False
    rows = await imports.rows_after(unit, import_id=seen.id, after=seen.position, limit=_ROWS)
    if not rows:
        await imports.advance(unit, replace(seen, state=State.IMPORTED))
        await _tell(unit, "import_done", seen.id)
        return True
    wanted = {row.phone: row for row in rows if row.verdict.imports and row.phone is not None}
    # Looked up again: somebody may have become a contact since the verdict.
    known = {p: each.id for p, each in (await _reached(unit, wanted)).items()}
    made = await contacts.add(
        unit,
        people=[(phone, row.person) for phone, row in wanted.items() if phone not in known],
        source=f"import:{seen.id}",
    )
    late = [phone for phone in wanted if phone not in known and phone not in made]
    known |= {p: each.id for p, each in (await _reached(unit, late)).items()}
    tags = await contacts.fill(
        unit, people=[(id_, wanted[phone].person) for phone, id_ in known.items()]
    )
    became = {wanted[p].row: each.id for p, each in made.items()}
    became |= {wanted[p].row: id_ for p, id_ in known.items()}
    await imports.rows_done(unit, import_id=seen.id, contacts=became)
    done = replace(
        seen.done,
        new=seen.done.new + len(made),
        updated=seen.done.updated + len(known),
        tags=seen.done.tags + tags + sum(each.tags for each in made.values()),
        skipped=seen.done.skipped + len(rows) - len(wanted),
    )
    await imports.advance(unit, replace(seen, position=rows[-1].row, done=done))
    return True


async def _reading(worker: Worker, organization: OrganizationId, seen: Import) -> Reading:
    kept = worker.reading.take(organization, seen.id, seen.position)
    if kept is not None:
        return kept
    sheet = await _sheet(worker, organization, seen)
    if isinstance(sheet, Unreadable):
        raise AssertionError("a file that could be read no longer can")  # noqa: TRY004 — a bug of ours
    country = worker.config.organizations[organization].country
    rows = audience_file.rows(sheet, country=country, after=seen.position)
    return Reading(organization=organization, import_id=seen.id, position=seen.position, rows=rows)


async def _sheet(worker: Worker, organization: OrganizationId, seen: Import) -> Sheet | Unreadable:
    data = bytearray()
    async for chunk in blobs.read(worker.database, organization, worker.now(), blob=seen.blob_id):
        data += chunk
    return audience_file.read(bytes(data))


async def _reached(
    unit: Unit, phones: Sequence[Phone] | dict[Phone, StoredRow]
) -> dict[Phone, contacts.Reached]:
    return await contacts.reached(unit, phones=list(phones)) if phones else {}


async def _tell(unit: Unit, kind: str, import_id: ImportId) -> None:
    await effects.tell_staff(unit, kind=kind, campaign=None, content={"import": import_id})
    log.info(kind, import_id=import_id)


def _samples(judged: Sequence[Judged]) -> dict[Verdict, Sample]:
    found: dict[Verdict, Sample] = {}
    for each in judged:
        if each.verdict not in found:
            found[each.verdict] = Sample(
                row=each.row.number,
                written=each.row.phone or each.row.written,
                name=each.row.person.name,
                remark=each.remark,
            )
    return found


def _verdicts_name(name: str) -> str:
    return f"{name.rpartition('.')[0] or name} - verdicts.csv"
