import csv
import io
import itertools
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from engine import audience_file, audience_verdict, spreadsheet_safe
from engine.audience_file import Row, Sheet
from engine.audience_person import Person
from engine.audience_table import Unreadable
from engine.audience_verdict import Judged, Known, Verdict, judge
from engine.phone import Phone

PHONES = st.sampled_from([f"06123456{n:02}" for n in range(20)] + ["nonsense", "", "12"])
WRITTEN = st.builds(
    lambda phone, form: form(phone),
    PHONES,
    st.sampled_from(
        [str, lambda p: "+31 " + p[1:], lambda p: "0031" + p[1:], lambda p: f"({p[:2]}) {p[2:]}"]
    ),
)
CELLS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0") | st.sampled_from("=+-@;\"'\n\t,"),
    max_size=12,
)


def file_of(rows: list[tuple[str, str]]) -> Sheet:
    written = io.StringIO(newline="")
    csv.writer(written).writerows([("phone", "name"), *rows])
    sheet = audience_file.read(written.getvalue().encode())
    assert isinstance(sheet, Sheet)
    return sheet


def judged(rows: list[Row], size: int, known: dict[Phone, Known]) -> list[Judged]:
    seen: dict[Phone, int] = {}
    pieces = [rows[at : at + size] for at in range(0, len(rows), size)]
    return [each for piece in pieces for each in judge(piece, seen=seen, known=known)]


@given(st.lists(st.tuples(WRITTEN, CELLS), max_size=30), st.integers(1, 7))
def test_every_number_is_imported_once_and_every_row_has_a_verdict(
    written: list[tuple[str, str]], size: int
) -> None:
    rows = list(audience_file.rows(file_of(written), country="NL"))
    known = {
        Phone("+31612345601"): Known(opted_out=True),
        Phone("+31612345602"): Known(opted_out=False),
    }

    verdicts = judged(rows, size, known)

    assert verdicts == judged(rows, 1_000, known)
    assert [each.row for each in verdicts] == rows
    imported = Counter(each.row.phone for each in verdicts if each.verdict.imports)
    assert imported == Counter({row.phone for row in rows if row.phone is not None})
    for each in verdicts:
        opted_out = each.row.phone in known and known[each.row.phone].opted_out
        assert each.verdict is not Verdict.NEW or each.row.phone not in known
        assert each.verdict is not Verdict.UPDATE or not opted_out


@given(st.lists(st.tuples(WRITTEN, CELLS), max_size=20), st.integers(0, 25))
def test_reading_on_after_a_break_misses_and_repeats_nothing(
    written: list[tuple[str, str]], after: int
) -> None:
    sheet = file_of(written)
    whole = list(audience_file.rows(sheet, country="NL"))

    first = itertools.takewhile(
        lambda row: row.number <= after, audience_file.rows(sheet, country="NL")
    )

    assert [*first, *audience_file.rows(sheet, country="NL", after=after)] == whole


@given(st.binary(max_size=200) | st.text(st.sampled_from("phone,;\t\n\r\"'|0612=")).map(str.encode))
def test_any_bytes_are_rows_or_a_reason(data: bytes) -> None:
    sheet = audience_file.read(data)
    if isinstance(sheet, Unreadable):
        assert sheet.reason.endswith(".")
        return
    for row in audience_file.rows(sheet, country="NL"):
        assert bool(row.problem) is (row.phone is None)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=4), st.sampled_from(",;"))
def test_no_cell_is_a_formula_however_the_spreadsheet_splits_the_file(
    values: list[tuple[str, str]], separator: str
) -> None:
    text = spreadsheet_safe.lines(values)

    for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
        assert not [
            cell for cell in row if cell.strip()[:1] in {*"=+-@\uff1d\uff0b\uff0d\uff20"} - {""}
        ]


@given(CELLS, CELLS)
def test_the_verdict_file_is_read_back_by_any_csv_reader(name: str, written: str) -> None:
    row = Row(number=2, written=written, phone=None, problem="No.", person=Person(name=name))

    data = b"".join(
        audience_verdict.verdict_file([Judged(row=row, verdict=Verdict.INVALID, remark="No.")])
    )

    _, cells = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert cells[3:5] == [spreadsheet_safe.cell(written), spreadsheet_safe.cell(name)]
