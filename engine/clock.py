"""The two clocks of the product, as everything but the entry point sees them."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Business time and the machine's own time; never mix the two."""

    def now(self) -> datetime:
        """Business time (aware, UTC): all that is stored or compared with what is stored."""
        ...

    def wall(self) -> datetime:
        """The machine's time of day (aware, UTC): signatures and their age."""
        ...

    def monotonic(self) -> float:
        """Seconds of the machine's monotonic clock: durations, timeouts, rate windows."""
        ...
