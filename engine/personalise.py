"""Texts with places for what is known of a contact: ``Hi {first_name|there}!``."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from engine import names

BUILT_IN: Final = ("first_name", "name", "company", "phone", "email")

OF_EVENT: Final = "event."
"""How tokens begin that stand for a property of the event that enrolled the contact."""


class InvalidText(ValueError):
    """A text cannot be personalised as written; the message is a sentence for staff."""


class UnknownToken(InvalidText):
    """No contact has such a value.

    Attributes:
        token: As staff wrote it.
        closest: The known token they may have meant; None if none is alike.
    """

    def __init__(self, token: str, closest: str | None) -> None:
        hint = (
            f"Did you mean {{{closest}}}?"
            if closest
            else f"Write {', '.join(f'{{{each}}}' for each in BUILT_IN)} or an attribute, which"
            " /drip attribute list shows."
        )
        shown = names.echoed(token)
        super().__init__(f"{{{shown}}} is not known. {hint} A literal brace is written \\{{.")
        self.token = token
        self.closest = closest


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A place for a value.

    Attributes:
        fallback: What stands there when the contact has no value, may be empty; None: then the
            text cannot be rendered for that contact.
    """

    name: str
    fallback: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Values a text needs and a contact does not have, each once, in the text's order."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text taken apart.

    Attributes:
        parts: Literal text (braces unescaped, never empty, no two in a row) and tokens.
    """

    parts: tuple[str | Token, ...]

    @property
    def tokens(self) -> tuple[Token, ...]:
        return tuple(part for part in self.parts if isinstance(part, Token))

    def render(self, values: Mapping[str, str]) -> str | Missing:
        """Fill the places; a value that is absent or blank counts as missing.

        Values stand as they are: a brace in one is never read as a token.
        """
        written: list[str] = []
        for part in self.parts:
            if isinstance(part, str):
                written.append(part)
                continue
            value = values.get(part.name)
            if value and not value.isspace():
                written.append(value)
            elif part.fallback is not None:
                written.append(part.fallback)
            else:
                return self._missing(values)
        return "".join(written)

    def _missing(self, values: Mapping[str, str]) -> Missing:
        needed = dict.fromkeys(
            token.name
            for token in self.tokens
            if token.fallback is None and not values.get(token.name, "").strip()
        )
        return Missing(names=tuple(needed))

    def __str__(self) -> str:
        """Write the text as :func:`parse` reads it."""
        return "".join(
            _escaped(part) if isinstance(part, str) else _written(part) for part in self.parts
        )


def parse(text: str, *, known: Collection[str] | None = None) -> Text:
    r"""Take a text apart.

    >>> parse(r"Hi {first_name|there}, \{really}").render({"first_name": "Ada"})
    'Hi Ada, {really}'

    Args:
        text: ``{name}``, ``{name|fallback}``, either in double braces; ``\{`` and ``\}`` are
            braces, any other backslash is itself, and so is a ``}`` outside a token.
        known: Attributes that contacts of the organization have, besides the built-in tokens;
            None allows every name.

    Raises:
        UnknownToken: *known* is given and has no such name.
        InvalidText: A brace is not closed, a token has no name, or is a template's number.
    """
    parts: list[str | Token] = []
    literal: list[str] = []
    at = 0
    for found in _PIECE.finditer(text):
        literal.append(text[at : found.start()])
        at = found.end()
        if (brace := found["brace"]) is not None:
            literal.append(brace)
            continue
        if found["unclosed"] is not None:
            raise InvalidText(
                f"The brace in {text[found.start() : found.start() + 20]!r} is not closed:"
                " put } behind the name, or write \\{ for a brace."
            )
        if any(literal):
            parts.append("".join(literal))
        literal = []
        double = found["double"]
        parts.append(_token(found["single"] if double is None else double, known))
    literal.append(text[at:])
    if any(literal):
        parts.append("".join(literal))
    return Text(parts=tuple(parts))


def clean_parameter(value: str) -> str | None:
    r"""Return *value* as a template's parameter may be; None when nothing is left to send.

    >>> clean_parameter(" 12 Main St\n\tUtrecht ")
    '12 Main St Utrecht'

    Source: Meta's templates refuse newlines, tabs, more than four spaces in a row and empty
    parameters (132000, 132012); the rule is old and no longer on a current page.
    """
    one_line = " ".join(value.split())
    return one_line if _SEEN.search(one_line) else None


# A backslash before a brace escapes it; braces inside a token need that too.
_INSIDE: Final = r"(?:\\[{}]|[^{}\\]|\\(?![{}]))*"
_PIECE: Final = re.compile(
    r"\\(?P<brace>[{}])"
    rf"|\{{\{{(?P<double>{_INSIDE})\}}\}}"
    rf"|\{{(?P<single>{_INSIDE})\}}"
    r"|(?P<unclosed>\{)"
)
_ESCAPED: Final = re.compile(r"\\([{}])")
_BRACE: Final = re.compile(r"[{}]")
_SEEN: Final = re.compile("[^\\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")


def _token(inside: str, known: Collection[str] | None) -> Token:
    written, bar, fallback = inside.partition("|")
    written = names.cleaned(written)
    if not written:
        raise InvalidText("{} names nothing; a literal brace is written \\{.")
    if written.isdecimal():
        raise InvalidText(
            f"{{{{{written}}}}} is a numbered place of a template; in a text write a name,"
            " such as {first_name}."
        )
    of_event = written.lower().startswith(OF_EVENT)
    try:
        name = names.attribute(written[len(OF_EVENT) :] if of_event else written)
    except names.InvalidName as error:
        raise InvalidText(f"{{{written[:40]}}} is no token. {error}") from error
    if of_event:
        # Which properties an event has shows when it happens.
        return Token(
            name=f"{OF_EVENT}{name}", fallback=_ESCAPED.sub(r"\1", fallback) if bar else None
        )
    if known is not None and name not in known and name not in BUILT_IN:
        raise UnknownToken(written, names.closest(name, [*BUILT_IN, *known]))
    return Token(name=name, fallback=_ESCAPED.sub(r"\1", fallback) if bar else None)


def _escaped(literal: str) -> str:
    return _BRACE.sub(lambda brace: f"\\{brace[0]}", literal)


def _written(token: Token) -> str:
    fallback = "" if token.fallback is None else f"|{_escaped(token.fallback)}"
    return f"{{{token.name}{fallback}}}"
