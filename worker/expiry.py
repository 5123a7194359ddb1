"""What waits behind a closed tap is left out when its deadline has passed: none stays for ever."""

from engine.ids import OrganizationId
from engine.message import State
from engine.reasons import Reason
from storage import expiry, messages, planning
from storage.database import Unit
from worker.context import Worker

_AT_ONCE = 1_000


async def expire(worker: Worker, organization: OrganizationId) -> bool:
    """Leave a slice of what is too late out; return whether there was any."""
    return await worker.database.run(organization, worker.now(), _expire, owner=True)


async def _expire(unit: Unit) -> bool:
    if not await planning.alone(unit, task="expire"):
        return False
    campaigns = await expiry.stopped(unit)
    late = await expiry.expired(unit, campaigns=campaigns, limit=_AT_ONCE) if campaigns else []
    rows = await messages.locked(unit, late)
    ended = [
        (
            row,
            row.with_message(row.message.ended(State.SKIPPED, at=unit.at, reason=Reason.EXPIRED)),
        )
        for row in rows.values()
        if row.message.state is State.QUEUED
    ]
    await messages.save(unit, ended)
    return bool(ended)
