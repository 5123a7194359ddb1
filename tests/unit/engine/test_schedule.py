"""What staff write about when a broadcast starts, and what it means."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from engine.schedule import (
    InvalidSchedule,
    Schedule,
    describe,
    earliest,
    parse_every,
    parse_moment,
    shown,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def _moment(text: str) -> datetime:
    return parse_moment(text)


def _every(text: str, at: str = "2026-12-01 10:00") -> Schedule:
    return Schedule.of(at=_moment(at), zone="UTC", rule=parse_every(text), standard=AMSTERDAM)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-12-01",
        "10:00",
        "2026-13-01 10:00",
        "2026-02-30 10:00",
        "2026-12-01 24:00",
        "2026-12-01 10:00Z",
        "2026-12-01 10:00+01:00",
        "01-12-2026 10:00",
        "\u0662\u0660\u0662\u0666-12-01 10:00",
        "2026-12-01 10:00 " + "x" * 10_000,
    ],
)
def test_what_is_no_moment_is_refused_in_a_short_sentence(text: str) -> None:
    with pytest.raises(InvalidSchedule) as refused:
        parse_moment(text)

    assert str(refused.value).endswith(".")
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fortnight",
        "FREQ=HOURLY",
        "FREQ=DAILY;BYHOUR=9",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=2;UNTIL=20270101",
        "FREQ=DAILY;FREQ=WEEKLY",
        "BYDAY=MO",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYEASTER=0",
        "FREQ=DAILY;BYSETPOS=2",
        "FREQ=WEEKLY;INTERVAL=-1",
        "FREQ=WEEKLY;" * 900,
    ],
)
def test_what_is_no_rule_is_refused_in_a_short_sentence(text: str) -> None:
    with pytest.raises(InvalidSchedule) as refused:
        parse_every(text)

    assert str(refused.value).endswith(".")
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    "text",
    ["FREQ=DAILY;INTERVAL=7;BYDAY=MO", "FREQ=DAILY;UNTIL=20261101", "FREQ=YEARLY;UNTIL=20269901"],
)
def test_a_rule_that_never_comes_true_is_refused(text: str) -> None:
    with pytest.raises(InvalidSchedule):
        _every(text)


@pytest.mark.parametrize(
    ("text", "at", "days"),
    [
        pytest.param("day", "2026-12-30 10:00", ["12-30", "12-31", "01-01"], id="day"),
        pytest.param("week", "2026-12-30 10:00", ["12-30", "01-06", "01-13"], id="week"),
        pytest.param("month", "2027-01-31 10:00", ["01-31", "02-28", "03-31"], id="last of month"),
        pytest.param("month", "2027-01-15 10:00", ["01-15", "02-15", "03-15"], id="month"),
        pytest.param(
            "FREQ=WEEKLY;BYDAY=MO,TH", "2026-12-01 10:00", ["12-03", "12-07", "12-10"], id="days"
        ),
        pytest.param(
            "FREQ=DAILY;COUNT=2", "2026-12-01 10:00", ["12-01", "12-02", None], id="count"
        ),
        pytest.param(
            "RRULE:freq=daily;until=20261202", "2026-12-01 10:00", ["12-01", "12-02", None],
            id="until a day",
        ),
        pytest.param(
            "FREQ=DAILY;UNTIL=20261202T090000Z", "2026-12-01 10:00", ["12-01", "12-02", None],
            id="until an instant, in the organization's zone",
        ),
    ],
)  # fmt: skip
def test_a_rule_comes_true_on_its_days(text: str, at: str, days: list[str | None]) -> None:
    schedule = _every(text, at)

    for day in days:
        upcoming = schedule.upcoming
        assert (upcoming and f"{upcoming:%m-%d}") == day
        assert upcoming is None or f"{upcoming:%H:%M}" == "10:00"
        schedule = schedule.advanced()


def test_a_schedule_without_a_rule_comes_once() -> None:
    once = Schedule.of(at=_moment("2026-12-01 10:00"), zone=None, rule=None, standard=AMSTERDAM)

    assert once.upcoming == once.at
    assert once.advanced().upcoming is None


def test_an_hour_that_clocks_skip_becomes_the_next_and_one_shown_twice_is_the_first() -> None:
    skipped, twice = _moment("2027-03-28 02:30"), _moment("2026-10-25 02:30")

    assert shown(skipped, AMSTERDAM) == _moment("2027-03-28 03:00")
    assert earliest(skipped, [AMSTERDAM]) == datetime(2027, 3, 28, 1, tzinfo=UTC)
    assert shown(twice, AMSTERDAM) == twice
    assert earliest(twice, [AMSTERDAM]) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY", "every day"),
        ("FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", "every month"),
        ("FREQ=WEEKLY;BYDAY=MO", "FREQ=WEEKLY;BYDAY=MO"),
    ],
)
def test_simple_rules_have_words(rule: str, words: str) -> None:
    assert describe(rule) == words
