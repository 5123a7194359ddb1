"""Automations as staff change them and as the worker acts on them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from engine import automation as rules
from engine.automation import (
    Action,
    Automation,
    Enroll,
    MessageReached,
    Milestone,
    State,
    Trigger,
    Unenroll,
)
from engine.automation_foresight import Drip
from engine.automation_ports import KnownCampaign
from engine.automation_text import Directory
from engine.campaign import Kind, Mode, Reentry
from engine.campaign import State as CampaignState
from engine.ids import AutomationId, CampaignId, ContactId, SegmentId, StepId
from storage import audit, effects, following, references
from storage.database import Unit
from storage.queries import load

_SQL = load("automations")


class StoredAutomations:
    """`engine.automation_ports.Automations`, of what *actor* does."""

    def __init__(self, unit: Unit, actor: str) -> None:
        self.unit = unit
        self.actor = actor

    async def lock(self) -> None:
        await self.unit.value(_SQL["lock"])

    async def all(self) -> Sequence[Automation]:
        return await all_of(self.unit)

    async def directory(self) -> Directory:
        return await directory(self.unit, automations=await self.all())

    async def campaigns(self) -> Mapping[str, KnownCampaign]:
        return {
            row["name"]: KnownCampaign(
                id=row["id"], kind=Kind(row["kind"]), reentry=Reentry(row["reentry"])
            )
            for row in await self.unit.rows(_SQL["campaigns"])
        }

    async def step(self, campaign: CampaignId, number: int) -> StepId | None:
        step: StepId | None = await self.unit.value(
            _SQL["step"], campaign=campaign, place=number - 1
        )
        return step

    async def segments(self) -> Mapping[str, SegmentId]:
        return {row["name"]: row["id"] for row in await self.unit.rows(_SQL["segments"])}

    async def hold(self, segment: SegmentId) -> None:
        await references.hold(self.unit, segments=[segment])

    async def date_attributes(self) -> Mapping[str, bool]:
        return {row["name"]: row["is_date"] for row in await self.unit.rows(_SQL["attributes"])}

    async def add(
        self,
        *,
        trigger: Trigger,
        segment: SegmentId | None,
        action: Action,
        campaign: CampaignId | None,
    ) -> Automation:
        added: AutomationId = await self.unit.value(
            _SQL["add"],
            campaign=campaign,
            trigger=rules.trigger_to_json(trigger),
            segment=segment,
            action=rules.action_to_json(action),
            actor=self.actor,
        )
        await following.begin_anew(self.unit, automation=added)
        return Automation(
            id=added,
            campaign_id=campaign,
            trigger=trigger,
            segment_id=segment,
            action=action,
            on_since=self.unit.at,
            created_at=self.unit.at,
            created_by=self.actor,
        )

    async def end_of(self, campaign: CampaignId) -> None:
        await self.unit.run(_SQL["end_of"], campaign=campaign)

    async def remove(self, automation: AutomationId) -> None:
        await self.unit.run(_SQL["remove"], automation=automation)

    async def set_state(self, automation: AutomationId, state: State) -> None:
        await self.unit.run(_SQL["set_state"], automation=automation, state=state)
        if state is State.ON:
            await following.begin_anew(self.unit, automation=automation)

    async def note(self, action: str, automation: Automation) -> None:
        await audit.note(
            self.unit, actor=self.actor, action=action, subject=f"automation:{automation.id}"
        )


@dataclass(frozen=True, slots=True)
class Live:
    """An automation that acts, and as what its enrollments are known."""

    automation: Automation
    by: str


async def all_of(unit: Unit) -> list[Automation]:
    """Return all automations, the oldest first."""
    return [_from_row(row) for row in await unit.rows(_SQL["all"])]


async def get(unit: Unit, *, automation: AutomationId) -> Automation | None:
    row = await unit.row(_SQL["get"], automation=automation)
    return None if row is None else _from_row(row)


async def live(unit: Unit) -> list[Live]:
    """Return those that are on, the oldest first."""
    return [
        Live(
            automation=_from_row(row),
            by=f"trigger:{row['own_trigger']}" if row["own_trigger"] else f"automation:{row['id']}",
        )
        for row in await unit.rows(_SQL["live"])
    ]


async def directory(unit: Unit, *, automations: Sequence[Automation]) -> Directory:
    """Return what the ids in *automations* are called."""
    triggers = [each.trigger for each in automations]
    reached = [each for each in triggers if isinstance(each, MessageReached)]
    actions = [each.action for each in automations]
    campaigns = {each.campaign for each in reached if each.campaign is not None}
    campaigns |= {each.campaign for each in actions if isinstance(each, Enroll | Unenroll)}
    steps = {each.step for each in reached if each.step is not None}
    named = await unit.rows(_SQL["names_of_campaigns"], ids=sorted(campaigns))
    numbered = await unit.rows(_SQL["numbers_of_steps"], ids=sorted(steps)) if steps else ()
    return Directory(
        campaigns={row["id"]: row["name"] for row in named},
        steps={row["id"]: row["number"] for row in numbered},
        segments={row["id"]: row["name"] for row in await unit.rows(_SQL["segments"])},
    )


async def called(unit: Unit, *, campaigns: Collection[CampaignId]) -> dict[CampaignId, str]:
    """Return the names of campaigns."""
    rows = await unit.rows(_SQL["names_of_campaigns"], ids=sorted(campaigns))
    return {row["id"]: row["name"] for row in rows}


async def drips(unit: Unit, *, campaigns: Collection[CampaignId]) -> dict[CampaignId, Drip]:
    """Return those of *campaigns* that take somebody in."""
    return {
        row["id"]: Drip(reentry=Reentry(row["reentry"]), mode=Mode(row["mode"]))
        for row in await unit.rows(_SQL["drips"], ids=sorted(campaigns))
    }


async def resting(
    unit: Unit, *, automations: Sequence[Automation]
) -> dict[CampaignId, CampaignState]:
    """Return the campaigns automations enroll into that take nobody in, and their states."""
    targets = {each.action.campaign for each in automations if isinstance(each.action, Enroll)}
    rows = await unit.rows(_SQL["resting"], ids=sorted(targets))
    return {row["id"]: CampaignState(row["state"]) for row in rows}


async def awaited(unit: Unit, *, milestones: Collection[Milestone]) -> frozenset[Milestone]:
    """Return which of *milestones* some automation waits for."""
    kinds = [each.value for each in milestones]
    rows = await unit.rows(_SQL["wanted"], kinds=kinds)
    return frozenset(Milestone(row["kind"]) for row in rows)


async def keywords(unit: Unit) -> list[str]:
    """Return the words some automation waits for, folded."""
    return [row["word"] for row in await unit.rows(_SQL["keywords"])]


async def stop(unit: Unit, *, automation: AutomationId, why: str) -> None:
    """Stop one that led to itself, and tell staff, once."""
    if await unit.value(_SQL["stop"], automation=automation, why=why) is not None:
        content = {"automation": automation, "why": why, "at": unit.at.isoformat()}
        await effects.tell_staff(unit, kind="automation_stopped", campaign=None, content=content)


async def lock_campaigns(unit: Unit, *, campaigns: Collection[CampaignId]) -> None:
    await unit.rows(_SQL["lock_campaigns"], ids=sorted(campaigns))


async def tell(
    unit: Unit,
    *,
    automation: AutomationId,
    about: Sequence[tuple[ContactId, Mapping[str, str]]],
    others: int = 0,
) -> None:
    """Have something said in a channel, once for each contact and the properties of its event.

    Args:
        others: How many more contacts the last one stands for.
    """
    told = [
        {"automation": automation, "contact": contact, "properties": dict(properties), "others": 0}
        for contact, properties in about
    ]
    if told:
        told[-1]["others"] = others
        await unit.run(_SQL["tell"], contents=told)


def _from_row(row: asyncpg.Record) -> Automation:
    return Automation(
        id=row["id"],
        campaign_id=row["campaign_id"],
        trigger=rules.trigger_from_json(row["trigger"]),
        segment_id=row["segment_id"],
        action=rules.action_from_json(row["action"]),
        state=State(row["state"]),
        stopped_why=row["stopped_why"],
        on_since=row["on_since"],
        created_at=row["created_at"],
        created_by=row["created_by"],
    )
