"""Who is in a drip: enrolling and ending, for one contact or for thousands at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from engine.campaign import Kind, Mode, Reentry, State, Type
from engine.ids import CampaignId, ContactId, EnrollmentId, StepId
from engine.message import State as MessageState
from engine.reasons import Reason
from storage import messages
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
class Enrolled:
    """What enrolling came to.

    Attributes:
        counts: Contacts by outcome; those at zero are absent, and so are contacts that are gone.
        interrupted: Enrollments in other drips that ended for it.
    """

    counts: Mapping[Outcome, int]
    interrupted: int = 0


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
class Running:
    """An enrollment that had not ended, locked."""

    id: EnrollmentId
    campaign_id: CampaignId
    contact_id: ContactId


async def enroll(
    unit: Unit, *, campaign: CampaignId, contacts: Sequence[ContactId], by: str
) -> Enrolled:
    """Enroll *contacts* (at most 10,000) in a drip, each as its rules and their consent allow.

    Locks the campaign, then the contacts; whoever calls holds no lock on an enrollment or message.

    Args:
        by: A Slack user, or what triggered it.

    Raises:
        NotEnrolling: Nobody was looked at.
    """
    drip = await unit.row(_SQL["lock_campaign"], campaign=campaign)
    if drip is None or drip["kind"] != Kind.DRIP:
        raise NotEnrolling(campaign, None)
    state = State(drip["state"])
    if state not in {State.ACTIVE, State.PAUSED}:
        raise NotEnrolling(campaign, state)
    first = await _first_step(unit, campaign=campaign)
    if first is None:
        raise NotEnrolling(campaign, state, without_steps=True)
    await lock_contacts(unit, contacts=contacts)
    step, after = first
    found = await unit.rows(
        _SQL["enroll"],
        campaign=campaign,
        contacts=contacts,
        promotional=drip["type"] == Type.PROMOTIONAL,
        reentry=Reentry(drip["reentry"]),
        mode=Mode(drip["mode"]),
        step=step,
        due_at=unit.at + after,
        by=by,
    )
    by_outcome = {Outcome(row["outcome"]): row["contacts"] for row in found}
    interrupted = 0
    if drip["mode"] == Mode.INTERRUPT and Outcome.ENROLLED in by_outcome:
        others = await running(
            unit, campaign=campaign, contacts=by_outcome[Outcome.ENROLLED], elsewhere=True
        )
        await drop(unit, enrollments=others, reason="interrupted")
        interrupted = len(others)
    return Enrolled(
        counts={outcome: len(who) for outcome, who in by_outcome.items()},
        interrupted=interrupted,
    )


async def lock_contacts(unit: Unit, *, contacts: Sequence[ContactId]) -> list[ContactId]:
    """Lock contacts; return those there are, in the order of their ids."""
    return [row["id"] for row in await unit.rows(_SQL["lock_contacts"], contacts=contacts)]


async def running(
    unit: Unit, *, campaign: CampaignId, contacts: Sequence[ContactId], elsewhere: bool = False
) -> list[Running]:
    """Lock what has not ended of *contacts* in the campaign, or *elsewhere*: in all others."""
    rows = await unit.rows(
        _SQL["running"], campaign=campaign, contacts=contacts, elsewhere=elsewhere
    )
    return [Running(**dict(row)) for row in rows]


async def drop(unit: Unit, *, enrollments: Sequence[Running], reason: str) -> None:
    """End locked *enrollments* and cancel what was queued for them.

    What is claimed meanwhile is stopped by whoever claims it again: its enrollment has ended.
    """
    if not enrollments:
        return
    await unit.run(_SQL["drop"], ids=[each.id for each in enrollments], reason=reason)
    queued = await unit.rows(
        _SQL["queued_of"],
        ids=[each.id for each in enrollments],
        campaigns=[each.campaign_id for each in enrollments],
        contacts=[each.contact_id for each in enrollments],
    )
    rows = (await messages.locked(unit, [row["id"] for row in queued])).values()
    await messages.save(
        unit,
        [
            (
                row,
                row.with_message(
                    row.message.ended(
                        MessageState.CANCELLED, at=unit.at, reason=Reason.ENROLLMENT_ENDED
                    )
                ),
            )
            for row in rows
            if row.message.state is MessageState.QUEUED
        ],
    )


async def _first_step(unit: Unit, *, campaign: CampaignId) -> tuple[StepId, timedelta] | None:
    row = await unit.row(_SQL["first_step"], campaign=campaign)
    return None if row is None else (row["id"], timedelta(seconds=row["after_s"]))
