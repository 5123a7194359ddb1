"""How a campaign went, in numbers: what adds up to what, and the rates, defined here alone."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from engine.reasons import Reason

SILENT_AFTER = timedelta(hours=24)
"""What was accepted in an hour that ended this long ago, and never reported on, has no report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A rate as what it is made of, so that nothing is lost by rounding."""

    part: int
    whole: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of messages: of one step, or of a whole campaign.

    Attributes:
        planned: All there are, also those that were left out.
        sent: WhatsApp accepted them, which is what its own ledger counts.
        failed: Given up; some of them after WhatsApp had accepted them.
        returned: Accepted and on their way no more: they failed after all, and wait for another
            call, were given up or were left out.
        no_report: Accepted over a day ago, and WhatsApp has said nothing of them since.
        left_out: Never to be sent, by reason, the most frequent first; none of them zero.
    """

    planned: int = 0
    sent: int = 0
    delivered: int = 0
    read: int = 0
    replied: int = 0
    failed: int = 0
    returned: int = 0
    no_report: int = 0
    left_out: tuple[tuple[Reason, int], ...] = ()

    @classmethod
    def of(cls, metrics: Mapping[str, int]) -> Self:
        """Read the metrics of the campaign statistics (`engine.message.Message.contributions`)."""
        left_out: Counter[Reason] = Counter()
        for metric, count in metrics.items():
            ending, _, reason = metric.partition(":")
            if ending in _LEFT_OUT:
                left_out[Reason(reason)] += count
        return cls(
            planned=metrics.get("planned", 0),
            sent=metrics.get("accepted", 0),
            delivered=metrics.get("delivered", 0),
            read=metrics.get("read", 0),
            replied=metrics.get("replied", 0),
            failed=metrics.get("dead", 0),
            returned=metrics.get("returned", 0),
            no_report=metrics.get("unreported", 0),
            left_out=_ordered(left_out),
        )

    @property
    def left_out_in_all(self) -> int:
        return sum(count for _, count in self.left_out)

    @property
    def settled(self) -> int:
        """Those nothing is to be done for any more, unless WhatsApp reports a late failure."""
        return self.sent - self.returned + self.failed + self.left_out_in_all

    @property
    def open(self) -> int:
        """Those that wait, are on their way to WhatsApp, or are in doubt."""
        return self.planned - self.settled

    @property
    def delivery_rate(self) -> Share:
        """Delivered of sent."""
        return Share(part=self.delivered, whole=self.sent)

    @property
    def read_rate(self) -> Share:
        """Read of delivered; people may hide that they read, so it is the least it can be."""
        return Share(part=self.read, whole=self.delivered)

    @property
    def reply_rate(self) -> Share:
        """Replied of sent, since a reply may arrive before the report of a delivery."""
        return Share(part=self.replied, whole=self.sent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrollments:
    """How many contacts are in a drip and how those ended who are out of it.

    Attributes:
        completed: Went through all steps.
        replied: Left because they replied and the campaign stops on a reply.
        dropped: Were taken out by staff or by another campaign.
    """

    active: int = 0
    paused: int = 0
    completed: int = 0
    replied: int = 0
    opted_out: int = 0
    dropped: int = 0

    @property
    def running(self) -> int:
        return self.active + self.paused

    @property
    def ended(self) -> int:
        return self.completed + self.replied + self.opted_out + self.dropped

    @property
    def enrolled(self) -> int:
        return self.running + self.ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step's messages.

    Attributes:
        number: Its place among the steps there are now, from 1; None: it was removed.
    """

    number: int | None
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What was sent again, because WhatsApp said nothing of the first call.

    Attributes:
        doubled: Messages of which WhatsApp took two calls after all.
        twice: The phones of the first of those.
    """

    resent: int = 0
    doubled: int = 0
    twice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A campaign in numbers.

    Attributes:
        enrollments: None for a broadcast, which has none.
        steps: In order; removed ones only where they had messages.
    """

    enrollments: Enrollments | None
    steps: tuple[Step, ...]
    again: Again = Again()

    @property
    def total(self) -> Counts:
        return total(step.counts for step in self.steps)


def total(parts: Iterable[Counts]) -> Counts:
    """Add counts up."""
    added = tuple(parts)
    left_out: Counter[Reason] = Counter()
    for part in added:
        left_out.update(dict(part.left_out))
    return Counts(
        planned=sum(part.planned for part in added),
        sent=sum(part.sent for part in added),
        delivered=sum(part.delivered for part in added),
        read=sum(part.read for part in added),
        replied=sum(part.replied for part in added),
        failed=sum(part.failed for part in added),
        returned=sum(part.returned for part in added),
        no_report=sum(part.no_report for part in added),
        left_out=_ordered(left_out),
    )


_LEFT_OUT = frozenset({"skipped", "cancelled"})


def _ordered(left_out: Counter[Reason]) -> tuple[tuple[Reason, int], ...]:
    counted = ((reason, count) for reason, count in left_out.items() if count)
    return tuple(sorted(counted, key=lambda each: (-each[1], each[0])))
