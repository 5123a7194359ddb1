"""What the configuration says about an organization's sending."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from engine import hours, schedule
from engine.brake import NO_BRAKE, Brake
from engine.campaign import Settings, UnknownPolicy
from engine.config import Organization
from engine.frequency import FrequencyCap
from engine.hours import Hours
from engine.ids import NumberId, OrganizationId
from engine.places import UNLIMITED, Cap, Span, of_day, rolling, tier_users
from engine.wall import instant

_STARTS: Final = timedelta(seconds=0.25)
"""A call may start so much sooner after its claim than the call before did after its own."""
_LOOKS: Final = timedelta(seconds=2)
"""Nobody looks for longer than this whether the next message may go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRule:
    """One of the organization's numbers.

    Attributes:
        messages_per_second: A ceiling on what the platform reports.
        pace: Shortest and longest random gap between campaign messages; both zero: none.
    """

    id: NumberId
    messages_per_second: int
    pace: tuple[timedelta, timedelta]

    def gap(self, chance: float) -> timedelta:
        """Return from one claim to the next *chance* (0 to 1) of the way to the longest gap.

        So that the calls keep to the pace too, the ends are left out where there is room: a call
        starts a moment after its claim, and what is due is looked at once a second.

        >>> number = NumberRule(
        ...     id=NumberId("1"),
        ...     messages_per_second=80,
        ...     pace=(timedelta(seconds=40), timedelta(seconds=100)),
        ... )
        >>> number.gap(0).total_seconds(), number.gap(1).total_seconds()
        (40.25, 98.0)
        """
        shortest, longest = self.pace
        slack = (longest - shortest) / 4
        first, last = shortest + min(_STARTS, slack), longest - min(_LOOKS, slack)
        return first + (last - first) * chance


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingRules:
    """An organization's sending.

    Attributes:
        zone: Of contacts without one, and of days counted per organization.
        deadline: None: never too late.
        messages_per_hour: 0: no limit.
        contacts_per_day: Unique ones that get a campaign message, by days of *zone*; 0: no limit.
        frequency_cap: Of promotional messages to one contact; None: none.
        portfolio: The first organization of those with the same portfolio; None: itself.
        approval_above: More recipients than that nobody may start yet; 0: no limit.
    """

    organization: OrganizationId
    zone: tzinfo
    hours: Hours
    cooldown: timedelta
    deadline: timedelta | None
    messages_per_hour: int
    unknown_policy: UnknownPolicy
    unknown_grace: timedelta
    numbers: tuple[NumberRule, ...]
    approval_above: int = 0
    frequency_cap: FrequencyCap | None = None
    brake: Brake = NO_BRAKE
    contacts_per_day: int = 0
    portfolio: OrganizationId | None = None

    @property
    def portfolio_home(self) -> OrganizationId:
        """In whose rows the messaging limit is counted for all that share the portfolio."""
        return self.portfolio or self.organization

    @property
    def number_ids(self) -> tuple[NumberId, ...]:
        return tuple(number.id for number in self.numbers)

    def number_for(self, chosen: NumberId | None, last: NumberId | None) -> NumberId:
        """Return the campaign's number, else the contact's last, else the organization's first.

        Numbers that have left the configuration do not count.
        """
        for number in (chosen, last):
            if number is not None and number in self.number_ids:
                return number
        return self.number_ids[0]

    def hours_of(self, settings: Settings) -> Hours:
        """Return the sending hours of a campaign: its own, else the organization's."""
        return hours.chosen(self.hours, settings.hours, settings.days)

    def deadline_of(self, settings: Settings) -> timedelta | None:
        if settings.deadline_s is None:
            return self.deadline
        return timedelta(seconds=settings.deadline_s) if settings.deadline_s else None

    def zone_of(self, timezone: str | None) -> tzinfo:
        """Return a contact's zone; the organization's where it has none this machine knows."""
        return (timezone and schedule.zone(timezone)) or self.zone

    def due_of(
        self,
        settings: Settings,
        *,
        started_at: datetime,
        local: datetime | None,
        timezone: str | None,
    ) -> datetime:
        """Return when a broadcast is due for contacts of a zone, inside its hours.

        Args:
            local: What the contact's clocks show then; None: it is at the start.
            timezone: None: an unknown one.
        """
        zone = self.zone_of(timezone)
        due_at = started_at
        if local is not None:
            due_at = max(due_at, instant(local, zone))
        return self.hours_of(settings).opens(due_at, zone)

    def people_limits(self, messaging_limit: str | None) -> Iterator[tuple[Cap, int]]:
        """Yield the limits on unique contacts, in the order in which they are locked.

        Args:
            messaging_limit: As the platform names it; None: it has not said, and nothing counts.
        """
        users = tier_users(messaging_limit) if messaging_limit else None
        if users is not None and users != UNLIMITED:
            yield Cap.MESSAGING_LIMIT, users
        if self.contacts_per_day:
            yield Cap.CONTACTS_PER_DAY, self.contacts_per_day

    def people_span(self, cap: Cap, at: datetime) -> Span:
        """Return which places count at *at*."""
        match cap:
            case Cap.MESSAGING_LIMIT:
                return rolling(at)
            case Cap.CONTACTS_PER_DAY:
                start, end = self.day_start(at), self.day_after(at)
                return of_day(start.astimezone(UTC), end.astimezone(UTC))

    def day_start(self, at: datetime) -> datetime:
        """Return the first instant of the organization's day at *at*."""
        today = at.astimezone(self.zone).date()
        return datetime(today.year, today.month, today.day, tzinfo=self.zone)

    def day_after(self, at: datetime) -> datetime:
        """Return the first instant of the organization's next day."""
        local = at.astimezone(self.zone)
        tomorrow = (local + timedelta(days=1)).date()
        return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=self.zone)


def rules_of(
    organization: OrganizationId,
    config: Organization,
    *,
    portfolio: OrganizationId | None = None,
) -> SendingRules:
    """Return the sending rules of *organization* as configured.

    Args:
        portfolio: As of :class:`SendingRules`.
    """
    written = config.sending
    return SendingRules(
        organization=organization,
        zone=config.timezone,
        hours=written.hours,
        cooldown=written.cooldown or timedelta(),
        deadline=written.deadline,
        messages_per_hour=written.messages_per_hour or 0,
        unknown_policy=UnknownPolicy(written.unknown_policy),
        unknown_grace=written.unknown_grace,
        approval_above=written.approval_above or 0,
        frequency_cap=written.frequency_cap,
        brake=Brake(
            failures=written.brake_failures,
            opt_outs=written.brake_opt_outs,
            after=written.brake_after or 1,
        ),
        contacts_per_day=written.contacts_per_day or 0,
        portfolio=portfolio,
        numbers=tuple(
            NumberRule(
                id=number.id,
                messages_per_second=number.messages_per_second,
                pace=(number.pace.shortest, number.pace.longest),
            )
            for number in config.whatsapp.numbers
        ),
    )
