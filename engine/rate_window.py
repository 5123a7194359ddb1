"""The rate of one number: at most so many call starts in any sliding second.

A log of start times rather than a bucket, which would admit rate + burst in one second.
"""

from collections import deque

HEADROOM = 0.95
BULK_SHARE = 0.9
_WINDOW = 1.0


class RateWindow:
    """Start times of the last second, in seconds of the machine's monotonic clock.

    Attributes:
        limit: Messages per second, of both directions; None: no limit.
        inbound: How many messages contacts wrote in the last second, as far as we know.
    """

    def __init__(self, *, limit: int | None) -> None:
        self.limit = limit
        self.inbound = 0
        self._starts: deque[float] = deque()

    @property
    def capacity(self) -> int | None:
        """Call starts allowed in any second: 5 % below the limit, but always one."""
        if self.limit is None:
            return None
        return max(1, int(HEADROOM * self.limit) - self.inbound)

    def delay(self, now: float, *, priority: bool) -> float:
        """Return the seconds until a call may start; 0: now.

        Bulk leaves the last tenth to replies, but may always use one.
        """
        capacity = self.capacity
        if capacity is None:
            return 0.0
        allowed = capacity if priority else max(1, int(BULK_SHARE * capacity))
        starts = self._starts
        while starts and starts[0] <= now - _WINDOW:
            starts.popleft()
        if len(starts) < allowed:
            return 0.0
        return max(0.0, starts[len(starts) - allowed] + _WINDOW - now)

    def started(self, now: float) -> None:
        """Note a call start."""
        if self.limit is not None:
            self._starts.append(now)
