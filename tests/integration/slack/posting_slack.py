"""A small Slack that keeps what is posted, edits it, and fails as told; and what relays need."""

import asyncio
import time
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.slack.relay import Relay
from bot.slack.workspace import Workspace, Workspaces
from engine.config import Config, load
from engine.ids import CampaignId
from engine.message import hour_of
from storage import messages
from storage.database import Database, Unit
from storage.events import unrelayed
from tests.database import ACME, NOON

ALERTS, INBOX = "C0ALERTS", "C0INBOX"

CONFIG = """
[organizations.acme]
name = "Acme"
timezone = "Europe/Amsterdam"
slack = { team_id = "T0ACME", bot_token = "env:SECRET", signing_secret = "env:SECRET", \
alerts_channel = "C0ALERTS", inbox_channel = "C0INBOX" }
staff = { owner = ["U0OWNER"] }
[organizations.acme.whatsapp]
business_account_id = "1029384756"
app_secret = "env:SECRET"
verify_token = "env:SECRET"
access_token = "env:SECRET"
numbers = [{ id = "106540352242922", phone = "+15550001111" }]
"""


def config() -> Config:
    return load(CONFIG, environment={"SECRET": "xoxb-secret-of-the-tests"})


class Machine:
    """Business time stands still at noon unless moved; the machine's time is the machine's."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at

    def wall(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 — the machine's time

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass
class Refusal:
    """How Slack answers a call instead of doing what it asks."""

    error: str
    status: int = 200
    retry_after: int | None = None


ANSWER, LOSE_ANSWER = "answer", "lose the answer"


@dataclass
class PostingSlack:
    """Channels with their messages.

    Attributes:
        calls: Method, arguments and monotonic seconds of each call, refused ones too.
        next_answers: By method: how the next calls are answered, each once.
        refusals: By channel: how every call is answered, until it is taken away.
    """

    channels: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    calls: list[tuple[str, dict[str, Any], float]] = field(default_factory=list)
    next_answers: dict[str, deque[Refusal | str]] = field(
        default_factory=lambda: defaultdict(deque)
    )
    refusals: dict[str, Refusal] = field(default_factory=dict)
    stamped: int = 0

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._call)
        return app

    def texts(self, channel: str = ALERTS, *, thread_ts: str | None = None) -> list[str]:
        return [each["text"] for each in self.messages(channel, thread_ts=thread_ts)]

    def messages(
        self, channel: str = ALERTS, *, thread_ts: str | None = None
    ) -> list[dict[str, Any]]:
        return [each for each in self.channels[channel] if each.get("thread_ts") == thread_ts]

    def count(self, method: str) -> int:
        return sum(called == method for called, _, _ in self.calls)

    def keep(self, channel: str, given: Mapping[str, Any]) -> dict[str, Any]:
        self.stamped += 1
        message = {**given, "ts": f"{NOON.timestamp() + self.stamped:.6f}"}
        self.channels[channel].append(message)
        return message

    async def _call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        given: dict[str, Any] = dict(request.query)
        if request.content_type == "application/json":
            given |= await request.json()
        else:
            given |= await request.post()
        self.calls.append((method, given, time.monotonic()))
        planned = self.next_answers[method]
        answer = planned.popleft() if planned else self.refusals.get(given.get("channel", ""))
        if isinstance(answer, Refusal):
            headers = {} if answer.retry_after is None else {"Retry-After": str(answer.retry_after)}
            return web.json_response(
                {"ok": False, "error": answer.error}, status=answer.status, headers=headers
            )
        done = self._do(method, given)
        if answer == LOSE_ANSWER:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(done)

    def _do(self, method: str, given: dict[str, Any]) -> dict[str, Any]:
        if method == "conversations.open":
            return {"ok": True, "channel": {"id": f"D{given['users']}"}}
        channel = given["channel"]
        match method:
            case "chat.postMessage":
                message = self.keep(channel, given)
                return {"ok": True, "channel": channel, "ts": message["ts"]}
            case "chat.update":
                found = [each for each in self.channels[channel] if each["ts"] == given["ts"]]
                if not found:
                    return {"ok": False, "error": "message_not_found"}
                found[0].update(given)
                return {"ok": True, "channel": channel, "ts": given["ts"]}
            case "conversations.history":
                return {"ok": True, "messages": self.messages(channel)[::-1]}
            case "conversations.replies":
                return {"ok": True, "messages": self.messages(channel, thread_ts=given["ts"])}
            case _:
                return {"ok": False, "error": "unknown_method"}


@dataclass
class World:
    """The relay as production builds it, beside a Slack and a Postgres."""

    database: Database
    slack: PostingSlack
    clock: Machine
    workspaces: Workspaces

    def relay(self, database: Database | None = None) -> Relay:
        return Relay(config(), database or self.database, self.clock, self.workspaces.client)

    @asynccontextmanager
    async def relaying(self, *relays: Relay) -> AsyncIterator[None]:
        """Run *relays* (one of our own, if none are given) as long as the block lasts."""
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for relay in relays or (self.relay(),):
                group.create_task(relay.run(stopping))
            try:
                yield
            finally:
                stopping.set()

    async def until(self, told: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not told():  # noqa: ASYNC110 — what is waited for happens in another server
                await asyncio.sleep(0.02)

    async def until_told(self) -> None:
        """Wait until staff have nothing left to be told."""
        async with asyncio.timeout(30):
            while await self.run(unrelayed):  # noqa: ASYNC110 — it happens in another server
                await asyncio.sleep(0.02)

    async def run(self, work: Any) -> Any:  # noqa: ANN401 — as work returns
        return await self.database.run(ACME, self.clock.now(), work, owner=True)

    async def event(
        self, kind: str, content: Mapping[str, Any] = {}, *, campaign: int | None = None
    ) -> int:
        async with self.database.unit(ACME, self.clock.now()) as unit:
            return await write_event(unit, kind, content, campaign=campaign)

    async def settled(self, event: int) -> tuple[bool, str | None]:
        """Return whether an event was relayed, and the error kept with it."""
        row = await self.database.pool.fetchrow(
            "select relayed_at, error from events where id = $1", event
        )
        assert row is not None
        return row["relayed_at"] is not None, row["error"]

    async def campaign(self, name: str = "Sale", **columns: Any) -> CampaignId:  # noqa: ANN401 — any column
        values: dict[str, Any] = {
            "organization_id": ACME,
            "kind": "broadcast",
            "name": name,
            "state": "running",
            "type": "promotional",
            "actor": "U0OWNER",
            "created_at": NOON,
            "updated_at": NOON,
            "started_at": NOON,
            "started_by": "U0OWNER",
            **columns,
        }
        places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
        sql = f"insert into campaigns ({', '.join(values)}) values ({places}) returning id"  # noqa: S608 — our own columns
        return CampaignId(await self.database.pool.fetchval(sql, *values.values()))

    async def change(self, campaign: CampaignId, **columns: Any) -> None:  # noqa: ANN401 — any column
        sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, start=2))
        await self.database.pool.execute(
            f"update campaigns set {sets}, version = version + 1 where id = $1",  # noqa: S608 — our own columns
            campaign,
            *columns.values(),
        )

    async def step(
        self, campaign: CampaignId, position: int = 1, *, removed: bool = False, **counts: int
    ) -> int:
        """Add a step; *counts*: its metrics, `skipped__opted_out` for `skipped:opted_out`."""
        step: int = await self.database.pool.fetchval(
            "insert into steps (organization_id, campaign_id, position, after_s, content,"
            " created_at, removed_at) values ($1, $2, $3, 0, '{}', $4, $5) returning id",
            ACME,
            campaign,
            position,
            NOON,
            NOON if removed else None,
        )
        await self.count(campaign, step, **counts)
        return step

    async def count(self, campaign: CampaignId, step: int, **counts: int) -> None:
        deltas = {
            (campaign, step, 0, hour_of(NOON), metric.replace("__", ":")): count
            for metric, count in counts.items()
        }
        await self.run(lambda unit: messages.move_stats(unit, Counter(deltas)))

    async def enroll(self, campaign: CampaignId, **states: int) -> None:
        for state, count in states.items():
            await self.database.pool.execute(
                "insert into enrollments (organization_id, campaign_id, contact_id, state,"
                " enrolled_at, enrolled_by, beside)"
                " select $1, $2, n, $3, $4, 'U0OWNER', true from generate_series(1, $5) n",
                ACME,
                campaign,
                state,
                NOON,
                count,
            )


async def write_event(
    unit: Unit, kind: str, content: Mapping[str, Any], *, campaign: int | None = None
) -> int:
    event: int = await unit.connection.fetchval(
        "insert into events (organization_id, kind, campaign_id, content, at)"
        " values ($1, $2, $3, $4, $5) returning id",
        ACME,
        kind,
        campaign,
        orjson.dumps(content).decode(),
        unit.at,
    )
    return event


@asynccontextmanager
async def world_of(database: Database) -> AsyncIterator[World]:
    slack = PostingSlack()
    async with TestServer(slack.app()) as server, aiohttp.ClientSession() as session:
        workspace = Workspace(
            organization=ACME,
            name="Acme",
            team_id="T0ACME",
            bot_token="xoxb-acme",
            signing_secret="secret",
            staff=(),
        )
        workspaces = Workspaces(
            [workspace], session=session, slack_url=str(server.make_url("/api/"))
        )
        yield World(database, slack, Machine(), workspaces)
