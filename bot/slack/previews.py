"""`campaign preview`: what one contact would read of every step, when, and why not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bot.slack import campaign_names
from bot.slack.blocks import Block, context, header, message, quote, section
from bot.slack.campaign_text import step_line
from bot.slack.contacts import NoSuchContact, one_contact
from bot.slack.desk import Desk
from bot.slack.language.looking import CampaignPreview
from bot.slack.markup import Markup, code, date, joined, literal, markup
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.template_preview import beside
from bot.slack.words import as_word
from engine import reading
from engine.campaign import Campaign, Kind, Step
from engine.conditions import Conditions
from engine.content import Content, TemplateMessage
from engine.crowd import Assumed
from engine.foresight import Facts, Foresight, Used
from engine.ids import OrganizationId, StepId
from engine.personalise import Missing
from engine.reading import Reading
from engine.reasons import Reason
from engine.refusal import Refusal
from engine.sending_rules import SendingRules, rules_of
from engine.simulate import simulate
from engine.simulated import Outcome
from engine.templates import Status, Template
from storage import campaigns, looking
from storage.database import Unit
from storage.templates import KnownTemplates

_LONGEST: Final = 3_000


class NothingToShow(Refusal):
    """The campaign has no step yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One step as the contact would meet it.

    Attributes:
        at: When it comes, or would be left out; None: never, because it ends before.
        reason: Why it is left out; None: it is sent.
        missing: Tokens without a value and a fallback; then there is nothing to read.
        status: Of its template where WhatsApp takes no message of it now; None: all is well.
        listed: Whether WhatsApp lists its template; True for what is no template.
    """

    step: Step
    at: datetime | None
    reason: Reason | None
    missing: tuple[str, ...]
    reading: Reading
    fallback: bool
    status: str | None
    listed: bool


def register(registry: Registry, desk: Desk) -> None:
    """Handle the command."""

    @registry.command(CampaignPreview)
    @refusing
    async def preview(command: CampaignPreview, asked: Context) -> Reply:
        contact = await one_contact(desk, asked, command.contact)

        async def work(unit: Unit) -> Reply:
            meant = await campaign_names.found(unit, command.campaign, archived=True)
            campaign = await campaigns.get(unit, campaign=meant.id)
            if campaign is None:
                raise AssertionError("a campaign went while it was looked at")
            steps = await campaigns.steps(unit, campaign=campaign.id)
            if not steps:
                raise NothingToShow(_without_steps(campaign))
            rules = organization_rules(desk, asked.organization)
            found = await looking.facts(
                unit,
                contacts=[contact],
                number=campaign.number_id,
                numbers=rules.number_ids,
                beside=campaign.id if campaign.excluded.active else None,
            )
            if not found:
                raise NoSuchContact("That contact was deleted a moment ago.")
            templates = await _templates(unit, steps)
            return _shown(
                campaign, found[0], _seen(campaign, steps, found[0], rules, templates, unit.at)
            )

        return await desk.database.run(asked.organization, asked.at, work)


def organization_rules(desk: Desk, organization: OrganizationId) -> SendingRules:
    """Return the organization's rules as the worker has them."""
    return rules_of(
        organization,
        desk.config.organizations[organization],
        portfolio=desk.config.portfolio_home(organization),
    )


def _without_steps(campaign: Campaign) -> str:
    name = as_word(campaign.name)
    return f"{name} says nothing yet: /drip step add {name} after=0m template=… adds a message."


_Templates = Mapping[tuple[str, str], Template]


async def _templates(unit: Unit, steps: tuple[Step, ...]) -> _Templates:
    contents = [each for step in steps for each in (step.content, step.fallback)]
    names = sorted({each.name for each in contents if isinstance(each, TemplateMessage)})
    known = KnownTemplates(unit)
    return {
        (each.name, each.language): each for name in names for each in await known.of_name(name)
    }


def _seen(
    campaign: Campaign,
    steps: tuple[Step, ...],
    facts: Facts,
    rules: SendingRules,
    templates: _Templates,
    at: datetime,
) -> list[Seen]:
    # Every step is shown, so that none waits here for what the contact will do, or for a cap.
    open_steps = [replace(step, conditions=Conditions(wait=step.conditions.wait)) for step in steps]
    uncapped = replace(
        campaign,
        closed_until=None,
        settings=replace(campaign.settings, per_day=None, rate=None, stop_on_reply=False),
    )
    foresight = Foresight(uncapped, open_steps, rules, at=at, used=Used())
    plan = replace(foresight.plan, per_hour=None)
    crowd = [(facts.contact_id, foresight.person(facts))]
    tally = simulate(plan, crowd, at=at, assumed=Assumed(read=0, replied=0))
    met = {number: (when, outcome) for _, number, when, outcome in tally.each()}
    return [_one(step, met.get(step.number), foresight, facts, templates, at) for step in steps]


def _one(
    step: Step,
    met: tuple[datetime, Outcome] | None,
    foresight: Foresight,
    facts: Facts,
    templates: _Templates,
    at: datetime,
) -> Seen:
    when, reason = (None, None) if met is None else (met[0], met[1].reason)
    words = foresight.words[StepId(step.id)]
    spoken = words.for_window(facts.last_inbound_at, when or at)
    filled = spoken.filled(facts.values)
    missing = filled.names if isinstance(filled, Missing) else ()
    content: Content = spoken.content if isinstance(filled, Missing) else filled
    template = (
        templates.get((content.name, content.language))
        if isinstance(content, TemplateMessage)
        else None
    )
    return Seen(
        step=step,
        at=when,
        reason=reason,
        missing=missing,
        reading=reading.of(content, template),
        fallback=spoken is words.fallback,
        status=_unusable(template),
        listed=template is not None or not isinstance(content, TemplateMessage),
    )


def _unusable(template: Template | None) -> str | None:
    if template is None or template.status is Status.APPROVED:
        return None
    return template.status_name.lower()


def _shown(campaign: Campaign, facts: Facts, seen: list[Seen]) -> Reply:
    who = facts.name or facts.first_name or facts.phone or "this contact"
    title = markup(
        "*{campaign}* as {who} would read it, if it began now",
        campaign=campaign.name,
        who=literal(who),
    )
    numbers = {each.step.id: each.step.number for each in seen}
    blocks: list[Block] = [header(campaign.name), section(title)]
    lines = [title]
    for each in seen:
        heading = _heading(campaign, each, numbers)
        verdict = _verdict(each)
        told = [verdict, *beside(each.reading)]
        blocks.append(section(heading))
        if each.reading.text:
            blocks.append(quote(each.reading.text[:_LONGEST]))
            lines += [heading, literal(each.reading.text, limit=_LONGEST), *told]
        else:
            lines += [heading, *told]
        blocks.append(section(joined(told)))
    close = joined(list(_small_print(campaign, seen)), " ")
    blocks.append(context(close))
    return Reply(message=message(joined([*lines, close]), *blocks))


def _heading(campaign: Campaign, seen: Seen, numbers: Mapping[StepId, int]) -> Markup:
    if campaign.kind is Kind.BROADCAST:
        return Markup("*The message*")
    return step_line(seen.step, numbers)


def _verdict(seen: Seen) -> Markup:
    if seen.missing:
        tokens = " and ".join(f"{{{name}}}" for name in seen.missing)
        return markup(
            ":no_entry: Would not be sent: there is no value for {tokens}, and no fallback such as"
            " {example}.",
            tokens=tokens,
            example=code(f"{{{seen.missing[0]}|there}}"),
        )
    if not seen.listed:
        return Markup(":no_entry: Would not be sent: WhatsApp does not list its template.")
    if seen.status is not None:
        return markup(
            ":no_entry: Would not be sent: its template is {status}, and not approved.",
            status=seen.status.replace("_", " "),
        )
    if seen.reason is not None:
        when = Markup("") if seen.at is None else markup(" ({at})", at=date(seen.at))
        return markup(
            ":no_entry: Would not be sent: {why}{when}.", why=seen.reason.sentence, when=when
        )
    if seen.at is None:
        return Markup(":no_entry: Would not be reached: the campaign ends before it.")
    how = Markup(", by its fallback template") if seen.fallback else Markup("")
    return markup("Would come {at}{how}.", at=date(seen.at), how=how)


def _small_print(campaign: Campaign, seen: list[Seen]) -> Iterator[Markup]:
    yield Markup("Nothing was sent.")
    if any(each.step.conditions.all_of for each in seen):
        yield Markup("Conditions are taken to hold.")
    settings = campaign.settings
    if settings.rate is not None or settings.per_day is not None:
        yield Markup("Caps may make it later.")
    if campaign.kind is Kind.DRIP and settings.stop_on_reply:
        yield Markup("A reply ends it.")
