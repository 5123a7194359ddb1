"""Whoever begins to name a campaign, a list or a segment keeps it from being deleted meanwhile.

Deleting waits for them, and looks at what is named only then (`seal` of each of them).
"""

from collections.abc import Collection

from engine.ids import CampaignId, ListId, SegmentId
from engine.usecases.keep_list import NoSuchList
from engine.usecases.keep_segment import NoSuchSegment
from engine.usecases.move_campaign import NoSuchCampaign
from storage.database import Unit
from storage.queries import load

_SQL = load("references")


async def hold(
    unit: Unit,
    *,
    campaigns: Collection[CampaignId] = (),
    lists: Collection[ListId] = (),
    segments: Collection[SegmentId] = (),
) -> None:
    """Keep them all until the unit ends.

    Raises:
        NoSuchCampaign, NoSuchSegment, NoSuchList: One was deleted meanwhile.
    """
    if campaigns:
        there = await unit.rows(_SQL["hold_campaigns"], ids=sorted(set(campaigns)))
        if len(there) < len(set(campaigns)):
            raise NoSuchCampaign
    # A static segment is deleted with its list, and locked before it.
    if segments:
        there = await unit.rows(_SQL["hold_segments"], ids=sorted(set(segments)))
        if len(there) < len(set(segments)):
            raise NoSuchSegment
    if lists:
        there = await unit.rows(_SQL["hold_lists"], ids=sorted(set(lists)))
        if len(there) < len(set(lists)):
            raise NoSuchList
