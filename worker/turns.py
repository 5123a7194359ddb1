"""Whose turn it is: the room of a claim shared among campaigns by their priority."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import ceil

from engine.ids import CampaignId
from storage.sending import Due, OpenCampaign


class Turns:
    """The turns on one number. What a campaign did not get counts for it the next time."""

    def __init__(self) -> None:
        self._credits: dict[CampaignId, float] = {}

    def quotas(
        self, campaigns: Iterable[OpenCampaign], free: Mapping[CampaignId, int], room: int
    ) -> dict[CampaignId, int]:
        """Share *room* among *campaigns*; return how many each may take, first whose turn it is.

        Together they may be more than *room*: :func:`cut` keeps to it.

        Args:
            free: How many each may take by its rate and its daily cap.
        """
        sharing = [campaign for campaign in campaigns if free[campaign.id]]
        weight = sum(campaign.priority for campaign in sharing)
        self._credits = {
            campaign.id: min(
                float(room),
                self._credits.get(campaign.id, 0.0) + room * campaign.priority / weight,
            )
            for campaign in sharing
        }
        turns = sorted(self._credits, key=lambda campaign: (-self._credits[campaign], campaign))
        return {
            campaign: min(max(1, ceil(self._credits[campaign])), free[campaign])
            for campaign in turns
        }

    def taken(
        self, quotas: Mapping[CampaignId, int], found: Iterable[Due], kept: Iterable[Due]
    ) -> None:
        """Note what of *quotas* was found waiting, and what of that the claim kept."""
        waiting = Counter(one.message.campaign_id for one in found)
        taken = Counter(one.message.campaign_id for one in kept)
        for campaign, quota in quotas.items():
            # Who had less waiting than it could have had saves nothing up.
            self._credits[campaign] = (
                self._credits[campaign] - taken[campaign] if waiting[campaign] >= quota else 0.0
            )


def by_priority(
    campaigns: Iterable[OpenCampaign], free: Mapping[CampaignId, int], room: int
) -> dict[CampaignId, int]:
    """Let the highest priority have all of *room* first, and each lower one what is left."""
    ranked = sorted(campaigns, key=lambda each: (-each.priority, each.id))
    return {each.id: min(room, free[each.id]) for each in ranked if free[each.id]}


def cut(found: Sequence[Due], room: int) -> list[Due]:
    """Return replies, and of the rest as many as there is room for; the others stay queued."""
    kept: list[Due] = []
    for one in found:
        if one.message.campaign_id is not None:
            room -= 1
            if room < 0:
                break
        kept.append(one)
    return kept
