"""Statistics are counted in SQL as the engine counts them, and repairs add what is missing."""

# ruff: noqa: E501 — SQL reads better unbroken

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.config import Config
from engine.message import PROGRESS, State
from engine.reasons import Reason
from storage import messages, recount
from storage.recount import Difference
from tests.database import ACME, NOON
from tests.examples import ON_POSTGRES
from tests.integration.worker.world import World

TIMES = st.none() | st.integers(0, 3).map(lambda hours: NOON + timedelta(minutes=25 * hours))
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "state": st.sampled_from([*State]),
            "reason": st.sampled_from([*Reason]),
            "accepted_at": TIMES,
            "sent_at": TIMES,
            "delivered_at": TIMES,
            "read_at": TIMES,
            "replied_at": TIMES,
        }
    ),
    max_size=30,
)

COLUMNS = ("state", "reason", "accepted_at", "sent_at", "delivered_at", "read_at", "replied_at")


async def differences(world: World, *, repair: bool = False) -> list[Difference]:
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        return await recount.differences(unit, repair=repair)


@ON_POSTGRES
@given(ROWS)
async def test_sql_counts_as_the_engine_does(world: World, rows: list[dict[str, Any]]) -> None:
    await world.value("delete from messages")
    await world.value("delete from campaign_stats")
    campaign = await world.campaign()
    contacts = await world.contacts(len(rows)) if rows else []
    await world.queued(campaign, contacts)
    await world.value("delete from campaign_stats")
    await world.value(
        "update messages m set state = r.state, reason = r.reason, accepted_at = r.accepted_at, sent_at = r.sent_at,"
        " delivered_at = r.delivered_at, read_at = r.read_at, replied_at = r.replied_at"
        "  from unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],"
        "              $7::timestamptz[], $8::timestamptz[])"
        "       as r(contact_id, state, reason, accepted_at, sent_at, delivered_at, read_at, replied_at)"
        " where m.contact_id = r.contact_id",
        contacts,
        *([row[column] for row in rows] for column in COLUMNS),
    )

    counted = {
        (each.campaign, each.step, each.variant, each.hour, each.metric): each.counted
        for each in await differences(world)
    }

    expected: Counter[messages.StatKey] = Counter()
    async with world.database.owner_unit(ACME, NOON) as unit:
        ids = [row["id"] for row in await world.rows("select id from messages")]
        for stored in (await messages.locked(unit, ids)).values():
            for hour, metric in stored.message.contributions():
                expected[campaign, stored.step_id, 0, hour, metric] += 1
    assert counted == expected


async def test_a_repair_puts_right_what_is_wrong_once(world: World) -> None:
    await world.queued(await world.campaign(), await world.contacts(5))
    await world.run()
    await world.value("update campaign_stats set count = count + 2 where metric = 'accepted'")
    await world.value("delete from campaign_stats where metric = 'planned'")
    await world.value(
        "insert into campaign_stats select organization_id, campaign_id, step_id, 0, hour, 'read', 9 from campaign_stats"
    )

    wrong = {
        (each.metric, each.told, each.counted) for each in await differences(world, repair=True)
    }

    assert wrong == {("accepted", 7, 5), ("planned", 0, 5), ("read", 9, 0)}
    assert await differences(world) == []
    assert await world.value("select count(*) from events where kind = 'recount_repaired'") == 1


async def test_the_command_tells_every_difference(world: World) -> None:
    await world.queued(await world.campaign(name="Welcome"), await world.contacts(5))
    await world.value("update campaign_stats set count = 4")

    found = await recount.recount(
        world.database.url, Config.model_construct(organizations={ACME: None}), world.clock
    )

    assert [str(each) for each in found] == [
        f"acme: campaign {found[0].campaign}, step {found[0].step}, 2026-11-20 12:00 UTC, planned: 4 instead of 5"
    ]
    assert await differences(world) == []


async def test_a_repair_during_sending_loses_nothing(world: World) -> None:
    world.with_number(messages_per_second=200)
    await world.queued(await world.campaign(), await world.contacts(150))
    await world.value("update campaign_stats set count = count - 40")
    running = asyncio.create_task(world.run())
    while not running.done():
        await differences(world, repair=True)
        await asyncio.sleep(0.05)
    await running

    assert await world.states() == {State.ACCEPTED: 150}
    assert await differences(world) == []
    assert PROGRESS[0] is State.ACCEPTED
