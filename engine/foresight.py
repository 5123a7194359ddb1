"""From a campaign and its contacts to what :mod:`engine.simulate` plays through."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from engine.campaign import Campaign, Kind, Step
from engine.campaign_types import MEANINGS
from engine.conditions import Evidence
from engine.consent import Consent
from engine.crowd import Person, Plan, Waiting
from engine.gate import window_open
from engine.ids import CampaignId, ContactId, StepId
from engine.phone import Phone
from engine.places import PeopleLimit
from engine.rendering import values_of
from engine.sending_rules import SendingRules
from engine.step_words import Fitness, StepWords


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What is used of the caps already.

    Attributes:
        next_slot_at: When the rate lets the next message go; None: at once.
        hour_count: Of the organization's messages per hour, in the hour under way.
        resumed_at: When staff last let it go on; None: it was never paused.
        people: Limits on unique contacts, with what is taken of each.
    """

    next_slot_at: datetime | None = None

    day_on: date | None = None
    day_count: int = 0
    hour_count: int = 0
    resumed_at: datetime | None = None
    people: tuple[PeopleLimit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What of a contact decides about a message and is filled into it.

    Attributes:
        promoted_ats: As many of the latest as a frequency cap counts.
        last_inbound_at: When it last wrote to the number that would send.
        elsewhere: Whether it is in another drip that has not ended.
        banned: Whether WhatsApp lets the account not write to its country.
        tags: At least those that conditions ask for.
    """

    contact_id: ContactId
    phone: Phone | None
    bsuid: str | None
    name: str | None
    first_name: str | None
    company: str | None
    email: str | None
    attributes: Mapping[str, Any]
    timezone: str | None
    consent: Consent
    promoted_at: datetime | None
    promoted_campaign_id: CampaignId | None
    promoted_ats: Sequence[datetime]
    last_inbound_at: datetime | None
    properties: Mapping[str, Any] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()
    elsewhere: bool = False
    banned: bool = False

    @property
    def values(self) -> dict[str, str]:
        """What tokens stand for."""
        return values_of(
            name=self.name,
            first_name=self.first_name,
            company=self.company,
            email=self.email,
            phone=self.phone,
            attributes=self.attributes,
            properties=self.properties,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standpoint:
    """How far an enrollment is, as `engine.journey.Standing` has it."""

    step_id: StepId
    due_at: datetime
    place: float = 0
    since_at: datetime | None = None
    timed: bool = False
    queued: Waiting | None = None
    evidence: tuple[tuple[StepId, Evidence], ...] = ()


class Foresight:
    """A campaign taken apart once for all its contacts.

    Args:
        steps: In order, at least one.
        at: When it begins.
        used: Of its caps.
    """

    def __init__(
        self,
        campaign: Campaign,
        steps: Collection[Step],
        rules: SendingRules,
        *,
        at: datetime,
        used: Used,
    ) -> None:
        self.rules = rules
        self.at = at
        self.words = {step.id: words_of(step) for step in steps}
        self.plan = _plan(campaign, tuple(steps), rules, self.words, used)
        self.asked_tags = frozenset(tag for step in steps for tag in step.conditions.tags)
        self._anchors = {s.timing.anchor.attribute for s in steps if s.timing.anchor is not None}
        self._fitness = [
            (step, by_fallback, Fitness(rendering))
            for step, words in self.words.items()
            for by_fallback, rendering in ((False, words.rendering), (True, words.fallback))
            if rendering is not None
        ]
        self._campaign = campaign
        schedule = campaign.schedule
        self._local = schedule.local if schedule is not None else None
        self._first = next(iter(steps))

    def person(self, facts: Facts, standpoint: Standpoint | None = None) -> Person:
        """Return a contact where it stands; None: at the beginning.

        What cannot matter is left out, so that many are alike.
        """
        zone = self.rules.zone_of(facts.timezone)
        begun = standpoint or self._beginning(facts)
        values = facts.values
        found = ((step, fb, fitness.against(values)) for step, fb, fitness in self._fitness)
        promoted = self._cooling(facts)
        return Person(
            zone=zone,
            consent=facts.consent,
            addressed=bool(facts.phone or facts.bsuid),
            banned=facts.banned,
            step_id=begun.step_id,
            due_at=begun.due_at,
            place=begun.place,
            since_at=begun.since_at,
            timed=begun.timed,
            queued=begun.queued,
            promoted_at=facts.promoted_at if promoted else None,
            promoted_by=facts.promoted_campaign_id if promoted else None,
            promoted_ats=self._counted(facts),
            last_inbound_at=facts.last_inbound_at if self._open(facts) else None,
            unfit=tuple((step, fb, why) for step, fb, why in found if why is not None),
            dates=tuple((name, facts.attributes.get(name)) for name in sorted(self._anchors)),
            tags=facts.tags & self.asked_tags,
            evidence=begun.evidence,
            elsewhere=self.plan.exclude.active and facts.elsewhere,
        )

    def _beginning(self, facts: Facts) -> Standpoint:
        step = self._first
        if self.plan.drip:
            return Standpoint(step_id=step.id, due_at=self.at + step.after, since_at=self.at)
        due_at = self.rules.due_of(
            self._campaign.settings,
            started_at=self.at,
            local=self._local,
            timezone=facts.timezone,
        )
        return Standpoint(step_id=step.id, due_at=due_at)

    def _counted(self, facts: Facts) -> tuple[datetime, ...]:
        cap = self.plan.cap
        if cap is None or not self.plan.promotional:
            return ()
        return tuple(sorted(at for at in facts.promoted_ats if at + cap.span > self.at))

    def _cooling(self, facts: Facts) -> bool:
        return (
            (self.plan.promotional or self.plan.exclude.recent)
            and facts.promoted_at is not None
            and facts.promoted_campaign_id != self.plan.campaign_id
            and facts.promoted_at + self.plan.cooldown > self.at
        )

    def _open(self, facts: Facts) -> bool:
        return bool(self.plan.free_form) and window_open(facts.last_inbound_at, self.at)


def words_of(step: Step) -> StepWords:
    """Return what a step says, as the lane takes it."""
    return StepWords.saying(step.content, fallback=step.fallback, hours=step.hours, days=step.days)


def _plan(
    campaign: Campaign,
    steps: tuple[Step, ...],
    rules: SendingRules,
    words: Mapping[StepId, StepWords],
    used: Used,
) -> Plan:
    settings = campaign.settings
    free_form = frozenset(step for step, each in words.items() if each.rendering.free_form)
    return Plan(
        campaign_id=campaign.id,
        promotional=MEANINGS[campaign.type].promotional,
        drip=campaign.kind is Kind.DRIP,
        stop_on_reply=settings.stop_on_reply,
        steps=steps,
        hours={step.id: rules.hours_of(step.settings_over(settings)) for step in steps},
        free_form=free_form,
        fallbacks=frozenset(step for step in free_form if words[step].fallback is not None),
        deadline=rules.deadline_of(settings),
        cooldown=rules.cooldown,
        cap=rules.frequency_cap,
        exclude=campaign.excluded,
        interval=None if settings.rate is None else settings.rate.interval,
        per_day=settings.per_day,
        per_hour=rules.messages_per_hour or None,
        zone=rules.zone,
        closed_until=campaign.closed_until,
        day_on=used.day_on,
        day_count=used.day_count,
        hour_count=used.hour_count,
        next_slot_at=used.next_slot_at,
        resumed_at=used.resumed_at,
        people=used.people,
    )
