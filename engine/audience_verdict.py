"""What becomes of each row of an audience file, told before anything is written."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from enum import StrEnum

from engine import spreadsheet_safe
from engine.audience_file import Row
from engine.phone import Phone, canonical


class Verdict(StrEnum):
    """One for each row; the value is the word staff read."""

    NEW = "new"
    UPDATE = "update"  # a known contact
    OPTED_OUT = "opted out"  # a known contact, updated and still opted out
    DUPLICATE = "duplicate"  # of an earlier row, which counts; this one changes nothing
    INVALID = "invalid"

    @property
    def imports(self) -> bool:
        """Whether importing the row writes a contact."""
        return self in {Verdict.NEW, Verdict.UPDATE, Verdict.OPTED_OUT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a number before the import."""

    opted_out: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A row and what becomes of it; *remark* is sentences for staff, "" when all is well."""

    row: Row
    verdict: Verdict
    remark: str = ""


def judge(
    rows: Iterable[Row], *, seen: MutableMapping[Phone, int], known: Mapping[Phone, Known]
) -> list[Judged]:
    """Judge a slice of rows, in the file's order.

    Args:
        rows: At most as many as fit the caller's slice.
        seen: Rows by canonical number in all slices before; those of this one are added.
        known: The contacts that any phone of the slice reaches.
    """
    return [_judged(row, seen, known) for row in rows]


def verdict_file(judged: Iterable[Judged]) -> Iterator[bytes]:
    """Write all verdicts as a CSV file (UTF-8 with its mark), in pieces of a thousand rows."""
    yield b"\xef\xbb\xbf" + spreadsheet_safe.lines([_HEADER]).encode()
    piece: list[tuple[str | int | None, ...]] = []
    for each in judged:
        piece.append(_cells(each))
        if len(piece) == _PIECE:
            yield spreadsheet_safe.lines(piece).encode()
            piece = []
    if piece:
        yield spreadsheet_safe.lines(piece).encode()


_HEADER = ("row", "verdict", "phone", "written", "name", "tags", "remark")
_PIECE = 1_000


def _judged(row: Row, seen: MutableMapping[Phone, int], known: Mapping[Phone, Known]) -> Judged:
    if row.phone is None:
        return Judged(row=row, verdict=Verdict.INVALID, remark=row.problem)
    first = seen.setdefault(canonical(row.phone), row.number)
    if first != row.number:
        return Judged(
            row=row, verdict=Verdict.DUPLICATE, remark=f"Row {first} has the same number."
        )
    contact = known.get(row.phone)
    notes = " ".join(row.notes)
    if contact is None:
        return Judged(row=row, verdict=Verdict.NEW, remark=notes)
    if contact.opted_out:
        remark = f"Said STOP and stays opted out. {notes}".strip()
        return Judged(row=row, verdict=Verdict.OPTED_OUT, remark=remark)
    return Judged(row=row, verdict=Verdict.UPDATE, remark=notes)


def _cells(judged: Judged) -> tuple[str | int | None, ...]:
    row = judged.row
    return (
        row.number,
        judged.verdict.value,
        row.phone,
        row.written,
        row.person.name,
        ", ".join(row.person.tags),
        judged.remark,
    )
