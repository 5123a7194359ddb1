"""Webhooks on their way to the bot: batched under load, signed, repeated until answered 200.

Source: Meta, Graph API, "Webhooks"; up to 1,000 updates in one POST, not guaranteed.
"""

import asyncio
import hashlib
import hmac
import json
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from sandbox.clock import Clock
from sandbox.schedule import Schedule
from sandbox.wire import Json

_CONNECTIONS = 8
_BATCH = 200  # updates in one POST
_TIMEOUT = aiohttp.ClientTimeout(total=15)
_LONGEST_PAUSE = 60  # business seconds between two tries


@dataclass(slots=True)
class Update:
    """One thing to tell the bot.

    Attributes:
        value: The change's value; for ``messages`` without ``metadata``.
        number: Id of the number it is about, for the field ``messages``.
        done: Called once the bot has answered 200.
        failures: How often the bot has not.
    """

    field: str
    value: Json
    number: str | None
    done: Callable[[], None]
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bot said: *status* 0 when it could not be reached in time."""

    status: int
    milliseconds: int


class Hooks:
    """A queue of updates, sent over a few connections at once."""

    def __init__(
        self,
        *,
        url: str,
        app_secret: str,
        business_account_id: str,
        display_phone: Callable[[str], str],
        clock: Clock,
        schedule: Schedule,
    ) -> None:
        self._url = url
        self._secret = app_secret.encode()
        self._account = business_account_id
        self._display_phone = display_phone
        self._clock = clock
        self._schedule = schedule
        self._queue: deque[Update] = deque()
        self._waiting = asyncio.Semaphore(0)
        self._flying = 0
        self.sent = 0  # POSTs so far: tells whether anything moved meanwhile
        self._session: aiohttp.ClientSession | None = None

    @property
    def idle(self) -> bool:
        return not self._queue and not self._flying

    def send(self, update: Update) -> None:
        self._queue.append(update)
        self._waiting.release()

    async def run(self) -> None:
        """Send what is queued, for ever."""
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=10)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT) as self._session,
            asyncio.TaskGroup() as senders,
        ):
            for _ in range(_CONNECTIONS):
                senders.create_task(self._send_queued())

    async def handshake(self, verify_token: str) -> bool:
        """Ask the bot whether the address is its own, as Meta does when one is entered.

        Source: Meta, Graph API, "Webhooks", "Verification requests".
        """
        challenge = str(secrets.randbelow(10**9))
        query = {
            "hub.mode": "subscribe",
            "hub.challenge": challenge,
            "hub.verify_token": verify_token,
        }
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT) as session,
                session.get(self._url, params=query) as response,
            ):
                said = await response.read()
                return response.status == 200 and said == challenge.encode()  # noqa: PLR2004 — Meta wants 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def deliver(self, updates: list[Update]) -> Answer:
        """POST *updates* at once; those not answered 200 come again later."""
        self._flying += 1
        try:
            answer = await self._post(self._body(updates))
        finally:
            self._flying -= 1
            self.sent += 1
        for update in updates:
            if answer.status == 200:  # noqa: PLR2004 — Meta takes nothing else for a yes
                update.done()
            else:
                self._again(update)
        return answer

    async def _send_queued(self) -> None:
        while True:
            await self._waiting.acquire()
            size = max(1, min(_BATCH, len(self._queue) // _CONNECTIONS))
            batch = [self._queue.popleft() for _ in range(min(size, len(self._queue)))]
            if batch:  # another sender may have taken more than one
                await self.deliver(batch)

    async def _post(self, body: bytes) -> Answer:
        digest = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            "X-Hub-Signature-256": f"sha256={digest}",
        }
        started = self._clock.monotonic()
        status = 0
        if self._session is None:
            raise RuntimeError("webhooks are sent while run() runs")
        try:
            async with self._session.post(self._url, data=body, headers=headers) as response:
                await response.read()
                status = response.status
        except (aiohttp.ClientError, TimeoutError):
            status = 0
        return Answer(status, round((self._clock.monotonic() - started) * 1000))

    def _again(self, update: Update) -> None:
        pause = min(2**update.failures, _LONGEST_PAUSE)
        update.failures += 1
        self._schedule.at(self._clock.now_us() + pause * 1_000_000, lambda: self.send(update))

    def _body(self, updates: list[Update]) -> bytes:
        changes: list[Json] = []
        together: dict[str, Json] = {}
        for update in updates:
            if update.number is None:
                changes.append({"field": update.field, "value": update.value})
                continue
            if list(update.value) == ["statuses"] and update.number in together:
                together[update.number]["statuses"].extend(update.value["statuses"])
                continue
            value = {
                "messaging_product": "whatsapp",
                "metadata": {
                    "display_phone_number": self._display_phone(update.number),
                    "phone_number_id": update.number,
                },
                **{key: list(part) for key, part in update.value.items()},
            }
            if list(update.value) == ["statuses"]:
                together[update.number] = value
            changes.append({"field": update.field, "value": value})
        entry = {
            "id": self._account,
            "time": self._clock.now_us() // 1_000_000,
            "changes": changes,
        }
        body = {"object": "whatsapp_business_account", "entry": [entry]}
        # As Meta writes it: ASCII, slashes escaped; a signature over a re-encoded body fails.
        return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode()
