"""A worker process: one arq worker on one of the two queues, with what its jobs need."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from typing import Literal

import structlog
from arq import cron
from arq.worker import Worker as ArqWorker
from arq.worker import func
from redis.exceptions import RedisError

from engine.clock import Clock
from engine.config import Config
from engine.places import Cap
from engine.sending_rules import rules_of
from storage import leases, numbers, places, tasks, template_sync
from storage.database import CONNECTION_LOST, Database
from storage.listener import Listener
from storage.migrate import check
from storage.queue import JOBS, LANES, Queue, deserialize, redis_settings, serialize
from worker.context import Worker
from worker.jobs import JOBS as JOB_FUNCTIONS
from worker.jobs import job, run_lane, tick
from worker.planning import attach_leaves
from worker.whatsapp.client import CloudApi, open_session

_DRAIN_S = 25.0
_CLOSE_S = 2.0
_REDIS_PAUSE_S = 0.5
_BEAT_S = 1.0
_SILENCE_S = 2.0
"""Without an answer from the database for so long, no job is taken."""
_WATCH_S = 0.05
_JUMP = timedelta(milliseconds=500)

log = structlog.get_logger()


class NotConfigured(Exception):
    """The worker runs only with a database and a Redis it is told about."""


async def serve(
    config: Config,
    clock: Clock,
    *,
    queue: Literal["lanes", "jobs"],
    stopping: asyncio.Event,
) -> None:
    """Work on *queue* until *stopping*; then let what is under way end, 25 s at most.

    Raises:
        NotConfigured: No database or no Redis in the configuration.
        SchemaOutdated: The database lacks migrations.
    """
    if config.server.database_url is None or config.server.redis_url is None:
        raise NotConfigured(
            "the worker needs server.database_url and server.redis_url;"
            " `dripline up` runs servers of its own"
        )
    database_url = config.server.database_url.get_secret_value()
    await check(database_url)
    async with _worker(config, clock, database_url, queue) as worker:
        await prepare(worker)
        if queue == "jobs":
            await _ask_for_accounts(worker)
        direct = config.server.direct_url
        listener = Listener(
            None if direct is None else direct.get_secret_value(), clock, worker.database
        )
        ending = asyncio.Event()
        arqs: list[ArqWorker] = []
        pulse = _Pulse(worker)
        background = [
            asyncio.create_task(pulse.beat(queue)),
            asyncio.create_task(pulse.pick_only_while_it_beats(arqs, ending)),
            asyncio.create_task(
                _keep_arq(arqs, lambda: _arq_worker(worker, listener, queue, ending))
            ),
        ]
        if queue == "lanes":
            background.append(asyncio.create_task(listener.run()))
        else:
            background.append(asyncio.create_task(_watch_clock(worker)))
        log.info("worker.started", queue=queue)
        try:
            await _until(stopping, background)
        finally:
            # Also when a part has failed: calls under way are to end and to be recorded.
            ending.set()
            await _drain(arqs, background)
    log.info("worker.stopped", queue=queue)


@asynccontextmanager
async def _worker(
    config: Config, clock: Clock, database_url: str, queue: str
) -> AsyncIterator[Worker]:
    assert config.server.redis_url is not None  # noqa: S101 — serve has looked
    async with AsyncExitStack() as stack:
        database = await Database.open(
            database_url, name=f"dripline {queue}", largest=10, pooled=config.server.pooled
        )
        stack.push_async_callback(database.close)
        session = await stack.enter_async_context(open_session())
        redis = Queue.open(config.server.redis_url.get_secret_value())
        stack.push_async_callback(redis.close)
        yield Worker(
            config=config,
            clock=clock,
            database=database,
            queue=redis,
            rules={
                key: rules_of(key, each, portfolio=config.portfolio_home(key))
                for key, each in config.organizations.items()
            },
            apis={
                key: CloudApi(
                    session,
                    config.server.graph_url,
                    each.whatsapp.access_token.get_secret_value(),
                )
                for key, each in config.organizations.items()
            },
        )


async def prepare(worker: Worker) -> None:
    """Make sure that what is configured has its rows, and messages their leaves."""
    for organization, config in worker.config.organizations.items():
        phones = {number.id: number.phone for number in config.whatsapp.numbers}
        async with worker.database.owner_unit(organization, worker.now()) as unit:
            await template_sync.know_organization(unit)
            await numbers.know(unit, phones=phones)
            # It may allow more by now; who finds no place waits again at once.
            await places.open_held(unit, whys=[Cap.CONTACTS_PER_DAY])
            await attach_leaves(unit)


async def _ask_for_accounts(worker: Worker) -> None:
    """Let what the platform says of our numbers be read: much may have changed since we ran."""
    for organization in worker.rules:
        async with worker.database.owner_unit(organization, worker.now()) as unit:
            await tasks.request(unit, name=tasks.READ_ACCOUNTS, by="start")


async def _keep_arq(arqs: list[ArqWorker], make: Callable[[], ArqWorker]) -> None:
    """Run arq for ever, a new one when Redis was away for longer than it bears.

    The jobs of the old one go on; that is why *arqs* keeps it.
    """
    while True:
        for arq in [each for each in arqs if all(task.done() for task in each.tasks.values())]:
            arqs.remove(arq)
            await _close(arq)
        arqs.append(make())
        try:
            await arqs[-1].async_run()
        except (RedisError, OSError, TimeoutError) as lost:
            log.warning("redis.lost", reason=type(lost).__name__)
        await asyncio.sleep(_REDIS_PAUSE_S)


def _arq_worker(worker: Worker, listener: Listener, queue: str, ending: asyncio.Event) -> ArqWorker:
    assert worker.config.server.redis_url is not None  # noqa: S101 — serve has looked
    lanes = queue == "lanes"
    functions = (
        [func(run_lane, name="run_lane", timeout=120, max_tries=1, keep_result=0)]
        if lanes
        else [
            func(job(name), name=name, timeout=120, max_tries=1, keep_result=0)
            for name in JOB_FUNCTIONS
        ]
    )
    return ArqWorker(
        functions=functions,
        queue_name=LANES if lanes else JOBS,
        cron_jobs=None
        if lanes
        else [cron(tick, second=set(range(60)), timeout=30, max_tries=1, keep_result=0)],
        redis_settings=redis_settings(worker.config.server.redis_url.get_secret_value()),
        handle_signals=False,
        max_jobs=1000,
        poll_delay=0.02,
        keep_result=0,
        max_tries=1,
        health_check_interval=10,
        job_serializer=serialize,
        job_deserializer=deserialize,
        ctx={"worker": worker, "listener": listener, "stopping": ending},
        log_results=False,
    )


async def _until(stopping: asyncio.Event, background: list[asyncio.Task[None]]) -> None:
    """Wait for *stopping*, or for a part that ends by itself, which none should."""
    stopped = asyncio.create_task(stopping.wait())
    try:
        ended, _ = await asyncio.wait((stopped, *background), return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
    for task in ended:
        if task is not stopped and (error := task.exception()) is not None:
            raise error


async def _drain(arqs: list[ArqWorker], background: list[asyncio.Task[None]]) -> None:
    for arq in arqs:
        arq.allow_pick_jobs = False
    running = [task for arq in arqs for task in arq.tasks.values() if not task.done()]
    if running:
        await asyncio.wait(running, timeout=_DRAIN_S)
    for task in background:
        task.cancel()
    await asyncio.gather(*background, return_exceptions=True)
    for arq in arqs:
        await _close(arq)


async def _close(arq: ArqWorker) -> None:
    if arq.main_task is not None:
        arq.main_task.cancel()
    for task in arq.tasks.values():
        task.cancel()
    await asyncio.gather(*arq.tasks.values(), return_exceptions=True)
    if arq._pool is None:  # noqa: SLF001 — its property hides that it never connected
        return
    with suppress(RedisError, OSError, TimeoutError):  # it may be gone before us
        async with asyncio.timeout(_CLOSE_S):
            await arq.pool.delete(arq.health_check_key)
    with suppress(RedisError, OSError):
        await arq.pool.aclose(close_connection_pool=True)


class _Pulse:
    """Tells that this process is alive, and keeps it from jobs while nobody can be told.

    A host that is cut off from Postgres alone still reaches Redis, and would take lanes and ticks
    from there which it cannot run.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._beaten_at = worker.clock.monotonic()

    async def beat(self, queue: str) -> None:
        """Tell once a second that this kind of process is alive; `status` and health show it."""
        worker = self._worker
        while True:
            for organization in worker.rules:
                try:
                    async with worker.database.owner_unit(organization, worker.now()) as unit:
                        await leases.beat(unit, process=queue, holder="worker")
                except CONNECTION_LOST:
                    break
                except Exception:
                    log.exception("worker.beat_failed")
                self._beaten_at = worker.clock.monotonic()
            await asyncio.sleep(_BEAT_S)

    async def pick_only_while_it_beats(self, arqs: list[ArqWorker], ending: asyncio.Event) -> None:
        """Let *arqs* take jobs while the database was heard of lately, until *ending*."""
        while not ending.is_set():
            heard = self._worker.clock.monotonic() - self._beaten_at < _SILENCE_S
            for arq in arqs:
                arq.allow_pick_jobs = heard
            await asyncio.sleep(_SILENCE_S / 10)
        await asyncio.Event().wait()  # a part that ends would end the process


async def _watch_clock(worker: Worker) -> None:
    """Tick at once when the business clock jumps, as it does in the sandbox."""
    offset = worker.clock.now() - worker.clock.wall()
    while True:
        await asyncio.sleep(_WATCH_S)
        jumped = worker.clock.now() - worker.clock.wall() - offset
        if abs(jumped) > _JUMP:
            offset += jumped
            try:
                await tick({"worker": worker})
            except Exception:
                # The next tick of the second does the same.
                log.exception("tick.failed")
