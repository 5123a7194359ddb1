"""Behind a pooler of transactions: sessions keep nothing, and what is told is heard elsewhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg
import pytest

from storage import inbound, revocations
from storage.checks import postgres, require_database
from storage.database import Database
from storage.listener import Listener
from tests.database import ACME, NOON
from tests.integration.worker.world import World
from tests.pooler import Pooler, pooler


@pytest.fixture
async def pooling(database: Database) -> AsyncIterator[Pooler]:
    async with pooler(database.url) as pooling:
        yield pooling


@asynccontextmanager
async def behind(world: World, pooling: Pooler, *, listen_url: str | None) -> AsyncIterator[World]:
    """Yield the world as it is for a worker whose database_url leads to the pooler."""
    database = await Database.open(pooling.url, name="pooled", largest=3, pooled=True)
    listener = Listener(listen_url, world.clock, database)
    task = asyncio.create_task(listener.run())
    try:
        yield replace(world, database=database, listener=listener)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await database.close()


async def hears(world: World) -> bool:
    async def hearing() -> bool:
        return world.listener.hearing

    await world.until(hearing)
    return True


async def test_kept_statements_would_not_survive_it(pooling: Pooler) -> None:
    """What the other tests show would be nothing if the pooler were none."""
    kept = await Database.open(pooling.url, name="kept", largest=1)

    async def again_and_again() -> None:
        for _ in range(8):
            async with kept.owner_unit(ACME, NOON) as unit:
                await unit.connection.fetchval("select $1::int", 1)

    try:
        with pytest.raises(asyncpg.PostgresError, match="prepared statement"):
            await again_and_again()
    finally:
        await kept.close()


async def test_a_campaign_is_sent_through_it(world: World, pooling: Pooler) -> None:
    campaign = await world.campaign()
    await world.queued(campaign, await world.contacts(200))

    async with behind(world, pooling, listen_url=world.database.url) as pooled:
        assert await hears(pooled)
        await pooled.run()

    assert await world.states() == {"accepted": 200}
    assert min(pooling.transactions.values()) > 1


async def test_the_checks_look_through_it(pooling: Pooler) -> None:
    for _ in range(5):
        await require_database(pooling.url)
        assert not [each for each in await postgres(pooling.url) if each.remedy]


async def test_a_listener_that_is_led_to_the_pooler_notices_that_it_is_deaf(
    world: World, pooling: Pooler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.listener._ALIVE_S", 0.3)
    async with behind(world, pooling, listen_url=pooling.url) as pooled:

        async def tried() -> bool:
            return pooled.listener.deaf

        await world.until(tried)
        assert not pooled.listener.hearing


@pytest.mark.parametrize("of", ["contact", "campaign"])
async def test_what_is_revoked_is_given_back_where_nothing_is_heard(
    world: World, pooling: Pooler, of: str
) -> None:
    """Well before the three seconds that a STOP waits at most."""
    world.with_number(messages_per_second=8)
    campaign = await world.campaign()
    contacts = await world.contacts(60)
    await world.queued(campaign, contacts)
    async with behind(world, pooling, listen_url=None) as pooled:
        running = asyncio.create_task(pooled.run())

        async def under_way() -> bool:
            return (await world.states()).get("claimed", 0) >= 10

        await world.until(under_way)
        began = asyncio.get_running_loop().time()
        async with world.database.unit(ACME, world.clock.now()) as unit:
            if of == "contact":
                # As a STOP does it: the contact is locked, and nothing of it is due any more.
                await unit.connection.execute(
                    "select 1 from contacts where id = any($1) order by id for no key update",
                    contacts,
                )
                await unit.connection.execute(
                    "update contacts set opted_out_at = $1 where id = any($2)",
                    world.clock.now(),
                    contacts,
                )
                await revocations.revoke(unit, contacts=contacts)
            else:
                await unit.connection.execute("update campaigns set state = 'paused'")
                await revocations.revoke(unit, campaign=campaign)

        async def nothing_claimed() -> bool:
            async with world.database.unit(ACME, world.clock.now()) as unit:
                return not await inbound.about_to_start(unit, contacts=contacts)

        await world.until(nothing_claimed)
        calls = len(world.platform.calls)
        assert asyncio.get_running_loop().time() - began < 2.5
        await running
        assert len(world.platform.calls) == calls


async def test_a_reply_is_sent_where_nothing_is_heard(world: World, pooling: Pooler) -> None:
    world.with_number(messages_per_second=8)
    campaign = await world.campaign()
    (one, *others) = await world.contacts(60)
    await world.queued(campaign, others)
    async with behind(world, pooling, listen_url=None) as pooled:
        running = asyncio.create_task(pooled.run())

        async def under_way() -> bool:
            return (await world.states()).get("accepted", 0) >= 1

        await world.until(under_way)
        await world.reply(one, "Noted.")

        async def answered() -> bool:
            state = await world.value("select state from messages where campaign_id = 0")
            return bool(state == "accepted")

        await world.until(answered)
        assert (await world.states(campaign)).get("accepted", 0) < len(others)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_what_was_noted_goes_after_a_minute(world: World) -> None:
    campaign = await world.campaign()
    async with world.database.unit(ACME, world.clock.now()) as unit:
        await revocations.revoke(unit, campaign=campaign)
    await world.value("update revocations set noted_at = noted_at - interval '2 minutes'")
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        assert await revocations.forget(unit, limit=10) == 1
