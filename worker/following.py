"""Segments that automations wait for: who comes into one is told, once each time."""

from datetime import timedelta
from typing import Final

from engine.ids import OrganizationId
from storage import following, members, planning
from storage.database import Unit
from worker.context import Worker

SLICE_S: Final = 0.2
_CONTACTS: Final = 20_000
_TASK: Final = "follow_segments"
_EVERY: Final = timedelta(minutes=1)


async def follow_segments(worker: Worker, organization: OrganizationId) -> bool:
    """Look through segments for about SLICE_S seconds; return whether there is more."""
    ends = worker.clock.monotonic() + SLICE_S
    while True:
        more = await worker.database.run(organization, worker.now(), _slice, owner=True)
        if not more or worker.clock.monotonic() >= ends:
            return more


async def _slice(unit: Unit) -> bool:
    """Look at the next contacts for the segment that waits the longest; False: none waits."""
    if not await planning.alone(unit, task=_TASK):
        return False
    await following.begin(unit)
    found = await following.following(unit, before=unit.at - _EVERY)
    if found is None:
        return False
    until = await following.until(unit, after=found.after, limit=_CONTACTS)
    if until is not None:
        await members.follow(
            unit,
            segment=found.segment_id,
            after=found.after,
            until=until,
            # Who is in it when it begins to be followed has not joined it.
            tell=found.begun,
            since=found.since,
        )
    await following.followed(unit, segment=found.segment_id, contact=until)
    return True
