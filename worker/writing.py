"""An export in the middle of being written, so that the next slice need not begin anew."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.ids import ContactId, OrganizationId
from engine.workbook_writer import WorkbookWriter
from storage.exports import ExportId


@dataclass(slots=True, kw_only=True)
class Writing:
    """An export that this process writes.

    Attributes:
        members: Whom it is about, by id, as of its beginning here.
        workbook: What turns rows into a workbook; None for CSV.
        position: The last contact that went into it.
    """

    organization: OrganizationId
    export: ExportId
    members: Sequence[ContactId] = field(repr=False)
    workbook: WorkbookWriter | None
    position: ContactId


class LastWriting:
    """The export a process writes just now, at most one. Only a cache: see `worker.exporting`."""

    def __init__(self) -> None:
        self._kept: Writing | None = None

    def keep(self, writing: Writing) -> None:
        self._kept = writing

    def take(
        self, organization: OrganizationId, export: ExportId, position: ContactId
    ) -> Writing | None:
        """Return the export where it goes on after *position*; None: it is not the one kept."""
        kept, self._kept = self._kept, None
        if kept is None:
            return None
        at = (kept.organization, kept.export, kept.position)
        return kept if at == (organization, export, position) else None
