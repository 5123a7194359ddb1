"""Whom a command is about: ``+31612345678``, ``tag:vip``, ``campaign:"Spring Sale"``, ``all``."""

import re
from dataclasses import dataclass
from typing import Final, assert_never

from engine import names, phone
from engine.phone import InvalidPhone, Phone

EXPECTED: Final = "a phone, tag:<tag>, list:<list>, segment:<segment>, campaign:<name> or all"


class InvalidWho(ValueError):
    """The text names nobody; the message is a sentence that says what would."""


@dataclass(frozen=True, slots=True)
class Number:
    phone: Phone


@dataclass(frozen=True, slots=True)
class Tagged:
    tag: str


@dataclass(frozen=True, slots=True)
class OnList:
    """*name* as written; which list it is, or begins, is for who knows the lists."""

    name: str


@dataclass(frozen=True, slots=True)
class InSegment:
    """*name* as written; which segment it is, or begins, is for who knows the segments."""

    name: str


@dataclass(frozen=True, slots=True)
class InCampaign:
    """*name* as written; which campaign it is, or begins, is for who knows the campaigns."""

    name: str


@dataclass(frozen=True, slots=True)
class Everybody:
    """All contacts of the organization."""


Part = Number | Tagged | OnList | InSegment | InCampaign | Everybody


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Contacts that are in at least one part.

    Attributes:
        parts: At least one, each once, in the order written; Everybody stands alone.
    """

    parts: tuple[Part, ...]

    def __str__(self) -> str:
        """Write it as :func:`parse` reads it."""
        return ",".join(map(_show, self.parts))


def parse(text: str, *, country: str | None) -> Who:
    r"""Read one or several, joined by commas; a name with a comma or a quote goes in quotes.

    >>> parse('tag:VIP, campaign:"Spring, Summer"', country=None).parts
    (Tagged(tag='vip'), InCampaign(name='Spring, Summer'))

    Args:
        text: In quotes ``\"`` is a quote and ``\\`` a backslash.
        country: Region of phones without a country code; None refuses those.

    Raises:
        InvalidWho: A part is empty, of no known kind, or not what its kind needs.
    """
    whole = _QUOTED.fullmatch(text.strip())
    written = text if whole is None else _unquoted(whole[0])
    # A list of one part may be written all in quotes, the way names with spaces are.
    parts = dict.fromkeys(_part(piece, country) for piece in _pieces(written))
    return Who(parts=(Everybody(),) if Everybody() in parts else tuple(parts))


_QUOTED: Final = re.compile(r'"(?:\\.|[^"\\])*"', re.DOTALL)
_PIECE: Final = re.compile(r'(?:"(?:\\.|[^"\\])*"|[^",])*', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_KINDS: Final = ("tag", "list", "segment", "campaign", "phone")
_BEGINS_NUMBER: Final = re.compile(r"[+(\d]")
_ALL: Final = "all"


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    at = 0
    while True:
        found = _PIECE.match(text, at)
        end = at if found is None else found.end()
        pieces.append(text[at:end].strip())
        if end == len(text):
            return pieces
        if text[end] != ",":
            raise InvalidWho(f"A quote in {text[:60]!r} is not closed.")
        at = end + 1


def _part(piece: str, country: str | None) -> Part:
    if not piece:
        raise InvalidWho(f"Somebody is missing: write {EXPECTED}, with commas between several.")
    if piece.lower() == _ALL:
        return Everybody()
    if _BEGINS_NUMBER.match(piece):
        return _number(piece, country)
    kind, colon, value = piece.partition(":")
    if not colon:
        raise InvalidWho(f"{piece[:60]!r} says not what it is: write {EXPECTED}.")
    return _of_kind(kind.strip().lower(), _unquoted(value.strip()), country)


def _of_kind(kind: str, value: str, country: str | None) -> Part:
    try:
        match kind:
            case "tag":
                return Tagged(names.tag(value))
            case "list":
                return OnList(names.campaign(value))
            case "segment":
                return InSegment(names.campaign(value))
            case "campaign":
                return InCampaign(names.campaign(value))
            case "phone":
                return _number(value, country)
            case _:
                closest = names.closest(kind, _KINDS)
                meant = f" Did you mean {closest}:?" if closest else ""
                raise InvalidWho(f"{kind[:30]}: is not known.{meant} Write {EXPECTED}.")
    except names.InvalidName as error:
        raise InvalidWho(f"What follows {kind}: cannot be. {error}") from error


def _number(written: str, country: str | None) -> Number:
    try:
        return Number(phone.parse(written, country=country))
    except InvalidPhone as error:
        raise InvalidWho(error.of(written)) from error


def _unquoted(value: str) -> str:
    return _ESCAPED.sub(r"\1", value[1:-1]) if _QUOTED.fullmatch(value) else value


def _show(part: Part) -> str:
    match part:
        case Number():
            return part.phone
        case Tagged():
            return f"tag:{_quoted(part.tag)}"
        case OnList():
            return f"list:{_quoted(part.name)}"
        case InSegment():
            return f"segment:{_quoted(part.name)}"
        case InCampaign():
            return f"campaign:{_quoted(part.name)}"
        case Everybody():
            return _ALL
        case _:
            assert_never(part)


def _quoted(name: str) -> str:
    """Return *name*, in quotes if it would be read, or cut into words, as something else."""
    if not set(name) & set(' ,"\\'):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
