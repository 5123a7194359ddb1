"""The frame of every process that runs until it is told to stop."""

import asyncio
import gc
import resource
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

import structlog
import uvloop

from bot.processes import orphaned

Result = TypeVar("Result")
Work = Callable[[asyncio.Event], Coroutine[Any, Any, Result]]

_OPEN_FILES: Final = 65_536

_log = structlog.get_logger()


class StoppedTwice(Exception):
    """Told to stop a second time, the process did not wait for what was under way."""


def run(work: Work[Result], *, parent: int | None = None) -> Result:
    """Run *work* on a loop of its own; the event it gets is set by SIGTERM and Ctrl-C.

    A second signal cancels it.

    Args:
        work: Ends by itself, or soon after the event is set.
        parent: The process without which this one has no reason to run; None: there is none, or
            the system tells.

    Raises:
        StoppedTwice: There was a second signal.
    """
    allow_connections()
    spare_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_stoppable(work, parent))


def allow_connections() -> None:
    """Let this process and its children have as many connections open as they need.

    Most systems begin with a limit of 1,024, for the sake of programs that use select(), and let
    everybody raise it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # Some systems allow less than they say.
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def spare_collector() -> None:
    """Let the garbage collector look less often, and never again at what is there by now.

    What a message or a webhook needs is freed as soon as it is done with, by its last reference;
    looking for cycles among it, and among all the modules, took a tenth of the processor.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


async def _stoppable(work: Work[Result], parent: int | None) -> Result:
    stopping = asyncio.Event()
    working = asyncio.ensure_future(work(stopping))

    def stop(number: signal.Signals) -> None:
        if stopping.is_set():
            working.cancel()
        else:
            _log.info("process.stopping", signal=number.name)
            stopping.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    watching = None if parent is None else asyncio.ensure_future(_follow(parent, stopping))
    try:
        return await working
    except asyncio.CancelledError:
        raise StoppedTwice from None
    finally:
        if watching is not None:
            watching.cancel()


async def _follow(parent: int, stopping: asyncio.Event) -> None:
    await orphaned(parent)
    _log.warning("process.orphaned")
    stopping.set()
