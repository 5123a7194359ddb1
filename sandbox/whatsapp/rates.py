"""How fast a number may send, and how fast to one person.

Source: Meta, "About the platform", "Throughput" and "Pair rate limits".
"""

from collections import deque
from dataclasses import dataclass, field

_PAIR_PAUSE_US = 6_000_000  # one message to one person each six seconds
_PAIR_BURST = 45  # or so many within six seconds, borrowed from what follows


@dataclass(slots=True)
class Throughput:
    """The messages of one number, both ways, in the last second of the machine's clock."""

    limit: int
    _starts: deque[float] = field(default_factory=deque)

    def admits(self, now: float) -> bool:
        """Whether one more message at *now* (monotonic seconds) keeps within the limit."""
        while self._starts and self._starts[0] <= now - 1:
            self._starts.popleft()
        return len(self._starts) < self.limit

    def count(self, now: float) -> None:
        self._starts.append(now)


@dataclass(slots=True)
class Pair:
    """The messages of one number to one person, on the business clock (microseconds).

    A burst borrows from the future: twenty messages at once, then none for two minutes.
    """

    _burst_at: int = 0
    _burst: int = 0
    _paid_at: int = 0

    def admits(self, now: int) -> bool:
        if now >= self._paid_at:
            return True
        return now - self._burst_at <= _PAIR_PAUSE_US and self._burst < _PAIR_BURST

    def count(self, now: int) -> None:
        if now >= self._paid_at:
            self._burst_at, self._burst, self._paid_at = now, 0, now
        self._burst += 1
        self._paid_at += _PAIR_PAUSE_US
