"""Of a campaign's rate and daily cap: how much is free, taking it, and when each call may start."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime

from engine.holding import held_by
from engine.ids import CampaignId
from engine.sending_rules import SendingRules
from storage import sending
from storage.database import Unit
from storage.sending import AHEAD, OpenCampaign
from worker.claimed import Call

_UNCAPPED = 1 << 30


class Slots:
    """The slots of one organization's campaigns."""

    def __init__(self, rules: SendingRules) -> None:
        self.rules = rules

    def free(self, campaign: OpenCampaign, at: datetime) -> int:
        """Return how many messages of *campaign* a claim may take now."""
        free = _UNCAPPED
        rate = campaign.settings.rate
        if rate is not None:
            ahead = at + AHEAD - _first(campaign, at)
            free = max(0, ahead // rate.interval + 1)
        if campaign.settings.per_day is not None:
            free = min(free, max(0, campaign.settings.per_day - self._used_today(campaign, at)))
        return free

    def day(self, at: datetime) -> date:
        """Return the day whose cap a claim at *at* takes of."""
        return at.astimezone(self.rules.zone).date()

    async def close_used_up(self, unit: Unit, campaigns: Iterable[OpenCampaign]) -> None:
        """Close the taps of those whose day is used up: opened by hand, or the cap was lowered."""
        for campaign in campaigns:
            per_day = campaign.settings.per_day
            if per_day is not None and self._used_today(campaign, unit.at) >= per_day:
                await self.take(unit, campaign, 0)

    async def take(self, unit: Unit, campaign: OpenCampaign, taken: int) -> None:
        """Reserve *taken* of the rate and of the day; the tap closes when the day is used up."""
        settings = campaign.settings
        if settings.rate is None and settings.per_day is None:
            return
        next_slot_at = campaign.next_slot_at
        if settings.rate is not None and taken:
            next_slot_at = _first(campaign, unit.at) + taken * settings.rate.interval
        count = taken + self._used_today(campaign, unit.at)
        used_up = settings.per_day is not None and count >= settings.per_day
        await sending.reserve_slots(
            unit,
            campaign=campaign.id,
            next_slot_at=next_slot_at,
            day_on=self.day(unit.at),
            day_count=count,
            closed_until=self.rules.day_after(unit.at) if used_up else None,
            held=held_by(
                taken,
                interval=None if settings.rate is None else settings.rate.interval,
                used_up=used_up,
            ),
        )

    def _used_today(self, campaign: OpenCampaign, at: datetime) -> int:
        return campaign.day_count if campaign.day_on == self.day(at) else 0


def spread(
    calls: Iterable[Call], campaigns: Mapping[CampaignId, OpenCampaign], at: datetime
) -> tuple[Call, ...]:
    """Return *calls* with the moments at which their campaigns' rates let them start."""
    if all(each.settings.rate is None for each in campaigns.values()):
        return tuple(calls)
    places: Counter[CampaignId] = Counter()
    timed: list[Call] = []
    for call in calls:
        campaign = campaigns.get(call.message.campaign_id) if call.message.campaign_id else None
        if campaign is None or campaign.settings.rate is None:
            timed.append(call)
            continue
        place = places[campaign.id]
        places[campaign.id] += 1
        starts_at = _first(campaign, at) + place * campaign.settings.rate.interval
        timed.append(replace(call, starts_at=starts_at))
    return tuple(timed)


def _first(campaign: OpenCampaign, at: datetime) -> datetime:
    return max(campaign.next_slot_at or at, at)
