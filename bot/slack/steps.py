"""Steps: adding, changing, moving and removing them, also while contacts are under way."""

from dataclasses import replace
from typing import Final, assert_never

from bot.slack.blocks import actions, button
from bot.slack.campaign_lists import next_line
from bot.slack.campaign_names import found
from bot.slack.campaign_text import lacking_lines, step_line
from bot.slack.changes import answered, told
from bot.slack.clicks import Value
from bot.slack.contact_pages import counted
from bot.slack.desk import Desk
from bot.slack.drafting import wish_of
from bot.slack.grammar import Language
from bot.slack.language.steps import COMMANDS, StepAdd, StepEdit, StepMove, StepRemove
from bot.slack.markup import Markup, code, joined, markup
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.requests import Click
from bot.slack.words import as_word
from bot.slack.writing import written
from engine import hours
from engine.campaign import Campaign, State, Step
from engine.conditions import Fact
from engine.ids import OrganizationId, StepId
from engine.refusal import Refusal
from engine.roles import Role
from engine.usecases.change_steps import (
    Changed,
    Unconfirmed,
    Writing,
    add_step,
    edit_step,
    move_step,
    remove_step,
)
from engine.usecases.move_campaign import NoSuchCampaign
from storage import attributes, audiences
from storage.campaigns import Campaigns
from storage.database import Unit
from storage.templates import KnownTemplates

StepCommand = StepAdd | StepEdit | StepMove | StepRemove
_CONFIRM: Final = "step_confirm"
_LONGEST_VALUE: Final = 1_800  # characters; a button carries 2,000 with the version
_LANGUAGE: Final = Language(COMMANDS)


class ChangedMeanwhile(Refusal):
    """What was to be confirmed is no longer what it was asked about."""

    def __init__(self, campaign: Campaign) -> None:
        super().__init__(
            f"{campaign.name!r} has changed since that was asked; nothing has been done. Write the"
            " command again to see whom it meets now."
        )


def register(registry: Registry, desk: Desk) -> None:
    """Handle the commands, and the button that confirms one."""

    async def handle(command: StepCommand, asked: Context) -> Reply:
        return await _changed(desk, asked, command, version=None)

    for each in COMMANDS:
        registry.command(each)(refusing(handle))

    @registry.click(_CONFIRM, role=Role.OWNER)
    @refusing
    async def confirm(click: Click, asked: Context) -> Reply:
        value = Value.parse(click.value)
        command = None if value is None else _LANGUAGE.parse(value.subject)
        if value is None or not isinstance(command, StepCommand):
            raise NoSuchCampaign
        return await _changed(desk, asked, command, version=value.version)


async def _changed(
    desk: Desk, asked: Context, command: StepCommand, *, version: int | None
) -> Reply:
    async def work(unit: Unit) -> Changed | Unconfirmed:
        named = await found(unit, command.campaign)
        campaigns = Campaigns(unit, asked.user_id)
        # Locked, so that the version staff saw is still the present one when it changes.
        now = await campaigns.lock(named.id)
        if now is not None and version not in (None, now.version):
            raise ChangedMeanwhile(now)
        return await _done(desk, unit, command, now, campaigns)

    done = await desk.database.run(asked.organization, asked.at, work)
    if isinstance(done, Unconfirmed):
        return _asking(done, command)
    if done.affected.anybody:
        await desk.queue.wake_job("rewalk", asked.organization)
        await desk.queue.wake_job("plan", asked.organization)
    return _told(asked, done, command)


async def _done(
    desk: Desk, unit: Unit, command: StepCommand, now: Campaign | None, campaigns: Campaigns
) -> Changed | Unconfirmed:
    if now is None:
        raise NoSuchCampaign
    match command:
        case StepAdd():
            return await add_step(
                campaign=now.id,
                wish=wish_of(command),
                campaigns=campaigns,
                writing=await _writing(desk, unit, now),
                number=command.position,
                confirmed=command.confirm,
            )
        case StepEdit():
            return await edit_step(
                campaign=now.id,
                number=command.step,
                wish=wish_of(command),
                campaigns=campaigns,
                writing=await _writing(desk, unit, now),
                confirmed=command.confirm,
            )
        case StepMove():
            return await move_step(
                campaign=now.id,
                number=command.step,
                to=command.to,
                campaigns=campaigns,
                confirmed=None if command.confirm is None else StepId(command.confirm),
            )
        case StepRemove():
            return await remove_step(
                campaign=now.id,
                number=command.step,
                campaigns=campaigns,
                confirmed=None if command.confirm is None else StepId(command.confirm),
            )
        case _:
            assert_never(command)


async def _writing(desk: Desk, unit: Unit, now: Campaign) -> Writing:
    standard = desk.config.organizations[OrganizationId(unit.organization)].sending.hours
    return Writing(
        templates=KnownTemplates(unit),
        attributes=audiences.ContactAttributes(unit),
        types=await attributes.known(unit),
        window=hours.chosen(standard, now.settings.hours, now.settings.days),
    )


def _asking(asked: Unconfirmed, command: StepCommand) -> Reply:
    """Say whom a change meets, and how to go on."""
    again = written(_confirmed(command, asked.step))
    lines = [
        markup(
            "*{name}* is {state}, and contacts are under way. Nothing has been done.",
            name=asked.campaign.name,
            state=asked.campaign.state.value,
        ),
        *_affected(asked, command),
        *lacking_lines(asked.lacking),
    ]
    value = str(Value(subject=again, version=asked.campaign.version))
    if len(value) > _LONGEST_VALUE:
        lines.append(markup("To go on: the same command with {it}", it=code("confirm=yes")))
        return answered(*lines)
    lines.append(markup("To go on: {it}", it=code(f"/drip {again}")))
    reply = answered(*lines)
    confirm = actions(button("Do it", action_id=_CONFIRM, value=value, style="primary"))
    shown = replace(reply.message, blocks=(*reply.message.blocks, confirm))
    return replace(reply, message=shown, undone=True)


def _confirmed(command: StepCommand, step: Step) -> StepCommand:
    """Return the command that does it; where it could meet another step, it names this one."""
    match command:
        case StepAdd() | StepEdit():
            return replace(command, confirm=True)
        case StepMove() | StepRemove():
            return replace(command, confirm=step.id)
        case _:
            assert_never(command)


def _affected(asked: Unconfirmed, command: StepCommand) -> list[Markup]:
    met = asked.affected
    lines: list[tuple[int, str]]
    match command:
        case StepAdd():
            lines = [
                (met.before, f"before that place and would get it as step {asked.number}"),
                (met.past, "past it and would not be sent back"),
            ]
        case StepEdit():
            lines = [
                (met.before, "yet to get it and would get it as changed"),
                (met.queued, "to get it any moment: it is queued, and would go out as changed"),
                (met.past, "past it, for whom nothing changes"),
            ]
        case StepMove():
            lines = [
                (met.waiting, "waiting for it now, and would go on by the new order"),
                (met.queued, "to get it any moment: it is queued, and stays so"),
                (met.before, f"before its new place and would come to it as step {asked.number}"),
                (
                    met.past,
                    "past its new place: not sent back, so whoever has not had it never gets it",
                ),
            ]
        case StepRemove():
            lines = [
                (met.waiting, "waiting for it and would go on to the next step"),
                (met.queued, "to get it any moment: it is queued, and would not be sent"),
                (met.before + met.past - met.waiting, "elsewhere in the campaign, as before"),
            ]
        case _:
            assert_never(command)
    return [
        markup("• {who} {are} {what}", who=counted(n), are="is" if n == 1 else "are", what=what)
        for n, what in lines
        if n > 0
    ]


def _told(asked: Context, done: Changed, command: StepCommand) -> Reply:
    name = done.campaign.name
    numbers = {step.id: step.number for step in done.steps}
    shown = step_line(done.step, numbers)
    match command:
        case StepAdd():
            return told(
                asked,
                markup("added a step to *{name}*:", name=name),
                shown,
                _never_replied(done.campaign, done.step),
                *lacking_lines(done.lacking),
                _after_adding(done, command),
            )
        case StepEdit():
            return told(
                asked,
                markup("changed step {n} of *{name}*:", n=done.step.number, name=name),
                shown,
                _never_replied(done.campaign, done.step),
                *lacking_lines(done.lacking),
                _get_it(done.affected.before + done.affected.queued, "it as changed"),
            )
        case StepMove():
            return told(
                asked,
                markup("moved a step of *{name}*; the order is now:", name=name),
                joined([step_line(step, numbers) for step in done.steps]),
            )
        case StepRemove():
            return told(
                asked, markup("removed a step of *{name}*:", name=name), shown, _went_on(done)
            )
        case _:
            assert_never(command)


def _get_it(count: int, what: str) -> Markup:
    if not count:
        return Markup("")
    gets = "gets" if count == 1 else "get"
    return markup("{who} under way {gets} {what}.", who=counted(count), gets=gets, what=what)


def _went_on(done: Changed) -> Markup:
    moved_on = done.affected.waiting + done.affected.queued
    if not moved_on:
        return Markup("")
    further = len(done.steps) >= done.step.number
    one, many = (
        ("goes on to the next step", "go on to the next step")
        if further
        else ("is through", "are through")
    )
    return markup(
        "{who} who waited for it {go_on}.",
        who=counted(moved_on),
        go_on=one if moved_on == 1 else many,
    )


def _after_adding(done: Changed, command: StepAdd) -> Markup:
    if done.campaign.state is State.DRAFT:
        return next_line(f"/drip campaign activate {as_word(done.campaign.name)}")
    if command.position is not None:
        return _get_it(done.affected.before, "it")
    return Markup(
        "Whoever is through with the steps before gets it too, unless they have finished."
    )


def _never_replied(campaign: Campaign, step: Step) -> Markup:
    asks = any(each.fact is Fact.REPLIED for each in step.conditions.all_of)
    if not asks or not campaign.settings.stop_on_reply:
        return Markup("")
    return Markup(
        ":warning: Contacts who reply leave this campaign (stop_on_reply=yes), so nobody would get"
        " this step; it is for campaigns with stop_on_reply=no."
    )
