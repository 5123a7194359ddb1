"""Starting, pausing and ending campaigns and broadcasts: what commands and buttons share."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import tzinfo
from typing import Final

from bot.slack.campaign_lists import enroll_command, next_line
from bot.slack.campaign_names import found
from bot.slack.campaign_text import lacking_lines, upcoming_line
from bot.slack.changes import answered, told, wake
from bot.slack.contact_pages import counted
from bot.slack.desk import Desk
from bot.slack.markup import Markup, code, literal, markup
from bot.slack.registry import Context
from bot.slack.replies import Reply
from bot.slack.words import as_word
from engine.automation_text import MANUAL
from engine.campaign import Campaign, Kind, State
from engine.ids import CampaignId
from engine.usecases import move_campaign
from engine.usecases.move_campaign import Moved
from storage import campaigns, tags
from storage.automations import StoredAutomations
from storage.campaigns import Campaigns
from storage.database import Unit
from storage.templates import KnownTemplates

Move = Callable[[CampaignId, Unit, Context, tzinfo], Awaitable[Moved]]
"""A move, with the organization's time zone."""


async def activate(campaign: CampaignId, unit: Unit, asked: Context, _zone: tzinfo) -> Moved:
    return await move_campaign.activate(
        campaign=campaign,
        channel=asked.channel_id,
        campaigns=Campaigns(unit, asked.user_id),
        templates=KnownTemplates(unit),
        automations=StoredAutomations(unit, asked.user_id),
    )


async def pause(campaign: CampaignId, unit: Unit, asked: Context, _zone: tzinfo) -> Moved:
    return await move_campaign.pause(campaign=campaign, campaigns=Campaigns(unit, asked.user_id))


async def resume(campaign: CampaignId, unit: Unit, asked: Context, zone: tzinfo) -> Moved:
    return await move_campaign.resume(
        campaign=campaign,
        at=unit.at,
        standard=zone,
        campaigns=Campaigns(unit, asked.user_id),
    )


async def archive(campaign: CampaignId, unit: Unit, asked: Context, _zone: tzinfo) -> Moved:
    return await move_campaign.archive(
        campaign=campaign,
        campaigns=Campaigns(unit, asked.user_id),
        automations=StoredAutomations(unit, asked.user_id),
    )


async def cancel(campaign: CampaignId, unit: Unit, asked: Context, _zone: tzinfo) -> Moved:
    return await move_campaign.cancel(campaign=campaign, campaigns=Campaigns(unit, asked.user_id))


async def moved(desk: Desk, asked: Context, name: str, move: Move, *, kind: Kind | None) -> Reply:
    """Find what *name* means, move it, and say so."""
    zone = desk.config.organizations[asked.organization].timezone

    async def work(unit: Unit) -> Moved:
        named = await found(unit, name, kind=kind)
        return await move(named.id, unit, asked, zone)

    done = await desk.database.run(asked.organization, asked.at, work)
    return await after(desk, asked, done, move)


async def after(desk: Desk, asked: Context, done: Moved, move: Move) -> Reply:
    """Do what follows a move once it is committed, and say what has been done."""
    it = done.campaign
    # Also when nothing changed: an archiving that broke off midway is completed by another.
    ended = await _drop_everybody(desk, asked, it) if move is archive else 0
    if not done.changed:
        return so_already(it)
    if move in _ENDING:
        await desk.queue.wake_job("complete", asked.organization)
    else:
        await wake(desk, asked.organization)
    known = await _tags(desk, asked) if move is activate else ()
    return told(
        asked,
        markup("{did} *{name}*.", did=_DID[move], name=it.name),
        *_about(done, move, ended, known),
        await _occurrences(desk, asked, it)
        if move in {pause, cancel} and it.recurs
        else Markup(""),
    )


async def _occurrences(desk: Desk, asked: Context, it: Campaign) -> Markup:
    async with desk.database.unit(asked.organization, asked.at) as unit:
        running = await campaigns.running_occurrences(unit, series=it.id)
    if not running:
        return Markup("")
    return markup(
        "{n} of its broadcasts had begun and go on; {list} names them.",
        n=running,
        list=code("/drip broadcast list running"),
    )


async def _tags(desk: Desk, asked: Context) -> Sequence[str]:
    async with desk.database.unit(asked.organization, asked.at) as unit:
        return await tags.known(unit)


def so_already(campaign: Campaign) -> Reply:
    """Return that there was nothing to do."""
    return answered(
        markup(
            "*{name}* is {state} already; nothing has changed.",
            name=campaign.name,
            state=campaign.state.value,
        )
    )


def _about(done: Moved, move: Move, ended: int, known: Sequence[str]) -> list[Markup]:
    it = done.campaign
    name = as_word(it.name)
    if move is activate:
        return [
            _enrolls(it),
            *lacking_lines(done.lacking),
            next_line(enroll_command(it, tags=known)),
        ]
    if it.schedule is not None and not it.begun and move in {pause, resume}:
        paused = it.state is State.PAUSED
        return [
            upcoming_line(it.schedule, paused=paused),
            next_line(f"/drip broadcast {'resume' if paused else 'show'} {name}"),
        ]
    if move is pause:
        word = "campaign" if it.kind is Kind.DRIP else "broadcast"
        return [
            Markup("Nothing more leaves; what waits keeps its place."),
            next_line(f"/drip {word} resume {name}"),
        ]
    if move is resume and done.opened:
        return [markup("It had stopped: {why}", why=literal(done.opened, limit=600))]
    if move is cancel:
        return [
            Markup("What has not been sent never is."),
            next_line(f"/drip report {name}"),
        ]
    if move is archive and ended:
        were = "was under way, and is" if ended == 1 else "were under way, and are"
        return [markup("{who} {were} out of it.", who=counted(ended), were=were)]
    return []


def _enrolls(it: Campaign) -> Markup:
    if it.trigger == "contact_created":
        return Markup("Every contact created from now on enrolls.")
    if it.trigger.startswith("tag:"):
        return markup(
            "Whoever gets the tag {tag} from now on enrolls; those who have it do not yet.",
            tag=code(it.trigger.removeprefix("tag:")),
        )
    if it.trigger != MANUAL:
        return markup("From now on {trigger} enrolls by itself.", trigger=code(it.trigger))
    return Markup("")


async def _drop_everybody(desk: Desk, asked: Context, campaign: Campaign) -> int:
    ended = 0
    while True:
        dropped = await desk.database.run(
            asked.organization,
            asked.at,
            lambda unit: campaigns.drop_everybody(unit, campaign=campaign.id),
        )
        ended += dropped
        if dropped < campaigns.SLICE:
            return ended


_ENDING: Final = frozenset({archive, cancel, pause})
_DID: Final[dict[Move, str]] = {
    activate: "activated",
    pause: "paused",
    resume: "resumed",
    archive: "archived",
    cancel: "cancelled",
}
