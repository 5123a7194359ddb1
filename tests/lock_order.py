# ruff: noqa: ANN401 — SQL values
"""The order in which a transaction takes its row locks, seen from beside it.

After each statement of a unit another connection asks which rows it can no longer lock. What is
new since the statement before was locked by that statement, whatever its SQL looks like.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

import asyncpg

from engine.ids import OrganizationId
from storage.database import Database, Unit
from storage.queries import Query

KEYS = {
    "leases": "name",
    "campaigns": "id",
    "contacts": "id",
    "enrollments": "id",
    "messages": "id",
    "campaign_stats": "campaign_id, step_id, variant_id, hour, metric",
    "numbers": "id",
    "segments": "id",
    "contact_lists": "id",
}
"""The tables in the order in which their rows are locked, and by which key within each."""

_TABLES = tuple(KEYS)
_NAMED = ("segments", "contact_lists")
Key = tuple[Any, ...]


@dataclass(slots=True)
class LockOrder:
    """What units have locked, and where they left the order.

    Attributes:
        tables: In which rows were locked at all, over all units.
        broken: A sentence for each step back.
    """

    database: Database
    tables: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)

    async def locked(self) -> dict[str, frozenset[Key]]:
        """Return the rows that somebody else has locked now."""
        async with self.database.pool.acquire() as connection:
            return {table: await _locked(connection, table) for table in KEYS}


class Watched(Unit):
    """A unit that looks after each statement what it has locked."""

    def __init__(self, unit: Unit, order: LockOrder) -> None:
        super().__init__(unit.connection, unit.organization, unit.at)
        self._order = order
        self._held: dict[str, frozenset[Key]] = {table: frozenset() for table in KEYS}

    async def rows(self, query: Query, **values: Any) -> list[asyncpg.Record]:
        found = await super().rows(query, **values)
        await self._look(query)
        return found

    async def row(self, query: Query, **values: Any) -> asyncpg.Record | None:
        found = await super().row(query, **values)
        await self._look(query)
        return found

    async def value(self, query: Query, **values: Any) -> Any:
        found = await super().value(query, **values)
        await self._look(query)
        return found

    async def run(self, query: Query, **values: Any) -> int:
        count = await super().run(query, **values)
        await self._look(query)
        return count

    async def _look(self, query: Query) -> None:
        before, self._held = self._held, await self._order.locked()
        # It never waits, so that nobody waits for it in a circle.
        waits = "skip locked" not in query.text
        for rank, table in enumerate(_TABLES):
            new = self._held[table] - before[table]
            if not new:
                continue
            self._order.tables.add(table)
            later = [other for other in _TABLES[rank + 1 :] if before[other]]
            if waits and later:
                self._order.broken.append(f"{query.name}: {table} after {', '.join(later)}")
            if waits and before[table] and min(new) < max(before[table]):
                self._order.broken.append(f"{query.name}: {table} {sorted(new)} behind others")
            if waits and len(new) > 1 and "order by" not in query.text:
                self._order.broken.append(f"{query.name}: {table} in no order")


class WatchedDatabase(Database):
    """The same database, its units watched. One at a time, or they would see each other's locks."""

    order: LockOrder

    @classmethod
    def of(cls, database: Database) -> Self:
        watched = cls(database.pool, database.url)
        watched.order = LockOrder(database)
        return watched

    @asynccontextmanager
    async def unit(self, organization: OrganizationId, at: datetime) -> AsyncIterator[Unit]:
        async with super().unit(organization, at) as unit:
            yield Watched(unit, self.order)

    @asynccontextmanager
    async def owner_unit(self, organization: OrganizationId, at: datetime) -> AsyncIterator[Unit]:
        async with super().owner_unit(organization, at) as unit:
            yield Watched(unit, self.order)


async def _locked(connection: asyncpg.Connection, table: str) -> frozenset[Key]:
    keys = KEYS[table]
    # Who begins to name a list or segment locks no more than its key.
    strength = "update" if table in _NAMED else "no key update"
    every = await connection.fetch(f"select {keys} from {table}")  # noqa: S608 — names of ours
    free = await connection.fetch(
        f"select {keys} from {table} for {strength} skip locked"  # noqa: S608 — the same
    )
    return frozenset(map(tuple, every)) - frozenset(map(tuple, free))
