"""Who is let in, what is kept, and what is answered."""

import asyncio
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from bot.whatsapp import webhook
from bot.whatsapp.replay import replay
from bot.whatsapp.signature import signature
from bot.whatsapp.webhook import LARGEST_BODY, PATH
from tests.database import ACME, GLOBEX, NOON
from tests.integration.whatsapp.meta import NUMBER, SECRET, Meta, config, envelope, status

CAPTURED = {path.stem: path.read_bytes() for path in sorted(Path("tests/payloads").glob("*.json"))}


async def _handshake(meta: Meta, token: str, mode: str = "subscribe") -> tuple[int, str]:
    query = {"hub.mode": mode, "hub.challenge": "1158201444", "hub.verify_token": token}
    async with meta.client.get(PATH, params=query) as response:
        return response.status, await response.text()


async def test_the_handshake_answers_the_challenge_to_any_organizations_token(meta: Meta) -> None:
    assert await _handshake(meta, "globex's verify token") == (200, "1158201444")
    assert (await _handshake(meta, "acme's verify token"))[0] == 200


@pytest.mark.parametrize("token", ["", "wrong", "acme's verify toke", "\udcff"])
async def test_the_handshake_refuses_another_token(meta: Meta, token: str) -> None:
    assert (await _handshake(meta, token.encode(errors="replace").decode()))[0] == 403


async def test_the_handshake_is_a_subscription(meta: Meta) -> None:
    assert (await _handshake(meta, "acme's verify token", mode="unsubscribe"))[0] == 403


@pytest.mark.parametrize(
    "signed",
    [
        pytest.param("", id="absent"),
        pytest.param(signature(b"another body", SECRET[ACME]), id="of another body"),
        pytest.param(signature(b"{}", b"another secret"), id="by another secret"),
        pytest.param("sha256=é", id="not ascii"),
    ],
)
async def test_a_body_we_cannot_trust_is_refused_and_not_kept(meta: Meta, signed: str) -> None:
    with capture_logs() as lines:
        answers = [await meta.post(b"{}", signed=signed) for _ in range(3)]

    assert answers == [401, 401, 401]
    assert await meta.value("select count(*) from webhook_failures") == 0
    assert [line["door"] for line in lines if line["event"] == "webhook.unsigned"] == [PATH]


async def test_a_body_of_more_than_4_mib_is_refused(meta: Meta) -> None:
    assert await meta.post(b" " * (LARGEST_BODY + 1)) == 413


async def test_a_body_of_three_mib_is_taken(meta: Meta) -> None:
    many = [status("sent", wamid=f"wamid.{'x' * 200}{place}") for place in range(7_000)]
    body = envelope(*many)
    assert len(body) > 3 * 1024 * 1024

    assert await meta.post(body) == 200


async def test_a_signed_body_that_is_no_json_is_kept(meta: Meta) -> None:
    assert await meta.post(b"\xff not json") == 200

    (kept,) = await meta.rows("select organization_id, source, body from webhook_failures")
    assert kept == {"organization_id": ACME, "source": "whatsapp", "body": b"\xff not json"}


async def test_one_organizations_secret_cannot_touch_anothers_number(meta: Meta) -> None:
    theirs = meta.written("hello")

    assert await meta.send(theirs, organization=GLOBEX, secret=SECRET[ACME]) == 200

    assert await meta.value("select count(*) from inbound_messages") == 0
    assert await meta.value("select count(*) from webhook_failures") == 1


async def test_one_organizations_secret_cannot_touch_anothers_account(meta: Meta) -> None:
    body = orjson.dumps(
        {
            "object": "whatsapp_business_account",
            "entry": [
                {
                    "id": "100000000000002",
                    "changes": [{"field": "account_update", "value": {"event": "ACCOUNT_DELETED"}}],
                }
            ],
        }
    )

    assert await meta.post(body) == 200

    assert await meta.value("select count(*) from numbers") == 0
    assert await meta.value("select count(*) from webhook_failures") == 1


async def test_text_the_database_refuses_is_kept_alone_and_the_rest_is_applied(meta: Meta) -> None:
    good = [meta.written(f"hello {place}", sender=f"3161000000{place}") for place in range(5)]
    bad = meta.written("null\u0000byte", sender="31610000009", wamid="wamid.bad")

    answers = await asyncio.gather(*(meta.send(value) for value in (*good[:3], bad, *good[3:])))

    assert answers == [200] * 6
    assert await meta.value("select count(*) from inbound_messages") == 5
    (kept,) = await meta.rows("select body from webhook_failures")
    assert kept["body"] == envelope(bad)


async def test_a_lone_surrogate_is_kept(meta: Meta) -> None:
    body = envelope(meta.written("@@")).replace(b"@@", b"\\ud800")

    assert await meta.post(body) == 200

    assert await meta.value("select body from webhook_failures") == body


async def test_a_kept_body_is_applied_after_a_fix(meta: Meta) -> None:
    async def keep(organization: str, body: bytes) -> int:
        return int(
            await meta.value(
                "insert into webhook_failures (organization_id, source, reason, body, received_at)"
                " values ($1, 'whatsapp', 'a bug', $2, $3) returning id",
                organization,
                body,
                NOON,
            )
        )

    mended = await keep(ACME, envelope(meta.written("hello")))
    foreign = await keep(GLOBEX, envelope(meta.written("hello", wamid="wamid.foreign")))
    broken = await keep(ACME, b"not json")

    done = await replay(config(meta.database.url), meta.clock, None)

    assert done.applied == (mended,)
    assert done.kept == (foreign, broken)
    assert await meta.value("select count(*) from inbound_messages") == 1
    again = await replay(config(meta.database.url), meta.clock, [mended])
    assert again.applied == again.kept == ()


async def test_every_captured_body_is_answered_with_200_twice_and_changes_nothing_then(
    meta: Meta,
) -> None:
    async def counts() -> dict[str, Any]:
        tables = ("contacts", "inbound_messages", "platform_events", "events", "consents")
        return {
            table: await meta.value(f"select count(*) from {table}")  # noqa: S608 — the names above
            for table in tables
        }

    assert {await meta.post(body) for body in CAPTURED.values()} == {200}
    first = await counts()
    assert {await meta.post(body) for body in CAPTURED.values()} == {200}

    assert await counts() == first
    # One of them also speaks of another account's number.
    kept = await meta.rows("select distinct body from webhook_failures")
    assert [each["body"] for each in kept] == [CAPTURED["batch"]]


async def test_more_requests_than_may_wait_get_503(
    meta: Meta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "MOST_WAITING", 3)

    answers = await asyncio.gather(
        *(meta.send(status("sent", wamid=f"wamid.{place}")) for place in range(20))
    )

    assert set(answers) == {200, 503}


async def test_strangers_who_send_slowly_do_not_keep_meta_waiting(
    meta: Meta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "MOST_WAITING", 3)
    async with AsyncExitStack() as stack:
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", meta.client.port)
            stack.callback(writer.close)
            writer.write(
                f"POST {PATH} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                "Content-Length: 100\r\n\r\n".encode()
            )
            # It comes from the very step that begins to read.
            await reader.readuntil(b"100 Continue\r\n\r\n")

        assert await meta.write("hello") == 200


async def test_without_a_database_meta_is_told_to_come_again(meta: Meta) -> None:
    lost = meta.written("STOP")
    await meta.database.pool.expire_connections()
    meta.database.pool.terminate()

    assert await meta.send(lost) == 503


async def test_requests_are_answered_after_their_commit(meta: Meta) -> None:
    campaign, step = await meta.campaign()
    contacts = [await meta.contact(f"+3161000{place:04}") for place in range(60)]
    ids = [await meta.message(campaign, step, contact) for contact in contacts]

    async def deliver(id_: int) -> datetime:
        assert await meta.send(status("delivered", message=id_)) == 200
        at: datetime = await meta.value("select delivered_at from messages where id = $1", id_)
        return at

    assert set(await asyncio.gather(*map(deliver, ids))) == {NOON}


async def test_business_time_is_the_webhooks_own(meta: Meta) -> None:
    meta.clock.at = NOON + timedelta(days=2)

    await meta.write("hello", at=NOON + timedelta(days=1))

    (row,) = await meta.rows("select at, received_at, number_id from inbound_messages")
    assert row["at"] == NOON + timedelta(days=1)
    assert row["received_at"] == NOON + timedelta(days=2)
    assert row["number_id"] == NUMBER[ACME]
