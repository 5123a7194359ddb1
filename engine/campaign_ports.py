"""What the use cases about campaigns need of storage. One unit of work stands behind each port."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from engine.audience import Audience
from engine.campaign import Campaign, Kind, Settings, State, Step, Type
from engine.conditions import Conditions
from engine.content import Content, TemplateMessage
from engine.ids import CampaignId, ContactId, ListId, NumberId, SegmentId
from engine.media_ports import LibraryFile
from engine.overlap import Exclude, Overlap
from engine.phone import Phone
from engine.reasons import Reason
from engine.schedule import Schedule
from engine.templates import Template
from engine.timing import Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A campaign to be created; the attributes mean what they mean in Campaign."""

    kind: Kind
    name: str
    type: Type
    settings: Settings
    trigger: str = "manual"
    priority: int = 5
    number_id: NumberId | None = None
    audience: Audience | None = None
    channel: str | None = None
    excluded: Exclude = Exclude.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whom an audience reaches now.

    Attributes:
        recipients: Who would get it.
        left_out: The others, by reason; none of them zero.
        last_contact: The highest contact there is; None: there is none at all.
        strangers: Phones of the audience that are no contacts.
    """

    recipients: int
    left_out: Mapping[Reason, int]
    last_contact: ContactId | None
    strangers: tuple[Phone, ...] = ()

    @property
    def at_most(self) -> int:
        """How many it could be if everybody with a closed service window wrote before."""
        return self.recipients + self.left_out.get(Reason.WINDOW_CLOSED, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDraft:
    """A step to be written; the attributes mean what they mean in StepRule and Step."""

    after: timedelta
    content: Content
    timing: Timing = field(default_factory=Timing)
    conditions: Conditions = field(default_factory=Conditions)
    fallback: TemplateMessage | None = None
    hours: str | None = None
    days: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """How a change of a drip's steps meets those under way.

    Attributes:
        before: Have not come to its place.
        waiting, queued: Of the step itself: wait for it, have its message queued.
        past: Are past its place.
    """

    before: int = 0
    waiting: int = 0
    queued: int = 0
    past: int = 0

    @property
    def anybody(self) -> bool:
        return bool(self.before or self.waiting or self.queued or self.past)


class Campaigns(Protocol):
    """The campaigns of one organization, changed by one person."""

    async def lock(self, campaign: CampaignId) -> Campaign | None:
        """Keep it from changing until the unit ends; None: there is none of that id."""
        ...

    async def is_taken(self, name: str) -> bool:
        """Whether one that is not archived has the name, or a name that counts as the same."""
        ...

    async def add(self, draft: Draft) -> Campaign: ...

    async def hold(self, audience: Audience) -> None:
        """Keep what an audience names from being deleted until the unit ends.

        Raises:
            NoSuchList, NoSuchSegment, NoSuchCampaign: One is gone already.
        """
        ...

    async def add_like(self, campaign: Campaign, *, name: str) -> Campaign:
        """Add a draft with the settings, the steps and the audience of another."""
        ...

    async def change(self, campaign: Campaign) -> Campaign:
        """Write what staff chose about a locked campaign, and move its version.

        A tap that only its daily cap or its rate had closed opens where those changed.

        Raises:
            NameTaken: Somebody else was faster.
        """
        ...

    async def replace_content(self, campaign: Campaign, step: Step, content: Content) -> None:
        """Let a broadcast that has not begun say something else."""
        ...

    async def seal(self, campaign: CampaignId) -> None:
        """Wait for whoever begins to name it, and let nobody else begin, until the unit ends."""
        ...

    async def audiences_with(self, campaign: CampaignId) -> list[str]:
        """Return the names of broadcasts not yet begun whose audience names it, sorted."""
        ...

    async def delete(self, campaign: Campaign) -> None:
        """Delete a locked draft and its steps."""
        ...

    async def move(
        self,
        campaign: Campaign,
        state: State,
        *,
        channel: str | None = None,
        contacts_up_to: ContactId | None = None,
    ) -> Campaign:
        """Put it into *state* with who and when, open its tap, and move its version.

        Args:
            channel: Where staff asked for it; None keeps what is known.
            contacts_up_to: Freezes a broadcast's audience; None keeps what is known.
        """
        ...

    async def zones(self, campaign: Campaign) -> Collection[str | None]:
        """Return the time zones of a broadcast's audience as it is now; None: of unknown ones."""
        ...

    async def schedule(
        self, campaign: Campaign, schedule: Schedule, *, starts_at: datetime
    ) -> Campaign:
        """Have a locked broadcast start by itself at *starts_at*, and move its version."""
        ...

    async def postpone(
        self, campaign: Campaign, schedule: Schedule, *, starts_at: datetime
    ) -> Campaign:
        """Have a locked series go on with its next occurrence; nobody did that."""
        ...

    async def unschedule(self, campaign: Campaign) -> Campaign:
        """Make a locked broadcast a draft again."""
        ...

    async def add_occurrence(self, series: Campaign, *, name: str, schedule: Schedule) -> Campaign:
        """Add a draft like *series*, as one of its occurrences."""
        ...

    async def tell(self, campaign: Campaign, kind: str, **content: object) -> None:
        """Write the event *kind* for staff, with who did it."""
        ...

    async def revoke(self, campaign: CampaignId) -> None:
        """Have senders give back what they claimed and have not started, once this commits."""
        ...

    async def note(self, action: str, campaign: Campaign, **content: object) -> None:
        """Write the audit entry; *content* holds ids and settings, no names and no phones."""
        ...

    async def steps(self, campaign: CampaignId) -> tuple[Step, ...]:
        """Return the steps there are, in order."""
        ...

    async def add_step(self, campaign: Campaign, *, after: timedelta, content: Content) -> Step:
        """Add a step behind all others."""
        ...

    async def put_step(self, campaign: Campaign, draft: StepDraft, *, place: float | None) -> None:
        """Add a step at a position; None: behind all others."""
        ...

    async def edit_step(self, campaign: Campaign, step: Step, draft: StepDraft) -> None:
        """Write a step anew, and keep how it was."""
        ...

    async def move_step(self, campaign: Campaign, step: Step, *, place: float | None) -> None:
        """Put a step at a position; None: behind all others."""
        ...

    async def remove_step(self, campaign: Campaign, step: Step) -> None:
        """Take a step out."""
        ...

    async def look_again(self, campaign: Campaign) -> None:
        """Have the worker look again at what waits, because the hours of the campaign changed."""
        ...

    async def rewalk(self, campaign: Campaign) -> None:
        """Put those under way on their way by the steps as they are now.

        A slice of them at once; the worker follows up with the others.
        """
        ...

    async def affected(self, campaign: Campaign, *, place: float, step: Step | None) -> Affected:
        """Return how a change at a position, or of *step*, meets those under way."""
        ...

    async def lacking(
        self, campaign: Campaign, contents: Iterable[Content], *, place: float | None = None
    ) -> Mapping[str, int]:
        """Return how many have no value for tokens of *contents* without a fallback, by token.

        Of a broadcast's audience; of those whom a drip's trigger would enroll, which without one
        may be everybody.

        Args:
            place: Only of those under way in a drip who have not come to that position.
        """
        ...

    async def reach(
        self, campaign: Campaign, content: Content, *, at: datetime | None = None
    ) -> Reach:
        """Return whom a broadcast that says *content* reaches, by all that is known now.

        Args:
            at: When it goes out; whoever's service window closes before is left out of what is no
                template. None: now.
        """
        ...

    async def overlap(self, campaign: Campaign) -> Overlap:
        """Return how many of a broadcast's audience are in other campaigns too."""
        ...


class Templates(Protocol):
    """What messages are made of: templates as the platform listed them last, and our own files."""

    async def of_name(self, name: str) -> tuple[Template, ...]:
        """Return those of exactly that name, one per language, sorted by language."""
        ...

    async def names(self) -> Collection[str]: ...

    async def file(self, name: str) -> LibraryFile | None:
        """Return a file of the media library, kept from being removed until this commits."""
        ...

    async def file_names(self) -> Collection[str]: ...


class Attributes(Protocol):
    """What contacts have besides the built-in values."""

    async def names(self) -> Collection[str]:
        """Return the name of every attribute that some contact was given."""
        ...


class Directory(Protocol):
    """The campaigns, lists and segments there are, by name."""

    async def by_name(self) -> Mapping[str, tuple[CampaignId, Kind]]:
        """Return the campaigns that are not archived."""
        ...

    async def lists(self) -> Mapping[str, ListId]: ...

    async def segments(self) -> Mapping[str, SegmentId]: ...
