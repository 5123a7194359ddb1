"""How a campaign's rate and daily cap, and limits of all campaigns, hold messages back."""

from datetime import date, datetime, timedelta

from engine.crowd import QUARTER, Plan
from engine.holding import held_by
from engine.message import hour_of
from engine.simulated_places import SimulatedPlaces


class Caps:
    """What is left of them, as claims take of them in pretended time.

    Args:
        alone: Whether each message has its own moment; else a quarter of an hour of the rate goes
            at once, which moves nobody by more than that.
    """

    def __init__(self, plan: Plan, *, at: datetime, alone: bool) -> None:
        self.plan = plan
        self._closed_until = plan.closed_until
        self._slot_at = max(at, plan.next_slot_at or at)
        self._day, self._day_count = plan.day_on, plan.day_count
        self._hour, self._hour_count = hour_of(at), plan.hour_count
        # How long what went has held back what waits behind it.
        self.held = timedelta()
        self.places = SimulatedPlaces(plan.people, plan.zone)
        self._slice = 1
        if plan.interval and not alone:
            self._slice = max(1, QUARTER // plan.interval)

    def opens(self, now: datetime) -> datetime:
        """Return when a message may be claimed: *now*, or when the caps may next let one."""
        opens_at = now
        if self._closed_until is not None:
            opens_at = max(opens_at, self._closed_until)
        if self.plan.per_hour is not None and self._hour_left(now) <= 0:
            opens_at = max(opens_at, hour_of(now) + timedelta(hours=1))
        if self.plan.interval is not None:
            opens_at = max(opens_at, self._slot_at)
        if self.plan.per_day is not None and self._day_left(now) <= 0:
            opens_at = max(opens_at, self._tomorrow(now))
        return opens_at

    def room(self, now: datetime, wanted: int) -> int:
        """Return for how many of *wanted* there is room, at least one while it is open."""
        room = wanted
        if self.plan.per_day is not None:
            room = min(room, self._day_left(now))
        if self.plan.per_hour is not None:
            room = min(room, self._hour_left(now))
        return min(room, self._slice) if self.plan.interval else room

    def wait_for_a_place(self, now: datetime, *, inside: bool) -> None:
        """Close the tap until somebody without a place may have one, as a claim does.

        Args:
            inside: Whether the service window of who lacks one is open.
        """
        until = self.places.opens(now, inside=inside)
        self._closed_until = until
        self.held += until - now

    def use(self, now: datetime, taken: int) -> None:
        used_up = False
        if self.plan.interval is not None:
            self._slot_at = max(self._slot_at, now) + taken * self.plan.interval
        if self.plan.per_day is not None:
            self._day_count = taken + (self.plan.per_day - self._day_left(now))
            self._day = self._today(now)
            used_up = self._day_count >= self.plan.per_day
            if used_up:
                self._closed_until = self._tomorrow(now)
        if self.plan.per_hour is not None:
            self._hour_count = taken + (self.plan.per_hour - self._hour_left(now))
            self._hour = hour_of(now)
        self.held += held_by(taken, interval=self.plan.interval, used_up=used_up)

    def _today(self, now: datetime) -> date:
        return now.astimezone(self.plan.zone).date()

    def _tomorrow(self, now: datetime) -> datetime:
        tomorrow = self._today(now) + timedelta(days=1)
        return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=self.plan.zone)

    def _day_left(self, now: datetime) -> int:
        used = self._day_count if self._day == self._today(now) else 0
        return (self.plan.per_day or 0) - used

    def _hour_left(self, now: datetime) -> int:
        used = self._hour_count if self._hour == hour_of(now) else 0
        return (self.plan.per_hour or 0) - used
