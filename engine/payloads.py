"""What to post to WhatsApp for a message: pure, and strict about what the platform refuses anyway.

Source: Meta, "Send messages" and the pages of the message types.
"""

import re
from typing import Final, assert_never

from engine.content import (
    WITH_CAPTION,
    Content,
    HeaderText,
    Media,
    MediaKind,
    TemplateMessage,
    Text,
)
from engine.personalise import clean_parameter
from engine.phone import Phone

LONGEST_TEXT: Final = 4096
LONGEST_CAPTION: Final = 1024
LONGEST_PARAMETER: Final = 1024
LONGEST_HEADER: Final = 60
LONGEST_SUFFIX: Final = 2000
LONGEST_PAYLOAD: Final = 256

_LINK: Final = re.compile(r"https?://\S", re.IGNORECASE)

Payload = dict[str, object]


class Unsendable(ValueError):
    """WhatsApp would refuse this message.

    Attributes:
        reason: A sentence for staff; holds no value of the contact's.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def message_payload(
    *, to: Phone | None, bsuid: str | None, content: Content, callback_data: str
) -> Payload:
    """Return the body of ``POST /<number>/messages``.

    Args:
        to: With its +, without which Meta would take it for a number of our own country. It wins
            over the user id when both are there.
        bsuid: Where the phone is not known.
        content: With its tokens resolved.
        callback_data: Comes back in every status of the message, and nowhere else.

    Raises:
        Unsendable: Nobody to send to, a value is empty, or a text is too long.
    """
    return {
        **addressed(to=to, bsuid=bsuid),
        **said(content),
        "biz_opaque_callback_data": callback_data,
    }


def addressed(*, to: Phone | None, bsuid: str | None) -> Payload:
    """Return the members of :func:`message_payload` that say to whom it goes."""
    payload: Payload = {"messaging_product": "whatsapp", "recipient_type": "individual"}
    if to is not None:
        payload["to"] = to
    elif bsuid is not None:
        payload["recipient"] = bsuid
    else:
        raise Unsendable("The contact has neither a phone number nor a WhatsApp user id.")
    return payload


def said(content: Content) -> Payload:
    """Return the members of :func:`message_payload` that say what is sent."""
    match content:
        case Text():
            return {"type": "text", "text": _text(content)}
        case TemplateMessage():
            return {"type": "template", "template": _template(content)}
        case Media(kind=kind):
            return {"type": kind.value, kind.value: _media(content, caption=True)}
        case _:
            assert_never(content)


def _text(content: Text) -> Payload:
    if not content.body.strip():
        raise Unsendable("The text is empty.")
    _check_length(content.body, LONGEST_TEXT, "text")
    body: Payload = {"body": content.body}
    if _LINK.search(content.body):
        body["preview_url"] = True
    return body


def _media(media: Media, *, caption: bool) -> Payload:
    ref = media.ref
    body: Payload = {"id": ref.id} if ref.id is not None else {"link": ref.link}
    if caption and media.caption:
        if media.kind not in WITH_CAPTION:
            raise Unsendable(f"WhatsApp shows no caption with a file of the kind {media.kind}.")
        _check_length(media.caption, LONGEST_CAPTION, "caption")
        body["caption"] = media.caption
    if media.filename and media.kind is MediaKind.DOCUMENT:
        body["filename"] = media.filename
    return body


def _template(message: TemplateMessage) -> Payload:
    components: list[Payload] = []
    if message.header is not None:
        components.append({"type": "header", "parameters": [_header(message.header)]})
    if message.parameters:
        components.append(
            {"type": "body", "parameters": [_parameter(*pair) for pair in message.parameters]}
        )
    for reply in message.quick_replies:
        payload = _value(reply.payload, LONGEST_PAYLOAD, f"button {reply.index + 1}")
        components.append(
            _button("quick_reply", reply.index, {"type": "payload", "payload": payload})
        )
    if message.url_suffix is not None:
        suffix = _value(message.url_suffix.value, LONGEST_SUFFIX, "url")
        components.append(
            _button("url", message.url_suffix.index, {"type": "text", "text": suffix})
        )
    template: Payload = {"name": message.name, "language": {"code": message.language}}
    if components:
        template["components"] = components
    return template


def _header(header: Media | HeaderText) -> Payload:
    match header:
        case Media():
            kind = header.kind.value
            return {"type": kind, kind: _media(header, caption=False)}
        case HeaderText(name=name, value=value):
            shown = _value(value, LONGEST_HEADER, name or "header")
            if name is None:
                return {"type": "text", "text": shown}
            return {"type": "text", "parameter_name": name, "text": shown}
        case _:
            assert_never(header)


def _parameter(key: str, value: str) -> Payload:
    """Return one value of the body; a number as key says that the template counts."""
    shown = _value(value, LONGEST_PARAMETER, key)
    if key.isdigit():
        return {"type": "text", "text": shown}
    return {"type": "text", "parameter_name": key, "text": shown}


def _button(kind: str, index: int, parameter: Payload) -> Payload:
    return {
        "type": "button",
        "sub_type": kind,
        "index": str(index),
        "parameters": [parameter],
    }


def _value(value: str, limit: int, key: str) -> str:
    shown = clean_parameter(value)
    if shown is None:
        raise Unsendable(f"The value of {key} is empty.")
    _check_length(shown, limit, f"value of {key}")
    return shown


def _check_length(text: str, limit: int, what: str) -> None:
    if len(text) > limit:
        raise Unsendable(f"The {what} has {len(text):,} characters, and WhatsApp allows {limit:,}.")
