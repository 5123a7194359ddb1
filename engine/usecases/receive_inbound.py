"""What people write: STOP and START take effect, replies are tied to what they answer."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from engine.consent import Act
from engine.ids import CampaignId, ContactId, MessageId, NumberId
from engine.keywords import Keywords, Meaning, heard
from engine.message import Message, State
from engine.names import cleaned
from engine.ports import (
    Confirmation,
    ConsentEntry,
    Contacts,
    Inbox,
    KnownContact,
    Ledger,
    Placed,
    Received,
    Tie,
)
from engine.reasons import Reason
from engine.updates import Inbound, InboundKind
from engine.usecases.recognise import People, Sender, recognise, remember

REPLY_WITHIN: Final = timedelta(hours=72)
"""What a contact writes without quoting anything answers the latest message of this time."""

_ACTS: Final = {Meaning.STOP: Act.OPT_OUT, Meaning.START: Act.OPT_IN}
# Kept, and nothing more: nobody would call it an answer.
_NO_REPLY: Final = frozenset(
    {
        InboundKind.REACTION,
        InboundKind.EDIT,
        InboundKind.REVOKE,
        InboundKind.UNSUPPORTED,
        InboundKind.UNKNOWN,
    }
)
# Whether these open the service window is nowhere said; a message not sent is better than refused.
_NO_WINDOW: Final = _NO_REPLY - {InboundKind.UNSUPPORTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """How the organization understands and answers.

    Attributes:
        name: As confirmations call it.
    """

    name: str
    keywords: Keywords

    def meaning(self, inbound: Inbound) -> Meaning | None:
        """Return what the whole text, or the button behind it, says; a STOP in either counts."""
        said = {
            self.keywords.meaning(text) for text in (inbound.text, inbound.payload or "") if text
        }
        return Meaning.STOP if Meaning.STOP in said else next(filter(None, said), None)

    def answer(self, meaning: Meaning) -> str:
        if meaning is Meaning.STOP:
            return f"You will get no more messages from {self.name}. Reply START to get them again."
        return f"You will get messages from {self.name} again. Reply STOP to end them."


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What is to happen after the commit, by the messages' wamids.

    Attributes:
        stopped: For each STOP the contacts to whom no campaign call may start any more: its
            webhook is answered only once none of their messages is claimed.
        confirmed: Messages with an answer at the head of the number's lane.
    """

    stopped: Mapping[str, frozenset[ContactId]]
    confirmed: frozenset[str]


@dataclass(slots=True)
class _Effects:
    """What a group of messages leads to, collected before anything is written."""

    received: list[Received] = field(default_factory=list)
    entries: list[ConsentEntry] = field(default_factory=list)
    confirmed: list[Received] = field(default_factory=list)
    stopped: set[ContactId] = field(default_factory=set)
    windows: dict[tuple[NumberId, ContactId], datetime] = field(default_factory=dict)
    touched: set[ContactId] = field(default_factory=set)
    spoke_at: dict[ContactId, datetime] = field(default_factory=dict)


async def receive_inbound(
    messages: Sequence[Inbound],
    *,
    at: datetime,
    voice: Voice,
    contacts: Contacts,
    ledger: Ledger,
    inbox: Inbox,
) -> Heard:
    """Receive *messages*, heard at *at*; those received before change nothing at all."""
    stored = await inbox.stored({message.wamid for message in messages})
    # Consent is decided by the time of the message; what was written first is heard first.
    ordered = sorted(messages, key=lambda message: message.at or at)
    quoted = await inbox.by_wamid({each.context_id for each in ordered if each.context_id})
    people = await recognise(
        [_sender(each, quoted, stranger=each.wamid not in stored) for each in ordered],
        contacts=contacts,
    )
    done = _Effects()
    stopped: dict[str, frozenset[ContactId]] = {}
    for message, reached in zip(ordered, people.reached, strict=True):
        meaning = voice.meaning(message)
        if meaning is Meaning.STOP:
            stopped[message.wamid] = frozenset(id_ for id_ in reached if id_ > 0)
        if message.wamid not in stored and reached:
            tie = quoted.get(message.context_id) if message.context_id else None
            _hear(message, reached, meaning, tie, people=people, at=at, done=done)
    if done.received:
        named = await remember(people, contacts=contacts)
        await _write(done, people, named, voice, at, contacts=contacts, ledger=ledger, inbox=inbox)
    return Heard(
        stopped=stopped, confirmed=frozenset(each.inbound.wamid for each in done.confirmed)
    )


def _sender(message: Inbound, quoted: Mapping[str, Tie], *, stranger: bool) -> Sender:
    tie = quoted.get(message.context_id) if message.context_id else None
    return Sender(
        person=message.sender,
        name=message.profile_name,
        answers=tie.contact_id if tie else None,
        stranger=stranger,
    )


def _hear(
    message: Inbound,
    reached: Sequence[ContactId],
    meaning: Meaning | None,
    tie: Tie | None,
    *,
    people: People,
    at: datetime,
    done: _Effects,
) -> None:
    when = message.at or at
    oldest = reached[0]
    received = Received(
        inbound=message,
        contact_id=oldest,
        reached=tuple(reached),
        at=when,
        meaning=meaning,
        tie=None if meaning else tie,
    )
    done.received.append(received)
    done.touched.update(reached)
    changed = False
    for id_ in reached:
        before = people.by_id[id_]
        after = _heard(before, message, when, done)
        if meaning is not None:
            act = _ACTS[meaning]
            after = replace(after, consent=after.consent.after(act, when))
            changed |= before.consent.opted_out is not after.consent.opted_out
            done.entries.append(_entry(id_, act, message, when))
            if meaning is Meaning.STOP and after.consent.opted_out:
                done.stopped.add(id_)
        people.by_id[id_] = after
        if message.kind not in _NO_WINDOW:
            window = (message.number_id, id_)
            done.windows[window] = max(done.windows.get(window, when), when)
    if changed:
        done.confirmed.append(received)


def _heard(contact: KnownContact, message: Inbound, when: datetime, done: _Effects) -> KnownContact:
    name = contact.name or (cleaned(message.profile_name) if message.profile_name else "") or None
    latest = done.spoke_at.get(contact.id)
    if latest is None or latest <= when:
        done.spoke_at[contact.id] = when
        contact = replace(contact, last_number_id=message.number_id)
    if message.kind not in _NO_WINDOW:
        contact = replace(contact, last_reply_at=max(contact.last_reply_at or when, when))
    return replace(contact, name=name, consent=contact.consent.after(Act.REACHED, when))


def _entry(contact: ContactId, act: Act, message: Inbound, when: datetime) -> ConsentEntry:
    return ConsentEntry(
        contact_id=contact,
        act=act,
        at=when,
        channel="whatsapp",
        text=message.text or message.payload,
        reference=message.wamid,
    )


async def _write(
    done: _Effects,
    people: People,
    named: Mapping[ContactId, ContactId],
    voice: Voice,
    at: datetime,
    *,
    contacts: Contacts,
    ledger: Ledger,
    inbox: Inbox,
) -> None:
    def real(id_: ContactId) -> ContactId:
        return named.get(id_, id_)

    await contacts.save([people.by_id[id_] for id_ in done.touched if id_ > 0])
    await inbox.open_windows(
        {(number, real(id_)): at for (number, id_), at in done.windows.items()}
    )
    received = [replace(each, contact_id=real(each.contact_id)) for each in done.received]
    received = await _tied(received, inbox)
    ids = await inbox.keep(received)
    entries = [replace(each, contact_id=real(each.contact_id)) for each in done.entries]
    noted = await ledger.append(entries) if entries else []
    acts = {
        (entry.contact_id, entry.reference): act
        for entry, act in zip(done.entries, noted, strict=True)
    }
    replies = [(id_, each) for id_, each in zip(ids, received, strict=True) if _is_reply(each)]
    stopped = {id_ for id_ in done.stopped if id_ > 0}
    await _change_messages(replies, stopped, at, inbox)
    if done.confirmed:
        await inbox.confirm(
            [
                Confirmation(
                    contact_id=real(each.contact_id),
                    number_id=each.inbound.number_id,
                    consent_id=acts[each.contact_id, each.inbound.wamid],
                    body=voice.answer(each.meaning),
                )
                for each in done.confirmed
                if each.meaning is not None
            ]
        )
    if replies:
        await inbox.tell_of_replies(replies)
        await _tell_of_keywords([each for _, each in replies], inbox)
    if stopped:
        await inbox.revoke(stopped)


async def _tell_of_keywords(replies: Sequence[Received], inbox: Inbox) -> None:
    words = await inbox.keywords()
    if not words:
        return
    written = [
        (each.contact_id, word)
        for each in replies
        for word in heard(f"{each.inbound.text or ''}\n{each.inbound.payload or ''}", words)
    ]
    if written:
        await inbox.tell_of_keywords(written)


def _is_reply(received: Received) -> bool:
    return received.meaning is None and received.inbound.kind not in _NO_REPLY


async def _tied(received: Sequence[Received], inbox: Inbox) -> list[Received]:
    """Tie replies that quote nothing we know to the latest message their contact got."""
    loose = [each for each in received if _is_reply(each) and each.tie is None]
    if not loose:
        return list(received)
    latest = await inbox.latest(
        [(each.reached, each.at) for each in loose],
        within_s=int(REPLY_WITHIN.total_seconds()),
    )
    found = {id(each): tie for each, tie in zip(loose, latest, strict=True)}
    return [replace(each, tie=found.get(id(each), each.tie)) for each in received]


async def _change_messages(
    replies: Sequence[tuple[int, Received]],
    stopped: Collection[ContactId],
    at: datetime,
    inbox: Inbox,
) -> None:
    """Mark what was answered; cancel what will not be sent, after its enrollments have ended."""
    answered: dict[MessageId, datetime] = {}
    ended: set[tuple[ContactId, CampaignId]] = set()
    for _, reply in replies:
        if reply.tie is not None and reply.tie.campaign_id is not None:
            known = answered.get(reply.tie.message_id, reply.at)
            answered[reply.tie.message_id] = min(known, reply.at)
            ended.add((reply.tie.contact_id, reply.tie.campaign_id))
    if ended:
        stopping = await inbox.stops_on_reply({campaign for _, campaign in ended})
        ended = {pair for pair in ended if pair[1] in stopping}
    if not answered and not stopped:
        return
    queued: frozenset[MessageId] = frozenset()
    if stopped or ended:
        await inbox.end_runs(stopped=stopped, replied=ended, answered=answered)
        queued = await inbox.queued(stopped=stopped, replied=ended)
    rows = await inbox.lock({*answered, *queued})
    await inbox.save(
        [
            _changed(row, answered.get(id_), at, cancel=id_ in queued, stopped=stopped)
            for id_, row in rows.items()
        ]
    )


def _changed(
    row: Placed,
    answered_at: datetime | None,
    at: datetime,
    *,
    cancel: bool,
    stopped: Collection[ContactId],
) -> Message:
    message = row.message
    if answered_at is not None:
        earliest = min(message.replied_at or answered_at, answered_at)
        message = replace(message, replied_at=earliest)
    if cancel and message.state is State.QUEUED:
        reason = Reason.OPTED_OUT if row.contact_id in stopped else Reason.ENROLLMENT_ENDED
        message = message.ended(State.CANCELLED, at=at, reason=reason)
    return message
