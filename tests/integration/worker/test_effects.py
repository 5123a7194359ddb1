"""What follows from failures: contacts suppressed, taps closed, staff told once."""

# ruff: noqa: E501 — SQL reads better unbroken

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from storage import audit_seal, effects
from tests.database import ACME, NOON
from tests.integration.worker.world import NUMBER, OTHER_NUMBER, World, worker
from worker.jobs import seal_audit


async def told(world: World, kind: str) -> int:
    count: int = await world.value("select count(*) from events where kind = $1", kind)
    return count


async def send(world: World, code: int, *, contacts: int = 3, **campaign: Any) -> None:  # noqa: ANN401 — SQL values
    await world.queued(await world.campaign(**campaign), await world.contacts(contacts))
    world.platform.behave = lambda _: code
    await world.run()


@pytest.mark.parametrize(
    ("code", "column"),
    [
        pytest.param(131050, "platform_stopped_at", id="stopped marketing"),
        pytest.param(131021, "unreachable_at", id="ourselves"),
        pytest.param(130403, "blocked_at", id="blocked by us"),
    ],
)
async def test_a_contact_is_suppressed_with_proof(world: World, code: int, column: str) -> None:
    await send(world, code, contacts=1)

    assert await world.value(f"select {column} is not null from contacts")  # noqa: S608 — a column
    ledger = await world.rows("select channel, reference from consents")
    assert ledger == [{"channel": "platform", "reference": f"error {code}"}]


async def test_some_codes_need_two_messages_to_suppress(world: World) -> None:
    await send(world, 131026, contacts=1)
    assert await world.value("select unreachable_at from contacts") is None
    await world.value("update campaigns set state = 'completed'")

    contact = await world.value("select id from contacts")
    await world.queued(await world.campaign(), [contact])
    await world.run()

    assert await world.value("select unreachable_at is not null from contacts")


async def test_a_template_that_is_gone_stops_its_campaign_alone(world: World) -> None:
    await send(world, 132001, contacts=60)
    other = await world.campaign()
    await world.queued(other, await world.contacts(3))
    world.platform.behave = lambda _: "accept"

    await world.run()

    rows = await world.rows(
        "select closed_until::text, closed_why is not null as why from campaigns order by id"
    )
    assert rows == [
        {"closed_until": "infinity", "why": True},
        {"closed_until": None, "why": False},
    ]
    assert await told(world, "campaign_stopped") == 1
    assert (await world.states(other)) == {"accepted": 3}


async def test_a_token_that_is_refused_stops_all_numbers_and_keeps_the_queue(world: World) -> None:
    await send(world, 190, contacts=60)
    tried = len(world.platform.calls)

    await world.run()

    assert len(world.platform.calls) == tried
    assert await world.states() == {"queued": 60}
    closed = await world.rows("select id from numbers where closed_until = 'infinity' order by id")
    assert [row["id"] for row in closed] == [NUMBER, OTHER_NUMBER]
    assert await told(world, "number_stopped") == 2
    assert await told(world, "failure") == 1


async def test_a_closed_window_is_forgotten(world: World) -> None:
    contact = (await world.contacts(1))[0]
    await world.value(
        "insert into service_windows values ($1, $2, $3, $4)", ACME, NUMBER, contact, NOON
    )
    await world.queued(await world.campaign(content={"type": "text", "body": "Hi"}), [contact])
    world.platform.behave = lambda _: 131047

    await world.run()

    assert await world.value("select count(*) from service_windows") == 0
    assert await world.states() == {"dead:failed": 1}


async def test_one_bad_value_does_not_stop_a_campaign_and_many_do(world: World) -> None:
    await send(world, 131009, contacts=4)
    assert await told(world, "campaign_stopped") == 0

    await world.value("update campaigns set state = 'completed'")
    await send(world, 131009, contacts=6)
    assert await told(world, "campaign_stopped") == 1


async def test_the_same_is_told_once_an_hour_also_by_two_at_once(world: World) -> None:
    async def tell(at: timedelta) -> None:
        async with world.database.owner_unit(ACME, NOON + at) as unit:
            await effects.tell_staff(unit, kind="failure", campaign=None, content={"code": 1})
            await asyncio.sleep(0.05)

    await asyncio.gather(*(tell(timedelta(0)) for _ in range(5)))
    await tell(timedelta(minutes=59))
    assert await told(world, "failure") == 1

    await tell(timedelta(minutes=61))
    assert await told(world, "failure") == 2


async def test_what_stops_again_after_staff_resumed_is_told_again(world: World) -> None:
    campaign = await world.campaign()
    for minutes in (0, 1, 2):
        async with world.database.owner_unit(ACME, NOON + timedelta(minutes=minutes)) as unit:
            await effects.close_campaign(unit, campaign=campaign, until=None, why="quality")
            await effects.close_campaign(unit, campaign=campaign, until=None, why="quality")
        if minutes == 1:
            continue
        await world.value("update campaigns set closed_until = null, closed_why = null")

    assert await told(world, "campaign_stopped") == 2


async def test_two_lanes_that_fail_at_once_do_not_deadlock(world: World) -> None:
    """Both close the campaign, suppress the same contacts, and count in the same statistics."""
    contacts = await world.contacts(200)
    for code in (131050, 132001):
        world.platform.behave = lambda _, code=code: code  # type: ignore[misc] # a default of ours
        for _ in range(2):
            campaign = await world.campaign()
            await world.queued(campaign, contacts)
            await world.queued(await world.campaign(), contacts, number=OTHER_NUMBER)
        await asyncio.gather(world.run(NUMBER), world.run(OTHER_NUMBER))

    assert "claimed" not in await world.states()
    deadlocks = await world.value(
        "select deadlocks from pg_stat_database where datname = current_database()"
    )
    assert deadlocks == 0


async def test_the_audit_log_is_a_chain_and_shows_what_was_changed(world: World) -> None:
    async def note(count: int) -> None:
        await world.value(
            "insert into audit_log (organization_id, at, actor, action, subject, content)"
            " select $1, $2, 'U0OWNER', 'campaign.paused', 'drip:' || n, '{\"a\": 1}' from generate_series(1, $3::int) n",
            ACME,
            NOON,
            count,
        )

    async def broken_at() -> int | None:
        async with world.database.owner_unit(ACME, NOON) as unit:
            return await audit_seal.broken_at(unit)

    await note(5)
    late = await world.database.pool.acquire()
    transaction = late.transaction()
    await transaction.start()
    await late.execute(
        "insert into audit_log (organization_id, at, actor, action, subject) values ($1, $2, 'U', 'x', 'late')",
        ACME,
        NOON,
    )
    await note(5)
    await seal_audit(worker(world), ACME)
    await transaction.commit()
    await world.database.pool.release(late)
    await seal_audit(worker(world), ACME)

    assert await world.value("select count(*) from audit_log where seal is null") == 0
    assert await broken_at() is None
    await world.value("update audit_log set actor = 'U0OTHER' where place = 4")
    assert await broken_at() == 4
    await world.value("update audit_log set actor = 'U0OWNER' where place = 4")
    await world.value("delete from audit_log where place = 7")
    assert await broken_at() == 7
