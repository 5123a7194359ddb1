"""Changing, copying and deleting campaigns and broadcasts."""

from collections.abc import Awaitable, Callable
from typing import Any

from bot.slack import pace
from bot.slack.campaign_lists import next_line
from bot.slack.campaign_names import found
from bot.slack.campaign_text import (
    message_line,
    reach_lines,
    reasons_line,
    settings_line,
    unconfirmed_lines,
    window_line,
)
from bot.slack.changes import answered, told, wake
from bot.slack.clicks import Value
from bot.slack.desk import Desk
from bot.slack.drafting import number_of, seconds, size_of, wanted_of
from bot.slack.kinds import Standard
from bot.slack.language.campaign_life import (
    BroadcastClone,
    BroadcastDelete,
    BroadcastEdit,
    CampaignClone,
    CampaignDelete,
    CampaignEdit,
)
from bot.slack.markup import Markup, markup
from bot.slack.missing_values import missing_lines
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.requests import Click
from bot.slack.words import as_word
from engine.audience import Audience
from engine.campaign import Kind, State
from engine.config import Organization
from engine.ids import CampaignId
from engine.overlap import Exclude
from engine.refusal import Refusal
from engine.roles import Role
from engine.sending_rules import rules_of
from engine.size import Size
from engine.usecases.clone_campaign import clone_campaign
from engine.usecases.compose import Wanted
from engine.usecases.delete_campaign import delete_campaign
from engine.usecases.edit_campaign import Changes, Edited, Unconfirmed, edit_campaign
from engine.usecases.move_campaign import NoSuchCampaign
from engine.usecases.resolve_audience import resolve_audience
from storage import audiences
from storage.automations import StoredAutomations
from storage.campaigns import CampaignDirectory, Campaigns
from storage.database import Unit
from storage.templates import KnownTemplates


class NothingToChange(Refusal):
    """The command names no option."""

    def __init__(self, word: str) -> None:
        super().__init__(
            f"Say what to change, for example rate=300/min; /drip help {word} edit lists what can."
        )


class ChangedSince(Refusal):
    """The message that was clicked shows it as it was."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f'{name!r} has changed since; /drip broadcast edit "{name}" exclude=both does it anew.'
        )


def register(registry: Registry, desk: Desk) -> None:
    """Handle the commands."""
    _register_editing(registry, desk)
    _register_buttons(registry, desk)
    _register_copying(registry, desk)
    _register_deleting(registry, desk)


def _register_editing(registry: Registry, desk: Desk) -> None:
    @registry.command(CampaignEdit)
    @refusing
    async def edit_drip(command: CampaignEdit, asked: Context) -> Reply:
        organization = desk.config.organizations[asked.organization]

        async def work(unit: Unit) -> Edited | Unconfirmed:
            drip = await found(unit, command.campaign, kind=Kind.DRIP)
            return await edit_campaign(
                campaign=drip.id,
                changes=_changes(command, organization),
                at=unit.at,
                standard=organization.timezone,
                size=Size(large=0, approval=0, count=None),
                campaigns=Campaigns(unit, asked.user_id),
                templates=KnownTemplates(unit),
                attributes=audiences.ContactAttributes(unit),
                automations=StoredAutomations(unit, asked.user_id),
            )

        return await _edited(desk, asked, work, command="")

    @registry.command(BroadcastEdit)
    @refusing
    async def edit_broadcast(command: BroadcastEdit, asked: Context) -> Reply:
        organization = desk.config.organizations[asked.organization]

        async def work(unit: Unit) -> Edited | Unconfirmed:
            broadcast = await found(unit, command.broadcast, kind=Kind.BROADCAST)
            audience = None
            if command.to is not None:
                audience = await resolve_audience(
                    text=command.to, country=organization.country, directory=CampaignDirectory(unit)
                )
            return await edit_campaign(
                campaign=broadcast.id,
                changes=_changes(command, organization, audience),
                at=unit.at,
                standard=organization.timezone,
                size=size_of(command, organization),
                campaigns=Campaigns(
                    unit, asked.user_id, rules=rules_of(asked.organization, organization)
                ),
                templates=KnownTemplates(unit),
                attributes=audiences.ContactAttributes(unit),
                automations=StoredAutomations(unit, asked.user_id),
            )

        again = f"/drip broadcast edit {as_word(command.broadcast)} to={command.to}"
        return await _edited(desk, asked, work, command=again)


async def _edited(
    desk: Desk,
    asked: Context,
    work: Callable[[Unit], Awaitable[Edited | Unconfirmed]],
    *,
    command: str,
) -> Reply:
    organization = desk.config.organizations[asked.organization]
    done = await desk.database.run(asked.organization, asked.at, work)
    if isinstance(done, Unconfirmed):
        return await _unconfirmed(desk, asked, done, command)
    if done.sooner:
        await desk.queue.wake_job("look_again", asked.organization)
    if done.campaign.started_at is not None:
        await wake(desk, asked.organization)
    it = done.campaign
    settings = settings_line(it, organization)
    renamed = it.name != done.before.name
    return told(
        asked,
        markup("renamed *{old}* to *{name}*.", old=done.before.name, name=it.name)
        if renamed
        else markup("changed *{name}*.", name=it.name),
        markup("Message: {it}", it=message_line(done.content)) if done.content else Markup(""),
        *(reach_lines(done.reach) if done.reach else ()),
        *(await _missing(desk, asked, done)),
        window_line(done.content, later=it.state is State.SCHEDULED)
        if done.content
        else Markup(""),
        markup("Settings: {it}", it=settings) if settings else Markup("Settings: as usual."),
        Markup("It takes effect at once.") if it.state in _SENDING else Markup(""),
    )


_SENDING = frozenset({State.ACTIVE, State.RUNNING})


async def _missing(desk: Desk, asked: Context, done: Edited) -> list[Markup]:
    if done.content is None and done.reach is None:
        return []
    async with desk.database.unit(asked.organization, asked.at) as unit:
        return await missing_lines(unit, done.campaign)


async def _unconfirmed(desk: Desk, asked: Context, done: Unconfirmed, command: str) -> Reply:
    organization = desk.config.organizations[asked.organization]
    async with desk.database.unit(asked.organization, asked.at) as unit:
        length = await pace.length(
            unit,
            recipients=done.reach.at_most,
            campaign=done.campaign,
            organization=organization,
        )
    return answered(
        *unconfirmed_lines(
            done.asked,
            command=command,
            length=length,
            out=reasons_line(done.reach.left_out.items()),
        )
    )


def _register_buttons(registry: Registry, desk: Desk) -> None:
    for exclude in (Exclude.ACTIVE, Exclude.RECENT, Exclude.BOTH):
        registry.click(f"exclude_{exclude.value}", role=Role.OWNER)(
            refusing(_excluding(desk, exclude))
        )


def _excluding(desk: Desk, exclude: Exclude) -> Callable[[Click, Context], Awaitable[Reply]]:
    async def clicked(click: Click, asked: Context) -> Reply:
        organization = desk.config.organizations[asked.organization]
        value = Value.parse(click.value)
        if value is None or value.id is None:
            raise NoSuchCampaign
        campaign, version = CampaignId(value.id), value.version

        async def work(unit: Unit) -> Edited | Unconfirmed:
            mine = Campaigns(unit, asked.user_id, rules=rules_of(asked.organization, organization))
            now = await mine.lock(campaign)
            if now is None:
                raise NoSuchCampaign
            if now.version != version:
                raise ChangedSince(now.name)
            return await edit_campaign(
                campaign=campaign,
                changes=Changes(plain={"excluded": exclude}),
                at=unit.at,
                standard=organization.timezone,
                size=Size(large=0, approval=0, count=None),
                campaigns=mine,
                templates=KnownTemplates(unit),
                attributes=audiences.ContactAttributes(unit),
                automations=StoredAutomations(unit, asked.user_id),
            )

        return await _edited(desk, asked, work, command="")

    return clicked


def _changes(
    command: CampaignEdit | BroadcastEdit,
    organization: Organization,
    audience: Audience | None = None,
) -> Changes:
    """Return what a command changes.

    Raises:
        NothingToChange: Nothing.
        UnknownNumber: number= is none of the organization's.
    """
    plain: dict[str, Any] = {"type": command.type, "priority": command.priority}
    settings: dict[str, Any] = {
        name: getattr(command, name) for name in ("per_day", "hours", "days", "rate", "unknown")
    }
    content: Wanted | None = None
    match command.number:
        case Standard.STANDARD:
            plain["number_id"] = Standard.STANDARD
        case number:
            plain["number_id"] = number_of(number, organization)
    match command.deadline:
        case Standard.STANDARD:
            settings["deadline_s"] = Standard.STANDARD
        case deadline:
            settings["deadline_s"] = seconds(deadline)
    if isinstance(command, CampaignEdit):
        plain["trigger"] = command.trigger
        for name in ("stop_on_reply", "reentry", "mode"):
            settings[name] = getattr(command, name)
    else:
        plain["excluded"] = command.exclude
        if command.text or command.template or command.media:
            content = wanted_of(command)
    changes = Changes(
        name=command.name,
        plain=_given(plain),
        settings=_given(settings),
        audience=audience,
        content=content,
    )
    if changes == Changes():
        raise NothingToChange("campaign" if isinstance(command, CampaignEdit) else "broadcast")
    return changes


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what nobody said; None is how the engine writes a standard."""
    return {
        name: None if value is Standard.STANDARD else value
        for name, value in values.items()
        if value is not None
    }


def _register_copying(registry: Registry, desk: Desk) -> None:
    @registry.command(CampaignClone)
    @refusing
    async def clone_any(command: CampaignClone, asked: Context) -> Reply:
        return await _cloned(desk, asked, command.campaign, command.new_name, kind=None)

    @registry.command(BroadcastClone)
    @refusing
    async def clone_broadcast(command: BroadcastClone, asked: Context) -> Reply:
        return await _cloned(desk, asked, command.broadcast, command.new_name, kind=Kind.BROADCAST)


async def _cloned(
    desk: Desk, asked: Context, name: str, new_name: str | None, *, kind: Kind | None
) -> Reply:
    async def work(unit: Unit) -> Reply:
        named = await found(unit, name, kind=kind, archived=True)
        like, made = await clone_campaign(
            campaign=named.id, name=new_name, campaigns=Campaigns(unit, asked.user_id)
        )
        return told(
            asked,
            markup("made *{name}*, a draft like *{like}*.", name=made.name, like=like.name),
            Markup("Nobody gets it yet; its contacts did not come along.")
            if made.kind is Kind.DRIP
            else Markup("Nobody gets it yet."),
            next_line(f"/drip {made.word} edit {as_word(made.name)} name=<name>"),
        )

    return await desk.database.run(asked.organization, asked.at, work)


def _register_deleting(registry: Registry, desk: Desk) -> None:
    @registry.command(CampaignDelete)
    @refusing
    async def delete_any(command: CampaignDelete, asked: Context) -> Reply:
        return await _deleted(desk, asked, command.campaign, kind=None)

    @registry.command(BroadcastDelete)
    @refusing
    async def delete_broadcast(command: BroadcastDelete, asked: Context) -> Reply:
        return await _deleted(desk, asked, command.broadcast, kind=Kind.BROADCAST)


async def _deleted(desk: Desk, asked: Context, name: str, *, kind: Kind | None) -> Reply:
    async def work(unit: Unit) -> Reply:
        named = await found(unit, name, kind=kind, archived=True)
        gone = await delete_campaign(campaign=named.id, campaigns=Campaigns(unit, asked.user_id))
        return told(asked, markup("deleted the draft *{name}*.", name=gone.name))

    return await desk.database.run(asked.organization, asked.at, work)
