"""What a lane writes down: how calls ended, and which never started.

Both are kept in the number's memory, and tried again, while the database is away.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

import structlog

from engine.clock import Clock
from engine.failure_codes import failure
from engine.ids import MessageId, OrganizationId
from storage import messages, template_sync
from storage.database import CONNECTION_LOST, Database, Unit
from storage.messages import Taken
from storage.tasks import READ_ACCOUNTS
from worker.calls import Result, record, taken
from worker.claims import Claims
from worker.identities import learn
from worker.memory import Memory
from worker.whatsapp.client import Refused

_Done = TypeVar("_Done")

RECORD_S = 0.1
"""Results are written down together, at least so often."""

_AT_ONCE = 250
_ASK_AGAIN = timedelta(minutes=1)

log = structlog.get_logger()


class Recording:
    """The recording of one run of a lane."""

    def __init__(
        self,
        *,
        database: Database,
        organization: OrganizationId,
        clock: Clock,
        claims: Claims,
        memory: Memory,
        recorded: Callable[[], None],
    ) -> None:
        """Record what *memory* holds; call *recorded* whenever that made room in it."""
        self.database = database
        self.organization = organization
        self.clock = clock
        self.claims = claims
        self.memory = memory
        self._recorded = recorded
        self._full = asyncio.Event()

    def ended(self, result: Result) -> None:
        """Take how a call ended, to be written down soon."""
        self.memory.results.append(result)
        if len(self.memory.results) >= _AT_ONCE:
            self._full.set()

    async def run(self) -> None:
        """Write down how calls ended, until cancelled."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._full.wait(), RECORD_S)
            self._full.clear()
            await self.flush()

    async def flush(self) -> None:
        """Write down how calls ended; kept and tried again while the database is away."""
        async with self.memory.recording:
            results = self.memory.results[:]
            if not results:
                return
            try:
                await self._write(results)
            except CONNECTION_LOST as lost:
                log.warning("lane.unrecorded", results=len(results), reason=type(lost).__name__)
                return
            # Not before: a run that ends, or is cancelled, in between must find them here.
            del self.memory.results[: len(results)]
            self._recorded()

    async def give_back(self) -> None:
        """Return calls to the queue; kept and tried again while the database is away."""
        async with self.memory.giving_back:
            returned = self.memory.returned[:]
            if not returned:
                return
            try:
                await self._unit(lambda unit: self.claims.give_back(unit, returned))
            except CONNECTION_LOST:
                return
            del self.memory.returned[: len(returned)]

    async def _write(self, results: list[Result]) -> None:
        try:
            accepted = await self._accept(taken(results))
            others = [each for each in results if each.call.message.id not in accepted]
            # Messages are locked in the order of their keys: in a transaction of their own.
            if others:
                await self._unit(lambda unit: record(unit, others))
        except CONNECTION_LOST:
            raise
        except Exception:
            if len(results) == 1:
                # Its row stays claimed, and is taken for doubtful by the next holder.
                log.exception("lane.unrecordable", message=results[0].call.message.id)
                return
            # One that cannot be recorded must not keep the others from it.
            for result in results:
                await self._write([result])
        else:
            await self._learn(results)
            await self._ask_how_fast(results)

    async def _accept(self, taken: Sequence[Taken]) -> Collection[MessageId]:
        if not taken:
            return ()
        return await self.database.run(
            self.organization,
            self.clock.now(),
            lambda unit: messages.accept(unit, taken),
            owner=True,
            single=all(each.run_id is None for each in taken),
        )

    async def _unit(self, work: Callable[[Unit], Awaitable[_Done]]) -> _Done:
        return await self.database.run(self.organization, self.clock.now(), work, owner=True)

    async def _ask_how_fast(self, results: list[Result]) -> None:
        """Let the account be read where the number was too fast: it may be allowed less by now."""
        refused = (each.outcome for each in results if isinstance(each.outcome, Refused))
        if not any(failure(each.code).slows_down for each in refused):
            return
        since = self.clock.now() - _ASK_AGAIN
        try:
            async with self.database.owner_unit(self.organization, self.clock.now()) as unit:
                await template_sync.task_wanted(unit, name=READ_ACCOUNTS, since=since, again=since)
        except CONNECTION_LOST:
            return  # whoever is too fast again asks again

    async def _learn(self, results: list[Result]) -> None:
        try:
            await learn(self.database, self.organization, results, at=self.clock.now())
        except Exception:
            # The next answer says it again; what was recorded stays so.
            log.exception("lane.not_learned")
