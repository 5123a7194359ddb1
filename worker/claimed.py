"""A message claimed: the call that sends it, ready to be posted."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import orjson

from engine.content import Content, Media, TemplateMessage
from engine.ids import CampaignId
from engine.message import callback_data
from engine.payloads import message_payload
from engine.phone import Phone
from engine.places import Cap
from storage.sending import ClaimNote, Due, NumberState, Waiting


# Not frozen: it is made for every message, and freezing takes two thirds of that.
@dataclass(slots=True, kw_only=True)
class Call:
    """A message claimed and ready to be posted.

    Attributes:
        body: The JSON of the call.
        until: Given back to the queue if not started by then (business time); None: no limit.
        starts_at: Not to be started before (business time): its campaign's rate says so.
        priority: Replies and confirmations, which go first and are not paced.
        template: Name and language, if it is one.
        file_id: The platform's, of a file it sends; None: it sends none, or a link.
        generation: Of the lease it was claimed under.
        note: What its claim wrote on the contact.
        caps: Under which limits on unique contacts it has its contact's place.
    """

    message: Waiting
    phone: Phone | None
    body: bytes
    until: datetime | None
    priority: bool
    template: tuple[str, str] | None
    generation: int
    claimed_at: datetime
    starts_at: datetime
    note: ClaimNote
    caps: tuple[Cap, ...] = ()
    file_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What a claim came to.

    Attributes:
        settled: How many rows were left out or put off instead.
        number: As the claim found it; None: nobody asked.
    """

    calls: tuple[Call, ...] = ()
    settled: int = 0
    number: NumberState | None = field(default=None, compare=False)


class Go(NamedTuple):
    """What may go: its words, filled in, with the id of its file.

    Attributes:
        until: As of :class:`Call`.
        promotes: The campaign of a promotional message; None: it is none.
    """

    content: Content
    until: datetime | None = None
    promotes: CampaignId | None = None


def call(
    due: Due,
    go: Go,
    *,
    note: ClaimNote,
    at: datetime,
    generation: int,
    caps: tuple[Cap, ...] = (),
) -> Call:
    """Return the call that sends *due*, claimed at *at*.

    Raises:
        Unsendable: There is no such payload.
    """
    content = go.content
    message = due.message._replace(attempt=due.message.attempt + 1)
    payload = message_payload(
        to=due.recipient.phone,
        bsuid=due.recipient.bsuid,
        content=content,
        callback_data=callback_data(message.id, message.attempt),
    )
    return Call(
        message=message,
        phone=due.recipient.phone,
        body=orjson.dumps(payload),
        until=go.until,
        priority=message.campaign_id is None,
        template=(content.name, content.language) if isinstance(content, TemplateMessage) else None,
        file_id=_file_id(content),
        generation=generation,
        claimed_at=at,
        starts_at=at,
        note=note,
        caps=caps,
    )


def _file_id(content: Content) -> str | None:
    sent = content.header if isinstance(content, TemplateMessage) else content
    return sent.ref.id if isinstance(sent, Media) else None
