"""The jobs of the two queues, thin: unpack, do a slice, go on if there is more."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog
from arq.typing import WorkerCoroutine

from engine.ids import NumberId, OrganizationId
from storage import audit_seal, planning, restores, template_sync, work
from storage.database import CONNECTION_LOST
from storage.tasks import DAILY_SUMMARY, LOOK_THROUGH, READ_ACCOUNTS
from storage.upkeep import KEEP_HOUSE
from worker.accounts import read_accounts
from worker.braking import mind_brakes
from worker.completion import complete
from worker.context import Worker
from worker.dates import follow_dates
from worker.errands import run_errands
from worker.expiry import expire
from worker.exporting import export_contacts
from worker.following import follow_segments
from worker.importing import import_contacts
from worker.lane import Lane
from worker.library import fetch_media, upload_media
from worker.memory import Memory
from worker.nightly import look_through, sum_up, want_nightly
from worker.planning import plan
from worker.reconciliation import reconcile
from worker.rewalking import rewalk
from worker.scheduling import start_due
from worker.second_look import look_again
from worker.strays import move_strays
from worker.synchronization import TASK, sync_templates
from worker.template_review import submit_templates
from worker.triggers import enroll_triggered
from worker.upkeep import keep_house

Context = dict[str, Any]
Job = Callable[[Worker, OrganizationId], Awaitable[bool]]

_SEALS = 500
_SYNC_EVERY = timedelta(hours=1)
_SYNC_AGAIN = timedelta(seconds=10)
_TIDY_EVERY = timedelta(hours=1)
_READ_EVERY = timedelta(days=1)
_READ_AGAIN = timedelta(minutes=1)

log = structlog.get_logger()


async def seal_audit(worker: Worker, organization: OrganizationId) -> bool:
    async with worker.database.owner_unit(organization, worker.now()) as unit:
        if not await planning.alone(unit, task="seal_audit"):
            return False
        return await audit_seal.seal(unit, limit=_SEALS) == _SEALS


JOBS: Mapping[str, Job] = {
    "plan": plan,
    "rewalk": rewalk,
    "look_again": look_again,
    "start_scheduled": start_due,
    "enroll_triggered": enroll_triggered,
    "follow_dates": follow_dates,
    "follow_segments": follow_segments,
    "import_contacts": import_contacts,
    "export_contacts": export_contacts,
    "run_errands": run_errands,
    "reconcile": reconcile,
    "move_strays": move_strays,
    "expire": expire,
    "complete": complete,
    "mind_brakes": mind_brakes,
    "seal_audit": seal_audit,
    "sync_templates": sync_templates,
    READ_ACCOUNTS: read_accounts,
    "submit_templates": submit_templates,
    "fetch_media": fetch_media,
    "upload_media": upload_media,
    KEEP_HOUSE: keep_house,
    LOOK_THROUGH: look_through,
    DAILY_SUMMARY: sum_up,
}
"""By the name storage.work finds them under. Each does a slice and says whether there is more."""


def job(name: str) -> WorkerCoroutine:
    """Return arq's function for the job *name*."""

    async def run(ctx: Context, *, organization: OrganizationId, **_: object) -> None:
        """Do a slice; more is enqueued behind what others have waiting."""
        worker: Worker = ctx["worker"]
        # The tick asks each second, however long it takes: once at a time is enough.
        if organization not in worker.rules or (name, organization) in worker.running:
            return
        worker.running.add((name, organization))
        with structlog.contextvars.bound_contextvars(job=name, organization=organization):
            try:
                more = await JOBS[name](worker, organization)
            except CONNECTION_LOST as lost:
                # The tick finds the same work again once the database is back.
                log.warning("job.interrupted", reason=type(lost).__name__)
                return
            except Exception:
                log.exception("job.failed")
                return
            finally:
                worker.running.discard((name, organization))
        if more and not ctx["stopping"].is_set():
            await worker.queue.wake_job(name, organization)

    return run


async def run_lane(
    ctx: Context, *, organization: OrganizationId, number: NumberId, **_: object
) -> None:
    """Run the lane of *number*, unless somebody does."""
    worker: Worker = ctx["worker"]
    rule = worker.number(organization, number)
    if rule is None:
        return
    with structlog.contextvars.bound_contextvars(organization=organization, number=number):
        lane = Lane(
            database=worker.database,
            api=worker.apis[organization],
            clock=worker.clock,
            listener=ctx["listener"],
            rules=worker.rules[organization],
            number=rule,
            memory=worker.memories.setdefault((organization, number), Memory.of(rule)),
        )
        try:
            more = await lane.run(ctx["stopping"])
        except CONNECTION_LOST as lost:
            log.warning("lane.interrupted", reason=type(lost).__name__)
            return
        except Exception:
            log.exception("lane.failed")
            return
    if more and not ctx["stopping"].is_set():
        await worker.queue.wake_lane(organization, number)


async def tick(ctx: Context) -> None:
    """Wake what has something to do. Due times live in Postgres alone; this looks once a second."""
    worker: Worker = ctx["worker"]
    for organization, rules in worker.rules.items():
        at = worker.now()
        try:
            async with worker.database.owner_unit(organization, at) as unit:
                await restores.notice(unit)
                await template_sync.task_wanted(
                    unit, name=TASK, since=at - _SYNC_EVERY, again=at - _SYNC_AGAIN
                )
                await template_sync.task_wanted(
                    unit, name=READ_ACCOUNTS, since=at - _READ_EVERY, again=at - _READ_AGAIN
                )
                tidied = at - _TIDY_EVERY
                await template_sync.task_wanted(unit, name=KEEP_HOUSE, since=tidied, again=tidied)
                await want_nightly(
                    unit,
                    zone=rules.zone,
                    summary_at=worker.config.organizations[organization].slack.daily_summary,
                )
                lanes = await work.lanes(unit, numbers=rules.number_ids)
                names = await work.jobs(unit, numbers=rules.number_ids)
        except CONNECTION_LOST as lost:
            log.warning("tick.interrupted", reason=type(lost).__name__)
            return
        except Exception:
            # One organization's trouble must not keep the others from what is due.
            log.exception("tick.failed", organization=organization)
            continue
        for number in lanes:
            await worker.queue.wake_lane(organization, number)
        for name in names:
            await worker.queue.wake_job(name, organization)
