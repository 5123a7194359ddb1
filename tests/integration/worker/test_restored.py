"""A restored or promoted database: nothing is sent until staff say, and then what they said."""

# ruff: noqa: E501 — SQL reads better unbroken

import asyncio
from datetime import timedelta

from storage import leases, restores, work
from tests.database import ACME, NOON
from tests.integration.worker.world import NUMBER, World
from worker.claims import Claims, LeaseMoved


async def another_database(world: World) -> None:
    await world.value("update organizations set database_identity = 'another'")


async def settled(world: World) -> None:
    await world.value("update organizations set database_identity = database_identity()")


async def test_no_lane_opens_and_none_is_wanted(world: World) -> None:
    campaign = await world.campaign()
    await world.queued(campaign, await world.contacts(3))
    await another_database(world)

    assert not await world.run()

    assert await world.states() == {"queued": 3}
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        assert await work.lanes(unit, numbers=[NUMBER]) == []
        idle = await work.idle(unit, grace=timedelta(minutes=10))
        assert idle.next_due is None
    await settled(world)
    await world.run()
    assert await world.states() == {"accepted": 3}


async def test_a_lease_taken_before_claims_nothing_after(world: World) -> None:
    """The server is another one under the very connection, as behind a pooler."""
    campaign = await world.campaign()
    await world.queued(campaign, await world.contacts(3))
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        lease = await leases.acquire(unit, name=f"lane:{NUMBER}", holder="me")
    assert lease is not None
    await another_database(world)

    try:
        async with world.database.owner_unit(ACME, world.clock.now()) as unit:
            await Claims(world.rules, world.rules.numbers[0]).claim(unit, lease, room=9, replies=9)
    except LeaseMoved:
        pass
    else:
        raise AssertionError("claimed")
    assert await world.states() == {"queued": 3}


async def test_a_lane_under_way_ends(world: World) -> None:
    world.with_number(messages_per_second=20)
    campaign = await world.campaign()
    await world.queued(campaign, await world.contacts(400))
    running = asyncio.create_task(world.run())

    async def some() -> bool:
        return (await world.states()).get("accepted", 0) > 0

    await world.until(some)
    await another_database(world)
    async with asyncio.timeout(20):
        await running
    states = await world.states()
    assert set(states) == {"accepted", "queued"}
    assert states["queued"] > 0


async def test_what_was_due_by_then_is_left_out_and_later_ones_are_sent(world: World) -> None:
    campaign = await world.campaign(left_out_before=NOON)
    early, edge, late = await world.contacts(3)
    await world.queued(campaign, [early], due_at=NOON - timedelta(hours=1))
    await world.queued(campaign, [edge], due_at=NOON)
    await world.queued(campaign, [late], due_at=NOON + timedelta(microseconds=1))
    world.clock.advance(timedelta(minutes=1))

    await world.run()

    assert await world.states() == {"skipped:restored": 2, "accepted": 1}


async def test_a_first_start_notes_the_database_silently(world: World) -> None:
    await world.value("update organizations set database_identity = null")
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        assert not await restores.moved(unit)
        await restores.notice(unit)
    assert await world.value(
        "select database_identity = database_identity() from organizations where organization_id = $1",
        ACME,
    )
    assert await world.value("select count(*) from events") == 0
