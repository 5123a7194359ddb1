"""A lane: the sending of one number, by whoever holds its lease.

Claimed messages wait in memory for a moment only: two seconds of the rate at most. A call starts
while the lease is fresh, inside the rate window, before its time is up and unless it was revoked.
What has left and got no answer is *unknown*; it is never simply sent again.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import datetime, timedelta

import structlog

from engine.clock import Clock
from engine.ids import MessageId, OrganizationId
from engine.rate_window import RateWindow
from storage import leases, sending
from storage.database import CONNECTION_LOST, Database, Unit
from storage.leases import Lease
from storage.listener import Listener, Revocation
from worker.breaker import Breaker
from worker.calls import Result, record
from worker.claims import Call, Claims, LeaseMoved
from worker.rules import NumberRule, SendingRules
from worker.whatsapp.client import CloudApi, Refused

RUN_S = 20.0
"""A run lasts at most this long; then the next one goes on."""

_RENEW_S = 1.0
_FRESH_S = 2.0
_RECORD_S = 0.1
_IDLE_S = 1.0
_DRAIN_S = 20.0
_SLOW_FOR_S = 60.0
_UNLIMITED_IN_FLIGHT = 64
_MOST_OUTSTANDING = 1024
_THROUGHPUT = frozenset({130429})

log = structlog.get_logger()


class Lane:
    """One run of a number's sending, and a holder of its lease by itself."""

    def __init__(
        self,
        *,
        database: Database,
        api: CloudApi,
        clock: Clock,
        listener: Listener,
        rules: SendingRules,
        number: NumberRule,
        limited: bool = True,
    ) -> None:
        self.database = database
        self.api = api
        self.clock = clock
        self.listener = listener
        self.rules = rules
        self.number = number
        self.claims = Claims(rules, number.id)
        self.window = RateWindow(limit=number.messages_per_second if limited else None)
        self.breaker = Breaker()
        self._woken = listener.waking(rules.organization, number.id)
        self._changed = asyncio.Event()
        self._priority: deque[Call] = deque()
        self._bulk: deque[Call] = deque()
        self._in_flight: dict[asyncio.Task[None], Call] = {}
        self._results: list[Result] = []
        self._returned: list[Call] = []
        self._renewed = 0.0
        self._last_start: float | None = None
        self._paced_until: datetime | None = None
        self._slow_until = 0.0
        self._lost = False

    @property
    def organization(self) -> OrganizationId:
        return self.rules.organization

    async def run(self, stopping: asyncio.Event) -> bool:
        """Send what is due for up to RUN_S seconds, or until *stopping*.

        Returns whether more is due, for a successor.
        """
        name = f"lane:{self.number.id}"
        lease = await self._acquire(name)
        if lease is None:
            return False
        forget = self.listener.on_revocation(self._on_revocation)
        try:
            async with asyncio.TaskGroup() as upkeep:
                renewing = upkeep.create_task(self._renew(lease))
                recording = upkeep.create_task(self._record(lease))
                try:
                    await self._send(lease, stopping)
                finally:
                    await self._drain(lease)
                    renewing.cancel()
                    recording.cancel()
        finally:
            forget()
            with suppress(*CONNECTION_LOST):
                async with self._unit() as unit:
                    await leases.release(unit, lease, call_age_s=self._call_age())
        return await self._more_is_due()

    def _unit(self) -> AbstractAsyncContextManager[Unit]:
        return self.database.owner_unit(self.organization, self.clock.now())

    async def _acquire(self, name: str) -> Lease | None:
        async with self._unit() as unit:
            lease = await leases.acquire(unit, name=name, holder=secrets.token_hex(8))
            if lease is None:
                return None
            doubtful = await sending.inherit(
                unit, number=self.number.id, generation=lease.generation
            )
            state = await sending.number_state(unit, number=self.number.id)
        if doubtful:
            log.warning("lane.inherited", number=self.number.id, unknown=doubtful)
        self._limit(state.messages_per_second)
        self._renewed = self.clock.monotonic()
        if lease.last_call_age_s is not None:
            # The holder before us may have filled the second that is running.
            await asyncio.sleep(max(0.0, min(1.0, 1.0 - lease.last_call_age_s)))
        return lease

    def _limit(self, reported: int | None) -> None:
        if self.window.limit is None:
            return
        limit = min(self.number.messages_per_second, reported or 1 << 30)
        slow = self.clock.monotonic() < self._slow_until
        self.window.limit = max(1, limit // 2) if slow else limit

    # Sending

    async def _send(self, lease: Lease, stopping: asyncio.Event) -> None:
        ends = self.clock.monotonic() + RUN_S
        idle_since: float | None = None
        while not stopping.is_set() and not self._lost and self.clock.monotonic() < ends:
            self._changed.clear()
            await self._give_back(lease)
            if not self.breaker.closed:
                await self._probe()
                continue
            claimed = await self._claim(lease)
            wait = self._start_what_may()
            if claimed or self._in_flight or self._priority or self._bulk:
                idle_since = None
            elif idle_since is None:
                idle_since = self.clock.monotonic()
            elif self.clock.monotonic() - idle_since >= _IDLE_S:
                return
            await self._pause(wait)

    async def _claim(self, lease: Lease) -> int:
        room = self._room()
        # Not for every freed place: a claim costs a transaction.
        if room < max(1, self._most_outstanding() // 8):
            return 0
        self._woken.clear()
        begun = self.clock.monotonic()
        try:
            async with self._unit() as unit:
                calls = await self.claims.claim(unit, lease, room=room)
        except LeaseMoved:
            self._lost = True
            return 0
        except CONNECTION_LOST:
            # Nothing starts meanwhile: the lease cannot be renewed either.
            await asyncio.sleep(_RECORD_S)
            return 0
        revoked = self.listener.since(begun)
        for call in calls:
            if any(self._covers(each, call) for each in revoked):
                self._returned.append(call)
            elif call.priority:
                self._priority.append(call)
            else:
                self._bulk.append(call)
        return len(calls)

    def _start_what_may(self) -> float:
        """Start every call that may start now; return the seconds until the next one may."""
        while self._priority or self._bulk:
            now = self.clock.monotonic()
            if now - self._renewed > _FRESH_S or len(self._in_flight) >= self._most_in_flight():
                return _IDLE_S
            priority = bool(self._priority)
            wait = self.window.delay(now, priority=priority)
            if not priority:
                wait = max(wait, self._pace_left())
            if wait > 0:
                return wait
            call = self._priority.popleft() if priority else self._bulk.popleft()
            at = self.clock.now()
            if call.until is not None and call.until <= at:
                self._returned.append(call)
                continue
            self._start(call, now, at)
        return _IDLE_S

    def _start(self, call: Call, now: float, at: datetime) -> None:
        self.window.started(now)
        self._last_start = now
        shortest, longest = self.number.pace
        if longest and not call.priority:
            gap = secrets.SystemRandom().uniform(shortest.total_seconds(), longest.total_seconds())
            self._paced_until = at + timedelta(seconds=gap)
        task = asyncio.create_task(self._post(call))
        self._in_flight[task] = call
        task.add_done_callback(self._ended)

    async def _post(self, call: Call) -> None:
        outcome = await self.api.send(self.number.id, call.body)
        self.breaker.note(outcome)
        if isinstance(outcome, Refused) and outcome.code in _THROUGHPUT:
            self._slow_until = self.clock.monotonic() + _SLOW_FOR_S
        self._results.append(Result(call=call, outcome=outcome, at=self.clock.now()))

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._in_flight[task]
        self._changed.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("lane.call_failed", exc_info=error)

    async def _probe(self) -> None:
        """While the platform is away, ask for the number's health instead of trying on people."""
        await asyncio.sleep(self.breaker.rest_s)
        await self.breaker.probe(self.api, self.number.id)

    async def _pause(self, wait: float) -> None:
        waiting = [asyncio.ensure_future(each.wait()) for each in (self._changed, self._woken)]
        try:
            await asyncio.wait(
                waiting, timeout=min(wait, _IDLE_S / 4), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for each in waiting:
                each.cancel()

    # How much

    def _rate(self) -> float:
        return float(self.window.capacity or 0)

    def _most_in_flight(self) -> int:
        if self.window.capacity is None:
            return _UNLIMITED_IN_FLIGHT
        return max(16, min(512, int(self._rate() / 2)))

    def _most_outstanding(self) -> int:
        if self.number.pace[1]:
            return 1
        if not self.listener.hearing:
            return self._most_in_flight()
        if self.window.capacity is None:
            return _MOST_OUTSTANDING
        return max(1, min(_MOST_OUTSTANDING, int(2 * self._rate())))

    def _room(self) -> int:
        outstanding = (
            len(self._priority)
            + len(self._bulk)
            + len(self._in_flight)
            + len(self._results)
            + len(self._returned)
        )
        return self._most_outstanding() - outstanding

    def _pace_left(self) -> float:
        if self._paced_until is None:
            return 0.0
        return (self._paced_until - self.clock.now()).total_seconds()

    def _call_age(self) -> float | None:
        return None if self._last_start is None else self.clock.monotonic() - self._last_start

    # Giving back, recording, renewing

    def _covers(self, revocation: Revocation, call: Call) -> bool:
        return revocation.organization == self.organization and revocation.covers(
            call.row.contact_id, call.row.campaign_id
        )

    def _on_revocation(self, revocation: Revocation) -> None:
        kept: list[Call] = []
        for call in self._bulk:
            (self._returned if self._covers(revocation, call) else kept).append(call)
        self._bulk = deque(kept)
        self._changed.set()

    async def _give_back(self, lease: Lease, calls: Iterable[Call] = ()) -> None:
        self._returned.extend(calls)
        if not self._returned:
            return
        returned, self._returned = self._returned, []
        try:
            async with self._unit() as unit:
                await sending.give_back(unit, ids=_ids(returned), generation=lease.generation)
        except CONNECTION_LOST:
            self._returned.extend(returned)

    async def _record(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(_RECORD_S)
            await self._flush(lease)

    async def _flush(self, lease: Lease) -> None:
        """Write down how calls ended; kept and tried again while the database is away."""
        results, self._results = self._results, []
        if not results:
            return
        try:
            await self.database.run(
                self.organization,
                self.clock.now(),
                lambda unit: record(unit, results),
                owner=True,
            )
        except CONNECTION_LOST:
            log.warning("lane.unrecorded", number=lease.name, results=len(results))
            self._results[:0] = results
        self._changed.set()

    async def _renew(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(_RENEW_S)
            begun = self.clock.monotonic()
            try:
                async with asyncio.timeout(_FRESH_S), self._unit() as unit:
                    ours = await leases.renew(unit, lease, call_age_s=self._call_age())
                    state = await sending.number_state(unit, number=self.number.id)
            except (*CONNECTION_LOST, TimeoutError):
                continue
            if not ours:
                log.warning("lane.moved", number=self.number.id)
                self._lost = True
                self._changed.set()
                return
            self._renewed = begun
            self._limit(state.messages_per_second)

    async def _drain(self, lease: Lease) -> None:
        """Let calls under way end and be recorded; give the rest back."""
        unstarted = (*self._priority, *self._bulk)
        self._priority.clear()
        self._bulk.clear()
        ends = self.clock.monotonic() + _DRAIN_S
        await self._give_back(lease, unstarted)
        if self._in_flight:
            await asyncio.wait(tuple(self._in_flight), timeout=_DRAIN_S)
        while (self._results or self._returned) and self.clock.monotonic() < ends:
            await self._flush(lease)
            await self._give_back(lease)
            if self._results or self._returned:
                await asyncio.sleep(_RECORD_S)

    async def _more_is_due(self) -> bool:
        async with self._unit() as unit:
            due_at = await sending.next_due_on_number(unit, number=self.number.id)
            return due_at is not None and due_at <= unit.at


def _ids(calls: Sequence[Call]) -> list[MessageId]:
    return [call.row.message.id for call in calls]
