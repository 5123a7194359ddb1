"""A file of contacts: bytes in, rows with what each says of a person out."""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO, Final

from engine import attributes, audience_workbook, names, phone
from engine.attributes import AttributeType, Form
from engine.audience_headings import Columns, Field, columns
from engine.audience_person import UNKNOWN, Person, described, phones, region
from engine.audience_table import MOST_COLUMNS, Record, Table, Unreadable
from engine.audience_text import TOO_LONG, tables
from engine.phone import InvalidPhone, Phone

LONGEST_CELL: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A file that can be read row by row.

    Attributes:
        table: Its rows and how they were found.
        header: Its headings as written; empty for a bare list of numbers.
        columns: What they mean.
        first_row: The number of the first row that is of a person, 1 being the file's first.
        forms: How each attribute's values are written, as its first rows show.
        guesses: What type each attribute seems to have by those rows; those without a value have
            none.
    """

    table: Table
    header: tuple[str, ...]
    columns: Columns
    first_row: int
    forms: Mapping[str, Form] = field(default_factory=dict)
    guesses: Mapping[str, AttributeType] = field(default_factory=dict)

    @property
    def at_most(self) -> int:
        """How many rows there are at most; 0: nobody knows."""
        return self.table.at_most


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


def read(source: BinaryIO | bytes, *, country: str | None = None) -> Sheet | Unreadable:
    """Find out what kind of file it is and what its columns mean; rows are read later.

    Args:
        source: Bytes that can be read more than once.
        country: Where it probably comes from (``NL``): its numbers, dates and letters.
    """
    opened = io.BytesIO(source) if isinstance(source, bytes) else source
    opened.seek(0)
    if opened.read(len(audience_workbook.MAGIC)) == audience_workbook.MAGIC:
        workbook = audience_workbook.workbook(opened)
        if isinstance(workbook, Unreadable):
            return workbook
        found: list[_Headed] = [_headed(workbook)]
    else:
        possible = tables(opened, country=country)
        if isinstance(possible, Unreadable):
            return possible
        found = [_headed(each) for each in possible]
    headed = max(
        found,
        key=lambda each: (
            each.columns.has_phone,
            bool(each.record.problem),
            each.columns.recognised,
            len(each.record.cells),
        ),
    )
    return _sheet(headed, country)


def rows(sheet: Sheet, *, country: str | None, after: int = 0) -> Iterator[Row]:
    """Read the sheet row by row; blank rows are left out.

    Args:
        sheet: What :func:`read` returned.
        country: Region of numbers without a country code; None refuses those.
        after: The number of a row; only later ones are returned, to go on after a break.
    """
    for record in sheet.table.records():
        if record.number > after and (found := row(record, sheet, country=country)) is not None:
            yield found


def row(record: Record, sheet: Sheet, *, country: str | None) -> Row | None:
    """Return what a record says of a person; None: it is blank, or stands above the people."""
    if record.number < sheet.first_row or record.blank:
        return None
    return _row(record, sheet.columns, country)


_LONGEST_OF_OURS: Final = 100_000  # somebody may have a thousand tags
_SAMPLE: Final = 2_000  # rows that show what columns hold
_FEWEST_DIGITS: Final = 7
_PROBLEM_LENGTH: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Headed:
    """A table, its first record that says something, and what that means as a header."""

    table: Table
    record: Record
    columns: Columns


def _headed(table: Table) -> _Headed:
    record = next(
        (each for each in table.records() if not each.blank and not _is_hint(each)),
        Record(number=1, cells=()),
    )
    header = [cell.removeprefix("\ufeff") for cell in record.cells]
    return _Headed(table=table, record=record, columns=columns(header))


_HINT: Final = re.compile(r'"?sep=[,;\t|]?"?', re.IGNORECASE)


def _is_hint(record: Record) -> bool:
    """Whether it is Excel's ``sep=;``, which a file may begin with."""
    return (
        record.number == 1
        and bool(record.cells)
        and _HINT.match(record.cells[0]) is not None
        and not any(record.cells[1:])
    )


def _sheet(headed: _Headed, country: str | None) -> Sheet | Unreadable:
    record, table = headed.record, headed.table
    if record.problem:
        return Unreadable(reason=f"Its first row cannot be used. {record.problem}")
    header = tuple(names.cleaned(cell) for cell in record.cells)
    if headed.columns.has_phone:
        found = Sheet(
            table=table, header=header, columns=headed.columns, first_row=record.number + 1
        )
        return _sampled(found, country)
    if not any(header):
        return Unreadable(reason="It is empty.")
    if len(header) == 1 and sum(c.isdigit() for c in header[0]) >= _FEWEST_DIGITS:
        return Sheet(
            table=table,
            header=(),
            columns=Columns(fields={Field.PHONE: (0,)}, attributes=(), ignored=()),
            first_row=record.number,
        )
    shown = ", ".join(cell[:30] for cell in header[:8])
    return Unreadable(reason=f"No column is called phone or mobile; the first row says: {shown}.")


def _sampled(sheet: Sheet, country: str | None) -> Sheet:
    """Return the sheet with what the first rows show of its attributes."""
    values: dict[str, list[str]] = {}
    people = (
        described(record.cells, sheet.columns)[0]
        for record in sheet.table.records()
        if record.number >= sheet.first_row and not record.blank and not record.problem
    )
    for person in islice(people, _SAMPLE):
        for name, text in person.attributes:
            values.setdefault(name, []).append(text)
    usual = attributes.CANONICAL if sheet.columns.ours else Form.usual_in(country)
    forms = {
        name: usual if sheet.columns.ours else usual.shown_by(texts)
        for name, texts in values.items()
    }
    # An attribute that first shows up further down has the usual form, and is text.
    later = {name: usual for name, _ in sheet.columns.attributes if name not in forms}
    return Sheet(
        table=sheet.table,
        header=sheet.header,
        columns=sheet.columns,
        first_row=sheet.first_row,
        forms=forms | later,
        guesses={
            name: attributes.type_of(texts, form=forms[name]) for name, texts in values.items()
        },
    )


def _row(record: Record, meaning: Columns, country: str | None) -> Row:
    cells = record.cells
    if record.problem:
        return Row(number=record.number, written="", phone=None, problem=record.problem)
    longest = _LONGEST_OF_OURS if meaning.ours else LONGEST_CELL
    if len(cells) > MOST_COLUMNS or max(map(len, cells)) > longest:
        return Row(number=record.number, written="", phone=None, problem=TOO_LONG)
    person, notes = described(cells, meaning, whole_name=not meaning.ours)
    written = phones(cells, meaning)
    number, problem = _first_valid(written, region(cells, meaning) or country)
    if number is None:
        shown = (written[0] if written else "")[:_PROBLEM_LENGTH]
        return Row(number=record.number, written=shown, phone=None, problem=problem, person=person)
    return Row(number=record.number, written=written[0], phone=number, person=person, notes=notes)


def _first_valid(written: list[str], country: str | None) -> tuple[Phone | None, str]:
    """Return the first that is a phone, else why the likeliest is none."""
    problem = ""
    for each in written or [""]:
        try:
            return phone.parse(each, country=country), ""
        except InvalidPhone as error:
            problem = problem or error.reason
    return None, problem
