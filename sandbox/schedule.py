"""What the pretend platforms do by themselves at a business time."""

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

from sandbox.clock import Clock

_AT_ONCE = 1_000  # actions between two turns of the event loop
_LOOK = 0.5  # seconds; the machine may have slept


class Schedule:
    """Actions by business time, in order; those of one time in the order they were added."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = count()
        self._earlier = asyncio.Event()

    @property
    def next_us(self) -> int | None:
        """Business time of the next action, or None."""
        return self._due[0][0] if self._due else None

    def at(self, when_us: int, action: Callable[[], None]) -> None:
        heapq.heappush(self._due, (when_us, next(self._numbers), action))
        if self._due[0][0] == when_us:
            self._earlier.set()

    def moved(self) -> None:
        """Look again: business time has been moved."""
        self._earlier.set()

    async def run(self) -> None:
        """Do what is due, for ever."""
        while True:
            self._earlier.clear()
            done = 0
            while self._due and self._due[0][0] <= self._clock.now_us():
                heapq.heappop(self._due)[2]()
                done += 1
                if done % _AT_ONCE == 0:
                    await asyncio.sleep(0)
            wait = _LOOK
            if self._due:
                wait = min(wait, max(0.002, (self._due[0][0] - self._clock.now_us()) / 1e6))
            try:
                async with asyncio.timeout(wait):
                    await self._earlier.wait()
            except TimeoutError:
                continue
