"""PostgreSQL knows what is in a table as soon as a broadcast or an import has filled it."""

# ruff: noqa: E501 — SQL reads better unbroken

import asyncio
from collections.abc import AsyncIterator

import pytest

from engine.audience import Audience
from engine.ids import CampaignId, ContactId
from storage import audiences
from storage.analyzing import analyze_grown
from tests.database import ACME, NOON
from tests.integration.worker.world import World, worker
from worker.planning import plan

LEAF = "messages_202611"
FILLED = (LEAF, "contacts", "contact_identities")
MANY = 3_000


@pytest.fixture(autouse=True)
async def fresh(world: World) -> AsyncIterator[None]:
    """Let nobody have looked at the tables, and nobody look but the product."""
    await world.value("truncate messages, contacts, enrollments cascade")
    for table in FILLED:
        await world.value(f"alter table {table} set (autovacuum_enabled = false)")
    yield
    for table in FILLED:
        await world.value(f"alter table {table} reset (autovacuum_enabled)")


async def known(world: World, table: str = LEAF) -> int:
    """Return how many rows PostgreSQL takes a table to have."""
    rows: int = await world.value(
        "select reltuples::bigint from pg_class where relname = $1", table
    )
    return max(rows, 0)


async def most_common(world: World) -> object:
    return await world.value(
        "select most_common_vals::text from pg_stats where tablename = $1 and attname = 'campaign_id'",
        LEAF,
    )


async def broadcast(world: World, contacts: list[ContactId]) -> CampaignId:
    await world.value("delete from contact_tags")
    await world.value(
        "insert into contact_tags (organization_id, tag, contact_id, added_at)"
        " select $1, 'vip', id, $2 from unnest($3::bigint[]) as id",
        ACME,
        NOON,
        contacts,
    )
    audience = Audience(tags=("vip",))
    campaign = await world.campaign(audience=audience.to_json(), contacts_up_to=contacts[-1])
    async with world.database.owner_unit(ACME, NOON) as unit:
        await audiences.freeze(unit, campaign=campaign, audience=audience, up_to=contacts[-1])
    while await plan(worker(world), ACME):
        pass
    return campaign


async def test_planning_a_broadcast_leaves_statistics_of_what_it_filled(world: World) -> None:
    contacts = await world.contacts(MANY)

    campaign = await broadcast(world, contacts)

    assert await known(world) == MANY
    assert await most_common(world) == f"{{{campaign}}}"
    assert await known(world, "contacts") == await known(world, "contact_identities") == MANY


async def test_a_little_more_is_not_looked_at_again(world: World) -> None:
    contacts = await world.contacts(MANY)
    first = await broadcast(world, contacts)

    await broadcast(world, contacts[:100])

    assert await world.value("select count(*) from messages") == MANY + 100
    assert await known(world) == MANY
    assert await most_common(world) == f"{{{first}}}"


async def test_few_rows_in_an_empty_table_are_not_worth_a_look(world: World) -> None:
    await broadcast(world, await world.contacts(20))

    assert await known(world) == 0


async def test_much_more_is_looked_at_again(world: World) -> None:
    await broadcast(world, await world.contacts(400))
    before = await known(world)

    await broadcast(world, await world.contacts(MANY))

    assert await known(world) > MANY > 400 >= before


async def test_who_cannot_look_now_plans_all_the_same_and_looks_the_next_time(world: World) -> None:
    contacts = await world.contacts(MANY)
    async with world.database.pool.acquire() as other, other.transaction():
        await other.execute(f"lock table {LEAF} in share update exclusive mode")
        async with asyncio.timeout(30):
            campaign = await broadcast(world, contacts)
        assert await world.states(campaign) == {"queued": MANY}
        assert await known(world) == 0

    await analyze_grown(world.database)

    assert await known(world) == MANY


async def test_planning_goes_on_where_looking_fails(world: World) -> None:
    await world.value(
        "create function once_fine(n bigint) returns bigint immutable language plpgsql as 'begin return n; end'"
    )
    try:
        await world.value("create index on contacts (once_fine(id))")
        contacts = await world.contacts(MANY)
        await world.value(
            "create or replace function once_fine(n bigint) returns bigint immutable language plpgsql as 'begin return n / 0; end'"
        )

        campaign = await broadcast(world, contacts)

        assert await known(world, "contacts") == 0
        assert await world.states(campaign) == {"queued": MANY}
    finally:
        await world.value("drop function once_fine cascade")


async def test_a_table_that_cannot_be_looked_at_does_not_keep_the_others_from_it(
    world: World,
) -> None:
    await world.value(
        "create function refusing(bigint) returns bigint immutable language plpgsql as"
        " 'begin return 1; end'"
    )
    await world.value("create index refused on contact_identities (refusing(contact_id))")
    await world.contacts(MANY)
    await world.value(
        "create or replace function refusing(bigint) returns bigint immutable language plpgsql as"
        " 'begin raise division_by_zero; end'"
    )

    try:
        await analyze_grown(world.database)
    finally:
        await world.value("drop function refusing cascade")

    assert await known(world, "contact_identities") == 0
    assert await known(world, "contacts") == MANY
