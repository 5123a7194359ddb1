"""A sandbox on real sockets, with a small bot beside it that records what it hears."""

import hashlib
import hmac
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import orjson
from aiohttp import web

from sandbox import demo
from sandbox.server import Sandbox
from sandbox.settings import Settings

Json = dict[str, Any]


@dataclass
class Bot:
    """What the product would be: it checks every signature and answers as told.

    Attributes:
        webhook_status: What WhatsApp's webhooks are answered.
        on_command: Body of the answer to a slash command.
        on_interaction: Body of the answer to an interaction, from its payload.
        idle: What `/health/idle` says.
    """

    webhook_status: int = 200
    event_status: int = 200
    on_command: Callable[[Json], Awaitable[object]] | None = None
    on_interaction: Callable[[Json], Awaitable[object]] | None = None
    on_event: Callable[[Json], Awaitable[None]] | None = None
    idle: Callable[[], Json] = field(
        default_factory=lambda: (
            lambda: {"idle": True, "next_due": None, "due": 0, "claimed": 0, "unrelayed": 0}
        )
    )
    posts: list[Json] = field(default_factory=list)  # bodies of WhatsApp's POSTs
    commands: list[Json] = field(default_factory=list)
    interactions: list[Json] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    retries: list[str | None] = field(default_factory=list)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/webhooks/whatsapp", self._whatsapp)
        app.router.add_get("/webhooks/whatsapp", self._handshake)
        app.router.add_post("/slack/events", self._slack)
        app.router.add_get("/health/idle", self._idle)
        return app

    @property
    def values(self) -> list[Json]:
        """Every change's value, in the order of arrival."""
        return [
            change["value"]
            for post in self.posts
            for entry in post["entry"]
            for change in entry["changes"]
        ]

    @property
    def statuses(self) -> list[Json]:
        return [status for value in self.values for status in value.get("statuses", [])]

    @property
    def written(self) -> list[Json]:
        return [message for value in self.values for message in value.get("messages", [])]

    async def _whatsapp(self, request: web.Request) -> web.Response:
        body = await request.read()
        digest = hmac.new(demo.APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
        if request.headers["X-Hub-Signature-256"] != f"sha256={digest}":
            return web.Response(status=401)
        self.posts.append(orjson.loads(body))
        return web.Response(status=self.webhook_status)

    async def _handshake(self, request: web.Request) -> web.Response:
        if request.query["hub.verify_token"] != demo.VERIFY_TOKEN:
            return web.Response(status=403)
        return web.Response(text=request.query["hub.challenge"])

    async def _slack(self, request: web.Request) -> web.Response:
        body = await request.read()
        base = b"v0:" + request.headers["X-Slack-Request-Timestamp"].encode() + b":" + body
        digest = hmac.new(demo.SLACK_SIGNING_SECRET.encode(), base, hashlib.sha256).hexdigest()
        if request.headers["X-Slack-Signature"] != f"v0={digest}":
            return web.Response(status=401)
        if request.content_type == "application/json":
            event = orjson.loads(body)
            self.events.append(event)
            self.retries.append(request.headers.get("X-Slack-Retry-Num"))
            if self.on_event is not None:
                await self.on_event(event)
            return web.Response(status=self.event_status)
        form = {key: values[0] for key, values in parse_qs(body.decode()).items()}
        if "payload" in form:
            payload = orjson.loads(form["payload"])
            self.interactions.append(payload)
            said = await self.on_interaction(payload) if self.on_interaction else None
        else:
            self.commands.append(form)
            said = await self.on_command(form) if self.on_command else None
        if isinstance(said, web.Response):
            return said
        if said is None:
            return web.Response()
        return web.Response(body=orjson.dumps(said), content_type="application/json")

    async def _idle(self, _: web.Request) -> web.Response:
        return web.Response(body=orjson.dumps(self.idle()), content_type="application/json")


class Standing:
    """Parts that stand still; what is done to them is written down."""

    def __init__(self) -> None:
        self.done: list[str] = []

    async def health(self) -> tuple[bool, Json]:
        return not self.done, {"parts": {"bot": {"pid": 1, "url": "http://bot"}}}

    async def signal(self, name: str, signal: str) -> None:
        if name != "lanes":
            raise KeyError(name)
        if signal != "SIGKILL":
            raise ValueError(signal)
        self.done.append(f"{signal} {name}")

    async def restart_postgres(self) -> None:
        self.done.append("restart")

    async def flush_redis(self) -> None:
        self.done.append("flush")


@dataclass
class World:
    """A running sandbox, its bot, and a client of each kind."""

    settings: Settings
    sandbox: Sandbox
    bot: Bot
    parts: Standing
    http: aiohttp.ClientSession

    async def get(self, path: str, *, status: int = 200, **query: str) -> Json:
        url = f"{self.settings.url}/sandbox/api/{path}"
        async with self.http.get(url, params=query) as response:
            body: Json = await response.json()
            assert response.status == status, body
            return body

    async def post(self, path: str, body: object = None, *, status: int = 200) -> Json:
        url = f"{self.settings.url}/sandbox/api/{path}"
        async with self.http.post(url, json={} if body is None else body) as response:
            answer: Json = await response.json()
            assert response.status == status, answer
            return answer

    async def send(self, body: Json, *, status: int = 200, number: str | None = None) -> Json:
        """Call ``/messages`` with the token."""
        number = number or demo.NUMBERS[0].id
        url = f"{self.settings.url}/graph/v25.0/{number}/messages"
        headers = {"Authorization": f"Bearer {demo.ACCESS_TOKEN}"}
        async with self.http.post(url, json=body, headers=headers) as response:
            answer: Json = await response.json()
            assert response.status == status, answer
            return answer

    async def graph(self, path: str, *, status: int = 200, **query: str) -> Json:
        headers = {"Authorization": f"Bearer {demo.ACCESS_TOKEN}"}
        url = f"{self.settings.url}/graph/v25.0/{path}"
        async with self.http.get(url, params=query, headers=headers) as response:
            answer: Json = await response.json()
            assert response.status == status, answer
            return answer

    async def slack(self, method: str, body: Json | None = None) -> Json:
        """Call a method of the Web API with the token."""
        headers = {"Authorization": f"Bearer {demo.SLACK_BOT_TOKEN}"}
        url = f"{self.settings.url}/slack/api/{method}"
        async with self.http.post(url, json=body or {}, headers=headers) as response:
            answer: Json = await response.json()
            answer["http"] = response.status
            return answer

    async def ahead(self, seconds: float) -> Json:
        walked = await self.post("clock/advance", {"seconds": seconds})
        assert walked["settled"], walked
        return walked


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def settings_in(folder: Path, bot_port: int) -> Settings:
    return Settings(
        state_dir=folder / "state",
        clock_path=folder / "clock",
        bot_url=f"http://127.0.0.1:{bot_port}",
        organization=demo.ORGANIZATION,
        app_secret=demo.APP_SECRET,
        verify_token=demo.VERIFY_TOKEN,
        access_token=demo.ACCESS_TOKEN,
        business_account_id=demo.BUSINESS_ACCOUNT_ID,
        slack_signing_secret=demo.SLACK_SIGNING_SECRET,
        slack_bot_token=demo.SLACK_BOT_TOKEN,
        slack_team_id=demo.SLACK_TEAM_ID,
        numbers=demo.NUMBERS,
        templates=demo.TEMPLATES,
        users=demo.USERS,
        channels=demo.CHANNELS,
        user_groups=(("S0CARE", ("U0AGENT",)),),
        port=free_port(),
        page=Path(__file__).parent,
    )


Start = Callable[..., Awaitable[World]]
