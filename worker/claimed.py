"""A message claimed: the call that sends it, ready to be posted."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import orjson

from engine.ids import CampaignId
from engine.message import callback_data
from engine.payloads import addressed
from engine.phone import Phone
from engine.places import Cap
from storage.sending import ClaimNote, Due, NumberState, Waiting
from worker.wording import Wording


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
    """What may go, and its words.

    Attributes:
        until: As of :class:`Call`.
        promotes: The campaign of a promotional message; None: it is none.
    """

    wording: Wording
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
        Unsendable: There is nobody to send it to.
    """
    waiting, recipient, wording = due.message, due.recipient, go.wording
    attempt = waiting.attempt + 1
    return Call(
        message=Waiting._make((waiting.id, attempt, *waiting[2:])),
        phone=recipient.phone,
        body=body(
            to=recipient.phone,
            bsuid=recipient.bsuid,
            wording=wording,
            callback_data=callback_data(waiting.id, attempt),
        ),
        until=go.until,
        priority=waiting.campaign_id is None,
        template=wording.template,
        file_id=wording.file_id,
        generation=generation,
        claimed_at=at,
        starts_at=at,
        note=note,
        caps=caps,
    )


def body(*, to: Phone | None, bsuid: str | None, wording: Wording, callback_data: str) -> bytes:
    """Return the JSON of `engine.payloads.message_payload`, of which only the ends are new.

    Raises:
        Unsendable: There is nobody to send it to.
    """
    head = orjson.dumps(addressed(to=to, bsuid=bsuid))[:-1]
    tail = callback_data.encode()
    return b'%b,%b,"biz_opaque_callback_data":"%b"}' % (head, wording.members, tail)
