"""How campaigns end: completion told once, ended ones swept of what was still queued."""

from datetime import timedelta
from functools import partial

from engine.ids import CampaignId, OrganizationId
from engine.message import State
from engine.reasons import Reason
from storage import campaigns, completion, effects, messages, planning
from storage.database import Unit
from worker.context import Worker

_SWEEP = 2_000
_ARCHIVING = timedelta(minutes=1)


async def complete(worker: Worker, organization: OrganizationId) -> bool:
    """Complete and sweep; return whether a sweep has more to do."""
    ended = await worker.database.run(organization, worker.now(), _complete, owner=True)
    more = False
    for campaign in ended:
        # A transaction for each: the statistics of one must not be locked while the next one's
        # messages are.
        more |= await worker.database.run(
            organization, worker.now(), partial(_sweep, campaign=campaign), owner=True
        )
    return more


async def _complete(unit: Unit) -> list[CampaignId]:
    """Complete what is complete; return the campaigns to sweep."""
    if not await planning.alone(unit, task="complete"):
        return []
    completed = await completion.complete_broadcasts(unit)
    completed += await completion.complete_drips(unit)
    for campaign in completed:
        await effects.tell_staff(
            unit,
            kind="campaign_completed",
            campaign=campaign,
            content={"at": unit.at.isoformat()},
        )
    return await completion.ended_campaigns(unit)


async def _sweep(unit: Unit, *, campaign: CampaignId) -> bool:
    # Asked before what is queued: what a call gives back in between is found there, or was claimed.
    claimed = await completion.still_claimed(unit, campaign=campaign)
    ids = await completion.queued_of(unit, campaign=campaign, limit=_SWEEP)
    rows = (await messages.locked(unit, ids)).values()
    await messages.save(
        unit,
        [
            (
                row,
                row.with_message(
                    row.message.ended(State.CANCELLED, at=unit.at, reason=Reason.CAMPAIGN_ENDED)
                ),
            )
            for row in rows
            if row.message.state is State.QUEUED
        ],
    )
    if ids:
        return True
    if claimed:
        # Calls under way may yet be given back to the queue; look again at the next tick.
        return False
    if await campaigns.has_running(unit, campaign=campaign):
        # Whoever archived it ends them slice by slice, unless it died over that.
        forsaken = await campaigns.ended_before(
            unit, campaign=campaign, moment=unit.at - _ARCHIVING
        )
        return forsaken and await campaigns.drop_everybody(unit, campaign=campaign) > 0
    await completion.swept(unit, campaign=campaign)
    return False
