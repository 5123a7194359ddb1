"""What failed for good in a campaign: listed by reason and by contact, and tried again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Final

from bot.slack import errand_text, pace
from bot.slack.blocks import Block, Element, actions, button, header, message, section, table
from bot.slack.blocks import context as small_print
from bot.slack.campaign_lists import next_line
from bot.slack.campaign_names import found
from bot.slack.campaign_text import unconfirmed_lines
from bot.slack.changes import answered, told, wake
from bot.slack.clicks import Value
from bot.slack.contact_pages import counted
from bot.slack.desk import Desk
from bot.slack.drafting import size_of
from bot.slack.errands import at_once_done, begun, goes_on
from bot.slack.failed_file import posted
from bot.slack.language.failed import Failed, Retry
from bot.slack.markup import Markup, cut, joined, literal, markup, number
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.requests import Click
from bot.slack.words import as_word
from engine.campaign import Campaign, State
from engine.errand import CHANGED, Errand
from engine.errand import Kind as ErrandKind
from engine.failure_codes import failure
from engine.ids import CampaignId, ContactId, MessageId
from engine.reasons import Reason, tap_sentence
from engine.refusal import Refusal
from engine.roles import Role
from engine.size import judged
from engine.usecases.move_campaign import NoSuchCampaign
from engine.usecases.resolve_audience import resolve_audience
from storage import audiences, campaigns, redriving
from storage.campaigns import CampaignDirectory
from storage.database import Unit
from storage.redriving import Dead, Ended

PAGE: Final = 25
_REASONS: Final = 20
_NAME: Final = 40
_WORDS: Final = 80
_FIRST: Final = "failed_first"
_FURTHER: Final = "failed_further"
_SUBJECT: Final = re.compile(r"([0-9]{1,18}):([0-9]{1,19})")
_COLUMNS: Final = ("Contact", "Step", "Given up", "Calls", "Error", "WhatsApp says")
_OPEN: Final = frozenset({State.ACTIVE, State.RUNNING, State.PAUSED, State.COMPLETED})


class NothingToRetry(Refusal):
    """Nobody is left for whom something could be tried again; the message says why."""


def register(registry: Registry, desk: Desk) -> None:
    """Handle the commands and the button that turns pages."""

    @registry.command(Failed)
    @refusing
    async def list_failed(command: Failed, asked: Context) -> Reply:
        async with desk.database.unit(asked.organization, asked.at) as unit:
            named = await found(unit, command.campaign, archived=True)
            campaign = await _known(unit, named.id)
            shown = await _shown(desk, asked, unit, campaign, before=None)
            empty = not await redriving.reasons(unit, campaign=campaign.id)
        return shown if empty or not command.csv else await posted(desk, asked, campaign)

    @registry.click(_FIRST, role=Role.SUPERVISOR, once=False)
    @registry.click(_FURTHER, role=Role.SUPERVISOR, once=False)
    @refusing
    async def further(click: Click, asked: Context) -> Reply:
        value = Value.parse(click.value)
        wanted = None if value is None else _SUBJECT.fullmatch(value.subject)
        if wanted is None or int(wanted[2]) >= 2**63:
            raise NoSuchCampaign
        async with desk.database.unit(asked.organization, asked.at) as unit:
            campaign = await _known(unit, CampaignId(int(wanted[1])))
            before = MessageId(int(wanted[2])) or None
            return replace(await _shown(desk, asked, unit, campaign, before=before), replace=True)

    @registry.command(Retry)
    @refusing
    async def retry(command: Retry, asked: Context) -> Reply:
        chosen = await _choose(desk, command, asked)
        if isinstance(chosen, Reply):
            return chosen
        errand = Errand(kind=ErrandKind.RETRY, subject=str(chosen.campaign.id))
        name = chosen.campaign.name
        if await desk.database.run(
            asked.organization, asked.at, lambda unit: begun(unit, errand, chosen.contacts, asked)
        ):
            return await goes_on(desk, asked, errand, name, len(chosen.contacts))
        counts = await at_once_done(desk, asked, errand, chosen.contacts)
        lines = errand_text.besides(errand.kind, counts)
        if not counts[CHANGED]:
            return answered(
                markup("Nothing of *{name}* is tried again.", name=name),
                *(lines or [Markup("Nothing of it is failed any more.")]),
            )
        await wake(desk, asked.organization)
        return told(
            asked,
            errand_text.done(errand.kind, name, counts),
            *lines,
            *_held(chosen.campaign, asked.at),
        )


async def _known(unit: Unit, campaign: CampaignId) -> Campaign:
    known = await campaigns.get(unit, campaign=campaign)
    if known is None:
        raise NoSuchCampaign
    return known


# Trying again.


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """For whom something of which campaign is tried again."""

    campaign: Campaign
    contacts: Sequence[ContactId]


async def _choose(desk: Desk, command: Retry, asked: Context) -> Reply | _Chosen:
    """Return whom it is for, or what is said instead of doing it."""
    organization = desk.config.organizations[asked.organization]
    async with desk.database.unit(asked.organization, asked.at) as unit:
        named = await found(unit, command.campaign, archived=True)
        campaign = await _known(unit, named.id)
        if campaign.state not in _OPEN:
            raise NothingToRetry(
                f"{as_word(campaign.name)} is {campaign.state.value}: nothing of it is sent."
            )
        meant = await _meant(unit, command.who, organization.country)
        there = await redriving.reasons(unit, campaign=campaign.id)
        if not there:
            name = as_word(campaign.name)
            raise NothingToRetry(
                f"Nothing of {name} has failed for good; /drip report {name} shows how it went."
            )
        contacts = await redriving.choosable(
            unit, campaign=campaign.id, type_=campaign.type, contacts=meant
        )
        if not contacts:
            raise NothingToRetry(_nobody(command, campaign))
        if command.who is None:
            name = as_word(campaign.name)
            return answered(
                markup(
                    "{n} of *{name}* failed for good; what failed for {people} can be tried again."
                    " Nothing has been done.",
                    n=counted(sum(each.count for each in there), "message"),
                    name=campaign.name,
                    people=counted(len(contacts)),
                ),
                next_line(f"/drip retry {name} all"),
            )
        wanted = judged(len(contacts), size_of(command, organization))
        if wanted is None:
            return _Chosen(campaign=campaign, contacts=contacts)
        length = await pace.length(
            unit, recipients=wanted.recipients, campaign=campaign, organization=organization
        )
        again = f"/drip retry {as_word(campaign.name)} {command.who}"
        return answered(*unconfirmed_lines(wanted, command=again, length=length, out=Markup("")))


async def _meant(unit: Unit, who: str | None, country: str | None) -> Sequence[ContactId] | None:
    """Return whom a `<who>` names; None: everybody."""
    if who is None:
        return None
    # Phones one after the other, as they are written here, mean what they mean with commas.
    listed = re.sub(r"(?<=[0-9])\s+(?=\+)", ", ", who)
    audience = await resolve_audience(
        text=listed, country=country, directory=CampaignDirectory(unit)
    )
    return None if audience.everyone else await audiences.contacts(unit, audience=audience)


def _nobody(command: Retry, campaign: Campaign) -> str:
    of = "" if command.who is None or command.who == "all" else " for them"
    return (
        f"Nothing of {as_word(campaign.name)} can be tried again{of}: whoever has it, may have it,"
        " opted out, cannot be reached, may not be written to for its country or left the campaign"
        " gets nothing."
        f" /drip failed {as_word(campaign.name)} lists what failed."
    )


def _held(campaign: Campaign, at: datetime) -> list[Markup]:
    resume = next_line(f"/drip {campaign.word} resume {as_word(campaign.name)}")
    if campaign.state is State.PAUSED:
        return [Markup("It is paused, so that nothing of it leaves yet."), resume]
    if campaign.stopped(at):
        why = literal(tap_sentence(campaign.closed_why), limit=600)
        return [markup("Nothing of it leaves yet, because it has stopped: {why}", why=why), resume]
    return []


# Looking.


async def _shown(
    desk: Desk, asked: Context, unit: Unit, campaign: Campaign, *, before: MessageId | None
) -> Reply:
    reasons = await redriving.reasons(unit, campaign=campaign.id)
    waiting = await redriving.waiting(unit, campaign=campaign.id)
    name = as_word(campaign.name)
    if not reasons and not waiting:
        return answered(
            markup("Nothing of *{name}* has failed for good.", name=campaign.name),
            next_line(f"/drip report {name}"),
        )
    rows = await redriving.page(unit, campaign=campaign.id, limit=PAGE + 1, before=before)
    steps = {step.id: step.number for step in await campaigns.steps(unit, campaign=campaign.id)}
    zone = desk.config.organizations[asked.organization].timezone
    lines = [_row(each, steps.get(each.step_id), zone) for each in rows[:PAGE]]
    title = markup(
        "{name}: {n} failed for good.",
        name=campaign.name,
        n=counted(sum(each.count for each in reasons), "message"),
    )
    causes = [*_causes(reasons), *_waiting(waiting)]
    again = next_line(f"/drip retry {name} all") if reasons else Markup("")
    blocks: list[Block] = [
        header(f"What failed of {campaign.name}"),
        section(title),
        *(section(each) for each in causes),
        *(table(_COLUMNS, lines) if lines else ()),
        *_turning(campaign.id, rows, before, asked.at),
        small_print(*filter(None, (again, markup("Times are those of {zone}.", zone=str(zone))))),
    ]
    listed = [joined([literal(cell) for cell in line], " · ") for line in lines]
    text = joined([title, *causes, *listed, *([again] if again else [])])
    return Reply(message=message(text, *blocks))


def _causes(reasons: Sequence[Ended]) -> list[Markup]:
    shown = [
        markup("{n}: {why}", n=counted(each.count, "message"), why=why(each.reason, each.code))
        for each in reasons[:_REASONS]
    ]
    left = sum(each.count for each in reasons[_REASONS:])
    return [*shown, markup("and {n} for other reasons", n=number(left))] if left else shown


def _waiting(waiting: Sequence[tuple[int | None, int]]) -> list[Markup]:
    return [
        markup(
            "{n} failed and will be tried again: {why}",
            n=counted(count, "message"),
            why=why(Reason.FAILED, code),
        )
        for code, count in waiting[:_REASONS]
    ]


def why(reason: Reason, code: int | None) -> Markup:
    """Return a sentence that says why a message failed."""
    if reason is not Reason.FAILED:
        return markup("{why}.", why=reason.sentence)
    if code is None:
        return Markup("No call for it was answered.")
    return markup("{meaning} (error {code})", meaning=failure(code).meaning, code=str(code))


def _turning(
    campaign: CampaignId, rows: Sequence[Dead], before: MessageId | None, at: datetime
) -> tuple[Block, ...]:
    """Return the buttons to the pages around; a value is new each time, so that it counts again."""
    version = int(at.timestamp() * 1000)

    def to(label: str, action: str, last: int) -> Element:
        value = str(Value(subject=f"{campaign}:{last}", version=version))
        return button(label, action_id=action, value=value)

    buttons = [to("From the first", _FIRST, 0)] if before is not None else []
    if len(rows) > PAGE:
        buttons.append(to("Further", _FURTHER, rows[PAGE - 1].id))
    return (actions(*buttons),) if buttons else ()


def _row(each: Dead, step: int | None, zone: tzinfo) -> tuple[str, ...]:
    name = each.name and cut(each.name, _NAME)
    return (
        " ".join(filter(None, (name, each.phone))) or f"contact {each.contact_id}",
        "removed" if step is None else str(step),
        each.settled_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
        str(each.attempt),
        str(each.code) if each.code is not None else each.reason.value,
        cut(each.error, _WORDS) if each.error else "",
    )
