from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import timing, wall
from engine.timing import Anchor, DatePassed, NoDate, Timing
from tests.examples import MORE
from tests.properties.test_hours_properties import INSTANTS, ZONES

CLOCKS = st.times().map(lambda shown: shown.replace(second=0, microsecond=0))
WEEKDAYS = st.integers(0, 6)
SHOWN = st.builds(
    lambda at, zone, off: (at.astimezone(zone).replace(tzinfo=None, fold=0) + off, zone),
    INSTANTS,
    ZONES,
    st.timedeltas(timedelta(hours=-3), timedelta(hours=3)),
)


def shows(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


@MORE
@given(SHOWN)
def test_a_time_is_the_first_instant_that_shows_it_or_the_first_after_the_gap(
    shown_in: tuple[datetime, ZoneInfo],
) -> None:
    shown, zone = shown_in

    found = wall.instant(shown, zone)

    before = shows(found - timedelta(seconds=1), zone)
    if shows(found, zone) == shown:
        # Not shown any earlier: of two, it is the first.
        earlier = shown.replace(tzinfo=zone, fold=0).astimezone(UTC)
        assert found <= earlier
    else:
        # Skipped: a second before, the clock stood before it, and now it stands after it.
        assert before < shown < shows(found, zone)


@MORE
@given(INSTANTS, ZONES, CLOCKS, st.none() | WEEKDAYS)
def test_the_next_time_of_day_is_not_before_and_the_same_again(
    at: datetime, zone: ZoneInfo, clock: time, weekday: int | None
) -> None:
    found = wall.following(at, zone, clock=clock, weekday=weekday)

    assert found >= at
    assert found - at <= timedelta(days=9)
    assert wall.following(found, zone, clock=clock, weekday=weekday) == found
    shown = shows(found, zone)
    on_it = (weekday is None or shown.weekday() == weekday) and shown.time() == clock
    skipped = shows(found - timedelta(seconds=1), zone) < shown - timedelta(seconds=1)
    assert on_it or skipped


@given(INSTANTS, ZONES, WEEKDAYS)
def test_a_weekday_alone_keeps_the_time_of_day(at: datetime, zone: ZoneInfo, weekday: int) -> None:
    found = wall.following(at, zone, clock=None, weekday=weekday)

    assert found >= at
    assert wall.following(found, zone, clock=None, weekday=weekday) == found
    if shows(at, zone).weekday() == weekday:
        assert found == at


@given(
    INSTANTS,
    ZONES,
    st.dates(date(1930, 1, 1), date(2035, 1, 1)),
    st.integers(-800, 800),
    st.none() | CLOCKS,
)
def test_a_birthday_is_always_ahead_and_within_a_year(
    ready: datetime, zone: ZoneInfo, day: date, days: int, clock: time | None
) -> None:
    anchor = Anchor(attribute="birthday", days=days, yearly=True)

    found = timing.moment(Timing(clock=clock, anchor=anchor), ready, zone, day.isoformat())

    assert isinstance(found, datetime)
    assert ready <= found <= ready + timedelta(days=368)
    shown = shows(found, zone).date() - timedelta(days=days)
    leap = (day.month, day.day) == (2, 29) and (shown.month, shown.day) == (2, 28)
    gap = shows(found - timedelta(seconds=1), zone) < shows(found, zone) - timedelta(seconds=1)
    assert (shown.month, shown.day) == (day.month, day.day) or leap or gap


@given(INSTANTS, ZONES, st.dates(date(2023, 1, 1), date(2031, 1, 1)), st.integers(-60, 60))
def test_a_date_has_passed_only_after_its_day(
    ready: datetime, zone: ZoneInfo, day: date, days: int
) -> None:
    rule = Timing(anchor=Anchor(attribute="renewal", days=days))

    found = timing.moment(rule, ready, zone, day.isoformat())

    if day + timedelta(days=days) < shows(ready, zone).date():
        assert found == DatePassed()
    else:
        assert isinstance(found, datetime)
        assert found >= ready


@pytest.mark.parametrize("value", [None, "", "4 May", "2026-02-30", 20260504, "9999-12-31"])
def test_what_is_no_date_is_none(value: object) -> None:
    rule = Timing(anchor=Anchor(attribute="renewal", days=3))

    found = timing.moment(rule, datetime(2026, 1, 1, tzinfo=UTC), ZoneInfo("UTC"), value)

    assert found == NoDate()


@given(
    st.builds(
        Timing,
        clock=st.none() | CLOCKS,
        weekday=st.none() | WEEKDAYS,
        anchor=st.none()
        | st.builds(
            Anchor, attribute=st.just("renewal"), days=st.integers(-99, 99), yearly=st.booleans()
        ),
    )
)
def test_a_timing_is_kept_as_it_is(rule: Timing) -> None:
    assert Timing.from_json(rule.to_json()) == rule
