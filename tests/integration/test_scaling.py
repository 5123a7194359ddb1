"""What distributing the tables by organization needs (docs/scaling.md)."""

import re
from collections.abc import Iterator
from typing import Any

import asyncpg
import orjson
import pytest

from storage import queries
from storage.database import Database

# Queries that touch no row of an organization, or that an operator gives by hand.
NOT_OF_AN_ORGANIZATION = {
    ("analyzing", "grown"): "how large tables are",
    ("imports", "plan_anew"): "a setting of the transaction",
    ("inbound", "attach_leaf"): "schema",
    ("planning", "attach_leaf"): "schema",
    ("planning", "attach_leaves"): "schema",
    ("planning", "oldest_second"): "schema",
    ("templates", "attach_leaf"): "schema",
    ("upkeep", "drop_empty_leaf"): "schema",
    ("upkeep", "forget_webhook_failures"): "the owner's, once an hour",
    ("webhook_failures", "keep"): "the owner's: of nobody known yet",
    ("webhook_failures", "waiting"): "by hand: dripline replay",
    ("webhook_failures", "replayed"): "by hand: dripline replay",
}
# Their rows belong to no organization, or are kept before it is known whose they are.
OWNERS_TABLES = {"webhook_failures"}

QUERIES = [
    pytest.param(aggregate, query, id=f"{aggregate}.{query.name}")
    for aggregate in queries.aggregates()
    for query in queries.load(aggregate).values()
    if (aggregate, query.name) not in NOT_OF_AN_ORGANIZATION
]


@pytest.mark.parametrize(("aggregate", "query"), QUERIES)
def test_every_query_names_one_organization(aggregate: str, query: queries.Query) -> None:
    assert "organization" in query.parameters, aggregate


async def test_every_scan_of_a_plan_is_bound_to_that_organization(database: Database) -> None:
    """Postgres says it: no row is read in any plan without its organization being compared."""
    async with database.pool.acquire() as connection:
        tenant = await _tenant_tables(connection)
        loose = []
        for aggregate in queries.aggregates():
            for query in queries.load(aggregate).values():
                if (aggregate, query.name) in NOT_OF_AN_ORGANIZATION:
                    continue
                plan = await _plan(connection, query)
                loose += [
                    f"{aggregate}.{query.name} reads {node['Relation Name']} of everybody"
                    for node in _scans(plan)
                    if _table(node["Relation Name"], tenant) and not _bound(node)
                ]
    assert loose == []


async def test_every_key_of_an_organizations_table_carries_the_organization(
    database: Database,
) -> None:
    rows = await database.pool.fetch(
        "select c.relname as table, i.indexrelid::regclass::text as index,"
        "       exists (select from unnest(i.indkey::smallint[]) k(n)"
        "                 join pg_attribute a on a.attrelid = c.oid and a.attnum = k.n"
        "                where a.attname = 'organization_id') as carries"
        "  from pg_index i join pg_class c on c.oid = i.indrelid"
        " where c.relnamespace = 'public'::regnamespace and i.indisunique"
        "   and exists (select from pg_attribute a"
        "                where a.attrelid = c.oid and a.attname = 'organization_id')"
    )

    lacking = {row["index"] for row in rows if not row["carries"]}

    assert {row["table"] for row in rows} >= {"contacts", "messages", "campaigns", "leases"}
    assert lacking == {f"{table}_pkey" for table in OWNERS_TABLES}


async def _tenant_tables(connection: asyncpg.Connection) -> frozenset[str]:
    rows = await connection.fetch(
        "select table_name from information_schema.columns"
        " where table_schema = 'public' and column_name = 'organization_id'"
    )
    return frozenset(row["table_name"] for row in rows) - OWNERS_TABLES


async def _plan(connection: asyncpg.Connection, query: queries.Query) -> dict[str, Any]:
    """Return the plan that holds for any values."""
    await connection.execute("set plan_cache_mode = force_generic_plan")
    await connection.execute(f"prepare looked_at as {query.text}")
    try:
        values = ", ".join(["null"] * len(query.parameters))
        explained = await connection.fetchval(
            f"explain (format json, costs off) execute looked_at{f'({values})' if values else ''}"
        )
    finally:
        await connection.execute("deallocate looked_at")
    plan: dict[str, Any] = (orjson.loads(explained) if isinstance(explained, str) else explained)[
        0
    ]["Plan"]
    return plan


def _scans(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every node that reads a table; what a bitmap is made of counts as its condition."""
    below = node.get("Plans", [])
    if "Relation Name" in node and node["Node Type"] != "ModifyTable":
        yield {**node, "Recheck Cond": f"{node.get('Recheck Cond')} {below}"}
    for each in below:
        yield from _scans(each)


def _table(relation: str, tenant: frozenset[str]) -> bool:
    return relation in tenant or re.fullmatch(r"messages_\w+", relation) is not None


def _bound(node: dict[str, Any]) -> bool:
    conditions = ("Index Cond", "Recheck Cond", "Filter", "Join Filter", "Hash Cond", "TID Cond")
    return any("organization_id" in str(node.get(each, "")) for each in conditions)
