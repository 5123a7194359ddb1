"""Webhook bytes to typed updates; what is not understood is kept, and nothing of it is an error.

Meta adds fields, types and enum values without notice, several updates may share one body, and only
what is no JSON object at all is refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.whatsapp import parsing_events, parsing_messages, parsing_statuses
from bot.whatsapp.parsing import (
    MalformedBody,
    Piece,
    error,
    ident,
    instant,
    loaded,
    members,
    nested,
    raw,
    text,
)
from engine.ids import NumberId
from engine.updates import NumberError, Unknown, Update

__all__ = ["MalformedBody", "Parsed", "parse"]

_OURS: Final = "whatsapp_business_account"
_BESIDE: Final = frozenset({"messaging_product", "metadata", "contacts"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """Everything one body says, in its order."""

    updates: tuple[Update, ...]


def parse(body: bytes) -> Parsed:
    """Return what *body* says.

    Raises:
        MalformedBody: It is no JSON object; nothing else is ever raised.
    """
    envelope = loaded(body)
    if not isinstance(envelope, dict):
        raise MalformedBody("The body is no JSON object.")
    return Parsed(updates=tuple(_updates(envelope)))


def _updates(envelope: Piece) -> Iterator[Update]:
    entries = envelope.get("entry")
    if envelope.get("object") != _OURS or not isinstance(entries, list):
        yield _unknown(envelope, kind="envelope")
        return
    for entry in entries:
        waba_id = ident(entry, "id") if isinstance(entry, dict) else None
        changes = entry.get("changes") if isinstance(entry, dict) else None
        if waba_id is None or not isinstance(changes, list):
            yield _unknown(entry, kind="entry", waba_id=waba_id)
            continue
        at = instant(entry, "time")
        for change in changes:
            yield from _change(change, waba_id=waba_id, at=at)


def _change(change: object, *, waba_id: str, at: datetime | None) -> Iterator[Update]:
    field = text(change, "field") if isinstance(change, dict) else None
    value = change.get("value") if isinstance(change, dict) else None
    if field is None or not isinstance(value, dict):
        yield _unknown(change, kind="change", waba_id=waba_id, at=at)
    elif field in {"messages", "user_preferences"}:
        yield from _of_a_number(value, field=field, waba_id=waba_id, at=at)
    else:
        yield parsing_events.event(value, field=field, waba_id=waba_id, at=at)


def _of_a_number(
    value: Piece, *, field: str, waba_id: str, at: datetime | None
) -> Iterator[Update]:
    """Yield the updates of a value that has ``metadata``, which names the number."""
    named = ident(nested(value, "metadata"), "phone_number_id")
    if named is None:
        yield _unknown(value, kind="value", waba_id=waba_id, at=at, field=field)
        return
    number_id = NumberId(named)
    contacts = parsing_messages.by_id(members(value, "contacts")) if "messages" in value else {}
    for kind, pieces in value.items():
        if kind in _BESIDE:
            continue
        for piece in pieces if isinstance(pieces, list) else (pieces,):
            known = (
                _piece(piece, contacts, kind=kind, waba_id=waba_id, number_id=number_id, at=at)
                if isinstance(piece, dict)
                else None
            )
            yield known or _unknown(
                piece, kind=kind, waba_id=waba_id, number_id=number_id, at=at, field=field
            )


def _piece(
    piece: Piece,
    contacts: Mapping[str, Piece],
    *,
    kind: str,
    waba_id: str,
    number_id: NumberId,
    at: datetime | None,
) -> Update | None:
    """Return what one member of the list *kind* says, None if it is not understood."""
    match kind:
        case "statuses":
            return parsing_statuses.status(piece, waba_id=waba_id, number_id=number_id)
        case "messages":
            return parsing_messages.message(
                piece, waba_id=waba_id, number_id=number_id, contacts=contacts
            )
        case "user_preferences":
            return parsing_events.preference(piece, waba_id=waba_id, number_id=number_id)
        case "errors" if (problem := error(piece)) is not None:
            return NumberError(waba_id=waba_id, number_id=number_id, at=at, error=problem)
        case _:
            return None


def _unknown(
    value: object,
    *,
    kind: str,
    waba_id: str | None = None,
    number_id: NumberId | None = None,
    at: datetime | None = None,
    field: str = "",
) -> Unknown:
    return Unknown(
        waba_id=waba_id, number_id=number_id, at=at, field=field, kind=kind, raw=raw(value)
    )
