"""What is done once a day: statistics compared with messages, and the day before summed up."""

from dataclasses import asdict
from datetime import datetime, time, timedelta, tzinfo
from functools import partial
from typing import Final

import structlog

from engine.ids import OrganizationId
from engine.wall import instant
from storage import effects, recount, summary, template_sync
from storage.database import Unit
from storage.tasks import DAILY_SUMMARY, LOOK_THROUGH, get
from worker.context import Worker
from worker.planning import SLICE_S

_NIGHT: Final = time(3, 0)
_AT_ONCE: Final = 5_000

log = structlog.get_logger()


async def want_nightly(unit: Unit, *, zone: tzinfo, summary_at: time | None) -> None:
    """Ask for what is due once a day, by the organization's clock."""
    wanted = {LOOK_THROUGH: _NIGHT} | ({DAILY_SUMMARY: summary_at} if summary_at else {})
    for name, at in wanted.items():
        since = latest(at, zone=zone, now=unit.at)
        await template_sync.task_wanted(unit, name=name, since=since, again=since)


def latest(at: time, *, zone: tzinfo, now: datetime) -> datetime:
    """Return when the clocks of *zone* last showed *at*.

    >>> from datetime import UTC
    >>> latest(time(3), zone=UTC, now=datetime(2026, 11, 20, 2, 0, tzinfo=UTC)).isoformat()
    '2026-11-19T03:00:00+00:00'
    """
    today = datetime.combine(now.astimezone(zone).date(), at)
    shown = instant(today, zone)
    return shown if shown <= now else instant(today - timedelta(days=1), zone)


async def look_through(worker: Worker, organization: OrganizationId) -> bool:
    """Look through messages for about SLICE_S seconds; return whether more are left.

    At the end, statistics that differ are put right, and staff are told of those and of messages
    that name what is not there. How far a look has come is known to this process alone.
    """
    ends = worker.clock.monotonic() + SLICE_S
    looking = worker.looking.pop(organization, None) or recount.Looking(begun=worker.now())
    look = partial(recount.look_on, looking=looking, limit=_AT_ONCE)
    while await worker.database.run(organization, worker.now(), look, owner=True):
        if worker.clock.monotonic() >= ends:
            worker.looking[organization] = looking
            return True
    suspects = await worker.database.run(
        organization, worker.now(), partial(recount.suspects, looking=looking), owner=True
    )
    found: list[recount.Difference] = []
    for campaign in suspects:
        found += await worker.database.run(
            organization,
            worker.now(),
            partial(recount.differences, repair=True, campaign=campaign),
            owner=True,
        )
    for each in found:
        log.error("recount.repaired", difference=str(each))
    async with worker.database.owner_unit(organization, worker.now()) as unit:
        orphans = {name: count for name, count in looking.orphans.items() if count}
        if orphans:
            log.error("orphans.found", **orphans)
            await effects.tell_staff(
                unit, kind="orphans_found", campaign=None, content={"counts": orphans}
            )
        result = {"differences": len(found), "orphans": orphans, "at": unit.at.isoformat()}
        await template_sync.task_done(unit, name=LOOK_THROUGH, begun=looking.begun, result=result)
    return False


async def sum_up(worker: Worker, organization: OrganizationId) -> bool:
    """Tell staff what yesterday came to, by the organization's clock; of a quiet day nothing."""
    zone = worker.rules[organization].zone
    async with worker.database.owner_unit(organization, worker.now()) as unit:
        today = unit.at.astimezone(zone).date()
        yesterday = today - timedelta(days=1)
        task = await get(unit, name=DAILY_SUMMARY)
        told = (task.result or {}).get("day") if task else None
        if told != yesterday.isoformat():
            start, end = (
                instant(datetime.combine(each, time()), zone) for each in (yesterday, today)
            )
            day = await summary.day(unit, start=start, end=end)
            if not day.nothing:
                content = {"day": yesterday.isoformat(), **asdict(day)}
                await effects.tell_staff(unit, kind="daily_summary", campaign=None, content=content)
        await template_sync.task_done(
            unit, name=DAILY_SUMMARY, begun=unit.at, result={"day": yesterday.isoformat()}
        )
    return False
