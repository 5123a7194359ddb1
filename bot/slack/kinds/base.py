"""Kinds of values that many commands take, and what other kinds are made of."""

import re
from collections.abc import Callable
from enum import Enum, StrEnum
from typing import Final, TypeVar

from bot.slack.closest import closest
from bot.slack.declare import Kind, Wrong
from bot.slack.words import Unreadable, words

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


class Off(Enum):
    """Somebody wants none, as against nobody said anything (None)."""

    OFF = "off"


class Standard(Enum):
    """Somebody wants what holds where nothing is said, as against nobody said anything (None)."""

    STANDARD = "default"


def or_standard(kind: Kind[T]) -> Kind[T | Standard]:
    """Return the kind that also takes "default", for changing back what somebody chose."""

    def read(text: str) -> T | Standard | Wrong:
        if text.strip().lower() == Standard.STANDARD.value:
            return Standard.STANDARD
        value = kind.read(text)
        if isinstance(value, Wrong) and value.must_be:
            return Wrong(must_be=f"{value.must_be}, or default")
        return value

    def show(value: T | Standard) -> str:
        return value.value if isinstance(value, Standard) else kind.show(value)

    return Kind(
        shape=f"{kind.shape}|{Standard.STANDARD.value}",
        read=read,
        show=show,
        raw=kind.raw,
        goes_on=kind.goes_on,
    )


def choice(options: type[E]) -> Kind[E]:
    """Return the kind of a value that is one of an enumeration."""

    def read(text: str) -> E | Wrong:
        written = text.strip().lower().replace(" ", "_").replace("-", "_")
        try:
            return options(written)
        except ValueError:
            return none_of(text, tuple(options))

    return Kind(shape="|".join(options), read=read)


def word_of(*options: str) -> Kind[str]:
    """Return the kind of a value that is one of *options*."""

    def read(text: str) -> str | Wrong:
        written = text.strip().lower().replace(" ", "_").replace("-", "_")
        return written if written in options else none_of(text, options)

    return Kind(shape="|".join(options), read=read)


def whole(least: int, most: int) -> Kind[int]:
    """Return the kind of a whole number within bounds; thousands may be parted."""
    must_be = f"a whole number from {least:,} to {most:,}"

    def read(text: str) -> int | Wrong:
        written = text.strip()
        digits = re.sub("[^0-9]", "", written) if _PARTED.fullmatch(written) else written
        if not _DIGITS.fullmatch(digits) or not least <= int(digits) <= most:
            return Wrong(must_be=must_be)
        return int(digits)

    return Kind(shape=f"{least}-{most}" if most < _FEW else "n", read=read)


def or_nothing(kind: Kind[str]) -> Kind[str]:
    """Return the kind of a value that may also be empty, which removes what is there."""

    def read(text: str) -> str | Wrong:
        return kind.read(text) if text.strip() else ""

    return Kind(shape=kind.shape, read=read)


def none_of(text: str, options: tuple[str, ...]) -> Wrong:
    meant = closest(text, options)
    listed = f"{', '.join(options[:-1])} or {options[-1]}" if len(options) > 1 else options[0]
    return Wrong(must_be=listed if meant is None else f"{listed} (did you mean {meant}?)")


def read_by(parse: Callable[[str], T], must_be: str) -> Callable[[str], T | Wrong]:
    """Read with the engine's *parse*; its refusals are all some ValueError of its own."""

    def read(text: str) -> T | Wrong:
        try:
            return parse(text)
        except ValueError:
            return Wrong(must_be=must_be)

    return read


def _confirmed(text: str) -> int | Wrong:
    written = text.strip()
    if not _DIGITS.fullmatch(written):
        return Wrong(must_be="what the same command without confirm= says to write")
    return int(written)


def _yes_no(text: str) -> bool | Wrong:
    match text.strip().lower():
        case "yes" | "y" | "true" | "on" | "1":
            return True
        case "no" | "n" | "false" | "off" | "0":
            return False
        case _:
            return Wrong(must_be="yes or no")


def parts_of(text: str) -> list[str]:
    """Part at commas outside of quotes; the quotes go."""
    parts = re.findall(r'(?:"(?:\\.|[^"\\])*"|[^",])+|(?<=,)(?=,|$)', text)
    read = (words(part.strip()) for part in parts)
    return [
        "" if isinstance(each, Unreadable) else " ".join(word.text for word in each)
        for each in read
    ]


def goes_on_listed(so_far: str, following: str) -> bool:
    return so_far.endswith(",") or following.startswith(",")


_FEW: Final = 1_000
_PARTED: Final = re.compile(r"[0-9]{1,3}(?:[,. _'][0-9]{3})+")
_DIGITS: Final = re.compile(r"[0-9]{1,12}")
YES_NO: Final[Kind[bool]] = Kind(
    shape="yes|no", read=_yes_no, show=lambda value: "yes" if value else "no"
)
COUNT: Final = whole(0, 1_000_000_000)
CONFIRMED: Final[Kind[int]] = Kind(shape="step id", read=_confirmed)
NUMBERED: Final = whole(1, 1_000)
