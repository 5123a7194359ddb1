"""`why <contact> <campaign>`: one contact's story in one campaign, in sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bot.slack import campaign_names, story_text
from bot.slack.blocks import context, header, message, sections
from bot.slack.contact_pages import consent_line, phone_of
from bot.slack.contacts import NoSuchContact, one_contact
from bot.slack.desk import Desk
from bot.slack.language.looking import Why
from bot.slack.markup import Markup, date, joined, literal, markup
from bot.slack.previews import organization_rules
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from engine.campaign import Campaign, Kind, State, Step
from engine.campaign_types import MEANINGS
from engine.conditions import Evidence
from engine.crowd import Assumed, Waiting
from engine.foresight import Facts, Foresight, Standpoint, Used
from engine.ids import ContactId, StepId
from engine.message import State as MessageState
from engine.reasons import Reason
from engine.sending_rules import SendingRules
from engine.simulate import simulate
from storage import audiences, campaigns, contacts, looking
from storage.contacts import Profile
from storage.database import Unit
from storage.looking import Run, Tap, Told

_RUNS: Final = 5
_MESSAGES: Final = 200
_SENDING: Final = frozenset({State.ACTIVE, State.RUNNING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All that is known of a contact in a campaign."""

    campaign: Campaign
    steps: tuple[Step, ...]
    profile: Profile
    facts: Facts
    runs: Sequence[Run]
    told: Sequence[Told]
    taps: Sequence[Tap]
    at: datetime


def register(registry: Registry, desk: Desk) -> None:
    """Handle the command."""

    @registry.command(Why)
    @refusing
    async def why(command: Why, asked: Context) -> Reply:
        contact = await one_contact(desk, asked, command.contact)
        rules = organization_rules(desk, asked.organization)

        async def work(unit: Unit) -> Reply:
            meant = await campaign_names.found(unit, command.campaign, archived=True)
            campaign = await campaigns.get(unit, campaign=meant.id)
            if campaign is None:
                raise AssertionError("a campaign went while it was looked at")
            story = await _story(unit, campaign, contact, rules)
            return await _shown(unit, story, rules)

        return await desk.database.run(asked.organization, asked.at, work)


async def _story(unit: Unit, campaign: Campaign, contact: ContactId, rules: SendingRules) -> Story:
    profile = await contacts.profile(unit, contact=contact)
    steps = await campaigns.steps(unit, campaign=campaign.id)
    facts = await looking.facts(
        unit,
        contacts=[contact],
        number=campaign.number_id,
        numbers=rules.number_ids,
        tags={tag for step in steps for tag in step.conditions.tags},
        beside=campaign.id if campaign.excluded.active else None,
    )
    if profile is None or not facts:
        raise NoSuchContact("That contact was deleted a moment ago.")
    return Story(
        campaign=campaign,
        steps=steps,
        profile=profile,
        facts=facts[0],
        runs=await looking.runs(unit, campaign=campaign.id, contact=contact, limit=_RUNS),
        told=await looking.told(unit, campaign=campaign.id, contact=contact, limit=_MESSAGES),
        taps=await looking.closed_taps(unit),
        at=unit.at,
    )


async def _shown(unit: Unit, story: Story, rules: SendingRules) -> Reply:
    campaign = story.campaign
    name = story.profile.name or story.profile.first_name or phone_of(story.profile) or "(no name)"
    title = markup("*{who}* in *{campaign}*", who=literal(name), campaign=campaign.name)
    if campaign.kind is Kind.DRIP:
        lines = _of_drip(story, rules)
    else:
        lines = [await _of_broadcast(unit, story), *_messages(story, story.told, {})]
    against = story.facts.consent.against(promotional=True)
    if against is not None:
        acts = await contacts.acts(unit, contact=story.profile.id)
        lines.append(markup(":no_entry: {it}.", it=consent_line(story.profile.consent, acts)))
    lines += _held(story, rules)
    forgotten = await looking.forgotten_before(unit)
    if forgotten is not None and _older(story, forgotten):
        lines.append(
            markup(
                "Messages from before {at} are forgotten (retention); of them only the counts above"
                " are left.",
                at=date(forgotten),
            )
        )
    close = Markup("This only looked; nothing has changed.")
    text = joined([title, *lines, close])
    return Reply(
        message=message(
            text, header(campaign.name), *sections(joined([title, *lines])), context(close)
        )
    )


def _older(story: Story, forgotten: datetime) -> bool:
    began = [run.enrolled_at for run in story.runs]
    if story.campaign.started_at is not None and story.campaign.kind is Kind.BROADCAST:
        began.append(story.campaign.started_at)
    return any(each < forgotten for each in began)


# A drip


def _of_drip(story: Story, rules: SendingRules) -> list[Markup]:
    if not story.runs:
        return [
            Markup("Was never enrolled in it."),
            story_text.never_enrolled(story.campaign),
        ]
    lines: list[Markup] = []
    for run in reversed(story.runs):
        lines.append(story_text.enrolled_line(run))
        own = [each for each in story.told if each.run_id == run.id]
        lines += _messages(story, own, {step.id: step.number for step in story.steps})
        if run.ended_at is not None:
            lines.append(story_text.ended_line(run))
        else:
            lines += _next(story, run, own, rules)
    return lines


def _messages(story: Story, told: Sequence[Told], numbers: Mapping[StepId, int]) -> list[Markup]:
    return [
        markup(
            "• {title}: {became}",
            title=story_text.step_title(each.step_id, numbers, story.campaign),
            became=story_text.became(each, story.at),
        )
        for each in told
    ]


def _next(story: Story, run: Run, own: Sequence[Told], rules: SendingRules) -> list[Markup]:
    """Say what comes next and when, as planner and gate would decide, if nothing else happens."""
    if run.state == "paused":
        return [Markup("Paused by staff: nothing comes until somebody resumes it.")]
    if run.step_id is None or not any(step.id == run.step_id for step in story.steps):
        return [Markup("Goes on to the next step when the worker next looks.")]
    waiting = next((each for each in own if each.state is MessageState.QUEUED), None)
    if waiting is None and run.due_at is None:
        return [Markup("Goes on once that message is settled.")]
    standpoint = Standpoint(
        step_id=run.step_id,
        due_at=run.due_at or story.at,
        place=run.place,
        since_at=run.since_at,
        timed=run.timed,
        queued=None
        if waiting is None
        else Waiting(
            step_id=waiting.step_id,
            due_at=waiting.due_at,
            deadline_at=waiting.deadline_at,
            second=waiting.id >> 30,
        ),
        evidence=tuple((each.step_id, _evidence(each)) for each in own if each is not waiting),
    )
    # Taps that are closed are told beside it, and may open at any moment.
    flowing = replace(story.campaign, closed_until=None)
    # And what comes up while it is paused counts its deadline from the end of that.
    used = Used(resumed_at=story.at if flowing.state is State.PAUSED else None)
    foresight = Foresight(flowing, story.steps, rules, at=story.at, used=used)
    crowd = [(story.facts.contact_id, foresight.person(story.facts, standpoint))]
    tally = simulate(foresight.plan, crowd, at=story.at, assumed=Assumed(read=0, replied=0))
    lines: list[Markup] = []
    if run.awaits_delivery:
        lines.append(Markup("Waits until the step before is delivered, for 24 hours at most."))
    for _, number, when, outcome in tally.each():
        coming = markup("step {n} {at}", n=number, at=date(when))
        if outcome.reason is None:
            lines.append(markup("Next: {coming}, if nothing changes.", coming=coming))
            return lines
        lines.append(
            markup("{coming} will be left out: {why}.", coming=coming, why=outcome.reason.sentence)
        )
    lines.append(Markup("Then nothing more comes."))
    return lines


def _evidence(told: Told) -> Evidence:
    return Evidence(
        state=told.state,
        accepted_at=told.accepted_at,
        delivered_at=told.delivered_at,
        read_at=told.read_at,
        replied_at=told.replied_at,
        clicked_at=told.clicked_at,
    )


# A broadcast


async def _of_broadcast(unit: Unit, story: Story) -> Markup:
    """Say whether the contact is in the audience, and why not."""
    campaign, contact = story.campaign, story.profile.id
    if story.told:
        return Markup("Is in its audience.")
    if campaign.audience is None:
        raise AssertionError("a broadcast without an audience")
    if campaign.started_at is None:
        meant = await audiences.includes(unit, audience=campaign.audience, contact=contact)
        return Markup(
            "Is in its audience as it is now; it has not started."
            if meant
            else "Is not in its audience as it is now; it has not started."
        )
    if campaign.contacts_up_to is not None and contact > campaign.contacts_up_to:
        return Markup("Became a contact after it started, so is not in its audience.")
    kept = await looking.is_frozen(unit, campaign=campaign.id, contact=contact)
    if kept is None and campaign.audience.everyone:
        kept = True
    if kept is None:
        return Markup("Has no message of it: was not in its audience when it started.")
    if kept:
        return Markup("Is in its audience; its message is not planned.")
    return Markup("Was not in its audience when it started.")


# Why nothing comes now


def _held(story: Story, rules: SendingRules) -> list[Markup]:
    campaign = story.campaign
    lines: list[Markup] = []
    if campaign.state not in _SENDING:
        lines.append(story_text.not_sending(campaign))
    if not _waits(story):
        return lines
    if campaign.stopped(story.at) and campaign.closed_until is not None:
        lines.append(story_text.stopped("The campaign", campaign.closed_why, campaign.closed_until))
    phones = {each.id: each for each in rules.numbers}
    for tap in story.taps:
        if tap.number_id is None:
            lines.append(story_text.stopped("All sending", tap.closed_why, tap.closed_until))
        elif tap.number_id in phones and tap.number_id in _numbers(story, rules):
            lines.append(story_text.stopped("Its number", tap.closed_why, tap.closed_until))
    if _cools(story, rules) and campaign.state in _SENDING:
        lines.append(
            markup(
                ":hourglass: Cooldown: {why}, {at}.",
                why=Reason.COOLDOWN.sentence,
                at=date(story.facts.promoted_at or story.at),
            )
        )
    return lines


def _waits(story: Story) -> bool:
    """Whether anything may still come, so that it matters what keeps it back."""
    if any(each.state is MessageState.QUEUED for each in story.told):
        return True
    if story.campaign.kind is Kind.DRIP:
        return not story.runs or any(run.ended_at is None for run in story.runs)
    return not story.told


def _numbers(story: Story, rules: SendingRules) -> set[str]:
    waiting = {each.number_id for each in story.told if each.state is MessageState.QUEUED}
    return {str(each) for each in waiting} or {
        str(rules.number_for(story.campaign.number_id, None))
    }


def _cools(story: Story, rules: SendingRules) -> bool:
    facts = story.facts
    return (
        MEANINGS[story.campaign.type].promotional
        and facts.promoted_at is not None
        and facts.promoted_campaign_id != story.campaign.id
        and facts.promoted_at + rules.cooldown > story.at
    )
