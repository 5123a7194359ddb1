"""Anniversaries come once a year, on their day, at their hour, in every zone there is."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given
from hypothesis import strategies as st

from engine.anniversary import comes, day_began, following, of_text

zones = st.sampled_from(sorted(available_timezones() - {"localtime"})).map(ZoneInfo)
days = st.dates(date(1900, 1, 1), date(2060, 12, 31))
minutes = st.integers(0, 1439)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)).map(  # noqa: DTZ001 — made aware
    lambda at: at.replace(tzinfo=UTC)
)


@given(days, minutes, zones, moments)
def test_it_comes_next_on_its_day_and_never_before_the_date_itself(
    day: date, minute: int, zone: ZoneInfo, after: datetime
) -> None:
    found = following(day, minute=minute, zone=zone, after=after)

    assert found is not None
    assert found > after
    local = found.astimezone(zone)
    assert local.date() >= day
    expected = day.day if (day.month, day.day) != (2, 29) else local.day
    # A clock put forward over midnight, or over a whole day, shows it on the next one.
    shown = {local.date(), (local - timedelta(days=1)).date()}
    assert any((each.month, each.day) == (day.month, expected) for each in shown)
    # Nothing of the year before was passed over.
    if local.year - 1 >= day.year:
        assert comes(day, year=local.year - 1, minute=minute, zone=zone) <= after


@given(days, minutes, zones, moments)
def test_after_it_came_it_comes_again_the_next_year(
    day: date, minute: int, zone: ZoneInfo, after: datetime
) -> None:
    first = following(day, minute=minute, zone=zone, after=after)
    assert first is not None
    year = first.astimezone(zone).year

    again = following(day, minute=minute, zone=zone, after=day_began(first, zone), fired=year)

    assert again is not None
    assert again.astimezone(zone).year == year + 1


@given(moments, zones)
def test_a_day_begins_before_all_of_it(at: datetime, zone: ZoneInfo) -> None:
    began = day_began(at, zone)

    assert began < at
    assert at - began <= timedelta(hours=49)


@given(st.text(max_size=12))
def test_what_is_no_date_never_comes(text: str) -> None:
    found = of_text(text)

    assert found is None or isinstance(found, date)
