"""Start, discard, undo: an import moves once, however often the button is pressed."""

from dataclasses import dataclass
from typing import Protocol

from engine.ids import ImportId
from engine.refusal import Refusal
from engine.size import Asked, Size, judged


class NotWaiting(Refusal):
    """The import is not one that waits for somebody to start it."""


class Imports(Protocol):
    async def importable(self, import_id: ImportId) -> int | None:
        """Return how many rows would write a contact; None: there is no such import."""
        ...

    async def enrolls(self, import_id: ImportId) -> int:
        """Return how many enrollments its rows would lead to, at most."""
        ...

    async def start(self, import_id: ImportId) -> bool:
        """Have it imported; False: it is not judged, or no longer waits."""
        ...

    async def discard(self, import_id: ImportId) -> bool:
        """Put it away; False: it is not judged, or no longer waits."""
        ...

    async def undo(self, import_id: ImportId) -> bool:
        """Have it undone; False: it is not imported, or no longer."""
        ...

    async def note(self, action: str, import_id: ImportId, **content: object) -> None:
        """Write the audit entry."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedImport:
    """*rows* is how many it imports."""

    rows: int


async def start_import(
    *, import_id: ImportId, size: Size, imports: Imports
) -> StartedImport | Asked:
    """Have a judged import imported; where it enrolls many, only by who says how many.

    Raises:
        NotWaiting: It was started or discarded before, or has nothing to import.
        TooLarge: It enrolls more than one person may decide on.
    """
    rows = await imports.importable(import_id)
    if not rows:
        raise NotWaiting("There is nothing to import in that file.")
    asked = judged(await imports.enrolls(import_id), size)
    if asked is not None:
        return asked
    if not await imports.start(import_id):
        raise NotWaiting("That file was imported or discarded already; nothing was done.")
    await imports.note("import.start", import_id, rows=rows)
    return StartedImport(rows=rows)


async def discard_import(*, import_id: ImportId, imports: Imports) -> None:
    """Put a judged import away; nothing of it is imported.

    Raises:
        NotWaiting: It was started or discarded before.
    """
    if not await imports.discard(import_id):
        raise NotWaiting("That file was imported or discarded already; nothing was done.")
    await imports.note("import.discard", import_id)


async def undo_import(*, import_id: ImportId, imports: Imports) -> None:
    """Have an import undone, as far as nothing has happened since.

    Raises:
        NotWaiting: It is being undone, or was before.
    """
    if not await imports.undo(import_id):
        raise NotWaiting("That import is undone already, or being undone; nothing more was done.")
    await imports.note("import.undo", import_id)
