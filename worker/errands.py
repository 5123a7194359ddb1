"""Carrying out errands, a slice at a time in turn, and telling how they come on where asked."""

from collections import Counter
from dataclasses import replace
from typing import Final

import structlog

from engine import setback
from engine.attributes import ValuesUnfit
from engine.errand import Stop, at_once
from engine.ids import OrganizationId
from engine.usecases.keep_list import NoSuchList
from storage import effects, errands
from storage.database import Unit
from storage.enrollments import NotEnrolling
from storage.errand_acts import carry_out, finish
from storage.errands import OpenErrand
from worker.context import Worker

SLICE_S: Final = 0.2
CONTACTS: Final = 2_000
"""Of a transaction at most, so that webhooks of the same contacts do not wait for long."""

_TOLD_ABOVE: Final = 20_000  # contacts; fewer are done before anybody looks
_PARTS: Final = 4  # of one whose progress is told after each of them

log = structlog.get_logger()


async def run_errands(worker: Worker, organization: OrganizationId) -> bool:
    """Carry out errands for about SLICE_S seconds; return whether more is waiting."""
    ends = worker.clock.monotonic() + SLICE_S
    while await worker.database.run(organization, worker.now(), _move, owner=True):
        if worker.clock.monotonic() >= ends:
            return True
    return False


async def _move(unit: Unit) -> bool:
    """Do the next slice of one errand; False: there is none that nobody else is at."""
    seen = await errands.take(unit)
    if seen is None:
        return False
    try:
        async with unit.attempt():
            await _slice(unit, seen)
    except Exception as failed:
        if unit.is_over(failed):
            raise
        await _failed(unit, seen, failed)
    return True


async def _slice(unit: Unit, seen: OpenErrand) -> None:
    limit = min(CONTACTS, at_once(seen.errand.kind))
    contacts = await errands.following(unit, seen, limit=limit)
    try:
        counts = (
            await carry_out(unit, seen.errand, contacts, by=seen.actor, asked_at=seen.created_at)
            if contacts
            else Counter[str]()
        )
        after = replace(
            seen, done=seen.done + len(contacts), counts=dict(Counter(seen.counts) + counts)
        )
        if after.done >= after.contacts:
            await _finish(unit, after)
            return
    except NotEnrolling:
        # Somebody ended the campaign meanwhile; what was done is told.
        await _ended(unit, seen, stopped=Stop.NOT_ENROLLING)
        return
    except NoSuchList:
        await _ended(unit, seen, stopped=Stop.LIST_GONE)
        return
    except ValuesUnfit as unfit:
        await _ended(
            unit, seen, stopped=Stop.UNFIT, unfit={"count": unfit.count, "of": unfit.contacts}
        )
        return
    await errands.advance(unit, seen, contacts=len(contacts), counts=counts)
    if after.contacts > _TOLD_ABOVE and _part(after) > _part(seen):
        await _tell(unit, "errand_moved", after)


async def _finish(unit: Unit, errand: OpenErrand) -> None:
    """End it, or go on with what follows from it."""
    follow = await finish(unit, errand.errand, by=errand.actor, since=errand.created_at)
    if follow is None:
        await _ended(unit, errand, stopped=None)
        return
    contacts = follow.contacts
    if contacts is None:
        contacts = await errands.everybody(unit, errand)
    await errands.end(unit, errand)
    await errands.begin(
        unit,
        follow.errand,
        contacts=contacts,
        actor=errand.actor,
        channel=errand.channel,
        since=follow.since,
    )


async def _failed(unit: Unit, errand: OpenErrand, failed: Exception) -> None:
    """Put it behind the others, or aside for a while, which is told the first time."""
    failures = errand.failures + 1
    pause = setback.pause(failures)
    again = unit.at + pause if pause else None
    log.error("errand_failed", errand_id=errand.id, failures=failures, exc_info=failed)
    await errands.put_off(unit, errand, failures=failures, again=again)
    if failures == setback.TRIES:
        await _tell(unit, "errand_set_aside", errand)


def _part(errand: OpenErrand) -> int:
    return errand.done * _PARTS // errand.contacts


async def _ended(unit: Unit, errand: OpenErrand, *, stopped: Stop | None, **more: object) -> None:
    await errands.end(unit, errand)
    await _tell(unit, "errand_done", errand, stopped=stopped, **more)
    log.info("errand_done", errand_id=errand.id, contacts=errand.done)


async def _tell(unit: Unit, kind: str, errand: OpenErrand, **more: object) -> None:
    content = {
        "errand": errand.id,
        "kind": errand.errand.kind,
        "subject": errand.errand.subject,
        "contacts": errand.contacts,
        "done": errand.done,
        "counts": dict(errand.counts),
        "actor": errand.actor,
        "channel": errand.channel,
        **more,
    }
    await effects.tell_staff(unit, kind=kind, campaign=None, content=content)
