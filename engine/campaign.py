"""Campaigns: what staff choose about one, and how it lives.

A broadcast is a campaign with one step and an audience frozen when it starts; a drip is one whose
contacts enroll one by one and walk through steps.
"""

import re
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from engine.audience import Audience
from engine.conditions import Conditions
from engine.content import Content, TemplateMessage
from engine.ids import CampaignId, ContactId, NumberId, StepId
from engine.overlap import Exclude
from engine.schedule import Schedule
from engine.timing import Timing


class Kind(StrEnum):
    DRIP = "drip"
    BROADCAST = "broadcast"


class Type(StrEnum):
    """What its messages are. Only promotional ones heed the cooldown and platform stops."""

    PROMOTIONAL = "promotional"
    TRANSACTIONAL = "transactional"
    NOTIFICATION = "notification"
    SURVEY = "survey"


class State(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    ACTIVE = "active"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    ARCHIVED = "archived"


TRANSITIONS: dict[Kind, dict[State, frozenset[State]]] = {
    Kind.DRIP: {
        State.DRAFT: frozenset({State.ACTIVE, State.ARCHIVED}),
        State.ACTIVE: frozenset({State.PAUSED, State.ARCHIVED}),
        State.PAUSED: frozenset({State.ACTIVE, State.ARCHIVED}),
        State.ARCHIVED: frozenset(),
    },
    Kind.BROADCAST: {
        State.DRAFT: frozenset({State.SCHEDULED, State.RUNNING, State.ARCHIVED}),
        # A series stays scheduled while its occurrences run, and is completed after the last.
        State.SCHEDULED: frozenset(
            {State.DRAFT, State.RUNNING, State.PAUSED, State.COMPLETED, State.CANCELLED}
        ),
        State.RUNNING: frozenset({State.PAUSED, State.COMPLETED, State.CANCELLED}),
        # Back to draft or scheduled only where it was paused before it began.
        State.PAUSED: frozenset(
            {State.DRAFT, State.SCHEDULED, State.RUNNING, State.COMPLETED, State.CANCELLED}
        ),
        # What failed of it is tried again.
        State.COMPLETED: frozenset({State.RUNNING, State.ARCHIVED}),
        State.CANCELLED: frozenset({State.ARCHIVED}),
        State.ARCHIVED: frozenset(),
    },
}

SENDING = {Kind.DRIP: State.ACTIVE, Kind.BROADCAST: State.RUNNING}
"""The state in which each kind sends."""


class Reentry(StrEnum):
    """Whether a contact may enroll again: never, once the earlier one ended, or also beside it."""

    NEVER = "never"
    AFTER = "after"
    ALWAYS = "always"


class Mode(StrEnum):
    """What enrolling does about other active drips: nothing, leave the contact out, end them."""

    PASSIVE = "passive"
    SKIP = "skip"
    INTERRUPT = "interrupt"


class UnknownPolicy(StrEnum):
    """What becomes of a message WhatsApp never answered for: sent again, asked about, dropped."""

    RESEND = "resend"
    ASK = "ask"
    DROP = "drop"


class InvalidRate(Exception):
    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is no rate; write for example 5/s, 300/min or 500/h")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most *count* messages per unit, spread evenly.

    >>> Rate.parse("500/h").interval
    datetime.timedelta(seconds=7, microseconds=200000)
    """

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "5/s", "300/min" or "500/h".

        Raises:
            InvalidRate: It is none of these, or zero.
        """
        match = re.fullmatch(r"([1-9]\d{0,6})\s*/\s*(s|min|h)", text.strip())
        if match is None:
            raise InvalidRate(text)
        return cls(count=int(match[1]), unit=match[2])

    @property
    def interval(self) -> timedelta:
        return _UNITS[self.unit] / self.count

    def __str__(self) -> str:
        return f"{self.count}/{self.unit}"


_UNITS = {"s": timedelta(seconds=1), "min": timedelta(minutes=1), "h": timedelta(hours=1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What staff chose. None means: as the organization has it, or unlimited where it has nothing.

    Attributes:
        per_day: Contacts per day, of the organization's time zone.
        hours: "08:00-20:00", or "off".
        days: "mon-fri".
        deadline_s: Seconds after its time when a message is left out instead of sent; 0: never.
    """

    stop_on_reply: bool = True
    per_day: int | None = None
    hours: str | None = None
    days: str | None = None
    rate: Rate | None = None
    reentry: Reentry = Reentry.NEVER
    mode: Mode = Mode.PASSIVE
    deadline_s: int | None = None
    unknown: UnknownPolicy | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what differs from the defaults, for the settings column."""
        plain = asdict(self) | {"rate": str(self.rate) if self.rate else None}
        standard = {each.name: each.default for each in fields(self)}
        # stop_on_reply is read by SQL too, so it always stands there.
        return {
            name: value
            for name, value in plain.items()
            if value != standard[name] or name == "stop_on_reply"
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        given = dict(content)
        for name, parse in _PARSERS.items():
            if given.get(name) is not None:
                given[name] = parse(given[name])
        return cls(**given)


_PARSERS = {
    "rate": Rate.parse,
    "reentry": Reentry,
    "mode": Mode,
    "unknown": UnknownPolicy,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A campaign as staff made it and as it stands.

    Attributes:
        number_id: The number that sends; None: the contact's last, else the organization's first.
        audience: A broadcast's; None for a drip.
        contacts_up_to: The highest contact when a broadcast started; None before.
        closed_until: Its tap is closed until then, for *closed_why*; None: it is open.
        version: Moves with every change staff make.
        actor: The Slack user who created it.
        channel: The Slack channel it was last started or created in; None: unknown.
        schedule: When a broadcast starts by itself; None: not at all.
        scheduled_at: When it does so next; None: never, or it is paused.
        look_at: When to look before that whether it has to start earlier; None: it has not.
        excluded: Which of those who are elsewhere too are left out.
        series_id: The recurring broadcast it is an occurrence of.
    """

    id: CampaignId
    kind: Kind
    name: str
    state: State
    type: Type
    trigger: str
    settings: Settings
    priority: int
    number_id: NumberId | None
    audience: Audience | None
    contacts_up_to: ContactId | None
    closed_until: datetime | None
    closed_why: str | None
    version: int
    actor: str
    channel: str | None
    created_at: datetime
    started_at: datetime | None
    started_by: str | None
    paused_at: datetime | None
    paused_by: str | None
    ended_at: datetime | None
    ended_by: str | None
    schedule: Schedule | None = None
    scheduled_at: datetime | None = None
    look_at: datetime | None = None
    scheduled_by: str | None = None
    series_id: CampaignId | None = None
    excluded: Exclude = Exclude.NONE

    @property
    def recurs(self) -> bool:
        """Whether it is a series: it never runs itself, its occurrences do."""
        return self.schedule is not None and self.schedule.rule is not None

    @property
    def begun(self) -> bool:
        return self.started_at is not None

    @property
    def word(self) -> str:
        """What commands about it begin with."""
        return "campaign" if self.kind is Kind.DRIP else "broadcast"

    def may_become(self, state: State) -> bool:
        return state in TRANSITIONS[self.kind].get(self.state, frozenset())

    def stopped(self, at: datetime) -> bool:
        """Whether it sends nothing for now although nobody paused it."""
        return self.closed_until is not None and self.closed_until > at


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRule:
    """When a step goes out, and to whom; all that decides about it but its words.

    Attributes:
        position: Its place among all there ever were; removed ones leave gaps.
        after: From when the step before was accepted, or ended otherwise; of the first, from
            enrollment.
        hours, days: Of its own; None: as the campaign has them.
        moved: Whether it has stood in another place, so that a contact may have had it already.
    """

    id: StepId
    position: float
    after: timedelta
    timing: Timing = field(default_factory=Timing)
    conditions: Conditions = field(default_factory=Conditions)
    hours: str | None = None
    days: str | None = None
    moved: bool = False

    def settings_over(self, campaign: Settings) -> Settings:
        """Return the campaign's settings with the step's own hours and days in their place."""
        if self.hours is None and self.days is None:
            return campaign
        return replace(
            campaign, hours=self.hours or campaign.hours, days=self.days or campaign.days
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(StepRule):
    """A step that has not been removed.

    Attributes:
        number: Its place as staff count, from 1.
        fallback: A template instead, where a free-form message meets a closed service window.
        version: Moves with every change of it.
    """

    number: int
    content: Content
    fallback: TemplateMessage | None = None
    version: int = 1

    @property
    def says(self) -> tuple[Content, ...]:
        """Return all it may say: its content, and its fallback if it has one."""
        return (self.content,) if self.fallback is None else (self.content, self.fallback)
