"""Messages of numbers that left the configuration: they go from a number that is still there."""

import secrets
from functools import partial

import structlog

from engine.ids import NumberId, OrganizationId
from engine.sending_rules import SendingRules
from storage import leases, numbers, sending
from storage.database import Unit
from worker.context import Worker

_AT_ONCE = 2_000

log = structlog.get_logger()


async def move_strays(worker: Worker, organization: OrganizationId) -> bool:
    """Move a slice of each such number's messages; return whether more are waiting."""
    rules = worker.rules[organization]
    async with worker.database.owner_unit(organization, worker.now()) as unit:
        strays = await numbers.strays(unit, configured=rules.number_ids)
    more = False
    for number in strays:
        more |= await worker.database.run(
            organization, worker.now(), partial(_move, number=number, rules=rules), owner=True
        )
    return more


async def _move(unit: Unit, *, number: NumberId, rules: SendingRules) -> bool:
    # Its lease, so that no process with an older configuration sends what is moved.
    lease = await leases.acquire(unit, name=f"lane:{number}", holder=secrets.token_hex(8))
    if lease is None:
        return False
    doubtful = await sending.inherit(unit, number=number, generation=lease.generation)
    moved = await numbers.move(unit, number=number, configured=rules.number_ids, limit=_AT_ONCE)
    await leases.release(unit, lease, call_age_s=None)
    log.warning("numbers.moved", number=number, moved=moved, unknown=doubtful)
    return moved == _AT_ONCE
