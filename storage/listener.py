"""What must be heard at once: consent revoked, a campaign paused, a reply waiting."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson
import structlog

from engine.clock import Clock
from engine.ids import CampaignId, ContactId, NumberId, OrganizationId
from storage.database import CONNECTION_LOST

REVOKE = "dripline_revoke"
WAKE = "dripline_wake"
_REMEMBERED_S = 10.0
_PAUSE_S = 0.5
_ALIVE_S = 3.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Messages that must not start any more: of contacts, or of a whole campaign.

    Attributes:
        heard: Seconds of the monotonic clock.
    """

    organization: OrganizationId
    contacts: frozenset[ContactId]
    campaign: CampaignId | None
    heard: float

    def covers(self, contact: ContactId, campaign: CampaignId | None) -> bool:
        return campaign is not None and (contact in self.contacts or campaign == self.campaign)


class Listener:
    """Keeps a connection listening, and tells those who asked.

    Attributes:
        hearing: False while there is no connection: revocations may be missed then, so lanes
            keep nothing claimed that they cannot start at once.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._revocations: deque[Revocation] = deque()
        self._revoked: list[Callable[[Revocation], None]] = []
        self._woken: dict[tuple[OrganizationId, NumberId], asyncio.Event] = {}
        self.hearing = False

    async def run(self) -> None:
        """Listen until cancelled, connecting again whenever the connection is lost."""
        while True:
            try:
                await self._listen()
            except CONNECTION_LOST as lost:
                log.warning("listener.lost", reason=type(lost).__name__)
            except asyncpg.PostgresError as refused:
                log.error("listener.refused", reason=type(refused).__name__)  # noqa: TRY400 — it may quote
            self.hearing = False
            await asyncio.sleep(_PAUSE_S)

    def since(self, heard: float) -> list[Revocation]:
        """Return revocations heard at *heard* (monotonic) or later."""
        return [each for each in self._revocations if each.heard >= heard]

    def on_revocation(self, call: Callable[[Revocation], None]) -> Callable[[], None]:
        """Call *call* for each revocation; returns what ends that."""
        self._revoked.append(call)
        return lambda: self._revoked.remove(call)

    def waking(self, organization: OrganizationId, number: NumberId) -> asyncio.Event:
        """Return the event that is set when something cannot wait on that number."""
        return self._woken.setdefault((organization, number), asyncio.Event())

    async def _listen(self) -> None:
        connection = await asyncpg.connect(self._url, timeout=5)
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            await connection.add_listener(REVOKE, self._on_revoke)
            await connection.add_listener(WAKE, self._on_wake)
            self.hearing = True
            while not lost.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(lost.wait(), _ALIVE_S)
                # A network that swallows everything closes no connection.
                await connection.execute("select 1", timeout=_ALIVE_S)
        finally:
            self.hearing = False
            connection.terminate()

    def _on_revoke(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        told: dict[str, Any] = orjson.loads(payload)
        revocation = Revocation(
            organization=told["organization"],
            contacts=frozenset(told.get("contacts", ())),
            campaign=told.get("campaign"),
            heard=self._clock.monotonic(),
        )
        self._revocations.append(revocation)
        while self._revocations[0].heard < revocation.heard - _REMEMBERED_S:
            self._revocations.popleft()
        for call in self._revoked:
            call(revocation)

    def _on_wake(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        told: dict[str, Any] = orjson.loads(payload)
        event = self._woken.get((told["organization"], told["number"]))
        if event is not None:
            event.set()
