"""The loop of jobs that read or write files: a piece of the one whose turn it is, for a slice."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, Protocol, TypeVar

import structlog

from engine.ids import OrganizationId
from storage.database import Unit, is_lost
from worker.context import Worker

SLICE_S: Final = 0.2

log = structlog.get_logger()


class _File(Protocol):
    @property
    def id(self) -> int: ...


T = TypeVar("T", bound=_File)


async def in_turn(
    worker: Worker,
    organization: OrganizationId,
    *,
    what: str,
    next_open: Callable[[Unit], Awaitable[T | None]],
    move: Callable[[T, float], Awaitable[bool]],
    failed: Callable[[Unit, T], Awaitable[None]],
    forget: Callable[[], None],
) -> bool:
    """Move files for about SLICE_S seconds; return whether more is waiting.

    Args:
        what: For the log.
        next_open: The one that has waited longest; None: nothing is to be done.
        move: Does a piece, until a time of the machine's clock at most; false: it was not ours.
        failed: Puts it behind the others, or aside. Also one whose statements take too long, or
            none would have its turn again.
        forget: Lets go of what this process holds of them.
    """
    ends = worker.clock.monotonic() + SLICE_S
    while True:
        async with worker.database.owner_unit(organization, worker.now()) as unit:
            file = await next_open(unit)
        if file is None:
            forget()
            return False
        try:
            moved = await move(file, ends)
        except Exception as error:
            if is_lost(error):
                raise
            log.exception("file_failed", what=what, id=file.id)
            await worker.database.run(
                organization, worker.now(), partial(_apart, failed, file), owner=True
            )
            moved = True
        if not moved:
            return False  # another process is at it, or it stopped waiting
        if worker.clock.monotonic() >= ends:
            return True


async def _apart(failed: Callable[[Unit, T], Awaitable[None]], file: T, unit: Unit) -> None:
    await failed(unit, file)
