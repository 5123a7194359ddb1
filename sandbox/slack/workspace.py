"""The pretend workspace: who and what is in it, kept between starts."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from sandbox.changes import Changes
from sandbox.clock import Clock
from sandbox.settings import Settings, User
from sandbox.slack.blocks import interactive
from sandbox.slack.things import File, Message, View
from sandbox.state import State
from sandbox.wire import Json

TRIGGER_LIFE = 3.0  # seconds of the machine's clock
_RESPONSES = 5
_RESPONSE_LIFE_US = 30 * 60 * 1_000_000
_PROCESSING = 0.3  # seconds Slack takes to look at an upload
_KEPT_REFUSALS = 1_000
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(slots=True)
class Trigger:
    """Leave to open a modal, once and soon."""

    user: str
    expires: float
    used: bool = False


@dataclass(slots=True)
class Response:
    """An address to answer to.

    Attributes:
        message: ``ts`` of the message a click came from, or None.
    """

    user: str
    channel: str
    message: str | None
    expires_us: int
    uses: int = 0
    thread_ts: str | None = None


@dataclass(slots=True)
class Person:
    """The views one user has open, the front one last."""

    modals: list[View] = field(default_factory=list)
    home: View | None = None


class SlackError(Exception):
    """The method answers ``{"ok": false, "error": …}``."""

    def __init__(self, error: str, messages: list[str] | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.messages = messages or []


class Workspace:
    """State of the workspace; every change is kept and announced."""

    def __init__(self, settings: Settings, *, clock: Clock, state: State, changes: Changes) -> None:
        self.settings = settings
        self.clock = clock
        self.users: dict[str, User] = {user.id: user for user in settings.users}
        self.channels: dict[str, Json] = {}
        self.messages: dict[tuple[str, str], Message] = {}
        self.files: dict[str, File] = {}
        self.people: dict[str, Person] = {user.id: Person() for user in settings.users}
        self.triggers: dict[str, Trigger] = {}
        self.responses: dict[str, Response] = {}
        self.refusals: list[Json] = []
        self.heard: list[Callable[[Message], None]] = []  # a message is new, edited or deleted
        self.seen: list[Callable[[View], None]] = []  # a view is new or updated
        self.answering: str | None = None  # the response_url being answered through right now
        self._state = state
        self._changes = changes
        self._last_us = 0
        for channel in settings.channels:
            members = [*self.users, settings.slack_bot_user]
            self.channels[channel.id] = {
                "id": channel.id, "name": channel.name, "is_im": False, "user": None,
                "members": members,
            }  # fmt: skip
        for user in settings.users:
            self.direct(user.id)

    def restore(self) -> None:
        """Take up what an earlier start has left."""
        for _, body in self._state.records("slack_message"):
            message = Message(**body)
            self.messages[message.channel, message.ts] = message
            self._last_us = max(self._last_us, int(message.ts.replace(".", "")))
        for _, body in self._state.records("slack_file"):
            file = File(**{**body, "ready_at": 0})
            self.files[file.id] = file
        for _, body in self._state.records("slack_home"):
            view = View(**body)
            if view.user in self.people:
                self.people[view.user].home = view

    def new_id(self, letter: str) -> str:
        return letter + "0" + "".join(secrets.choice(_ALPHABET) for _ in range(9))

    def new_ts(self) -> str:
        """A message's name: business time in microseconds, each given once."""
        self._last_us = max(self.clock.now_us(), self._last_us + 1)
        return f"{self._last_us // 1_000_000}.{self._last_us % 1_000_000:06}"

    def direct(self, user: str) -> str:
        """Return the id of the channel between *user* and the bot."""
        channel = "D" + user[1:]
        if channel not in self.channels:
            self.channels[channel] = {
                "id": channel, "name": "directmessage", "is_im": True, "user": user,
                "members": [user, self.settings.slack_bot_user],
            }  # fmt: skip
        return channel

    # Messages

    def post(self, message: Message) -> Message:
        self.messages[message.channel, message.ts] = message
        self.changed(message)
        return message

    def changed(self, message: Message) -> None:
        self._state.keep("slack_message", f"{message.channel} {message.ts}", message)
        self._changes.touch("slack")
        for hear in list(self.heard):
            hear(message)

    def edit(
        self,
        message: Message,
        *,
        text: str | None,
        blocks: list[Json] | None,
        attachments: list[Json] | None,
    ) -> None:
        """Replace what is given; what is None stays."""
        before = actions_of(message)
        if text is not None:
            message.text = text
        if blocks is not None:
            message.blocks = blocks
        if attachments is not None:
            message.attachments = attachments
        message.edited = self.new_ts()
        message.lost = sorted({*message.lost, *before} - actions_of(message))
        self.changed(message)

    def delete(self, message: Message) -> None:
        message.lost = sorted({*message.lost, *actions_of(message)})
        message.deleted = True
        message.text, message.blocks, message.attachments = "", [], []
        self.changed(message)

    def in_channel(self, channel: str) -> list[Message]:
        """Every message of a channel in order, deleted and ephemeral ones included."""
        found = [message for (at, _), message in self.messages.items() if at == channel]
        return sorted(found, key=lambda message: message.ts)

    def shown(self, message: Message) -> Json:
        """A message as the sandbox's interface gives it."""
        return {
            "ts": message.ts,
            "channel": message.channel,
            "user": message.user,
            "text": message.text,
            "blocks": message.blocks,
            "attachments": message.attachments,
            "thread_ts": message.thread_ts,
            "ephemeral_to": message.ephemeral_to,
            "edited": message.edited,
            "deleted": message.deleted,
            "files": [self.files[file].as_json() for file in message.files],
            "reactions": message.reactions,
            "via": message.via,
        }

    # Files

    def new_file(self, *, name: str, size: int, user: str, mimetype: str) -> File:
        file = File(
            id=self.new_id("F"),
            name=name,
            mimetype=mimetype,
            size=size,
            user=user,
            created=self.clock.now_us() // 1_000_000,
        )
        self.files[file.id] = file
        return file

    def fill(self, file: File, content: bytes) -> None:
        (self._state.files / file.id).write_bytes(content)
        file.size = len(content)
        file.uploaded = True
        self._state.keep("slack_file", file.id, file)

    def complete(self, file: File, *, title: str | None, channel: str | None) -> None:
        file.completed = True
        file.title = title or file.name
        file.ready_at = self.clock.monotonic() + _PROCESSING
        if channel is not None and channel not in file.shared:
            file.shared.append(channel)
        self._state.keep("slack_file", file.id, file)

    def content(self, file: File) -> bytes:
        return (self._state.files / file.id).read_bytes()

    def ready(self, file_id: str) -> bool:
        """Whether a file can be shown in a block already."""
        file = self.files.get(file_id)
        return file is not None and file.completed and self.clock.monotonic() >= file.ready_at

    # Views

    def new_view(self, *, user: str, given: Json, previous: View | None = None) -> View:
        view_id = self.new_id("V")
        given = with_block_ids(given)
        return View(
            id=view_id,
            user=user,
            given=given,
            hash=self._hash(),
            root=previous.root if previous else view_id,
            previous=previous.id if previous else None,
            state=initial_state(given),
        )

    def show_home(self, view: View) -> None:
        self.people[view.user].home = view
        self._state.keep("slack_home", view.user, view)
        self.view_changed(view)

    def update_view(self, view: View, given: Json) -> None:
        """Show something else in the same view; what was entered stays where its place does."""
        view.given = with_block_ids(given)
        view.hash = self._hash()
        fresh = initial_state(view.given)
        for block_id, entered in view.state.items():
            for action_id, value in entered.items():
                if action_id in fresh.get(block_id, {}):
                    fresh[block_id][action_id] = value
        view.state = fresh
        self.view_changed(view)

    def view_changed(self, view: View) -> None:
        self._changes.touch("views")
        for see in list(self.seen):
            see(view)

    def views_changed(self) -> None:
        """A modal was closed."""
        self._changes.touch("views")

    def view(self, view_id: str) -> View | None:
        """Return an open view by its id."""
        for person in self.people.values():
            for view in [*person.modals, *([person.home] if person.home else [])]:
                if view.id == view_id:
                    return view
        return None

    # Leave to answer

    def trigger(self, user: str) -> str:
        """Give leave to open one modal within three seconds."""
        now = self.clock.monotonic()
        self.triggers = {k: t for k, t in self.triggers.items() if t.expires > now - 600}
        trigger = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**13)}.{secrets.token_hex(16)}"
        self.triggers[trigger] = Trigger(user, now + TRIGGER_LIFE)
        return trigger

    def use_trigger(self, trigger_id: object) -> Trigger:
        """Use the leave to open a modal.

        Raises:
            SlackError: There was none, or it is used or over.
        """
        trigger = self.triggers.get(str(trigger_id))
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if self.clock.monotonic() > trigger.expires:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger

    def response_url(
        self, *, user: str, channel: str, message: str | None = None, thread_ts: str | None = None
    ) -> str:
        """Make an address that takes five answers within thirty minutes."""
        key = secrets.token_urlsafe(18)
        expires = self.clock.now_us() + _RESPONSE_LIFE_US
        self.responses[key] = Response(user, channel, message, expires, thread_ts=thread_ts)
        return f"{self.settings.url}/slack/response/{key}"

    def use_response(self, key: str) -> Response:
        """Use an address to answer to.

        Raises:
            SlackError: There is none, or it is used up or over.
        """
        response = self.responses.get(key)
        if response is None or self.clock.now_us() > response.expires_us:
            raise SlackError("expired_url")
        if response.uses >= _RESPONSES:
            raise SlackError("used_url")
        response.uses += 1
        return response

    def refused(self, method: str, error: SlackError, details: object = None) -> None:
        """Keep what was refused, for the page and for tests that expect no refusal."""
        self.refusals.append(
            {
                "platform": "slack",
                "at": self.new_ts(),
                "ms": self.clock.wall_ms(),
                "method": method,
                "error": error.error,
                "messages": error.messages,
                "details": details,
            }
        )
        del self.refusals[:-_KEPT_REFUSALS]
        self._changes.touch("refusals")

    def _hash(self) -> str:
        return f"{self.clock.now_us() // 1_000_000}.{secrets.token_hex(4)}"


def actions_of(message: Message) -> set[str]:
    """Every ``action_id`` a message offers."""
    blocks = list(message.blocks)
    for attachment in message.attachments:
        blocks += attachment.get("blocks", [])
    return {
        element["action_id"]
        for block in blocks
        for element in interactive(block)
        if "action_id" in element
    }


def with_block_ids(given: Json) -> Json:
    """Return a view whose blocks all have an id, as Slack gives them."""
    return {**given, "blocks": named(given["blocks"])}


def named(blocks: list[Json]) -> list[Json]:
    """Return *blocks*, each with an id, and their elements too."""
    copies: list[Json] = orjson.loads(orjson.dumps(blocks))
    for block in copies:
        block.setdefault("block_id", secrets.token_urlsafe(4))
        for element in interactive(block):
            element.setdefault("action_id", secrets.token_urlsafe(4))
    return copies


def initial_state(given: Json) -> Json:
    """What is entered in a view that was just opened."""
    state: Json = {}
    for block in given["blocks"]:
        for element in interactive(block):
            value = initial_value(element)
            if value is not None:
                state.setdefault(block["block_id"], {})[element["action_id"]] = value
    return state


def initial_value(element: Json) -> Json | None:
    """What an element holds at first, as ``view.state.values`` has it; None: it holds nothing."""
    keys = STATE_KEYS.get(element["type"])
    if keys is None:
        return None
    name, initial = keys
    empty: object = [] if name.endswith("s") else None
    return {"type": element["type"], name: element.get(initial, empty)}


# Type of element: its key in the state, and the key of its first value.
STATE_KEYS = {
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "checkboxes": ("selected_options", "initial_options"),
    "radio_buttons": ("selected_option", "initial_option"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "file_input": ("files", "initial_files"),
}
