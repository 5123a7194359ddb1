"""Child processes that are kept running, told to end in order, and never outlive their parent."""

import asyncio
import ctypes
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import structlog

from engine.clock import Clock
from storage.embedded import Server

# A child drains for up to 25 s; the rest is for a machine that is slow to let go.
GRACE_S = 40.0
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 0.8  # a part that dies is back within a second
_STEADY_S = 10.0  # whoever ran that long had no trouble starting
_LOOK_S = 0.25
_PR_SET_PDEATHSIG = 1

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """What to keep running.

    Attributes:
        name: For the logs.
        argv: The program and its arguments.
        environment: All of it; nothing is added.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]


async def keep_running(
    children: Iterable[Child], *, clock: Clock, stopping: asyncio.Event, grace_s: float = GRACE_S
) -> None:
    """Run *children*, each again when it ends, until *stopping* is set; then end them in order.

    They get SIGTERM, and SIGKILL *grace_s* seconds later. Each runs in a session of its own, so
    that Ctrl-C reaches this process alone. When it dies itself, they get SIGTERM from the system
    (on Linux) or notice it (:func:`orphaned`).
    """
    async with asyncio.TaskGroup() as group:
        for child in children:
            group.create_task(_keep(child, clock, stopping, grace_s), name=child.name)


async def keep_servers(servers: Collection[Server]) -> None:
    """Start again every server that dies, until cancelled; ending them is their owner's."""
    while True:
        for server in servers:
            if (status := server.poll()) is not None:
                _log.warning("server.died", server=server.name, status=status)
                server.launch()
        await asyncio.sleep(_LOOK_S)


async def orphaned(parent: int, *, every_s: float = 0.5) -> None:
    """Return when *parent* is no longer our parent; for systems that do not signal it."""
    while os.getppid() == parent:  # noqa: ASYNC110 — no event tells it
        await asyncio.sleep(every_s)


async def _keep(child: Child, clock: Clock, stopping: asyncio.Event, grace_s: float) -> None:
    pause = _FIRST_PAUSE_S
    while not stopping.is_set():
        process = await _start(child)
        started = clock.monotonic()
        log = _log.bind(process=child.name, pid=process.pid)
        log.info("process.started")
        try:
            await _until(stopping, process.wait())
        finally:
            # Also when we are cancelled: nobody is left behind.
            if process.returncode is None:
                await _end(process, grace_s)
        if stopping.is_set():
            log.info("process.stopped", status=process.returncode)
            return
        if clock.monotonic() - started > _STEADY_S:
            pause = _FIRST_PAUSE_S
        log.warning("process.died", status=process.returncode, again_in_s=pause)
        await _until(stopping, asyncio.sleep(pause))
        pause = min(2 * pause, _LONGEST_PAUSE_S)


async def _start(child: Child) -> Process:
    return await asyncio.create_subprocess_exec(
        *child.argv,
        env=dict(child.environment),
        stdin=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_dying_with_parent() if sys.platform == "linux" else None,
    )


async def _until(stopping: asyncio.Event, work: Awaitable[object]) -> None:
    """Wait for *work* or *stopping*, whichever is first."""
    tasks = [asyncio.ensure_future(work), asyncio.ensure_future(stopping.wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


async def _end(process: Process, grace_s: float) -> None:
    # It may end by itself at any moment.
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(grace_s):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _dying_with_parent() -> Callable[[], None]:
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
        if os.getppid() != parent:  # it died before the tie held
            os._exit(1)

    return tie
