import pytest

from engine import spreadsheet_safe


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param("Ada", "Ada", id="plain"),
        pytest.param("=1+1", "'=1+1", id="equals"),
        pytest.param("+1+1", "'+1+1", id="plus"),
        pytest.param("-1", "'-1", id="minus"),
        pytest.param("@SUM(A1)", "'@SUM(A1)", id="at"),
        pytest.param("\t=1", "'\t=1", id="tab"),
        pytest.param("\rx", "'\rx", id="carriage return"),
        pytest.param("  =1", "'  =1", id="after spaces"),
        pytest.param("\uff1d1", "'\uff1d1", id="full-width"),
        pytest.param("x;=1", "x;'=1", id="where semicolons separate"),
        pytest.param('x;"=1', "x;'\"=1", id="and quotes begin"),
        pytest.param("x\n=1", "x\n'=1", id="on a line of its own"),
        pytest.param("a=b", "a=b", id="inside"),
        pytest.param("me@x.example", "me@x.example", id="an address"),
        pytest.param("+31612345678", "+31612345678", id="a phone stays readable"),
        pytest.param("+31612345678+1", "'+31612345678+1", id="a sum of phones"),
        pytest.param(-5, "-5", id="our own number"),
        pytest.param(None, "", id="nothing"),
    ],
)
def test_cell(value: str | int | None, shown: str) -> None:
    assert spreadsheet_safe.cell(value) == shown


@pytest.mark.parametrize(
    ("text", "said"), [("'=1", "=1"), ("'tis", "'tis"), ("'", "'"), ("", ""), ("=1", "=1")]
)
def test_restored(text: str, said: str) -> None:
    assert spreadsheet_safe.restored(text) == said


def test_lines_are_csv() -> None:
    assert spreadsheet_safe.lines([("a", 1), ('b,"', "=x")]) == 'a,1\r\n"b,""",\'=x\r\n'
