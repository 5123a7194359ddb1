"""The two requests Meta makes: the handshake, and everything that happens on WhatsApp.

A body is verified as it came, parsed, committed, and only then answered with 200; a STOP also waits
until no call to that contact can start any more.

Source: Meta, Webhooks overview (retries up to 7 days, bodies up to 3 MB); what is answered with
anything but 200 comes again.
"""

import asyncio
import hmac
from collections import defaultdict
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Final

import structlog
from aiohttp import web

from bot.unsigned import Unsigned
from bot.unverified import Unverified
from bot.whatsapp.groups import Ticket
from bot.whatsapp.intake import Intake
from bot.whatsapp.signature import signer
from bot.whatsapp.updates import MalformedBody, parse
from engine.clock import Clock
from engine.config import Config
from engine.ids import ContactId, NumberId, OrganizationId
from storage.database import CONNECTION_LOST, Database
from storage.inbound import about_to_start
from storage.queue import Queue
from storage.webhook_failures import WebhookFailures, is_outage

PATH: Final = "/webhooks/whatsapp"
LARGEST_BODY: Final = 4 * 1024 * 1024
MOST_WAITING: Final = 5_000
STOP_WAIT_S: Final = 3.0
_POLL_S: Final = 0.02

log = structlog.get_logger()


class WebhookRoom:
    """Answers Meta. *queue* wakes lanes at once; without it the worker's tick finds what is due."""

    def __init__(
        self, config: Config, database: Database, clock: Clock, queue: Queue | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._queue = queue
        self._intake = Intake(config, database, clock)
        self._failures = WebhookFailures(database)
        self._unverified = Unverified(largest=LARGEST_BODY)
        self._unsigned = Unsigned(PATH, clock)
        self._secrets = organizations_by_secret(config)
        self._verify_tokens = [
            each.whatsapp.verify_token.get_secret_value().encode()
            for each in config.organizations.values()
        ]
        self._waiting = 0

    async def start(self) -> None:
        self._intake.start()

    async def close(self) -> None:
        await self._intake.close()

    def routes(self) -> list[web.RouteDef]:
        return [web.get(PATH, self.shake_hands, allow_head=False), web.post(PATH, self.receive)]

    async def shake_hands(self, request: web.Request) -> web.Response:
        """Prove to Meta that the address is ours. Source: Meta, "Create a webhook endpoint"."""
        given = request.query.get("hub.verify_token", "").encode(errors="surrogateescape")
        # All of them, so that the time says nothing about which came close.
        known = sum(hmac.compare_digest(given, token) for token in self._verify_tokens)
        challenge = request.query.get("hub.challenge")
        if request.query.get("hub.mode") != "subscribe" or challenge is None or not known:
            raise web.HTTPForbidden
        return web.Response(text=challenge)

    async def receive(self, request: web.Request) -> web.Response:
        body = await self._unverified.read(request)
        header = request.headers.get("X-Hub-Signature-256", "")
        signed_by = signer(body, header, self._secrets)
        if signed_by is None:
            self._unsigned.turned_away()
            raise web.HTTPUnauthorized
        # Only of those who are verified, or a stranger could keep Meta out.
        if self._waiting >= MOST_WAITING:
            raise web.HTTPServiceUnavailable
        self._waiting += 1
        try:
            return await self._apply(body, signed_by)
        finally:
            self._waiting -= 1

    async def _apply(self, body: bytes, signed_by: tuple[OrganizationId, ...]) -> web.Response:
        try:
            updates = parse(body).updates
        except MalformedBody as malformed:
            return await self._keep(body, signed_by, malformed.reason)
        ticket = await self._intake.take(updates, allowed=signed_by)
        if ticket.stopped or ticket.woken:
            await self._see_to(ticket)
        if ticket.unavailable:
            raise web.HTTPServiceUnavailable
        if ticket.refused is not None:
            return await self._keep(body, signed_by, ticket.refused)
        return web.Response()

    async def _keep(
        self, body: bytes, signed_by: tuple[OrganizationId, ...], reason: str
    ) -> web.Response:
        """Keep what cannot be applied; Meta would only send the same again."""
        try:
            kept = await self._failures.keep(
                source="whatsapp",
                reason=reason,
                body=body,
                at=self._clock.now(),
                organization=signed_by[0],
            )
        except Exception as error:
            if is_outage(error):
                raise web.HTTPServiceUnavailable from error
            raise
        log.warning("webhook.kept", id=kept, reason=reason, signed_by=signed_by)
        return web.Response()

    async def _see_to(self, ticket: Ticket) -> None:
        waking = [self._wake(number) for number in ticket.woken]
        stopped: dict[OrganizationId, set[ContactId]] = defaultdict(set)
        for organization, contact in ticket.stopped:
            stopped[organization].add(contact)
        waiting = [self._until_none_starts(*each) for each in stopped.items()]
        await asyncio.gather(*waking, *waiting)

    async def _wake(self, number: NumberId) -> None:
        organization = self._intake.organization_of(number)
        if self._queue is not None and organization is not None:
            await self._queue.wake_lane(organization, number)

    async def _until_none_starts(
        self, organization: OrganizationId, contacts: Collection[ContactId]
    ) -> None:
        """Wait until no living lane has a campaign message of *contacts* claimed, 3 s at most."""
        ends = self._clock.monotonic() + STOP_WAIT_S
        while self._clock.monotonic() < ends:
            with suppress(*CONNECTION_LOST):
                async with self._database.unit(organization, self._clock.now()) as unit:
                    if not await about_to_start(unit, contacts=contacts):
                        return
            await asyncio.sleep(_POLL_S)
        log.warning("webhook.stop_not_awaited", contacts=sorted(contacts))


def organizations_by_secret(config: Config) -> Mapping[bytes, tuple[OrganizationId, ...]]:
    """Return who is configured with each app secret: a signature proves no more than that."""
    owners: dict[bytes, list[OrganizationId]] = defaultdict(list)
    for key, each in config.organizations.items():
        owners[each.whatsapp.app_secret.get_secret_value().encode()].append(key)
    return {secret: tuple(keys) for secret, keys in owners.items()}
