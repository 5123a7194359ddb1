"""What waits behind a closed tap until it is too late for it."""

from collections.abc import Sequence

from engine.ids import CampaignId, MessageId
from storage.database import Unit
from storage.queries import load

_SQL = load("expiry")


async def stopped(unit: Unit) -> list[CampaignId]:
    """Return campaigns that a closed tap keeps from sending, locked against being resumed."""
    return [row["id"] for row in await unit.rows(_SQL["stopped"])]


async def expired(unit: Unit, *, campaigns: Sequence[CampaignId], limit: int) -> list[MessageId]:
    """Return messages of *campaigns* behind a closed tap whose deadline has passed.

    Args:
        limit: How many are looked at of each campaign and number, those that waited longest.
    """
    rows = await unit.rows(_SQL["expired"], campaigns=campaigns, limit=limit)
    return [row["id"] for row in rows]
