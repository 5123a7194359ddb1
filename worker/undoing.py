"""Undoing an import: what it made goes, what it changed becomes what it was, where untouched."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import structlog

from engine import spreadsheet_safe
from engine.ids import ContactId
from engine.import_deeds import Facts, undone
from storage import blobs, effects, import_deeds, imports
from storage.database import Unit
from storage.import_deeds import DoneRow
from storage.imports import Import, State

_ROWS: Final = 200  # of a transaction, which deletes in many tables
_HEADING: Final = ("row", "phone", "what stays", "because")

log = structlog.get_logger()

Stay = tuple[int, str | None, str, str]
"""Row, phone, what stays, why."""


async def undo(unit: Unit, seen: Import) -> bool:
    """Undo the next rows; without any the whole import is undone."""
    if not await imports.lock(unit, seen):
        return False
    rows = await import_deeds.deeds_after(unit, import_id=seen.id, after=seen.position, limit=_ROWS)
    if not rows:
        await imports.advance(unit, replace(seen, state=State.UNDONE))
        await effects.tell_staff(
            unit, kind="import_undone", campaign=None, content={"import": seen.id}
        )
        log.info("import_undone", import_id=seen.id)
        return True
    there = await import_deeds.lock(unit, contacts=[row.contact for row in rows])
    rows_there = [row for row in rows if row.contact in there]
    made = [row.contact for row in rows_there if row.deed.new]
    happened = await import_deeds.happened(unit, contacts=made, list_id=seen.list_id)
    going = [contact for contact in made if contact not in happened]
    gone = await import_deeds.delete(unit, contacts=going)
    kept = [row for row in rows_there if row.contact not in set(going)]
    stays: list[Stay] = [
        (row.row, row.phone, "the contact", happened[row.contact])
        for row in kept
        if row.contact in happened and row.deed.new
    ]
    restored, tags, values_stay = await _take_back(unit, kept)
    stays += values_stay
    if seen.list_id is not None:
        await import_deeds.take_off_list(
            unit,
            list_id=seen.list_id,
            contacts=[row.contact for row in kept if row.deed.listed],
        )
    await import_deeds.forget(unit, import_id=seen.id, rows=[row.row for row in rows])
    after = await _noted(unit, seen, sorted(stays))
    await imports.advance(
        unit,
        replace(
            after,
            position=rows[-1].row,
            undone=replace(
                seen.undone,
                gone=seen.undone.gone + gone,
                restored=seen.undone.restored + restored,
                tags=seen.undone.tags + tags,
                stays=seen.undone.stays + len({row for row, *_ in stays}),
            ),
        ),
    )
    return True


async def _take_back(unit: Unit, kept: Sequence[DoneRow]) -> tuple[int, int, list[Stay]]:
    """Give contacts back what they had; return how many changed, tags taken off, and what stays."""
    before = await import_deeds.facts(unit, contacts=[row.contact for row in kept])
    after: dict[ContactId, Facts] = {}
    stays: list[Stay] = []
    for row in kept:
        after[row.contact], values = undone(row.deed, before[row.contact])
        stays += [(row.row, row.phone, value, "it was changed since") for value in values]
    _, tags = await import_deeds.write(unit, before=before, after=after)
    return _changed(before, after), tags, stays


def _changed(before: Mapping[ContactId, Facts], after: Mapping[ContactId, Facts]) -> int:
    return sum(replace(each, tags=before[id_].tags) != before[id_] for id_, each in after.items())


async def _noted(unit: Unit, seen: Import, stays: Sequence[Stay]) -> Import:
    """Add to the list of what stays; it begins with the first."""
    if not stays:
        return seen
    blob, heading = seen.stays_blob_id, b""
    if blob is None:
        name = f"{seen.name.rpartition('.')[0] or seen.name} - what stays.csv"
        blob = await blobs.create(unit, name=name, mimetype="text/csv")
        heading = b"\xef\xbb\xbf" + spreadsheet_safe.lines([_HEADING]).encode()
    await blobs.append(unit, blob, heading + spreadsheet_safe.lines(stays).encode())
    return replace(seen, stays_blob_id=blob)
