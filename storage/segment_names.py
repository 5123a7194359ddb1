"""The names that segments are written with."""

from engine.campaign import Kind
from engine.segment_text import Known
from storage import attributes, campaigns, lists, segments, tags
from storage.database import Unit


async def known(unit: Unit) -> Known:
    """Return the names there are."""
    return Known(
        attributes=await attributes.known(unit),
        tags=await tags.known(unit),
        lists=await lists.names(unit),
        segments=await segments.names(unit),
        campaigns={
            name: (found.id, found.kind is Kind.BROADCAST)
            for name, found in (await campaigns.named(unit, archived=True)).items()
        },
    )
