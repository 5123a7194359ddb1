"""Upkeep of an organization: an hourly round that forgets what is no longer needed."""

from functools import partial

import structlog

from engine.ids import OrganizationId
from storage import template_sync, upkeep
from storage.upkeep import KEEP_HOUSE
from worker.context import Worker
from worker.planning import SLICE_S

log = structlog.get_logger()


async def keep_house(worker: Worker, organization: OrganizationId) -> bool:
    """Tidy up for about SLICE_S seconds, a transaction for each slice; return whether more is left.

    How far a round has come is known to this process alone: another begins anew and finds less.
    """
    ends = worker.clock.monotonic() + SLICE_S
    round_ = worker.rounds.pop(organization, None) or upkeep.round_at(
        worker.now(), retention=worker.config.organizations[organization].sending.retention
    )
    while not round_.done:
        round_ = await worker.database.run(
            organization, worker.now(), partial(upkeep.tidied, round_=round_), owner=True
        )
        if worker.clock.monotonic() >= ends:
            worker.rounds[organization] = round_
            return True
    async with worker.database.owner_unit(organization, worker.now()) as unit:
        await template_sync.task_done(
            unit, name=KEEP_HOUSE, begun=round_.begun, result={"forgotten": round_.forgotten}
        )
    if round_.forgotten:
        log.info("upkeep.done", organization=organization, forgotten=round_.forgotten)
    return False
