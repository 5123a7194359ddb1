"""What the clock on a wall of some zone shows, and when it does.

A time the clock skips in spring is the first instant after the gap; one it shows twice in autumn
is the first of the two. Nothing else in the product decides that.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

_SECOND: Final = timedelta(seconds=1)
# A weekday comes round within seven days; the day before is looked at too, because where a zone
# skips a whole day its times are the first instant of the day after.
_DAYS: Final = range(-1, 9)


def instant(shown: datetime, zone: tzinfo) -> datetime:
    """Return the instant (UTC) at which the clocks of *zone* show *shown* (naive).

    >>> from zoneinfo import ZoneInfo
    >>> instant(datetime(2026, 3, 29, 2, 30), ZoneInfo("Europe/Amsterdam")).isoformat()
    '2026-03-29T01:00:00+00:00'
    """
    first = shown.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == shown:
        return first
    # In a gap the two folds are the instants by the offsets before and after the jump, which is
    # in between.
    early = shown.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _jump(min(early, first), max(early, first), zone)


def following(at: datetime, zone: tzinfo, *, clock: time | None, weekday: int | None) -> datetime:
    """Return the earliest instant (UTC), not before *at* (aware), at that time on that weekday.

    Args:
        clock: None: the time of day that *at* has in *zone*.
        weekday: Monday is 0; None: any day.
    """
    local = at.astimezone(zone)
    if clock is None and weekday in (None, local.weekday()):
        return at.astimezone(UTC)
    for offset in _DAYS:
        day = local.date() + timedelta(days=offset)
        if weekday not in (None, day.weekday()):
            continue
        found = instant(datetime.combine(day, clock or local.time().replace(fold=0)), zone)
        if found >= at:
            return found
    raise AssertionError(f"no weekday {weekday} within a week of {at} in {zone}")


def anniversary(day: date, year: int) -> date:
    """Return *day* in another year; 29 February is the 28th where there is none.

    Raises:
        ValueError: There is no such year.
    """
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def _jump(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """Return the first instant, in whole seconds, at which the offset is that of *after*."""
    offset = before.astimezone(zone).utcoffset()
    low = 0
    high = -((before - after) // _SECOND)
    while high - low > 1:
        middle = (low + high) // 2
        if (before + middle * _SECOND).astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return (before + high * _SECOND).replace(microsecond=0)
