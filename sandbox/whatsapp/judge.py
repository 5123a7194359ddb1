"""Whether a call to ``/messages`` is well formed, and what the person would read.

Source: Meta, "Send messages" and the pages of each message type.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.whatsapp.errors import GraphRefusal
from sandbox.whatsapp.templates import Template, media_of
from sandbox.wire import Json

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_ENVELOPE = frozenset(
    {
        "messaging_product",
        "recipient_type",
        "to",
        "recipient",
        "type",
        "context",
        "biz_opaque_callback_data",
    }
)
_TEXT, _CAPTION, _CALLBACK_DATA = 4096, 1024, 512  # characters
_CAPTIONED = ("image", "video", "document")

Templates = Mapping[tuple[str, str], Template]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A message the platform can carry, before rates and windows are looked at.

    Attributes:
        template: Name, language and filled-in parameters, or None.
        media: ``{type, id or link}`` of a media message or a template's header, or None.
    """

    to: str
    kind: str
    text: str
    callback_data: str | None = None
    reply_to: str | None = None
    category: str | None = None
    template: Json | None = None
    buttons: tuple[Json, ...] = ()
    media: Json | None = None
    header: Json | None = None

    @property
    def free(self) -> bool:
        """Whether it may only be sent inside the service window."""
        return self.template is None


def judged(body: Json, *, templates: Templates, find_phone: Callable[[str], str | None]) -> Judged:
    """Return the message that *body* asks to send.

    Args:
        body: The call's JSON.
        templates: By name and language.
        find_phone: Gives the phone behind a business-scoped user id, or None.

    Raises:
        GraphRefusal: As the platform words it.
    """
    if body.get("messaging_product") != "whatsapp":
        raise GraphRefusal(100, "messaging_product: must be whatsapp")
    if body.get("recipient_type", "individual") != "individual":
        raise GraphRefusal(100, "recipient_type: only individual is supported here")
    kind = body.get("type", "text")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise GraphRefusal(131051, f"type: {kind!r}")
    if unknown := body.keys() - _ENVELOPE - {kind}:
        raise GraphRefusal(100, f"Invalid parameter: unexpected key {min(unknown)!r}")
    content = body.get(kind)
    if not isinstance(content, dict):
        raise GraphRefusal(131008, f"{kind}: missing")
    to = _recipient(body, find_phone)
    data = body.get("biz_opaque_callback_data")
    if data is not None and (not isinstance(data, str) or len(data) > _CALLBACK_DATA):
        raise GraphRefusal(100, f"biz_opaque_callback_data: at most {_CALLBACK_DATA} characters")
    return _KINDS[kind](content, _Envelope(to, kind, data, _context(body), templates))


@dataclass(frozen=True, slots=True)
class _Envelope:
    to: str
    kind: str
    callback_data: str | None
    reply_to: str | None
    templates: Templates


def _recipient(body: Json, find_phone: Callable[[str], str | None]) -> str:
    to = body.get("to")
    if to is None and isinstance(body.get("recipient"), str):
        to = find_phone(body["recipient"])
        if to is None:
            raise GraphRefusal(131009, "recipient: unknown user id")
    if to is None:
        raise GraphRefusal(131008, "to: missing")
    # Meta takes a number without + and puts the business number's country before it; what
    # then goes to a stranger is refused here, because nobody means it.
    if not isinstance(to, str) or not _E164.fullmatch(to):
        raise GraphRefusal(100, "to: must be E.164 with a leading +")
    return to


def _context(body: Json) -> str | None:
    context = body.get("context")
    if context is None:
        return None
    if not isinstance(context, dict) or context.keys() != {"message_id"}:
        raise GraphRefusal(100, "context: must hold message_id")
    if not isinstance(context["message_id"], str):
        raise GraphRefusal(100, "context.message_id: must be text")
    return context["message_id"]


def _known(where: str, content: Json, *keys: str) -> None:
    if unknown := content.keys() - set(keys):
        raise GraphRefusal(100, f"{where}: unexpected key {min(unknown)!r}")


def _string(where: str, value: object, limit: int) -> str:
    if value is None or value == "":
        raise GraphRefusal(131008, f"{where}: missing")
    if not isinstance(value, str):
        raise GraphRefusal(100, f"{where}: must be text")
    if len(value) > limit:
        raise GraphRefusal(100, f"{where}: Length must be between 1 and {limit}, is {len(value)}")
    return value


def _text(content: Json, given: _Envelope) -> Judged:
    _known("text", content, "body", "preview_url")
    if not isinstance(content.get("preview_url", False), bool):
        raise GraphRefusal(100, "text.preview_url: must be true or false")
    return _message(given, text=_string("text.body", content.get("body"), _TEXT))


def _media(content: Json, given: _Envelope) -> Judged:
    content = dict(content)
    caption = ""
    if given.kind in _CAPTIONED and "caption" in content:
        caption = _string(f"{given.kind}.caption", content.pop("caption"), _CAPTION)
    if given.kind == "audio" and not isinstance(content.pop("voice", False), bool):
        raise GraphRefusal(100, "audio.voice: must be true or false")
    return _message(given, text=caption, media={"type": given.kind} | media_of(given.kind, content))


def _reaction(content: Json, given: _Envelope) -> Judged:
    _known("reaction", content, "message_id", "emoji")
    target = _string("reaction.message_id", content.get("message_id"), 500)
    emoji = content.get("emoji", "")
    if not isinstance(emoji, str):
        raise GraphRefusal(100, "reaction.emoji: must be text")
    return Judged(
        to=given.to, kind="reaction", text=emoji, callback_data=given.callback_data, reply_to=target
    )


def _location(content: Json, given: _Envelope) -> Judged:
    _known("location", content, "latitude", "longitude", "name", "address")
    for axis in ("latitude", "longitude"):
        try:
            float(content[axis])
        except (KeyError, TypeError, ValueError) as problem:
            raise GraphRefusal(131008, f"location.{axis}: missing") from problem
    return _message(given, text=str(content.get("name", "")))


def _interactive(content: Json, given: _Envelope) -> Judged:
    _known("interactive", content, "type", "header", "body", "footer", "action")
    kind, action = content.get("type"), content.get("action")
    if not isinstance(action, dict):
        raise GraphRefusal(131008, "interactive.action: missing")
    body, footer = content.get("body"), content.get("footer")
    if not isinstance(body, dict):
        raise GraphRefusal(131008, "interactive.body: missing")
    limit = 4096 if kind == "list" else 1024
    text = _string("interactive.body.text", body.get("text"), limit)
    if footer is not None:
        value = footer.get("text") if isinstance(footer, dict) else footer
        _string("interactive.footer.text", value, 60)
    match kind:
        case "button":
            buttons = _reply_buttons(action)
        case "list":
            buttons = _rows(action)
        case "cta_url":
            buttons = _link(action)
        case "location_request_message" | "contact_request":
            buttons = ()
        case _:
            raise GraphRefusal(100, f"interactive.type: {kind!r}")
    return _message(given, text=text, buttons=buttons)


def _reply_buttons(action: Json) -> tuple[Json, ...]:
    _known("interactive.action", action, "buttons")
    buttons = action.get("buttons")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= 3:  # noqa: PLR2004 — Meta's limit
        raise GraphRefusal(100, "interactive.action.buttons: from 1 to 3")
    shown: list[Json] = []
    for button in buttons:
        reply = button.get("reply") if isinstance(button, dict) else None
        if not isinstance(reply, dict) or button.get("type") != "reply":
            raise GraphRefusal(100, "interactive.action.buttons: must hold replies")
        title = _string("button title", reply.get("title"), 20)
        payload = _string("button id", reply.get("id"), 256)
        shown.append({"type": "reply", "text": title, "payload": payload})
    if len({button["text"] for button in shown}) < len(shown):
        raise GraphRefusal(100, "interactive.action.buttons: titles must differ")
    if len({button["payload"] for button in shown}) < len(shown):
        raise GraphRefusal(100, "interactive.action.buttons: ids must differ")
    return tuple(shown)


def _rows(action: Json) -> tuple[Json, ...]:
    _known("interactive.action", action, "button", "sections")
    _string("interactive.action.button", action.get("button"), 20)
    sections = action.get("sections")
    if not isinstance(sections, list) or not 1 <= len(sections) <= 10:  # noqa: PLR2004 — Meta's limit
        raise GraphRefusal(100, "interactive.action.sections: from 1 to 10")
    shown: list[Json] = []
    for section in sections:
        rows = section.get("rows") if isinstance(section, dict) else None
        if not isinstance(rows, list):
            raise GraphRefusal(100, "interactive.action.sections: must hold rows")
        if len(sections) > 1 or section.get("title") is not None:
            _string("section title", section.get("title"), 24)
        for row in rows:
            if not isinstance(row, dict):
                raise GraphRefusal(100, "interactive.action.sections.rows: must hold objects")
            title = _string("row title", row.get("title"), 24)
            payload = _string("row id", row.get("id"), 200)
            if "description" in row:
                _string("row description", row["description"], 72)
            shown.append({"type": "list", "text": title, "payload": payload})
    if not 1 <= len(shown) <= 10:  # noqa: PLR2004 — Meta's limit
        raise GraphRefusal(100, "interactive.action.sections: from 1 to 10 rows in total")
    if len({row["payload"] for row in shown}) < len(shown):
        raise GraphRefusal(100, "interactive.action.sections: row ids must differ")
    return tuple(shown)


def _link(action: Json) -> tuple[Json, ...]:
    _known("interactive.action", action, "name", "parameters")
    parameters = action.get("parameters")
    if action.get("name") != "cta_url" or not isinstance(parameters, dict):
        raise GraphRefusal(100, "interactive.action: must hold name cta_url and parameters")
    title = _string("display_text", parameters.get("display_text"), 20)
    return ({"type": "url", "text": title, "url": _string("url", parameters.get("url"), 2000)},)


def _template(content: Json, given: _Envelope) -> Judged:
    _known("template", content, "name", "language", "components", "namespace")
    name, language = content.get("name"), content.get("language")
    if not isinstance(name, str) or not isinstance(language, dict):
        raise GraphRefusal(131008, "template: name and language are needed")
    _known("template.language", language, "code", "policy")
    code = language.get("code")
    template = given.templates.get((name, str(code)))
    if template is None:
        raise GraphRefusal(132001, f"template name ({name}) does not exist in {code}")
    match template.status:
        case "APPROVED":
            pass
        case "PAUSED":
            raise GraphRefusal(132015, f"template {name} ({code}) is paused due to low quality")
        case "DISABLED":
            raise GraphRefusal(132016, f"template {name} ({code}) is disabled")
        case _:
            raise GraphRefusal(132001, f"template name ({name}) is not approved in {code}")
    filled = template.filled(content.get("components"))
    return _message(
        given,
        text=filled.text,
        category=template.category,
        template={"name": name, "language": template.language, "parameters": filled.parameters},
        buttons=filled.buttons,
        header=filled.header,
    )


def _message(
    given: _Envelope,
    *,
    text: str,
    category: str | None = None,
    template: Json | None = None,
    buttons: tuple[Json, ...] = (),
    media: Json | None = None,
    header: Json | None = None,
) -> Judged:
    return Judged(
        to=given.to,
        kind=given.kind,
        text=text,
        callback_data=given.callback_data,
        reply_to=given.reply_to,
        category=category,
        template=template,
        buttons=buttons,
        media=media,
        header=header,
    )


_KINDS: dict[str, Callable[[Json, _Envelope], Judged]] = {
    "text": _text,
    **dict.fromkeys(("image", "video", "audio", "document", "sticker"), _media),
    "reaction": _reaction,
    "location": _location,
    "interactive": _interactive,
    "template": _template,
}
