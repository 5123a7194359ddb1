"""An Excel workbook of one sheet, written row by row as bytes that need not be kept."""

from collections.abc import Iterable, Sequence
from typing import Final
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl.utils import get_column_letter

MOST_ROWS: Final = 1_048_576
"""Rows of a sheet at most, the heading included. Source: Microsoft, Excel specifications."""


class WorkbookWriter:
    """Turns rows of texts into the pieces of a workbook; every cell is text and none computes."""

    def __init__(self) -> None:
        self._sink = _Sink()
        self._archive = ZipFile(self._sink, "w", ZIP_DEFLATED)
        for name, content in _PARTS.items():
            self._archive.writestr(_member(name), content)
        self._sheet = self._archive.open(_member("xl/worksheets/sheet1.xml"), "w")
        self._sheet.write(_BEGINS.encode())
        self._row = 0

    def rows(self, rows: Iterable[Sequence[str]]) -> bytes:
        """Add rows; return what is to be written next, which may be nothing yet."""
        self._sheet.write("".join(map(self._written, rows)).encode())
        return self._sink.taken()

    def end(self) -> bytes:
        """Return the last bytes; nothing can be added any more."""
        self._sheet.write(_ENDS.encode())
        self.close()
        return self._sink.taken()

    def close(self) -> None:
        """Let go of what was not ended: its last bytes are nobody's."""
        self._sheet.close()
        self._archive.close()

    def _written(self, cells: Sequence[str]) -> str:
        self._row += 1
        inside = "".join(
            f'<c r="{get_column_letter(place)}{self._row}" t="inlineStr">'
            f'<is><t xml:space="preserve">{escape(cell)}</t></is></c>'
            for place, cell in enumerate(cells, start=1)
            if cell
        )
        return f'<row r="{self._row}">{inside}</row>'


class _Sink:
    """What the archive writes into; it cannot go back."""

    def __init__(self) -> None:
        self._pieces = bytearray()

    def write(self, piece: bytes) -> int:
        self._pieces += piece
        return len(piece)

    def flush(self) -> None:
        """Do nothing: what is written is there."""

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""

    def taken(self) -> bytes:
        taken = bytes(self._pieces)
        self._pieces.clear()
        return taken


def _member(name: str) -> ZipInfo:
    # The day archives begin with: the engine reads no clock.
    found = ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    found.compress_type = ZIP_DEFLATED
    return found


_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS: Final = {
    "[Content_Types].xml": (
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        "</Types>"
    ),
    "_rels/.rels": (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>"
    ),
    "xl/workbook.xml": (
        f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        '<sheets><sheet name="Contacts" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>"
    ),
}
_BEGINS: Final = f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>'
_ENDS: Final = "</sheetData></worksheet>"
