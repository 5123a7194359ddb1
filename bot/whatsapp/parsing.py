"""Reading single pieces of a webhook without trusting any: what is oddly typed is as if missing."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import orjson

from engine.phone import Phone
from engine.updates import Person, ReportedError

Piece = dict[str, object]

NOTHING: Final[Piece] = {}  # never written to
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999
_LONGEST_SECONDS: Final = 12
_SHORTEST_PHONE: Final = 7
_LONGEST_PHONE: Final = 15  # E.164


class MalformedBody(Exception):
    """The body is no JSON object, or nested deeper than anything we could keep.

    Attributes:
        reason: A sentence for the log; holds nothing of the body.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def loaded(body: bytes) -> object:
    """Return the JSON in *body*.

    Raises:
        MalformedBody: It is none.
    """
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        # The standard parser also takes lone surrogates, which people's texts do contain.
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            raise MalformedBody("The body is not JSON.") from None
    return value


def raw(value: object) -> str:
    """Return *value* as JSON again.

    Raises:
        MalformedBody: It is nested too deeply.
    """
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        try:
            return json.dumps(value)
        except RecursionError:
            raise MalformedBody("The body is nested too deeply.") from None


def text(piece: Piece, key: str) -> str | None:
    """Return a text that is not empty."""
    value = piece.get(key)
    return value if isinstance(value, str) and value else None


def ident(piece: Piece, key: str) -> str | None:
    """Return an id; Meta writes some as numbers."""
    value = piece.get(key)
    if type(value) is int:
        return str(value)
    return value if isinstance(value, str) and value else None


def number(piece: Piece, key: str) -> int | None:
    """Return a whole number, also one written as text."""
    value = piece.get(key)
    if type(value) is int:
        return value
    if isinstance(value, str) and len(value) <= _LONGEST_SECONDS:
        digits = value.removeprefix("-")
        if digits.isascii() and digits.isdigit():
            return int(value)
    return None


def flag(piece: Piece, key: str) -> bool | None:
    value = piece.get(key)
    return value if isinstance(value, bool) else None


def nested(piece: Piece, key: str) -> Piece:
    """Return the object under *key*; an empty one if there is none."""
    value = piece.get(key)
    return value if isinstance(value, dict) else NOTHING


def members(piece: Piece, key: str) -> Iterator[Piece]:
    """Yield the objects of the list under *key*; whatever else is in it is left out."""
    value = piece.get(key)
    if isinstance(value, list):
        for member in value:
            if isinstance(member, dict):
                yield member


def instant(piece: Piece, key: str) -> datetime | None:
    """Return Unix seconds as UTC, written as text or as a number."""
    seconds = number(piece, key)
    if seconds is None or not 0 <= seconds <= _LAST_SECOND:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def phone(wa_id: str | None) -> Phone | None:
    """Return a WhatsApp id as a phone; None where it is none, such as the id of a group."""
    if wa_id is None:
        return None
    digits = wa_id.removeprefix("+")
    if not _SHORTEST_PHONE <= len(digits) <= _LONGEST_PHONE or digits[0] == "0":
        return None
    return Phone(f"+{digits}") if digits.isascii() and digits.isdigit() else None


def person(wa_id: str | None, bsuid: str | None, parent_bsuid: str | None) -> Person | None:
    """Return who is meant; None if nobody is named."""
    known = phone(wa_id)
    if known is None and bsuid is None and parent_bsuid is None:
        return None
    return Person(phone=known, bsuid=bsuid, parent_bsuid=parent_bsuid)


def error(piece: Piece) -> ReportedError | None:
    """Return an entry of ``errors``; None without a code, for nothing can be decided by it."""
    code = number(piece, "code")
    if code is None:
        return None
    data = piece.get("error_data")
    details = text(data, "details") if isinstance(data, dict) else text(piece, "error_data")
    title = text(piece, "title") or text(piece, "message")
    return ReportedError(code=code, title=title, details=details)
