"""Who is in a drip: enrolling and ending, for one contact or for thousands at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from engine.campaign import Kind, Mode, Reentry, State, Type
from engine.campaign_ports import Affected
from engine.enrollment import EndReason
from engine.ids import CampaignId, ContactId, EnrollmentId, MessageId, StepId
from engine.message import State as MessageState
from engine.reasons import Reason
from storage import messages, revocations
from storage.database import Unit
from storage.queries import load

_SQL = load("enrollments")


class Outcome(StrEnum):
    """What enrolling came to for a contact. The rest are the reasons of consent, word for word."""

    ENROLLED = "enrolled"
    ALREADY = "already"
    ELSEWHERE = "elsewhere"
    OPTED_OUT = "opted_out"
    PLATFORM_STOPPED = "platform_stopped"
    BLOCKED = "blocked"
    UNREACHABLE = "unreachable"
    ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """An enrollment that had not ended, locked."""

    id: EnrollmentId
    campaign_id: CampaignId
    contact_id: ContactId


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What enrolling came to.

    Attributes:
        counts: Contacts by outcome; those at zero are absent, and so are contacts that are gone.
        interrupted: Enrollments in other drips that ended for it.
    """

    counts: Mapping[Outcome, int]
    interrupted: Sequence[Running] = ()


class NotEnrolling(Exception):
    """The campaign takes nobody in: it is no drip, is not active or paused, or has no step.

    Attributes:
        state: None: there is no such drip.
        without_steps: Whether only a step is missing.
    """

    def __init__(
        self, campaign: CampaignId, state: State | None, *, without_steps: bool = False
    ) -> None:
        super().__init__(f"campaign {campaign} takes nobody in: {state or 'no such drip'}")
        self.state = state
        self.without_steps = without_steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrollment:
    """An enrollment as lists show it.

    Attributes:
        reason: Of `engine.enrollment.EndReason`; None: it has not ended, or its state says it all.
        step_id: None once it has ended.
        position: Of the last step reached, among all there ever were.
        enrolled_by: A Slack user, or what triggered it.
        due_at: When something is next due; None: it has ended, or a message is on its way.
        phone: None: the contact has none.
    """

    id: EnrollmentId
    contact_id: ContactId
    state: str
    reason: str | None
    step_id: StepId | None
    position: float
    enrolled_at: datetime
    enrolled_by: str
    ended_at: datetime | None
    due_at: datetime | None
    sent: int
    delivered: int
    read: int
    replied: int
    name: str | None
    phone: str | None


async def enroll(
    unit: Unit,
    *,
    campaign: CampaignId,
    contacts: Sequence[ContactId],
    by: str,
    properties: Mapping[ContactId, Mapping[str, object]] | None = None,
) -> Enrolled:
    """Enroll *contacts* (at most 10,000) in a drip, each as its rules and their consent allow.

    Locks the campaign, then the contacts; whoever calls holds no lock on an enrollment or message.
    For the arguments see `take_in`.

    Raises:
        NotEnrolling: Nobody was looked at.
    """
    enrolled = await take_in(
        unit, campaign=campaign, contacts=contacts, by=by, properties=properties
    )
    await clear(unit, enrollments=enrolled.interrupted)
    return enrolled


async def take_in(
    unit: Unit,
    *,
    campaign: CampaignId,
    contacts: Sequence[ContactId],
    by: str,
    properties: Mapping[ContactId, Mapping[str, object]] | None = None,
    depth: int = 0,
) -> Enrolled:
    """Enroll, and leave to the caller to clear what was interrupted.

    Args:
        by: A Slack user, or what triggered it.
        properties: Of the events that enroll, where they have some; tokens of its texts.
        depth: How many automations led to it, one after the other.

    Raises:
        NotEnrolling: Nobody was looked at.
    """
    drip = await _drip(unit, campaign, locked=True)
    await lock_contacts(unit, contacts=contacts)
    by_outcome = await _by_outcome(
        unit, drip, contacts, by=by, only_judge=False, properties=properties, depth=depth
    )
    interrupted: list[Running] = []
    if drip.mode is Mode.INTERRUPT and Outcome.ENROLLED in by_outcome:
        interrupted = await running(
            unit, campaign=campaign, contacts=by_outcome[Outcome.ENROLLED], elsewhere=True
        )
        await end(unit, enrollments=interrupted, reason=EndReason.INTERRUPTED)
    return Enrolled(
        counts={outcome: len(who) for outcome, who in by_outcome.items()},
        interrupted=interrupted,
    )


async def judged(
    unit: Unit, *, campaign: CampaignId, contacts: Sequence[ContactId]
) -> Mapping[Outcome, int]:
    """Return what enrolling *contacts* would come to now, by outcome; nothing changes.

    Raises:
        NotEnrolling: The campaign takes nobody in.
    """
    drip = await _drip(unit, campaign, locked=False)
    found = await _by_outcome(unit, drip, contacts, by="", only_judge=True)
    return {outcome: len(who) for outcome, who in found.items()}


async def outcomes(
    unit: Unit, *, campaign: CampaignId, contacts: Sequence[ContactId]
) -> Mapping[Outcome, Sequence[ContactId]]:
    """Return whom enrolling *contacts* now would come to what; nothing changes.

    Raises:
        NotEnrolling: The campaign takes nobody in.
    """
    drip = await _drip(unit, campaign, locked=False)
    return await _by_outcome(unit, drip, contacts, by="", only_judge=True)


async def foreseen(
    unit: Unit, *, campaign: CampaignId, contacts: Sequence[ContactId]
) -> Mapping[Outcome, Sequence[ContactId]]:
    """Return what enrolling *contacts* would come to if the campaign were active; nothing changes.

    Raises:
        NotEnrolling: It is no drip, or has no step.
    """
    drip = await _drip(unit, campaign, locked=False, foreseen=True)
    return await _by_outcome(unit, drip, contacts, by="", only_judge=True)


async def of_contacts(
    unit: Unit, *, contacts: Sequence[ContactId]
) -> dict[ContactId, list[tuple[CampaignId, bool]]]:
    """Return the campaigns contacts were ever enrolled in, and whether they have not ended them."""
    found: dict[ContactId, list[tuple[CampaignId, bool]]] = {}
    for row in await unit.rows(_SQL["of_contacts"], contacts=contacts) if contacts else ():
        found.setdefault(row["contact_id"], []).append((row["campaign_id"], row["running"]))
    return found


async def lock_contacts(unit: Unit, *, contacts: Sequence[ContactId]) -> list[ContactId]:
    """Lock contacts; return those there are, in the order of their ids."""
    return [row["id"] for row in await unit.rows(_SQL["lock_contacts"], contacts=contacts)]


async def lock_running(unit: Unit, *, contacts: Sequence[ContactId]) -> None:
    """Lock all that has not ended of *contacts*, before any of it is ended bit by bit."""
    await unit.rows(_SQL["lock_running"], contacts=contacts)


async def running(
    unit: Unit, *, campaign: CampaignId, contacts: Sequence[ContactId], elsewhere: bool = False
) -> list[Running]:
    """Lock what has not ended of *contacts* in the campaign, or *elsewhere*: in all others."""
    rows = await unit.rows(
        _SQL["running"], campaign=campaign, contacts=contacts, elsewhere=elsewhere
    )
    return [Running(**dict(row)) for row in rows]


async def contacts_running(
    unit: Unit, *, campaign: CampaignId, contacts: Sequence[ContactId]
) -> list[ContactId]:
    """Return those of *contacts* who are in the campaign and have not ended it, sorted."""
    rows = await unit.rows(_SQL["contacts_running"], campaign=campaign, contacts=contacts)
    return [row["contact_id"] for row in rows]


async def running_of(unit: Unit, *, campaign: CampaignId, limit: int) -> list[Running]:
    """Lock up to *limit* of a campaign's enrollments that have not ended."""
    rows = await unit.rows(_SQL["running_of"], campaign=campaign, limit=limit)
    return [Running(**dict(row)) for row in rows]


async def drop(unit: Unit, *, enrollments: Sequence[Running], reason: EndReason) -> None:
    """End locked *enrollments* and cancel what was queued for them."""
    await end(unit, enrollments=enrollments, reason=reason)
    await clear(unit, enrollments=enrollments)


async def end(unit: Unit, *, enrollments: Sequence[Running], reason: EndReason) -> None:
    """End locked *enrollments*, and leave what was queued for them to `clear`, or to others."""
    if enrollments:
        await unit.run(_SQL["drop"], ids=[each.id for each in enrollments], reason=reason)


async def clear(unit: Unit, *, enrollments: Sequence[Running]) -> None:
    """Cancel what was queued for ended *enrollments*; once in a unit, as it locks statistics.

    What is claimed comes back to the queue, and whoever claims it again finds its enrollment ended.
    """
    if not enrollments:
        return
    queued = await unit.rows(
        _SQL["queued_of"],
        ids=[each.id for each in enrollments],
        campaigns=[each.campaign_id for each in enrollments],
        contacts=[each.contact_id for each in enrollments],
    )
    await cancel(unit, [row["id"] for row in queued], Reason.ENROLLMENT_ENDED)
    await revoke(unit, contacts=sorted({each.contact_id for each in enrollments}))


async def rewalk(
    unit: Unit, *, campaign: CampaignId, cursor: EnrollmentId, limit: int
) -> EnrollmentId | None:
    """Put the next *limit* enrollments after *cursor* on their way by the steps as they are now.

    Returns the last of them; None: there are no more. Whoever calls keeps the steps as they are.
    """
    until: EnrollmentId | None = await unit.value(
        _SQL["next_waiting"], campaign=campaign, cursor=cursor, limit=limit
    )
    if until is not None:
        await unit.run(_SQL["rewalk"], campaign=campaign, cursor=cursor, until=until)
    return until


async def cancel_removed(unit: Unit, *, campaign: CampaignId, limit: int) -> int:
    """Cancel up to *limit* messages queued for removed steps, and let their contacts go on."""
    rows = await unit.rows(_SQL["queued_of_removed"], campaign=campaign, limit=limit)
    await cancel(unit, [row["id"] for row in rows], Reason.STEP_REMOVED)
    return len(rows)


async def affected(
    unit: Unit, *, campaign: CampaignId, place: float, step: StepId | None
) -> Affected:
    """Return how a change at a place of the order, or of *step*, meets those under way."""
    row = await unit.row(_SQL["affected"], campaign=campaign, place=place, step=step)
    return Affected() if row is None else Affected(**dict(row))


async def revoke(unit: Unit, *, contacts: Sequence[ContactId]) -> None:
    """Have senders give back what they claimed for *contacts* and have not started."""
    await revocations.revoke(unit, contacts=contacts)


async def states(unit: Unit, *, campaign: CampaignId) -> dict[str, int]:
    """Return how many enrollments are in each state; those at zero are absent."""
    rows = await unit.rows(_SQL["states"], campaign=campaign)
    return {row["state"]: row["count"] for row in rows}


async def page(
    unit: Unit, *, campaign: CampaignId, state: str | None, limit: int, offset: int = 0
) -> list[Enrollment]:
    """Return the latest enrollments but for *offset*, of one state or of all."""
    rows = await unit.rows(_SQL["page"], campaign=campaign, state=state, limit=limit, offset=offset)
    return [Enrollment(**dict(row)) for row in rows]


async def retime(unit: Unit, *, contacts: Sequence[ContactId]) -> None:
    """Time anew who waits for a moment: the zone or a date of *contacts*, locked, may be another.

    Whoever calls holds no lock on a message.
    """
    await unit.run(_SQL["retime"], contacts=contacts)


async def cancel(unit: Unit, ids: Sequence[MessageId], reason: Reason) -> None:
    """Cancel those of messages that are queued."""
    rows = (await messages.locked(unit, ids)).values()
    await messages.save(
        unit,
        [
            (
                row,
                row.with_message(
                    row.message.ended(MessageState.CANCELLED, at=unit.at, reason=reason)
                ),
            )
            for row in rows
            if row.message.state is MessageState.QUEUED
        ],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drip:
    id: CampaignId
    promotional: bool
    reentry: Reentry
    mode: Mode
    first_step: StepId
    first_after: timedelta


async def _drip(unit: Unit, campaign: CampaignId, *, locked: bool, foreseen: bool = False) -> _Drip:
    """Return what decides who may enroll; *locked*: and keep it from changing.

    Args:
        foreseen: As if it were active.
    """
    query = _SQL["lock_campaign" if locked else "look_at_campaign"]
    row = await unit.row(query, campaign=campaign)
    if row is None or row["kind"] != Kind.DRIP:
        raise NotEnrolling(campaign, None)
    state = State(row["state"])
    if state not in {State.ACTIVE, State.PAUSED} and not foreseen:
        raise NotEnrolling(campaign, state)
    # A statement of its own: it has to see the steps as they are once the lock is held.
    step = await unit.row(_SQL["first_step"], campaign=campaign)
    if step is None:
        raise NotEnrolling(campaign, state, without_steps=True)
    return _Drip(
        id=campaign,
        promotional=row["type"] == Type.PROMOTIONAL,
        reentry=Reentry(row["reentry"]),
        mode=Mode(row["mode"]),
        first_step=step["id"],
        first_after=timedelta(seconds=step["after_s"]),
    )


async def _by_outcome(
    unit: Unit,
    drip: _Drip,
    contacts: Sequence[ContactId],
    *,
    by: str,
    only_judge: bool,
    properties: Mapping[ContactId, Mapping[str, object]] | None = None,
    depth: int = 0,
) -> dict[Outcome, list[ContactId]]:
    found = await unit.rows(
        _SQL["enroll"],
        campaign=drip.id,
        contacts=contacts,
        promotional=drip.promotional,
        reentry=drip.reentry,
        mode=drip.mode,
        step=drip.first_step,
        due_at=unit.at + drip.first_after,
        by=by,
        only_judge=only_judge,
        properties={str(contact): dict(each) for contact, each in (properties or {}).items()},
        depth=depth,
    )
    return {Outcome(row["outcome"]): row["contacts"] for row in found}
