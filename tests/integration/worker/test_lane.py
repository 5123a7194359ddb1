"""Lanes on a real database against a platform that fails: everybody gets exactly one message."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial

import pytest
from structlog.testing import capture_logs

from storage import leases, recount, redriving, sending
from storage.messages import Taken
from tests.database import ACME, NOON
from tests.integration.worker.platform import Behaviour
from tests.integration.worker.world import NUMBER, OTHER_NUMBER, World
from worker import calls
from worker.lane import Lane
from worker.memory import Memory

UNDER_WAY = 16
"""Calls a slow number may have under way at once."""


async def wrong_counts(world: World) -> list[recount.Difference]:
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        return await recount.differences(unit, repair=False)


async def test_every_contact_gets_exactly_one_message(world: World) -> None:
    campaign = await world.campaign()
    await world.queued(campaign, await world.contacts(300))

    more = await world.run()

    assert not more
    assert set(world.platform.per_message().values()) == {1}
    assert len(world.platform.accepted) == 300
    assert await world.states() == {"accepted": 300}
    assert await wrong_counts(world) == []


async def test_the_rate_of_the_number_is_kept_across_runs_and_holders(world: World) -> None:
    world.with_number(messages_per_second=40)
    campaign = await world.campaign()
    await world.queued(campaign, await world.contacts(110))

    async def stop_soon(lane: Lane) -> None:
        stopping = asyncio.Event()
        run = asyncio.create_task(lane.run(stopping))
        await asyncio.sleep(0.6)
        stopping.set()
        await run

    await stop_soon(world.lane())  # two runs of one process, then another process
    await stop_soon(world.lane())
    await stop_soon(world.lane(fresh=True))
    await world.lane(fresh=True).run(asyncio.Event())

    assert len(world.platform.accepted) == 110
    assert world.platform.most_in_a_second() <= 38
    assert set(world.platform.per_message().values()) == {1}


@asynccontextmanager
async def under_way(world: World) -> AsyncIterator[None]:
    """A run with as many calls under way as there may be, and more claimed; the block ends it.

    Nothing starts before the platform answers.
    """
    world.platform.answering.clear()
    running = asyncio.create_task(world.run())
    await world.until(lambda: _sent(world, UNDER_WAY))
    await world.until(lambda: _more_claimed(world))
    try:
        yield
    finally:
        world.platform.answering.set()
        await running


async def test_replies_go_before_everything_else(world: World) -> None:
    world.with_number(messages_per_second=20)
    contacts = await world.contacts(60)
    await world.queued(await world.campaign(), contacts)

    async with under_way(world):
        await world.reply(contacts[0], "You get no more messages.")
        await world.until(lambda: _replies_claimed(world))

    texts = [taken.text for taken in world.platform.calls]
    # It starts before all others; two calls may change places on their way.
    assert texts.index("You get no more messages.") <= UNDER_WAY + 1


async def test_a_paused_campaign_returns_what_it_claimed_and_has_not_started(world: World) -> None:
    world.with_number(messages_per_second=20)
    campaign = await world.campaign()
    await world.queued(campaign, await world.contacts(80))

    async with under_way(world):
        await world.set_state(campaign, "paused")
        await world.until(lambda: _in_state(world, claimed=UNDER_WAY, queued=80 - UNDER_WAY))

    assert await world.states() == {"accepted": UNDER_WAY, "queued": 80 - UNDER_WAY}

    await world.set_state(campaign, "running")
    await world.run()
    assert await world.states() == {"accepted": 80}
    assert set(world.platform.per_message().values()) == {1}


async def test_a_stop_takes_back_what_was_claimed_for_the_contact(world: World) -> None:
    world.with_number(messages_per_second=20)
    contacts = await world.contacts(30)
    await world.queued(await world.campaign(), contacts)

    async with under_way(world):
        await world.until(lambda: _claimed(world, contacts[-1]))
        await world.value("update contacts set opted_out_at = $1 where id = $2", NOON, contacts[-1])
        await world.notify("dripline_revoke", organization=ACME, contacts=[contacts[-1]])
        await world.until(lambda: _not_claimed(world, contacts[-1]))

    phones = await world.rows(
        "select value from contact_identities where contact_id = $1", contacts[-1]
    )
    assert phones[0]["value"] not in {taken.to for taken in world.platform.calls}
    assert await world.states() == {"accepted": 29, "skipped:opted_out": 1}


async def test_a_pause_gives_back_the_cap_it_had_reserved(world: World) -> None:
    world.with_number(messages_per_second=20)
    campaign = await world.campaign(settings={"per_day": 40})
    await world.queued(campaign, await world.contacts(60))
    running = asyncio.create_task(world.run())
    await world.until(lambda: _sent(world, 5))
    await world.set_state(campaign, "paused")
    await running

    await world.set_state(campaign, "running")
    while await world.run():
        pass

    assert len(world.platform.accepted) == 40
    assert await world.states() == {"accepted": 40, "queued": 20}


async def test_two_lanes_on_one_number_never_both_send(world: World) -> None:
    campaign = await world.campaign()
    await world.queued(campaign, await world.contacts(200))

    first, second = await asyncio.gather(
        world.lane().run(asyncio.Event()), world.lane(fresh=True).run(asyncio.Event())
    )

    assert (first, second) == (False, False)
    assert set(world.platform.per_message().values()) == {1}
    assert await world.value("select generation from leases where name like 'lane:%'") == 1


async def test_a_frozen_holder_that_wakes_up_starts_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.with_number(messages_per_second=20)
    await world.queued(await world.campaign(), await world.contacts(80))
    # Its last renewal counts until we say that it stood still.
    monkeypatch.setattr("worker.lane._RENEW_S", 3600)
    monkeypatch.setattr("worker.lane._FRESH_S", 3600)

    async with under_way(world):
        await world.value("update leases set holder = 'another', generation = generation + 1")
        await world.value(
            "update messages set state = 'unknown' where state = 'claimed' and generation = 1"
        )
        monkeypatch.setattr("worker.lane._FRESH_S", -1)

    assert len(world.platform.calls) == UNDER_WAY
    # It knows which calls never started, and says so whoever holds the lease.
    assert await world.states() == {"accepted": UNDER_WAY, "queued": 80 - UNDER_WAY}


async def test_a_claim_under_an_old_lease_is_refused(world: World) -> None:
    campaign = await world.campaign()
    await world.queued(campaign, await world.contacts(5))
    lane = world.lane()
    lease = await lane._acquire()  # noqa: SLF001 — the moment after it
    assert lease is not None
    await world.value("update leases set holder = 'another', generation = generation + 1")

    claimed = await lane._claim(lease, room=100)  # noqa: SLF001 — as its loop does

    assert claimed == 0
    assert lane._lost  # noqa: SLF001 — so the loop ends
    assert await world.states() == {"queued": 5}


async def test_what_a_dead_holder_had_claimed_is_in_doubt(world: World) -> None:
    campaign = await world.campaign()
    contacts = await world.contacts(5)
    await world.queued(campaign, contacts)
    dead = world.lane(fresh=True)
    lease = await dead._acquire()  # noqa: SLF001 — its last deeds
    assert lease is not None
    await dead._claim(lease, room=100)  # noqa: SLF001 — then it died
    assert not await world.run()
    assert world.platform.calls == []
    await world.value("update leases set renewed_at = renewed_at - interval '5 seconds'")

    await world.run()

    assert await world.states() == {"unknown": 5}
    assert world.platform.calls == []


@pytest.mark.parametrize(
    ("behaviour", "state"),
    [
        pytest.param("500", "unknown", id="an answer that says nothing"),
        pytest.param("lose the answer", "unknown", id="no answer"),
        pytest.param(131026, "dead:failed", id="refused for good"),
        pytest.param(131016, "queued", id="refused for now"),
        pytest.param(131056, "queued", id="deferred"),
    ],
)
async def test_how_a_call_ended_is_recorded(world: World, behaviour: Behaviour, state: str) -> None:
    await world.queued(await world.campaign(), await world.contacts(3))
    world.platform.behave = lambda _: behaviour

    await world.run()

    assert await world.states() == {state: 3}
    assert await wrong_counts(world) == []


async def test_what_staff_try_again_waits_for_a_limit_as_if_for_the_first_time(
    world: World,
) -> None:
    campaign = await world.campaign()
    contacts = await world.contacts(1)
    await world.queued(campaign, contacts)
    codes = iter([131056, 131056, 131056, 131051, 131056])
    world.platform.behave = lambda _: next(codes)
    for after in range(4):
        world.clock.stand(NOON + timedelta(hours=after))
        await world.run()
    assert await world.states() == {"dead:failed": 1}

    async with world.database.unit(ACME, world.clock.now()) as unit:
        await redriving.redrive(unit, campaign=campaign, contacts=contacts, by="U0OWNER")
    await world.run()

    assert await world.states() == {"queued": 1}
    wait = await world.value("select due_at from messages") - world.clock.now()
    assert wait == timedelta(seconds=1)


@pytest.mark.parametrize(("code", "calls"), [(130429, 9), (131056, 19)])
async def test_a_number_that_is_too_fast_goes_at_half_its_rate_for_a_while(
    world: World, code: int, calls: int
) -> None:
    world.with_number(messages_per_second=20)
    await world.queued(await world.campaign(), await world.contacts(1))
    world.platform.behave = lambda _: code

    await world.run()
    world.platform.behave = lambda _: "accept"
    await world.run()

    assert world.memories[NUMBER].window.capacity == calls


async def test_what_never_left_us_is_queued_again_at_once(world: World) -> None:
    await world.queued(await world.campaign(), await world.contacts(3))
    address = world.platform.url
    world.platform.url = "http://127.0.0.1:1"

    await world.run()
    assert await world.states() == {"queued": 3}
    assert await world.value("select max(tries) from messages") == 0

    world.platform.url = address
    world.clock.advance(timedelta(seconds=3))
    await world.run()
    assert await world.states() == {"accepted": 3}
    assert set(world.platform.per_message().values()) == {1}


async def test_retries_after_one_two_and_four_minutes_then_dead(world: World) -> None:
    await world.queued(await world.campaign(), await world.contacts(1))
    world.platform.behave = lambda _: 131016
    counts: list[int] = []

    await world.run()
    for minutes in (1, 2, 4):
        world.clock.advance(timedelta(minutes=minutes, seconds=-20))
        await world.run()  # it is not yet time
        counts.append(len(world.platform.calls))
        world.clock.advance(timedelta(seconds=20))
        await world.run()

    assert counts == [1, 2, 3]
    assert len(world.platform.calls) == 4
    assert await world.states() == {"dead:failed": 1}
    assert [taken.attempt for taken in world.platform.calls] == [1, 2, 3, 4]
    assert await wrong_counts(world) == []


async def test_a_platform_that_is_away_is_asked_for_its_health_instead(world: World) -> None:
    world.with_number(messages_per_second=200)
    await world.queued(await world.campaign(), await world.contacts(200))
    world.platform.behave = lambda _: "500"
    world.platform.healthy = False
    stopping = asyncio.Event()
    running = asyncio.create_task(world.lane().run(stopping))
    await world.until(lambda: _probed(world, 2))
    tried = len(world.platform.calls)
    await asyncio.sleep(0.5)

    assert len(world.platform.calls) == tried
    assert (await world.states())["queued"] == 200 - tried

    world.platform.behave = lambda _: "accept"
    world.platform.healthy = True
    await world.until(lambda: _accepted(world, 200 - tried))
    stopping.set()
    await running
    assert await world.states() == {"accepted": 200 - tried, "unknown": tried}


async def test_the_next_run_still_knows_that_the_platform_is_away(world: World) -> None:
    await world.queued(await world.campaign(), await world.contacts(50))
    world.platform.behave = lambda _: "500"
    world.platform.healthy = False
    tried: list[int] = []
    for probes in (1, 2):
        stopping = asyncio.Event()
        running = asyncio.create_task(world.lane().run(stopping))
        await world.until(partial(_probed, world, probes))
        stopping.set()
        await running
        tried.append(len(world.platform.calls))

    assert tried[0] == tried[1] == len({taken.message for taken in world.platform.calls})
    assert not world.memories[NUMBER].breaker.closed


async def test_stopping_under_load_leaves_nothing_in_doubt(world: World) -> None:
    await world.queued(await world.campaign(), await world.contacts(600))
    world.platform.latency = 0.05
    for _ in range(4):
        stopping = asyncio.Event()
        running = asyncio.create_task(world.lane().run(stopping))
        await asyncio.sleep(0.25)
        stopping.set()
        assert await running in {True, False}
        states = await world.states()
        assert set(states) <= {"accepted", "queued"}

    await world.run()
    assert await world.states() == {"accepted": 600}
    assert set(world.platform.per_message().values()) == {1}


async def test_a_cancelled_run_leaves_nothing_in_doubt(world: World) -> None:
    await world.queued(await world.campaign(), await world.contacts(200))
    world.platform.latency = 0.05
    for _ in range(3):
        running = asyncio.create_task(world.lane().run(asyncio.Event()))
        await asyncio.sleep(0.15)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        assert set(await world.states()) <= {"accepted", "queued"}

    await world.run()
    assert await world.states() == {"accepted": 200}
    assert set(world.platform.per_message().values()) == {1}


async def test_a_database_that_restarts_costs_no_message(world: World) -> None:
    """Its connections are cut in the middle of claims, records and renewals."""
    world.with_number(messages_per_second=200)
    await world.queued(await world.campaign(), await world.contacts(500))
    running = asyncio.create_task(world.run())
    for _ in range(12):
        await asyncio.sleep(0.1)
        with suppress(Exception):
            await world.value(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity"
                " where usename = current_user and pid <> pg_backend_pid()"
            )
    await running
    while await world.run():
        pass

    assert await world.states() == {"accepted": 500}
    assert set(world.platform.per_message().values()) == {1}
    assert await wrong_counts(world) == []


async def test_numbers_send_beside_each_other(world: World) -> None:
    campaign = await world.campaign()
    contacts = await world.contacts(40)
    await world.queued(campaign, contacts[:20])
    await world.queued(campaign, contacts[20:], number=OTHER_NUMBER)

    await asyncio.gather(world.run(NUMBER), world.run(OTHER_NUMBER))

    assert Counter(taken.number for taken in world.platform.accepted) == {
        NUMBER: 20,
        OTHER_NUMBER: 20,
    }


async def test_a_pace_is_kept_across_runs_and_replies_do_not_wait_for_it(world: World) -> None:
    world.with_number(pace=(timedelta(seconds=40), timedelta(seconds=100)))
    contacts = await world.contacts(3)
    await world.queued(await world.campaign(), contacts)

    assert not await world.run()
    assert not await world.lane(fresh=True).run(asyncio.Event())
    assert len(world.platform.calls) == 1

    await world.reply(contacts[0], "Thank you.")
    await world.run()
    assert [taken.text for taken in world.platform.calls] == ["welcome", "Thank you."]

    world.clock.advance(timedelta(seconds=101))
    await world.run()
    assert len(world.platform.calls) == 3


async def test_results_are_recorded_by_the_next_run_if_the_database_was_away(world: World) -> None:
    await world.queued(await world.campaign(), await world.contacts(5))
    lane = world.lane()
    lease = await lane._acquire()  # noqa: SLF001 — the middle of its run
    assert lease is not None
    await lane._claim(lease, room=100)  # noqa: SLF001 — as its loop does
    lane._start_what_may()  # noqa: SLF001 — the same
    await world.until(lambda: _resulted(world.memories[NUMBER], 5))
    await world.value("update leases set renewed_at = renewed_at - interval '5 seconds'")

    await world.run()

    assert await world.states() == {"accepted": 5}


async def test_a_result_that_cannot_be_recorded_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.queued(await world.campaign(), await world.contacts(5))
    lane = world.lane()

    def taken(results: list[calls.Result]) -> list[Taken]:
        if any(result.call.message.id == poison for result in results):
            raise ValueError("no")
        return calls.taken(results)

    poison = await world.value("select min(id) from messages")
    monkeypatch.setattr("worker.recording.taken", taken)
    await lane.run(asyncio.Event())

    assert await world.states() == {"accepted": 4, "claimed": 1}


async def test_an_unexpected_error_of_a_call_makes_it_doubtful(world: World) -> None:
    await world.queued(await world.campaign(), await world.contacts(2))
    await world.session.close()  # so that every call raises what no call should

    with capture_logs() as lines:
        await world.run()

    assert await world.states() == {"unknown": 2}
    assert [line["event"] for line in lines].count("lane.call_failed") == 2


async def test_a_lease_moves_within_its_expiry_and_the_next_holder_waits_a_second(
    world: World,
) -> None:
    async with world.database.owner_unit(ACME, NOON) as unit:
        lease = await leases.acquire(unit, name="lane:x", holder="one")
        assert lease is not None
        assert lease.last_call_age_s is None
        assert await leases.renew(unit, lease, call_age_s=0.1)
    await world.value("update leases set renewed_at = renewed_at + interval '1 hour'")
    async with world.database.owner_unit(ACME, NOON) as unit:
        assert await leases.acquire(unit, name="lane:x", holder="two") is None
    await world.value("update leases set renewed_at = renewed_at - interval '1 hour 5 seconds'")
    async with world.database.owner_unit(ACME, NOON) as unit:
        moved = await leases.acquire(unit, name="lane:x", holder="two")
        assert moved is not None
        assert moved.generation == lease.generation + 1
        assert moved.last_call_age_s is not None
        assert moved.last_call_age_s >= 0.1
        assert not await leases.renew(unit, lease, call_age_s=None)
        assert await sending.hold(unit, lease, number=NUMBER) is None
        await leases.release(unit, lease, call_age_s=None)
        assert await sending.hold(unit, moved, number=NUMBER) is not None


async def test_a_released_lease_is_free_at_once(world: World) -> None:
    async with world.database.owner_unit(ACME, NOON) as unit:
        lease = await leases.acquire(unit, name="lane:x", holder="one")
        assert lease is not None
        await leases.release(unit, lease, call_age_s=None)
        assert await leases.acquire(unit, name="lane:x", holder="two") is not None


async def test_what_a_lost_claim_took_is_found_again(world: World) -> None:
    """Its commit went through, and we never heard of it."""
    await world.queued(await world.campaign(), await world.contacts(5))
    lane = world.lane()
    lease = await lane._acquire()  # noqa: SLF001 — the middle of its run
    assert lease is not None
    ids = await world.rows("select id from messages order by id limit 3")
    async with world.database.owner_unit(ACME, NOON) as unit:
        await sending.take(
            unit,
            templates={row["id"]: None for row in ids},
            generation=lease.generation,
            notes=(),
            capped=0,
        )
    lane._astray = True  # noqa: SLF001 — as after a lost connection

    await lane._find_astray(lease)  # noqa: SLF001 — as its loop does

    assert await world.states() == {"queued": 5}


async def _sent(world: World, count: int) -> bool:
    return len(world.platform.calls) >= count


async def _accepted(world: World, count: int) -> bool:
    return len(world.platform.accepted) >= count


async def _probed(world: World, count: int) -> bool:
    return world.platform.probes >= count


async def _in_state(world: World, **states: int) -> bool:
    return await world.states() == states


async def _more_claimed(world: World) -> bool:
    return (await world.states()).get("claimed", 0) > UNDER_WAY


async def _replies_claimed(world: World) -> bool:
    return bool(
        await world.value("select bool_and(state = 'claimed') from messages where campaign_id = 0")
    )


async def _claimed(world: World, contact: int) -> bool:
    state = await world.value("select state from messages where contact_id = $1", contact)
    return bool(state == "claimed")


async def _not_claimed(world: World, contact: int) -> bool:
    return not await _claimed(world, contact)


async def _resulted(memory: Memory, count: int) -> bool:
    return len(memory.results) == count
