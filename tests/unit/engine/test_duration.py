from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import duration
from engine.duration import InvalidDuration


@pytest.mark.parametrize(
    ("text", "span"),
    [
        pytest.param("2d", timedelta(days=2), id="days"),
        pytest.param("3h", timedelta(hours=3), id="hours"),
        pytest.param("30m", timedelta(minutes=30), id="minutes"),
        pytest.param("1w", timedelta(weeks=1), id="weeks"),
        pytest.param("45s", timedelta(seconds=45), id="seconds"),
        pytest.param("0m", timedelta(0), id="none at all"),
        pytest.param(" 24 H ", timedelta(days=1), id="spaces, capital"),
        pytest.param("1d12h", timedelta(hours=36), id="two units"),
    ],
)
def test_parse(text: str, span: timedelta) -> None:
    assert duration.parse(text) == span
    assert duration.parse_or_off(text) == span


@pytest.mark.parametrize(
    "text", ["", " ", "2", "d", "-2d", "1.5h", "2x", "2d3", "3h2d", "٢d", "off"]
)
def test_what_is_no_duration_says_what_is(text: str) -> None:
    with pytest.raises(InvalidDuration, match="write 45s, 30m, 3h, 2d or 1w"):
        duration.parse(text)


@pytest.mark.parametrize("text", ["3661d", "999999999w"])
def test_ten_years_are_enough(text: str) -> None:
    with pytest.raises(InvalidDuration, match="longer than ten years"):
        duration.parse(text)


def test_off_is_none_both_ways() -> None:
    assert duration.parse_or_off(" OFF ") is None
    assert duration.show(None) == "off"


def test_where_off_is_allowed_the_error_says_so() -> None:
    with pytest.raises(InvalidDuration, match='or "off"'):
        duration.parse_or_off("never")


@pytest.mark.parametrize(
    ("span", "shown"),
    [
        (timedelta(days=14), "2w"),
        (timedelta(hours=48), "2d"),
        (timedelta(minutes=90), "90m"),
        (timedelta(seconds=61), "61s"),
        (timedelta(0), "0s"),
        (timedelta(milliseconds=999), "0s"),
    ],
)
def test_show_uses_the_largest_unit_that_fits(span: timedelta, shown: str) -> None:
    assert duration.show(span) == shown


def test_a_negative_span_is_no_duration() -> None:
    with pytest.raises(ValueError, match="negative"):
        duration.show(timedelta(microseconds=-1))


@given(st.integers(0, 3_660 * 86_400))
def test_what_is_shown_is_read_back(seconds: int) -> None:
    span = timedelta(seconds=seconds)

    assert duration.parse(duration.show(span)) == span
