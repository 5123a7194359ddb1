"""What nobody we know has signed: answered 401, and logged, but never a line for each."""

from typing import Final

import structlog

from engine.clock import Clock

EVERY_S: Final = 60.0
"""Seconds between two lines of one door; anybody may knock as often as they like."""

log = structlog.get_logger()


class Unsigned:
    """Counts the requests that one door has turned away.

    The first is logged at once. Those of the minute after it are counted, and logged with the next
    one that comes once the minute is over.
    """

    def __init__(self, door: str, clock: Clock) -> None:
        """Begin; *door* is the path."""
        self._door = door
        self._clock = clock
        self._count = 0
        self._quiet_until = float("-inf")

    def turned_away(self) -> None:
        self._count += 1
        now = self._clock.monotonic()
        if now < self._quiet_until:
            return
        log.warning("webhook.unsigned", door=self._door, count=self._count)
        self._count = 0
        self._quiet_until = now + EVERY_S
