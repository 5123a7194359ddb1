"""The two doors of the bot: what is not signed, or comes again, changes nothing."""

import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from datetime import datetime
from urllib.parse import urlencode

import aiohttp
import orjson
import pytest

from sandbox import demo
from tests.acceptance.steps import bring, phones
from tests.system import ALERTS, OWNER, Json, Refused, System, button

WEBHOOK, EVENTS = "/webhooks/whatsapp", "/slack/events"


@pytest.fixture
async def door(system: System) -> AsyncIterator[aiohttp.ClientSession]:
    """Speak to the bot itself, past the sandbox."""
    bot = (await system.get("health"))["parts"]["bot"]["url"]
    async with aiohttp.ClientSession(base_url=bot) as session:
        yield session


def _meta(body: bytes, *, secret: str = demo.APP_SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}


def _slack(
    body: bytes, *, secret: str = demo.SLACK_SIGNING_SECRET, age: float = 0
) -> dict[str, str]:
    at = str(int(time.time() - age))  # noqa: TID251 — Slack signs with the machine's clock
    digest = hmac.new(secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
    return {
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": f"v0={digest}",
        "Content-Type": "application/x-www-form-urlencoded",
    }


def _command(text: str) -> bytes:
    return urlencode(
        {
            "command": "/drip",
            "text": text,
            "team_id": demo.SLACK_TEAM_ID,
            "api_app_id": "A0DRIP",
            "user_id": OWNER,
            "channel_id": ALERTS,
            "response_url": "http://127.0.0.1:9/",
            "trigger_id": "1.2.3",
        }
    ).encode()


async def _stop(system: System, phone: str) -> bytes:
    number = demo.NUMBERS[0]
    now = datetime.fromisoformat((await system.get("clock"))["now"])
    message = {
        "from": phone.removeprefix("+"),
        "id": f"wamid.{phone}",
        "timestamp": str(int(now.timestamp())),
        "type": "text",
        "text": {"body": "STOP"},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": number.phone, "phone_number_id": number.id},
        "messages": [message],
    }
    entry = {
        "id": demo.BUSINESS_ACCOUNT_ID,
        "changes": [{"field": "messages", "value": value}],
    }
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})


async def _status(door: aiohttp.ClientSession, at: str, body: bytes, headers: Json) -> int:
    async with door.post(at, data=body, headers=headers) as response:
        await response.read()
        return response.status


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(lambda _: {}, id="absent"),
        pytest.param(lambda body: _meta(body, secret="another"), id="of another secret"),
        pytest.param(lambda body: _meta(body + b" "), id="of another body"),
        pytest.param(lambda _: {"X-Hub-Signature-256": "sha256=\xe9"}, id="not ascii"),
    ],
)
async def test_a_webhook_not_signed_by_meta_is_refused(
    system: System, door: aiohttp.ClientSession, headers: object
) -> None:
    (phone,) = phones(120, 1)
    await system.ask(f"contact add {phone}")
    body = await _stop(system, phone)

    assert callable(headers)
    assert await _status(door, WEBHOOK, body, headers(body)) == 401

    await system.settle()
    assert "may be written to" in await system.ask(f"contact show {phone}")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(lambda _: {}, id="absent"),
        pytest.param(lambda body: _slack(body, secret="another"), id="of another secret"),
        pytest.param(lambda body: _slack(body + b" "), id="of another body"),
        pytest.param(lambda body: _slack(body, age=400), id="stale"),
        pytest.param(lambda body: _slack(body, age=-400), id="of the future"),
    ],
)
async def test_a_command_not_signed_by_slack_is_refused(
    system: System, door: aiohttp.ClientSession, headers: object
) -> None:
    body = _command('campaign new "Forged"')

    assert callable(headers)
    assert await _status(door, EVENTS, body, headers(body)) == 401

    assert "Forged" not in await system.ask("campaign list")


async def test_what_is_signed_is_taken_once_however_often_it_comes(
    system: System, door: aiohttp.ClientSession
) -> None:
    (phone,) = phones(121, 1)
    body = _command(f"contact add {phone} name=Once")
    signed = _slack(body)

    for _ in range(3):
        assert await _status(door, EVENTS, body, signed) == 200
    await system.writes(phone, "Hello")  # so that the confirmation may be free-form
    stop = await _stop(system, phone)
    for _ in range(3):
        assert await _status(door, WEBHOOK, stop, _meta(stop)) == 200

    await system.settle()
    assert "said STOP" in await system.ask(f"contact show {phone}")
    assert "1 contact" in await system.ask("contact find Once")
    confirmations = [m for m in await system.ledger(phone=phone) if m["template"] is None]
    assert len(confirmations) == 1


async def test_a_replayed_command_changes_nothing(
    system: System, door: aiohttp.ClientSession
) -> None:
    (phone,) = numbers = phones(122, 1)
    await bring(system, numbers, "replayed")
    await system.ask("broadcast new Replayed to=tag:replayed template=followup")
    body = _command("broadcast send Replayed")
    signed = _slack(body)

    for _ in range(3):
        assert await _status(door, EVENTS, body, signed) == 200
    await system.settle()
    assert await _status(door, EVENTS, body, signed) == 200
    await system.settle()

    assert len(await system.ledger(phone=phone)) == 1
    said = [m["text"] for m in await system.channel() if "Replayed" in m["text"]]
    assert sum("sends" in text for text in said) <= 1


async def test_a_click_of_a_message_that_changed_does_nothing(system: System) -> None:
    await system.ask("campaign new Clicked")
    await system.ask("step add Clicked after=0m template=followup")
    await system.ask("campaign activate Clicked")
    card = await system.says("Clicked (drip) is active")
    pause = button(card, "Pause")["action_id"]

    await system.click(card, pause)
    await system.says("Clicked (drip) is paused")
    await system.ask("campaign resume Clicked")
    await system.says("Clicked (drip) is active")
    with pytest.raises(Refused) as refused:
        await system.click(card | {"ts": "1.000000"}, pause)

    assert refused.value.status == 404
    assert "active" in await system.ask("campaign show Clicked")
    await system.ask("campaign archive Clicked")


@pytest.mark.parametrize(
    ("call", "body"),
    [
        pytest.param("slack/command", {"user": OWNER, "text": "help"}, id="command"),
        pytest.param("whatsapp/inbound", {"from": "+31612345678", "text": "Hi"}, id="inbound"),
        pytest.param("clock/advance", {"seconds": 0}, id="clock"),
        pytest.param("whatsapp/moods", {"sent": 1}, id="moods"),
    ],
)
async def test_the_interface_takes_no_unknown_field(system: System, call: str, body: Json) -> None:
    with pytest.raises(Refused) as refused:
        await system.post(call, **body, nonsense=1)

    assert refused.value.status == 400
    assert "nonsense" in str(refused.value)


async def test_a_hostile_request_is_refused_and_breaks_nothing(
    door: aiohttp.ClientSession,
) -> None:
    for at, sign in ((WEBHOOK, _meta), (EVENTS, _slack)):
        for body in (b"", b"\x00\xff", b"[" * 5000, b'{"object": 1}', b"payload=%7B", b"=&=&="):
            assert await _status(door, at, body, sign(body)) < 500
