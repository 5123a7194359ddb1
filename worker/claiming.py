"""When a lane claims what is due: one claim at a time, and a rest after one that found nothing.

All moments are seconds of the monotonic clock.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

LOOK_S = 0.25
"""What became due by itself is noticed within this; whatever else there is wakes the lane."""


class Claiming:
    """The claims of one run of a lane, and since when there has been nothing to do."""

    def __init__(self) -> None:
        self._claim: asyncio.Task[int] | None = None
        self._not_before = 0.0
        self._idle_since: float | None = None
        self.hurried = False
        """A reply may wait: claim even if there is no room for campaigns."""

    def woken(self) -> None:
        """Somebody says there is something due: look at once."""
        self._not_before = 0.0
        self.hurried = True

    def afresh(self) -> None:
        """Look at once when the lane goes on; while it could not, it was not idle."""
        self._not_before, self._idle_since = 0.0, None

    def may(self, now: float) -> bool:
        """Whether to claim now, if there is room."""
        return self._claim is None and now >= self._not_before

    def begin(self, claim: asyncio.Task[int], ended: Callable[[], None]) -> None:
        """Take *claim*, which has just begun and returns how many it found, as the one under way.

        Args:
            ended: Called when it has ended.
        """
        self.hurried = False
        self._claim = claim
        claim.add_done_callback(lambda _: ended())

    def found(self, now: float) -> int:
        """Return how many the claim found that has ended since; 0 also if none has."""
        if self._claim is None or not self._claim.done():
            return 0
        found = self._claim.result()
        self._claim = None
        self._not_before = 0.0 if found else now + LOOK_S
        return found

    def idle_s(self, now: float, *, busy: bool) -> float:
        """Return for how long there has been nothing to do; 0: a claim may still find something."""
        if busy:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = now
        elif self._claim is None:
            return now - self._idle_since
        return 0.0

    async def end(self) -> None:
        """Wait for the claim under way. Not cut off: one that is committed must be known to us."""
        if self._claim is not None:
            with suppress(asyncio.CancelledError):
                await asyncio.shield(self._claim)
