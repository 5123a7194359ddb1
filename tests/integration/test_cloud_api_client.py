"""What each ending of a call proves, against a small server on loopback."""

import asyncio
import resource
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.cli.running import allow_connections
from engine.ids import NumberId
from worker.whatsapp.client import (
    Accepted,
    CloudApi,
    Doubtful,
    ManagementFailed,
    NotSent,
    NumberState,
    Outcome,
    Refused,
    TooManyCalls,
    open_session,
)

NUMBER = NumberId("200000000000001")
TOKEN = "EAAG-very-secret"
PAYLOAD = orjson.dumps({"to": "+31610000001"})
OK = {
    "messaging_product": "whatsapp",
    "contacts": [{"input": "+31610000001", "wa_id": "31610000001"}],
    "messages": [{"id": "wamid.1"}],
}

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Raw = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def always(body: object, *, status: int = 200, **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else orjson.dumps(body)

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(
            status=status, body=content, content_type="application/json", headers=headers
        )

    return answer


@asynccontextmanager
async def platform(answer: Answer) -> AsyncIterator[CloudApi]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server, open_session() as session:
        yield CloudApi(session, str(server.make_url("/v25.0")), TOKEN)


@asynccontextmanager
async def raw_platform(talk: Raw) -> AsyncIterator[CloudApi]:
    """A server that decides itself what becomes of the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, open_session() as session:
        yield CloudApi(session, f"http://127.0.0.1:{port}/v25.0", TOKEN)


async def sent(answer: Answer) -> Outcome:
    async with platform(answer) as api:
        return await api.send(NUMBER, PAYLOAD)


async def request_of(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.readexactly(len(PAYLOAD))


def answer_bytes(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_a_message_is_posted_to_its_number_with_the_token() -> None:
    seen: list[tuple[str, str, str, bytes]] = []

    async def answer(request: web.Request) -> web.Response:
        headers = request.headers
        seen.append(
            (request.path, headers["Authorization"], request.content_type, await request.read())
        )
        return web.json_response(OK)

    assert await sent(answer) == Accepted(wamid="wamid.1", held=False)
    assert seen == [(f"/v25.0/{NUMBER}/messages", f"Bearer {TOKEN}", "application/json", PAYLOAD)]


@pytest.mark.parametrize(
    ("contacts", "known_as"),
    [
        ([{"input": "+551187654321", "wa_id": "5511987654321"}], "5511987654321"),
        ([{"input": "+31612345678", "wa_id": "31612345678"}], None),
        ([{"input": "NL.123", "user_id": "NL.123"}], None),
        ([{"input": "+31612345678", "wa_id": "nobody"}], None),
        ("what", None),
    ],
    ids=["a twin", "the same", "only a user id", "no number", "another shape"],
)
async def test_an_answer_says_as_whom_the_platform_knows_somebody(
    contacts: object, known_as: str | None
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"contacts": contacts, "messages": [{"id": "wamid.1"}]})

    assert await sent(answer) == Accepted(wamid="wamid.1", held=False, known_as=known_as)


@pytest.mark.parametrize(
    ("status", "held"),
    [("accepted", False), ("held_for_quality_assessment", True), ("paused", True)],
)
async def test_an_answer_held_for_quality_is_told_apart(status: str, *, held: bool) -> None:
    answer = always({**OK, "messages": [{"id": "wamid.1", "message_status": status}]})

    assert await sent(answer) == Accepted(wamid="wamid.1", held=held)


@pytest.mark.parametrize("http", [400, 429, 500, 503, 200])
async def test_an_error_of_whatsapp_is_a_refusal_whatever_the_status(http: int) -> None:
    error = {
        "message": "(#131056) Pair rate limit hit",
        "type": "OAuthException",
        "code": 131056,
        "error_data": {"messaging_product": "whatsapp", "details": "Too many messages"},
        "fbtrace_id": "AbC",
    }

    assert await sent(always({"error": error}, status=http)) == Refused(
        code=131056,
        title="(#131056) Pair rate limit hit",
        details="Too many messages",
        http=http,
        trace="AbC",
        regain=None,
    )


async def test_error_data_may_be_a_plain_text() -> None:
    refused = await sent(always({"error": {"code": 100, "error_data": "no"}}, status=400))

    assert isinstance(refused, Refused)
    assert refused.details == "no"


async def test_a_refusal_says_when_calls_are_allowed_again() -> None:
    usage = orjson.dumps(
        {"1": [{"estimated_time_to_regain_access": 3}, {"estimated_time_to_regain_access": 12}]}
    ).decode()
    answer = always({"error": {"code": 4}}, status=400, **{"X-Business-Use-Case-Usage": usage})

    refused = await sent(answer)

    assert isinstance(refused, Refused)
    assert refused.regain == timedelta(minutes=12)


@pytest.mark.parametrize("http", [302, 307, 400, 403, 404, 413])
async def test_a_refusal_by_something_in_between_has_no_code(http: int) -> None:
    refused = await sent(always(b"<html>no</html>", status=http, Location="/elsewhere"))

    assert isinstance(refused, Refused)
    assert (refused.code, refused.http) == (None, http)


@pytest.mark.parametrize(
    ("http", "body"),
    [
        pytest.param(500, b"<html>oops</html>", id="500 of a proxy"),
        pytest.param(502, b"", id="502 without a body"),
        pytest.param(503, b'{"error": {"message": "no code"}}', id="503 without a code"),
        pytest.param(504, b"[]", id="504 with odd json"),
        pytest.param(200, b"", id="200 without a body"),
        pytest.param(200, b"<html>fine</html>", id="200 that is no json"),
        pytest.param(200, b'{"messages": []}', id="200 without a message"),
        pytest.param(200, b'{"messages": [{"id": 7}]}', id="200 with an odd id"),
        pytest.param(200, b'{"messages": [{"id": ""}]}', id="200 with an empty id"),
    ],
)
async def test_an_answer_that_proves_nothing_is_doubtful(http: int, body: bytes) -> None:
    assert isinstance(await sent(always(body, status=http)), Doubtful)


async def test_a_refused_connection_means_nothing_left() -> None:
    async with open_session() as session:
        api = CloudApi(session, f"http://127.0.0.1:{unused_port()}", TOKEN)

        assert isinstance(await api.send(NUMBER, PAYLOAD), NotSent)


async def test_a_name_without_address_means_nothing_left() -> None:
    async with open_session() as session:
        api = CloudApi(session, "http://nobody.invalid", TOKEN)

        assert isinstance(await api.send(NUMBER, PAYLOAD), NotSent)


async def test_a_failed_handshake_means_nothing_left() -> None:
    calls: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(await reader.read(100))
        writer.write(b"HTTP/1.1 400 this speaks no TLS\r\n\r\n")

    async with raw_platform(talk) as plain, open_session() as session:
        port = str(plain).rsplit(":", 1)[1].split("/")[0]
        api = CloudApi(session, f"https://127.0.0.1:{port}", TOKEN)

        assert isinstance(await api.send(NUMBER, PAYLOAD), NotSent)
    assert len(calls) == 1
    assert TOKEN.encode() not in calls[0]


async def test_waiting_in_vain_for_a_connection_means_nothing_left() -> None:
    calls: list[str] = []
    called, released = asyncio.Event(), asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        calls.append(request.path)
        called.set()
        await released.wait()
        return web.json_response(OK)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    timeout = aiohttp.ClientTimeout(total=5, connect=0.1)
    connector = aiohttp.TCPConnector(limit=1)
    async with (
        TestServer(app) as server,
        aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
    ):
        api = CloudApi(session, str(server.make_url("/")), TOKEN)
        first = asyncio.ensure_future(api.send(NUMBER, PAYLOAD))
        await called.wait()

        second = await api.send(NUMBER, PAYLOAD)
        released.set()

        assert isinstance(second, NotSent)
        assert isinstance(await first, Accepted)
    assert len(calls) == 1


async def test_no_call_waits_for_another_ones_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call counts from its start; numbers with hundreds under way each share no limit."""
    monkeypatch.setattr("worker.whatsapp.client.TOTAL_TIMEOUT", 120)
    monkeypatch.setattr("worker.whatsapp.client.CONNECT_TIMEOUT", 100)
    allow_connections()  # two for each call, because the platform is here too
    many = min(1_100, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 3)
    usual = aiohttp.TCPConnector.__init__.__kwdefaults__
    assert usual is not None
    assert many > usual["limit"]
    calls: list[str] = []
    all_here = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        calls.append(request.path)
        if len(calls) == many:
            all_here.set()
        await all_here.wait()
        return web.json_response(OK)

    async with platform(answer) as api:
        outcomes = await asyncio.gather(*(api.send(NUMBER, PAYLOAD) for _ in range(many)))

    assert set(outcomes) == {Accepted(wamid="wamid.1", held=False)}


@pytest.mark.parametrize("turns", range(1, 12))
async def test_a_process_that_stood_still_while_it_connected_does_not_call_any_more(
    monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    """The lease that was looked at before has another holder by then."""
    monkeypatch.setattr("worker.whatsapp.client.CONNECT_TIMEOUT", 0.2)
    arrived: list[float] = []
    connected: list[float] = []

    async def note(*_: object) -> None:
        connected.append(time.monotonic())

    tracing = aiohttp.TraceConfig()
    tracing.on_connection_create_end.append(note)
    tracing.freeze()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        answering = threading.Thread(target=_answer_once, args=(listening, arrived))
        answering.start()
        async with open_session() as session:
            session.trace_configs.append(tracing)
            api = CloudApi(session, f"http://127.0.0.1:{listening.getsockname()[1]}", TOKEN)
            call = asyncio.ensure_future(api.send(NUMBER, PAYLOAD))
            for _ in range(turns):
                await asyncio.sleep(0)
            stood_still = time.monotonic()
            time.sleep(0.3)  # noqa: ASYNC251 — the whole process stands still, as under SIGSTOP
            outcome = await call
        socket.create_connection(listening.getsockname()).close()  # if nobody came
        answering.join()

    # Connected before, the call is being written: that can be held back no longer.
    if not connected or connected[0] > stood_still:
        assert isinstance(outcome, NotSent)
        assert not arrived


def _answer_once(listening: socket.socket, arrived: list[float]) -> None:
    """Answer the first call, and note when it came."""
    connection, _ = listening.accept()
    with connection:
        connection.settimeout(5)
        if connection.recv(10_000):
            arrived.append(time.monotonic())
            connection.sendall(answer_bytes(orjson.dumps(OK)))


async def test_a_timeout_after_the_call_is_doubtful() -> None:
    async def answer(_request: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.json_response(OK)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    timeout = aiohttp.ClientTimeout(total=0.1)
    async with TestServer(app) as server, aiohttp.ClientSession(timeout=timeout) as session:
        api = CloudApi(session, str(server.make_url("/")), TOKEN)

        assert isinstance(await api.send(NUMBER, PAYLOAD), Doubtful)


async def test_a_connection_closed_without_an_answer_is_doubtful() -> None:
    async def talk(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await request_of(reader)

    async with raw_platform(talk) as api:
        assert isinstance(await api.send(NUMBER, PAYLOAD), Doubtful)


async def test_a_reset_is_doubtful() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.transport.abort()

    async with raw_platform(talk) as api:
        assert isinstance(await api.send(NUMBER, PAYLOAD), Doubtful)


async def test_half_an_answer_is_doubtful() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(answer_bytes(orjson.dumps(OK))[:-5])
        await writer.drain()

    async with raw_platform(talk) as api:
        assert isinstance(await api.send(NUMBER, PAYLOAD), Doubtful)


async def test_an_answer_that_is_no_http_is_doubtful_and_shows_no_token() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(b"nonsense\r\n\r\n")
        await writer.drain()

    async with raw_platform(talk) as api:
        outcome = await api.send(NUMBER, PAYLOAD)

    assert isinstance(outcome, Doubtful)
    assert TOKEN not in repr(outcome)


async def test_a_kept_connection_closed_at_the_next_call_is_doubtful_and_not_called_again() -> None:
    calls: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(await request_of(reader))
        writer.write(answer_bytes(orjson.dumps(OK)))
        await writer.drain()
        calls.append(await request_of(reader))

    async with raw_platform(talk) as api:
        first = await api.send(NUMBER, PAYLOAD)
        second = await api.send(NUMBER, PAYLOAD)

    assert isinstance(first, Accepted)
    assert isinstance(second, Doubtful)
    assert len(calls) == 2


async def test_a_redirect_is_not_followed() -> None:
    calls: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        calls.append(request.method)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    assert isinstance(await sent(answer), Refused)
    assert calls == ["POST"]


async def test_templates_come_page_by_page() -> None:
    asked: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        after = request.query.get("after")
        asked.append(after)
        assert request.path == "/v25.0/100000000000001/message_templates"
        assert request.query["limit"] == "100"
        paging: dict[str, object] = {"cursors": {"before": "x", "after": f"{after or ''}a"}}
        if after != "aa":
            paging["next"] = "https://graph.facebook.com/next"
        return web.json_response({"data": [{"name": f"t{len(asked)}"}, 7], "paging": paging})

    async with platform(answer) as api:
        pages = [page async for page in api.templates("100000000000001")]

    assert asked == [None, "a", "aa"]
    assert pages == [({"name": "t1"},), ({"name": "t2"},), ({"name": "t3"},)]


async def test_a_list_that_goes_in_circles_is_refused() -> None:
    answer = always({"data": [], "paging": {"cursors": {"after": "a"}, "next": "x"}})

    async with platform(answer) as api:
        with pytest.raises(ManagementFailed, match="circles"):
            [page async for page in api.templates("1")]


async def test_what_meta_says_of_a_number_is_read() -> None:
    answer = always(
        {
            "display_phone_number": "+1 555-000-1111",
            "verified_name": "Acme",
            "quality_rating": "GREEN",
            "throughput": {"level": "STANDARD"},
            "whatsapp_business_manager_messaging_limit": "TIER_2K",
            "health_status": {
                "can_send_message": "BLOCKED",
                "entities": [
                    {"entity_type": "PHONE_NUMBER", "can_send_message": "AVAILABLE"},
                    {
                        "entity_type": "WABA",
                        "can_send_message": "BLOCKED",
                        "errors": [{"error_code": 141006, "error_description": "Payment issue"}],
                    },
                ],
            },
            "id": NUMBER,
        }
    )

    async with platform(answer) as api:
        assert await api.number(NUMBER) == NumberState(
            id=NUMBER,
            display_phone="+1 555-000-1111",
            verified_name="Acme",
            throughput="STANDARD",
            quality="GREEN",
            messaging_limit="TIER_2K",
            can_send="BLOCKED",
            reasons=("Payment issue",),
        )


@pytest.mark.parametrize(("apps", "expected"), [([], False), ([{"name": "Dripline"}], True)])
async def test_a_subscription_is_seen(apps: list[object], *, expected: bool) -> None:
    async with platform(always({"data": apps})) as api:
        assert await api.subscribed("1") is expected


async def test_subscribing_posts_to_the_account() -> None:
    seen: list[tuple[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.method, request.path))
        return web.json_response({"success": True})

    async with platform(answer) as api:
        await api.subscribe("1")

    assert seen == [("POST", "/v25.0/1/subscribed_apps")]


async def test_too_many_management_calls_have_a_type_of_their_own() -> None:
    usage = '{"1": [{"estimated_time_to_regain_access": 7}]}'
    answer = always({"error": {"code": 80007}}, status=400, **{"X-Business-Use-Case-Usage": usage})

    async with platform(answer) as api:
        with pytest.raises(TooManyCalls) as caught:
            await api.number(NUMBER)

    assert caught.value.refused is not None
    assert caught.value.refused.regain == timedelta(minutes=7)


@pytest.mark.parametrize(
    ("http", "body"), [(500, b"oops"), (200, b"oops"), (404, b"{}"), (400, b'{"error": {}}')]
)
async def test_a_management_call_without_an_answer_fails(http: int, body: bytes) -> None:
    async with platform(always(body, status=http)) as api:
        with pytest.raises(ManagementFailed):
            await api.subscribed("1")


async def test_the_token_shows_nowhere() -> None:
    async with open_session() as session:
        api = CloudApi(session, f"http://127.0.0.1:{unused_port()}", TOKEN)

        with pytest.raises(ManagementFailed) as caught:
            await api.number(NUMBER)

        shown = [repr(api), str(api), repr(caught.value), repr(await api.send(NUMBER, PAYLOAD))]
    assert not [text for text in shown if TOKEN in text]
    assert caught.value.__cause__ is None
