"""What a lease is worth: held by one, and nothing after its end."""

import asyncio

import pytest

from engine.ids import NumberId
from storage import leases, sending
from storage.database import CONNECTION_LOST, Database
from tests.database import ACME, NOON
from tests.integration.worker.world import World
from worker import lane
from worker.whatsapp import client

LANE = "lane:1"


async def _ended(database: Database) -> None:
    """Let the lease be as old as after four seconds of silence."""
    await database.pool.execute(
        "update leases set renewed_at = clock_timestamp() - interval '5 seconds'"
    )


async def test_an_ended_lease_can_neither_be_renewed_nor_claimed_under(database: Database) -> None:
    """Whoever saw it end, such as the answer to a STOP, has relied on that."""
    async with database.owner_unit(ACME, NOON) as unit:
        lease = await leases.acquire(unit, name=LANE, holder="one")
    assert lease is not None
    await _ended(database)

    async with database.owner_unit(ACME, NOON) as unit:
        renewed = await leases.renew(unit, lease, call_age_s=None)
        held = await sending.hold(unit, lease, number=NumberId("x"))

    assert not renewed
    assert held is None


async def test_a_living_lease_is_renewed_and_nobody_else_gets_it(database: Database) -> None:
    async with database.owner_unit(ACME, NOON) as unit:
        lease = await leases.acquire(unit, name=LANE, holder="one")
        assert lease is not None
        second = await leases.acquire(unit, name=LANE, holder="two")
        renewed = await leases.renew(unit, lease, call_age_s=0.1)

    assert second is None
    assert renewed


async def test_giving_back_twice_does_not_touch_a_call_claimed_in_between(world: World) -> None:
    campaign = await world.campaign()
    await world.queued(campaign, await world.contacts(1))
    message = await world.value("select id from messages")
    async with world.database.owner_unit(ACME, NOON) as unit:
        await sending.take(unit, templates={message: None}, generation=1, notes=(), capped=0)
        first = await sending.give_back(unit, attempts={message: 1}, generation=1)
        await sending.take(unit, templates={message: None}, generation=1, notes=(), capped=0)
        again = await sending.give_back(unit, attempts={message: 1}, generation=1)

    assert first == {message}
    assert again == frozenset()
    assert await world.value("select state from messages") == "claimed"


def test_a_call_has_left_or_never_leaves_before_its_lease_may_be_another_ones() -> None:
    """A call waits for its connection after the last look at the lease."""
    assert lane._FRESH_S + client.CONNECT_TIMEOUT < leases.EXPIRY_S  # noqa: SLF001 — a lane's own


async def test_a_host_that_vanished_in_the_middle_of_a_claim_does_not_keep_its_lane(
    database: Database,
) -> None:
    """Its transaction stays open, and locks the lease: nothing tells PostgreSQL of its end."""
    async with asyncio.timeout(30):
        async with database.owner_unit(ACME, NOON) as unit:
            lease = await leases.acquire(unit, name=LANE, holder="vanished")
        assert lease is not None
        with pytest.raises(CONNECTION_LOST):  # noqa: PT012 — it is lost somewhere in it
            async with database.owner_unit(ACME, NOON) as claiming:
                await sending.hold(claiming, lease, number=NumberId("x"))
                await _ended(database)
                async with database.pool.acquire() as other:
                    taken = await other.fetchval(_TAKEN_OVER, ACME, LANE)
                await sending.hold(claiming, lease, number=NumberId("x"))

    assert taken == lease.generation + 1


async def test_nobody_waits_for_a_lease_that_a_claim_is_made_under(database: Database) -> None:
    """Each look of the tick would keep a connection, until other organizations find none."""
    async with database.owner_unit(ACME, NOON) as unit:
        lease = await leases.acquire(unit, name=LANE, holder="one")
    assert lease is not None
    await _ended(database)

    async def acquired() -> leases.Lease | None:
        async with asyncio.timeout(2), database.owner_unit(ACME, NOON) as unit:
            return await leases.acquire(unit, name=LANE, holder="two")

    async with database.pool.acquire() as claiming, claiming.transaction():
        await claiming.execute("select from leases where name = $1 for share", LANE)
        assert await asyncio.create_task(acquired()) is None
    assert await asyncio.create_task(acquired()) is not None


_TAKEN_OVER = """
update leases set holder = 'other', generation = generation + 1, renewed_at = clock_timestamp()
 where organization_id = $1 and name = $2 and renewed_at < clock_timestamp() - interval '4 seconds'
returning generation
"""
