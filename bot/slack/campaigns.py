"""Campaigns: the commands about them and their steps, and the buttons of live cards."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.slack import campaign_moves, reports
from bot.slack.campaign_lists import listing, next_line, showing
from bot.slack.campaign_moves import Move, after, moved
from bot.slack.campaign_text import settings_line
from bot.slack.changes import answered, told
from bot.slack.clicks import Value
from bot.slack.desk import Desk
from bot.slack.drafting import number_of, settings_of
from bot.slack.language.campaigns import (
    CampaignActivate,
    CampaignArchive,
    CampaignList,
    CampaignNew,
    CampaignPause,
    CampaignResume,
    CampaignShow,
)
from bot.slack.markup import Markup, markup
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.requests import Click
from bot.slack.words import as_word
from engine.campaign import Campaign, Kind
from engine.campaign_ports import Draft
from engine.ids import CampaignId
from engine.roles import Role
from engine.usecases.automate import check_trigger
from engine.usecases.create_campaign import create_campaign
from engine.usecases.move_campaign import Moved, NoSuchCampaign
from storage.automations import StoredAutomations
from storage.campaigns import Campaigns
from storage.database import Unit


def register(registry: Registry, desk: Desk) -> None:
    """Handle the commands and the buttons."""
    _register_making(registry, desk)
    _register_moving(registry, desk)
    _register_buttons(registry, desk)


def _register_making(registry: Registry, desk: Desk) -> None:
    @registry.command(CampaignNew)
    @refusing
    async def new(command: CampaignNew, asked: Context) -> Reply:
        organization = desk.config.organizations[asked.organization]
        draft = Draft(
            kind=Kind.DRIP,
            name=command.name,
            type=command.type,
            trigger=command.trigger,
            settings=settings_of(command),
            priority=command.priority,
            number_id=number_of(command.number, organization),
            channel=asked.channel_id,
        )

        async def work(unit: Unit) -> Campaign:
            stored = StoredAutomations(unit, asked.user_id)
            await check_trigger(trigger=draft.trigger, automations=stored)
            mine = Campaigns(unit, asked.user_id)
            return await create_campaign(draft=draft, content=None, campaigns=mine)

        made = await desk.database.run(asked.organization, asked.at, work)
        settings = settings_line(made, organization)
        return told(
            asked,
            markup("created the campaign *{name}*, a draft.", name=made.name),
            markup("Settings: {it}", it=settings) if settings else Markup(""),
            next_line(f"/drip step add {as_word(made.name)} after=0m template=<name>"),
        )

    @registry.command(CampaignList)
    @refusing
    async def list_them(command: CampaignList, asked: Context) -> Reply:
        return await listing(desk, asked, kind=Kind.DRIP, state=command.state, mine=command.mine)

    @registry.command(CampaignShow)
    @refusing
    async def show(command: CampaignShow, asked: Context) -> Reply:
        return await showing(desk, asked, command.campaign, kind=None)


def _register_moving(registry: Registry, desk: Desk) -> None:
    @registry.command(CampaignActivate)
    @refusing
    async def activate(command: CampaignActivate, asked: Context) -> Reply:
        return await moved(desk, asked, command.campaign, campaign_moves.activate, kind=None)

    @registry.command(CampaignPause)
    @refusing
    async def pause(command: CampaignPause, asked: Context) -> Reply:
        return await moved(desk, asked, command.campaign, campaign_moves.pause, kind=None)

    @registry.command(CampaignResume)
    @refusing
    async def resume(command: CampaignResume, asked: Context) -> Reply:
        return await moved(desk, asked, command.campaign, campaign_moves.resume, kind=None)

    @registry.command(CampaignArchive)
    @refusing
    async def archive(command: CampaignArchive, asked: Context) -> Reply:
        return await moved(desk, asked, command.campaign, campaign_moves.archive, kind=None)


def _register_buttons(registry: Registry, desk: Desk) -> None:
    moves = {
        "campaign_pause": campaign_moves.pause,
        "campaign_resume": campaign_moves.resume,
        "campaign_cancel": campaign_moves.cancel,
    }
    for action_id, move in moves.items():
        registry.click(action_id, role=Role.OWNER)(refusing(_clicked(desk, move)))

    @registry.click("campaign_report", role=Role.SUPERVISOR, once=False)
    @refusing
    async def report(click: Click, asked: Context) -> Reply:
        async with desk.database.unit(asked.organization, asked.at) as unit:
            shown = await reports.of_campaign(unit, _subject(click)[0])
        if shown is None:
            raise NoSuchCampaign
        return Reply(message=shown)


def _clicked(desk: Desk, move: Move) -> Callable[[Click, Context], Awaitable[Reply]]:
    async def clicked(click: Click, asked: Context) -> Reply:
        campaign, version = _subject(click)
        zone = desk.config.organizations[asked.organization].timezone

        async def work(unit: Unit) -> Moved | Campaign:
            # Locked, so that the version that was clicked is still the present one when it moves.
            now = await Campaigns(unit, asked.user_id).lock(campaign)
            if now is None:
                raise NoSuchCampaign
            return now if now.version != version else await move(campaign, unit, asked, zone)

        done = await desk.database.run(asked.organization, asked.at, work)
        if isinstance(done, Campaign):
            return _stale(done)
        told_all = await after(desk, asked, done, move)
        # The card and its thread say it to all; who clicked hears it here.
        return Reply(message=told_all.message)

    return clicked


def _subject(click: Click) -> tuple[CampaignId, int]:
    value = Value.parse(click.value)
    if value is None or value.id is None:
        raise NoSuchCampaign
    return CampaignId(value.id), value.version


def _stale(now: Campaign) -> Reply:
    said = answered(
        markup(
            "*{name}* has changed since that card was drawn, and is {state} now. Nothing has been"
            " done; the buttons of the card as it is now work.",
            name=now.name,
            state=now.state.value,
        )
    )
    return replace(said, undone=True)
