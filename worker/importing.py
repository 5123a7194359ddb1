"""Importing files of contacts: every row judged, then, once staff say so, imported. In slices."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from tempfile import TemporaryFile
from typing import Final

import structlog

from engine import attributes as rules
from engine import audience_file, audience_verdict
from engine.attributes import AttributeType
from engine.audience_file import Row, Sheet
from engine.audience_person import Person, typed
from engine.audience_table import Unreadable
from engine.audience_verdict import Judged, Known, Verdict
from engine.ids import ContactId, ImportId, OrganizationId
from engine.import_deeds import Deed, change
from engine.phone import Phone
from storage import attributes, blobs, contacts, effects, enrollments, import_deeds, imports
from storage.analyzing import analyze_grown
from storage.database import Unit
from storage.imports import Import, Reading, Sample, State, StoredRow
from worker.context import Worker
from worker.files_in_turn import in_turn
from worker.foresight import foreseen
from worker.half_done import AT_ONCE
from worker.reading import Reading as OpenFile
from worker.undoing import undo

_ROWS: Final = 500  # of a transaction, which takes a few hundredths of a second

log = structlog.get_logger()


async def import_contacts(worker: Worker, organization: OrganizationId) -> bool:
    """Judge, import or undo rows for a slice; return whether more is waiting."""
    return await in_turn(
        worker,
        organization,
        what="import",
        next_open=partial(imports.next_open, at_once=AT_ONCE),
        move=partial(_advance, worker, organization),
        failed=_failed,
        forget=partial(worker.reading.forget, organization),
    )


async def _advance(worker: Worker, organization: OrganizationId, seen: Import, ends: float) -> bool:
    """Do the next piece of an import; whether it was ours to do."""
    match seen.state:
        case State.UPLOADED:
            opened = await _opened(worker, organization, seen)
            with opened.closed_if_it_fails():
                moved = await worker.database.run(
                    organization,
                    worker.now(),
                    lambda unit: _open(unit, seen, opened.sheet),
                    owner=True,
                )
            worker.reading.keep(organization, seen.id, opened)
            return moved
        case State.JUDGING:
            reading = await _reading(worker, organization, seen)
            with reading.closed_if_it_fails():
                rows = _next_rows(worker, organization, reading, seen, ends)
                if rows is None:
                    # Still on its way to where the database says it was.
                    worker.reading.keep(organization, seen.id, reading)
                    return True
                judged = await worker.database.run(
                    organization, worker.now(), lambda unit: _judge(unit, seen, rows), owner=True
                )
            if judged and rows:
                reading.position = rows[-1].number
                worker.reading.keep(organization, seen.id, reading)
            return judged
        case State.IMPORTING:
            imported = await worker.database.run(
                organization, worker.now(), lambda unit: _import(unit, seen), owner=True
            )
            await analyze_grown(worker.database)
            return imported
        case State.UNDOING:
            return await worker.database.run(
                organization, worker.now(), lambda unit: undo(unit, seen), owner=True
            )
        case _:
            return False


async def _failed(unit: Unit, seen: Import) -> None:
    """Put an import behind the others, or aside for a while, which is told the first time."""
    if await imports.failed(unit, seen):
        await _tell(unit, "import_set_aside", seen.id)


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
    await imports.advance(
        unit,
        replace(
            seen,
            state=State.JUDGING,
            verdicts_blob_id=verdicts,
            rows=sheet.at_most,
            reading=Reading(
                about=sheet.table.about,
                forms=sheet.forms,
                guesses=sheet.guesses,
                ignored=sheet.columns.ignored,
            ),
        ),
    )
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
    known_types = await attributes.known(unit)
    reading = _with_texts(seen.reading, rows, known_types)
    types = {**reading.guesses, **known_types}
    judged = audience_verdict.judge(
        [_noted(row, types, reading) for row in rows],
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
            reading=reading,
            enrolls=Counter(seen.enrolls) + await foreseen(unit, judged, there),
        ),
    )
    return True


def _with_texts(
    reading: Reading, rows: Sequence[Row], known: Mapping[str, AttributeType]
) -> Reading:
    """Return the reading with new attributes as texts where a value shows the guess was wrong."""
    guesses = dict(reading.guesses)
    for row in rows:
        for name, text in row.person.attributes:
            if name in known:
                continue
            guess = guesses.setdefault(name, AttributeType.TEXT)
            form = reading.forms.get(name, rules.CANONICAL)
            if guess is not AttributeType.TEXT and not rules.fits(text, guess, form=form):
                guesses[name] = AttributeType.TEXT
    return replace(reading, guesses=guesses)


def _noted(row: Row, types: Mapping[str, AttributeType], reading: Reading) -> Row:
    """Return the row with a sentence for each attribute whose value does not fit its type.

    The values stay as written: they are read for good when they are imported, by the types of then.
    """
    _, notes = typed(row.person, types=types, forms=reading.forms)
    return replace(row, notes=(*row.notes, *notes)) if notes else row


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
    people = await _typed(unit, seen, wanted)
    # Looked up again: somebody may have become a contact since the verdict.
    known = {p: each.id for p, each in (await _reached(unit, wanted)).items()}
    made = await contacts.add(
        unit,
        people=[(phone, people[phone]) for phone in wanted if phone not in known],
        source=f"import:{seen.id}",
    )
    late = [phone for phone in wanted if phone not in known and phone not in made]
    known |= {p: each.id for p, each in (await _reached(unit, late)).items()}
    deeds, tags = await _fill(unit, {id_: people[phone] for phone, id_ in known.items()})
    became = {wanted[p].row: (id_, deeds.get(id_, Deed())) for p, id_ in known.items()}
    became |= {
        wanted[p].row: (each.id, Deed(new=True, tags=people[p].tags)) for p, each in made.items()
    }
    became = await _listed(unit, seen, became)
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


async def _typed(
    unit: Unit, seen: Import, wanted: Mapping[Phone, StoredRow]
) -> dict[Phone, Person]:
    """Return the people of rows with attributes as they are kept; new ones get their types."""
    names = {name for row in wanted.values() for name, _ in row.person.attributes}
    guesses = {name: seen.reading.guesses.get(name, AttributeType.TEXT) for name in sorted(names)}
    types = await attributes.settled(unit, guessed=guesses)
    return {
        phone: typed(row.person, types=types, forms=seen.reading.forms)[0]
        for phone, row in wanted.items()
    }


async def _fill(
    unit: Unit, people: Mapping[ContactId, Person]
) -> tuple[dict[ContactId, Deed], int]:
    """Write what a file says of known contacts; return what that did, and how many tags are new."""
    if not people:
        return {}, 0
    await enrollments.lock_contacts(unit, contacts=list(people))
    before = await import_deeds.facts(unit, contacts=people.keys())
    after = {id_: known.filled(people[id_]) for id_, known in before.items()}
    tags, _ = await import_deeds.write(unit, before=before, after=after)
    return {id_: change(before[id_], after[id_]) for id_ in before}, tags


async def _listed(
    unit: Unit, seen: Import, became: Mapping[int, tuple[ContactId, Deed]]
) -> dict[int, tuple[ContactId, Deed]]:
    """Put everybody on the import's list; return the deeds with that."""
    if seen.list_id is None:
        return dict(became)
    put_on = await import_deeds.put_on_list(
        unit, list_id=seen.list_id, contacts=sorted({id_ for id_, _ in became.values()})
    )
    return {row: (id_, replace(deed, listed=id_ in put_on)) for row, (id_, deed) in became.items()}


async def _reading(worker: Worker, organization: OrganizationId, seen: Import) -> OpenFile:
    kept = worker.reading.take(organization, seen.id, seen.position)
    return kept or await _opened(worker, organization, seen)


async def _opened(worker: Worker, organization: OrganizationId, seen: Import) -> OpenFile:
    """Copy a file to the disk, to be read as often as needed, and find out what it is."""
    country = worker.config.organizations[organization].country
    file = TemporaryFile()  # noqa: SIM115 — it is read over many slices
    try:
        async for chunk in blobs.read(
            worker.database, organization, worker.now(), blob=seen.blob_id
        ):
            file.write(chunk)
        # A workbook's texts are read in one go; meanwhile this process plans and ticks.
        sheet = await asyncio.to_thread(audience_file.read, file, country=country)
    except BaseException:
        file.close()
        raise
    return OpenFile(
        position=seen.position,
        file=file,
        sheet=sheet,
        records=iter(()) if isinstance(sheet, Unreadable) else sheet.table.records(),
    )


def _next_rows(
    worker: Worker, organization: OrganizationId, opened: OpenFile, seen: Import, ends: float
) -> list[Row] | None:
    """Return the next rows, as many as a transaction takes or the slice has time for.

    None: all this time went by on the way to *seen*'s position, after a break.

    Raises:
        AssertionError: The file could be read once.
    """
    if isinstance(opened.sheet, Unreadable):
        raise AssertionError("a file that could be read no longer can")  # noqa: TRY004 — a bug of ours
    country = worker.config.organizations[organization].country
    rows: list[Row] = []
    for record in opened.records:
        if record.number > seen.position:
            row = audience_file.row(record, opened.sheet, country=country)
            if row is not None:
                rows.append(row)
        if len(rows) == _ROWS:
            break
        every = _LOOKS_UP if rows else _LOOKS_UP_UNDERWAY
        if record.number % every == 0 and worker.clock.monotonic() >= ends:
            return rows or None
    return rows


_LOOKS_UP: Final = 50  # records between two looks at the clock,
_LOOKS_UP_UNDERWAY: Final = 2_000  # where they are only left behind


async def _reached(
    unit: Unit, phones: Sequence[Phone] | Mapping[Phone, StoredRow]
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
