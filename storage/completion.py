"""How campaigns end: completed once nothing is open, swept once staff ended them."""

from engine.ids import CampaignId, MessageId
from engine.message import SETTLING
from storage.database import Unit
from storage.queries import load

_SQL = load("completion")


async def complete_broadcasts(unit: Unit) -> list[CampaignId]:
    """Move broadcasts to their completion; return those that reached it now."""
    await unit.run(_SQL["settle"])
    ids = [row["id"] for row in await unit.rows(_SQL["lock_settled"], settling=SETTLING)]
    if not ids:
        return []
    rows = await unit.rows(_SQL["complete_broadcasts"], ids=ids)
    return [row["id"] for row in rows]


async def complete_drips(unit: Unit) -> list[CampaignId]:
    """Return drips whose last active enrollment has ended since this was last told."""
    return [row["id"] for row in await unit.rows(_SQL["complete_drips"])]


async def ended_campaigns(unit: Unit) -> list[CampaignId]:
    return [row["id"] for row in await unit.rows(_SQL["ended_campaigns"])]


async def queued_of(unit: Unit, *, campaign: CampaignId, limit: int) -> list[MessageId]:
    rows = await unit.rows(_SQL["queued_of"], campaign=campaign, limit=limit)
    return [row["id"] for row in rows]


async def still_claimed(unit: Unit, *, campaign: CampaignId) -> bool:
    """Whether calls of the campaign are under way or in doubt, whose rows may be queued again."""
    claimed: bool = await unit.value(_SQL["still_claimed"], campaign=campaign)
    return claimed


async def swept(unit: Unit, *, campaign: CampaignId) -> None:
    """Note that no row of an ended campaign is queued any more."""
    await unit.run(_SQL["swept"], campaign=campaign)
