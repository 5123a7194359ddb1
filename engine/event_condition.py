"""Conditions on the properties of a custom event, in the manner of segments.

::

    event.total >= 100 and (event.plan is "pro" or event.plan is "team") and event.coupon is not set

A property is compared as what it is compared with: with a number as a number, with a day as a day.
What is no such thing fulfils nothing, and what the event does not have fulfils only "is not".
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar, Final

from engine import names
from engine.segment import Attribute, Condition, Definition, Field
from engine.segment_facts import Facts, holds
from engine.segment_parser import JOINING, NUMBER, InvalidSegment, Reader, TokenKind, tokens
from engine.segment_text import Known, Writer

PREFIX: Final = "event."
LONGEST: Final = 500
_EXPECTED: Final = (
    'a condition such as total >= 100, plan is "pro", due before 2026-12-31 or coupon is set'
)
_OPERATORS: Final = (
    "is, is not, contains, begins with (then a text in quotes), =, !=, <, <=, > or >= (then a"
    ' number), before, after, on (then a day as 2026-12-31), or "is set"'
)
_YES_NO: Final = frozenset({"yes", "no", "true", "false"})
_NOTHING: Final = Known(attributes={}, tags=(), lists={}, segments={}, campaigns={})
_ANY_TIME: Final = datetime.min.replace(tzinfo=UTC)


class InvalidCondition(ValueError):
    """The text is no condition; the message says where, and what would do."""


def parse(text: str) -> Condition:
    """Read a condition; each property may be written with ``event.`` before it or without.

    >>> show(parse('Total >= 100 and plan is pro'))
    'event.total >= 100 and event.plan is "pro"'

    Raises:
        InvalidCondition: Says at which word, and what was expected there.
    """
    if len(text) > LONGEST:
        raise InvalidCondition(
            f"A condition has at most {LONGEST} characters, this one has {len(text):,}."
        )
    try:
        return _Reader(tokens(text), _NOTHING).whole()
    except InvalidSegment as error:
        raise InvalidCondition(str(error)) from error


def show(condition: Condition) -> str:
    """Write a condition as :func:`parse` reads it."""
    return _Writer(_NOTHING).whole(condition)


def fulfils(properties: Mapping[str, str], condition: Condition) -> bool:
    """Whether an event with *properties* is meant; they are as `fire_event` keeps them."""
    # Nothing here is relative to a time, so any will do.
    return holds(
        Definition(where=condition, zone="UTC"),
        Facts(moments={}, attributes=properties),
        at=_ANY_TIME,
        segments={},
    )


class _Reader(Reader):
    expected: ClassVar[str] = _EXPECTED
    empty: ClassVar[str] = "Nothing says which events are meant"

    def _leaf(self) -> Condition:
        token = self._here
        if token is None or token.kind is not TokenKind.WORD or token.text.lower() in JOINING:
            raise self._wrong(f"expected {_EXPECTED}.")
        try:
            name = names.attribute(token.text.lower().removeprefix(PREFIX))
        except names.InvalidName as error:
            raise self._wrong(f"expected the name of a property. {error}") from error
        self._at += 1
        return self._compared(Attribute(name))

    def _compared(self, field: Attribute) -> Condition:
        match self._words(3):
            case ["<" | "<=" | ">" | ">=", *_]:
                return self._number(field)
            case ["before" | "after" | "on", *_]:
                return self._date(field)
            case ["is", "not", value, *_] | ["=" | "!=" | "<>" | "is", value, *_]:
                if NUMBER.fullmatch(value):
                    return self._number(field)
                return self._yes_no(field) if value in _YES_NO else self._text(field)
            case ["=" | "!=" | "<>" | "is" | "contains" | "begins" | "starts", *_]:
                return self._text(field)
            case _:
                raise self._wrong(f"expected {_OPERATORS}.")

    def _words(self, most: int) -> list[str]:
        """Return what stands here and after it in small letters; what is in quotes is blank."""
        there = self._tokens[self._at : self._at + most]
        return ["" if each.kind is TokenKind.TEXT else each.text.lower() for each in there]


class _Writer(Writer):
    def _field(self, field: Field) -> str:
        return f"{PREFIX}{field.name}" if isinstance(field, Attribute) else super()._field(field)
