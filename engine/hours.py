"""The hours and days in which messages may leave, by the clock on a wall of some zone.

An instant is inside exactly when that clock shows a time of a window on one of its days. So an
hour that the clock skips in spring is never inside, and one it shows twice in autumn is inside
twice; a window over midnight belongs to the day it begins on.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

DAY: Final = 24 * 60
ALL_DAYS: Final = frozenset(range(7))
OFF: Final = "off"
_NAMES: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class InvalidHours(ValueError):
    """The text is no window of hours or no days; the message says what is."""


@dataclass(frozen=True, slots=True)
class Hours:
    """One window a day; ``Hours()`` is always.

    Attributes:
        start: Minutes after midnight, 0 to 1439; the first that is inside.
        end: Minutes after midnight, 1 to 1440; the first that is not. Before *start*: of the next
            day. Never equal to it.
        days: On which a window begins; Monday is 0. Never empty.

    Raises:
        InvalidHours: One of these does not hold.
    """

    start: int = 0
    end: int = DAY
    days: frozenset[int] = ALL_DAYS

    def __post_init__(self) -> None:
        if not (0 <= self.start < DAY and 0 < self.end <= DAY) or self.start == self.end:
            raise InvalidHours("Hours begin and end at different times between 00:00 and 24:00.")
        if not self.days or not self.days <= ALL_DAYS:
            raise InvalidHours("Hours need at least one day of the week.")

    @property
    def always(self) -> bool:
        return self.start == 0 and self.end == DAY and len(self.days) == len(ALL_DAYS)

    def inside(self, at: datetime, zone: tzinfo) -> bool:
        return self.always or self._shows(at.astimezone(zone))

    def opens(self, at: datetime, zone: tzinfo) -> datetime:
        """Return the earliest instant (UTC) that is inside and not before *at* (aware)."""
        if self.always or self._shows(at.astimezone(zone)):
            return at.astimezone(UTC)
        found = self._turns(at, zone, inside=True)
        if found is None:
            raise AssertionError(f"{self} does not open within a month of {at} in {zone}")
        return found

    def closes(self, at: datetime, zone: tzinfo) -> datetime | None:
        """Return the earliest instant (UTC) that is not inside and not before *at*; None: never."""
        if self.always:
            return None
        if not self._shows(at.astimezone(zone)):
            return at.astimezone(UTC)
        return self._turns(at, zone, inside=False)

    def shows(self, minute: int) -> bool:
        """Whether a time of day, in minutes after midnight, is inside on some day."""
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end

    def __str__(self) -> str:
        """Write the hours alone as :func:`parse` reads them; days are :func:`show_days`."""
        return (
            OFF
            if (self.start, self.end) == (0, DAY)
            else f"{_clock(self.start)}-{_clock(self.end)}"
        )

    def _shows(self, local: datetime) -> bool:
        minute = local.hour * 60 + local.minute
        weekday = local.weekday()
        if self.start < self.end:
            return self.start <= minute < self.end and weekday in self.days
        if minute >= self.start:
            return weekday in self.days
        return minute < self.end and (weekday - 1) % 7 in self.days

    def _turns(self, at: datetime, zone: tzinfo, *, inside: bool) -> datetime | None:
        """Return the first instant after *at* when being inside becomes *inside*.

        That only happens when a wall clock reaches start or end, or jumps.
        """
        begin = at.astimezone(UTC)
        today = begin.toordinal()
        for day in range(today, today + _FARTHEST):
            for instant in _turning_points(day, self.start, self.end, zone):
                if instant > begin and self._shows(instant.astimezone(zone)) is inside:
                    return instant
        return None


def parse(text: str, *, days: frozenset[int] = ALL_DAYS) -> Hours:
    """Read ``09:00-21:00``, over midnight ``22:00-02:00``, or ``off`` for the whole day.

    >>> str(parse("9:00 - 21:00"))
    '09:00-21:00'

    Raises:
        InvalidHours: It is something else.
    """
    if text.strip().lower() == OFF:
        return Hours(days=days)
    found = _WINDOW.fullmatch(text.strip())
    if found is None:
        raise InvalidHours(f"{text[:40]!r} are no hours: write 09:00-21:00, or off.")
    hour, minute, end_hour, end_minute = map(int, found.groups())
    start, end = hour * 60 + minute, end_hour * 60 + end_minute
    # Midnight at the end is the end of the same day.
    return Hours(start=start, end=DAY if end == 0 and start != 0 else end, days=days)


@lru_cache(maxsize=1024)
def chosen(standard: Hours, text: str | None, days: str | None) -> Hours:
    """Return hours as chosen over *standard* ones; None: as the standard has it.

    Raises:
        InvalidHours: They cannot be read.
    """
    on = standard.days if days is None else parse_days(days)
    if text is None:
        return Hours(start=standard.start, end=standard.end, days=on)
    return parse(text, days=on)


def parse_days(text: str) -> frozenset[int]:
    """Read ``mon-fri``, ``sat,sun``, ``fri-mon`` or full English names; Monday is 0.

    >>> sorted(parse_days("fri-sun,tue"))
    [1, 4, 5, 6]

    Raises:
        InvalidHours: It is something else.
    """
    days: set[int] = set()
    for piece in text.lower().split(","):
        first, dash, last = (part.strip() for part in piece.partition("-"))
        start = _weekday(first, text)
        end = _weekday(last, text) if dash else start
        days.update((start + offset) % 7 for offset in range((end - start) % 7 + 1))
    return frozenset(days)


def show_days(days: frozenset[int]) -> str:
    """Write days as :func:`parse_days` reads them, three or more in a row as a range.

    >>> show_days(frozenset({0, 1, 2, 5}))
    'mon-wed,sat'
    """
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(_show_run(run) for run in runs)


# A week, the day before it, a zone that skipped a day, and a weekly window that fell into a gap.
_FARTHEST: Final = 24
_WINDOW: Final = re.compile(
    r"([01]?\d|2[0-3]):([0-5]\d)\s*[-\u2013]\s*([01]?\d|2[0-4]):([0-5]\d)", re.ASCII
)
_FULL_NAMES: Final = {
    name: index
    for index, name in enumerate(
        ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    )
}


@lru_cache(maxsize=4096)
def _turning_points(day: int, start: int, end: int, zone: tzinfo) -> tuple[datetime, ...]:
    """Return when within a UTC day the zone's clock reaches *start* or *end*, or jumps; sorted.

    *day* is a proleptic ordinal. Some of the instants may be neither where the clock skips an
    hour, so whoever asks looks at what it shows there.
    """
    midnight = datetime.fromordinal(day).replace(tzinfo=UTC)
    jump = _jump(midnight, zone)
    instants = set() if jump is None else {jump}
    for offset in (-1, 0, 1):
        for minutes in (start, end):
            shown = midnight + timedelta(days=offset, minutes=minutes)
            # A time shown twice is two instants, told apart by fold.
            instants.update(
                shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)
            )
    return tuple(
        sorted(each for each in instants if midnight <= each < midnight + timedelta(days=1))
    )


def _jump(midnight: datetime, zone: tzinfo) -> datetime | None:
    """Return the instant within the UTC day when the zone's clock jumps; None on other days."""
    before, after = 0, 24 * 3600
    offset = midnight.astimezone(zone).utcoffset()
    if (midnight + timedelta(seconds=after)).astimezone(zone).utcoffset() == offset:
        return None
    while after - before > 1:
        middle = (before + after) // 2
        if (midnight + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return midnight + timedelta(seconds=after)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _weekday(name: str, text: str) -> int:
    if name in _NAMES:
        return _NAMES.index(name)
    if name in _FULL_NAMES:
        return _FULL_NAMES[name]
    raise InvalidHours(f"{text[:40]!r} are no days: write mon-fri, or sat,sun.")


def _show_run(run: list[int]) -> str:
    first, last = _NAMES[run[0]], _NAMES[run[-1]]
    match len(run):
        case 1:
            return first
        case 2:
            return f"{first},{last}"
        case _:
            return f"{first}-{last}"
