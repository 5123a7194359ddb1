"""After the steps of a drip changed: its enrollments are put on their way anew, in slices."""

from functools import partial

from engine.ids import OrganizationId
from storage import campaigns
from worker.context import Worker


async def rewalk(worker: Worker, organization: OrganizationId) -> bool:
    """Do a slice of each campaign that needs it; return whether there was any."""
    waiting = await worker.database.run(organization, worker.now(), campaigns.to_rewalk, owner=True)
    for campaign in waiting:
        await worker.database.run(
            organization, worker.now(), partial(campaigns.rewalk, campaign=campaign), owner=True
        )
    return bool(waiting)
