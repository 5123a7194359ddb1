"""A lane: the sending of one number, by whoever holds its lease.

Claimed messages wait in memory for a moment only: two seconds of the rate at most. A call starts
while the lease is fresh, inside the rate window, before its time is up and unless it was revoked.
What has left and got no answer is *unknown*; it is never simply sent again.
"""

import asyncio
import heapq
import secrets
from collections import deque
from contextlib import AbstractAsyncContextManager, suppress
from datetime import datetime, timedelta

import structlog

from engine.clock import Clock
from engine.failure_codes import failure
from engine.ids import OrganizationId
from engine.sending_rules import NumberRule, SendingRules
from storage import leases, restores, sending
from storage.database import CONNECTION_LOST, Database, Unit
from storage.leases import Lease
from storage.listener import Listener
from storage.revocations import Revocation
from storage.sending import NumberState
from worker.calls import Result
from worker.claimed import Call
from worker.claiming import LOOK_S, Claiming
from worker.claims import Claims, LeaseMoved
from worker.memory import Memory
from worker.recording import RECORD_S, Recording
from worker.whatsapp.client import CloudApi, Doubtful, Refused

RUN_S = 20.0
"""A run lasts at most this long; then the next one goes on."""

_RENEW_S = 1.0
_FRESH_S = 2.0
_IDLE_S = 1.0
_TOGETHER_S = 0.005
_DRAIN_S = 20.0
_SLOW_FOR_S = 60.0
UNLIMITED_IN_FLIGHT = 64
_MOST_OUTSTANDING = 1024
_REPLIES = 16
_SECOND = timedelta(seconds=1)

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
        memory: Memory,
    ) -> None:
        self.database = database
        self.api = api
        self.clock = clock
        self.listener = listener
        self.rules = rules
        self.number = number
        self.memory = memory
        self.claims = Claims(rules, number)
        self._woken = listener.waking(rules.organization, number.id)
        self._changed = asyncio.Event()
        self._recording = Recording(
            database=database,
            organization=rules.organization,
            clock=clock,
            claims=self.claims,
            memory=memory,
            recorded=self._changed.set,
        )
        self._priority: deque[Call] = deque()
        self._bulk: deque[Call] = deque()
        # Of campaigns with a rate: (when it may start, a tie-breaker, the call).
        self._later: list[tuple[datetime, int, Call]] = []
        self._in_flight: dict[asyncio.Task[None], Call] = {}
        self._sending = False
        self._probing: asyncio.Task[None] | None = None
        self._renewed = 0.0
        self._last_start: float | None = None
        # Messages per second, as of the last time it was read; None: the platform did not say.
        self._reported: int | None = None
        self._lost = False
        self._heard = False
        # A claim ended without us knowing whether it was committed.
        self._astray = False

    @property
    def organization(self) -> OrganizationId:
        return self.rules.organization

    async def run(self, stopping: asyncio.Event) -> bool:
        """Send what is due for up to RUN_S seconds, or until *stopping*.

        Returns whether more is due, for a successor.
        """
        lease = await self._acquire()
        if lease is None:
            return False
        forget = self.listener.on_revocation(self._on_revocation)
        try:
            async with asyncio.TaskGroup() as upkeep:
                tasks = [
                    upkeep.create_task(self._renew(lease)),
                    upkeep.create_task(self._recording.run()),
                ]
                self._sending = True
                try:
                    await self._send(lease, stopping)
                finally:
                    self._sending = False
                    await self._drain(lease)
                    for task in tasks:
                        task.cancel()
        finally:
            forget()
            if self._probing is not None:
                self._probing.cancel()
            with suppress(*CONNECTION_LOST):
                async with self._unit() as unit:
                    await leases.release(unit, lease, call_age_s=self._call_age())
        return await self._more_is_due()

    def _unit(self) -> AbstractAsyncContextManager[Unit]:
        return self.database.owner_unit(self.organization, self.clock.now())

    async def _acquire(self) -> Lease | None:
        begun = self.clock.monotonic()
        async with self._unit() as unit:
            if await restores.moved(unit):
                return None
            lease = await leases.acquire(
                unit, name=f"lane:{self.number.id}", holder=secrets.token_hex(8)
            )
            if lease is None:
                return None
            doubtful = await sending.inherit(
                unit, number=self.number.id, generation=lease.generation
            )
            state = await sending.number_state(unit, number=self.number.id)
        if doubtful:
            log.warning("lane.inherited", number=self.number.id, unknown=doubtful)
        self._limit(state)
        self._renewed = begun
        follows = self.memory.generation == lease.generation - 1
        self.memory.generation = lease.generation
        if lease.last_call_age_s is not None and not follows:
            # The holder before us may have filled the second that is running; we cannot know.
            await asyncio.sleep(max(0.0, min(1.0, 1.0 - lease.last_call_age_s)))
        return lease

    def _limit(self, reported: NumberState | None = None) -> None:
        """Go as fast as the platform lets us, by what it *reported*; None: nothing since."""
        if reported is not None:
            self._reported = reported.messages_per_second
        if self.memory.window.limit is None:
            return
        limit = min(self.number.messages_per_second, self._reported or 1 << 30)
        slow = self.clock.monotonic() < self.memory.slow_until
        self.memory.window.limit = max(1, limit // 2) if slow else limit

    # Sending

    async def _send(self, lease: Lease, stopping: asyncio.Event) -> None:
        """Claim, while calls start beside it: at once here, and whenever one ends.

        Every turn ends asleep, and begins when something has changed: see :meth:`_sleep`.
        """
        ends = self.clock.monotonic() + RUN_S
        claiming = Claiming()
        try:
            while not stopping.is_set() and not self._lost and self.clock.monotonic() < ends:
                self._changed.clear()
                if self._woken.is_set():
                    self._woken.clear()
                    claiming.woken()
                self._return_what_may_be_revoked()
                await self._recording.give_back()
                found = claiming.found(self.clock.monotonic())
                if not self.memory.breaker.closed:
                    self._return_unstarted()
                    self._probe()
                    claiming.afresh()
                    await self._sleep(LOOK_S)
                    continue
                self._claim_if_there_is_room(lease, claiming)
                next_start_s = self._start_what_may()
                busy = bool(found or self._in_flight or self._unstarted())
                if claiming.idle_s(self.clock.monotonic(), busy=busy) >= _IDLE_S:
                    return
                await self._sleep(next_start_s)
        finally:
            await claiming.end()

    def _claim_if_there_is_room(self, lease: Lease, claiming: Claiming) -> None:
        if not claiming.may(self.clock.monotonic()):
            return
        room = self._room(hurried=claiming.hurried)
        if room is not None:
            claim = asyncio.create_task(self._claim(lease, room=room))
            claiming.begin(claim, ended=self._changed.set)

    async def _sleep(self, next_start_s: float) -> None:
        """Sleep until there is something to do.

        That is when the next call may start, when something changed (a claim or a call ended,
        results were recorded, a revocation came, the lease was renewed or lost), when somebody
        says there is something due, and after LOOK_S in any case: time alone makes things due too.
        """
        waiting = [asyncio.ensure_future(each.wait()) for each in (self._changed, self._woken)]
        try:
            # A few together rather than a wake-up for each; the window lets them catch up.
            await asyncio.wait(
                waiting,
                timeout=min(max(next_start_s, _TOGETHER_S), LOOK_S),
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            for each in waiting:
                each.cancel()

    def _room(self, *, hurried: bool) -> int | None:
        """Return for how many campaign messages to claim now; None: not now.

        Args:
            hurried: A reply may wait, and takes none of the room.
        """
        most = self._most_outstanding()
        room = most - self._outstanding()
        # Not for every freed place: a claim costs a transaction.
        if room >= max(1, most // 4):
            return room
        return 0 if hurried else None

    async def _claim(self, lease: Lease, *, room: int) -> int:
        """Claim up to *room* campaign messages and some replies; return how many rows changed."""
        await self._find_astray(lease)
        begun = self.clock.monotonic()
        replies = max(room, _REPLIES - len(self._priority))
        try:
            claimed = await self.database.run(
                self.organization,
                self.clock.now(),
                lambda unit: self.claims.claim(unit, lease, room=room, replies=replies),
                owner=True,
            )
        except LeaseMoved:
            self._lost = True
            return 0
        except CONNECTION_LOST:
            # Nothing starts meanwhile: the lease cannot be renewed either.
            self._astray = True
            await asyncio.sleep(RECORD_S)
            return 0
        except asyncio.CancelledError:
            self._astray = True
            raise
        if claimed.number is not None:
            self._limit(claimed.number)
        revoked = self.listener.since(begun)
        for call in claimed.calls:
            if any(self._covers(each, call) for each in revoked):
                self.memory.returned.append(call)
            elif call.priority:
                self._priority.append(call)
            elif call.starts_at > call.claimed_at:
                heapq.heappush(self._later, (call.starts_at, call.message.id, call))
            else:
                self._bulk.append(call)
        return len(claimed.calls) + claimed.settled

    def _start_what_may(self) -> float:
        """Start every call that may start now; return the seconds until the next one may."""
        while True:
            now = self.clock.monotonic()
            following = self._next(now, under_way=len(self._in_flight))
            if isinstance(following, float):
                return following
            self._note_start(now)
            task = asyncio.create_task(self._calls(following, now))
            self._in_flight[task] = following
            task.add_done_callback(self._left)

    def _next(self, now: float, *, under_way: int) -> Call | float:
        """Take the call that may start now, or return in how many seconds one may."""
        at = self.clock.now()
        while self._later and self._later[0][0] <= at:
            self._bulk.append(heapq.heappop(self._later)[2])
        while self._priority or self._bulk:
            if not self._fresh(now) or under_way >= self._most_in_flight():
                return _IDLE_S
            priority = bool(self._priority)
            wait = self.memory.window.delay(now, priority=priority)
            if wait > 0:
                return wait
            call = self._priority.popleft() if priority else self._bulk.popleft()
            if call.until is None or call.until > at:
                return call
            self.memory.returned.append(call)
            self._changed.set()
        if self._later:
            return max(0.0, (self._later[0][0] - at).total_seconds())
        return _IDLE_S

    def _fresh(self, now: float) -> bool:
        return now - self._renewed <= _FRESH_S

    def _note_start(self, now: float) -> None:
        self.memory.window.started(now)
        self._last_start = now

    async def _calls(self, call: Call, began: float) -> None:
        """Make a call, and then the next one, as long as one may start: a task for each costs."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 — asyncio runs it
        while True:
            try:
                await self._post(call)
            finally:
                self.memory.window.ended(self.clock.monotonic(), began=began)
            if not (self._sending and self.memory.breaker.closed):
                break
            began = self.clock.monotonic()
            following = self._next(began, under_way=len(self._in_flight) - 1)
            if isinstance(following, float):
                if following < _IDLE_S:
                    self._changed.set()
                break
            call = self._in_flight[task] = following
            self._note_start(began)
            # The loop is woken only where it has something to do.
            full = len(self._in_flight) >= self._most_in_flight()
            if not self._unstarted() or (not full and self._start_what_may() < _IDLE_S):
                self._changed.set()

    def _left(self, task: asyncio.Task[None]) -> None:
        del self._in_flight[task]
        self._changed.set()

    async def _post(self, call: Call) -> None:
        if not self._fresh(self.clock.monotonic()):
            # We stood still between the start and here, and may have lost the lease.
            self.memory.returned.append(call)
            return
        try:
            outcome = await self.api.send(self.number.id, call.body)
        except Exception as error:
            log.exception("lane.call_failed", number=self.number.id)
            outcome = Doubtful(reason=type(error).__name__)
        self.memory.breaker.note(outcome)
        if isinstance(outcome, Refused) and failure(outcome.code).slows_down:
            self.memory.slow_until = self.clock.monotonic() + _SLOW_FOR_S
            self._limit()
        self._recording.ended(Result(call=call, outcome=outcome, at=self.clock.now()))

    def _probe(self) -> None:
        """While the platform is away, ask for the number's health instead of trying on people."""
        if self._probing is None or self._probing.done():
            self._probing = asyncio.create_task(self._rest_and_probe())

    async def _rest_and_probe(self) -> None:
        await asyncio.sleep(self.memory.breaker.rest_s)
        try:
            await self.memory.breaker.probe(self.api, self.number.id)
        finally:
            self._changed.set()

    # How much

    def _most_in_flight(self) -> int:
        if self.memory.breaker.trying:
            return 1
        capacity = self.memory.window.capacity
        if capacity is None:
            return UNLIMITED_IN_FLIGHT
        return max(16, min(512, capacity // 2))

    def _most_outstanding(self) -> int:
        capacity = self.memory.window.capacity
        most = _MOST_OUTSTANDING if capacity is None else 2 * capacity
        if not self.listener.hearing or self.memory.breaker.trying:
            most = min(most, self._most_in_flight())
        return max(1, min(_MOST_OUTSTANDING, most))

    def _outstanding(self) -> int:
        memory = self.memory
        return self._unstarted() + len(self._in_flight) + len(memory.results) + len(memory.returned)

    def _unstarted(self) -> int:
        return len(self._priority) + len(self._bulk) + len(self._later)

    def _call_age(self) -> float | None:
        return None if self._last_start is None else self.clock.monotonic() - self._last_start

    # Taking back, renewing, ending

    def _covers(self, revocation: Revocation, call: Call) -> bool:
        return revocation.organization == self.organization and revocation.covers(
            call.message.contact_id, call.message.campaign_id
        )

    def _on_revocation(self, revocation: Revocation) -> None:
        """Take back what has not started; replies and confirmations are never revoked."""
        returned = self.memory.returned
        kept: deque[Call] = deque()
        for call in self._bulk:
            (returned if self._covers(revocation, call) else kept).append(call)
        self._bulk = kept
        later: list[tuple[datetime, int, Call]] = []
        for entry in self._later:
            if self._covers(revocation, entry[2]):
                returned.append(entry[2])
            else:
                later.append(entry)
        heapq.heapify(later)
        self._later = later
        self._changed.set()

    def _return_what_may_be_revoked(self) -> None:
        """Take back what waits when the lease is stale, or a revocation may have been missed.

        Whoever waits for our calls to end no longer waits for a lease that has expired.
        """
        deaf = self._heard and not self.listener.hearing
        self._heard = self.listener.hearing
        if deaf or not self._fresh(self.clock.monotonic()):
            self._return_unstarted()

    def _return_unstarted(self) -> None:
        self.memory.returned += [*self._priority, *self._bulk, *(entry[2] for entry in self._later)]
        self._priority.clear()
        self._bulk.clear()
        self._later.clear()

    async def _find_astray(self, lease: Lease) -> None:
        """Give back what a claim took of which we only know that its connection was lost."""
        if not self._astray:
            return
        memory = self.memory
        calls = [result.call for result in memory.results] + memory.returned
        calls += self._in_flight.values()
        calls += [*self._priority, *self._bulk, *(entry[2] for entry in self._later)]
        try:
            async with self._unit() as unit:
                await sending.give_back_others(
                    unit,
                    number=self.number.id,
                    generation=lease.generation,
                    known=[call.message.id for call in calls],
                )
        except CONNECTION_LOST:
            return
        self._astray = False

    async def _renew(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(_RENEW_S)
            begun = self.clock.monotonic()
            try:
                async with asyncio.timeout(_FRESH_S), self._unit() as unit:
                    ours = await leases.renew(unit, lease, call_age_s=self._call_age())
                    ours = ours and not await restores.moved(unit)
                    state = await sending.number_state(unit, number=self.number.id)
                    inbound = await sending.inbound_since(
                        unit, number=self.number.id, since=unit.at - _SECOND
                    )
            except (*CONNECTION_LOST, TimeoutError):
                continue
            if not ours:
                log.warning("lane.moved", number=self.number.id)
                self._lost = True
                self._changed.set()
                return
            self._renewed = begun
            self.memory.window.inbound = inbound
            self._limit(state)
            self._changed.set()

    async def _drain(self, lease: Lease) -> None:
        """Let calls under way end and be recorded; give the rest back."""
        self._return_unstarted()
        ends = self.clock.monotonic() + _DRAIN_S
        await self._recording.give_back()
        if self._in_flight:
            await asyncio.wait(tuple(self._in_flight), timeout=_DRAIN_S)
        while self._unsettled() and self.clock.monotonic() < ends:
            await self._recording.flush()
            await self._recording.give_back()
            await self._find_astray(lease)
            if self._unsettled():
                await asyncio.sleep(RECORD_S)

    def _unsettled(self) -> bool:
        return bool(self.memory.results or self.memory.returned or self._astray)

    async def _more_is_due(self) -> bool:
        try:
            async with self._unit() as unit:
                return await sending.is_due(unit, number=self.number.id)
        except CONNECTION_LOST:
            return False  # the tick finds it again
