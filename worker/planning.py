"""Planning: due enrollments and starting broadcasts become messages, in slices."""

from collections import Counter
from collections.abc import Awaitable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

import structlog

from engine.ids import CampaignId, ContactId, OrganizationId
from engine.message import hour_of
from engine.sending_rules import SendingRules
from storage import messages, planning
from storage.analyzing import analyze_grown
from storage.database import Unit, is_lost
from storage.messages import StatKey
from storage.planning import Broadcast, Drip
from worker import walking
from worker.context import Worker

SLICE_S = 0.2
_CONTACTS = 20_000
_AHEAD = timedelta(days=62)

log = structlog.get_logger()


class _Slice(Protocol):
    def __call__(self, unit: Unit, *, rules: SendingRules) -> Awaitable[bool]: ...


async def plan(worker: Worker, organization: OrganizationId) -> bool:
    """Plan for about SLICE_S seconds, campaigns in turn; return whether more is waiting."""
    ends = worker.clock.monotonic() + SLICE_S
    await worker.database.run(organization, worker.now(), attach_leaves, owner=True)
    while True:
        slices = await worker.database.run(organization, worker.now(), _waiting, owner=True)
        more = await _plan_in_turn(worker, organization, slices, ends)
        if slices:
            # At once, because a lane claims what is planned while the rest is.
            await analyze_grown(worker.database)
        if not more or worker.clock.monotonic() >= ends:
            return more


async def _plan_in_turn(
    worker: Worker, organization: OrganizationId, slices: Iterable[_Slice], ends: float
) -> bool:
    """Plan a slice of each campaign, as long as there is time; return whether more is waiting."""
    rules = worker.rules[organization]
    more = False
    # A transaction of its own for each: the statistics of one must not be locked while the
    # next one's campaign is.
    for slice_of in slices:
        try:
            more |= await worker.database.run(
                organization, worker.now(), partial(slice_of, rules=rules), owner=True
            )
        except Exception as error:
            if is_lost(error):
                raise
            # Tried again with the next tick; those behind it go on meanwhile.
            log.exception("plan.failed")
        if worker.clock.monotonic() >= ends:
            return True
    return more


async def attach_leaves(unit: Unit) -> None:
    """Make sure there are leaves for this month, two ahead, and what was missed before."""
    await planning.attach_leaves(unit, until=unit.at + _AHEAD)


async def _waiting(unit: Unit) -> list[_Slice]:
    """Return what plans a slice of each campaign that has something to plan."""
    drips = [partial(_drip_slice, drip=drip) for drip in await planning.drips_due(unit)]
    broadcasts = [
        partial(_broadcast_slice, campaign=campaign)
        for campaign in await planning.broadcasts_to_plan(unit)
    ]
    return [*drips, *broadcasts]


async def _drip_slice(unit: Unit, *, drip: Drip, rules: SendingRules) -> bool:
    if not await planning.alone(unit, task="plan"):
        return False
    floor = await planning.oldest_second(unit) or 0
    return await walking.plan_drip(unit, drip, rules, floor)


async def _broadcast_slice(unit: Unit, *, campaign: CampaignId, rules: SendingRules) -> bool:
    if not await planning.alone(unit, task="plan"):
        return False
    floor = await planning.oldest_second(unit) or 0
    broadcast = await planning.lock_broadcast(unit, campaign=campaign)
    return broadcast is not None and await _plan_broadcast(unit, broadcast, rules, floor)


async def _plan_broadcast(
    unit: Unit, broadcast: Broadcast, rules: SendingRules, floor: int
) -> bool:
    until = await planning.slice_end(unit, broadcast=broadcast, limit=_CONTACTS)
    if until is None:
        await planning.move_cursor(unit, campaign=broadcast.id, cursor=broadcast.cursor, done=True)
        return True
    second = max(int(broadcast.started_at.timestamp()), floor)
    deadline = rules.deadline_of(broadcast.settings)
    made = await planning.plan_broadcast(
        unit,
        broadcast=broadcast,
        until=until,
        second=second,
        numbers=rules.number_ids,
        due_at=_due_at(broadcast, None, rules),
        zone_due_ats=await _due_ats(unit, broadcast, rules, until=until),
        deadline_s=int(deadline.total_seconds()) if deadline else None,
    )
    await messages.move_stats(unit, _planned_stats(broadcast, made, second))
    await planning.move_cursor(
        unit, campaign=broadcast.id, cursor=until, done=until == broadcast.contacts_up_to
    )
    return True


async def _due_ats(
    unit: Unit, broadcast: Broadcast, rules: SendingRules, *, until: ContactId
) -> dict[str, datetime]:
    if broadcast.local is None and rules.hours_of(broadcast.settings).always:
        return {}
    zones = await planning.zones_in_slice(unit, broadcast=broadcast, until=until)
    return {zone: _due_at(broadcast, zone, rules) for zone in zones}


def _due_at(broadcast: Broadcast, timezone: str | None, rules: SendingRules) -> datetime:
    """Return when a broadcast is due for contacts of a zone; None: of an unknown one."""
    return rules.due_of(
        broadcast.settings,
        started_at=broadcast.started_at,
        local=broadcast.local,
        timezone=timezone,
    )


def _planned_stats(broadcast: Broadcast, made: dict[str, int], second: int) -> Counter[StatKey]:
    hour = hour_of(datetime.fromtimestamp(second, UTC))
    deltas: Counter[StatKey] = Counter()
    for reason, count in made.items():
        key = (broadcast.id, broadcast.step_id, 0, hour)
        deltas[*key, "planned"] += count
        if reason:
            deltas[*key, f"skipped:{reason}"] += count
    return deltas
