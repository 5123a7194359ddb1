"""A number that leaves the configuration leaves nobody behind."""

from datetime import timedelta

from storage import leases, work
from tests.database import ACME, NOON
from tests.integration.worker.world import NUMBER, OTHER_NUMBER, World, worker
from worker.completion import complete
from worker.jobs import JOBS
from worker.planning import plan

MOVE = "move_strays"


def leave(world: World) -> None:
    """Take the first number out of the configuration."""
    world.with_rules(numbers=world.rules.numbers[1:])


async def wanted(world: World) -> list[str]:
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        return await work.jobs(unit, numbers=world.rules.number_ids)


async def move(world: World) -> None:
    while await JOBS[MOVE](worker(world), ACME):
        pass


async def waiting(world: World) -> dict[str, int]:
    rows = await world.rows(
        "select number_id || ':' || state as place, count(*) as count from messages group by 1"
    )
    return {row["place"]: row["count"] for row in rows}


async def test_what_waited_for_the_number_goes_from_another(world: World) -> None:
    campaign = await world.campaign(number_id=NUMBER)
    await world.queued(campaign, await world.contacts(3))
    assert MOVE not in await wanted(world)

    leave(world)
    assert MOVE in await wanted(world)
    await move(world)

    assert await waiting(world) == {f"{OTHER_NUMBER}:queued": 3}
    assert MOVE not in await wanted(world)
    await world.run(OTHER_NUMBER)
    assert await world.states() == {"accepted": 3}


async def test_its_messages_keep_a_broadcast_open_until_they_have_moved(world: World) -> None:
    await world.queued(await world.campaign(), await world.contacts(1))
    leave(world)
    for _ in range(2):
        await complete(worker(world), ACME)
        world.clock.advance(timedelta(seconds=11))
    assert await world.value("select state from campaigns") == "running"

    await move(world)
    await world.run(OTHER_NUMBER)
    for _ in range(2):
        await complete(worker(world), ACME)
        world.clock.advance(timedelta(seconds=11))
    assert await world.value("select state from campaigns") == "completed"


async def test_what_was_claimed_on_it_is_in_doubt(world: World) -> None:
    await world.queued(await world.campaign(), await world.contacts(2))
    await world.value("update messages set state = 'claimed', generation = 0")
    leave(world)
    await move(world)

    assert await waiting(world) == {f"{NUMBER}:unknown": 2}
    world.clock.advance(timedelta(hours=2))
    assert "reconcile" in await wanted(world)


async def test_nothing_moves_while_a_process_still_sends_on_it(world: World) -> None:
    await world.queued(await world.campaign(), await world.contacts(2))
    async with world.database.owner_unit(ACME, NOON) as unit:
        await leases.acquire(unit, name=f"lane:{NUMBER}", holder="older")
    leave(world)
    await move(world)

    assert await waiting(world) == {f"{NUMBER}:queued": 2}


async def test_planning_leaves_out_a_number_that_left(world: World) -> None:
    contacts = await world.contacts(2)
    drip = await world.campaign(kind="drip", state="active", number_id=NUMBER)
    await world.enrolled(drip, contacts)
    await world.campaign(
        number_id=NUMBER,
        audience={"everyone": True},
        contacts_up_to=contacts[-1],
    )
    leave(world)
    await plan(worker(world), ACME)

    assert await waiting(world) == {f"{OTHER_NUMBER}:queued": 4}
