"""Our own WhatsApp numbers as they stand, and the messages of those we no longer have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.ids import NumberId
from storage.database import Unit
from storage.leases import EXPIRY_S
from storage.queries import load

_SQL = load("numbers")


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberState:
    """A number.

    Attributes:
        messages_per_second: What the platform reports; None: nothing yet.
        closed_until: Its tap is closed until then, year 9999: until a person opens it; None: open.
    """

    id: NumberId
    phone: str
    messages_per_second: int | None
    quality: str
    messaging_limit: str | None
    verified_name: str | None
    closed_until: datetime | None
    closed_why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationTap:
    """Why no number of the organization sends for now."""

    until: datetime
    why: str | None


async def states(unit: Unit) -> dict[NumberId, NumberState]:
    """Return the numbers the platform has been asked about, also those no longer configured."""
    return {row["id"]: NumberState(**dict(row)) for row in await unit.rows(_SQL["states"])}


async def organization_tap(unit: Unit) -> OrganizationTap | None:
    """Return the closed tap of the organization; None: it is open."""
    row = await unit.row(_SQL["organization_tap"])
    if row is None:
        return None
    return OrganizationTap(until=row["closed_until"], why=row["closed_why"])


async def know(unit: Unit, *, phones: Mapping[NumberId, str]) -> None:
    """Note the configured numbers with their phones (E.164); none is ever forgotten."""
    await unit.run(_SQL["know"], ids=list(phones), phones=list(phones.values()))


async def strays(unit: Unit, *, configured: Sequence[NumberId]) -> list[NumberId]:
    """Return numbers no longer configured, on which nobody sends, with messages waiting."""
    rows = await unit.rows(_SQL["strays"], configured=configured, expiry_s=EXPIRY_S)
    return [row["id"] for row in rows]


async def move(unit: Unit, *, number: NumberId, configured: Sequence[NumberId], limit: int) -> int:
    """Let messages queued for *number* wait for a configured one; return how many.

    Args:
        configured: In the order of the configuration; the first takes what no campaign and no
            contact has a number for.
    """
    return await unit.run(
        _SQL["move"],
        number=number,
        configured=configured,
        standard=configured[0],
        limit=limit,
    )
