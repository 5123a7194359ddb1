"""Upcoming: when a scheduled broadcast starts next, in whatever zones its audience lives."""

from datetime import datetime, tzinfo

from engine import schedule as schedules
from engine.campaign import Campaign
from engine.campaign_ports import Campaigns
from engine.schedule import Schedule


async def zones_of(
    schedule: Schedule, campaign: Campaign, standard: tzinfo, campaigns: Campaigns
) -> tuple[tzinfo, ...]:
    """Return the zones in which *campaign* would start: the one named, else its contacts'.

    Args:
        standard: The organization's, of contacts without a zone.
    """
    if schedule.zone is not None:
        return (schedules.zone(schedule.zone) or standard,)
    names = await campaigns.zones(campaign)
    found = {(name and schedules.zone(name)) or standard for name in names}
    return tuple(sorted(found, key=str)) or (standard,)


async def upcoming_after(
    campaign: Campaign, at: datetime, standard: tzinfo, campaigns: Campaigns
) -> tuple[Schedule | None, datetime | None]:
    """Return its schedule moved on to what begins after *at*, and when; None: nothing does."""
    schedule = campaign.schedule
    if schedule is None:
        return None, None
    zones = await zones_of(schedule, campaign, standard, campaigns)
    while schedule.upcoming is not None:
        starts_at = schedules.earliest(schedule.upcoming, zones)
        if starts_at > at:
            return schedule, starts_at
        schedule = schedule.advanced()
    return schedule, None
