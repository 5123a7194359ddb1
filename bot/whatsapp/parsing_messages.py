"""``messages[]``: what people wrote, tapped and sent, and that they have another number now."""

from collections.abc import Iterable, Mapping
from typing import Final

from bot.whatsapp.parsing import NOTHING, Piece, flag, ident, instant, nested, person, raw, text
from engine.ids import NumberId
from engine.updates import (
    IdentityChange,
    Inbound,
    InboundKind,
    InboundMedia,
    Person,
    Reaction,
    Referral,
)

_KINDS: Final = {kind.value: kind for kind in InboundKind}
_MEDIA: Final = frozenset(
    {
        InboundKind.IMAGE,
        InboundKind.VIDEO,
        InboundKind.AUDIO,
        InboundKind.DOCUMENT,
        InboundKind.STICKER,
    }
)
_CHANGES: Final = frozenset(
    {"user_changed_number", "user_changed_user_id", "customer_changed_number"}
)


def message(
    piece: Piece, *, waba_id: str, number_id: NumberId, contacts: Mapping[str, Piece]
) -> Inbound | IdentityChange | None:
    """Return one inbound message; None without an id or somebody who wrote it.

    Names, and the ids the message itself leaves out, come from the *contacts* beside it,
    as :func:`by_id` gives them.
    """
    wamid = text(piece, "id")
    contact = _contact(piece, contacts)
    sender = person(
        text(piece, "from") or text(contact, "wa_id"),
        text(piece, "from_user_id") or text(contact, "user_id"),
        text(piece, "from_parent_user_id") or text(contact, "parent_user_id"),
    )
    if piece.get("type") == "system":
        return _system(piece, waba_id=waba_id, number_id=number_id)
    if wamid is None or sender is None:
        return None
    kind = _KINDS.get(text(piece, "type") or "", InboundKind.UNKNOWN)
    written, payload = _written(piece, kind)
    return Inbound(
        waba_id=waba_id,
        number_id=number_id,
        wamid=wamid,
        sender=sender,
        profile_name=text(nested(contact, "profile"), "name"),
        at=instant(piece, "timestamp"),
        kind=kind,
        text=written,
        payload=payload,
        context_id=text(nested(piece, "context"), "id"),
        referral=_referral(nested(piece, "referral")) if "referral" in piece else None,
        media=_media(nested(piece, kind.value)) if kind in _MEDIA else None,
        reaction=_reaction(piece) if kind is InboundKind.REACTION else None,
        raw=raw(piece),
    )


def by_id(contacts: Iterable[Piece]) -> Mapping[str, Piece]:
    """Return the contacts of a value by WhatsApp id and by user id; a sole one also by ``""``."""
    found = {
        key: contact
        for contact in contacts
        for key in (text(contact, "wa_id"), text(contact, "user_id"))
        if key is not None
    }
    alone = next(iter(found.values()), NOTHING)
    return {**found, "": alone} if all(one is alone for one in found.values()) else found


def _contact(piece: Piece, contacts: Mapping[str, Piece]) -> Piece:
    """Return the contact who wrote *piece*, empty if it is not among them.

    Never by position alone: a wrong user id would give one person's STOP to another.
    """
    ids = (text(piece, "from"), text(piece, "from_user_id"))
    named = [key for key in ids if key is not None] or [""]
    return next((contacts[key] for key in named if key in contacts), NOTHING)


def _written(piece: Piece, kind: InboundKind) -> tuple[str, str | None]:
    """Return what the person wrote or tapped, and what the button stood for."""
    match kind:
        case InboundKind.TEXT:
            return text(nested(piece, "text"), "body") or "", None
        case InboundKind.BUTTON:
            button = nested(piece, "button")
            return text(button, "text") or "", text(button, "payload")
        case InboundKind.INTERACTIVE:
            interactive = nested(piece, "interactive")
            choice = nested(interactive, text(interactive, "type") or "")
            # A submitted flow (nfm_reply) has a body and no title.
            shown = text(choice, "title") or text(choice, "body") or ""
            return shown, ident(choice, "id")
        case InboundKind.ORDER:
            return text(nested(piece, "order"), "text") or "", None
        case InboundKind.LOCATION:
            return text(nested(piece, "location"), "name") or "", None
        case InboundKind.EDIT:
            edited = nested(nested(piece, "edit"), "message")
            return text(nested(edited, "text"), "body") or "", None
        case _ if kind in _MEDIA:
            return text(nested(piece, kind.value), "caption") or "", None
        case _:
            return "", None


def _media(file: Piece) -> InboundMedia | None:
    media_id = ident(file, "id")
    if media_id is None:
        return None
    return InboundMedia(
        id=media_id,
        mime_type=text(file, "mime_type"),
        sha256=text(file, "sha256"),
        filename=text(file, "filename"),
        voice=flag(file, "voice") or False,
    )


def _reaction(piece: Piece) -> Reaction | None:
    reaction = nested(piece, "reaction")
    wamid = text(reaction, "message_id")
    return None if wamid is None else Reaction(wamid=wamid, emoji=text(reaction, "emoji"))


def _referral(referral: Piece) -> Referral | None:
    if not referral:
        return None
    return Referral(
        source_type=text(referral, "source_type"),
        source_id=ident(referral, "source_id"),
        source_url=text(referral, "source_url"),
        headline=text(referral, "headline"),
        body=text(referral, "body"),
        click_id=text(referral, "ctwa_clid"),
    )


def _system(piece: Piece, *, waba_id: str, number_id: NumberId) -> IdentityChange | None:
    """Return a change of phone or user id; None for other system messages.

    ``from`` is the phone that was, ``system.wa_id`` (once ``new_wa_id``) the one that is.
    """
    system = nested(piece, "system")
    wamid = text(piece, "id")
    old, new = _before(piece, system), _after(system)
    if text(system, "type") not in _CHANGES or wamid is None or old is None or new is None:
        return None
    return IdentityChange(
        waba_id=waba_id,
        number_id=number_id,
        wamid=wamid,
        at=instant(piece, "timestamp"),
        old=old,
        new=new,
    )


def _before(piece: Piece, system: Piece) -> Person | None:
    bsuid = text(system, "previous_user_id")
    if bsuid is None:
        # Meta does not say whose id this is after a change; the new one is certainly not the old.
        sender = text(piece, "from_user_id")
        bsuid = sender if sender != text(system, "user_id") else None
    return person(text(piece, "from"), bsuid, text(system, "previous_parent_user_id"))


def _after(system: Piece) -> Person | None:
    return person(
        text(system, "wa_id") or text(system, "new_wa_id"),
        text(system, "user_id"),
        text(system, "parent_user_id"),
    )
