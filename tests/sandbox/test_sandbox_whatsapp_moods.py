"""The moods of the pretend WhatsApp, one by one."""

import asyncio
from itertools import pairwise

import aiohttp
import pytest

from sandbox import demo
from tests.sandbox.world import Json, Start, World, free_port

URL = "/graph/v25.0/200000000000001/messages"
HEADERS = {"Authorization": f"Bearer {demo.ACCESS_TOKEN}"}


def message(n: int = 1) -> Json:
    return {
        "messaging_product": "whatsapp",
        "to": f"+3161{n:07}",
        "type": "template",
        "template": {"name": "followup", "language": {"code": "en"}},
        "biz_opaque_callback_data": f"d:{n}:1",
    }


async def send_many(world: World, count: int) -> list[int]:
    """Send to *count* contacts; the code of each refusal, 0 where accepted."""
    number = {"id": "200000000000001", "phone": "+15550001111", "messages_per_second": 10_000}
    await world.post("whatsapp/numbers", number)

    async def send(n: int) -> int:
        async with world.http.post(
            world.settings.url + URL, json=message(n), headers=HEADERS
        ) as response:
            answer = await response.json()
            return answer["error"]["code"] if "error" in answer else 0

    return await asyncio.gather(*(send(n) for n in range(count)))


async def ledger(world: World) -> list[Json]:
    found: list[Json] = (await world.get("whatsapp/messages"))["messages"]
    return found


def reached(messages: list[Json], status: str) -> int:
    return sum(1 for m in messages if status in [s["status"] for s in m["statuses"]])


@pytest.mark.parametrize(
    ("mood", "sent", "delivered", "read"),
    [
        ({"sent": 0}, 0, 0, 0),
        ({"delivered": 0}, 200, 0, 0),
        ({"read": 0}, 200, 200, 0),
        ({"read": 1}, 200, 200, 200),
    ],
    ids=str,
)
async def test_shares_decide_how_far_messages_come(
    world: World, mood: Json, sent: int, delivered: int, read: int
) -> None:
    await world.post("whatsapp/moods", mood)

    await send_many(world, 200)
    await world.ahead(60)

    messages = await ledger(world)
    assert reached(messages, "sent") == sent
    assert reached(messages, "delivered") == delivered
    assert reached(messages, "read") == read
    assert len(world.bot.statuses) == sent + delivered + read


async def test_a_share_between_is_met_about_and_alike_with_the_same_seed(world: World) -> None:
    await world.post("whatsapp/moods", {"read": 0.5, "seed": 7})
    await send_many(world, 200)
    await world.ahead(60)
    first = await ledger(world)

    await world.post("whatsapp/moods", {"seed": 8})
    await world.ahead(3600)
    await send_many(world, 200)
    await world.ahead(60)
    second = (await ledger(world))[200:]
    await world.post("whatsapp/moods", {"seed": 7})
    await world.ahead(3600)
    await send_many(world, 200)
    await world.ahead(60)
    third = (await ledger(world))[400:]

    def readers(messages: list[Json]) -> set[str]:
        return {m["to"] for m in messages if m["statuses"][-1]["status"] == "read"}

    assert 60 < len(readers(first)) < 140
    assert readers(second) != readers(first)
    assert readers(third) == readers(first)


async def test_statuses_come_after_their_delays_of_business_time(world: World) -> None:
    await world.post(
        "whatsapp/moods", {"read": 1, "delays_s": {"sent": 120, "delivered": 3600, "read": 7200}}
    )
    await world.send(message())

    await world.ahead(100)
    assert world.bot.statuses == []
    await world.ahead(60)
    assert [s["status"] for s in world.bot.statuses] == ["sent"]
    await world.ahead(7200)

    (entry,) = await ledger(world)
    times = [int(s["timestamp"]) for s in world.bot.statuses]
    assert [b - a for a, b in pairwise(times)] == [3480, 3600]
    assert [s["status"] for s in entry["statuses"]] == ["sent", "delivered", "read"]


async def test_contacts_reply_and_stop(world: World) -> None:
    await world.post("whatsapp/moods", {"reply": 0.5, "stop": 0.5, "read": 0})

    await send_many(world, 100)
    await world.ahead(120)

    words = [written["text"]["body"] for written in world.bot.written]
    assert len(words) == 100
    assert 25 < words.count("STOP") < 75
    chat = (await world.get("whatsapp/chat", phone="+31610000001"))["messages"]
    assert [m["direction"] for m in chat] == ["out", "in"]


@pytest.mark.parametrize("code", [131026, 131049, 131050, 130472])
async def test_some_errors_are_heard_of_later(world: World, code: int) -> None:
    await world.post("whatsapp/moods", {"errors": {str(code): 1}})

    assert await send_many(world, 1) == [0]
    await world.ahead(60)

    (status,) = world.bot.statuses
    assert status["status"] == "failed"
    assert status["errors"][0]["code"] == code
    assert "recipient_user_id" not in status
    (entry,) = await ledger(world)
    assert entry["statuses"][0]["error"]["code"] == code


@pytest.mark.parametrize("code", [130429, 131056, 131048, 131000, 368, 190])
async def test_other_errors_are_answered_at_once(world: World, code: int) -> None:
    await world.post("whatsapp/moods", {"errors": {str(code): 1}})

    assert await send_many(world, 1) == [code]
    assert await ledger(world) == []
    await world.post("whatsapp/moods", {"errors": {str(code): 0}})
    assert await send_many(world, 1) == [0]


async def test_errors_have_shares(world: World) -> None:
    await world.post("whatsapp/moods", {"errors": {"131000": 0.3, "131026": 0.3}})

    codes = await send_many(world, 300)
    await world.ahead(60)

    assert 50 < codes.count(131000) < 140
    assert 50 < reached(await ledger(world), "failed") < 140


async def test_answers_take_their_time(world: World) -> None:
    await world.post("whatsapp/moods", {"latency_ms": [200, 210]})
    started = world.sandbox.clock.monotonic()

    await world.send(message())

    assert world.sandbox.clock.monotonic() - started >= 0.2


async def test_an_answer_can_be_lost_though_the_message_goes_out(world: World) -> None:
    await world.post("whatsapp/moods", {"lose_answer": 1})

    with pytest.raises(aiohttp.ClientError):
        await world.send(message())
    await world.ahead(60)

    (entry,) = await ledger(world)
    assert entry["answer_lost"] is True
    assert world.bot.statuses[0]["biz_opaque_callback_data"] == "d:1:1"


async def test_an_outage_of_500s(world: World) -> None:
    await world.post("whatsapp/moods", {"outage": "500"})

    async with world.http.post(
        world.settings.url + URL, json=message(), headers=HEADERS
    ) as response:
        assert response.status == 500
    await world.post("whatsapp/moods", {"outage": None})
    await world.send(message())

    assert len(await ledger(world)) == 1


async def test_an_outage_that_hangs(world: World) -> None:
    await world.post("whatsapp/moods", {"outage": "hang"})

    with pytest.raises(TimeoutError):
        await world.http.post(
            world.settings.url + URL,
            json=message(),
            headers=HEADERS,
            timeout=aiohttp.ClientTimeout(total=0.3),
        )

    assert await ledger(world) == []


async def test_an_outage_that_refuses_connections(start: Start) -> None:
    port = free_port()
    world = await start(graph_port=port)
    url = f"http://127.0.0.1:{port}{URL}"

    async def send(n: int) -> int:
        async with world.http.post(url, json=message(n), headers=HEADERS) as response:
            return response.status

    assert await send(1) == 200
    await world.post("whatsapp/moods", {"latency_ms": [300, 300]})
    under_way = asyncio.create_task(send(2))
    await asyncio.sleep(0.1)
    await world.post("whatsapp/moods", {"outage": "refuse"})

    assert await under_way == 200
    with pytest.raises(aiohttp.ClientConnectorError):
        await send(3)
    with pytest.raises(aiohttp.ClientError):
        await world.http.post(world.settings.url + URL, json=message(), headers=HEADERS)
    await world.post("whatsapp/moods", {"outage": "none"})
    assert await send(4) == 200


async def test_webhooks_can_be_late(world: World) -> None:
    await world.post("whatsapp/moods", {"read": 0, "webhooks": {"late_s": 3600}})
    await world.send(message())

    await world.ahead(600)
    assert world.bot.statuses == []
    assert reached(await ledger(world), "delivered") == 1
    await world.ahead(3600)

    assert [s["status"] for s in world.bot.statuses] == ["sent", "delivered"]


async def test_webhooks_can_come_twice(world: World) -> None:
    await world.post("whatsapp/moods", {"read": 0, "webhooks": {"doubled": 1}})
    await world.send(message())

    await world.ahead(60)

    assert sorted(s["status"] for s in world.bot.statuses) == ["delivered"] * 2 + ["sent"] * 2


async def test_webhooks_can_overtake_each_other(world: World) -> None:
    await world.post("whatsapp/moods", {"read": 0, "webhooks": {"shuffled": 0.5, "late_s": 0}})
    await send_many(world, 50)

    await world.ahead(60)

    first: dict[str, str] = {}
    for status in world.bot.statuses:
        first.setdefault(status["id"], status["status"])
    assert set(first.values()) == {"sent", "delivered"}
    assert len(world.bot.statuses) == 100


async def test_webhooks_can_stay_away(world: World) -> None:
    await world.post("whatsapp/moods", {"webhooks": {"withheld": 1}})
    await world.send(message())

    await world.ahead(60)

    assert world.bot.posts == []
    assert reached(await ledger(world), "delivered") == 1


async def test_a_refused_webhook_is_repeated_after_1_2_4_seconds(world: World) -> None:
    world.bot.webhook_status = 503
    await world.post("whatsapp/moods", {"delivered": 0})
    await world.send(message())
    await world.ahead(240)

    # 1, 3, 7, 15, 31, 63 and 123 s after the first: hops of a minute cannot show each.
    tries = len(world.bot.posts)
    assert tries >= 4
    assert world.sandbox.schedule.next_us is not None
    pause = world.sandbox.schedule.next_us - world.sandbox.clock.now_us()
    assert 0 < pause <= 60_000_000
    world.bot.webhook_status = 200
    await world.ahead(120)

    assert len({s["id"] for s in world.bot.statuses}) == 1
    assert len(world.bot.posts) == tries + 1
    await world.ahead(600)
    assert len(world.bot.posts) == tries + 1


async def test_many_updates_come_in_few_posts(world: World) -> None:
    await world.post("whatsapp/moods", {"read": 0})
    await send_many(world, 500)

    await world.ahead(60)

    assert len(world.bot.statuses) == 1000
    assert len(world.bot.posts) < 500


async def test_a_platform_stop_keeps_marketing_away(world: World) -> None:
    preference = {
        "wa_id": "31610000001",
        "detail": "User requested to stop marketing messages",
        "category": "marketing_messages",
        "value": "stop",
        "timestamp": 1,
    }
    value = {"user_preferences": [preference]}
    await world.post("whatsapp/event", {"field": "user_preferences", "value": value})
    await world.send({**message(), "to": "+31610000001"})

    await world.ahead(60)

    assert world.bot.statuses[0]["errors"][0]["code"] == 131050


BAD_MOODS = [
    {"sent": 2},
    {"sent": "1"},
    {"sent": True},
    {"read": -0.1},
    {"latency_ms": [5]},
    {"latency_ms": [150, 50]},
    {"latency_ms": "fast"},
    {"delays_s": {"sent": -1}},
    {"delays_s": {"failed": 1}},
    {"errors": {"x": 0.1}},
    {"errors": {"131026": 2}},
    {"errors": {"131026": 0.6, "131000": 0.6}},
    {"outage": "flood"},
    {"webhooks": {"late": 1}},
    {"webhooks": {"doubled": 3}},
    {"mood": 1},
    {"seed": "x"},
    [],
    "happy",
]


@pytest.mark.parametrize("mood", BAD_MOODS, ids=repr)
async def test_a_mood_that_is_none_is_refused_whole(world: World, mood: object) -> None:
    before = await world.get("whatsapp/moods")

    answer = await world.post("whatsapp/moods", mood, status=400)

    assert answer["error"]
    assert await world.get("whatsapp/moods") == before


async def test_moods_are_turned_in_part(world: World) -> None:
    await world.post("whatsapp/moods", {"delays_s": {"read": 5}, "webhooks": {"late_s": 2}})

    moods = await world.get("whatsapp/moods")

    assert moods["delays_s"] == {"sent": 1, "delivered": 2, "read": 5, "reply": 60}
    assert moods["webhooks"] == {"late_s": 2, "doubled": 0, "shuffled": 0, "withheld": 0}
    assert moods["sent"] == 1
