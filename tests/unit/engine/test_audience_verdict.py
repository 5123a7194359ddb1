import csv
import io

import pytest

from engine import audience_verdict
from engine.audience_file import Row
from engine.audience_person import Person
from engine.audience_verdict import Judged, Known, Verdict, judge
from engine.phone import Phone

ADA = Phone("+31612345678")


def row(number: int, phone: Phone | None = ADA, name: str | None = None, *notes: str) -> Row:
    return Row(
        number=number,
        written="06",
        phone=phone,
        problem="" if phone else "It is too short.",
        person=Person(name=name),
        notes=notes,
    )


@pytest.mark.parametrize(
    ("known", "verdict", "remark"),
    [
        pytest.param({}, Verdict.NEW, "Note.", id="new"),
        pytest.param({ADA: Known(opted_out=False)}, Verdict.UPDATE, "Note.", id="known"),
        pytest.param(
            {ADA: Known(opted_out=True)},
            Verdict.OPTED_OUT,
            "Said STOP and stays opted out. Note.",
            id="opted out",
        ),
    ],
)
def test_a_good_row(known: dict[Phone, Known], verdict: Verdict, remark: str) -> None:
    (judged,) = judge([row(2, ADA, None, "Note.")], seen={}, known=known)

    assert (judged.verdict, judged.remark) == (verdict, remark)


def test_a_row_without_a_number_is_invalid_with_its_reason() -> None:
    (judged,) = judge([row(2, None)], seen={}, known={})

    assert (judged.verdict, judged.remark) == (Verdict.INVALID, "It is too short.")


def test_the_first_row_of_a_number_counts_over_all_slices() -> None:
    seen: dict[Phone, int] = {}
    known = {ADA: Known(opted_out=True)}

    first = judge([row(2), row(3)], seen=seen, known=known)
    later = judge([row(1002)], seen=seen, known=known)

    assert [each.verdict for each in [*first, *later]] == [
        Verdict.OPTED_OUT,
        Verdict.DUPLICATE,
        Verdict.DUPLICATE,
    ]
    assert later[0].remark == "Row 2 has the same number."


def test_judging_a_slice_again_gives_the_same() -> None:
    seen: dict[Phone, int] = {}
    slice_ = [row(2), row(3)]

    assert judge(slice_, seen=seen, known={}) == judge(slice_, seen=seen, known={})


def test_which_verdicts_import() -> None:
    assert {verdict for verdict in Verdict if verdict.imports} == {
        Verdict.NEW,
        Verdict.UPDATE,
        Verdict.OPTED_OUT,
    }


def test_the_verdict_file_is_for_people_and_safe() -> None:
    judged = [
        Judged(row=row(2, ADA, '<!channel> =HYPERLINK("x")'), verdict=Verdict.NEW),
        Judged(row=row(3, None, "=1+1"), verdict=Verdict.INVALID, remark="It is too short."),
    ]

    data = b"".join(audience_verdict.verdict_file(judged))

    assert data.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))) == [
        ["row", "verdict", "phone", "written", "name", "tags", "remark"],
        ["2", "new", "+31612345678", "06", '<!channel> =HYPERLINK("x")', "", ""],
        ["3", "invalid", "", "06", "'=1+1", "", "It is too short."],
    ]


def test_a_long_verdict_file_comes_in_pieces_and_whole() -> None:
    judged = [Judged(row=row(n), verdict=Verdict.NEW) for n in range(2, 2503)]

    pieces = list(audience_verdict.verdict_file(judged))

    assert len(pieces) == 4
    assert b"".join(pieces).count(b"\r\n") == 2502
