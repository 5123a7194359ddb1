"""The day of a date, and its anniversaries: when they come, by the clock on a wall of some zone."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from engine import wall


def of_text(value: str | None) -> date | None:
    """Return the day a value says (``1990-05-21``); None: there is none, or it is no date."""
    try:
        return date.fromisoformat(value or "")
    except ValueError:
        return None


def comes(day: date, *, year: int, minute: int, zone: tzinfo) -> datetime:
    """Return the instant (UTC) when the day comes in *year*, *minute* minutes after midnight.

    The 29th of February is the 28th in years without one; `engine.wall` says when a time comes
    that the clock skips, or shows twice.

    Raises:
        OverflowError: It is at the end of all time.
    """
    there = wall.anniversary(day, year)
    return wall.instant(datetime.combine(there, time(minute // 60, minute % 60)), zone)


def following(
    day: date, *, minute: int, zone: tzinfo, after: datetime, fired: int = 0
) -> datetime | None:
    """Return the first time the day or an anniversary of it comes after *after*; None: never.

    Args:
        fired: The last year it came in and was acted on; 0: none.
    """
    year = max(day.year, after.astimezone(zone).year, fired + 1)
    # A zone may be a day ahead of itself at a new year; two years are enough for any.
    for candidate in range(year, min(year + 2, _LAST) + 1):
        found = comes(day, year=candidate, minute=minute, zone=zone)
        if found > after:
            return found
    return None


def day_began(at: datetime, zone: tzinfo) -> datetime:
    """Return the moment before the day of *at* began in *zone*."""
    midnight = datetime.combine(at.astimezone(zone).date(), time(), tzinfo=zone)
    return midnight.astimezone(UTC) - timedelta(microseconds=1)


_LAST: Final = 9998
