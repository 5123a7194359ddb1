"""What the platform says of each number: kept, told to staff, and followed at once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from storage import numbers, tasks, template_sync
from storage.tasks import READ_ACCOUNTS
from tests.database import ACME, NOON
from tests.integration.worker.world import NUMBER, World, worker
from worker.accounts import read_accounts

LIMIT = "whatsapp_business_manager_messaging_limit"


async def read(world: World, **account: Any) -> None:  # noqa: ANN401 — the platform's own fields
    world.platform.account = account
    await read_accounts(worker(world), ACME)


def health(can_send: str, *reasons: str) -> dict[str, Any]:
    entity = {
        "entity_type": "PHONE_NUMBER",
        "id": NUMBER,
        "can_send_message": can_send,
        "errors": [{"error_code": 141000, "error_description": each} for each in reasons],
    }
    return {"can_send_message": can_send, "entities": [entity]}


async def told(world: World) -> list[dict[str, Any]]:
    return await world.rows("select content from events where kind = 'number_health' order by id")


async def test_what_the_platform_says_of_a_number_is_kept(world: World) -> None:
    await read(world, **{LIMIT: "TIER_2K"})

    async with world.database.owner_unit(ACME, NOON) as unit:
        state = (await numbers.states(unit))[NUMBER]
    assert (state.messages_per_second, state.quality, state.verified_name) == (80, "green", "Acme")
    assert (state.messaging_limit, state.can_send, state.reasons) == ("TIER_2K", "AVAILABLE", [])
    assert await told(world) == []


async def test_what_it_leaves_out_is_as_before(world: World) -> None:
    await read(world, **{LIMIT: "TIER_2K"})
    await read(world, throughput={"level": "NOT_APPLICABLE"}, verified_name=None)

    async with world.database.owner_unit(ACME, NOON) as unit:
        state = (await numbers.states(unit))[NUMBER]
    assert (state.messaging_limit, state.messages_per_second) == ("TIER_2K", 80)
    assert state.verified_name == "Acme"


async def test_staff_are_told_once_that_sending_is_limited_and_once_that_it_is_not(
    world: World,
) -> None:
    world.with_rules(numbers=world.rules.numbers[:1])
    for state in (
        health("LIMITED", "The name is not approved."),
        health("LIMITED", "The name is not approved."),
        health("BLOCKED"),
        health("AVAILABLE"),
        health("AVAILABLE"),
    ):
        await read(world, health_status=state)

    limited = {"number": NUMBER, "can_send": "LIMITED", "reasons": ["The name is not approved."]}
    blocked = {"number": NUMBER, "can_send": "BLOCKED", "reasons": []}
    available = {"number": NUMBER, "can_send": "AVAILABLE", "reasons": []}
    assert [each["content"] for each in await told(world)] == [limited, blocked, available]


async def test_a_number_that_cannot_be_read_does_not_hold_up_the_others(world: World) -> None:
    world.platform.strangers = {NUMBER}

    await read(world)

    rows = await world.rows("select id, verified_name from numbers order by id")
    assert [row["verified_name"] for row in rows] == [None, "Acme"]
    result = await world.value("select result from tasks where name = $1", READ_ACCOUNTS)
    assert result["numbers"] == 1
    assert result["problem"].startswith("+15550001111"[:5])


async def test_accounts_are_read_daily_when_asked_for_and_again_soon_after_a_problem(
    world: World,
) -> None:
    assert await _wanted(world)
    await read(world)
    assert not await _wanted(world)
    world.clock.advance(timedelta(hours=23))
    assert not await _wanted(world)
    world.clock.advance(timedelta(hours=2))
    assert await _wanted(world)

    world.platform.healthy = False
    await read(world)
    assert not await _wanted(world)
    world.clock.advance(timedelta(seconds=61))
    assert await _wanted(world)

    world.platform.healthy = True
    await read(world)
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        await tasks.request(unit, name=READ_ACCOUNTS, by="start")
    assert await _wanted(world)


async def _wanted(world: World) -> bool:
    at = world.clock.now()
    async with world.database.owner_unit(ACME, at) as unit:
        await template_sync.task_wanted(
            unit, name=READ_ACCOUNTS, since=at - timedelta(days=1), again=at - timedelta(minutes=1)
        )
    wanted: bool = await world.value(
        "select done_at is null or done_at < requested_at from tasks where name = $1", READ_ACCOUNTS
    )
    return wanted


async def test_campaigns_that_wait_for_a_place_go_on_when_the_limit_is_raised(
    world: World,
) -> None:
    await read(world, **{LIMIT: "TIER_50"})
    world.clock.stand()
    await world.queued(await world.campaign(), await world.contacts(60))
    await world.run()
    assert await world.states() == {"accepted": 50, "queued": 10}

    await read(world, **{LIMIT: "TIER_2K"})
    await world.run()

    assert await world.states() == {"accepted": 60}


async def test_a_full_lane_follows_another_throughput_without_waiting_for_its_renewal(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told: its lease is never renewed here, and there is no room to claim anything."""
    monkeypatch.setattr("worker.lane._RENEW_S", 3600.0)
    monkeypatch.setattr("worker.lane._FRESH_S", 3600.0)
    await world.value("update numbers set messages_per_second = 20")
    await world.queued(await world.campaign(), await world.contacts(100))
    world.platform.answering.clear()
    lane = world.lane()
    stopping = asyncio.Event()
    running = asyncio.create_task(lane.run(stopping))
    await world.until(lambda: _now(len(world.platform.calls) == 16))
    assert lane.memory.window.limit == 20

    async with world.database.owner_unit(ACME, NOON) as unit:
        await numbers.save_account(
            unit,
            number=NUMBER,
            phone="+15550001111",  # type: ignore[arg-type] # a text is one
            messages_per_second=80,
            quality=None,
            messaging_limit=None,
            verified_name=None,
            can_send=None,
            reasons=(),
        )
    await world.until(lambda: _now(lane.memory.window.limit == 80))

    stopping.set()
    world.platform.answering.set()
    await running


async def _now(holds: bool) -> bool:  # noqa: FBT001 — what the lambda has seen
    return holds


async def test_a_number_that_is_too_fast_slows_down_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the first refusal, before its lease is renewed or anything is claimed again."""
    monkeypatch.setattr("worker.lane._RENEW_S", 3600.0)
    monkeypatch.setattr("worker.lane._FRESH_S", 3600.0)
    await world.queued(await world.campaign(), await world.contacts(1))
    world.platform.behave = lambda _: 130429
    lane = world.lane()

    await lane.run(asyncio.Event())

    assert lane.memory.window.limit == 500
    assert await world.states() == {"queued": 1}
    # It may be allowed less by now.
    asked = "select done_at is null from tasks where name = $1"
    assert await world.value(asked, READ_ACCOUNTS)
