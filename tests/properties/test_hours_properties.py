from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given
from hypothesis import strategies as st

from engine import hours
from engine.hours import Hours, InvalidHours
from tests.examples import MORE

# Names that are no places, and one that is the zone of the machine.
ZONES = st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"})).map(ZoneInfo)
CLOCK_CHANGES = st.sampled_from(
    [
        datetime(2026, 3, 8, 10, tzinfo=UTC),  # North America
        datetime(2026, 3, 29, 1, tzinfo=UTC),  # Europe
        datetime(2026, 4, 4, 15, tzinfo=UTC),  # Australia, half an hour on Lord Howe
        datetime(2026, 10, 25, 1, tzinfo=UTC),
        datetime(2026, 11, 1, 8, tzinfo=UTC),
        datetime(2011, 12, 30, 10, tzinfo=UTC),  # Samoa skipped a day
    ]
)
INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(  # noqa: DTZ001 — made aware
    lambda naive: naive.replace(tzinfo=UTC)
) | st.builds(
    lambda change, seconds: change + timedelta(seconds=seconds),
    CLOCK_CHANGES,
    st.integers(-200_000, 100_000),
)
DAYS = st.frozensets(st.integers(0, 6), min_size=1)


@st.composite
def windows(draw: st.DrawFn) -> Hours:
    start, end = draw(
        st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(
            lambda pair: pair[0] != pair[1]
        )
    )
    return Hours(start=start, end=end, days=draw(DAYS))


def is_inside(window: Hours, at: datetime, zone: ZoneInfo) -> bool:
    """Say it once more, in the plainest way there is."""
    shown = at.astimezone(zone)
    minute = shown.hour * 60 + shown.minute
    began_today = window.start <= minute < (window.end if window.start < window.end else 1440)
    began_yesterday = window.start > window.end > minute
    return (began_today and shown.weekday() in window.days) or (
        began_yesterday and (shown.weekday() + 6) % 7 in window.days
    )


@MORE
@given(windows(), INSTANTS, ZONES)
def test_nothing_opens_outside_its_hours(window: Hours, at: datetime, zone: ZoneInfo) -> None:
    opens = window.opens(at, zone)

    assert opens >= at
    assert is_inside(window, opens, zone)
    assert window.opens(opens, zone) == opens


@given(windows(), INSTANTS, ZONES, st.floats(0, 1))
def test_it_opens_at_the_earliest_instant_and_closes_at_the_first_outside(
    window: Hours, at: datetime, zone: ZoneInfo, share: float
) -> None:
    opens = window.opens(at, zone)
    closes = window.closes(opens, zone)

    assert (
        not is_inside(window, at + (opens - at) * share, zone) or at + (opens - at) * share >= opens
    )
    assert opens == at or not is_inside(window, opens - timedelta(microseconds=1), zone)
    if closes is None:
        assert window.always
    else:
        assert not is_inside(window, closes, zone)
        assert is_inside(window, closes - timedelta(microseconds=1), zone)
        assert is_inside(window, opens + (closes - opens) * share * 0.999, zone)


@given(windows())
def test_hours_and_days_are_read_as_they_are_shown(window: Hours) -> None:
    days = hours.parse_days(hours.show_days(window.days))

    assert hours.parse(str(window), days=days) == window


@given(st.text("0123456789:- of", max_size=12))
def test_any_text_is_hours_or_refused(text: str) -> None:
    try:
        window = hours.parse(text)
    except InvalidHours:
        return
    assert hours.parse(str(window)) == window


JUMPING = st.sampled_from(
    ["Europe/Amsterdam", "America/Los_Angeles", "Australia/Lord_Howe", "Africa/Casablanca"]
).map(ZoneInfo)
NIGHT_WINDOWS = st.builds(
    lambda start, length, days: Hours(start=start, end=(start + length - 1) % 1440 + 1, days=days),
    st.integers(0, 240),
    st.integers(1, 180),
    DAYS | st.just(hours.ALL_DAYS),
)


@given(NIGHT_WINDOWS, CLOCK_CHANGES, st.integers(-240, 120), JUMPING)
def test_around_a_jump_of_the_clock_every_minute_agrees(
    window: Hours, change: datetime, minutes: int, zone: ZoneInfo
) -> None:
    at = change + timedelta(minutes=minutes)
    scan = [at + timedelta(minutes=minute) for minute in range(480)]

    opens = next((each for each in scan if is_inside(window, each, zone)), None)
    closes = next((each for each in scan if not is_inside(window, each, zone)), None)

    assert window.opens(at, zone) == opens or (opens is None and window.opens(at, zone) > scan[-1])
    assert window.closes(at, zone) == closes
