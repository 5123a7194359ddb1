"""Limits on how many people are written to: who has a place, how many are free, when the next is.

A contact takes a place with the first message that counts and keeps it until the time that counts
has passed since the last one: 24 hours under the platform's messaging limit, until the end of the
day under the organization's own limit. Places are counted by bucket, a minute or a day, so that
nobody counts rows; a minute leaves as a whole, when the last moment of it is 24 hours ago.
"""

from collections import Counter
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from engine.ids import ContactId

MINUTE: Final = timedelta(minutes=1)
WINDOW: Final = timedelta(hours=24)
"""Source: Meta, "Messaging limits": unique users in a rolling 24-hour period."""

UNLIMITED: Final = -1
_LONGEST: Final = len("1000000")
_NEARLY: Final = 10


class Cap(StrEnum):
    """A limit on unique contacts; the value is also why a tap is closed."""

    MESSAGING_LIMIT = "messaging_limit"
    CONTACTS_PER_DAY = "contacts_per_day"


def tier_users(tier: str) -> int | None:
    """Return the unique users per 24 h of a tier, -1 for no limit, None for no tier.

    >>> tier_users("TIER_250"), tier_users("TIER_2K"), tier_users("TIER_UNLIMITED")
    (250, 2000, -1)
    """
    size = tier.removeprefix("TIER_")
    if size == "UNLIMITED":
        return UNLIMITED
    digits, thousands = size.removesuffix("K"), size.endswith("K")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST):
        return None
    return int(digits) * (1000 if thousands else 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleLimit:
    """A limit on unique contacts, and the places that are taken of it by bucket."""

    cap: Cap
    limit: int
    counts: Mapping[datetime, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which places count at a moment.

    Attributes:
        bucket: Of a place taken now.
        since: The oldest bucket that still counts.
        length: From the first instant of a bucket until its places are free again.
    """

    bucket: datetime
    since: datetime
    length: timedelta


def rolling(at: datetime) -> Span:
    """Return the span of the platform's messaging limit at *at*."""
    minute = at.replace(second=0, microsecond=0)
    return Span(bucket=minute, since=minute - WINDOW, length=WINDOW + MINUTE)


def of_day(start: datetime, end: datetime) -> Span:
    """Return the span of a day between two instants."""
    return Span(bucket=start, since=start, length=end - start)


@dataclass(slots=True, kw_only=True)
class Places:
    """The places of one limit as one claim finds and takes them.

    Attributes:
        counts: Places by bucket, those that count.
        holders: The contacts of the claim that have a place, and of which bucket.
        taken: How many messages to each contact the claim sends.
    """

    cap: Cap
    limit: int
    span: Span
    counts: MutableMapping[datetime, int]
    holders: Mapping[ContactId, datetime] = field(default_factory=dict)
    taken: Counter[ContactId] = field(default_factory=Counter)
    used: int = field(init=False)

    def __post_init__(self) -> None:
        self.used = sum(self.counts.values())

    @property
    def free(self) -> int:
        """How many more contacts may be written to."""
        return max(0, self.limit - self.used)

    def scarce(self, room: int) -> bool:
        """Whether so few places are free that priority alone decides who gets one."""
        return self.free <= max(room, self.limit // _NEARLY)

    def admits(self, contact: ContactId) -> bool:
        """Whether a message to *contact* keeps the limit."""
        return contact in self.taken or contact in self.holders or self.used < self.limit

    def take(self, contact: ContactId) -> None:
        """Count a message to *contact*, also where none should have been admitted."""
        if contact not in self.taken and contact not in self.holders:
            self.used += 1
        self.taken[contact] += 1

    def changes(self) -> dict[datetime, int]:
        """Return by how much the claim changes the count of each bucket, none of them 0."""
        moved = Counter(self.holders[each] for each in self.taken if each in self.holders)
        changes = Counter({self.span.bucket: len(self.taken)})
        changes.subtract(moved)
        return {bucket: change for bucket, change in sorted(changes.items()) if change}

    def next_free_at(self) -> datetime:
        """Return when the oldest place that is taken is free again."""
        counts = Counter(self.counts)
        counts.update(self.changes())
        oldest = min((each for each, count in counts.items() if count > 0), default=None)
        return (self.span.bucket if oldest is None else oldest) + self.span.length
