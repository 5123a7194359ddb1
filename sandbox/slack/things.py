"""What there is in the pretend workspace: messages, views, files."""

from dataclasses import dataclass, field

from sandbox.wire import Json


@dataclass(slots=True)
class File:
    """A file somebody uploaded.

    Attributes:
        user: Who uploaded it.
        ready_at: Monotonic seconds from which Slack has looked at it and it can be shown.
        shared: Ids of the channels it is in.
    """

    id: str
    name: str
    mimetype: str
    size: int
    user: str
    created: int
    title: str = ""
    uploaded: bool = False
    completed: bool = False
    ready_at: float = 0
    shared: list[str] = field(default_factory=list)

    def as_json(self) -> Json:
        return {"id": self.id, "name": self.name, "mimetype": self.mimetype, "size": self.size}


@dataclass(slots=True)
class Message:
    """A message in a channel, or one that a single person sees.

    Attributes:
        text: As Slack keeps it, with its entities escaped.
        ephemeral_to: The only user who sees it, or None.
        edited: ``ts`` of the last edit, or None.
        via: The way it came: a method's name, ``response``, ``response_url`` or what a person did.
        lost: ``action_id``s it once offered and no longer does.
    """

    ts: str
    channel: str
    user: str
    text: str
    via: str
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    ephemeral_to: str | None = None
    edited: str | None = None
    deleted: bool = False
    files: list[str] = field(default_factory=list)
    metadata: Json | None = None
    reactions: list[Json] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


@dataclass(slots=True)
class View:
    """A modal or a home as Slack keeps it.

    Attributes:
        given: What the app sent.
        state: ``{block_id: {action_id: value}}`` of what was entered so far.
    """

    id: str
    user: str
    given: Json
    hash: str
    root: str
    previous: str | None = None
    state: Json = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return str(self.given["type"])

    def as_json(self) -> Json:
        """This view as the page sees it."""
        given = self.given
        return {
            "id": self.id,
            "type": self.kind,
            "callback_id": given.get("callback_id", ""),
            "title": given.get("title"),
            "blocks": given["blocks"],
            "submit": given.get("submit"),
            "close": given.get("close"),
            "state": {"values": self.state},
            "hash": self.hash,
        }
