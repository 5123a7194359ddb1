"""A file in the middle of being read, so that the next slice need not begin at its top."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

from engine.audience_file import Sheet
from engine.audience_table import Record, Unreadable


@dataclass(slots=True, kw_only=True)
class Reading:
    """A file of an import, on the disk; it is gone from there once nobody holds this.

    Attributes:
        position: The last row taken, or where to go on once *records* are there.
        records: Those not looked at yet.
    """

    position: int
    file: BinaryIO = field(repr=False)
    sheet: Sheet | Unreadable
    records: Iterator[Record] = field(repr=False)

    def close(self) -> None:
        if isinstance(self.records, Generator):
            self.records.close()
        self.file.close()

    def __del__(self) -> None:
        self.close()

    @contextmanager
    def closed_if_it_fails(self) -> Iterator[None]:
        """Close it where the block fails: what keeps the error would keep it too."""
        try:
            yield
        except BaseException:
            self.close()
            raise
