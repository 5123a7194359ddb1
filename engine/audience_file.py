"""A file of contacts: bytes in, rows with what each says of a person out."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from engine import names, phone
from engine.audience_headings import Columns, Field, columns
from engine.audience_person import UNKNOWN, Person, described, value
from engine.phone import InvalidPhone, Phone

LONGEST_CELL: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """The file as a whole cannot be used; *reason* is a sentence for who uploaded it."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A file that can be read row by row.

    Attributes:
        encoding: How it was decoded; ``cp1252`` is a guess that staff should see.
        separator: Between its cells.
        header: Its headings as written; empty for a bare list of numbers.
        columns: What they mean.
        text: From the first row below the header on.
        first_row: The number of that row as a spreadsheet counts, 1 being the file's first.
    """

    encoding: str
    separator: str
    header: tuple[str, ...]
    columns: Columns
    text: str = field(repr=False)
    first_row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row that is not blank.

    Attributes:
        number: As a spreadsheet counts; the header is row 1.
        written: The phone as the file has it, on one line.
        phone: None when the row cannot be used; then *problem* says why.
        notes: Sentences on what was left out of an otherwise good row.
    """

    number: int
    written: str
    phone: Phone | None
    problem: str = ""
    person: Person = UNKNOWN
    notes: tuple[str, ...] = ()


def read(data: bytes) -> Sheet | Unreadable:
    """Find encoding, separator and the meaning of the columns; rows are read later."""
    for magic, reason in _NOT_TEXT:
        if data.startswith(magic):
            return Unreadable(reason=reason)
    encoding, text = _decoded(data)
    sample = text[:_SAMPLE]
    if sample.count("\0") * _ZEROS_IN_BINARY > len(sample):
        return Unreadable(reason="It is no text file; save it as CSV.")
    lines = len(text) - len(text.lstrip("\r\n"))
    skipped = text[:lines].count("\n") or text[:lines].count("\r")
    text = text[lines:]
    hint = _SEPARATOR_HINT.match(text)
    if hint is not None:
        text, skipped = text[hint.end() :], skipped + 1
    if not text.strip():
        return Unreadable(reason="It is empty.")
    found = [_with_header(text, separator) for separator in (hint[1] if hint else _SEPARATORS)]
    separator, header, meaning, end = max(
        found, key=lambda each: (each[2].has_phone, each[2].recognised, len(each[1]))
    )
    if meaning.has_phone:
        return Sheet(
            encoding=encoding,
            separator=separator,
            header=tuple(map(names.cleaned, header)),
            columns=meaning,
            text=text[end:],
            first_row=skipped + 2,
        )
    if len(header) == 1 and sum(c.isdigit() for c in header[0]) >= _FEWEST_DIGITS:
        return Sheet(
            encoding=encoding,
            separator=separator,
            header=(),
            columns=Columns(fields={Field.PHONE: (0,)}, attributes=(), ignored=()),
            text=text,
            first_row=skipped + 1,
        )
    shown = ", ".join(names.cleaned(heading)[:30] for heading in header[:8])
    return Unreadable(reason=f"No column is called phone or mobile; the first row says: {shown}.")


def rows(sheet: Sheet, *, country: str | None, after: int = 0) -> Iterator[Row]:
    """Read the sheet row by row; blank rows are left out.

    Args:
        sheet: What :func:`read` returned.
        country: Region of numbers without a country code; None refuses those.
        after: The number of a row; only later ones are returned, to go on after a break.
    """
    # Python's csv never sees the zero character, which Postgres would refuse.
    text = sheet.text.replace("\0", "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sheet.separator)
    number = sheet.first_row - 1
    try:
        for cells in reader:
            number += 1
            if number > after and any(cell and not cell.isspace() for cell in cells):
                yield _row(number, cells, sheet.columns, country)
    except csv.Error:
        yield Row(number=number + 1, written="", phone=None, problem=_TOO_LONG)


_SAMPLE: Final = 4_096
_ZEROS_IN_BINARY: Final = 10  # one in so many; wide text without its mark has one in two
_FEWEST_DIGITS: Final = 7
_SEPARATORS: Final = ",;\t|"
_SEPARATOR_HINT: Final = re.compile(r'"?sep=([,;\t|])"?\r?\n', re.IGNORECASE)
_NOT_TEXT: Final = (
    (b"PK\x03\x04", "It is an Excel workbook; save it as CSV."),
    (b"\xd0\xcf\x11\xe0", "It is an old Excel workbook; save it as CSV."),
    (b"%PDF", "It is a PDF; save the table as CSV."),
    (b"\x1f\x8b", "It is compressed; unpack it first."),
)
_BYTE_ORDER_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_TOO_LONG: Final = "A cell is too long; a quote in this row may not be closed."
_PROBLEM_LENGTH: Final = 100


def _decoded(data: bytes) -> tuple[str, str]:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return encoding, data.decode(encoding, errors="replace")
    try:
        return "utf-8", data.decode()
    except UnicodeDecodeError:
        # What Excel writes in Western Europe and America; its five unused bytes become U+FFFD.
        return "cp1252", data.decode("cp1252", errors="replace")


def _with_header(text: str, separator: str) -> tuple[str, list[str], Columns, int]:
    """Return the separator, the first record by it, its meaning, and where that record ends."""
    lines = io.StringIO(text, newline="")
    consumed = 0

    def counted() -> Iterator[str]:
        nonlocal consumed
        for line in lines:
            consumed += len(line)
            yield line

    try:
        header = next(csv.reader(counted(), delimiter=separator), [])
    except csv.Error:
        header = []
    return separator, header, columns(header), consumed


def _row(number: int, cells: list[str], meaning: Columns, country: str | None) -> Row:
    if max(map(len, cells)) > LONGEST_CELL:
        return Row(number=number, written="", phone=None, problem=_TOO_LONG)
    written = value(cells, meaning.fields[Field.PHONE])
    person, notes = described(cells, meaning)
    try:
        number_itself = phone.parse(written, country=country)
    except InvalidPhone as error:
        shown = written[:_PROBLEM_LENGTH]
        return Row(number=number, written=shown, phone=None, problem=error.reason, person=person)
    return Row(number=number, written=written, phone=number_itself, person=person, notes=notes)
