"""One enrollment steered by staff: paused, resumed, put before another step, ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.campaign import Step
from engine.enrollment import EndReason
from engine.ids import CampaignId, ContactId, EnrollmentId, MessageId, StepId
from engine.message import State as MessageState
from engine.reasons import Reason
from storage import enrollments
from storage.database import Unit
from storage.enrollments import Running
from storage.queries import load

_SQL = load("enrollments")


@dataclass(frozen=True, slots=True, kw_only=True)
class Steered:
    """An enrollment that has not ended, locked.

    Attributes:
        step_id: The step it waits for, or whose message is under way.
        due_at: None: a message is under way.
        paused_at: None: it is not paused.
        campaign_paused_s: For how long the campaign had been paused in all by then.
    """

    id: EnrollmentId
    state: str
    step_id: StepId | None
    place: float
    due_at: datetime | None
    paused_at: datetime | None
    campaign_paused_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How somebody's latest enrollment ended."""

    state: str
    reason: str | None
    ended_at: datetime | None


async def of_contact(unit: Unit, *, campaign: CampaignId, contact: ContactId) -> list[Steered]:
    """Lock a contact and their enrollments in a campaign that have not ended, the latest first."""
    await enrollments.lock_contacts(unit, contacts=[contact])
    rows = await unit.rows(_SQL["of_contact"], campaign=campaign, contact=contact)
    return [Steered(**dict(row)) for row in rows]


async def ended(unit: Unit, *, campaign: CampaignId, contact: ContactId) -> Ended | None:
    """Return how the latest enrollment of a contact stands; None: there never was one."""
    row = await unit.row(_SQL["ever_enrolled"], campaign=campaign, contact=contact)
    return None if row is None else Ended(**dict(row))


async def pause(unit: Unit, *, contact: ContactId, steered: Sequence[Steered], by: str) -> None:
    """Keep enrollments from sending until they are resumed."""
    await unit.run(_SQL["pause"], ids=[each.id for each in steered], by=by)
    await enrollments.revoke(unit, contacts=[contact])


async def resume(
    unit: Unit, *, campaign: CampaignId, contact: ContactId, steered: Sequence[Steered]
) -> None:
    """Let paused enrollments go on; the time they were paused is held against nothing."""
    await unit.run(_SQL["resume"], ids=[each.id for each in steered])
    for each in steered:
        waiting = await _open(unit, campaign, contact, each)
        if waiting:
            ids = [row_id for row_id, _ in waiting]
            await unit.run(
                _SQL["release"],
                campaign=campaign,
                ids=ids,
                paused_at=each.paused_at,
                campaign_paused_s=each.campaign_paused_s,
            )


async def under_way(
    unit: Unit, *, campaign: CampaignId, contact: ContactId, steered: Steered
) -> bool:
    """Whether a call to WhatsApp may be going on for it, so that it cannot be put elsewhere."""
    waiting = await _open(unit, campaign, contact, steered)
    return any(state is not MessageState.QUEUED for _, state in waiting)


async def had(unit: Unit, *, contact: ContactId, steered: Steered, step: Step) -> bool:
    """Whether a message of *step* was made for it."""
    found: bool = await unit.value(_SQL["had"], contact=contact, id=steered.id, step=step.id)
    return found


async def put_before(
    unit: Unit,
    *,
    campaign: CampaignId,
    contact: ContactId,
    steered: Steered,
    step: Step,
    place: float,
) -> None:
    """Let it wait for *step* from now on; what was queued for another is cancelled.

    Args:
        place: The position of the last step that is behind it then; 0: none.
    """
    waiting = await _open(unit, campaign, contact, steered)
    await enrollments.cancel(unit, [row_id for row_id, _ in waiting], Reason.PUT_ELSEWHERE)
    await unit.run(
        _SQL["put_before"],
        id=steered.id,
        state=steered.state,
        step=step.id,
        place=place,
        after_s=int(step.after.total_seconds()),
    )


async def end(
    unit: Unit, *, campaign: CampaignId, contact: ContactId, steered: Sequence[Steered]
) -> None:
    """End them; what was queued is cancelled."""
    running = [Running(id=each.id, campaign_id=campaign, contact_id=contact) for each in steered]
    await enrollments.drop(unit, enrollments=running, reason=EndReason.ENDED)


async def _open(
    unit: Unit, campaign: CampaignId, contact: ContactId, steered: Steered
) -> list[tuple[MessageId, MessageState]]:
    rows = await unit.rows(_SQL["open_of"], campaign=campaign, ids=[steered.id], contacts=[contact])
    return [(row["id"], MessageState(row["state"])) for row in rows]
