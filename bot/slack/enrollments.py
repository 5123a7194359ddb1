"""Who is in a campaign: putting contacts in, taking them out, looking at them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from bot.slack import errand_text, pace
from bot.slack.campaign_lists import next_line
from bot.slack.campaign_names import found
from bot.slack.campaign_text import strangers_line, unconfirmed_lines
from bot.slack.changes import answered, told, wake
from bot.slack.desk import Desk
from bot.slack.drafting import cooldown_of, size_of
from bot.slack.errand_text import outcome_lines
from bot.slack.errands import at_once_done, begun, goes_on
from bot.slack.language.campaigns import Enroll, Unenroll
from bot.slack.markup import Markup, code, joined, markup
from bot.slack.overlap_text import overlap_lines
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.words import as_word
from engine.audience import Audience
from engine.campaign import Campaign, Kind, State
from engine.campaign_types import MEANINGS
from engine.errand import CHANGED, Errand
from engine.errand import Kind as ErrandKind
from engine.ids import CampaignId, ContactId
from engine.overlap import Exclude
from engine.refusal import Refusal
from engine.size import judged
from engine.usecases.enroll_contacts import NobodyThere, Unconfirmed, enroll_contacts
from engine.usecases.resolve_audience import resolve_audience
from storage import audiences, campaigns, enrollments, overlaps
from storage.campaigns import CampaignDirectory, Named
from storage.database import Unit
from storage.enrollments import NotEnrolling, Outcome

SLICE: Final = 10_000
PAGE: Final = 25


class Closed(Refusal):
    """The campaign takes nobody in."""

    def __init__(self, campaign: Named, why: NotEnrolling) -> None:
        name = as_word(campaign.name)
        if why.state is None:
            fix = "is a broadcast, and broadcasts have no enrollments: to= says who gets one."
        elif why.without_steps:
            fix = f"has no steps any more: add one with /drip step add {name} after=0m template=…"
        elif why.state is State.DRAFT:
            fix = f"is a draft: /drip campaign activate {name} first."
        else:
            fix = f"is {why.state}, and takes nobody in."
        super().__init__(f"{name} {fix}")


class AllElsewhere(Refusal):
    """exclude= leaves nobody."""

    def __init__(self, contacts: int, exclude: Exclude) -> None:
        who = "It is" if contacts == 1 else f"All {contacts:,} are"
        super().__init__(
            f"{who} left out by exclude={exclude.value}: active in another campaign, or written to"
            " by one within the cooldown. Without exclude= they are enrolled."
        )


class NotInIt(Refusal):
    """There is nobody to take out."""

    def __init__(self, campaign: Named) -> None:
        super().__init__(
            f"None of them is in {as_word(campaign.name)} now;"
            f" /drip enrollments {as_word(campaign.name)} lists who is."
        )


class _Enrolling:
    """`engine.usecases.enroll_contacts.Enrolling`."""

    def __init__(
        self, unit: Unit, campaign: CampaignId, exclude: Exclude, cooldown: timedelta
    ) -> None:
        self.unit = unit
        self.campaign = campaign
        self.exclude = exclude
        self.cooldown = cooldown

    async def contacts(self, audience: Audience) -> Sequence[ContactId]:
        there = await audiences.contacts(self.unit, audience=audience)
        kept = await overlaps.kept(
            self.unit,
            contacts=there,
            campaign=self.campaign,
            exclude=self.exclude,
            cooldown=self.cooldown,
        )
        if there and not kept:
            raise AllElsewhere(len(there), self.exclude)
        return kept

    async def outcomes(
        self, campaign: CampaignId, contacts: Sequence[ContactId]
    ) -> Mapping[str, int]:
        counts: Counter[str] = Counter()
        for start in range(0, len(contacts), SLICE):
            counts.update(
                await enrollments.judged(
                    self.unit, campaign=campaign, contacts=contacts[start : start + SLICE]
                )
            )
        return counts


def register(registry: Registry, desk: Desk) -> None:
    """Handle the commands."""
    _register_enroll(registry, desk)
    _register_unenroll(registry, desk)


def _register_enroll(registry: Registry, desk: Desk) -> None:
    @registry.command(Enroll)
    @refusing
    async def enroll(command: Enroll, asked: Context) -> Reply:
        prepared = await _prepare_enroll(desk, command, asked)
        if isinstance(prepared, Reply):
            return prepared
        campaign, contacts, strangers = prepared
        stranger = strangers_line(strangers) if strangers else Markup("")
        errand = Errand(kind=ErrandKind.ENROLL, subject=str(campaign.id))
        if await _begun(desk, asked, errand, contacts):
            return await goes_on(desk, asked, errand, campaign.name, len(contacts), stranger)
        try:
            counts = await at_once_done(desk, asked, errand, contacts)
        except NotEnrolling as why:
            raise Closed(campaign, why) from why
        await wake(desk, asked.organization)
        return told(
            asked,
            errand_text.done(errand.kind, campaign.name, counts),
            *errand_text.besides(errand.kind, counts),
            stranger,
            next_line(f"/drip enrollments {as_word(campaign.name)}"),
        )


async def _begun(desk: Desk, asked: Context, errand: Errand, contacts: Sequence[ContactId]) -> bool:
    return await desk.database.run(
        asked.organization, asked.at, lambda unit: begun(unit, errand, contacts, asked)
    )


async def _prepare_enroll(
    desk: Desk, command: Enroll, asked: Context
) -> Reply | tuple[Named, Sequence[ContactId], Sequence[str]]:
    organization = desk.config.organizations[asked.organization]
    cooldown = cooldown_of(organization)
    async with desk.database.unit(asked.organization, asked.at) as unit:
        campaign = await found(unit, command.campaign)
        audience = await resolve_audience(
            text=command.who, country=organization.country, directory=CampaignDirectory(unit)
        )
        try:
            # Before anything else, so that nobody counts for a campaign that takes nobody in.
            await enrollments.judged(unit, campaign=campaign.id, contacts=())
            ready = await enroll_contacts(
                campaign=campaign.id,
                audience=audience,
                size=size_of(command, organization),
                enrolling=_Enrolling(unit, campaign.id, command.exclude, cooldown),
            )
            if command.check:
                return await _checked(unit, campaign, audience, command, cooldown)
        except NotEnrolling as why:
            raise Closed(campaign, why) from why
        if not isinstance(ready, Unconfirmed):
            strangers = await audiences.strangers(unit, phones=audience.phones)
            return campaign, ready.contacts, strangers
        drip = await campaigns.get(unit, campaign=campaign.id)
        if drip is None:
            raise AssertionError("a campaign vanished between two queries of a unit")
        length = await pace.length(
            unit, recipients=ready.asked.recipients, campaign=drip, organization=organization
        )
        out = Counter({Outcome(each): n for each, n in ready.outcomes.items()})
        out.pop(Outcome.ENROLLED, None)
        lines = unconfirmed_lines(
            ready.asked,
            command=f"/drip enroll {as_word(campaign.name)} {command.who}",
            length=length,
            out=joined(outcome_lines(out), ", "),
        )
        overlap = await _overlap(unit, drip, audience, command, cooldown)
        return answered(*lines, *overlap)


async def _overlap(
    unit: Unit, drip: Campaign, audience: Audience, command: Enroll, cooldown: timedelta
) -> list[Markup]:
    found_there = await overlaps.overlap(
        unit,
        contacts=await audiences.contacts(unit, audience=audience),
        campaign=drip.id,
        promotional=MEANINGS[drip.type].promotional,
        cooldown=cooldown,
    )
    return await overlap_lines(unit, found_there, cooldown=cooldown, exclude=command.exclude)


async def _checked(
    unit: Unit, named: Named, audience: Audience, command: Enroll, cooldown: timedelta
) -> Reply:
    """Answer with what enrolling would come to; nobody is enrolled."""
    drip = await campaigns.get(unit, campaign=named.id)
    if drip is None:
        raise AssertionError("a campaign vanished between two queries of a unit")
    enrolling = _Enrolling(unit, named.id, command.exclude, cooldown)
    outcomes = await enrolling.outcomes(named.id, await enrolling.contacts(audience))
    counts = Counter({Outcome(each): n for each, n in outcomes.items()})
    exclude = "" if command.exclude is Exclude.NONE else f" exclude={command.exclude.value}"
    return answered(
        markup(
            "That would enroll {n} in *{name}*. Nobody has been.",
            n=_contacts(counts.pop(Outcome.ENROLLED, 0)),
            name=named.name,
        ),
        *outcome_lines(counts),
        *await _overlap(unit, drip, audience, command, cooldown),
        next_line(f"/drip enroll {as_word(named.name)} {command.who}{exclude}"),
    )


def _register_unenroll(registry: Registry, desk: Desk) -> None:
    @registry.command(Unenroll)
    @refusing
    async def unenroll(command: Unenroll, asked: Context) -> Reply:
        prepared = await _prepare_unenroll(desk, command, asked)
        if isinstance(prepared, Reply):
            return prepared
        campaign, contacts = prepared
        errand = Errand(kind=ErrandKind.UNENROLL, subject=str(campaign.id))
        if await _begun(desk, asked, errand, contacts):
            return await goes_on(desk, asked, errand, campaign.name, len(contacts))
        counts = await at_once_done(desk, asked, errand, contacts)
        if not counts[CHANGED]:
            raise NotInIt(campaign)
        await desk.queue.wake_job("complete", asked.organization)
        return told(
            asked,
            errand_text.done(errand.kind, campaign.name, counts),
            *errand_text.besides(errand.kind, counts),
        )


async def _prepare_unenroll(
    desk: Desk, command: Unenroll, asked: Context
) -> Reply | tuple[Named, Sequence[ContactId]]:
    organization = desk.config.organizations[asked.organization]
    async with desk.database.unit(asked.organization, asked.at) as unit:
        campaign = await found(unit, command.campaign, kind=Kind.DRIP)
        audience = await resolve_audience(
            text=command.who, country=organization.country, directory=CampaignDirectory(unit)
        )
        contacts = await audiences.contacts(unit, audience=audience)
        if not contacts:
            raise NobodyThere
        there = await enrollments.contacts_running(unit, campaign=campaign.id, contacts=contacts)
    if not there:
        raise NotInIt(campaign)
    wanted = judged(len(there), size_of(command, organization, spends=False))
    if wanted is None:
        return campaign, there
    again = f"/drip unenroll {as_word(campaign.name)} {command.who} count={wanted.recipients}"
    return answered(
        markup(
            "That would take *{n} contacts* out of {name}. Nothing has been done.",
            n=wanted.recipients,
            name=campaign.name,
        ),
        markup("To go on: {it}", it=code(again)),
    )


def _contacts(count: int) -> Markup:
    return Markup("1 contact") if count == 1 else markup("{n} contacts", n=count)
