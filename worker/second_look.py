"""After a campaign's hours changed: what waits for the old ones is looked at again, in slices."""

from functools import partial

from engine.ids import OrganizationId
from storage import campaigns
from worker.context import Worker


async def look_again(worker: Worker, organization: OrganizationId) -> bool:
    """Do a slice of each campaign that needs it; return whether there was any."""
    zone = str(worker.rules[organization].zone)
    waiting = await worker.database.run(
        organization, worker.now(), campaigns.to_look_again, owner=True
    )
    for campaign in waiting:
        await worker.database.run(
            organization,
            worker.now(),
            partial(campaigns.look_again, campaign=campaign, zone=zone),
            owner=True,
        )
    return bool(waiting)
