"""Group commit: updates of many requests in one transaction, each request answered after its own.

A group is one organization's, of one kind, up to 500 updates; what arrives while one commits makes
up the next. Data the database refuses bisects the group until it stands alone.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

import structlog

from engine.ids import ContactId, NumberId, OrganizationId
from storage.webhook_failures import is_outage

Update = TypeVar("Update")

LARGEST: Final = 500
_COMMIT_S: Final = 10.0
_LOOK_S: Final = 0.01
_DRAIN_S: Final = 10.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What the request of an update has to see to after the commit.

    Attributes:
        stopped: Contacts to whom no campaign call may start any more.
        woken: Numbers whose lane has something that cannot wait.
    """

    stopped: frozenset[tuple[OrganizationId, ContactId]] = frozenset()
    woken: frozenset[NumberId] = frozenset()


NOTHING: Final = Aftermath()


@dataclass(slots=True)
class Ticket:
    """A request on its way: how many of its updates are still to be settled, and what came of them.

    Attributes:
        refused: Why an update of it can never be applied, None while all could be.
        unavailable: The database was away for one of them.
    """

    waiting: int
    refused: str | None = None
    unavailable: bool = False
    stopped: set[tuple[OrganizationId, ContactId]] = field(default_factory=set)
    woken: set[NumberId] = field(default_factory=set)
    _settled: asyncio.Future[None] | None = None

    async def settled(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait, once, until nothing is left.

        Not by an event: it would look up the running loop, which asks the system whether the
        process was forked, for every request.
        """
        if self.waiting:
            self._settled = loop.create_future()
            await self._settled

    def settle(self, aftermath: Aftermath = NOTHING) -> None:
        self.stopped |= aftermath.stopped
        self.woken |= aftermath.woken
        self.waiting -= 1
        if not self.waiting and self._settled is not None and not self._settled.done():
            self._settled.set_result(None)


class GroupCommit(Generic[Update]):
    """Commits updates of one kind and organization in groups.

    Args:
        apply: One transaction for all it is given; what it returns is by update, where there is
            something. It is repeated with parts of a group that failed, so it must not keep state.
        at_once: Groups that may be committing at the same time.
    """

    def __init__(
        self,
        apply: Callable[[Sequence[Update]], Awaitable[Mapping[Update, Aftermath]]],
        *,
        largest: int = LARGEST,
        at_once: int = 1,
    ) -> None:
        self._apply = apply
        self._largest = largest
        self._at_once = at_once
        self._queue: deque[tuple[Update, Ticket]] = deque()
        self._some = asyncio.Event()
        self._runners: list[asyncio.Task[None]] = []
        self._committing = 0

    def start(self) -> None:
        self._runners = [asyncio.create_task(self._run()) for _ in range(self._at_once)]

    async def close(self) -> None:
        """Commit what is waiting, as far as the database lets us, and end."""
        for _ in range(int(_DRAIN_S / _LOOK_S)):
            if not self._queue and not self._committing:
                break
            await asyncio.sleep(_LOOK_S)
        for runner in self._runners:
            runner.cancel()
        await asyncio.gather(*self._runners, return_exceptions=True)
        while self._queue:
            _, ticket = self._queue.popleft()
            ticket.unavailable = True
            ticket.settle()

    def submit(self, update: Update, ticket: Ticket) -> None:
        self._queue.append((update, ticket))
        self._some.set()

    async def _run(self) -> None:
        while True:
            await self._some.wait()
            # What has arrived with it is taken along. While groups commit, the next ones grow.
            await asyncio.sleep(0)
            group = [self._queue.popleft() for _ in range(min(len(self._queue), self._largest))]
            if not self._queue:
                self._some.clear()
            if group:
                await self._commit(group)

    async def _commit(self, group: Sequence[tuple[Update, Ticket]]) -> None:
        tickets: dict[Update, list[Ticket]] = {}
        for update, ticket in group:
            tickets.setdefault(update, []).append(ticket)  # Meta repeats itself
        self._committing += 1
        try:
            await self._settle(tuple(tickets), tickets)
        finally:
            self._committing -= 1

    async def _settle(
        self, updates: Sequence[Update], tickets: Mapping[Update, Sequence[Ticket]]
    ) -> None:
        try:
            async with asyncio.timeout(_COMMIT_S):
                aftermath = await self._apply(updates)
        except Exception as error:  # noqa: BLE001 — the boundary of this process's webhooks
            if not is_outage(error) and len(updates) > 1:
                middle = len(updates) // 2
                await self._settle(updates[:middle], tickets)
                await self._settle(updates[middle:], tickets)
                return
            self._fail(updates, tickets, error)
        except asyncio.CancelledError as cancelled:
            self._fail(updates, tickets, TimeoutError(*cancelled.args))
            raise
        else:
            for update in updates:
                for ticket in tickets[update]:
                    ticket.settle(aftermath.get(update, NOTHING))

    def _fail(
        self,
        updates: Sequence[Update],
        tickets: Mapping[Update, Sequence[Ticket]],
        error: Exception,
    ) -> None:
        outage = is_outage(error)
        if outage:
            log.warning("webhook.unavailable", updates=len(updates), error=type(error).__name__)
        else:
            # What a driver says of data it refuses quotes the data, so only its type is logged.
            log.error("webhook.refused", error=type(error).__name__)
        for update in updates:
            for ticket in tickets[update]:
                if outage:
                    ticket.unavailable = True
                else:
                    ticket.refused = f"{type(update).__name__}: {type(error).__name__}"
                ticket.settle()
