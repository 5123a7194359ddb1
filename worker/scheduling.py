"""What is scheduled starts when its time has come, also when it came while nothing ran."""

from functools import partial

import structlog

from engine.ids import OrganizationId
from engine.usecases.start_scheduled import start_scheduled
from storage import campaigns, restores
from storage.campaigns import Campaigns, DueToStart
from storage.database import Unit, is_lost
from storage.templates import KnownTemplates
from worker.context import Worker

_AT_ONCE = 20

log = structlog.get_logger()


async def start_due(worker: Worker, organization: OrganizationId) -> bool:
    """Start what is due; return whether there may be more."""
    at = worker.now()
    due = await worker.database.run(
        organization, at, partial(campaigns.due_to_start, limit=_AT_ONCE), owner=True
    )
    for each in due:
        work = partial(_start, worker=worker, organization=organization, due=each)
        try:
            await worker.database.run(organization, worker.now(), work, owner=True)
        except Exception as error:
            if is_lost(error):
                raise
            # One that cannot be read must not keep those behind it from their time.
            log.exception("broadcast.not_started", campaign=each.id)
    if due:
        await worker.queue.wake_job("plan", organization)
    return len(due) == _AT_ONCE


async def _start(
    unit: Unit, *, worker: Worker, organization: OrganizationId, due: DueToStart
) -> None:
    if await restores.moved(unit):
        return
    rules = worker.rules[organization]
    await start_scheduled(
        campaign=due.id,
        at=unit.at,
        deadline=rules.deadline_of(due.settings),
        approval=rules.approval_above,
        standard=rules.zone,
        campaigns=Campaigns(unit, due.scheduled_by, rules=rules),
        templates=KnownTemplates(unit),
    )
