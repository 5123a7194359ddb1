"""Text from outside on its way into a spreadsheet, where it must not become a formula."""

import csv
import io
import re
from collections.abc import Iterable
from typing import Final


def cell(value: str | int | None) -> str:
    """Return *value* so that every spreadsheet shows it and none computes it.

    A phone keeps its +, since a + and digits compute nothing.

    >>> cell("=1+1")
    "'=1+1"
    >>> cell("+31612345678")
    '+31612345678'
    """
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    return value if _PHONE.fullmatch(value) else _FORMULA.sub("'", value)


def restored(text: str) -> str:
    """Return what a cell said before an apostrophe was put in front of it.

    Whatever :func:`cell` wrote comes back, and so does a number that some other program marked as
    text in the same way.

    >>> restored("'=1+1"), restored("'0612"), restored("'t Hart")
    ('=1+1', '0612', "'t Hart")
    """
    return _MARKED.sub("", text) if "'" in text else text


def lines(rows: Iterable[Iterable[str | int | None]]) -> str:
    """Write rows as CSV: commas, quotes where needed, lines that end in CR LF."""
    written = io.StringIO(newline="")
    csv.writer(written).writerows([cell(value) for value in row] for row in rows)
    return written.getvalue()


# Excel reads these as the beginning of a formula, the wide ones in East Asian editions.
_STARTS: Final = "=+\\-@\uff1d\uff0b\uff0d\uff20"
# Where lists are separated by semicolons, Excel splits a comma file at the semicolons and line ends
# inside quoted cells, so what follows one of those begins a cell too.
_BEGINNING: Final = r"(?:\A|(?<=[;\r\n]))"
_COMPUTES: Final = rf"(?:[\s\"]*[{_STARTS}]|\t|\r)"
# What has apostrophes already gets one more, or it would lose one on the way back.
_FORMULA: Final = re.compile(rf"{_BEGINNING}(?='*{_COMPUTES}|'+[0-9])")
_MARKED: Final = re.compile(rf"{_BEGINNING}'(?='*{_COMPUTES}|'*[0-9])")
_PHONE: Final = re.compile(r"\+[0-9]{7,15}")
