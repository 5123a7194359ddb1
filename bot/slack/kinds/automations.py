"""What sets an automation off, and what it does."""

import re
from typing import Final

from bot.slack.declare import Kind, Wrong
from bot.slack.kinds.base import read_by
from bot.slack.words import words
from engine import (
    automation_text,
    event_condition,
    names,
)
from engine.automation_text import InvalidAutomation, WrittenAction, WrittenTrigger
from engine.event_condition import InvalidCondition
from engine.segment import Condition


def _trigger(text: str) -> str | Wrong:
    if text.strip().lower() == automation_text.MANUAL:
        return automation_text.MANUAL
    read = _when(text)
    return read if isinstance(read, Wrong) else str(read)


def _when(text: str) -> WrittenTrigger | Wrong:
    try:
        return automation_text.read_trigger(text)
    except InvalidAutomation as error:
        return Wrong(because=str(error))


def _properties(text: str) -> Condition | Wrong:
    whole = words(text) if text.startswith('"') else ()
    try:
        return event_condition.parse(whole[0].text if isinstance(whole, tuple) and whole else text)
    except InvalidCondition as error:
        return Wrong(because=str(error))


def _then(text: str) -> WrittenAction | Wrong:
    try:
        return automation_text.read_action(text)
    except InvalidAutomation as error:
        return Wrong(because=str(error))


def _then_goes_on(so_far: str, _following: str) -> bool:
    return bool(_UNFINISHED.fullmatch(so_far.strip()))


# A verb alone, or the channel to be told something, wants the next word too.
_UNFINISHED: Final = re.compile(r"[A-Za-z]+|tell[ :]\S+", re.IGNORECASE)
_SHAPE: Final = (
    "contact_created|tag:<tag>|event:<name>|keyword:<word>|segment:<name>|date:<attribute>"
    "|replied|delivered|read|clicked|resolved|api"
)
TRIGGER: Final[Kind[str]] = Kind(shape=f"{automation_text.MANUAL}|{_SHAPE}", read=_trigger)
WHEN: Final[Kind[WrittenTrigger]] = Kind(shape=_SHAPE, read=_when)
THEN: Final[Kind[WrittenAction]] = Kind(
    shape='enroll:<campaign>|unenroll:<campaign>|tag:<tag>|untag:<tag>|tell:<#channel> "…"',
    read=_then,
    goes_on=_then_goes_on,
)
# Quotes inside are its own; it goes on to the next option.
PROPERTIES: Final[Kind[Condition]] = Kind(
    shape="condition",
    read=_properties,
    show=event_condition.show,
    raw=True,
    goes_on=lambda _so_far, _following: True,
)
EVENT: Final[Kind[str]] = Kind(
    shape="name",
    read=read_by(
        automation_text.event_name,
        f"an event's name of at most {names.LONGEST_ATTRIBUTE} characters, like order_paid",
    ),
)
