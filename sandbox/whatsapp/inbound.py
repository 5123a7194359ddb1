"""What a contact's act looks like in a webhook.

Source: Meta, "Messages webhook reference".
"""

import base64
import binascii

from sandbox.whatsapp.messages import Received, Sent
from sandbox.whatsapp.platform import Platform
from sandbox.wire import Json, Refused, microseconds

_MEDIA = ("image", "video", "audio", "document", "sticker")
_MIME = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "audio": "audio/ogg",
    "document": "application/pdf",
    "sticker": "image/webp",
}


def written(platform: Platform, body: Json) -> Received:
    """Enter what a contact does; the same id again gives the message there is.

    Args:
        platform: Where it is entered.
        body: As the interface takes it, every key present.

    Raises:
        Refused: There is no such number, no such message, or too little was said.
    """
    if body["id"] is not None and body["id"] in platform.received:
        return platform.received[body["id"]]
    who, hidden = _who(platform, body)
    latest = platform.latest(who)
    number = body["number"] or (latest.number if latest else next(iter(platform.numbers)))
    if number not in platform.numbers:
        raise Refused(f"no number {number}", status=404)
    target = body["reply_to"]
    if target is not None and target not in platform.sent and target not in platform.received:
        raise Refused(f"no message {target}", status=404)
    media = None
    if body["media"] is not None or body["type"] in _MEDIA:
        content, media = _media(platform, body, number)
        text = body["text"] or ""
    elif body["button"] is not None:
        content, text, target = _tap(platform, body["button"], target, who)
    else:
        content, text = _plain(body)
    return platform.write(
        phone=who,
        number=number,
        content=content,
        text=text,
        at_us=None if body["timestamp"] is None else microseconds(body["timestamp"]),
        reply_to=target if body["type"] != "reaction" else None,
        message_id=body["id"],
        user_id=body["user_id"],
        hide_phone=hidden,
        referral=body["referral"],
        media=media,
    )


def _who(platform: Platform, body: Json) -> tuple[str, bool]:
    if body["from"] is not None:
        return body["from"], False
    user_id = body["user_id"]
    if user_id is None:
        raise Refused("from: missing, and no user_id")
    # Somebody who hides the phone has one here all the same: the chat needs a place.
    known = platform.people.phone(user_id)
    digits = int.from_bytes(user_id.encode()[-6:], "big") % 10**11
    return known or f"+999{digits:011}", True


def _plain(body: Json) -> tuple[Json, str]:
    kind, text = body["type"] or "text", body["text"]
    match kind:
        case "text":
            if text is None:
                raise Refused("text: missing")
            return {"type": "text", "text": {"body": text}}, text
        case "reaction":
            if body["reply_to"] is None:
                raise Refused("reply_to: a reaction is about a message")
            reaction = {"message_id": body["reply_to"]}
            if text:
                reaction["emoji"] = text
            return {"type": "reaction", "reaction": reaction}, text or ""
        case "unsupported":
            error = {
                "code": 131051,
                "title": "Message type unknown",
                "message": "Message type unknown",
                "error_data": {"details": "Message type is currently not supported."},
            }
            return {"type": "unsupported", "errors": [error]}, "(unsupported)"
        case _:
            return {"type": kind, kind: {"body": text} if text is not None else {}}, text or ""


def _tap(
    platform: Platform, button: object, target: str | None, who: str
) -> tuple[Json, str, str | None]:
    """Return the webhook's content, the label, and the message the button belongs to."""
    if isinstance(button, dict):
        text, payload = button.get("text"), button.get("payload")
    else:
        text, payload = button, None
    if not isinstance(text, str):
        raise Refused("button: a label, or {text, payload}")
    for message in reversed(platform.chat(who)):
        if not isinstance(message, Sent) or (target is not None and message.id != target):
            continue
        for known in message.buttons:
            if known["text"] == text and "payload" in known:
                content = _tapped(known, payload)
                return content, text, message.id
    if payload is None:
        raise Refused(f"no button {text!r} on that phone", status=404)
    return {"type": "button", "button": {"payload": payload, "text": text}}, text, target


def _tapped(known: Json, payload: object) -> Json:
    value = payload if isinstance(payload, str) else known["payload"]
    match known["type"]:
        case "reply":
            reply = {"type": "button_reply", "button_reply": {"id": value, "title": known["text"]}}
            return {"type": "interactive", "interactive": reply}
        case "list":
            row = {"type": "list_reply", "list_reply": {"id": value, "title": known["text"]}}
            return {"type": "interactive", "interactive": row}
        case _:
            return {"type": "button", "button": {"payload": value, "text": known["text"]}}


def _media(platform: Platform, body: Json, number: str) -> tuple[Json, Json]:
    kind = body["type"] or "image"
    if kind not in _MEDIA:
        raise Refused(f"type: {kind} has no media")
    given = body["media"] or {}
    unknown = given.keys() - {"content_base64", "mime_type", "filename"}
    if unknown:
        raise Refused(f"media: unknown key {min(unknown)!r}")
    try:
        content = base64.b64decode(given.get("content_base64") or "", validate=True)
    except (binascii.Error, TypeError, ValueError) as problem:
        raise Refused("media.content_base64: not base64") from problem
    mime_type = given.get("mime_type") or _MIME[kind]
    if not isinstance(mime_type, str) or not isinstance(given.get("filename") or "", str):
        raise Refused("media: mime_type and filename are texts")
    kept = platform.media.add(
        content, number=number, mime_type=mime_type, filename=given.get("filename")
    )
    shown: Json = {"id": kept["id"], "mime_type": mime_type, "sha256": kept["sha256"]}
    if body["text"]:
        shown["caption"] = body["text"]
    if kind == "document":
        shown["filename"] = given.get("filename") or "document"
    return {"type": kind, kind: shown}, {"type": kind, "id": kept["id"]}
