"""Spans of time as staff and configuration write them: ``2d``, ``3h``, ``30m``, ``1w``, ``45s``."""

import re
from datetime import timedelta
from typing import Final

OFF: Final = "off"


class InvalidDuration(ValueError):
    """The text is no span of time; the message says what is."""


def parse(text: str) -> timedelta:
    """Read a whole number and its unit, or several, the largest unit first.

    >>> parse("2d")
    datetime.timedelta(days=2)
    >>> parse("1h30m")
    datetime.timedelta(seconds=5400)

    Raises:
        InvalidDuration: It is something else, negative, or longer than ten years.
    """
    found = _SPAN.fullmatch("".join(text.split()).lower())
    if found is None or not found.group():
        raise InvalidDuration(f"{text[:40]!r} is no duration: write 45s, 30m, 3h, 2d or 1w.")
    seconds = sum(
        int(count) * unit
        for count, unit in zip(found.groups(), _UNITS.values(), strict=True)
        if count is not None
    )
    if seconds > _LONGEST.total_seconds():
        raise InvalidDuration(f"{text[:40]!r} is longer than ten years.")
    return timedelta(seconds=seconds)


def parse_or_off(text: str) -> timedelta | None:
    """Read a span of time; None for ``off``.

    Raises:
        InvalidDuration: It is neither.
    """
    if text.strip().lower() == OFF:
        return None
    try:
        return parse(text)
    except InvalidDuration as error:
        raise InvalidDuration(f'{str(error).removesuffix(".")}, or "off".') from error


def show(span: timedelta | None) -> str:
    """Write a span as :func:`parse` reads it, fractions of a second cut off; None is ``off``.

    >>> show(timedelta(hours=36))
    '36h'
    >>> show(timedelta(minutes=90))
    '90m'

    Raises:
        ValueError: It is negative.
    """
    if span is None:
        return OFF
    seconds = int(span.total_seconds())
    if span < timedelta(0):
        raise ValueError(f"{span} is negative.")
    for unit, length in _UNITS.items():
        if seconds and seconds % length == 0:
            return f"{seconds // length}{unit}"
    return "0s"


_UNITS: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_LONGEST: Final = timedelta(days=3_660)
_SPAN: Final = re.compile("".join(f"(?:([0-9]{{1,9}}){unit})?" for unit in _UNITS))
