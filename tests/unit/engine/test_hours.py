from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine import hours
from engine.hours import Hours, InvalidHours

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
DAYTIME = hours.parse("09:00-21:00")
NIGHT = hours.parse("22:00-02:00")


def local(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM, fold=fold)


@pytest.mark.parametrize(
    ("window", "at", "opens", "closes"),
    [
        pytest.param(
            DAYTIME, "2026-11-02 08:59", "2026-11-02 09:00", "2026-11-02 08:59", id="before"
        ),
        pytest.param(
            DAYTIME, "2026-11-02 09:00", "2026-11-02 09:00", "2026-11-02 21:00", id="at its start"
        ),
        pytest.param(
            DAYTIME, "2026-11-02 21:00", "2026-11-03 09:00", "2026-11-02 21:00", id="at its end"
        ),
        pytest.param(
            NIGHT, "2026-11-02 23:00", "2026-11-02 23:00", "2026-11-03 02:00", id="before midnight"
        ),
        pytest.param(
            NIGHT, "2026-11-03 01:59", "2026-11-03 01:59", "2026-11-03 02:00", id="after midnight"
        ),
        pytest.param(
            hours.parse("22:00-02:00", days=hours.parse_days("fri")),
            "2026-11-07 01:00",
            "2026-11-07 01:00",
            "2026-11-07 02:00",
            id="Saturday's first hours are Friday's",
        ),
        pytest.param(
            hours.parse("22:00-02:00", days=hours.parse_days("sat")),
            "2026-11-07 01:00",
            "2026-11-07 22:00",
            "2026-11-07 01:00",
            id="and not Saturday's",
        ),
        pytest.param(
            hours.parse("off", days=hours.parse_days("mon-fri")),
            "2026-11-06 12:00",
            "2026-11-06 12:00",
            "2026-11-07 00:00",
            id="whole days close at the week's end",
        ),
        pytest.param(
            hours.parse("09:00-17:00", days=hours.parse_days("mon-fri")),
            "2026-11-06 17:00",
            "2026-11-09 09:00",
            "2026-11-06 17:00",
            id="over the weekend",
        ),
        pytest.param(
            hours.parse("02:15-02:45"),
            "2026-03-29 00:00",
            "2026-03-30 02:15",
            "2026-03-29 00:00",
            id="the clock skips the window in spring",
        ),
        pytest.param(
            hours.parse("02:30-05:00"),
            "2026-03-29 00:00",
            "2026-03-29 03:00",
            "2026-03-29 00:00",
            id="the clock skips its start in spring",
        ),
        pytest.param(
            hours.parse("01:00-02:30"),
            "2026-03-29 01:30",
            "2026-03-29 01:30",
            "2026-03-29 03:00",
            id="the clock skips its end in spring",
        ),
    ],
)
def test_opens_and_closes(window: Hours, at: str, opens: str, closes: str) -> None:
    assert window.opens(local(at), AMSTERDAM) == local(opens).astimezone(UTC)
    assert window.closes(local(at), AMSTERDAM) == local(closes).astimezone(UTC)


def test_an_hour_shown_twice_is_inside_twice() -> None:
    window = hours.parse("02:30-03:00")
    first, jump, second = (
        datetime(2026, 10, 25, hour, minute, tzinfo=UTC)
        for hour, minute in [(0, 30), (1, 0), (1, 30)]
    )

    assert window.closes(first, AMSTERDAM) == jump
    assert window.opens(jump, AMSTERDAM) == second
    assert window.closes(second, AMSTERDAM) == second + timedelta(minutes=30)


def test_a_zone_that_skipped_a_day_opens_on_the_next() -> None:
    apia = ZoneInfo("Pacific/Apia")  # had no Friday 30 December 2011
    fridays = Hours(days=hours.parse_days("fri"))

    opens = fridays.opens(datetime(2011, 12, 29, 12, tzinfo=apia), apia)

    assert opens.astimezone(apia).date().isoformat() == "2012-01-06"


def test_always_is_always() -> None:
    at = datetime(2026, 11, 2, 3, 4, 5, 6, tzinfo=AMSTERDAM)

    assert Hours().always
    assert Hours().inside(at, AMSTERDAM)
    assert Hours().opens(at, AMSTERDAM) == at
    assert Hours().closes(at, AMSTERDAM) is None


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        pytest.param("06:00-21:00", 360, 1260, id="plain"),
        pytest.param(" 6:00 - 21:30 ", 360, 1290, id="spaces"),
        pytest.param("06:00\N{EN DASH}21:00", 360, 1260, id="a dash typed by a phone"),
        pytest.param("22:00-02:00", 1320, 120, id="over midnight"),
        pytest.param("18:00-00:00", 1080, 1440, id="until midnight"),
        pytest.param("18:00-24:00", 1080, 1440, id="until 24:00"),
        pytest.param("00:00-24:00", 0, 1440, id="the whole day"),
        pytest.param("OFF", 0, 1440, id="off"),
    ],
)
def test_parse(text: str, start: int, end: int) -> None:
    window = hours.parse(text)

    assert (window.start, window.end) == (start, end)
    assert hours.parse(str(window)) == window


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9-21",
        "09:00",
        "09:00-09:00",
        "00:00-00:00",
        "25:00-26:00",
        "09:60-10:00",
        "09:00-24:30",
    ],
)
def test_what_are_no_hours(text: str) -> None:
    with pytest.raises(InvalidHours):
        hours.parse(text)


@pytest.mark.parametrize(
    ("text", "days", "shown"),
    [
        ("mon-sun", range(7), "mon-sun"),
        ("Mon - Fri", range(5), "mon-fri"),
        ("sat,sun", [5, 6], "sat,sun"),
        ("fri-mon", [0, 4, 5, 6], "mon,fri-sun"),
        ("Wednesday", [2], "wed"),
        ("tue,tue", [1], "tue"),
    ],
)
def test_days(text: str, days: list[int], shown: str) -> None:
    assert hours.parse_days(text) == set(days)
    assert hours.show_days(frozenset(days)) == shown


@pytest.mark.parametrize("text", ["", "mo", "mon-", "mon,,tue", "mon-tue-wed", "-fri", "off"])
def test_what_are_no_days(text: str) -> None:
    with pytest.raises(InvalidHours, match="no days"):
        hours.parse_days(text)


@pytest.mark.parametrize("days", [frozenset[int](), frozenset({7})])
def test_a_window_begins_on_some_day_of_the_week(days: frozenset[int]) -> None:
    with pytest.raises(InvalidHours, match="at least one day"):
        Hours(days=days)


@pytest.mark.parametrize(("start", "end"), [(540, 540), (-1, 60), (0, 0), (1440, 60), (0, 1441)])
def test_a_window_has_a_length_within_a_day(start: int, end: int) -> None:
    with pytest.raises(InvalidHours, match="begin and end at different times"):
        Hours(start=start, end=end)
