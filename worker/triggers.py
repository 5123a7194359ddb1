"""Triggers: what happened to contacts enrolls them, exactly once each."""

from typing import Final

import structlog

from engine.ids import OrganizationId
from storage import enrollments, occurrences
from storage.database import Unit
from storage.enrollments import NotEnrolling
from worker.context import Worker

SLICE_S: Final = 0.2
_OCCURRENCES: Final = 1_000

log = structlog.get_logger()


async def enroll_triggered(worker: Worker, organization: OrganizationId) -> bool:
    """Act on occurrences for about SLICE_S seconds; return whether more are waiting."""
    ends = worker.clock.monotonic() + SLICE_S
    while True:
        taken = await worker.database.run(organization, worker.now(), _slice, owner=True)
        if taken < _OCCURRENCES or worker.clock.monotonic() >= ends:
            return taken == _OCCURRENCES


async def _slice(unit: Unit) -> int:
    """Enroll by the next occurrences and take them away, both or neither; return how many."""
    taken = await occurrences.take(unit, limit=_OCCURRENCES)
    if not taken:
        return 0
    drips = await occurrences.triggered(unit, triggers={each.trigger for each in taken})
    for drip in drips:
        contacts = {
            each.contact_id
            for each in taken
            if each.trigger == drip.trigger and each.at >= drip.started_at
        }
        if not contacts:
            continue
        try:
            enrolled = await enrollments.enroll(
                unit,
                campaign=drip.id,
                contacts=sorted(contacts),
                by=f"trigger:{drip.trigger}",
            )
        except NotEnrolling as refused:
            # Its last step was removed: there is nothing anybody could be sent.
            log.warning("trigger.not_enrolling", campaign=drip.id, state=refused.state)
            continue
        log.info("trigger.enrolled", campaign=drip.id, counts=dict(enrolled.counts))
    return len(taken)
