"""How many promotional messages one contact gets in a span of time, whatever campaigns they are of.

A contact carries the times of its latest ones; whether it may get another is a look at those.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from engine import duration


class InvalidCap(ValueError):
    """The text is no cap; the message says what is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequencyCap:
    """At most *count* messages within any *span*."""

    count: int
    span: timedelta

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read ``3/7d``; None for ``off``.

        >>> FrequencyCap.parse("3/7d")
        FrequencyCap(count=3, span=datetime.timedelta(days=7))

        Raises:
            InvalidCap: It is neither.
        """
        if text.strip().lower() == duration.OFF:
            return None
        found = _CAP.fullmatch(text.strip())
        if found is None:
            raise InvalidCap(f'{text[:40]!r} is no cap: write "3/7d" for three in 7 days, or "off"')
        try:
            span = duration.parse(found[2])
        except duration.InvalidDuration as error:
            raise InvalidCap(str(error).rstrip(".")) from error
        if not span:
            raise InvalidCap(f"{text[:40]!r} is a cap of no time: write 3/7d")
        return cls(count=int(found[1]), span=span)

    def opens(self, times: Sequence[datetime], at: datetime) -> datetime:
        """Return when the next one may go, not before *at*.

        Args:
            times: Of earlier ones, in any order; the latest *count* are enough.
        """
        within = sorted(time for time in times if time + self.span > at)
        if len(within) < self.count:
            return at
        return within[-self.count] + self.span

    def __str__(self) -> str:
        return f"{self.count}/{duration.show(self.span)}"


_CAP: Final = re.compile(r"([1-9][0-9]{0,1})\s*/\s*(.+)")
