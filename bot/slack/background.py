"""Work that outlives the request that began it, and is waited for before the process ends."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Background:
    """Tasks held until they end; asyncio itself may forget one that nobody holds."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin; *work* handles its own exceptions."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def drain(self, seconds: float) -> None:
        """Wait until all has ended, work that others begin meanwhile too; then cancel the rest."""
        try:
            async with asyncio.timeout(seconds):
                while self._running:
                    await asyncio.wait(tuple(self._running))
        except TimeoutError:
            left = tuple(self._running)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
