"""What triggers act on: contacts created and tags added, each taken once."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from engine.ids import CampaignId, ContactId
from storage.database import Unit
from storage.queries import load

_SQL = load("occurrences")


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """Something that happened to a contact.

    Attributes:
        trigger: What campaigns that enroll by it say: ``contact_created``, ``tag:<tag>``.
    """

    id: int
    contact_id: ContactId
    trigger: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggeredDrip:
    """A drip with a trigger; what happened before *started_at* is none of its business."""

    id: CampaignId
    trigger: str
    started_at: datetime


async def take(unit: Unit, *, limit: int) -> list[Occurrence]:
    """Take the next occurrences, in order; they come again unless this unit commits."""
    rows = await unit.rows(_SQL["take"], limit=limit)
    return [
        Occurrence(
            id=row["id"],
            contact_id=row["contact_id"],
            trigger=f"tag:{row['value']}" if row["kind"] == "tag_added" else row["kind"],
            at=row["at"],
        )
        for row in sorted(rows, key=lambda row: row["id"])
    ]


async def triggered(unit: Unit, *, triggers: Collection[str]) -> list[TriggeredDrip]:
    """Return the drips that one of *triggers* enrolls into, locked against being changed."""
    rows = await unit.rows(_SQL["triggered"], triggers=sorted(triggers))
    return [TriggeredDrip(**dict(row)) for row in rows]
