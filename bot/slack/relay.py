"""Events → Slack: one process posts for an organization, each event once, cards kept true."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.limiter import Limiter
from bot.slack.live_cards import LiveCards
from bot.slack.poster import Poster, SlackAway, Stopped
from bot.slack.progress import ImportProgress
from bot.slack.telling import EventRelay
from bot.slack.term import LeaseLost, Term, pause
from engine.clock import Clock
from engine.config import Config, Slack
from engine.ids import OrganizationId
from storage import leases
from storage.database import Database
from storage.leases import Lease

_LEASE: Final = "relay"
_ASKED_EVERY: Final = 1.0  # for a lease somebody else has
_CARDS_EVERY: Final = 0.5
_AFTER_FAILURE: Final = 1.0

log = structlog.get_logger(__name__)


class Relay:
    """Relays for all organizations, as far as no other process does."""

    def __init__(
        self,
        config: Config,
        database: Database,
        clock: Clock,
        slack_client_factory: Callable[[OrganizationId], AsyncWebClient],
    ) -> None:
        """Take what it works with.

        Args:
            config: For the organizations and their channels.
            slack_client_factory: Gives the Web API of an organization; it must never repeat a
                call by itself, or a message would be there twice.
        """
        self._config = config
        self._database = database
        self._clock = clock
        self._client = slack_client_factory

    async def run(self, stopping: asyncio.Event) -> None:
        """Relay until *stopping*; then let calls under way end, and give the leases back."""
        async with asyncio.TaskGroup() as group:
            for organization, configured in self._config.organizations.items():
                group.create_task(
                    OrganizationRelay(
                        organization,
                        configured.slack,
                        database=self._database,
                        clock=self._clock,
                        client=self._client(organization),
                        stopping=stopping,
                    ).run()
                )


class OrganizationRelay:
    """Relays for one organization whenever the lease is ours."""

    def __init__(
        self,
        organization: OrganizationId,
        slack: Slack,
        *,
        database: Database,
        clock: Clock,
        client: AsyncWebClient,
        stopping: asyncio.Event,
    ) -> None:
        self._organization = organization
        self._slack = slack
        self._database = database
        self._clock = clock
        self._client = client
        self._stopping = stopping
        # Outlives a lease: what was posted in the last minute counts, whoever posted meanwhile.
        self._limiter = Limiter()

    async def run(self) -> None:
        """Relay until the process stops, whatever fails meanwhile."""
        holder = secrets.token_hex(8)
        while not self._stopping.is_set():
            try:
                await self._serve(holder)
            except* LeaseLost:
                log.warning("relay.lost", organization=self._organization)
            except* Exception as error:
                # The boundary: whatever failed, Postgres most likely, the relay goes on after it.
                log.warning("relay.interrupted", organization=self._organization, exc_info=error)
                await pause(_AFTER_FAILURE, self._stopping)

    async def _serve(self, holder: str) -> None:
        """Relay as long as the lease is ours, or wait a moment if it is not."""
        asked_at = self._clock.monotonic()
        lease = await self._database.run(
            self._organization,
            self._clock.now(),
            lambda unit: leases.acquire(unit, name=_LEASE, holder=holder),
        )
        if lease is None:
            await pause(_ASKED_EVERY, self._stopping)
            return
        log.info("relay.began", organization=self._organization)
        await self._hold(lease, confirmed_at=asked_at)

    async def _hold(self, lease: Lease, *, confirmed_at: float) -> None:
        term = Term(
            lease,
            confirmed_at=confirmed_at,
            database=self._database,
            clock=self._clock,
            stopping=self._stopping,
        )
        poster = Poster(
            organization=self._organization,
            client=self._client,
            database=self._database,
            clock=self._clock,
            limiter=self._limiter,
            may_call=term.may_call,
            pause=lambda seconds: pause(seconds, self._stopping),
        )
        cards = LiveCards(poster, channel=self._slack.alerts_channel)
        try:
            async with asyncio.TaskGroup() as group:
                renewing = group.create_task(term.renew())
                async with asyncio.TaskGroup() as work:
                    for keep in (
                        partial(cards.refresh, posted=True),
                        partial(cards.refresh, posted=False),
                        ImportProgress(poster).refresh,
                    ):
                        work.create_task(self._keep(keep))
                    work.create_task(
                        EventRelay(poster, cards, self._slack, stopping=self._stopping).run(work)
                    )
                renewing.cancel()
        finally:
            await term.give_back()

    async def _keep(self, refresh: Callable[[], Awaitable[None]]) -> None:
        """Refresh, each kind by itself: what waits for its turn to be posted holds up no edit."""
        while not self._stopping.is_set():
            seconds = _CARDS_EVERY
            try:
                await refresh()
            except SlackAway as away:
                log.warning("slack.away", organization=self._organization, error=str(away))
                seconds = max(seconds, away.seconds)
            except Stopped:
                seconds = _CARDS_EVERY
            await pause(seconds, self._stopping)
