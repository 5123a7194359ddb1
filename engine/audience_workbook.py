"""An Excel workbook as a table, read row by row; what may hurt or mislead is refused."""

import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO, Final
from xml.etree.ElementTree import ParseError, fromstring
from zlib import error as ZlibError  # noqa: N812 — it is named as what it is

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from engine.audience_table import MOST_COLUMNS, Record, Unreadable

MAGIC: Final = b"PK\x03\x04"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbook:
    """The one sheet of a workbook that holds something.

    Attributes:
        name: Of the sheet.
        at_most: Its rows, as the workbook says; never relied on.
    """

    name: str
    at_most: int
    sheet: Any = field(repr=False)  # openpyxl's, which has no public name for it

    @property
    def about(self) -> str:
        """How it was read, for staff."""
        return f"the sheet {self.name!r} of an Excel workbook"

    def records(self) -> Iterator[Record]:
        """Yield all rows; one that cannot be read is the last."""
        number = 0
        try:
            for number, row in enumerate(_rows(self.sheet), start=1):
                yield _record(number, row)
        except _DAMAGED:
            yield Record(number=number + 1, cells=(), problem=_BROKEN)


def workbook(source: BinaryIO) -> Workbook | Unreadable:
    """Open a workbook; only its texts are read into memory, and only up to a bound."""
    source.seek(0)
    try:
        with zipfile.ZipFile(source) as archive:
            problem = _bomb(archive)
        if problem is not None:
            return problem
        with warnings.catch_warnings():
            # It warns of styles and rules it does not know, none of which matters here.
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(source, read_only=True, keep_links=False)
        return _sheet(book)
    except _DAMAGED:
        return Unreadable(reason=_NO_WORKBOOK)


_LARGEST: Final = 512 * 1024 * 1024  # bytes of a member, unpacked; it is read in pieces
_LARGEST_AT_ONCE: Final = 48 * 1024 * 1024  # of one that is read at once, such as all texts
_TYPES: Final = "[Content_Types].xml"
_MOST_MEMBERS: Final = 1_000
_RATIO: Final = 200  # tables shrink to a tenth or less, hardly ever to a hundredth
_SMALL: Final = 1024 * 1024
_DAMAGED: Final = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    ZlibError,
    ParseError,
    InvalidFileException,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    EOFError,
    OSError,
    NotImplementedError,
    OverflowError,
)
"""What openpyxl raises on a file that is not as it should be; it has no exception of its own."""
_NO_WORKBOOK: Final = "It is no Excel workbook, or a damaged one; save it again."
_BROKEN: Final = "The workbook is damaged from here on; save it again."
_BOMB: Final = "Unpacked it is far larger than a list of people; save the sheet of contacts as CSV."


def _bomb(archive: zipfile.ZipFile) -> Unreadable | None:
    """Return why a workbook is not to be unpacked; None: it may be."""
    members = archive.infolist()
    types = next((each for each in members if each.filename == _TYPES), None)
    if len(members) > _MOST_MEMBERS or types is None or types.file_size > _SMALL:
        return Unreadable(reason=_BOMB if types is not None else _NO_WORKBOOK)
    # Rows are read in pieces, everything else at once; what is what stands in the list of types.
    kinds = [
        (str(each.get("PartName", "")).lstrip("/"), str(each.get("ContentType", "")))
        for each in fromstring(archive.read(types))  # noqa: S314 — a small one, and expat bounds entities
    ]
    in_pieces = {name for name, kind in kinds if kind.endswith("worksheet+xml")}
    at_once = {name for name, kind in kinds if not kind.endswith("worksheet+xml")}
    for member in members:
        limit = _LARGEST if member.filename in in_pieces - at_once else _LARGEST_AT_ONCE
        too_well = member.file_size > _SMALL and member.file_size > member.compress_size * _RATIO
        if too_well or member.file_size > limit:
            return Unreadable(reason=_BOMB)
    return None


def _sheet(book: Any) -> Workbook | Unreadable:  # noqa: ANN401 — openpyxl's
    hidden = [sheet.title for sheet in book.worksheets if sheet.sheet_state != "visible"]
    if hidden:
        return Unreadable(
            reason=f"It has a hidden sheet, {hidden[0][:40]!r}: delete it, or show it, so that"
            " everybody sees what is imported."
        )
    filled = [sheet for sheet in book.worksheets if _holds_something(sheet)]
    if not filled:
        return Unreadable(reason="It is empty.")
    if len(filled) > 1:
        named = " and ".join(repr(sheet.title[:40]) for sheet in filled[:3])
        return Unreadable(
            reason=f"It has several sheets, {named}: keep the one with the contacts alone."
        )
    (sheet,) = filled
    at_most = sheet.max_row or 0
    # What the file says of its size may be wrong, and rows would be filled up to it.
    sheet.reset_dimensions()
    return Workbook(name=sheet.title, at_most=at_most, sheet=sheet)


def _holds_something(sheet: Any) -> bool:  # noqa: ANN401 — openpyxl's
    sheet.reset_dimensions()
    for place, row in enumerate(_rows(sheet)):
        if any(value not in {None, ""} for value in row[:MOST_COLUMNS]):
            return True
        if place > _LEADING_BLANKS:
            break
    return False


_LEADING_BLANKS: Final = 1_000


def _rows(sheet: Any) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 — openpyxl's
    found: Iterator[tuple[Any, ...]] = sheet.iter_rows(values_only=True)
    return found


def _record(number: int, row: tuple[Any, ...]) -> Record:
    if len(row) > MOST_COLUMNS:
        return Record(number=number, cells=(), problem=f"It has more than {MOST_COLUMNS:,} cells.")
    cells: list[str] = []
    for place, value in enumerate(row, start=1):
        if (isinstance(value, str) and value.startswith("=")) or not isinstance(value, _PLAIN):
            where = f"{get_column_letter(place)}{number}"
            return Record(
                number=number,
                cells=(),
                problem=f"{where} holds a formula: copy the column and paste it as values.",
            )
        cells.append(_written(value))
    return Record(number=number, cells=cells)


_PLAIN: Final = (str, int, float, bool, date, time, timedelta, type(None))
_DECIMALS: Final = 15


def _written(value: object) -> str:
    """Return what a cell holds as text; numbers with a point, dates with the year first."""
    match value:
        case None:
            return ""
        case str():
            return "" if value in _ERRORS else value
        case bool():
            return "TRUE" if value else "FALSE"
        case float():
            if value.is_integer() and abs(value) < 10**_DECIMALS:
                return str(int(value))
            written = f"{value:.15g}"
            # Three decimals might be read as thousands; a zero more changes nothing.
            return f"{written}0" if "." in written and "e" not in written else written
        case datetime():
            on_the_day = value.time() == time()
            return value.date().isoformat() if on_the_day else value.strftime("%Y-%m-%d %H:%M")
        case _:
            return str(value)


_ERRORS: Final = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"})
