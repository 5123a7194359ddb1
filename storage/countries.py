"""Countries WhatsApp does not let the account write to, until staff let it be tried again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.countries import Banned
from engine.ids import ContactId
from storage.database import Unit
from storage.queries import load

_SQL = load("countries")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """A country nobody of which is written to.

    Attributes:
        contacts: How many are left out for it.
    """

    country: str
    since: datetime
    contacts: int


async def ban(unit: Unit, *, country: str) -> bool:
    """Let nobody of *country* be written to; False: it was so already."""
    return await unit.row(_SQL["ban"], country=country) is not None


async def of(unit: Unit, *, contacts: Sequence[ContactId]) -> Mapping[ContactId, str]:
    """Return the countries of contacts; those of none are absent."""
    rows = await unit.rows(_SQL["of"], contacts=list(contacts))
    return {row["id"]: row["country"] for row in rows}


async def banned(unit: Unit) -> Banned:
    return Banned.of(await unit.value(_SQL["banned"]))


async def bans(unit: Unit) -> list[Ban]:
    """Return what is banned, by country; it counts all contacts."""
    return [Ban(**dict(row)) for row in await unit.rows(_SQL["bans"])]


async def open_country(unit: Unit, *, country: str) -> bool:
    """Let *country* be written to again; False: it may be."""
    return await unit.row(_SQL["open"], country=country) is not None
