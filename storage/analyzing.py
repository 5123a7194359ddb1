"""Telling PostgreSQL what is in tables that were filled at once, before autovacuum gets to them.

Of a table it has never looked at, it takes any condition to hold for a few rows, and a claim among
a million then takes seconds.
"""

from typing import Final

import asyncpg
import structlog

from storage.database import CONNECTION_LOST, Database
from storage.queries import load

_SQL = load("analyzing")

_FILLED: Final = (
    "messages",
    "enrollments",
    "contacts",
    "contact_identities",
    "contact_tags",
    "list_members",
)
_TIMES: Final = 10
"""Autovacuum looks again after a tenth of growth, within a minute; so few looks are cheap."""
_UNKNOWN: Final = 10
"""Pages that PostgreSQL takes an unknown table to have at least."""
_LONGEST: Final = "20s"

log = structlog.get_logger()


async def analyze_grown(database: Database) -> None:
    """Have tables looked at that many rows came into, each in a transaction of its own.

    It waits for nobody and fails for nothing: what cannot be done now is done after the next slice,
    or by autovacuum.
    """
    try:
        async with database.pool.acquire() as connection:
            query = _SQL["grown"]
            values = {"tables": _FILLED, "times": _TIMES, "unknown": _UNKNOWN}
            grown = await connection.fetch(query.text, *(values[name] for name in query.parameters))
            for row in grown:
                await _analyze(connection, row)
    except (asyncpg.PostgresError, *CONNECTION_LOST) as failed:
        log.warning("tables.not_looked_at", reason=type(failed).__name__)


async def _analyze(connection: asyncpg.Connection, table: asyncpg.Record) -> None:
    try:
        async with connection.transaction():
            await connection.execute(f"set local statement_timeout = '{_LONGEST}'")
            # The name is PostgreSQL's own, and one of ours.
            await connection.execute(f'analyze (skip_locked) public."{table["name"]}"')
    except asyncpg.PostgresError as failed:
        if connection.is_closed():
            raise
        # One table must not keep the others from it.
        log.warning("table.not_analyzed", table=table["name"], reason=type(failed).__name__)
    else:
        log.info("table.analyzed", table=table["name"], rows_known_before=table["known"])
