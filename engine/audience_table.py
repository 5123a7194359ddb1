"""What a file of contacts is made of, before anybody asks what its columns mean."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

MOST_COLUMNS: Final = 1_000
"""Cells of a row at most: a table of people has some dozens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """The file as a whole cannot be used; *reason* is a sentence for who uploaded it."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row of a table, blank ones included.

    Attributes:
        number: As a spreadsheet counts, the first being 1.
        problem: Why its cells cannot be used, as a sentence; empty: they can.
    """

    number: int
    cells: Sequence[str]
    problem: str = ""

    @property
    def blank(self) -> bool:
        return not self.problem and all(not cell or cell.isspace() for cell in self.cells)


class Table(Protocol):
    """Rows of cells, from the first on, as often as asked."""

    @property
    def about(self) -> str:
        """How it was read, for staff: ``text in UTF-8, semicolons between cells``."""
        ...

    @property
    def at_most(self) -> int:
        """How many records there are at most."""
        ...

    def records(self) -> Iterator[Record]: ...
