"""What is too late behind a closed tap is left out, and what ended is swept: no row stays."""

from datetime import timedelta

import pytest

from engine.ids import ContactId
from storage import work
from tests.database import ACME, NOON
from tests.integration.worker.test_recount import differences
from tests.integration.worker.world import NUMBER, OTHER_NUMBER, World, worker
from worker.completion import complete
from worker.expiry import expire

HOUR = timedelta(hours=1)
TAPS = {
    "number": "update numbers set closed_until = 'infinity', closed_why = 'x' where id = $1",
    "organization": "update organizations set closed_until = 'infinity' where $1 <> ''",
    "campaign": "update campaigns set closed_until = 'infinity', closed_why = 'x' where $1 <> ''",
}


async def wanted(world: World) -> bool:
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        return "expire" in await work.jobs(unit, numbers=[NUMBER, OTHER_NUMBER])


async def expired(world: World) -> None:
    while await expire(worker(world), ACME):
        pass


async def late_ones(world: World, count: int = 3) -> tuple[int, list[ContactId]]:
    """Queue messages whose deadline passed an hour ago, and as many that have time."""
    campaign = await world.campaign()
    contacts = await world.contacts(2 * count)
    await world.queued(campaign, contacts[:count], deadline_at=NOON + HOUR)
    await world.queued(campaign, contacts[count:], deadline_at=NOON + 9 * HOUR)
    world.clock.advance(2 * HOUR)
    return campaign, contacts


@pytest.mark.parametrize("tap", TAPS)
async def test_what_is_too_late_behind_a_closed_tap_is_left_out(world: World, tap: str) -> None:
    await late_ones(world)
    await world.value(TAPS[tap], NUMBER)
    assert await wanted(world)

    await expired(world)

    assert await world.states() == {"skipped:expired": 3, "queued": 3}
    assert not await wanted(world)
    assert await differences(world) == []


async def test_a_broadcast_behind_it_completes_in_the_end(world: World) -> None:
    campaign, _ = await late_ones(world)
    await world.value(TAPS["number"], NUMBER)
    world.clock.advance(24 * HOUR)
    await expired(world)
    await complete(worker(world), ACME)
    world.clock.advance(timedelta(seconds=11))
    await complete(worker(world), ACME)

    assert await world.value("select state from campaigns where id = $1", campaign) == "completed"


async def test_what_an_open_tap_lets_through_is_the_claims_to_judge(world: World) -> None:
    await late_ones(world)
    await world.value(TAPS["number"], OTHER_NUMBER)

    assert not await wanted(world)
    await expired(world)

    assert await world.states() == {"queued": 6}


async def test_a_pause_is_held_against_nothing(world: World) -> None:
    await late_ones(world)
    await world.value(TAPS["number"], NUMBER)
    await world.value("update campaigns set state = 'paused'")
    assert not await wanted(world)
    await expired(world)
    assert await world.states() == {"queued": 6}
    await world.value("update campaigns set state = 'running', held_s = 7200")
    await expired(world)
    assert await world.states() == {"queued": 6}


async def test_nor_is_that_of_an_enrollment(world: World) -> None:
    campaign = await world.campaign(kind="drip", state="active")
    (one, other) = await world.contacts(2)
    (paused, active) = await world.enrolled(campaign, [one, other])
    await world.queued(campaign, [one], run=paused, deadline_at=NOON + HOUR)
    await world.queued(campaign, [other], run=active, deadline_at=NOON + HOUR)
    await world.value(
        "update enrollments set state = 'paused', paused_at = $2, paused_by = 'U' where id = $1",
        paused,
        NOON,
    )
    await world.value(TAPS["number"], NUMBER)
    world.clock.advance(2 * HOUR)

    await expired(world)

    assert await world.states() == {"skipped:expired": 1, "queued": 1}


async def test_what_waits_for_an_answer_about_a_restore_waits(world: World) -> None:
    await late_ones(world)
    await world.value(TAPS["number"], NUMBER)
    await world.value("update organizations set database_identity = 'another'")

    assert not await wanted(world)
    await expired(world)

    assert await world.states() == {"queued": 6}


@pytest.mark.parametrize("state", ["cancelled", "archived"])
async def test_what_is_queued_of_an_ended_campaign_is_cancelled(world: World, state: str) -> None:
    campaign = await world.campaign()
    await world.queued(campaign, await world.contacts(4))
    await world.value(TAPS["number"], NUMBER)
    await world.set_state(campaign, state)

    while await complete(worker(world), ACME):
        pass

    assert await world.states() == {"cancelled:campaign_ended": 4}
    assert await differences(world) == []
