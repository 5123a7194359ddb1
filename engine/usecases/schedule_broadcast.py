"""Schedule: a broadcast starts by itself at a time, once or again and again; or no longer does."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from engine import schedule as schedules
from engine.campaign import Campaign, Kind, State
from engine.campaign_ports import Campaigns, Reach, Templates
from engine.content import Content
from engine.ids import CampaignId
from engine.refusal import Refusal
from engine.schedule import Schedule
from engine.size import Asked, Size, judged
from engine.usecases.compose import check_approved
from engine.usecases.move_campaign import NoSuchCampaign, NotPossible
from engine.usecases.upcoming_start import zones_of
from engine.wall import instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """It starts by itself.

    Attributes:
        reach: Whom it would reach as known now; the audience is looked at again when it starts.
        zones: Those in which it starts.
    """

    campaign: Campaign
    content: Content
    reach: Reach
    zones: tuple[tzinfo, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unconfirmed:
    """Nothing was done; staff have to give the count first."""

    campaign: Campaign
    content: Content
    reach: Reach
    asked: Asked


class Past(Refusal):
    """The time has passed where it counts."""

    def __init__(self, local: datetime, shown: datetime, zone: tzinfo, at: datetime) -> None:
        become = "" if shown == local else f" (which clocks there skip; it is {shown:%H:%M})"
        super().__init__(
            f"{local:%Y-%m-%d %H:%M}{become} has passed in {zone}, where it is"
            f" {at.astimezone(zone):%Y-%m-%d %H:%M} now: choose a later time, or another zone="
            " (the name of a time zone, or contact for each contact's own)."
        )


class TooFar(Refusal):
    """Nobody plans ten years ahead."""

    def __init__(self, local: datetime) -> None:
        super().__init__(f"{local:%Y-%m-%d} is more than ten years ahead: choose an earlier day.")


async def schedule_broadcast(
    *,
    campaign: CampaignId,
    schedule: Schedule,
    at: datetime,
    standard: tzinfo,
    size: Size,
    campaigns: Campaigns,
    templates: Templates,
) -> Scheduled | Unconfirmed:
    """Have a broadcast start by itself; or, where *size* asks for the count first, change nothing.

    What was scheduled before is scheduled anew.

    Args:
        standard: The organization's time zone.

    Raises:
        Past, TooFar: Its first time cannot come.
        NotPossible: It has begun, or is a drip.
        NoSuchTemplate, NotApproved, WrongCategory, DoesNotFit: It could not be sent.
        TooLarge: See :func:`engine.size.judged`.
    """
    before = await campaigns.lock(campaign)
    if before is None:
        raise NoSuchCampaign
    if before.kind is Kind.DRIP:
        raise NotPossible(before, f': a drip starts with /drip campaign activate "{before.name}".')
    if before.begun or not (before.state is State.SCHEDULED or before.may_become(State.SCHEDULED)):
        raise NotPossible(before, " already: /drip broadcast clone makes a draft like it.")
    local = schedule.upcoming or schedule.at
    zones = await zones_of(schedule, before, standard, campaigns)
    first = min(zones, key=lambda zone: instant(local, zone))
    starts_at = instant(local, first)
    if starts_at <= at:
        raise Past(local, schedules.shown(local, first), first, at)
    if starts_at > at + schedules.LONGEST_AHEAD:
        raise TooFar(local)
    steps = await campaigns.steps(campaign)
    contents = [step.content for step in steps]
    await check_approved(type=before.type, contents=contents, known=templates)
    reach = await campaigns.reach(before, contents[0], at=starts_at)
    # Whoever writes before it starts gets what is no template too.
    asked = judged(reach.at_most, size)
    if asked is not None:
        return Unconfirmed(campaign=before, content=contents[0], reach=reach, asked=asked)
    after = await campaigns.schedule(before, schedule, starts_at=starts_at)
    await campaigns.note("broadcast.schedule", after, starts_at=starts_at.isoformat())
    return Scheduled(campaign=after, content=contents[0], reach=reach, zones=zones)


async def unschedule_broadcast(*, campaign: CampaignId, campaigns: Campaigns) -> Campaign:
    """Take a broadcast off its schedule: it is a draft again; return it as it was.

    Raises:
        NoSuchCampaign: It was deleted meanwhile.
        NotPossible: It is on none.
    """
    before = await campaigns.lock(campaign)
    if before is None:
        raise NoSuchCampaign
    paused = before.state is State.PAUSED and not before.begun
    if before.kind is Kind.DRIP or not (before.state is State.SCHEDULED or paused):
        raise NotPossible(before, ", so it is on no schedule.")
    await campaigns.unschedule(before)
    await campaigns.note("broadcast.unschedule", before)
    return before


def is_too_late(starts_at: datetime, at: datetime, deadline: timedelta | None) -> bool:
    """Whether a start due at *starts_at* is left out at *at*; a deadline of None is none."""
    return deadline is not None and starts_at + deadline < at
