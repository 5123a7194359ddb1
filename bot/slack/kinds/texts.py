"""Texts and names, as commands take them."""

from typing import Final

from bot.slack.declare import Kind, Wrong
from bot.slack.kinds.base import Off, read_by
from bot.slack.words import quoted
from engine import (
    names,
    personalise,
)


def _text(text: str) -> str | Wrong:
    if not names.cleaned(text):
        return Wrong(must_be="some text")
    if len(text) > _LONGEST_TEXT:
        return Wrong(must_be=f"at most {_LONGEST_TEXT:,} characters of text")
    try:
        personalise.parse(text)
    except personalise.InvalidText as error:
        return Wrong(because=str(error))
    return text


def _body(text: str) -> str | Wrong:
    """Read a text of a template, whose braces are its own."""
    if not names.cleaned(text):
        return Wrong(must_be="some text")
    if len(text) > _LONGEST_TEXT:
        return Wrong(must_be=f"at most {_LONGEST_TEXT:,} characters of text")
    return text


def _body_or_off(text: str) -> str | Off | Wrong:
    return Off.OFF if text.strip().lower() == Off.OFF.value else _body(text)


def read_line(text: str) -> str | Wrong:
    shown = names.cleaned(text)
    if len(shown) > _LONGEST_LINE:
        return Wrong(must_be=f"at most {_LONGEST_LINE} characters")
    return shown or Wrong(must_be="some text")


def _as_it_is(text: str) -> str | Wrong:
    written = text.strip()
    if len(written) > _LONGEST_LINK:
        return Wrong(must_be=f"an address of at most {_LONGEST_LINK:,} characters")
    return written or Wrong(must_be="an address like https://example.com/a.jpg")


def _about(text: str) -> str | Wrong:
    shown = names.cleaned(text)
    if len(shown) > _LONGEST_LINE:
        return Wrong(must_be=f"at most {_LONGEST_LINE} characters")
    return shown


_LONGEST_TEXT: Final = 4_096  # characters of a WhatsApp text
_LONGEST_LINE: Final = 256
_LONGEST_LINK: Final = 2_000

NAME: Final[Kind[str]] = Kind(
    shape="name",
    read=read_by(names.campaign, f"a name of at most {names.LONGEST_NAME} characters"),
)
TEXT: Final[Kind[str]] = Kind(shape='"…"', read=_text, show=quoted)
BODY: Final[Kind[str]] = Kind(shape='"…"', read=_body, show=quoted)
BODY_OR_OFF: Final[Kind[str | Off]] = Kind(shape='"…"|off', read=_body_or_off)
ADDRESS: Final[Kind[str]] = Kind(shape="link", read=_as_it_is)
LINE: Final[Kind[str]] = Kind(shape="text", read=read_line)
ABOUT: Final[Kind[str]] = Kind(shape="text", read=_about, show=quoted)
