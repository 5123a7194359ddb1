"""Scheduling broadcasts, and saying when they start."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from bot.slack import pace
from bot.slack.campaign_lists import next_line
from bot.slack.campaign_names import found
from bot.slack.campaign_text import (
    described,
    reach_lines,
    reasons_line,
    unconfirmed_lines,
    window_line,
)
from bot.slack.changes import answered, told
from bot.slack.desk import Desk
from bot.slack.drafting import size_of
from bot.slack.language.schedules import BroadcastSchedule, BroadcastUnschedule
from bot.slack.markup import Markup, markup
from bot.slack.missing_values import missing_lines
from bot.slack.overlap_text import overlap_lines
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.words import as_word
from engine import schedule as schedules
from engine.campaign import Kind
from engine.config import Organization
from engine.ids import CampaignId
from engine.refusal import Refusal
from engine.schedule import InvalidSchedule, Schedule
from engine.sending_rules import rules_of
from engine.size import Size
from engine.usecases.schedule_broadcast import (
    Scheduled,
    Unconfirmed,
    schedule_broadcast,
    unschedule_broadcast,
)
from engine.usecases.send_broadcast import why_nobody
from engine.wall import instant
from storage.campaigns import Campaigns
from storage.database import Unit
from storage.templates import KnownTemplates

_SHOWN = 3


class NoSchedule(Refusal):
    """What staff wrote is no schedule."""


def register(registry: Registry, desk: Desk) -> None:
    """Handle the commands."""

    @registry.command(BroadcastSchedule)
    @refusing
    async def schedule(command: BroadcastSchedule, asked: Context) -> Reply:
        organization = desk.config.organizations[asked.organization]
        wanted = schedule_of(command.at, command.zone, command.every, organization)
        rules = rules_of(asked.organization, organization)

        async def work(unit: Unit) -> Reply:
            broadcast = await found(unit, command.broadcast, kind=Kind.BROADCAST)
            done = await put_on_schedule(
                unit,
                asked,
                organization,
                campaign=broadcast.id,
                schedule=wanted,
                size=size_of(command, organization),
            )
            if isinstance(done, Unconfirmed):
                again = f"/drip broadcast schedule {as_word(broadcast.name)} {_written(wanted)}"
                return await unconfirmed(unit, done, organization, command=again)
            return told(
                asked,
                markup("scheduled *{name}*.", name=done.campaign.name),
                *start_lines(wanted, done.zones, organization, by_default=command.zone is None),
                *reach_lines(done.reach),
                *await missing_lines(unit, done.campaign),
                *await overlap_lines(
                    unit,
                    await Campaigns(unit, asked.user_id, rules=rules).overlap(done.campaign),
                    cooldown=rules.cooldown,
                    exclude=done.campaign.excluded,
                ),
                window_line(done.content, later=True),
                nobody_line(done),
                next_line(f"/drip broadcast show {as_word(done.campaign.name)}"),
            )

        return await desk.database.run(asked.organization, asked.at, work)

    @registry.command(BroadcastUnschedule)
    @refusing
    async def unschedule(command: BroadcastUnschedule, asked: Context) -> Reply:
        async def work(unit: Unit) -> Reply:
            named = await found(unit, command.broadcast, kind=Kind.BROADCAST)
            before = await unschedule_broadcast(
                campaign=named.id, campaigns=Campaigns(unit, asked.user_id)
            )
            return told(
                asked,
                markup("took *{name}* off its schedule; it is a draft again.", name=before.name),
                next_line(f"/drip broadcast send {as_word(before.name)}"),
            )

        return await desk.database.run(asked.organization, asked.at, work)


def schedule_of(
    at: datetime, zone: str | None, every: str | None, organization: Organization
) -> Schedule:
    """Return the schedule that staff wrote.

    Raises:
        NoSchedule: Its rule never comes true.
    """
    name = str(organization.timezone) if zone is None else zone
    try:
        return Schedule.of(
            at=at,
            zone=None if name == schedules.CONTACT else name,
            rule=every,
            standard=organization.timezone,
        )
    except InvalidSchedule as error:
        raise NoSchedule(str(error)) from error


async def put_on_schedule(
    unit: Unit,
    asked: Context,
    organization: Organization,
    *,
    campaign: CampaignId,
    schedule: Schedule,
    size: Size,
) -> Scheduled | Unconfirmed:
    return await schedule_broadcast(
        campaign=campaign,
        schedule=schedule,
        at=unit.at,
        standard=organization.timezone,
        size=size,
        campaigns=Campaigns(unit, asked.user_id, rules=rules_of(asked.organization, organization)),
        templates=KnownTemplates(unit),
    )


async def unconfirmed(
    unit: Unit, done: Unconfirmed, organization: Organization, *, command: str
) -> Reply:
    """Return what staff are asked who must say how many recipients they mean."""
    length = await pace.length(
        unit, recipients=done.reach.at_most, campaign=done.campaign, organization=organization
    )
    return answered(
        *unconfirmed_lines(
            done.asked,
            command=command,
            length=length,
            out=reasons_line(done.reach.left_out.items()),
        ),
        *await missing_lines(unit, done.campaign),
        window_line(done.content, later=True),
    )


def _written(schedule: Schedule) -> str:
    every = f' every="{schedule.rule}"' if schedule.rule else ""
    zone = schedule.zone or schedules.CONTACT
    return f'at="{schedule.at:%Y-%m-%d %H:%M}" zone={zone}{every}'


def start_lines(
    schedule: Schedule,
    zones: Sequence[tzinfo],
    organization: Organization,
    *,
    by_default: bool,
) -> list[Markup]:
    """Return when a broadcast starts, by whose clocks, and what becomes of a skipped hour.

    Args:
        by_default: Nobody named a zone, so the organization's holds.
    """
    local = schedule.upcoming
    if local is None:
        return []
    if schedule.zone is None:
        whose = Markup("by each contact's own clock")
    elif by_default:
        whose = markup("in {zone}, your organization's time zone", zone=schedule.zone)
    else:
        whose = markup("in {zone}", zone=schedule.zone)
    again = schedule.rule is not None
    lines = [
        markup(
            "It starts {first}on {day}, {whose}{more}.",
            first=Markup("first ") if again else Markup(""),
            day=f"{local:%A %-d %B %Y at %H:%M}",
            whose=whose,
            more=markup(", then {rule}", rule=described(schedule)) if again else Markup(""),
        )
    ]
    if schedule.zone is None:
        lines.append(_contacts_clocks(local, zones, organization))
    skipped = sorted({str(zone) for zone in zones if schedules.shown(local, zone) != local})
    if skipped:
        zone = next(each for each in zones if str(each) == skipped[0])
        lines.append(
            markup(
                "Clocks in {zones} skip that hour: it becomes {time} there.",
                zones=", ".join(skipped[:_SHOWN]),
                time=f"{schedules.shown(local, zone):%H:%M}",
            )
        )
    return lines


def _contacts_clocks(
    local: datetime, zones: Sequence[tzinfo], organization: Organization
) -> Markup:
    first = min(zones, key=lambda zone: instant(local, zone))
    return markup(
        "The first of them are in {zone}, at {here} here; contacts whose zone is not known count as"
        " in {standard}. The audience is looked at when the first of them get it.",
        zone=str(first),
        here=f"{instant(local, first).astimezone(organization.timezone):%a %H:%M}",
        standard=str(organization.timezone),
    )


def nobody_line(done: Scheduled) -> Markup:
    """Return that it would reach nobody as things are, and why; empty: it reaches somebody."""
    if done.reach.recipients:
        return Markup("")
    return markup(
        ":warning: As things are now it would reach nobody: {why}. It starts only if that has"
        " changed by then.",
        why=why_nobody(done.reach),
    )
