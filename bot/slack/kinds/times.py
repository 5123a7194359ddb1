"""Spans, hours, days, moments and paces."""

import re
from datetime import datetime, time, timedelta
from functools import cache
from typing import Final
from zoneinfo import available_timezones

from bot.slack.closest import closest
from bot.slack.declare import Kind, Wrong
from bot.slack.kinds.base import Off, goes_on_listed, none_of, read_by
from engine import (
    duration,
    hours,
    names,
    schedule,
)
from engine.campaign import InvalidRate, Rate
from engine.timing import Anchor


def _span_or_off(text: str) -> timedelta | Off:
    span = duration.parse_or_off(text)
    return Off.OFF if span is None else span


def _show_span_or_off(value: timedelta | Off) -> str:
    return duration.show(None if isinstance(value, Off) else value)


def _hours(text: str) -> str:
    return str(hours.parse(text))


def _days(text: str) -> str:
    return hours.show_days(hours.parse_days(text))


def _rate(text: str) -> Rate | Wrong:
    try:
        return Rate.parse(text.lower())
    except InvalidRate:
        return Wrong(must_be="a number of messages per time, like 5/s, 300/min or 500/h")


def _delay(text: str) -> timedelta | Anchor | Wrong:
    span, colon, attribute = text.partition(":")
    if colon:
        return _anchor(span, attribute, sign=1)
    try:
        return duration.parse(span)
    except ValueError:
        return Wrong(
            must_be="days after a date like 3d:renewal, or a span of time like 30m, 3h, 2d or 1w"
        )


def _before(text: str) -> Anchor | Wrong:
    span, _, attribute = text.partition(":")
    return _anchor(span, attribute, sign=-1)


def _anchor(span: str, attribute: str, *, sign: int) -> Anchor | Wrong:
    must_be = "days or weeks and a date of the contact, like 7d:renewal or 0d:birthday"
    try:
        days, rest = divmod(duration.parse(span), timedelta(days=1))
        name = names.attribute(attribute)
    except ValueError:
        return Wrong(must_be=must_be)
    return Wrong(must_be=must_be) if rest else Anchor(attribute=name, days=sign * days)


def _show_anchor(value: Anchor) -> str:
    return f"{abs(value.days)}d:{value.attribute}"


def _show_delay(value: timedelta | Anchor) -> str:
    return _show_anchor(value) if isinstance(value, Anchor) else duration.show(value)


def _clock(text: str) -> time | Off | Wrong:
    if text.strip().lower() == Off.OFF.value:
        return Off.OFF
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        return Wrong(must_be="a time of day like 09:00 or 17:30, or off")
    return time(int(found[1]), int(found[2]))


def _show_clock(value: time | Off) -> str:
    return value.value if isinstance(value, Off) else value.strftime("%H:%M")


def _weekday(text: str) -> int | Off | Wrong:
    written = text.strip().lower()
    if written == Off.OFF.value:
        return Off.OFF
    for index, name in enumerate(_WEEKDAYS):
        if written in (name, name[:3]):
            return index
    return none_of(text, (*_WEEKDAYS, Off.OFF.value))


def _show_weekday(value: int | Off) -> str:
    return value.value if isinstance(value, Off) else _WEEKDAYS[value]


def _own_hours(text: str) -> str | Off:
    return Off.OFF if text.strip().lower() == _CAMPAIGN else _hours(text)


def _own_days(text: str) -> str | Off:
    return Off.OFF if text.strip().lower() == _CAMPAIGN else _days(text)


def _show_own(value: str | Off) -> str:
    return _CAMPAIGN if isinstance(value, Off) else value


def _moment(text: str) -> datetime | Wrong:
    try:
        return schedule.parse_moment(text)
    except schedule.InvalidSchedule as error:
        return Wrong(because=str(error))


def _every(text: str) -> str | Wrong:
    try:
        return schedule.parse_every(text)
    except schedule.InvalidSchedule as error:
        return Wrong(because=str(error))


@cache
def _zones() -> dict[str, str]:
    """Return all time zones by their names in small letters; finding them takes many files."""
    return {name.lower(): name for name in available_timezones()}


def _zone(text: str) -> str | Wrong:
    written = text.strip().replace(" ", "_")
    if written.lower() == schedule.CONTACT:
        return schedule.CONTACT
    known = _zones()
    found = known.get(written.lower())
    if found is not None:
        return found
    # People write the city alone.
    cities = [n for n in known.values() if n.rpartition("/")[2].lower() == written.lower()]
    if len(cities) == 1:
        return cities[0]
    meant = closest(written, sorted(known.values()))
    hint = f" (did you mean {meant}?)" if meant else ""
    return Wrong(must_be=f"contact, or a time zone like Europe/Amsterdam{hint}")


def _timed(so_far: str, following: str) -> bool:
    return bool(_DAY.fullmatch(so_far) and _TIME.fullmatch(following))


_CAMPAIGN: Final = "campaign"
_WEEKDAYS: Final = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
_CLOCK: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")
_TIME: Final = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::00)?")
DURATION: Final[Kind[timedelta]] = Kind(
    shape="2d|3h|30m|1w",
    read=read_by(duration.parse, "a span of time like 30m, 3h, 2d or 1w"),
    show=duration.show,
)
DURATION_OR_OFF: Final[Kind[timedelta | Off]] = Kind(
    shape="48h|off",
    read=read_by(_span_or_off, "a span of time like 48h, or off"),
    show=_show_span_or_off,
)
HOURS: Final[Kind[str]] = Kind(
    shape="hh:mm-hh:mm|off",
    read=read_by(_hours, "two times of day like 08:00-20:00, or off"),
)
DAYS: Final[Kind[str]] = Kind(
    shape="mon-fri", read=read_by(_days, "days like mon-fri or mon,wed,sat"), goes_on=goes_on_listed
)
DELAY: Final[Kind[timedelta | Anchor]] = Kind(
    shape="2d|3h|30m|1w|3d:<date>", read=_delay, show=_show_delay
)
BEFORE: Final[Kind[Anchor]] = Kind(shape="7d:<date>", read=_before, show=_show_anchor)
CLOCK: Final[Kind[time | Off]] = Kind(shape="hh:mm|off", read=_clock, show=_show_clock)
WEEKDAY: Final[Kind[int | Off]] = Kind(shape="weekday|off", read=_weekday, show=_show_weekday)
OWN_HOURS: Final[Kind[str | Off]] = Kind(
    shape="hh:mm-hh:mm|off|campaign",
    read=read_by(_own_hours, "two times of day like 08:00-20:00, off, or campaign"),
    show=_show_own,
)
OWN_DAYS: Final[Kind[str | Off]] = Kind(
    shape="mon-fri|campaign",
    read=read_by(_own_days, "days like mon-fri or mon,wed,sat, or campaign"),
    show=_show_own,
    goes_on=goes_on_listed,
)
RATE: Final[Kind[Rate]] = Kind(shape="5/s|300/min|500/h", read=_rate)
MOMENT: Final[Kind[datetime]] = Kind(
    shape="2026-12-01 10:00",
    read=_moment,
    show=lambda value: f"{value:%Y-%m-%d %H:%M}",
    goes_on=_timed,
)
ZONE: Final[Kind[str]] = Kind(shape="contact|<tz>", read=_zone)
EVERY: Final[Kind[str]] = Kind(shape='day|week|month|"RRULE"', read=_every)
