"""What must be heard at once: consent revoked, a campaign paused, a reply waiting."""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import asyncpg
import orjson
import structlog

from engine.clock import Clock
from engine.ids import NumberId, OrganizationId
from storage import revocations
from storage.database import CONNECTION_LOST, Database
from storage.revocations import REVOKE, Revocation

WAKE: Final = "dripline_wake"
_ECHO: Final = "dripline_echo"
_REMEMBERED_S: Final = 10.0
_PAUSE_S: Final = 0.5
_ALIVE_S: Final = 3.0
_LOOK_S: Final = 0.5

log = structlog.get_logger()


class Listener:
    """Keeps a connection listening, and tells those who asked; looks where it cannot hear.

    Attributes:
        hearing: False while what is told does not arrive: lanes keep nothing claimed then that
            they cannot start at once, and revocations are found within half a second.
        deaf: There is a connection, and what is told does not arrive.
    """

    def __init__(self, url: str | None, clock: Clock, database: Database) -> None:
        """Listen at *url* (None: nowhere) to what is told by connections of *database*."""
        self._url = url
        self._clock = clock
        self._database = database
        self._revocations: deque[Revocation] = deque()
        self._seen: dict[OrganizationId, frozenset[int]] = {}
        self._revoked: list[Callable[[Revocation], None]] = []
        self._woken: dict[tuple[OrganizationId, NumberId], asyncio.Event] = {}
        self._echoes: dict[str, asyncio.Event] = {}
        self.deaf = False
        self.hearing = False

    async def run(self) -> None:
        """Listen until cancelled, connecting again whenever the connection is lost."""
        async with asyncio.TaskGroup() as group:
            if self._url is not None:
                group.create_task(self._keep_listening(self._url))
            group.create_task(self._keep_looking())

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

    # Hearing

    async def _keep_listening(self, url: str) -> None:
        while True:
            try:
                await self._listen(url)
            except (*CONNECTION_LOST, TimeoutError) as lost:
                log.warning("listener.lost", reason=type(lost).__name__)
            except asyncpg.PostgresError as refused:
                log.error("listener.refused", reason=type(refused).__name__)  # noqa: TRY400 — it may quote
            self.hearing = False
            await asyncio.sleep(_PAUSE_S)

    async def _listen(self, url: str) -> None:
        connection = await asyncpg.connect(url, timeout=5)
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            await connection.add_listener(REVOKE, self._on_revoke)
            await connection.add_listener(WAKE, self._on_wake)
            await connection.add_listener(_ECHO, self._on_echo)
            while not lost.is_set():
                self.hearing = await self._hears()
                if not self.hearing:
                    self._tell_deaf()
                    # A network that swallows everything closes no connection.
                    await connection.execute("select 1", timeout=_ALIVE_S)
                await _for(lost, _ALIVE_S)
        finally:
            self.hearing = False
            connection.terminate()

    async def _hears(self) -> bool:
        """Whether what another connection tells arrives here, which a pooler may keep it from."""
        token = secrets.token_hex(8)
        heard = self._echoes[token] = asyncio.Event()
        try:
            async with asyncio.timeout(_ALIVE_S):
                await self._database.pool.execute(f"notify {_ECHO}, '{token}'")
                await heard.wait()
        except (*CONNECTION_LOST, TimeoutError):
            return False
        finally:
            del self._echoes[token]
        self.deaf = False
        return True

    def _tell_deaf(self) -> None:
        if not self.deaf:
            log.warning(
                "listener.deaf",
                advice="what PostgreSQL tells does not arrive; behind a pooler of transactions,"
                " set server.listen_url to PostgreSQL itself. Meanwhile we look twice a second.",
            )
        self.deaf = True

    def _on_echo(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        heard = self._echoes.get(payload)
        if heard is not None:
            heard.set()

    def _on_revoke(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        told: dict[str, Any] = orjson.loads(payload)
        self._revoke(
            Revocation(
                organization=told["organization"],
                contacts=frozenset(told.get("contacts", ())),
                campaign=told.get("campaign"),
                heard=self._clock.monotonic(),
            )
        )

    def _revoke(self, revocation: Revocation) -> None:
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

    # Looking

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            if self.hearing:
                self._seen.clear()
                continue
            try:
                for organization in {organization for organization, _ in self._woken}:
                    await self._look(organization)
            except (*CONNECTION_LOST, TimeoutError) as lost:
                log.warning("listener.lost", reason=type(lost).__name__)

    async def _look(self, organization: OrganizationId) -> None:
        """Take what was revoked of late and not seen yet, and look at what waits on the numbers."""
        async with self._database.owner_unit(organization, self._clock.now()) as unit:
            found = await revocations.latest(unit, clock=self._clock)
        seen = self._seen.get(organization, frozenset())
        for id_, revocation in found.items():
            if id_ not in seen:
                self._revoke(revocation)
        self._seen[organization] = frozenset(found)
        for (of, _), event in self._woken.items():
            if of == organization:
                event.set()


async def _for(event: asyncio.Event, seconds: float) -> None:
    waiting = asyncio.ensure_future(event.wait())
    await asyncio.wait((waiting,), timeout=seconds)
    waiting.cancel()
