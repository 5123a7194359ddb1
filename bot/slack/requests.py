"""Bytes from Slack to typed requests; no I/O, and nothing anybody sends raises.

What is not understood is a value too: :class:`Malformed` (not Slack's form at all) or
:class:`Other` (Slack's form, of a kind we have no use for).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

import orjson

Json = Mapping[str, object]

_MOST_FIELDS: Final = 100
_NOTHING: Final[Json] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """The body is nothing Slack sends; *reason* is a fact for the log."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """Slack asks whether this address answers; it wants *challenge* back."""

    challenge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SslCheck:
    """Slack asks whether the certificate is good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What every request has.

    Attributes:
        teams: Workspaces it may belong to, the likeliest first: for shared channels and
            organization-wide installations Slack names several.
        user_id: None for events without one.
        channel_id: None in modals and on the home tab.
        response_url: Where five answers may go within 30 minutes; None where there is none.
        trigger_id: Opens one modal within 3 s; None where there is none.
    """

    teams: tuple[str, ...]
    user_id: str | None
    channel_id: str | None
    response_url: str | None = None
    trigger_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slash:
    """A slash command; *text* as Slack escapes it."""

    origin: Origin
    command: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something happened; Slack repeats it under the same *event_id* until it hears 200.

    Attributes:
        bot_user_id: Our own user in that workspace; None when Slack does not say.
        payload: The inner event, as it came.
    """

    origin: Origin
    event_id: str
    type: str
    bot_user_id: str | None
    payload: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """Somebody used a button, select or picker.

    Attributes:
        values: What was chosen: one for a button, any number for a select.
        message_ts: The message it sits on; None in modals and on the home tab.
        thread_ts: The thread of that message; None when it is in none.
        view_id: The modal or home tab it sits on; None on a message.
        view_hash: The version of that view.
        inputs: What the inputs beside it hold, by action id.
    """

    origin: Origin
    action_id: str
    block_id: str
    values: tuple[str, ...]
    message_ts: str | None
    thread_ts: str | None
    view_id: str | None
    view_hash: str | None
    inputs: Mapping[str, tuple[str, ...]]

    @property
    def value(self) -> str:
        """The only value; empty when nothing is chosen."""
        return self.values[0] if self.values else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A modal was submitted.

    Attributes:
        inputs: What each input holds, by action id; an empty one holds nothing.
        blocks: The block id of each input, by action id; Slack wants errors under it.
        metadata: What we put into the modal; it has been in other hands since.
    """

    origin: Origin
    callback_id: str
    view_id: str
    view_hash: str
    metadata: str
    inputs: Mapping[str, tuple[str, ...]]
    blocks: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionsQuery:
    """A select wants its options for what has been typed."""

    origin: Origin
    action_id: str
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """A shortcut was chosen; *message_ts* is None for a global one."""

    origin: Origin
    callback_id: str
    message_ts: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A request in Slack's form that we have no use for, such as the closing of a modal."""

    origin: Origin
    kind: str


Request = Slash | Event | Click | Submission | OptionsQuery | Shortcut | Other
Parsed = Request | Challenge | SslCheck | Malformed


def parse(body: bytes, *, content_type: str) -> Parsed:
    """Read the body of a request whose signature is good.

    Args:
        body: As received.
        content_type: Without parameters (``application/json``); decides how it is read.

    Source: Slack, "Slash commands", "Interaction payloads", "Events API".
    """
    if content_type == "application/json":
        return _json(body)
    if content_type != "application/x-www-form-urlencoded":
        return Malformed(reason="neither JSON nor a form")
    try:
        form = {
            name: values[0]
            for name, values in parse_qs(
                body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
            ).items()
        }
    except ValueError:
        return Malformed(reason="not a form")
    if form.get("ssl_check") == "1":
        return SslCheck()
    if "payload" in form:
        return _interaction(form["payload"])
    return _slash(form)


def _slash(form: Mapping[str, str]) -> Slash | Malformed:
    command, user_id = form.get("command"), form.get("user_id")
    if not command or not user_id:
        return Malformed(reason="a form without payload, command or user_id")
    return Slash(
        origin=Origin(
            teams=_present(form.get("team_id"), form.get("enterprise_id")),
            user_id=user_id,
            channel_id=form.get("channel_id") or None,
            response_url=form.get("response_url") or None,
            trigger_id=form.get("trigger_id") or None,
        ),
        command=command,
        text=form.get("text", ""),
    )


def _json(body: bytes) -> Parsed:
    envelope = _loaded(body)
    if envelope is None:
        return Malformed(reason="not a JSON object")
    match envelope.get("type"):
        case "url_verification":
            challenge = _text(envelope, "challenge")
            return (
                Malformed(reason="no challenge")
                if challenge is None
                else Challenge(challenge=challenge)
            )
        case "event_callback":
            return _event(envelope)
        case "app_rate_limited":
            origin = Origin(
                teams=_present(_text(envelope, "team_id")), user_id=None, channel_id=None
            )
            return Other(origin=origin, kind="app_rate_limited")
        case _:
            return Malformed(reason="an envelope of no known type")


def _event(envelope: Json) -> Event | Malformed:
    payload = _object(envelope, "event")
    event_id, kind = _text(envelope, "event_id"), _text(payload, "type")
    if event_id is None or kind is None:
        return Malformed(reason="an event without event_id or type")
    installed = next(_objects(envelope.get("authorizations")), _NOTHING)
    item = _object(payload, "item")
    user = _text(payload, "user") or _text(_object(payload, "user"), "id")
    return Event(
        origin=Origin(
            teams=_present(
                _text(installed, "team_id"),
                _text(envelope, "team_id"),
                _text(envelope, "enterprise_id"),
            ),
            user_id=user or _text(payload, "user_id"),
            channel_id=_text(payload, "channel")
            or _text(payload, "channel_id")
            or _text(item, "channel"),
        ),
        event_id=event_id,
        type=kind,
        bot_user_id=_text(installed, "user_id") if installed.get("is_bot") is True else None,
        payload=payload,
    )


def _interaction(text: str) -> Request | Malformed:
    payload = _loaded(text.encode(errors="replace"))
    kind = None if payload is None else _text(payload, "type")
    user_id = None if payload is None else _text(_object(payload, "user"), "id")
    if payload is None or kind is None or user_id is None:
        return Malformed(reason="an interaction without type or user")
    view = _object(payload, "view")
    container = _object(payload, "container")
    message = _object(payload, "message")
    origin = Origin(
        teams=_present(
            _text(view, "app_installed_team_id"),
            _text(_object(payload, "team"), "id"),
            _text(_object(payload, "user"), "team_id"),
            _text(_object(payload, "enterprise"), "id"),
        ),
        user_id=user_id,
        channel_id=_text(_object(payload, "channel"), "id") or _text(container, "channel_id"),
        response_url=_text(payload, "response_url"),
        trigger_id=_text(payload, "trigger_id"),
    )
    message_ts = _text(message, "ts") or _text(container, "message_ts")
    match kind:
        case "block_actions":
            action = next(_objects(payload.get("actions")), _NOTHING)
            action_id = _text(action, "action_id")
            if action_id is None:
                return Malformed(reason="a click without action_id")
            inputs, _ = _inputs(_object(payload, "state") or _object(view, "state"))
            return Click(
                origin=origin,
                action_id=action_id,
                block_id=_text(action, "block_id") or "",
                values=_chosen(action),
                message_ts=message_ts,
                thread_ts=_text(message, "thread_ts") or _text(container, "thread_ts"),
                view_id=_text(view, "id"),
                view_hash=_text(view, "hash"),
                inputs=inputs,
            )
        case "view_submission":
            view_id = _text(view, "id")
            if view_id is None:
                return Malformed(reason="a submission without view")
            inputs, blocks = _inputs(_object(view, "state"))
            return Submission(
                origin=origin,
                callback_id=_text(view, "callback_id") or "",
                view_id=view_id,
                view_hash=_text(view, "hash") or "",
                metadata=_text(view, "private_metadata") or "",
                inputs=inputs,
                blocks=blocks,
            )
        case "block_suggestion":
            return OptionsQuery(
                origin=origin,
                action_id=_text(payload, "action_id") or "",
                query=_text(payload, "value") or "",
            )
        case "shortcut" | "message_action":
            return Shortcut(
                origin=origin,
                callback_id=_text(payload, "callback_id") or "",
                message_ts=message_ts,
            )
        case _:
            return Other(origin=origin, kind=kind)


def _inputs(state: Json) -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, str]]:
    """Return what each input holds and the block it is in, both by action id."""
    inputs: dict[str, tuple[str, ...]] = {}
    blocks: dict[str, str] = {}
    for block_id, actions in _object(state, "values").items():
        for action_id, element in (actions if isinstance(actions, dict) else {}).items():
            if isinstance(element, dict):
                inputs[action_id] = _chosen(element)
                blocks[action_id] = block_id
    return inputs, blocks


def _chosen(element: Json) -> tuple[str, ...]:
    """Return the values of an element, whatever its kind: each keeps them elsewhere."""
    several = [
        _text(option, "value")
        for key in ("selected_options",)
        for option in _objects(element.get(key))
    ]
    several += [_text(file, "id") for file in _objects(element.get("files"))]
    for key in ("selected_users", "selected_conversations", "selected_channels"):
        listed = element.get(key)
        several += (
            [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []
        )
    one = _text(_object(element, "selected_option"), "value")
    for key in _SINGLE:
        one = one if one is not None else _text(element, key)
    number = element.get("selected_date_time")
    if one is None and isinstance(number, int):
        one = str(number)
    return _present(one, *several)


_SINGLE: Final = (
    "value",
    "selected_user",
    "selected_conversation",
    "selected_channel",
    "selected_date",
    "selected_time",
)


def _loaded(text: bytes) -> Json | None:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _object(value: Json, key: str) -> Json:
    inner = value.get(key)
    return inner if isinstance(inner, dict) else _NOTHING


def _objects(value: object) -> Iterator[Json]:
    return (
        (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())
    )


def _text(value: Json, key: str) -> str | None:
    inner = value.get(key)
    return inner if isinstance(inner, str) and inner else None


def _present(*values: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))
