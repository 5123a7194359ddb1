"""The rate of one number: at most so many call starts in any sliding second.

A log of start times rather than a bucket, which would admit rate + burst in one second. Bulk is
spread over the second besides: the platform counts calls as they arrive, and of two bursts a
second apart the first may be the slower. For the same reason a slow call counts for longer: it may
have arrived any time before its answer, less what the quickest of late calls took.
"""

from collections import deque

_HEADROOM = 0.95
_BULK_SHARE = 0.9
_WINDOW = 1.0
_LATE_CALLS = 64
_SLACK = 0.05
"""Seconds by which bulk may be behind its even pace and still catch up."""


def bulk_per_second(limit: int) -> int:
    """Return how many campaign messages go in a second at *limit*, while nobody writes to us.

    >>> bulk_per_second(80)
    68
    """
    return _bulk(_capacity(limit, inbound=0))


class RateWindow:
    """Calls of the last second and under way, in seconds of the machine's monotonic clock.

    Attributes:
        limit: Messages per second, of both directions; None: no limit.
        inbound: How many messages contacts wrote in the last second, as far as we know.
    """

    def __init__(self, *, limit: int | None) -> None:
        self.limit = limit
        self.inbound = 0
        self._starts: deque[float] = deque()
        self._under_way = 0
        self._quickest: deque[float] = deque(maxlen=_LATE_CALLS)
        self._even = float("-inf")

    @property
    def capacity(self) -> int | None:
        """Call starts allowed in any second: 5 % below the limit, but always one."""
        if self.limit is None:
            return None
        return _capacity(self.limit, self.inbound)

    def delay(self, now: float, *, priority: bool) -> float:
        """Return the seconds until a call may start; 0: now.

        Bulk leaves the last tenth to replies, but may always use one.
        """
        capacity = self.capacity
        if capacity is None:
            return 0.0
        allowed = capacity if priority else _bulk(capacity)
        starts = self._starts
        while starts and starts[0] <= now - _WINDOW:
            starts.popleft()
        wait = 0.0 if priority else self._even - now
        counted = len(starts) + self._under_way
        if counted >= allowed:
            over = counted - allowed
            # Only answers make room where calls under way alone fill it; look again soon.
            free = starts[over] + _WINDOW - now if over < len(starts) else _SLACK
            wait = max(wait, free)
        return max(0.0, wait)

    def started(self, now: float) -> None:
        """Note a call start."""
        self._under_way += 1
        capacity = self.capacity
        if capacity is not None:
            self._even = max(self._even, now - _SLACK) + _WINDOW / _bulk(capacity)

    def ended(self, now: float, *, began: float) -> None:
        """Note that the call begun at *began* has its answer, or never gets one."""
        self._under_way -= 1
        if self.limit is None:
            return
        self._quickest.append(now - began)
        arrived = max(began, now - min(self._quickest))
        self._starts.append(max(arrived, self._starts[-1]) if self._starts else arrived)


def _capacity(limit: int, inbound: int) -> int:
    return max(1, int(_HEADROOM * limit) - inbound)


def _bulk(capacity: int) -> int:
    return max(1, int(_BULK_SHARE * capacity))
