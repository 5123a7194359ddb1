"""Start: what is scheduled starts when its time has come, once, or staff are told why not."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from engine import names
from engine import schedule as schedules
from engine.campaign import Campaign, State
from engine.campaign_ports import Campaigns, Templates
from engine.ids import CampaignId
from engine.refusal import Refusal
from engine.schedule import Schedule
from engine.size import Size, judged
from engine.usecases.compose import check_approved
from engine.usecases.schedule_broadcast import is_too_late
from engine.usecases.send_broadcast import NobodyToReach
from engine.usecases.upcoming_start import upcoming_after, zones_of
from engine.wall import instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The occurrence to start now.

    Attributes:
        local: What its clock shows.
        missed: How many before it were missed, because nothing ran.
    """

    local: datetime
    starts_at: datetime
    missed: int


async def start_scheduled(
    *,
    campaign: CampaignId,
    at: datetime,
    deadline: timedelta | None,
    approval: int,
    standard: tzinfo,
    campaigns: Campaigns,
    templates: Templates,
) -> Campaign | None:
    """Start a scheduled broadcast, or the next occurrence of a series, whose time has come.

    Of several occurrences that were missed only the latest starts, and it only within *deadline*.
    Where one cannot start, staff are told why: a broadcast is a draft again, a series goes on.

    Args:
        deadline: How late it may start; None: however late.
        approval: Above so many recipients a second owner would have to approve; 0: never.

    Returns:
        What runs now; None: nothing was due any more, or it could not start.
    """
    found = await campaigns.lock(campaign)
    # Somebody may have cancelled, moved or started it since it was found due.
    if found is None or found.state is not State.SCHEDULED or found.schedule is None:
        return None
    if found.scheduled_at is None or (found.look_at or found.scheduled_at) > at:
        return None
    zones = await zones_of(found.schedule, found, standard, campaigns)
    starts_at = _starts_at(found.schedule, found.scheduled_at, found.look_at, zones)
    if starts_at > at:
        await campaigns.postpone(found, found.schedule, starts_at=starts_at)
        return None
    due = _due(found.schedule, starts_at, zones, at)
    late = is_too_late(due.starts_at, at, deadline)
    if missed := due.missed + late:
        await campaigns.tell(found, "campaign_missed", count=missed, planned=starts_at.isoformat())
    started = None
    try:
        if not late:
            started = await _start(found, due, approval, campaigns, templates)
    except Refusal as refusal:
        await campaigns.tell(
            found, "campaign_not_started", why=str(refusal), planned=due.starts_at.isoformat()
        )
    await _go_on(found, started, at, standard, campaigns)
    return started


def _starts_at(
    schedule: Schedule,
    scheduled_at: datetime,
    look_at: datetime | None,
    zones: tuple[tzinfo, ...],
) -> datetime:
    """Return when the first clock of those there are now shows the time, from *look_at* on.

    Whoever came too late for that does not make all others late.
    """
    if look_at is None or schedule.upcoming is None:
        return scheduled_at
    starts = (instant(schedule.upcoming, zone) for zone in zones)
    return min((each for each in starts if each >= look_at), default=scheduled_at)


def _due(
    schedule: Schedule, scheduled_at: datetime, zones: tuple[tzinfo, ...], at: datetime
) -> Due:
    """Return the latest occurrence whose time has come."""
    due = Due(local=schedule.upcoming or schedule.at, starts_at=scheduled_at, missed=0)
    while True:
        schedule = schedule.advanced()
        if schedule.upcoming is None:
            return due
        starts_at = schedules.earliest(schedule.upcoming, zones)
        if starts_at > at:
            return due
        due = Due(local=schedule.upcoming, starts_at=starts_at, missed=due.missed + 1)


async def _start(
    campaign: Campaign, due: Due, approval: int, campaigns: Campaigns, templates: Templates
) -> Campaign:
    steps = await campaigns.steps(campaign.id)
    contents = [step.content for step in steps]
    await check_approved(type=campaign.type, contents=contents, known=templates)
    reach = await campaigns.reach(campaign, contents[0])
    if reach.recipients == 0 or reach.last_contact is None:
        raise NobodyToReach(campaign, reach)
    # How many is large staff confirmed when they scheduled it; an approval nobody can give yet.
    judged(reach.recipients, Size(large=0, approval=approval, count=None))
    running = campaign
    if campaign.recurs and campaign.schedule is not None:
        once = Schedule(at=due.local, zone=campaign.schedule.zone, upcoming=None)
        name = await _name(campaign.name, due.local, campaigns)
        running = await campaigns.add_occurrence(campaign, name=name, schedule=once)
    running = await campaigns.move(running, State.RUNNING, contacts_up_to=reach.last_contact)
    await campaigns.note("broadcast.start", running, recipients=reach.recipients)
    return running


async def _go_on(
    campaign: Campaign,
    started: Campaign | None,
    at: datetime,
    standard: tzinfo,
    campaigns: Campaigns,
) -> None:
    if not campaign.recurs:
        if started is None:
            await campaigns.unschedule(campaign)
        return
    schedule, starts_at = await upcoming_after(campaign, at, standard, campaigns)
    if schedule is None or starts_at is None:
        await campaigns.move(campaign, State.COMPLETED)
        return
    await campaigns.postpone(campaign, schedule, starts_at=starts_at)


async def _name(series: str, local: datetime, campaigns: Campaigns) -> str:
    """Return the name of an occurrence: the series' with the day, and what makes it unique."""
    number = 1
    while True:
        ending = f" {local:%Y-%m-%d}" + (f" ({number})" if number > 1 else "")
        name = names.cleaned(series[: names.LONGEST_NAME - len(ending)] + ending)
        if not await campaigns.is_taken(name):
            return name
        number += 1
