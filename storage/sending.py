"""What a lane asks of the database: due messages, claimed under its lease and given back."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import asyncpg

from engine.campaign import Settings, Type
from engine.consent import FIELD, UNSAID, Consent
from engine.countries import NONE_BANNED, Banned
from engine.ids import CampaignId, ContactId, EnrollmentId, MessageId, NumberId, StepId
from engine.message import Message, State
from engine.overlap import Exclude
from engine.phone import Phone
from storage.database import Unit
from storage.leases import EXPIRY_S, Lease, named
from storage.messages import Row, planned_at
from storage.queries import load

_SQL = load("sending")

REPLIES = CampaignId(0)
"""Stands for confirmations and replies where campaigns take turns."""

AHEAD = timedelta(seconds=2)
"""How far ahead a message is claimed that a campaign's rate allows at a later moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCampaign:
    """A campaign with something due on the number.

    Attributes:
        next_slot_at: With a rate: when the next message may go; None: at once.
        day_on: With a daily cap: the day *day_count* is of.
        held: How long it has been held back so far, which is held against no deadline.
        left_out_before: What was due by then is left out; None: nothing for that.
        banned: Countries that nobody may be written to in.
    """

    id: CampaignId
    type: Type
    priority: int
    settings: Settings
    version: int
    excluded: Exclude = Exclude.NONE
    next_slot_at: datetime | None = None
    day_on: date | None = None
    day_count: int = 0
    held: timedelta = timedelta()
    left_out_before: datetime | None = None
    banned: Banned = NONE_BANNED

    def leaves_out(self, due_at: datetime) -> bool:
        return self.left_out_before is not None and due_at <= self.left_out_before


class Waiting(NamedTuple):
    """Which message it is, and where it belongs: what a claim has to know of its row.

    Attributes:
        attempt: Calls so far; of a claimed one, with the call it is claimed for.
        campaign_id: None for what is not of a campaign, such as a confirmation.
        run_id: The enrollment of a drip, the campaign of a broadcast.
        enrolled: Whether there is an enrollment behind it.
    """

    id: MessageId
    attempt: int
    campaign_id: CampaignId | None
    step_id: StepId
    variant_id: int | None
    run_id: int
    contact_id: ContactId
    number_id: NumberId
    enrolled: bool


class Recipient(NamedTuple):
    """What of a contact decides about a message and is filled into it.

    Attributes:
        attributes: None: they were not asked for.
        properties: Of the event that enrolled it; None: none did.
    """

    phone: Phone | None
    bsuid: str | None
    name: str | None
    first_name: str | None
    company: str | None
    email: str | None
    attributes: Mapping[str, Any] | None
    properties: Mapping[str, Any] | None
    timezone: str | None
    last_message_at: datetime | None
    promoted_at: datetime | None
    promoted_campaign_id: CampaignId | None
    promoted_ats: Sequence[datetime]
    last_inbound_at: datetime | None
    consent: Consent


class Due(NamedTuple):
    """A due message, locked with its contact.

    Attributes:
        run: The state of its enrollment; "active" for what has none.
        body: What a message that is not of a campaign says.
        content: The same where it is more than a text: `engine.content`.
        record: Its row as it is, for those few that are not sent.
    """

    message: Waiting
    run: str
    deadline_at: datetime | None
    body: str | None
    content: object
    recipient: Recipient
    record: Mapping[str, Any]

    @property
    def row(self) -> Row:
        """All that may change about it."""
        return _row(self.message, self.record)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContent:
    """What a step says, as stored, and in which hours of its own.

    Attributes:
        fallback: Instead, where the service window is closed; None: nothing.
        hours, days: None: the campaign's.
    """

    campaign_id: CampaignId
    step_id: StepId
    content: Any
    fallback: Any
    hours: str | None
    days: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberState:
    """A number as the platform and its tap have it."""

    closed: bool
    messages_per_second: int | None
    messaging_limit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a claim finds before it looks at campaigns, under a lease that cannot move meanwhile.

    Attributes:
        paced_until: Business time before which no campaign message goes; None: at once.
        all_closed: The organization's tap holds the campaigns on all its numbers.
    """

    paced_until: datetime | None
    number: NumberState
    all_closed: bool


async def hold(unit: Unit, lease: Lease, *, number: NumberId) -> Held | None:
    """Keep *lease* ours until this transaction ends; None: it, or the database, has moved."""
    row = await unit.row(_SQL["hold"], **named(lease), number=number, expiry_s=EXPIRY_S)
    if row is None:
        return None
    return Held(paced_until=row["paced_until"], number=_state(row), all_closed=row["all_closed"])


async def open_campaigns(
    unit: Unit, *, number: NumberId, counted: bool = False
) -> list[OpenCampaign]:
    """Return campaigns with something due on *number*, kept from pausing until this commits.

    Args:
        counted: Lock them all to be changed, not only those with a rate or a daily cap.
    """
    rows = await unit.rows(
        _SQL["open_campaigns"], number=number, ahead=unit.at + AHEAD, counted=counted
    )
    return [
        OpenCampaign(
            id=row["id"],
            type=Type(row["type"]),
            priority=row["priority"],
            settings=Settings.from_json(row["settings"]),
            version=row["version"],
            excluded=Exclude.from_json(row["excluded"]),
            next_slot_at=row["next_slot_at"],
            day_on=row["day_on"],
            day_count=row["day_count"],
            held=timedelta(seconds=row["held_s"]),
            left_out_before=row["left_out_before"],
            banned=Banned.of(row["banned"]),
        )
        for row in rows
    ]


async def due(
    unit: Unit, *, number: NumberId, quotas: Mapping[CampaignId, int], named: bool = True
) -> list[Due]:
    """Lock up to each campaign's quota of due messages, in the order of *quotas*.

    Args:
        named: Some of their words name an attribute; else nobody's are read.
    """
    rows = await unit.rows(
        _SQL["due"],
        number=number,
        campaigns=list(quotas),
        quotas=list(quotas.values()),
        named=named,
    )
    return [_due(row) for row in rows]


async def defer(unit: Unit, *, due_ats: Mapping[MessageId, datetime]) -> None:
    await unit.run(_SQL["defer"], ids=list(due_ats), due_ats=list(due_ats.values()))


async def lock_enrollments_if_free(
    unit: Unit, *, ids: Sequence[EnrollmentId]
) -> frozenset[EnrollmentId]:
    """Lock enrollments nobody else has locked, and return which."""
    rows = await unit.rows(_SQL["lock_enrollments_if_free"], ids=ids)
    return frozenset(row["id"] for row in rows)


async def outranked(
    unit: Unit, *, contacts: Sequence[ContactId], campaigns: Sequence[CampaignId]
) -> frozenset[ContactId]:
    """Return those of *contacts* for whom something of *campaigns* is due too."""
    rows = await unit.rows(_SQL["outranked"], contacts=contacts, campaigns=campaigns)
    return frozenset(row["contact_id"] for row in rows)


async def reserve_slots(
    unit: Unit,
    *,
    campaign: CampaignId,
    next_slot_at: datetime | None,
    day_on: date | None,
    day_count: int,
    closed_until: datetime | None,
    held: timedelta,
) -> None:
    """Take of a campaign's rate and daily cap.

    Args:
        held: How long what is taken holds back all that waits behind it.
        closed_until: When the day's cap is used up: the next day's first instant.
    """
    await unit.run(
        _SQL["reserve_slots"],
        campaign=campaign,
        next_slot_at=next_slot_at,
        day_on=day_on,
        day_count=day_count,
        closed_until=closed_until,
        closed_why="per_day",
        held_s=held.total_seconds(),
    )


async def hour_used(unit: Unit, *, hour: datetime) -> int:
    """Return the claims of *hour*, locked until this commits."""
    used: int = await unit.value(_SQL["hour_used"], hour=hour)
    return used


async def use_hour(unit: Unit, *, hour: datetime, count: int) -> None:
    await unit.run(_SQL["use_hour"], hour=hour, count=count)


async def close_organization(unit: Unit, *, until: datetime, why: str) -> None:
    await unit.run(_SQL["close_organization"], until=until, why=why)


async def number_state(unit: Unit, *, number: NumberId) -> NumberState:
    row = await unit.row(_SQL["number_tap"], number=number)
    return NumberState(closed=False, messages_per_second=None) if row is None else _state(row)


def _state(row: asyncpg.Record) -> NumberState:
    return NumberState(
        closed=row["closed"],
        messages_per_second=row["messages_per_second"],
        messaging_limit=row["messaging_limit"],
    )


async def inherit(unit: Unit, *, number: NumberId, generation: int) -> int:
    """Mark what former holders had claimed as unknown; return how many there were."""
    return await unit.run(_SQL["inherit"], number=number, generation=generation)


async def inbound_since(unit: Unit, *, number: NumberId, since: datetime) -> int:
    """Return how many messages contacts wrote to the number since then."""
    count: int = await unit.value(_SQL["inbound_since"], number=number, since=since)
    return count


class Promotion(NamedTuple):
    """What the claim of a promotional message wrote on its contact, and what stood there before."""

    campaign_id: CampaignId
    earlier_at: datetime | None
    earlier_campaign_id: CampaignId | None


class ClaimNote(NamedTuple):
    """What the claim of a message wrote on its contact.

    Attributes:
        at: The claim's time, or a little later: no two notes on a contact have the same, so that
            each can be taken back by itself.
        earlier_message_at: When the contact had last been written to before; None: never.
        promotion: None: the message is not promotional.
    """

    contact_id: ContactId
    at: datetime
    earlier_message_at: datetime | None
    promotion: Promotion | None


async def take(
    unit: Unit,
    *,
    templates: Mapping[MessageId, tuple[str, str] | None],
    generation: int,
    notes: Sequence[ClaimNote],
    capped: int,
) -> None:
    """Claim messages, and write on their contacts that they are written to now.

    Args:
        templates: By message, name and language of the one it is sent by; None: it is by none.
        notes: Of one contact in the order of their times.
        capped: How many promotional ones the frequency cap counts; 0: there is none.
    """
    last = {each.contact_id: each for each in notes}
    promotions = {each.contact_id: (each.at, each.promotion) for each in notes if each.promotion}
    promoted = [promotions.get(contact) for contact in last]
    at = unit.at
    # Thousands of messages are of a few templates.
    distinct = list(dict.fromkeys(each for each in templates.values() if each is not None))
    places: dict[tuple[str, str] | None, int] = {each: n for n, each in enumerate(distinct, 1)}
    await unit.run(
        _SQL["take"],
        ids=list(templates),
        templates=[places.get(each) for each in templates.values()],
        names=[name for name, _ in distinct],
        languages=[language for _, language in distinct],
        generation=generation,
        contacts=list(last),
        message_ats=[None if each.at == at else each.at for each in last.values()],
        campaigns=[each[1].campaign_id if each else None for each in promoted],
        promoted_ats=[None if each is None or each[0] == at else each[0] for each in promoted],
        capped=capped,
    )


async def lock_reserved(
    unit: Unit, *, ids: Sequence[MessageId], contacts: Sequence[ContactId]
) -> None:
    """Lock what the claim of messages reserved of campaigns and contacts, before the messages."""
    await unit.rows(_SQL["lock_capped_of"], ids=ids)
    if contacts:
        await unit.rows(_SQL["lock_contacts"], contacts=contacts)


async def give_back(
    unit: Unit, *, attempts: Mapping[MessageId, int], generation: int
) -> frozenset[MessageId]:
    """Return messages to the queue whose call never started; return which were still claimed.

    Args:
        attempts: Of each message, the attempt that was claimed.
    """
    rows = await unit.rows(
        _SQL["give_back"],
        ids=list(attempts),
        attempts=list(attempts.values()),
        generation=generation,
    )
    return frozenset(row["id"] for row in rows)


async def give_back_others(
    unit: Unit, *, number: NumberId, generation: int, known: Sequence[MessageId]
) -> int:
    """Return to the queue what was claimed under *generation* but for *known*; return how many."""
    return await unit.run(
        _SQL["give_back_others"], number=number, generation=generation, known=known
    )


async def forget_claimed(unit: Unit, *, notes: Sequence[ClaimNote]) -> None:
    """Take back what claims wrote on contacts, as far as nothing later stands above it."""
    of_contact: dict[ContactId, list[ClaimNote]] = defaultdict(list)
    for note in sorted(notes, key=lambda each: each.at, reverse=True):
        of_contact[note.contact_id].append(note)
    messages = [_taken_back(several) for several in of_contact.values()]
    promotions = [_promotion_taken_back(several) for several in of_contact.values()]
    counted = [each for each in notes if each.promotion is not None]
    await unit.run(
        _SQL["forget_claimed"],
        contacts=list(of_contact),
        message_ats=[at for at, _ in messages],
        earlier_message_ats=[earlier for _, earlier in messages],
        promoted_ats=[at for at, _, _ in promotions],
        earlier_ats=[earlier for _, earlier, _ in promotions],
        earlier_campaigns=[campaign for _, _, campaign in promotions],
        counted=[each.contact_id for each in counted],
        counted_ats=[each.at for each in counted],
    )


def _taken_back(notes: Sequence[ClaimNote]) -> tuple[datetime, datetime | None]:
    """Return the time of a contact's latest note, and what stood before it and those it covers."""
    earlier = notes[0].earlier_message_at
    for note in notes[1:]:
        if note.at == earlier:
            earlier = note.earlier_message_at
    return notes[0].at, earlier


def _promotion_taken_back(
    notes: Sequence[ClaimNote],
) -> tuple[datetime | None, datetime | None, CampaignId | None]:
    """Return the same of promotional ones, with the campaign; all None: there is none."""
    at: datetime | None = None
    earlier: datetime | None = None
    campaign: CampaignId | None = None
    for note in notes:
        if note.promotion is not None and (at is None or note.at == earlier):
            at = at or note.at
            earlier = note.promotion.earlier_at
            campaign = note.promotion.earlier_campaign_id
    return at, earlier, campaign


async def return_slots(unit: Unit, *, campaign: CampaignId, day_on: date, count: int) -> None:
    """Give back of the daily cap used on *day_on*; its tap opens if the cap had closed it."""
    await unit.run(_SQL["return_slots"], campaign=campaign, day_on=day_on, count=count)


async def open_organization(unit: Unit, *, why: str) -> None:
    """Open the organization's tap if it is closed for that reason."""
    await unit.run(_SQL["open_organization"], why=why)


async def contents_of(unit: Unit, *, campaigns: Sequence[CampaignId]) -> list[StepContent]:
    """Return what the steps of *campaigns* say; without removed ones."""
    rows = await unit.rows(_SQL["steps_of"], campaigns=campaigns)
    return [
        StepContent(
            campaign_id=row["campaign_id"],
            step_id=row["id"],
            content=row["content"],
            fallback=row["fallback"],
            hours=row["settings"].get("hours"),
            days=row["settings"].get("days"),
        )
        for row in rows
        if row["removed_at"] is None
    ]


async def is_due(unit: Unit, *, number: NumberId) -> bool:
    """Whether something on *number* is due that no tap holds."""
    due: bool = await unit.value(_SQL["is_due"], number=number, ahead=unit.at + AHEAD)
    return due


def _due(record: asyncpg.Record) -> Due:
    # By place, because it happens for every message: see the order of columns in the query.
    said = record[27:36]
    consent = Consent(**dict(zip(FIELD.values(), said, strict=True))) if any(said) else UNSAID
    recipient = Recipient._make((*record[13:27], consent))
    return Due._make((Waiting._make(record[:9]), *record[9:13], recipient, record))


def _row(message: Waiting, record: Mapping[str, Any]) -> Row:
    return Row(
        message=Message(
            id=message.id,
            state=State.QUEUED,
            planned_at=planned_at(message.id),
            attempt=message.attempt,
            tries=record["tries"],
            failed_attempt=record["failed_attempt"],
            due_at=record["due_at"],
            accepted_at=record["accepted_at"],
            sent_at=record["sent_at"],
            delivered_at=record["delivered_at"],
            read_at=record["read_at"],
            replied_at=record["replied_at"],
            failed_at=record["failed_at"],
            wamid=record["wamid"],
            error_code=record["error_code"],
            error=record["error"],
            doubled=record["doubled"],
        ),
        campaign_id=message.campaign_id,
        step_id=message.step_id,
        variant_id=message.variant_id,
        run_id=message.run_id,
        contact_id=message.contact_id,
        number_id=message.number_id,
        enrolled=message.enrolled,
    )
