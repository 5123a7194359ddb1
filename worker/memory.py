"""What a process remembers of a number from one run of its lane to the next."""

import asyncio
from dataclasses import dataclass, field
from typing import Self

from engine.rate_window import RateWindow
from engine.sending_rules import NumberRule
from worker.breaker import Breaker
from worker.calls import Result
from worker.claimed import Call


@dataclass(slots=True, kw_only=True)
class Memory:
    """Of one number.

    Attributes:
        window: The calls of the last second, which count for the next run too.
        slow_until: Seconds of the monotonic clock; until then the number goes at half its rate.
        generation: Of the lease of the last run here; if the next one follows it, nobody else sent
            between. None: there was no run yet.
        results: How calls ended, until it is recorded; a database that is away longer than a run
            lasts loses none.
        returned: Claimed, not to be started any more, and not given back yet.
    """

    window: RateWindow
    breaker: Breaker = field(default_factory=Breaker)
    slow_until: float = 0.0
    generation: int | None = None
    results: list[Result] = field(default_factory=list)
    returned: list[Call] = field(default_factory=list)
    # Two runs may overlap for a moment, and each takes away what it has written down.
    recording: asyncio.Lock = field(default_factory=asyncio.Lock)
    giving_back: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    def of(cls, number: NumberRule, *, limited: bool = True) -> Self:
        return cls(window=RateWindow(limit=number.messages_per_second if limited else None))
