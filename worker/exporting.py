"""Writing exports of contacts, in slices: CSV goes on after a break, a workbook begins anew."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import structlog

from engine import contact_export, spreadsheet_safe
from engine.contact_export import Cell, Format
from engine.ids import BlobId, ContactId, OrganizationId
from engine.workbook_writer import WorkbookWriter
from storage import audiences, blobs, effects, exports
from storage.database import Unit
from storage.exports import Export, State
from worker.context import Worker
from worker.files_in_turn import in_turn
from worker.half_done import AT_ONCE
from worker.writing import Writing

_CONTACTS: Final = 500  # of a transaction

log = structlog.get_logger()


async def export_contacts(worker: Worker, organization: OrganizationId) -> bool:
    """Write contacts for a slice; return whether more is waiting."""
    return await in_turn(
        worker,
        organization,
        what="export",
        next_open=partial(exports.next_open, at_once=AT_ONCE),
        move=partial(_moved, worker, organization),
        failed=_failed,
        forget=partial(worker.writing.forget, organization),
    )


async def _moved(worker: Worker, organization: OrganizationId, seen: Export, _ends: float) -> bool:
    async with worker.database.owner_unit(organization, worker.now()) as unit:
        writing = await _writing(unit, worker, organization, seen)
    return await _advance(worker, organization, seen, writing)


async def _failed(unit: Unit, seen: Export) -> None:
    """Put an export behind the others, or aside for a while, which is told the first time."""
    if await exports.failed(unit, seen):
        await effects.tell_staff(
            unit, kind="export_set_aside", campaign=None, content={"export": seen.id}
        )


async def _writing(
    unit: Unit, worker: Worker, organization: OrganizationId, seen: Export
) -> Writing:
    kept = worker.writing.take(organization, seen.id, seen.position)
    if kept is not None:
        return kept
    return Writing(
        members=await audiences.contacts(unit, audience=seen.audience),
        workbook=WorkbookWriter() if seen.format is Format.XLSX else None,
        # Half a workbook without what wrote it cannot be gone on with.
        position=ContactId(0) if seen.format is Format.XLSX else seen.position,
    )


async def _advance(
    worker: Worker, organization: OrganizationId, seen: Export, writing: Writing
) -> bool:
    """Write the next contacts; whether it was ours to do."""
    # Not repeated after a deadlock: rows would go into the workbook twice. It begins anew instead.
    async with worker.database.owner_unit(organization, worker.now()) as unit:
        after = await _write(unit, seen, writing)
    if after is None:
        return False
    if after.state is State.WRITING:
        writing.position = after.position
        worker.writing.keep(organization, seen.id, writing)
    return True


async def _write(unit: Unit, seen: Export, writing: Writing) -> Export | None:
    """Write the next contacts; without any the export is written. None: it was not ours to do."""
    if not await exports.lock(unit, seen):
        return None
    export = seen
    rows: list[tuple[Cell, ...]] = []
    blob = export.blob_id
    if blob is None or writing.position != export.position:
        if blob is not None:
            await blobs.delete(unit, blobs=[blob])
        blob = await _begun(unit, export)
        export = replace(export, blob_id=blob, position=ContactId(0), done=0)
        rows.append(contact_export.header(export.attributes))
    first = bisect_right(writing.members, export.position)
    ids = writing.members[first : first + _CONTACTS]
    people = await exports.contacts(unit, ids=ids) if ids else []
    rows += [contact_export.cells(each, export.attributes) for each in people]
    content = _content(rows, writing.workbook, begins=len(rows) > len(people))
    if ids:
        export = replace(export, position=ids[-1], done=export.done + len(people))
    else:
        content += b"" if writing.workbook is None else writing.workbook.end()
        export = replace(export, state=State.WRITTEN)
        await effects.tell_staff(
            unit, kind="export_written", campaign=None, content={"export": export.id}
        )
        log.info("export_written", export_id=export.id, contacts=export.done)
    await blobs.append(unit, blob, content)
    await exports.advance(unit, export)
    return export


async def _begun(unit: Unit, export: Export) -> BlobId:
    mimetype = (
        "text/csv"
        if export.format is Format.CSV
        else "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    name = f"contacts {unit.at:%Y-%m-%d}.{export.format}"
    return await blobs.create(unit, name=name, mimetype=mimetype)


def _content(
    rows: Sequence[Sequence[Cell]], workbook: WorkbookWriter | None, *, begins: bool
) -> bytes:
    if workbook is not None:
        return workbook.rows([[spreadsheet_safe.cell(cell) for cell in row] for row in rows])
    text = spreadsheet_safe.lines(rows).encode() if rows else b""
    return b"\xef\xbb\xbf" + text if begins and text else text
