"""The sandbox's own interface: strict with what it is given, and closed to other sites."""

import pytest

from sandbox import demo
from tests.sandbox.world import Json, World

CLICK = {"user": "U0OWNER", "action_id": "a"}
HOSTILE: list[tuple[str, object]] = [
    ("slack/command", {"user": "U0OWNER"}),
    ("slack/command", {"user": "U0OWNER", "text": "x", "shout": True}),
    ("slack/command", {"user": "U0OWNER", "text": 7}),
    ("slack/command", {"user": "U0OWNER", "text": "a\0b"}),
    ("slack/command", {"user": ["U0OWNER"], "text": "x"}),
    ("slack/command", {"user": "U0OWNER", "text": "x", "wait_ms": -1}),
    ("slack/command", {"user": "U0OWNER", "text": "x", "wait_ms": 1e9}),
    ("slack/command", {"user": None, "text": "x"}),
    ("slack/command", []),
    ("slack/click", {"user": "U0OWNER"}),
    ("slack/click", {**CLICK, "message_ts": 1.2}),
    ("slack/options", {**CLICK}),
    ("slack/submit", {"user": "U0OWNER", "view_id": "V", "values": []}),
    ("slack/say", {"user": "U0OWNER", "text": "x"}),
    (
        "slack/upload",
        {"user": "U0OWNER", "channel": "C0ALERTS", "name": "a", "content_base64": "!"},
    ),
    (
        "slack/upload",
        {"user": "U0OWNER", "channel": "C0ALERTS", "name": "../a", "content_base64": ""},
    ),
    ("slack/shortcut", {"user": "U0OWNER"}),
    ("slack/open_home", {}),
    ("slack/function", {"callback_id": "x", "inputs": "y"}),
    ("whatsapp/inbound", {"from": "31610000001", "text": "x"}),
    ("whatsapp/inbound", {"from": "+31610000001"}),
    ("whatsapp/inbound", {"text": "x"}),
    ("whatsapp/inbound", {"from": "+31610000001", "text": "x", "timestamp": "soon"}),
    ("whatsapp/inbound", {"from": "+31610000001", "text": "x", "timestamp": 10**30}),
    ("whatsapp/inbound", {"from": "+31610000001", "text": "x", "colour": "red"}),
    ("whatsapp/inbound", {"from": "+31610000001", "button": 7}),
    ("whatsapp/inbound", {"from": "+31610000001", "type": "reaction", "text": "👍"}),
    (
        "whatsapp/inbound",
        {"from": "+31610000001", "media": {"content_base64": "!"}, "type": "image"},
    ),
    ("whatsapp/inbound", {"from": "+31610000001", "media": {"path": "/etc/passwd"}}),
    ("whatsapp/event", {"field": "messages"}),
    ("whatsapp/event", {"field": "messages", "value": []}),
    ("whatsapp/templates", {"name": "x"}),
    ("whatsapp/templates", {"name": "x", "components": [{"type": "BODY"}]}),
    ("whatsapp/templates", {"name": "x", "components": [7]}),
    ("whatsapp/templates", {"name": "welcome", "category": "SPAM"}),
    ("whatsapp/numbers", {"id": "1", "phone": "+15550001111", "messages_per_second": 0}),
    ("whatsapp/numbers", {"id": "x", "phone": "+15550001111", "messages_per_second": 1}),
    ("whatsapp/numbers", {"id": "1", "phone": "5550001111", "messages_per_second": 1}),
    ("parts/lanes/signal", {}),
    ("parts/lanes/signal", {"signal": "SIGNONSENSE"}),
    ("postgres/restart", {"hard": True}),
    ("redis/flush", {"db": 1}),
]


@pytest.mark.parametrize(("path", "body"), HOSTILE, ids=lambda value: str(value)[:60])
async def test_what_does_not_fit_is_refused_with_a_reason(
    world: World, path: str, body: object
) -> None:
    answer = await world.post(path, body, status=400)

    assert answer.keys() == {"error"}
    assert answer["error"]
    assert world.bot.commands == world.bot.interactions == world.bot.events == []
    assert world.bot.posts == []
    assert world.parts.done == []


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b'{"user":"\\ud800","text":"x"}', b"NaN"])
async def test_what_is_no_json_is_refused(world: World, raw: bytes) -> None:
    url = f"{world.settings.url}/sandbox/api/slack/command"

    async with world.http.post(url, data=raw) as response:
        assert response.status == 400
        assert (await response.json())["error"]


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("slack/messages", {}, 400),
        ("slack/messages", {"channel": "C0NONE"}, 404),
        ("slack/messages", {"channel": "C0ALERTS", "since": "1"}, 400),
        ("slack/views", {"user": "U0NOBODY"}, 404),
        ("slack/files/F0NONE", {}, 404),
        ("whatsapp/messages", {"phone": "x"}, 400),
        ("whatsapp/messages", {"after": "-1"}, 400),
        ("whatsapp/messages", {"after": "٣"}, 400),
        ("whatsapp/chat", {}, 400),
        ("whatsapp/media/1", {}, 404),
        ("changes", {"after": "x"}, 400),
        ("nothing", {}, 404),
    ],
    ids=str,
)
async def test_questions_are_read_strictly_too(
    world: World, path: str, query: dict[str, str], status: int
) -> None:
    assert (await world.get(path, status=status, **query))["error"]


async def test_null_is_the_same_as_absent(world: World) -> None:
    body = {"from": "+31610000001", "text": "hi", "button": None, "media": None, "id": None}

    told = await world.post("whatsapp/inbound", body)

    assert told["status"] == 200
    assert told["id"].startswith("wamid.")
    assert world.bot.written[0]["text"] == {"body": "hi"}


async def test_the_same_inbound_id_again_is_a_repeat(world: World) -> None:
    body = {"from": "+31610000001", "text": "STOP", "id": "wamid.same"}

    await world.post("whatsapp/inbound", body)
    await world.post("whatsapp/inbound", body)

    assert world.bot.written[0] == world.bot.written[1]
    assert len((await world.get("whatsapp/chat", phone="+31610000001"))["messages"]) == 1


async def test_a_tap_names_its_message_and_carries_the_payload(world: World) -> None:
    button = {
        "type": "button",
        "sub_type": "quick_reply",
        "index": "2",
        "parameters": [{"type": "payload", "payload": "STOP:7"}],
    }
    template = {"name": "feedback", "language": {"code": "en"}, "components": [button]}
    sent = await world.send(
        {
            "messaging_product": "whatsapp",
            "to": "+31610000001",
            "type": "template",
            "template": template,
        }
    )

    await world.post("whatsapp/inbound", {"from": "+31610000001", "button": "Stop"})
    await world.post("whatsapp/inbound", {"from": "+31610000001", "button": "No"}, status=404)

    (tap,) = world.bot.written
    assert tap["button"] == {"payload": "STOP:7", "text": "Stop"}
    assert tap["context"] == {"from": "15550001111", "id": sent["messages"][0]["id"]}


async def test_a_hidden_phone_is_not_told(world: World) -> None:
    await world.post("whatsapp/inbound", {"user_id": "NL.42", "text": "hi"})

    (value,) = world.bot.values
    assert "from" not in value["messages"][0]
    assert value["messages"][0]["from_user_id"] == "NL.42"
    assert "wa_id" not in value["contacts"][0]


async def test_the_bots_address_is_verified(world: World) -> None:
    hooks = world.sandbox.platform.hooks

    assert await hooks.handshake(demo.VERIFY_TOKEN) is True
    assert await hooks.handshake("another") is False


async def test_parts_are_signalled_and_servers_disturbed(world: World) -> None:
    health = await world.get("health")
    await world.post("parts/lanes/signal", {"signal": "SIGKILL"})
    await world.post("parts/nobody/signal", {"signal": "SIGKILL"}, status=404)
    await world.post("postgres/restart")
    await world.post("redis/flush")

    assert health["parts"]["bot"] == {"pid": 1, "url": "http://bot"}
    assert world.parts.done == ["SIGKILL lanes", "restart", "flush"]
    await world.get("health", status=503)


async def test_the_overview_names_everybody_and_their_channel_with_the_bot(world: World) -> None:
    overview = await world.get("overview")

    direct = {c["user"]: c["id"] for c in overview["channels"] if c["is_im"]}
    assert direct.keys() == {user["id"] for user in overview["users"]}
    assert direct["U0OWNER"] == "D0OWNER"
    assert len(overview["templates"]) == len(demo.TEMPLATES)


async def test_news_are_waited_for(world: World) -> None:
    before = await world.get("changes")

    quiet = await world.get("changes", after=str(before["version"]), wait_ms="50")
    await world.slack("chat.postMessage", {"channel": "C0ALERTS", "text": "x"})
    news = await world.get("changes", after=str(before["version"]), wait_ms="5000")

    assert quiet == {"version": before["version"], "topics": []}
    assert news["topics"] == ["slack"]


async def test_other_sites_are_kept_out(world: World) -> None:
    url = f"{world.settings.url}/sandbox/api/redis/flush"

    async with world.http.post(url, headers={"Origin": "http://evil.example"}) as response:
        assert response.status == 403
    async with world.http.post(url, headers={"Origin": world.settings.url}) as response:
        assert response.status == 200


async def test_the_page_has_a_policy_and_no_way_out_of_its_folder(world: World) -> None:
    async with world.http.get(f"{world.settings.url}/world.py") as response:
        assert response.status == 200
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe-inline" not in policy
        assert response.headers["Cache-Control"] == "no-store"
    escape = f"{world.settings.url}/..%2f..%2fpyproject.toml"
    async with world.http.get(escape) as response:
        assert response.status == 404


def test_the_demo_is_as_the_documentation_has_it() -> None:
    names: dict[str, Json] = {template["name"]: template for template in demo.TEMPLATES}
    assert sorted(names) == [
        "announcement",
        "feedback",
        "followup",
        "offer",
        "receipt",
        "welcome",
    ]
    assert names["receipt"]["category"] == "UTILITY"
    assert (demo.CONTACTS[0], demo.CONTACTS[-1], len(demo.CONTACTS)) == (
        "+31610000001",
        "+31610000200",
        200,
    )
