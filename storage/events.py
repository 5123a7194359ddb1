"""What staff are to be told: written by everybody, read in the order of commits by the relay."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NewType

from engine.ids import CampaignId, NumberId
from storage import slack_posts
from storage.database import Unit
from storage.queries import load

_SQL = load("events")

EventId = NewType("EventId", int)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something staff are told.

    Attributes:
        content: What the kind says it has; whoever renders the kind reads it.
        at: Business time at which it happened.
    """

    id: EventId
    kind: str
    campaign_id: CampaignId | None
    content: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a contact wrote.

    Attributes:
        text: None: it was no text, such as a picture; *kind* says what.
        name: None: not known.
        phone: None: only WhatsApp's own ids of the contact are known.
        campaign: The name of the campaign it answers; None: none.
    """

    text: str | None
    kind: str
    at: datetime
    name: str | None
    phone: str | None
    campaign: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNumber:
    """A number of ours, and whether its tap is closed."""

    phone: str
    closed: bool


async def answer(unit: Unit, *, inbound: int) -> Answer | None:
    """Return an inbound message and its sender; None: it is gone."""
    row = await unit.row(_SQL["answer"], inbound=inbound)
    return None if row is None else Answer(**dict(row))


async def own_number(unit: Unit, *, number: NumberId) -> OwnNumber | None:
    """Return a number of ours; None: it was never heard of."""
    row = await unit.row(_SQL["own_number"], number=number)
    return None if row is None else OwnNumber(phone=row["phone"], closed=bool(row["closed"]))


async def open_number(unit: Unit, *, number: NumberId) -> str | None:
    """Open the tap of a number and return its phone; None: it was open already."""
    phone: str | None = await unit.value(_SQL["open_number"], number=number)
    return phone


async def waiting(
    unit: Unit,
    *,
    kinds: Collection[str] = (),
    others: bool = True,
    besides: Collection[EventId],
    limit: int,
) -> list[Event]:
    """Return events not yet told, in the order of their transactions, without *besides*.

    Args:
        others: Whether of all kinds but *kinds*, instead of those.
    """
    rows = await unit.rows(
        _SQL["waiting"], kinds=list(kinds), others=others, besides=list(besides), limit=limit
    )
    return [Event(**dict(row)) for row in rows]


async def relayed(unit: Unit, *, event: EventId, error: str | None = None) -> None:
    """Note that an event was told; *error*: that it was given up, and why."""
    await unit.run(_SQL["relayed"], event=event, error=error)


async def unrelayed(unit: Unit) -> int:
    """Return how much staff have yet to see: events, and cards whose last state is not shown."""
    events: int = await unit.value(_SQL["count_waiting"])
    return events + await slack_posts.unfinished_cards(unit)
