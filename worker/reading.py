"""A file in the middle of being read, so that the next slice need not begin at its top."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from engine.audience_file import Sheet
from engine.audience_table import Record, Unreadable
from engine.ids import ImportId, OrganizationId


@dataclass(slots=True, kw_only=True)
class Reading:
    """A file of an import, on the disk; it is gone from there once nobody holds this.

    Attributes:
        position: The last row taken, or where to go on once *records* are there.
        records: Those not looked at yet.
    """

    organization: OrganizationId
    import_id: ImportId
    position: int
    file: BinaryIO = field(repr=False)
    sheet: Sheet | Unreadable
    records: Iterator[Record] = field(repr=False)

    def __del__(self) -> None:
        if isinstance(self.records, Generator):
            self.records.close()
        self.file.close()


class LastReading:
    """The file a process reads just now, at most one.

    Only a cache: a reading that is not where the database says is thrown away, and so is one whose
    rows were taken and not stored.
    """

    def __init__(self) -> None:
        self._kept: Reading | None = None

    def keep(self, reading: Reading) -> None:
        self._kept = reading

    def take(
        self, organization: OrganizationId, import_id: ImportId, position: int
    ) -> Reading | None:
        """Return the file where it goes on after *position*; None: it has to be read anew."""
        kept, self._kept = self._kept, None
        if kept is None:
            return None
        at = (kept.organization, kept.import_id, kept.position)
        return kept if at == (organization, import_id, position) else None
