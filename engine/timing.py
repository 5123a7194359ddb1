"""When a step is due beyond its plain delay: a time of day, a weekday, a date of the contact.

All of it is in the contact's zone; how clocks that jump are read is `engine.wall`'s.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final, Self

from engine import wall

DAYTIME: Final = time(9)
"""When a step that counts from a date is due on its day, if it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A date attribute of the contact from which a step counts.

    Attributes:
        days: Before it where negative.
        yearly: Its anniversaries count, so that the year of a birthday does not matter.
    """

    attribute: str
    days: int
    yearly: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What a step says about when, besides its delay.

    Attributes:
        clock: The next such time of day; None: as it comes.
        weekday: The next such day of the week, Monday is 0; None: any.
        anchor: None: the delay alone counts; else the step has no delay.
    """

    clock: time | None = None
    weekday: int | None = None
    anchor: Anchor | None = None

    @property
    def plain(self) -> bool:
        return self.clock is None and self.weekday is None and self.anchor is None

    def to_json(self) -> dict[str, Any]:
        """Return it for a jsonb column; what is at its default is left out."""
        written: dict[str, Any] = {}
        if self.clock is not None:
            written["at"] = self.clock.strftime("%H:%M")
        if self.weekday is not None:
            written["on"] = self.weekday
        if self.anchor is not None:
            written["date"] = self.anchor.attribute
            written["days"] = self.anchor.days
            written["yearly"] = self.anchor.yearly
        return written

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Self:
        return cls(
            clock=time.fromisoformat(written["at"]) if "at" in written else None,
            weekday=written.get("on"),
            anchor=Anchor(attribute=written["date"], days=written["days"], yearly=written["yearly"])
            if "date" in written
            else None,
        )


@dataclass(frozen=True, slots=True)
class NoDate:
    """The contact has no date there, or none that can be read."""


@dataclass(frozen=True, slots=True)
class DatePassed:
    """The date was over before the contact came to the step."""


def moment(
    timing: Timing, ready: datetime, zone: tzinfo, value: object = None
) -> datetime | NoDate | DatePassed:
    """Return the instant (UTC, not before *ready*) at which a step is due, its hours aside.

    A date that falls on the contact's own day of *ready* has not passed, whatever the time.

    Args:
        ready: When the contact came to the step and its delay was over (aware).
        value: Of the attribute the step counts from; None: the contact has none.
    """
    anchor = timing.anchor
    if anchor is None:
        return wall.following(ready, zone, clock=timing.clock, weekday=timing.weekday)
    day = parsed(value)
    if day is None:
        return NoDate()
    clock = timing.clock or DAYTIME
    today = ready.astimezone(zone).date()
    try:
        for on in _days(day, anchor, today):
            if on < today:
                continue
            instant = max(wall.instant(datetime.combine(on, clock), zone), ready)
            return wall.following(instant, zone, clock=None, weekday=timing.weekday)
    except (OverflowError, ValueError):
        return NoDate()  # beyond what a calendar holds
    return DatePassed()


def parsed(value: object) -> date | None:
    """Return the date in an attribute's value; None: there is none.

    >>> parsed("1990-05-04")
    datetime.date(1990, 5, 4)
    """
    found = _DATE.match(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        return None


def _days(day: date, anchor: Anchor, today: date) -> list[date]:
    offset = timedelta(days=anchor.days)
    if not anchor.yearly:
        return [day + offset]
    # An offset of up to ten years may carry an anniversary into any year around.
    first = today.year - anchor.days // 365 - 2
    return [wall.anniversary(day, year) + offset for year in range(max(first, 1), first + 6)]


_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:$|[T ])", re.ASCII)
