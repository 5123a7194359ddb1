"""An export in the middle of being written, so that the next slice need not begin anew."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.ids import ContactId
from engine.workbook_writer import WorkbookWriter


@dataclass(slots=True, kw_only=True)
class Writing:
    """An export that this process writes.

    Attributes:
        members: Whom it is about, by id, as of its beginning here.
        workbook: What turns rows into a workbook; None for CSV.
        position: The last contact that went into it.
    """

    members: Sequence[ContactId] = field(repr=False)
    workbook: WorkbookWriter | None
    position: ContactId

    def __del__(self) -> None:
        if self.workbook is not None:
            self.workbook.close()
