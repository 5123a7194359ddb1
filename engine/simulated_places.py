"""Limits on unique contacts in a simulation: who of the crowd has a place, and when one is free."""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from engine.places import Cap, PeopleLimit, Span, of_day, rolling


class SimulatedPlaces:
    """The places of all limits, as claims take them in pretended time, which only goes on.

    Nobody of the crowd has one at the beginning, which is known of nobody: somebody written to
    just before takes another one here.
    """

    def __init__(self, limits: Iterable[PeopleLimit], zone: tzinfo) -> None:
        self._limits = [_Limit(each, zone) for each in limits]

    def room(self, members: Sequence[int], now: datetime, *, inside: bool) -> int:
        """Return how many of the first of *members* there is room for.

        Args:
            inside: Whether their service windows are open.
        """
        counting = self._counting(now, inside=inside)
        return min((each.room(members) for each in counting), default=len(members))

    def take(self, members: Sequence[int], now: datetime, *, inside: bool) -> None:
        for each in self._counting(now, inside=inside):
            each.take(members)

    def opens(self, now: datetime, *, inside: bool) -> datetime:
        """Return when there is a place under all limits that have none now."""
        counting = self._counting(now, inside=inside)
        return max((each.next_free_at() for each in counting if each.full), default=now)

    def _counting(self, now: datetime, *, inside: bool) -> "list[_Limit]":
        counting = [
            each for each in self._limits if not (inside and each.cap is Cap.MESSAGING_LIMIT)
        ]
        for each in counting:
            each.move_on(now)
        return counting


class _Limit:
    def __init__(self, of: PeopleLimit, zone: tzinfo) -> None:
        self.cap = of.cap
        self._limit = of.limit
        self._zone = zone
        self._counts = Counter(dict(of.counts))
        self._order = deque(sorted(self._counts))
        self._used = self._counts.total()
        self._holders: dict[int, datetime] = {}
        self._span: Span | None = None

    @property
    def full(self) -> bool:
        return self._used >= self._limit

    @property
    def span(self) -> Span:
        if self._span is None:
            raise AssertionError("asked before it was told the time")
        return self._span

    def move_on(self, now: datetime) -> None:
        self._span = rolling(now) if self.cap is Cap.MESSAGING_LIMIT else self._day(now)
        while self._order and self._order[0] < self._span.since:
            self._used -= self._counts.pop(self._order.popleft(), 0)

    def room(self, members: Sequence[int]) -> int:
        free = self._limit - self._used
        for place, member in enumerate(members):
            if self._holds(member):
                continue
            if free <= 0:
                return place
            free -= 1
        return len(members)

    def take(self, members: Sequence[int]) -> None:
        bucket = self.span.bucket
        if not self._order or self._order[-1] < bucket:
            self._order.append(bucket)
        for member in members:
            if self._holds(member):
                self._counts[self._holders[member]] -= 1
            else:
                self._used += 1
            self._holders[member] = bucket
            self._counts[bucket] += 1

    def next_free_at(self) -> datetime:
        taken = (bucket for bucket in self._order if self._counts[bucket] > 0)
        return next(taken, self.span.bucket) + self.span.length

    def _holds(self, member: int) -> bool:
        bucket = self._holders.get(member)
        return bucket is not None and bucket >= self.span.since

    def _day(self, now: datetime) -> Span:
        today = now.astimezone(self._zone).date()
        start, end = (
            datetime(day.year, day.month, day.day, tzinfo=self._zone).astimezone(UTC)
            for day in (today, today + timedelta(days=1))
        )
        return of_day(start, end)
