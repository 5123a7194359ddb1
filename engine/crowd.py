"""Who and what a simulation begins with: people where they stand, and a campaign's rules."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Final, Self

from engine.campaign import StepRule
from engine.conditions import Evidence
from engine.consent import Consent
from engine.frequency import FrequencyCap
from engine.hours import Hours
from engine.ids import CampaignId, StepId
from engine.overlap import Exclude
from engine.places import PeopleLimit
from engine.reasons import Reason

QUARTER: Final = timedelta(minutes=15)
TURNS: Final = 2**30
"""Whose turn it is of a second, is below it in what is planned already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """What people are taken to do with every message, in per cent of them.

    All that is sent is taken to arrive at once; who reads or replies does so a minute later.
    """

    read: int = 100
    replied: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A message that is queued.

    Attributes:
        second: When its step was due, in seconds since 1970, as its id begins.
        turn: Whose turn it is among those of a second, the lower first, as its id ends.
    """

    step_id: StepId
    due_at: datetime
    deadline_at: datetime | None
    second: int
    turn: int = 0

    def coarse(self) -> Self:
        deadline_at = _or_none(self.deadline_at)
        due_at = _quarter(self.due_at)
        second = int(due_at.timestamp())
        return replace(self, due_at=due_at, deadline_at=deadline_at, second=second, turn=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A contact at the beginning, without what tells it apart from others in the same position.

    Attributes:
        step_id: The step it waits for, or whose message is queued.
        timed: As in `engine.journey.Standing`.
        against: Of consent, as of the beginning; nobody is taken to change their mind.
        promoted_at, promoted_by, promoted_ats: As the gate's candidate has them.
        unfit: Steps that cannot be said to it, whether by the fallback, and why.
        dates: The attributes that steps count from.
        tags: Those that conditions ask for.
        elsewhere: Whether it is in another drip; looked at only where the plan asks.
        banned: Whether its country may not be written to.
    """

    zone: tzinfo
    consent: Consent
    addressed: bool
    step_id: StepId
    due_at: datetime
    place: float = 0
    since_at: datetime | None = None
    timed: bool = False
    queued: Waiting | None = None
    promoted_at: datetime | None = None
    promoted_by: CampaignId | None = None
    promoted_ats: tuple[datetime, ...] = ()
    last_inbound_at: datetime | None = None
    unfit: tuple[tuple[StepId, bool, Reason], ...] = ()
    dates: tuple[tuple[str, object], ...] = ()
    tags: frozenset[str] = frozenset()
    elsewhere: bool = False
    banned: bool = False
    evidence: tuple[tuple[StepId, Evidence], ...] = ()

    def coarse(self) -> Self:
        """Return it with every time at the end of its quarter of an hour, so that more are alike.

        A crowd whose people each have a second of their own would be as many cohorts.
        """
        return replace(
            self,
            due_at=_quarter(self.due_at),
            since_at=_or_none(self.since_at),
            promoted_at=_or_none(self.promoted_at),
            promoted_ats=tuple(map(_quarter, self.promoted_ats)),
            last_inbound_at=_or_none(self.last_inbound_at),
            queued=self.queued and self.queued.coarse(),
            evidence=tuple((step, _coarse(each)) for step, each in self.evidence),
        )


def _coarse(evidence: Evidence) -> Evidence:
    return replace(
        evidence,
        accepted_at=_or_none(evidence.accepted_at),
        delivered_at=_or_none(evidence.delivered_at),
        read_at=_or_none(evidence.read_at),
        replied_at=_or_none(evidence.replied_at),
        clicked_at=_or_none(evidence.clicked_at),
    )


def _or_none(at: datetime | None) -> datetime | None:
    return None if at is None else _quarter(at)


def _quarter(at: datetime) -> datetime:
    """Return the end of the quarter of an hour in which *at* lies; a full one is its own."""
    over = timedelta(seconds=at.timestamp()) % QUARTER
    return at + (QUARTER - over) if over else at


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A campaign as planner and gate know it.

    Attributes:
        steps: In order; a broadcast has one.
        hours: Of every step.
        free_form: Steps whose message wants an open service window.
        fallbacks: Of these, the steps with a fallback template.
        interval: Between two messages, by the rate; None: none.
        per_day, per_hour: Caps; None: none.
        zone: In which the organization counts its days.
        closed_until: The campaign's tap at the beginning.
        day_on, day_count: What of the daily cap is used.
        hour_count: What of the hour of the beginning is used.
        next_slot_at: When the rate lets the next message go; None: at once.
        resumed_at: When a drip was last let go on; None: it was never paused.
        people: Limits on unique contacts.
    """

    campaign_id: CampaignId
    promotional: bool
    drip: bool
    stop_on_reply: bool
    steps: tuple[StepRule, ...]
    hours: Mapping[StepId, Hours]
    free_form: frozenset[StepId]
    fallbacks: frozenset[StepId]
    deadline: timedelta | None
    cooldown: timedelta
    cap: FrequencyCap | None
    exclude: Exclude
    interval: timedelta | None
    per_day: int | None
    per_hour: int | None
    zone: tzinfo
    closed_until: datetime | None = None
    day_on: date | None = None
    day_count: int = 0
    hour_count: int = 0
    next_slot_at: datetime | None = None
    resumed_at: datetime | None = None
    people: tuple[PeopleLimit, ...] = ()
