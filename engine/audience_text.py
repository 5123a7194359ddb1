"""A file of text as a table: how it is encoded, what separates its cells, and its records."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from engine.audience_table import MOST_COLUMNS, Record, Unreadable

_SEPARATORS: Final = ",;\t|"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTable:
    """Text whose encoding is known.

    Attributes:
        encoding: How it is decoded; anything but Unicode is a guess that staff should see.
        separator: Between its cells.
        at_most: How many records there are at most; line ends inside cells count too.
        source: Its bytes, read anew by each call of `records`.
    """

    encoding: str
    separator: str
    at_most: int
    source: BinaryIO = field(repr=False)

    @property
    def about(self) -> str:
        """How it was read, for staff."""
        named = _SEPARATOR_NAMES[self.separator]
        return f"text in {_ENCODING_NAMES.get(self.encoding, self.encoding)}, {named} between cells"

    def records(self) -> Iterator[Record]:
        """Yield all records, the first being 1; blank lines are records without cells."""
        reader = csv.reader(self._lines(), delimiter=self.separator)
        number = 0
        try:
            for cells in reader:
                number += 1
                problem = TOO_WIDE if len(cells) > MOST_COLUMNS else ""
                yield Record(number=number, cells=[] if problem else cells, problem=problem)
        except csv.Error:
            yield Record(number=number + 1, cells=[], problem=TOO_LONG)

    def _lines(self) -> Iterator[str]:
        self.source.seek(0)
        text = io.TextIOWrapper(self.source, self.encoding, errors="replace", newline="")
        try:
            for line in text:
                # Python's csv never sees the zero character, which Postgres would refuse.
                yield line.replace("\0", "") if "\0" in line else line
        finally:
            # Who closed the file first needs no detaching.
            with suppress(ValueError):
                text.detach()


TOO_LONG: Final = "A cell is too long; a quote in this row may not be closed."
TOO_WIDE: Final = f"It has more than {MOST_COLUMNS:,} cells."


def tables(source: BinaryIO, *, country: str | None) -> list[TextTable] | Unreadable:
    """Return the ways in which text may be read, one for each separator that is possible.

    Args:
        source: Bytes that can be read more than once.
        country: Where a file without Unicode was probably written (``PL``).
    """
    source.seek(0)
    beginning = source.read(_SAMPLE)
    for magic, reason in _NOT_TEXT:
        if beginning.startswith(magic):
            return Unreadable(reason=reason)
    encoding = _marked(beginning) or _wide(beginning)
    lines = 1
    if encoding is None:
        encoding, lines = _narrow(source, country)
    else:
        source.seek(0)
        while piece := source.read(_PIECE):
            lines += piece.count(b"\n") + piece.count(b"\r")
    sample = beginning.decode(encoding, errors="replace")
    if sample.count("\0") * _ZEROS_IN_BINARY > len(sample):
        return Unreadable(reason="It is no text file; save it as CSV or as an Excel workbook.")
    if not sample.strip():
        return Unreadable(reason="It is empty.")
    hint = _SEPARATOR_HINT.match(sample.lstrip("\ufeff\r\n"))
    return [
        TextTable(encoding=encoding, separator=each, at_most=lines, source=source)
        for each in (hint[1] if hint else _SEPARATORS)
    ]


_SEPARATOR_HINT: Final = re.compile(r'"?sep=([,;\t|])"?\r?\n', re.IGNORECASE)

_SAMPLE: Final = 64 * 1024
_PIECE: Final = 1024 * 1024
_ZEROS_IN_BINARY: Final = 10  # one in so many
_SEPARATOR_NAMES: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_ENCODING_NAMES: Final = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1252": "Windows-1252 (Western)",
    "cp1250": "Windows-1250 (Central European)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
    "cp1257": "Windows-1257 (Baltic)",
    "cp1258": "Windows-1258 (Vietnamese)",
    "cp874": "Windows-874 (Thai)",
    "cp932": "Shift JIS (Japanese)",
    "cp949": "Windows-949 (Korean)",
    "gb18030": "GB 18030 (Chinese)",
    "cp950": "Big5 (Chinese)",
}
_NOT_TEXT: Final = (
    (
        b"\xd0\xcf\x11\xe0",
        "It is an old Excel workbook, or one with a password; save it as plain .xlsx or as CSV.",
    ),
    (b"%PDF", "It is a PDF; save the table as CSV or as an Excel workbook."),
    (b"\x1f\x8b", "It is compressed; unpack it first."),
)
_BYTE_ORDER_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# What Excel writes as plain CSV depends on where its Windows stands.
_CODE_PAGES: Final = {
    country: page
    for page, countries in (
        ("cp1250", "PL CZ SK HU RO SI HR BA ME AL"),
        ("cp1251", "RU BY BG RS MK UA KZ KG MN TJ"),
        ("cp1253", "GR CY"),
        ("cp1254", "TR AZ"),
        ("cp1255", "IL"),
        ("cp1256", "AE SA EG IQ JO KW LB LY MA OM QA SY TN YE BH DZ SD IR PK"),
        ("cp1257", "EE LV LT"),
        ("cp1258", "VN"),
        ("cp874", "TH"),
        ("cp932", "JP"),
        ("cp949", "KR"),
        ("gb18030", "CN SG"),
        ("cp950", "TW HK MO"),
    )
    for country in countries.split()
}
_WESTERN: Final = "cp1252"
_MOSTLY: Final = 3  # a third of a wide text's other bytes are zero, and hardly any of these


def _marked(beginning: bytes) -> str | None:
    return next((name for mark, name in _BYTE_ORDER_MARKS if beginning.startswith(mark)), None)


def _wide(beginning: bytes) -> str | None:
    """Return UTF-16 without its mark, known by the zeros beside Latin letters and digits."""
    half = len(beginning) // 2
    even, odd = beginning[0::2].count(0), beginning[1::2].count(0)
    if half and odd * _MOSTLY > half and even * _ZEROS_IN_BINARY < odd:
        return "utf-16-le"
    if half and even * _MOSTLY > half and odd * _ZEROS_IN_BINARY < even:
        return "utf-16-be"
    return None


def _narrow(source: BinaryIO, country: str | None) -> tuple[str, int]:
    """Return UTF-8 where all of it is, else the code page of the country, and the lines."""
    likely = _CODE_PAGES.get(country or "", _WESTERN)
    fitting = {name: codecs.getincrementaldecoder(name)() for name in ("utf-8", likely)}
    source.seek(0)
    lines, ended = 1, False
    while not ended:
        piece = source.read(_PIECE)
        ended = not piece
        lines += piece.count(b"\n") + piece.count(b"\r")
        for name in tuple(fitting):
            try:
                fitting[name].decode(piece, ended)
            except UnicodeDecodeError:
                del fitting[name]
    # What fits nothing is shown with marks of replacement.
    return next(iter(fitting), _WESTERN), lines
