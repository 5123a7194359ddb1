"""The time during which the relay of an organization is ours."""

import asyncio
from contextlib import suppress
from typing import Final

import structlog

from engine.clock import Clock
from storage import leases
from storage.database import CONNECTION_LOST, Database
from storage.leases import EXPIRY_S, Lease

_RENEWED_EVERY: Final = 1.0
_FRESH: Final = 2.0  # nothing is posted when the lease was confirmed longer ago

log = structlog.get_logger(__name__)


class LeaseLost(Exception):
    """Another process posts for the organization now."""


class Term:
    """The time during which a lease is ours."""

    def __init__(
        self,
        lease: Lease,
        *,
        confirmed_at: float,
        database: Database,
        clock: Clock,
        stopping: asyncio.Event,
    ) -> None:
        """Begin; *confirmed_at*: monotonic seconds before the lease was asked for."""
        self._lease = lease
        self._confirmed_at = confirmed_at
        self._database = database
        self._clock = clock
        self._stopping = stopping

    async def may_call(self) -> bool:
        """Wait until the lease was confirmed a moment ago; False: the process stops."""
        while self._clock.monotonic() - self._confirmed_at > _FRESH:
            if self._stopping.is_set():
                return False
            await pause(_RENEWED_EVERY / 4, self._stopping)
        return not self._stopping.is_set()

    async def renew(self) -> None:
        """Keep the lease, for ever.

        Raises:
            LeaseLost: It has moved, or Postgres could not be asked for so long that it may have.
        """
        while True:
            await asyncio.sleep(_RENEWED_EVERY)
            asked_at = self._clock.monotonic()
            try:
                async with asyncio.timeout(EXPIRY_S):
                    kept = await self._database.run(
                        self._lease.organization,
                        self._clock.now(),
                        lambda unit: leases.renew(unit, self._lease, call_age_s=None),
                    )
            except CONNECTION_LOST as error:
                log.warning("relay.not_renewed", error=type(error).__name__)
                if self._clock.monotonic() - self._confirmed_at > EXPIRY_S:
                    raise LeaseLost from error
                continue
            if not kept:
                raise LeaseLost
            self._confirmed_at = asked_at

    async def give_back(self) -> None:
        """Let another process go on at once; without Postgres the lease runs out by itself."""
        with suppress(*CONNECTION_LOST):
            async with asyncio.timeout(_FRESH):
                await self._database.run(
                    self._lease.organization,
                    self._clock.now(),
                    lambda unit: leases.release(unit, self._lease, call_age_s=None),
                )


async def pause(seconds: float, stopping: asyncio.Event) -> None:
    """Wait; less when *stopping* comes first."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()
