"""Messages on the pretend WhatsApp, both ways."""

from dataclasses import dataclass, field

from sandbox.wire import Json, rfc3339


@dataclass(slots=True)
class Step:
    """Something that is to happen to a message.

    Attributes:
        kind: A status, or "reply" or "stop": what the contact does.
        told: It has happened; the bot has yet to acknowledge it.
    """

    at_us: int
    kind: str
    code: int | None = None
    told: bool = False


@dataclass(slots=True)
class Sent:
    """A message the platform has accepted from the business: a line of the ledger."""

    seq: int
    id: str
    number: str
    to: str
    type: str
    text: str
    accepted_us: int
    ms: int
    template: Json | None = None
    category: str | None = None
    callback_data: str | None = None
    reply_to: str | None = None
    buttons: list[Json] = field(default_factory=list)
    media: Json | None = None
    header: Json | None = None
    statuses: list[Json] = field(default_factory=list)
    answer_lost: bool = False
    ahead: list[Step] = field(default_factory=list)

    def as_json(self) -> Json:
        return {
            "seq": self.seq,
            "id": self.id,
            "number": self.number,
            "to": self.to,
            "type": self.type,
            "text": self.text,
            "template": self.template,
            "callback_data": self.callback_data,
            "accepted_at": rfc3339(self.accepted_us),
            "ms": self.ms,
            "statuses": self.statuses,
            "answer_lost": self.answer_lost,
        }

    def as_chat(self) -> Json:
        """This message as the phone shows it."""
        return {
            "seq": self.seq,
            "direction": "out",
            "id": self.id,
            "number": self.number,
            "text": self.text,
            "type": self.type,
            "template": self.template,
            "buttons": self.buttons,
            "at": rfc3339(self.accepted_us),
            "status": self.statuses[-1]["status"] if self.statuses else "accepted",
            "reply_to": self.reply_to,
            "media": self.media or self.header,
        }

    def has(self, status: str) -> bool:
        return any(known["status"] == status for known in self.statuses)


@dataclass(slots=True)
class Received:
    """A message a contact has written.

    Attributes:
        value: The webhook's value: ``{contacts, messages}``.
        told: The bot has acknowledged it.
        read: The business has marked it as read.
    """

    seq: int
    id: str
    number: str
    phone: str
    at_us: int
    value: Json
    text: str
    type: str
    reply_to: str | None = None
    media: Json | None = None
    told: bool = False
    read: bool = False

    def as_chat(self) -> Json:
        """This message as the phone shows it."""
        return {
            "seq": self.seq,
            "direction": "in",
            "id": self.id,
            "number": self.number,
            "text": self.text,
            "type": self.type,
            "template": None,
            "buttons": [],
            "at": rfc3339(self.at_us),
            "status": "read" if self.read else "delivered",
            "reply_to": self.reply_to,
            "media": self.media,
        }
