"""What must not start any more: told to senders as it is committed, and kept for a moment besides.

A sender behind a pooler hears no NOTIFY; it looks here instead.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import orjson

from engine.clock import Clock
from engine.ids import CampaignId, ContactId, OrganizationId
from storage.database import Unit
from storage.queries import load

REVOKE: Final = "dripline_revoke"
_SQL = load("revocations")
_TOGETHER: Final = 300  # a payload holds 8,000 bytes
_SEEN_FOR_S: Final = 30.0  # longer than any transaction that notes one


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Messages that must not start any more: of contacts, or of a whole campaign.

    Attributes:
        heard: Seconds of the monotonic clock.
    """

    organization: OrganizationId
    contacts: frozenset[ContactId]
    campaign: CampaignId | None
    heard: float

    def covers(self, contact: ContactId, campaign: CampaignId | None) -> bool:
        return campaign is not None and (contact in self.contacts or campaign == self.campaign)


async def revoke(
    unit: Unit, *, contacts: Collection[ContactId] = (), campaign: CampaignId | None = None
) -> None:
    """Have senders give back what they claimed of these and have not started."""
    ordered = sorted(contacts)
    if not ordered and campaign is None:
        return
    await unit.run(_SQL["note"], contacts=ordered, campaign=campaign)
    for start in range(0, max(1, len(ordered)), _TOGETHER):
        told: dict[str, object] = {"organization": unit.organization}
        if campaign is not None:
            told["campaign"] = campaign
        if ordered:
            told["contacts"] = ordered[start : start + _TOGETHER]
        await unit.notify(REVOKE, orjson.dumps(told).decode())


async def latest(unit: Unit, *, clock: Clock) -> dict[int, Revocation]:
    """Return what was noted of late, by id; in a unit of the owner."""
    rows = await unit.rows(_SQL["latest"], within_s=_SEEN_FOR_S)
    # After the look, so that no claim that began before it passes for a later one.
    heard = clock.monotonic()
    return {
        row["id"]: Revocation(
            organization=unit.organization,
            contacts=frozenset(row["contacts"]),
            campaign=row["campaign_id"],
            heard=heard,
        )
        for row in rows
    }


async def forget(unit: Unit, *, limit: int) -> int:
    """Forget what everybody has seen; return how many rows that were."""
    return await unit.run(_SQL["forget"], limit=limit)
