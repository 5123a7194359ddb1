"""Segments that automations wait for, and how far each has been looked through."""

from dataclasses import dataclass
from datetime import datetime

from engine.ids import AutomationId, ContactId, SegmentId
from storage.database import Unit
from storage.queries import load

_SQL = load("following")


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A segment to look through now.

    Attributes:
        begun: Whether it is known who was in it to begin with.
        after: The last contact looked at.
        since: How long automations have waited for it without a gap.
    """

    segment_id: SegmentId
    begun: bool
    after: ContactId
    since: datetime


async def begin(unit: Unit) -> None:
    """Follow the segments that automations wait for, and no longer the others."""
    await unit.run(_SQL["begin"])
    await unit.run(_SQL["end"])


async def begin_anew(unit: Unit, *, automation: AutomationId) -> None:
    """Let the segment of one that begins to wait be looked at as if for the first time.

    Who came into it while no automation waited for it has not joined it.
    """
    async with unit.as_owner():
        await unit.run(_SQL["begin_anew"], automation=automation)


async def following(unit: Unit, *, before: datetime) -> Followed | None:
    """Return the segment that was not looked through since *before*, the longest ago first."""
    row = await unit.row(_SQL["next"], before=before)
    return None if row is None else Followed(**dict(row))


async def until(unit: Unit, *, after: ContactId, limit: int) -> ContactId | None:
    """Return the last of the next *limit* contacts; None: there are none."""
    last: ContactId | None = await unit.value(_SQL["until"], after=after, limit=limit)
    return last


async def followed(unit: Unit, *, segment: SegmentId, contact: ContactId | None) -> None:
    """Note how far a segment has been looked through; None: to the end, as of now."""
    await unit.run(_SQL["followed"], segment=segment, after=contact)
