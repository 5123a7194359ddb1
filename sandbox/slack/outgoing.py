"""Signed requests from Slack to the bot.

Source: docs.slack.dev, "Verifying requests from Slack"; "The Events API", retries.
"""

import asyncio
import hashlib
import hmac
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp
import orjson

from sandbox.clock import Clock
from sandbox.schedule import Schedule
from sandbox.state import State
from sandbox.wire import Json

_PATIENCE = aiohttp.ClientTimeout(total=3)  # Slack waits no longer for an acknowledgement
_RETRIES_S = (0, 60, 300)  # business seconds before each repeat of an event
_SENDERS = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bot said; *status* 0 when it said nothing in time."""

    status: int
    milliseconds: int
    body: bytes = b""
    no_retry: bool = False

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004 — Slack takes any 2xx for a yes


class Outgoing:
    """Sends what Slack sends; events queue and are repeated, the rest is sent once."""

    def __init__(
        self, *, url: str, signing_secret: str, clock: Clock, schedule: Schedule, state: State
    ) -> None:
        self._url = url
        self._secret = signing_secret.encode()
        self._clock = clock
        self._schedule = schedule
        self._state = state
        self._events: deque[tuple[Json, int, Callable[[Answer], None]]] = deque()
        self._waiting = asyncio.Semaphore(0)
        self._flying = 0
        self._session: aiohttp.ClientSession | None = None
        self.sent = 0  # requests so far: tells whether anything moved meanwhile

    @property
    def idle(self) -> bool:
        return not self._flying and not self._events

    async def run(self) -> None:
        """Send events, for ever."""
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=10)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=_PATIENCE) as self._session,
            asyncio.TaskGroup() as senders,
        ):
            for _ in range(_SENDERS):
                senders.create_task(self._send_events())

    def restore(self) -> None:
        """Send again what an earlier start could not deliver."""
        for _, body in self._state.records("slack_event"):
            self.event(body)

    async def form(self, fields: Json) -> Answer:
        """Send a slash command, or an interaction as its ``payload``."""
        return await self._send(urlencode(fields).encode(), "application/x-www-form-urlencoded", {})

    async def payload(self, payload: Json) -> Answer:
        """Send an interaction."""
        return await self.form({"payload": orjson.dumps(payload).decode()})

    def event(self, body: Json, then: Callable[[Answer], None] | None = None) -> None:
        """Send an event, again and again until it is acknowledged; *then* hears the first answer.

        Repeats come after 0, 60 and 300 seconds of business time.
        """
        self._state.keep("slack_event", body["event_id"], body)
        self._queue(body, 0, then or (lambda _: None))

    def _queue(self, body: Json, attempt: int, then: Callable[[Answer], None]) -> None:
        self._events.append((body, attempt, then))
        self._waiting.release()

    async def _send_events(self) -> None:
        while True:
            await self._waiting.acquire()
            body, attempt, then = self._events.popleft()
            headers = {}
            if attempt:
                headers["X-Slack-Retry-Num"] = str(attempt)
                headers["X-Slack-Retry-Reason"] = "http_error"
            answer = await self._send(orjson.dumps(body), "application/json", headers)
            if answer.ok or answer.no_retry or attempt == len(_RETRIES_S):
                self._state.keep("slack_event", body["event_id"], None)
            else:
                due = self._clock.now_us() + _RETRIES_S[attempt] * 1_000_000
                self._schedule.at(due, _later(self._queue, body, attempt + 1))
            then(answer)

    async def _send(self, body: bytes, content_type: str, headers: dict[str, str]) -> Answer:
        if self._session is None:
            raise RuntimeError("requests are sent while run() runs")
        at = str(self._clock.wall_ms() // 1000)
        base = b"v0:" + at.encode() + b":" + body
        signed = {
            **headers,
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": at,
            "X-Slack-Signature": "v0=" + hmac.new(self._secret, base, hashlib.sha256).hexdigest(),
        }
        started = self._clock.monotonic()
        self._flying += 1
        try:
            async with self._session.post(self._url, data=body, headers=signed) as response:
                content = await response.read()
                status = response.status
                no_retry = response.headers.get("X-Slack-No-Retry") == "1"
        except (aiohttp.ClientError, TimeoutError):
            status, content, no_retry = 0, b"", False
        finally:
            self._flying -= 1
            self.sent += 1
        return Answer(status, round((self._clock.monotonic() - started) * 1000), content, no_retry)


def _later(
    queue: Callable[[Json, int, Callable[[Answer], None]], None], body: Json, attempt: int
) -> Callable[[], None]:
    return lambda: queue(body, attempt, lambda _: None)
