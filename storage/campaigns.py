"""Campaigns and their steps, as one member of the staff changes them and as lists show them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg

from engine import content as contents
from engine import names
from engine.audience import Audience
from engine.campaign import SENDING, Campaign, Kind, Settings, State, Step, Type
from engine.campaign_ports import Affected, Draft, Reach, StepDraft
from engine.campaign_types import MEANINGS
from engine.conditions import Conditions
from engine.content import Content, TemplateMessage
from engine.enrollment import EndReason
from engine.ids import CampaignId, ContactId, EnrollmentId, ListId, SegmentId
from engine.overlap import Exclude, Overlap
from engine.reasons import Reason
from engine.rendering import needed
from engine.schedule import Schedule, next_look
from engine.sending_rules import SendingRules
from engine.timing import Timing
from engine.usecases.create_campaign import NameTaken
from storage import (
    audiences,
    audit,
    brake,
    effects,
    enrollments,
    lists,
    members,
    overlaps,
    references,
    revocations,
    segments,
)
from storage.database import Unit
from storage.queries import load

_SQL = load("campaigns")
SLICE: Final = 5_000
"""Enrollments and messages that one transaction ends or moves."""

_ENDED = frozenset({State.COMPLETED, State.CANCELLED, State.ARCHIVED})


class Campaigns:
    """`engine.campaign_ports.Campaigns`, of what *actor* does."""

    def __init__(self, unit: Unit, actor: str, *, rules: SendingRules | None = None) -> None:
        """Act as *actor*; only what asks who is reached needs the *rules* of sending."""
        self.unit = unit
        self.actor = actor
        self._rules = rules

    @property
    def rules(self) -> SendingRules:
        if self._rules is None:
            raise AssertionError("who is reached was asked without the rules of sending")
        return self._rules

    @property
    def cooldown(self) -> timedelta:
        return self.rules.cooldown

    async def lock(self, campaign: CampaignId) -> Campaign | None:
        row = await self.unit.row(_SQL["lock"], campaign=campaign)
        return None if row is None else _from_record(row)

    async def is_taken(self, name: str) -> bool:
        return names.is_among(name, await named(self.unit, archived=False))

    async def add(self, draft: Draft) -> Campaign:
        added: CampaignId | None = await self.unit.value(
            _SQL["add"],
            kind=draft.kind,
            name=draft.name,
            name_key=names.folded(draft.name),
            type=draft.type,
            trigger=draft.trigger,
            settings=draft.settings.to_json(),
            priority=draft.priority,
            number=draft.number_id,
            audience=None if draft.audience is None else draft.audience.to_json(),
            actor=self.actor,
            channel=draft.channel,
            excluded=draft.excluded.to_json(),
        )
        if added is None:  # somebody else was faster
            raise NameTaken(draft.name)
        return await self._reread(added)

    async def hold(self, audience: Audience) -> None:
        await references.hold(
            self.unit,
            campaigns=[*audience.drips, *audience.broadcasts],
            lists=audience.lists,
            segments=audience.segments,
        )

    async def add_like(self, campaign: Campaign, *, name: str) -> Campaign:
        added: CampaignId | None = await self.unit.value(
            _SQL["add_like"],
            campaign=campaign.id,
            name=name,
            name_key=names.folded(name),
            actor=self.actor,
        )
        if added is None:
            raise NameTaken(name)
        await self.unit.run(_SQL["copy_steps"], campaign=campaign.id, copy=added)
        await self._name_own_steps(campaign.id, added)
        return await self._reread(added)

    async def _name_own_steps(self, campaign: CampaignId, copy: CampaignId) -> None:
        """Have the conditions of copied steps ask about copies, not about those of *campaign*."""
        old, new = await self.steps(campaign), await self.steps(copy)
        own = {before.id: after.id for before, after in zip(old, new, strict=True)}
        for step in new:
            conditions = step.conditions.renamed(own)
            if conditions != step.conditions:
                await self.unit.run(
                    _SQL["set_conditions"], step=step.id, conditions=conditions.to_json()
                )

    async def change(self, campaign: Campaign) -> Campaign:
        try:
            await self.unit.run(
                _SQL["change"],
                campaign=campaign.id,
                name=campaign.name,
                name_key=names.folded(campaign.name),
                type=campaign.type,
                trigger=campaign.trigger,
                settings=campaign.settings.to_json(),
                priority=campaign.priority,
                number=campaign.number_id,
                audience=None if campaign.audience is None else campaign.audience.to_json(),
                excluded=campaign.excluded.to_json(),
            )
        except asyncpg.UniqueViolationError as error:
            raise NameTaken(campaign.name) from error
        return await self._reread(campaign.id)

    async def replace_content(self, campaign: Campaign, step: Step, content: Content) -> None:
        await self.unit.run(
            _SQL["replace_content"],
            campaign=campaign.id,
            step=step.id,
            content=contents.to_json(content),
        )

    async def seal(self, campaign: CampaignId) -> None:
        await self.unit.value(_SQL["seal"], campaign=campaign)

    async def audiences_with(self, campaign: CampaignId) -> list[str]:
        rows = await self.unit.rows(_SQL["audiences_with"], campaign=campaign)
        return [row["name"] for row in rows]

    async def delete(self, campaign: Campaign) -> None:
        await self.unit.run(_SQL["delete"], campaign=campaign.id)

    async def move(
        self,
        campaign: Campaign,
        state: State,
        *,
        channel: str | None = None,
        contacts_up_to: ContactId | None = None,
    ) -> Campaign:
        await self.unit.run(
            _SQL["move"],
            campaign=campaign.id,
            state=state,
            channel=channel,
            contacts_up_to=contacts_up_to,
            sending=state is SENDING[campaign.kind],
            ended=state in _ENDED,
            actor=self.actor,
        )
        if state is SENDING[campaign.kind]:
            await brake.begin_anew(self.unit, campaign=campaign.id)
        if contacts_up_to is not None:
            await audiences.freeze(
                self.unit,
                campaign=campaign.id,
                audience=campaign.audience or Audience(),
                up_to=contacts_up_to,
            )
        if state in _ENDED:
            await members.thaw(self.unit, campaign=campaign.id)
        return await self._reread(campaign.id)

    async def zones(self, campaign: Campaign) -> Collection[str | None]:
        audience = campaign.audience or Audience()
        if audience.everyone:
            rows = await self.unit.rows(_SQL["all_zones"])
        else:
            contacts = await audiences.contacts(self.unit, audience=audience)
            rows = await self.unit.rows(_SQL["zones_of"], contacts=contacts)
        return [row["timezone"] for row in rows]

    async def schedule(
        self, campaign: Campaign, schedule: Schedule, *, starts_at: datetime
    ) -> Campaign:
        await self.unit.run(
            _SQL["schedule"],
            campaign=campaign.id,
            schedule=schedule.to_json(),
            starts_at=starts_at,
            look_at=next_look(schedule, at=self.unit.at, starts_at=starts_at),
            actor=self.actor,
        )
        return await self._reread(campaign.id)

    async def postpone(
        self, campaign: Campaign, schedule: Schedule, *, starts_at: datetime
    ) -> Campaign:
        await self.unit.run(
            _SQL["postpone"],
            campaign=campaign.id,
            schedule=schedule.to_json(),
            starts_at=starts_at,
            look_at=next_look(schedule, at=self.unit.at, starts_at=starts_at),
        )
        return await self._reread(campaign.id)

    async def unschedule(self, campaign: Campaign) -> Campaign:
        await self.unit.run(_SQL["unschedule"], campaign=campaign.id)
        return await self._reread(campaign.id)

    async def add_occurrence(self, series: Campaign, *, name: str, schedule: Schedule) -> Campaign:
        made = await self.add_like(series, name=name)
        await self.unit.run(
            _SQL["belong_to_series"],
            campaign=made.id,
            series=series.id,
            schedule=schedule.to_json(),
            actor=self.actor,
        )
        return await self._reread(made.id)

    async def tell(self, campaign: Campaign, kind: str, **content: object) -> None:
        # The version keeps a second pause within the hour from looking like the first.
        await effects.tell_staff(
            self.unit,
            kind=kind,
            campaign=campaign.id,
            content={"by": self.actor, "version": campaign.version, **content},
        )

    async def revoke(self, campaign: CampaignId) -> None:
        await revocations.revoke(self.unit, campaign=campaign)

    async def note(self, action: str, campaign: Campaign, **content: object) -> None:
        await audit.note(
            self.unit,
            actor=self.actor,
            action=action,
            subject=f"{campaign.kind}:{campaign.id}",
            content=content,
        )

    async def steps(self, campaign: CampaignId) -> tuple[Step, ...]:
        return await steps(self.unit, campaign=campaign)

    async def add_step(self, campaign: Campaign, *, after: timedelta, content: Content) -> Step:
        await self.put_step(campaign, StepDraft(after=after, content=content), place=None)
        return (await self.steps(campaign.id))[-1]

    async def put_step(self, campaign: Campaign, draft: StepDraft, *, place: float | None) -> None:
        await self.unit.value(
            _SQL["put_step"], campaign=campaign.id, place=place, **_step_columns(draft)
        )
        await self.unit.run(_SQL["touch"], campaign=campaign.id)

    async def edit_step(self, campaign: Campaign, step: Step, draft: StepDraft) -> None:
        await self.unit.run(_SQL["keep_revision"], step=step.id, actor=self.actor)
        await self.unit.run(_SQL["edit_step"], step=step.id, **_step_columns(draft))
        await self.unit.run(_SQL["touch"], campaign=campaign.id)

    async def move_step(self, campaign: Campaign, step: Step, *, place: float | None) -> None:
        await self.unit.run(_SQL["keep_revision"], step=step.id, actor=self.actor)
        await self.unit.run(_SQL["move_step"], step=step.id, place=place)
        await self.unit.run(_SQL["touch"], campaign=campaign.id)

    async def remove_step(self, campaign: Campaign, step: Step) -> None:
        await self.unit.run(_SQL["remove_step"], step=step.id)
        await self.unit.run(_SQL["touch"], campaign=campaign.id)

    async def look_again(self, campaign: Campaign) -> None:
        await self.unit.run(_SQL["want_look_again"], campaign=campaign.id)

    async def rewalk(self, campaign: Campaign) -> None:
        await self.unit.run(_SQL["set_rewalk"], campaign=campaign.id, cursor=0)
        await rewalk(self.unit, campaign=campaign.id)

    async def affected(self, campaign: Campaign, *, place: float, step: Step | None) -> Affected:
        return await enrollments.affected(
            self.unit, campaign=campaign.id, place=place, step=step.id if step else None
        )

    async def lacking(
        self, campaign: Campaign, contents: Iterable[Content], *, place: float | None = None
    ) -> Mapping[str, int]:
        tokens = needed(contents)
        if place is not None:
            return await members.lacking_under_way(
                self.unit, campaign=campaign.id, place=place, tokens=tokens
            )
        return await lacking(self.unit, campaign=campaign, tokens=tokens)

    async def reach(
        self, campaign: Campaign, content: Content, *, at: datetime | None = None
    ) -> Reach:
        reach = await audiences.reach(
            self.unit,
            audience=campaign.audience or Audience(),
            promotional=MEANINGS[campaign.type].promotional,
        )
        left_out: dict[Reason, int] = {}
        if campaign.excluded is not Exclude.NONE:
            left_out |= (await self.overlap(campaign)).left_out(campaign.excluded)
        left_out |= await audiences.unsaid(
            self.unit,
            campaign=campaign,
            content=content,
            rules=self.rules,
            due_at=at or self.unit.at,
        )
        return replace(
            reach,
            recipients=reach.recipients - sum(left_out.values()),
            left_out={**reach.left_out, **left_out},
        )

    async def overlap(self, campaign: Campaign) -> Overlap:
        audience = campaign.audience or Audience()
        everyone = audience.everyone
        contacts = None if everyone else await audiences.contacts(self.unit, audience=audience)
        return await overlaps.overlap(
            self.unit,
            contacts=contacts,
            campaign=campaign.id,
            promotional=MEANINGS[campaign.type].promotional,
            cooldown=self.cooldown,
        )

    async def _reread(self, campaign: CampaignId) -> Campaign:
        found = await get(self.unit, campaign=campaign)
        if found is None:
            raise AssertionError(f"campaign {campaign} vanished under its lock")
        return found


class CampaignDirectory:
    """`engine.campaign_ports.Directory`."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit

    async def by_name(self) -> Mapping[str, tuple[CampaignId, Kind]]:
        return {
            name: (found.id, found.kind)
            for name, found in (await named(self.unit, archived=False)).items()
        }

    async def lists(self) -> Mapping[str, ListId]:
        return await lists.names(self.unit)

    async def segments(self) -> Mapping[str, SegmentId]:
        return await segments.names(self.unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a name stands for."""

    id: CampaignId
    name: str
    kind: Kind
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A campaign as lists show it.

    Attributes:
        total: How many the list has in all.
        closed_why: None: its tap is open.
        running: Enrollments that have not ended.
        scheduled_at: When it starts by itself; None: not at all.
    """

    id: CampaignId
    kind: Kind
    name: str
    state: State
    actor: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    scheduled_at: datetime | None
    total: int
    closed_why: str | None
    planned: int
    sent: int
    delivered: int
    read: int
    enrolled: int
    running: int
    steps: int


async def get(unit: Unit, *, campaign: CampaignId) -> Campaign | None:
    """Return a campaign; None: there is none of that id, any more or here."""
    row = await unit.row(_SQL["get"], campaign=campaign)
    return None if row is None else _from_record(row)


async def named(unit: Unit, *, archived: bool) -> dict[str, Named]:
    """Return campaigns by name; *archived* ones only where no other has the name."""
    rows = await unit.rows(_SQL["by_name"], archived=archived)
    return {
        row["name"]: Named(
            id=row["id"], name=row["name"], kind=Kind(row["kind"]), state=State(row["state"])
        )
        for row in rows
    }


async def steps(unit: Unit, *, campaign: CampaignId) -> tuple[Step, ...]:
    """Return the steps that have not been removed, in order."""
    rows = await unit.rows(_SQL["steps"], campaign=campaign)
    return tuple(
        Step(
            id=row["id"],
            number=number,
            position=row["position"],
            after=timedelta(seconds=row["after_s"]),
            timing=Timing.from_json(row["timing"]),
            conditions=Conditions.from_json(row["conditions"]),
            hours=row["settings"].get("hours"),
            days=row["settings"].get("days"),
            moved=row["moved"],
            content=contents.from_json(row["content"]),
            fallback=_fallback(row["fallback"]),
            version=row["version"],
        )
        for number, row in enumerate(rows, start=1)
    )


async def listed(
    unit: Unit, *, kind: Kind, state: State | None, actor: str | None, limit: int
) -> list[Listed]:
    """Return the latest campaigns of a kind.

    Args:
        state: None: all but archived ones.
        actor: None: whoever created them.
    """
    rows = await unit.rows(_SQL["listed"], kind=kind, state=state, actor=actor, limit=limit)
    return [
        Listed(**{**dict(row), "kind": Kind(row["kind"]), "state": State(row["state"])})
        for row in rows
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class DueToStart:
    """A scheduled broadcast whose time has come."""

    id: CampaignId
    scheduled_by: str
    settings: Settings


async def due_to_start(unit: Unit, *, limit: int) -> list[DueToStart]:
    """Return what is to start by itself now, the earliest first."""
    rows = await unit.rows(_SQL["due_to_start"], limit=limit)
    return [
        DueToStart(
            id=row["id"],
            scheduled_by=row["scheduled_by"],
            settings=Settings.from_json(row["settings"]),
        )
        for row in rows
    ]


async def running_occurrences(unit: Unit, *, series: CampaignId) -> int:
    """Return how many occurrences of a series run or are paused."""
    count: int = await unit.value(_SQL["running_occurrences"], series=series)
    return count


async def running(unit: Unit, *, limit: int) -> list[CampaignId]:
    """Return what sends, or would if it were not paused; the latest started first."""
    return [row["id"] for row in await unit.rows(_SQL["running"], limit=limit)]


async def upcoming(unit: Unit, *, limit: int) -> list[tuple[str, datetime]]:
    """Return names and times of broadcasts that start by themselves, the next first."""
    rows = await unit.rows(_SQL["upcoming"], limit=limit)
    return [(row["name"], row["scheduled_at"]) for row in rows]


async def lacking(unit: Unit, *, campaign: Campaign, tokens: Sequence[str]) -> Mapping[str, int]:
    """Return how many of those a campaign is for have no value for *tokens*; none of them zero.

    A drip is for those with the tag of its trigger, else may be for everybody.
    """
    audience = campaign.audience
    if audience is None:
        tag = campaign.trigger.removeprefix("tag:") if campaign.trigger.startswith("tag:") else None
        audience = Audience(everyone=True) if tag is None else Audience(tags=(tag,))
    return await audiences.lacking(unit, audience=audience, tokens=tokens)


async def to_rewalk(unit: Unit) -> list[CampaignId]:
    """Return campaigns whose steps changed and whose enrollments are not all on their way yet."""
    return [row["id"] for row in await unit.rows(_SQL["to_rewalk"])]


async def rewalk(unit: Unit, *, campaign: CampaignId) -> None:
    """Put a slice of those under way on their way by the steps as they are now."""
    cursor: EnrollmentId | None = await unit.value(_SQL["rewalk_of"], campaign=campaign)
    if cursor is None:
        return
    last = await enrollments.rewalk(unit, campaign=campaign, cursor=cursor, limit=SLICE)
    if last is None:
        # All have been looked at; what is queued for a removed step comes last.
        left = await enrollments.cancel_removed(unit, campaign=campaign, limit=SLICE)
        last = cursor if left == SLICE else None
    await unit.run(_SQL["set_rewalk"], campaign=campaign, cursor=last)


async def to_look_again(unit: Unit) -> list[CampaignId]:
    """Return campaigns whose hours changed and whose queue has not all been looked at since."""
    return [row["id"] for row in await unit.rows(_SQL["to_look_again"])]


async def look_again(unit: Unit, *, campaign: CampaignId, zone: str) -> None:
    """Make due at once what of a slice of the queue waits though its own time has come.

    The lane's gate puts off again what may not go yet. Retries keep their time.

    Args:
        zone: The organization's time zone, of contacts without one.
    """
    begun = await unit.row(_SQL["look_again_of"], campaign=campaign)
    if begun is None:
        return
    last = None
    if begun["sends"]:
        last = await unit.row(
            _SQL["look_again"],
            campaign=campaign,
            since=begun["since"],
            due_at=begun["due_at"],
            id=begun["id"],
            zone=zone,
            limit=SLICE,
        )
    await unit.run(
        _SQL["looked_up_to"],
        campaign=campaign,
        due_at=last and last["due_at"],
        id=last and last["id"],
    )


async def drop_everybody(unit: Unit, *, campaign: CampaignId) -> int:
    """End a slice of an archived campaign's enrollments; 0: none is left.

    Their queued messages are the worker's to sweep, like those of every campaign that ended.
    """
    left = await enrollments.running_of(unit, campaign=campaign, limit=SLICE)
    await enrollments.end(unit, enrollments=left, reason=EndReason.ARCHIVED)
    return len(left)


async def has_running(unit: Unit, *, campaign: CampaignId) -> bool:
    """Whether enrollments of a campaign have not ended."""
    running: bool = await unit.value(_SQL["has_running"], campaign=campaign)
    return running


async def ended_before(unit: Unit, *, campaign: CampaignId, moment: datetime) -> bool:
    """Whether an ended campaign ended before *moment*."""
    before: bool = await unit.value(_SQL["ended_before"], campaign=campaign, moment=moment)
    return before


def _step_columns(draft: StepDraft) -> dict[str, Any]:
    chosen = {"hours": draft.hours, "days": draft.days}
    return {
        "after_s": int(draft.after.total_seconds()),
        "content": contents.to_json(draft.content),
        "timing": draft.timing.to_json(),
        "conditions": draft.conditions.to_json(),
        "fallback": None if draft.fallback is None else contents.to_json(draft.fallback),
        "settings": {name: value for name, value in chosen.items() if value is not None},
    }


def _fallback(written: object) -> TemplateMessage | None:
    content = None if written is None else contents.from_json(written)
    return content if isinstance(content, TemplateMessage) else None


def _from_record(row: asyncpg.Record) -> Campaign:
    plain: dict[str, Any] = dict(row)
    return Campaign(
        **{
            **plain,
            "kind": Kind(plain["kind"]),
            "state": State(plain["state"]),
            "type": Type(plain["type"]),
            "settings": Settings.from_json(plain["settings"]),
            "closed_until": _aware(plain["closed_until"]),
            "schedule": None
            if plain["schedule"] is None
            else Schedule.from_json(plain["schedule"]),
            "excluded": Exclude.from_json(plain["excluded"]),
            "audience": None
            if plain["audience"] is None
            else Audience.from_json(plain["audience"]),
        }
    )


def _aware(at: datetime | None) -> datetime | None:
    """Return an instant of Postgres; its infinity comes without a zone."""
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
