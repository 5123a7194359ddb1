"""How campaigns end: completed once nothing is open, swept once staff ended them."""

from collections.abc import Sequence

from engine.ids import CampaignId, MessageId, NumberId
from storage.database import Unit
from storage.queries import load

_SQL = load("completion")


async def complete_broadcasts(unit: Unit, *, numbers: Sequence[NumberId]) -> list[CampaignId]:
    """Move broadcasts to their completion; return those that reached it now."""
    await unit.run(_SQL["unsettle"], numbers=numbers)
    await unit.run(_SQL["settle"], numbers=numbers)
    ids = [row["id"] for row in await unit.rows(_SQL["lock_settled"])]
    if not ids:
        return []
    rows = await unit.rows(_SQL["complete_broadcasts"], ids=ids, numbers=numbers)
    return [row["id"] for row in rows]


async def complete_drips(unit: Unit) -> list[CampaignId]:
    """Return drips whose last active enrollment has ended since this was last told."""
    return [row["id"] for row in await unit.rows(_SQL["complete_drips"])]


async def ended_campaigns(unit: Unit) -> list[CampaignId]:
    return [row["id"] for row in await unit.rows(_SQL["ended_campaigns"])]


async def queued_of(
    unit: Unit, *, campaign: CampaignId, numbers: Sequence[NumberId], limit: int
) -> list[MessageId]:
    rows = await unit.rows(_SQL["queued_of"], campaign=campaign, numbers=numbers, limit=limit)
    return [row["id"] for row in rows]


async def still_claimed(unit: Unit, *, campaign: CampaignId, numbers: Sequence[NumberId]) -> bool:
    """Whether calls of the campaign are under way or in doubt, whose rows may be queued again."""
    claimed: bool = await unit.value(_SQL["still_claimed"], campaign=campaign, numbers=numbers)
    return claimed


async def swept(unit: Unit, *, campaign: CampaignId) -> None:
    """Note that no row of an ended campaign is queued any more."""
    await unit.run(_SQL["swept"], campaign=campaign)
