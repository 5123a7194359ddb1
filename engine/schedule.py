"""When a broadcast starts by itself: at a wall clock's time in some zone, once or by a rule.

What becomes of a time that a clock skips or shows twice, :mod:`engine.wall` says.
"""

import calendar
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any, Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import rrulestr

from engine.wall import instant

CONTACT: Final = "contact"
LONGEST_AHEAD: Final = timedelta(days=3_660)


class InvalidSchedule(ValueError):
    """The text is no moment or no rule; the message says what is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a broadcast starts.

    Attributes:
        at: What a wall clock shows, without a zone, in whole minutes; a rule begins there.
        zone: The zone's name; None: each contact's own.
        rule: An RFC 5545 rule of days, without "RRULE:"; None: once.
        upcoming: What the clock shows when it starts next; None: never again.
    """

    at: datetime
    zone: str | None
    rule: str | None = None
    upcoming: datetime | None

    @classmethod
    def of(cls, *, at: datetime, zone: str | None, rule: str | None, standard: tzinfo) -> Self:
        """Return a new schedule that has not started yet.

        Args:
            rule: As :func:`parse_every` returned it.
            standard: The organization's zone, in which a rule's UNTIL is read that is in UTC.

        Raises:
            InvalidSchedule: The rule never comes true.
        """
        if rule is None:
            return cls(at=at, zone=zone, upcoming=at)
        written = _settled(rule, at, standard)
        schedule = cls(at=at, zone=zone, rule=written, upcoming=None)
        first = _next(schedule, at, inclusive=True)
        if first is None or first > at + LONGEST_AHEAD:
            raise InvalidSchedule(f"every={rule} never comes true within ten years of at=.")
        return replace(schedule, upcoming=first)

    @property
    def local(self) -> datetime | None:
        """What clocks show when it is due in each contact's own zone; None: in one zone."""
        return self.at if self.zone is None else None

    def advanced(self) -> Self:
        """Return it after what was upcoming has been done or missed."""
        if self.upcoming is None or self.rule is None:
            return replace(self, upcoming=None)
        return replace(self, upcoming=_next(self, self.upcoming, inclusive=False))

    def to_json(self) -> dict[str, Any]:
        plain: dict[str, Any] = {"at": _written(self.at), "zone": self.zone or CONTACT}
        if self.rule is not None:
            plain["rule"] = self.rule
        if self.upcoming is not None:
            plain["upcoming"] = _written(self.upcoming)
        return plain

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        upcoming = content.get("upcoming")
        return cls(
            at=datetime.fromisoformat(content["at"]),
            zone=None if content["zone"] == CONTACT else content["zone"],
            rule=content.get("rule"),
            upcoming=None if upcoming is None else datetime.fromisoformat(upcoming),
        )


@lru_cache(maxsize=1024)
def zone(name: str) -> tzinfo | None:
    """Return the time zone of that name; None: this machine knows none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def shown(local: datetime, zone: tzinfo) -> datetime:
    """Return what the clocks of *zone* show at that instant: *local*, or later in a gap."""
    return instant(local, zone).astimezone(zone).replace(tzinfo=None, fold=0)


def earliest(local: datetime, zones: Iterable[tzinfo]) -> datetime:
    """Return when the first of *zones* (at least one) shows *local*."""
    return min(instant(local, zone) for zone in zones)


def next_look(schedule: Schedule, *, at: datetime, starts_at: datetime) -> datetime | None:
    """Return when to look after *at* whether somebody's clock has come to its time before others'.

    Whoever comes into an audience from further east has the time of day before those there were,
    and the start moves forward to it. Zones are half hours apart; the three that are not are
    noticed a quarter of an hour late.

    Args:
        starts_at: When it starts as things are.

    Returns:
        None: not before *starts_at*, or it starts by one clock for all.
    """
    if schedule.zone is not None or schedule.upcoming is None:
        return None
    first = schedule.upcoming.replace(tzinfo=UTC) - _FURTHEST_EAST
    steps = 0 if at < first else (at - first) // _ZONES_APART + 1
    look_at = first + steps * _ZONES_APART
    return look_at if look_at < starts_at else None


# No clock is more than 14 hours ahead; one set forward shows a time an hour before it should.
_FURTHEST_EAST: Final = timedelta(hours=15)
_ZONES_APART: Final = timedelta(minutes=30)


def parse_moment(text: str) -> datetime:
    """Read ``2026-12-01 10:00``: a day and a time, without a zone.

    >>> parse_moment("2026-12-01 9:30")
    datetime.datetime(2026, 12, 1, 9, 30)

    Raises:
        InvalidSchedule: It is something else, or no such day exists.
    """
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        raise InvalidSchedule(
            f"{text[:40]!r} is no day and time: write 2026-12-01 10:00; zone= names the time zone."
        )
    try:
        return datetime(*map(int, found.groups()))  # type: ignore[arg-type]  # noqa: DTZ001 — five numbers; a wall clock's time
    except ValueError as error:
        raise InvalidSchedule(
            f"{text[:40]!r} is in no calendar: write a day that exists, like 2026-12-01 10:00."
        ) from error


def parse_every(text: str) -> str:
    """Read ``day``, ``week``, ``month`` or an RFC 5545 rule of days, weeks, months or years.

    >>> parse_every("week")
    'FREQ=WEEKLY'
    >>> parse_every("rrule:freq=monthly;byday=1mo")
    'FREQ=MONTHLY;BYDAY=1MO'

    Raises:
        InvalidSchedule: It is something else.
    """
    simple = _SIMPLE.get(text.strip().lower())
    if simple is not None:
        return simple
    written = "".join(text.split()).upper().removeprefix("RRULE:").strip(";")
    parts = dict(_part(piece, text) for piece in written.split(";"))
    if len(parts) != written.count(";") + 1 or "FREQ" not in parts:
        raise InvalidSchedule(f"{text[:60]!r} is no rule: {_EXAMPLES}.")
    if "COUNT" in parts and "UNTIL" in parts:
        raise InvalidSchedule("A rule ends by COUNT= or by UNTIL=, not by both.")
    if parts["FREQ"] == "DAILY" and "BYSETPOS" in parts:
        raise InvalidSchedule("BYSETPOS= means nothing with FREQ=DAILY; leave it out.")
    _check_days(parts)
    return ";".join(f"{name}={value}" for name, value in parts.items())


def describe(rule: str) -> str:
    """Return a rule in words where there are some, else as it is written.

    >>> describe("FREQ=WEEKLY")
    'every week'
    """
    for word, simple in _SIMPLE.items():
        if rule == simple or (word == "month" and _LAST_DAYS.fullmatch(rule)):
            return f"every {word}"
    return rule


def _part(piece: str, text: str) -> tuple[str, str]:
    name, _, value = piece.partition("=")
    shape = _PARTS.get(name)
    if name in _TIMES:
        raise InvalidSchedule(f"{name}= says a time of day, which at= gives; leave it out.")
    if name == "FREQ" and value in _TOO_OFTEN:
        raise InvalidSchedule("A broadcast recurs by days at most: FREQ=DAILY, and at= the time.")
    if shape is None or not re.fullmatch(shape, value):
        raise InvalidSchedule(f"{piece[:40] or text[:40]!r} is no part of a rule: {_EXAMPLES}.")
    return name, value


def _check_days(parts: dict[str, str]) -> None:
    """Refuse days that no month has; the library would look for them until the year 9999."""
    days = [abs(int(each)) for each in parts.get("BYMONTHDAY", "1").split(",")]
    months = [int(each) for each in parts.get("BYMONTH", "1").split(",")]
    # 2028 is a leap year.
    if min(days) > max(calendar.monthrange(2028, month)[1] for month in months):
        raise InvalidSchedule(
            f"No month {parts['BYMONTH']} has a day {parts['BYMONTHDAY']}: it never comes true."
        )


def _settled(rule: str, at: datetime, standard: tzinfo) -> str:
    """Return *rule* as it is kept: an UNTIL on the wall clock, a last day for every month."""
    if rule == _SIMPLE["month"] and at.day > _EVERY_MONTH_HAS:
        days = ",".join(str(day) for day in range(_EVERY_MONTH_HAS, at.day + 1))
        return f"{rule};BYMONTHDAY={days};BYSETPOS=-1"
    found = _UNTIL.search(rule)
    if found is None:
        return rule
    day, clock, utc = found.groups()
    try:
        until = datetime.strptime(day + (clock or "T235959"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 — a wall clock's
    except ValueError as error:
        raise InvalidSchedule(f"UNTIL={found[0][6:]} is in no calendar.") from error
    if utc:
        until = until.replace(tzinfo=UTC).astimezone(standard).replace(tzinfo=None)
    if until < at:
        raise InvalidSchedule("UNTIL= is before at=: the rule never comes true.")
    return rule.replace(found[0], f"UNTIL={until:%Y%m%dT%H%M%S}")


def _next(schedule: Schedule, after: datetime, *, inclusive: bool) -> datetime | None:
    if schedule.rule is None:
        return None
    found: datetime | None = rrulestr(schedule.rule, dtstart=schedule.at).after(
        after, inc=inclusive
    )
    return found


def _written(local: datetime) -> str:
    return local.isoformat(timespec="minutes")


_MOMENT: Final = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})[T ] *([0-9]{1,2}):([0-9]{2})(?::00)?", re.ASCII
)
_SIMPLE: Final = {"day": "FREQ=DAILY", "week": "FREQ=WEEKLY", "month": "FREQ=MONTHLY"}
_EVERY_MONTH_HAS: Final = 28
_LAST_DAYS: Final = re.compile(r"FREQ=MONTHLY;BYMONTHDAY=28,[0-9,]+;BYSETPOS=-1")
_UNTIL: Final = re.compile(r"UNTIL=([0-9]{8})(T[0-9]{6})?(Z)?")
_EXAMPLES: Final = (
    "write day, week, month, or a rule of RFC 5545 such as FREQ=WEEKLY;BYDAY=MO,TH or"
    " FREQ=MONTHLY;BYDAY=1MO;COUNT=6"
)
_TOO_OFTEN: Final = frozenset({"SECONDLY", "MINUTELY", "HOURLY"})
_TIMES: Final = frozenset({"BYHOUR", "BYMINUTE", "BYSECOND", "DTSTART"})
_LISTED: Final = r"(?:{0})(?:,(?:{0}))*"
_PARTS: Final = {
    "FREQ": "DAILY|WEEKLY|MONTHLY|YEARLY",
    "INTERVAL": "[1-9][0-9]{0,2}",
    "COUNT": "[1-9][0-9]{0,2}",
    "UNTIL": "[0-9]{8}(?:T[0-9]{6}Z?)?",
    "BYDAY": _LISTED.format("[+-]?[1-5]?(?:MO|TU|WE|TH|FR|SA|SU)"),
    "BYMONTHDAY": _LISTED.format("-?(?:[1-9]|[12][0-9]|3[01])"),
    "BYMONTH": _LISTED.format("[1-9]|1[0-2]"),
    "BYSETPOS": _LISTED.format("-?[1-9][0-9]?"),
    "WKST": "MO|TU|WE|TH|FR|SA|SU",
}
