"""Broadcasts: the commands about them."""

from bot.slack import campaign_moves, pace
from bot.slack.campaign_lists import listing, next_line, showing
from bot.slack.campaign_moves import moved
from bot.slack.campaign_names import found
from bot.slack.campaign_text import (
    message_line,
    reach_lines,
    reasons_line,
    roughly,
    unconfirmed_lines,
    window_line,
)
from bot.slack.changes import answered, told, wake
from bot.slack.desk import Desk
from bot.slack.drafting import number_of, settings_of, size_of, wanted_of
from bot.slack.language.broadcasts import (
    BroadcastCancel,
    BroadcastList,
    BroadcastNew,
    BroadcastPause,
    BroadcastResume,
    BroadcastSend,
    BroadcastShow,
)
from bot.slack.markup import Markup, markup
from bot.slack.missing_values import missing_lines
from bot.slack.overlap_text import overlap_buttons, overlap_lines
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.schedules import nobody_line, put_on_schedule, schedule_of, start_lines, unconfirmed
from bot.slack.words import as_word
from engine.campaign import Campaign, Kind
from engine.campaign_ports import Draft, Reach
from engine.config import Organization
from engine.content import Content
from engine.ids import NumberId
from engine.reasons import Reason
from engine.schedule import Schedule
from engine.sending_rules import rules_of
from engine.usecases.compose import compose
from engine.usecases.create_campaign import create_campaign
from engine.usecases.resolve_audience import resolve_audience
from engine.usecases.schedule_broadcast import Unconfirmed as NotYet
from engine.usecases.send_broadcast import Started, Unconfirmed, send_broadcast, why_nobody
from storage import audiences
from storage.campaigns import CampaignDirectory, Campaigns
from storage.database import Unit
from storage.templates import KnownTemplates


def register(registry: Registry, desk: Desk) -> None:
    """Handle the commands."""
    _register_making(registry, desk)
    _register_sending(registry, desk)
    _register_moving(registry, desk)


class _Unmade(Exception):
    """Nothing was made, because staff have to give the count first."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("not confirmed")
        self.reply = reply


def _campaigns(unit: Unit, asked: Context, organization: Organization) -> Campaigns:
    return Campaigns(unit, asked.user_id, rules=rules_of(asked.organization, organization))


def _register_making(registry: Registry, desk: Desk) -> None:
    @registry.command(BroadcastNew)
    @refusing
    async def new(command: BroadcastNew, asked: Context) -> Reply:
        return await _new(desk, asked, command)

    @registry.command(BroadcastList)
    @refusing
    async def list_them(command: BroadcastList, asked: Context) -> Reply:
        return await listing(
            desk, asked, kind=Kind.BROADCAST, state=command.state, mine=command.mine
        )

    @registry.command(BroadcastShow)
    @refusing
    async def show(command: BroadcastShow, asked: Context) -> Reply:
        return await showing(desk, asked, command.broadcast, kind=Kind.BROADCAST)


async def _new(desk: Desk, asked: Context, command: BroadcastNew) -> Reply:
    """Make a broadcast, and put it on its schedule where it has one: both or neither."""
    organization = desk.config.organizations[asked.organization]
    number = number_of(command.number, organization)
    wanted = (
        None
        if command.at is None
        else schedule_of(command.at, command.zone, command.every, organization)
    )

    async def work(unit: Unit) -> Reply:
        mine = _campaigns(unit, asked, organization)
        draft = await _draft(unit, asked, command, organization, number)
        content = await compose(
            wanted=wanted_of(command),
            known=KnownTemplates(unit),
            attributes=audiences.ContactAttributes(unit),
        )
        made = await create_campaign(draft=draft, content=content, campaigns=mine)
        if wanted is None:
            return await _drafted(unit, asked, mine, made, content)
        return await _scheduled(unit, asked, command, organization, mine, made, wanted)

    try:
        return await desk.database.run(asked.organization, asked.at, work)
    except _Unmade as unmade:
        return unmade.reply


async def _draft(
    unit: Unit,
    asked: Context,
    command: BroadcastNew,
    organization: Organization,
    number: NumberId | None,
) -> Draft:
    audience = await resolve_audience(
        text=command.to, country=organization.country, directory=CampaignDirectory(unit)
    )
    return Draft(
        kind=Kind.BROADCAST,
        name=command.name,
        type=command.type,
        settings=settings_of(command),
        priority=command.priority,
        number_id=number,
        audience=audience,
        channel=asked.channel_id,
        excluded=command.exclude,
    )


async def _drafted(
    unit: Unit, asked: Context, mine: Campaigns, made: Campaign, content: Content
) -> Reply:
    overlap = await mine.overlap(made)
    reach = await mine.reach(made, content)
    return told(
        asked,
        markup("created the broadcast *{name}*, a draft.", name=made.name),
        markup("Message: {it}", it=message_line(content)),
        *reach_lines(reach),
        *await missing_lines(unit, made),
        *await overlap_lines(unit, overlap, cooldown=mine.cooldown, exclude=made.excluded),
        window_line(content),
        _follow(made, reach),
        blocks=overlap_buttons(made, overlap),
    )


async def _scheduled(
    unit: Unit,
    asked: Context,
    command: BroadcastNew,
    organization: Organization,
    mine: Campaigns,
    made: Campaign,
    schedule: Schedule,
) -> Reply:
    """Put what was made on its schedule.

    Raises:
        _Unmade: Staff have to give the count first.
    """
    done = await put_on_schedule(
        unit,
        asked,
        organization,
        campaign=made.id,
        schedule=schedule,
        size=size_of(command, organization),
    )
    if isinstance(done, NotYet):
        again = "the same command with"
        raise _Unmade(await unconfirmed(unit, done, organization, command=again))
    overlap = await mine.overlap(done.campaign)
    return told(
        asked,
        markup("created the broadcast *{name}* and scheduled it.", name=made.name),
        markup("Message: {it}", it=message_line(done.content)),
        *start_lines(schedule, done.zones, organization, by_default=command.zone is None),
        *reach_lines(done.reach),
        *await missing_lines(unit, done.campaign),
        *await overlap_lines(unit, overlap, cooldown=mine.cooldown, exclude=done.campaign.excluded),
        window_line(done.content, later=True),
        nobody_line(done),
        next_line(f"/drip broadcast show {as_word(made.name)}"),
    )


def _register_sending(registry: Registry, desk: Desk) -> None:
    @registry.command(BroadcastSend)
    @refusing
    async def send(command: BroadcastSend, asked: Context) -> Reply:
        organization = desk.config.organizations[asked.organization]

        async def work(unit: Unit) -> tuple[bool, Reply]:
            broadcast = await found(unit, command.broadcast, kind=Kind.BROADCAST)
            mine = _campaigns(unit, asked, organization)
            done = await send_broadcast(
                campaign=broadcast.id,
                size=size_of(command, organization),
                channel=asked.channel_id,
                campaigns=mine,
                templates=KnownTemplates(unit),
            )
            length = await pace.length(
                unit,
                recipients=done.reach.recipients,
                campaign=done.campaign,
                organization=organization,
            )
            match done:
                case Unconfirmed(campaign=it, content=content, reach=reach, asked=wanted):
                    lines = unconfirmed_lines(
                        wanted,
                        command=f"/drip broadcast send {as_word(it.name)}",
                        length=length,
                        out=reasons_line(reach.left_out.items()),
                    )
                    overlap = await overlap_lines(
                        unit,
                        await mine.overlap(it),
                        cooldown=mine.cooldown,
                        exclude=it.excluded,
                    )
                    missing = await missing_lines(unit, it)
                    return False, answered(*lines, *missing, *overlap, window_line(content))
                case Started(campaign=it, content=content, reach=reach):
                    return True, told(
                        asked,
                        markup("sends *{name}*.", name=it.name),
                        *reach_lines(reach),
                        *await missing_lines(unit, it),
                        window_line(content),
                        markup("It takes about {length}.", length=roughly(length)),
                        next_line(f"/drip report {as_word(it.name)}"),
                    )

        started, reply = await desk.database.run(asked.organization, asked.at, work)
        if started:
            await wake(desk, asked.organization)
        return reply


def _follow(made: Campaign, reach: Reach) -> Markup:
    """Return what would be typed next about a draft; to nobody it cannot be sent."""
    name = as_word(made.name)
    if reach.recipients:
        return next_line(f"/drip broadcast send {name}")
    return markup(
        "It would reach nobody: {why}. {next}",
        why=why_nobody(reach),
        next=next_line(f"/drip broadcast edit {name} {_otherwise(reach)}"),
    )


def _otherwise(reach: Reach) -> str:
    return "template=<name>" if Reason.WINDOW_CLOSED in reach.left_out else "to=<who>"


def _register_moving(registry: Registry, desk: Desk) -> None:
    @registry.command(BroadcastPause)
    @refusing
    async def pause(command: BroadcastPause, asked: Context) -> Reply:
        return await moved(
            desk, asked, command.broadcast, campaign_moves.pause, kind=Kind.BROADCAST
        )

    @registry.command(BroadcastResume)
    @refusing
    async def resume(command: BroadcastResume, asked: Context) -> Reply:
        return await moved(
            desk, asked, command.broadcast, campaign_moves.resume, kind=Kind.BROADCAST
        )

    @registry.command(BroadcastCancel)
    @refusing
    async def cancel(command: BroadcastCancel, asked: Context) -> Reply:
        return await moved(
            desk, asked, command.broadcast, campaign_moves.cancel, kind=Kind.BROADCAST
        )
