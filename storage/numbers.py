"""Our own WhatsApp numbers as they stand."""

from dataclasses import dataclass
from datetime import datetime

from engine.ids import NumberId
from storage.database import Unit
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
