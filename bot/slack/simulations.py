"""`campaign simulate`: a campaign played through before it runs, day by day."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, TypeVar

from bot.slack import campaign_names, simulation_taps, simulation_text
from bot.slack.alerts import Alert, Elsewhere, tells
from bot.slack.blocks import message
from bot.slack.conversation import alone_with
from bot.slack.desk import Desk
from bot.slack.language.looking import CampaignSimulate
from bot.slack.markup import markup
from bot.slack.previews import organization_rules
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.simulation_file import listed_file
from bot.slack.simulation_text import Played
from bot.slack.words import as_word
from engine.audience import Audience
from engine.campaign import Campaign, Kind, State, Step
from engine.crowd import Assumed, Person
from engine.foresight import Foresight, Standpoint
from engine.ids import BlobId, ContactId
from engine.refusal import Refusal
from engine.roles import Role
from engine.sending_rules import SendingRules
from engine.simulate import simulate
from engine.usecases.resolve_audience import resolve_audience
from storage import (
    audiences,
    audit,
    blobs,
    campaigns,
    contacts,
    effects,
    enrollments,
    looking,
    standings,
)
from storage.campaigns import CampaignDirectory
from storage.database import Unit
from storage.enrollments import Outcome
from storage.events import Event

LARGEST: Final = 100_000
"""People of a simulation at most."""

_SLICE: Final = 500  # so that webhooks wait for no more than some hundredths of a second
_OVER: Final = frozenset({State.COMPLETED, State.CANCELLED, State.ARCHIVED})
_BEGUN: Final = frozenset({State.RUNNING, State.PAUSED})
_TAG: Final = "tag:"
T = TypeVar("T")


class NothingToSimulate(Refusal):
    """There is nobody, or no step, or too many."""


class ListForOwners(Refusal):
    """The list is a piece of the address book."""

    def __init__(self) -> None:
        super().__init__(
            "csv writes phones and names into a file, and that is for owners, as /drip contact"
            " export is: without csv the days and counts are shown. Nothing was exported."
        )


@dataclass(slots=True, kw_only=True)
class _Crowd:
    """Those it is played for, collected a slice at a time."""

    people: list[tuple[ContactId, Person]] = field(default_factory=list)
    not_enrolled: Counter[Outcome] = field(default_factory=Counter)
    inside: bool = False


def register(registry: Registry, desk: Desk) -> None:
    """Handle the command."""

    @registry.command(CampaignSimulate)
    @refusing
    async def play(command: CampaignSimulate, asked: Context) -> Reply:
        channel = await _where_listed(asked) if command.csv else None
        played = await _Room(desk, asked).played(command)
        if channel is not None:
            await _keep_list(desk, asked, played, channel)
        return Reply(message=simulation_text.shown(played, listed=command.csv))


class _Room:
    """One simulation being prepared and played."""

    def __init__(self, desk: Desk, asked: Context) -> None:
        self.desk = desk
        self.asked = asked
        self.rules: SendingRules = organization_rules(desk, asked.organization)

    async def played(self, command: CampaignSimulate) -> Played:
        campaign, steps, audience = await self._unit(partial(self._begin, command=command))
        starts_at = max(self.asked.at, campaign.scheduled_at or self.asked.at)
        used = await self._unit(partial(looking.used, campaign=campaign.id, rules=self.rules))
        taps = await self._unit(looking.closed_taps)
        closed = simulation_taps.held(campaign, taps, self.rules, at=starts_at)
        # Of those that somebody opens nobody knows when.
        flowing = replace(campaign, closed_until=simulation_taps.opens_at(closed))
        foresight = Foresight(flowing, steps, self.rules, at=starts_at, used=used)
        crowd = await self._crowd(campaign, foresight, audience)
        if not crowd.people and not crowd.not_enrolled:
            raise NothingToSimulate(_nobody(campaign))
        assumed = Assumed(read=command.reads, replied=command.replies)
        # In a thread, so that webhooks are answered meanwhile.
        tally = await asyncio.to_thread(
            simulate, foresight.plan, crowd.people, at=starts_at, assumed=assumed
        )
        played = Played(
            campaign=campaign,
            steps=steps,
            plan=foresight.plan,
            tally=tally,
            assumed=assumed,
            not_enrolled=crowd.not_enrolled,
            inside=crowd.inside,
            held=closed,
        )
        await self.know(played, sorted(tally.named))
        return played

    async def _begin(
        self, unit: Unit, *, command: CampaignSimulate
    ) -> tuple[Campaign, tuple[Step, ...], Audience | None]:
        meant = await campaign_names.found(unit, command.campaign, archived=True)
        campaign = await campaigns.get(unit, campaign=meant.id)
        if campaign is None:
            raise AssertionError("a campaign went while it was looked at")
        if campaign.state in _OVER:
            raise NothingToSimulate(
                f"{as_word(campaign.name)} is {campaign.state.value};"
                f" /drip report {as_word(campaign.name)} shows how it went."
            )
        steps = await campaigns.steps(unit, campaign=campaign.id)
        if not steps:
            name = as_word(campaign.name)
            raise NothingToSimulate(
                f"{name} says nothing yet: /drip step add {name} after=0m template=… adds a step."
            )
        if command.who is not None:
            organization = self.desk.config.organizations[self.asked.organization]
            return (
                campaign,
                steps,
                await resolve_audience(
                    text=command.who,
                    country=organization.country,
                    directory=CampaignDirectory(unit),
                ),
            )
        if campaign.kind is Kind.BROADCAST:
            return campaign, steps, None if campaign.state in _BEGUN else campaign.audience
        if await campaigns.has_running(unit, campaign=campaign.id):
            return campaign, steps, None
        if campaign.trigger.startswith(_TAG):
            return campaign, steps, Audience(tags=(campaign.trigger.removeprefix(_TAG),))
        raise NothingToSimulate(_nobody(campaign))

    # The crowd

    async def _crowd(
        self,
        campaign: Campaign,
        foresight: Foresight,
        audience: Audience | None,
    ) -> _Crowd:
        crowd = _Crowd(inside=audience is None)
        if audience is None:
            await self._those_inside(campaign, foresight, crowd)
            return crowd
        ids = await self._unit(partial(audiences.contacts, audience=audience))
        _check(len(ids))
        for start in range(0, len(ids), _SLICE):
            several: Sequence[ContactId] = ids[start : start + _SLICE]
            if campaign.kind is Kind.DRIP:
                judged = await self._unit(
                    partial(enrollments.foreseen, campaign=campaign.id, contacts=several)
                )
                several = sorted(judged.get(Outcome.ENROLLED, ()))
                for outcome, who in judged.items():
                    if outcome is not Outcome.ENROLLED:
                        crowd.not_enrolled[outcome] += len(who)
            await self._join(campaign, foresight, crowd, [(each, None, {}) for each in several])
        return crowd

    async def _those_inside(self, campaign: Campaign, foresight: Foresight, crowd: _Crowd) -> None:
        known = {step.id for step in foresight.plan.steps}
        async for several in self._standings(campaign):
            _check(len(crowd.people) + len(several))
            standing = [
                (each.contact_id, each.standpoint, each.properties)
                for each in several
                # Whoever waits for a removed step is moved on by the worker.
                if each.standpoint.step_id in known
            ]
            for start in range(0, len(standing), _SLICE):
                part = standing[start : start + _SLICE]
                await self._join(campaign, foresight, crowd, part)

    async def _standings(self, campaign: Campaign) -> AsyncIterator[list[standings.Standing]]:
        drip = campaign.kind is Kind.DRIP
        read = standings.of_drip if drip else standings.of_broadcast
        # Each slice of a broadcast looks at all that waits of it.
        limit = _SLICE if drip else 10 * _SLICE
        after = 0
        while several := await self._unit(
            partial(read, campaign=campaign.id, after=after, limit=limit)
        ):
            yield several
            after = several[-1].id

    async def _join(
        self,
        campaign: Campaign,
        foresight: Foresight,
        crowd: _Crowd,
        several: Sequence[tuple[ContactId, Standpoint | None, Mapping[str, Any]]],
    ) -> None:
        found = await self._unit(
            partial(
                looking.facts,
                contacts=[contact for contact, _, _ in several],
                number=campaign.number_id,
                numbers=self.rules.number_ids,
                tags=foresight.asked_tags,
                beside=campaign.id if campaign.excluded.active else None,
            )
        )
        known = {each.contact_id: each for each in found}

        def people() -> list[tuple[ContactId, Person]]:
            return [
                (contact, foresight.person(replace(known[contact], properties=of), standpoint))
                for contact, standpoint, of in several
                if contact in known
            ]

        crowd.people += await asyncio.to_thread(people)

    async def know(self, played: Played, wanted: Sequence[ContactId]) -> None:
        for start in range(0, len(wanted), _SLICE):
            several = wanted[start : start + _SLICE]
            for each in await self._unit(partial(contacts.listed, contacts=several)):
                played.names[each.id] = each

    async def _unit(self, work: Callable[[Unit], Awaitable[T]]) -> T:
        return await self.desk.database.run(self.asked.organization, self.asked.at, work)


def _check(people: int) -> None:
    if people > LARGEST:
        raise NothingToSimulate(
            f"That is for {people:,} contacts or more, and a simulation takes {LARGEST:,}: name"
            " fewer with who=, such as a tag or a segment; the others fare alike."
        )


def _nobody(campaign: Campaign) -> str:
    name = as_word(campaign.name)
    return (
        f"There is nobody to play {name} through for. Say for whom:"
        f" /drip campaign simulate {name} who=tag:<tag>."
    )


# The list


async def _where_listed(asked: Context) -> str:
    """Return where the list goes: to who asks, alone.

    Raises:
        ListForOwners, NotOpened: Nowhere.
    """
    if asked.role is None or not asked.role.covers(Role.OWNER):
        raise ListForOwners
    return await alone_with(asked)


async def _keep_list(desk: Desk, asked: Context, played: Played, channel: str) -> None:
    """Have the whole list posted as a file."""
    room = _Room(desk, asked)
    await room.know(played, sorted(set(played.tally.contacts)))
    numbers = {number: str(number) for number in range(1, len(played.steps) + 1)}
    name, mimetype, content = await asyncio.to_thread(
        listed_file, played.tally, played.names, campaign=played.campaign.name, steps=numbers
    )

    async def keep(unit: Unit) -> None:
        blob = await blobs.create(unit, name=name, mimetype=mimetype)
        await blobs.append(unit, blob, content)
        told = {"blob": blob, "channel": channel, "name": played.campaign.name}
        await effects.tell_staff(
            unit, kind="simulation_list", campaign=played.campaign.id, content=told
        )
        await audit.note(
            unit,
            actor=asked.user_id,
            action="simulation.export",
            subject=f"{played.campaign.kind}:{played.campaign.id}",
            content={"contacts": len(set(played.tally.contacts))},
        )

    await desk.database.run(asked.organization, asked.at, keep)


@tells("simulation_list")
async def list_ready(event: Event, _unit: Unit) -> tuple[Alert, ...]:
    """Deliver the list to who asked for it."""
    text = markup(
        "The simulation of {name}, contact by contact. The file names people: keep it safe.",
        name=str(event.content["name"]),
    )
    place = Elsewhere(channel=str(event.content["channel"]))
    return (Alert(place=place, message=message(text), file=BlobId(int(event.content["blob"]))),)
