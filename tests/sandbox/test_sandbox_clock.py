"""The walk ahead in time, and what the sandbox keeps between starts."""

import asyncio
import struct
from datetime import datetime, timedelta

import pytest

from sandbox.clock import Clock
from sandbox.wire import Refused, microseconds, rfc3339
from tests.sandbox.test_sandbox_whatsapp_moods import message
from tests.sandbox.world import Json, Start, World


def idle(*, idle: bool = True, next_due: str | None = None) -> Json:
    return {"idle": idle, "next_due": next_due, "due": 0, "claimed": 0, "unrelayed": 0}


async def test_the_offset_stands_in_eight_bytes(world: World) -> None:
    before = await world.get("clock")

    walked = await world.ahead(3600)

    (offset,) = struct.unpack("<q", world.settings.clock_path.read_bytes())
    after = await world.get("clock")
    assert offset == world.sandbox.clock.offset_us
    assert 3590e6 < offset <= 3600e6
    assert after["offset_s"] == pytest.approx(offset / 1e6)
    went = datetime.fromisoformat(walked["now"]) - datetime.fromisoformat(before["now"])
    assert timedelta(hours=1) <= went < timedelta(hours=1, seconds=10)


async def test_an_open_file_sees_the_clock_move(world: World) -> None:
    with world.settings.clock_path.open("rb", buffering=0) as file:
        await world.ahead(60)

        assert struct.unpack("<q", file.read(8))[0] == world.sandbox.clock.offset_us


async def test_the_walk_stops_where_the_product_has_something_to_do(world: World) -> None:
    start = world.sandbox.clock.now_us()
    due = start + 86_400_000_000
    met: list[int] = []

    def say() -> Json:
        now = world.sandbox.clock.now_us()
        if now >= due:
            met.append(now)
        return idle(next_due=rfc3339(due) if now < due else None)

    world.bot.idle = say
    await world.ahead(2 * 86400)

    assert due <= met[0] < due + 60_000_000


async def test_the_walk_goes_at_least_a_minute_at_once_and_never_past_the_target(
    world: World,
) -> None:
    world.bot.idle = lambda: idle(next_due=rfc3339(world.sandbox.clock.now_us() + 1_000_000))

    walked = await world.ahead(150)

    assert walked["steps"] == 3


async def test_a_busy_product_holds_the_clock_and_the_target_is_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.walk._LONGEST", 0.3)
    world.bot.idle = lambda: idle(idle=False)
    before = world.sandbox.clock.offset_us

    walked = await world.post("clock/advance", {"seconds": 600})

    assert walked["settled"] is False
    assert "product" in walked["waiting_for"]
    assert world.sandbox.clock.offset_us == before
    world.bot.idle = idle
    walked = await world.post("clock/advance", {"seconds": 0})
    assert walked["settled"] is True
    assert world.sandbox.clock.offset_us - before > 590e6


async def test_seconds_are_added_to_the_target_of_an_unfinished_walk(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.walk._LONGEST", 0.2)
    world.bot.idle = lambda: idle(idle=False)
    await world.post("clock/advance", {"seconds": 600})
    world.bot.idle = idle

    await world.post("clock/advance", {"seconds": 600})

    assert 1190e6 < world.sandbox.clock.offset_us <= 1200e6


async def test_a_product_that_does_not_answer_is_named(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.walk._LONGEST", 0.2)
    world = await start(bot_url="http://127.0.0.1:9")

    walked = await world.post("clock/advance", {"seconds": 1})

    assert walked["settled"] is False
    assert walked["waiting_for"] == "the product: no answer"


async def test_statuses_arrive_before_the_walk_goes_on(world: World) -> None:
    await world.post("whatsapp/moods", {"read": 1, "delays_s": {"read": 86400}})
    await world.send(message())

    await world.ahead(3600)
    assert [s["status"] for s in world.bot.statuses] == ["sent", "delivered"]
    await world.ahead(86400)

    assert [s["status"] for s in world.bot.statuses] == ["sent", "delivered", "read"]


@pytest.mark.parametrize("seconds", [-1, "60", None, True, 1e300, {}, []], ids=repr)
async def test_only_a_way_ahead_is_walked(world: World, seconds: object) -> None:
    await world.post("clock/advance", {"seconds": seconds}, status=400)


async def test_business_time_never_goes_back(world: World) -> None:
    clock = Clock(world.settings.clock_path)

    with pytest.raises(ValueError, match="never"):
        clock.forward(-1)
    clock.close()


async def test_everything_is_there_after_a_new_start(start: Start) -> None:
    world = await start()
    await world.post("whatsapp/moods", {"read": 1, "delays_s": {"read": 86400}})
    sent = (await world.send(message()))["messages"][0]["id"]
    await world.post("whatsapp/inbound", {"from": "+31610000001", "text": "hello"})
    await world.slack("chat.postMessage", {"channel": "C0ALERTS", "text": "kept"})
    await world.ahead(3600)
    before = await world.get("whatsapp/messages")
    chat = await world.get("whatsapp/chat", phone="+31610000001")

    world = await start(port=world.settings.port)

    assert await world.get("whatsapp/messages") == before
    assert await world.get("whatsapp/chat", phone="+31610000001") == chat
    assert (await world.get("whatsapp/moods"))["delays_s"]["read"] == 86400
    (message_,) = (await world.get("slack/messages", channel="C0ALERTS"))["messages"]
    assert message_["text"] == "kept"
    assert (await world.get("clock"))["offset_s"] > 3590
    await world.ahead(86400)
    assert (world.bot.statuses[-1]["id"], world.bot.statuses[-1]["status"]) == (sent, "read")
    assert len(world.bot.statuses) == 3
    # The window that the contact opened is over now, the ledger goes on counting.
    again = await world.send(message())
    assert again["messages"][0]["id"] != sent
    ledger = (await world.get("whatsapp/messages"))["messages"]
    assert ledger[1]["seq"] > chat["messages"][-1]["seq"]


async def test_a_webhook_nobody_took_is_sent_by_the_next_start(start: Start) -> None:
    world = await start()
    world.bot.webhook_status = 500
    told = await world.post("whatsapp/inbound", {"from": "+31610000001", "text": "STOP"})
    assert told["status"] == 500
    world.bot.webhook_status = 200

    world = await start()
    async with asyncio.timeout(30):
        while len(world.bot.written) < 2:  # noqa: ASYNC110 — the bot only records
            await asyncio.sleep(0.01)

    assert {written["id"] for written in world.bot.written} == {told["id"]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-21T08:00:00Z", 1795248000_000_000),
        ("2026-11-21T09:00:00+01:00", 1795248000_000_000),
        ("1795248000", 1795248000_000_000),
        (1795248000, 1795248000_000_000),
    ],
)
def test_times_are_read(value: object, expected: int) -> None:
    assert microseconds(value) == expected


@pytest.mark.parametrize("value", ["yesterday", "2026-11-21T08:00:00", 2**60, -1, [], "٣"])
def test_other_times_are_refused(value: object) -> None:
    with pytest.raises(Refused):
        microseconds(value)


async def test_the_clock_jumps_at_once_when_asked_to_however_busy_the_product_is(
    world: World,
) -> None:
    world.bot.idle = lambda: idle(idle=False)
    before = world.sandbox.clock.offset_us

    jumped = await world.post("clock/advance", {"seconds": 7200, "at_once": True})

    assert world.sandbox.clock.offset_us == before + 7_200_000_000
    assert (jumped["settled"], jumped["waiting_for"]) == (False, None)
