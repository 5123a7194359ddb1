"""For whom a step holds, and what it waits for."""

import re
from typing import Final

from bot.slack.closest import closest
from bot.slack.declare import Kind, Wrong
from bot.slack.kinds.base import Off, goes_on_listed, parts_of
from bot.slack.words import Unreadable, quoted, words
from engine import (
    names,
    personalise,
)
from engine.conditions import Fact
from engine.usecases.write_step import Asked


def _conditions(text: str) -> tuple[Asked, ...] | Off | Wrong:
    if text.strip().lower() == Off.OFF.value:
        return Off.OFF
    whole = words(text)
    if not isinstance(whole, Unreadable) and len(whole) == 1 and whole[0].quoted:
        text = whole[0].text
    read = [_condition(piece.strip()) for piece in parts_of(text)]
    if not read:
        return Wrong(must_be=_CONDITION)
    asked: list[Asked] = []
    for each in read:
        if isinstance(each, Wrong):
            return each
        asked.append(each)
    return tuple(dict.fromkeys(asked))


def _condition(text: str) -> Asked | Wrong:
    word, colon, rest = text.partition(":")
    word = word.strip().lower().replace("-", "_").replace(" ", "_")
    if word == "tag" and colon:
        try:
            return Asked(tag=names.tag(rest))
        except names.InvalidName:
            return Wrong(must_be="tag:<tag> with one tag, like tag:vip")
    if word.startswith(personalise.OF_EVENT) and colon:
        value = names.cleaned(rest)
        try:
            name = names.attribute(word.removeprefix(personalise.OF_EVENT))
        except names.InvalidName:
            name = ""
        if not name or not value:
            return Wrong(must_be="event.<property>:<value>, like event.plan:gold")
        return Asked(property=name, value=value)
    if word not in set(Fact) or (colon and not _STEP_NUMBER.fullmatch(rest.strip())):
        meant = closest(word, tuple(Fact))
        hint = "" if meant is None or meant == word else f" (did you mean {meant}?)"
        return Wrong(must_be=_CONDITION + hint)
    return Asked(fact=Fact(word), number=int(rest) if colon else None)


def _show_conditions(value: tuple[Asked, ...] | Off) -> str:
    if isinstance(value, Off):
        return value.value
    return ",".join(map(_show_condition, value))


def _show_condition(asked: Asked) -> str:
    if asked.property is not None:
        return f"{personalise.OF_EVENT}{asked.property}:{quoted(asked.value)}"
    if asked.fact is None:
        return f"tag:{quoted(asked.tag or '')}"
    return str(asked.fact) + (f":{asked.number}" if asked.number else "")


def _wait(text: str) -> bool | Wrong:
    match text.strip().lower():
        case "delivered":
            return True
        case "off" | "no":
            return False
        case _:
            return Wrong(must_be="delivered or off")


_STEP_NUMBER: Final = re.compile(r"[1-9][0-9]{0,2}")
_CONDITION: Final = (
    "replied, not_replied, delivered, read, not_read, clicked (of another step: read:2),"
    " tag:<tag> or event.<property>:<value>, or several with commas, or off"
)
CONDITIONS: Final[Kind[tuple[Asked, ...] | Off]] = Kind(
    shape="replied|not_replied|delivered|read|not_read|clicked|tag:<tag>|event.<property>:<value>|off",
    read=_conditions,
    show=_show_conditions,
    raw=True,
    goes_on=goes_on_listed,
)
WAIT: Final[Kind[bool]] = Kind(
    shape="delivered|off", read=_wait, show=lambda value: "delivered" if value else "off"
)
