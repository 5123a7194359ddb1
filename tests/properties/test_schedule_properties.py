"""Schedules: kept as written, never before their time, defined in every zone and hour."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import hypothesis.strategies as st
from hypothesis import given

from engine.schedule import InvalidSchedule, Schedule, earliest, next_look, parse_every, shown
from engine.wall import instant

ZONES = sorted(available_timezones() - {"localtime"})
LOCAL = st.integers(0, 12 * 366 * 24 * 60).map(
    lambda minutes: datetime.fromisoformat("2024-01-01") + timedelta(minutes=minutes)
)
DAYS = st.lists(
    st.sampled_from(("MO", "TU", "WE", "TH", "FR", "SA", "SU")), min_size=1, unique=True
)
RULES = st.one_of(
    st.sampled_from(("day", "week", "month")),
    st.builds(
        lambda days, every: f"FREQ=WEEKLY;INTERVAL={every};BYDAY={','.join(days)}",
        DAYS,
        st.integers(1, 5),
    ),
    st.builds(
        lambda day, count: f"FREQ=MONTHLY;BYMONTHDAY={day};COUNT={count}",
        st.integers(-31, 31).filter(bool),
        st.integers(1, 9),
    ),
    st.builds(lambda nth, day: f"FREQ=MONTHLY;BYDAY={nth}{day}", st.integers(1, 4), st.just("TU")),
)


@given(at=LOCAL, zone=st.sampled_from(ZONES))
def test_every_clock_is_looked_at_when_it_shows_the_time(at: datetime, zone: str) -> None:
    starts = instant(at, ZoneInfo(zone))
    schedule = Schedule(at=at, zone=None, upcoming=at)
    latest = starts + timedelta(days=2)

    first = next_look(schedule, at=starts - timedelta(days=2), starts_at=latest)
    then = next_look(schedule, at=starts - timedelta(seconds=1), starts_at=latest)

    assert first is not None
    assert first <= starts
    assert then is not None
    assert starts <= then <= starts + timedelta(minutes=15)
    assert next_look(schedule, at=starts, starts_at=starts) is None


@given(at=LOCAL, zone=st.sampled_from(ZONES))
def test_every_time_of_every_zone_is_one_instant_and_shown_no_earlier(
    at: datetime, zone: str
) -> None:
    there = ZoneInfo(zone)
    clock = instant(at, there).astimezone(there).replace(tzinfo=None)

    assert clock == shown(at, there)
    assert at <= clock <= at + timedelta(days=1)
    if clock == at:
        # The first of two: nothing earlier shows the same.
        for earlier in (timedelta(minutes=30), timedelta(hours=1), timedelta(hours=2)):
            before = (instant(at, there) - earlier).astimezone(there).replace(tzinfo=None)
            assert before != at
    else:
        # A gap: a moment before, the clock showed an earlier time.
        before = (instant(at, there) - timedelta(seconds=1)).astimezone(there)
        assert before.replace(tzinfo=None) < at


@given(at=LOCAL, every=RULES, zone=st.none() | st.sampled_from(ZONES))
def test_a_schedule_survives_and_its_occurrences_go_forward(
    at: datetime, every: str, zone: str | None
) -> None:
    rule = parse_every(every)
    assert parse_every(rule) == rule
    try:
        schedule = Schedule.of(at=at, zone=zone, rule=rule, standard=ZoneInfo("UTC"))
    except InvalidSchedule:
        return

    assert schedule.upcoming is not None
    assert schedule.upcoming >= at
    for _ in range(4):
        assert Schedule.from_json(schedule.to_json()) == schedule
        following = schedule.advanced()
        if following.upcoming is None or schedule.upcoming is None:
            break
        assert following.upcoming >= schedule.upcoming + timedelta(days=1)
        assert following.upcoming.time() == at.time()
        schedule = following


@given(at=LOCAL, zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=6))
def test_nobody_is_due_before_the_first_of_the_zones(at: datetime, zones: list[str]) -> None:
    there = [ZoneInfo(zone) for zone in zones]

    assert all(earliest(at, there) <= instant(at, zone) for zone in there)
