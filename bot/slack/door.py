"""``POST /slack/events``: everything Slack sends, for every workspace."""

import asyncio
from datetime import datetime
from typing import Final, Protocol

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response

from bot.slack.dispatch import Arrival, Dispatcher
from bot.slack.once import Claims
from bot.slack.requests import (
    Challenge,
    Event,
    Malformed,
    OptionsQuery,
    Other,
    Request,
    SslCheck,
    parse,
)
from bot.slack.verification import signers
from bot.slack.workspace import Workspace, Workspaces
from bot.unsigned import Unsigned
from bot.unverified import Unverified
from engine.clock import Clock
from engine.ids import OrganizationId

PATH: Final = "/slack/events"
_LARGEST: Final = 1024 * 1024  # bytes; Slack's own largest is a view of 250 KB, percent-encoded
_PATIENCE: Final = 2.0  # seconds an event's handlers may take; Slack waits 3 for the answer

log = structlog.get_logger(__name__)


class Failures(Protocol):
    """Keeps what we could not use, for whoever looks after the installation."""

    async def keep(self, *, source: str, reason: str, body: bytes, at: datetime) -> object:
        """Keep the bytes as they came; *source* is ``slack``."""
        ...


class SlackDoor:
    """The handler of the endpoint; ``app.router.add_post(PATH, door.receive)``."""

    def __init__(
        self,
        *,
        workspaces: Workspaces,
        dispatcher: Dispatcher,
        claims: Claims,
        failures: Failures,
        clock: Clock,
    ) -> None:
        self._workspaces = workspaces
        self._dispatcher = dispatcher
        self._claims = claims
        self._failures = failures
        self._clock = clock
        self._unverified = Unverified(largest=_LARGEST)
        self._unsigned = Unsigned(PATH, clock)

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """Verify, read, tell repeats apart, hand over.

        What nobody we know signed is answered 401, what is not Slack's form 400; 503 when it
        could not be handled now, so that Slack repeats what it repeats at all.
        """
        body = await self._unverified.read(request)
        signed_by = signers(
            body,
            timestamp=request.headers.get("X-Slack-Request-Timestamp", ""),
            signature=(signature := request.headers.get("X-Slack-Signature", "")),
            at=self._clock.wall(),
            secrets=self._workspaces.secrets,
        )
        if not signed_by:
            self._unsigned.turned_away()
            raise web.HTTPUnauthorized(text="not signed by a Slack app we know")
        match parse(body, content_type=request.content_type):
            case Malformed(reason=reason):
                log.warning("slack.malformed", reason=reason)
                raise web.HTTPBadRequest(text=reason)
            case Challenge(challenge=challenge):
                return web.json_response({"challenge": challenge})
            case SslCheck():
                return web.Response()
            case arrived:
                return await self._admit(arrived, body, signature=signature, signed_by=signed_by)

    async def _admit(
        self,
        request: Request,
        body: bytes,
        *,
        signature: str,
        signed_by: frozenset[OrganizationId],
    ) -> web.StreamResponse:
        workspace = self._workspaces.among(request.origin.teams, signed_by=signed_by)
        try:
            if workspace is None:
                log.warning("slack.unknown_team", signed_by=sorted(signed_by))
                await self._failures.keep(
                    source="slack",
                    reason="signed by a secret that is not configured for this team",
                    body=body,
                    at=self._clock.now(),
                )
                return web.Response()
            # Reading twice does no harm, and an empty answer would show a broken menu.
            if isinstance(request, Other):
                return web.Response()
            if isinstance(request, OptionsQuery):
                return await self._hand_over(_arrival(request, workspace))
            if isinstance(request, Event):
                return await self._event(request, workspace)
            return await self._once(request, workspace, signature=signature)
        except web.HTTPException:
            raise
        except Exception as error:
            log.exception("slack.not_handled")
            raise web.HTTPServiceUnavailable(text="not handled; try again") from error

    async def _event(self, event: Event, workspace: Workspace) -> web.StreamResponse:
        """Hand over; only what is done is answered 200, since Slack repeats all else."""
        if event.origin.user_id is not None and event.origin.user_id == event.bot_user_id:
            return web.Response()  # our own doing; bolt would leave it out too
        arrival = _arrival(event, workspace)
        answer = await self._hand_over(arrival)
        await asyncio.wait({arrival.handled}, timeout=_PATIENCE)
        if arrival.handled.done() and arrival.handled.result():
            return answer
        # Taken now, an event that a crash interrupts in the middle would be lost.
        raise web.HTTPServiceUnavailable(text="not done yet; try again")

    async def _once(
        self, request: Request, workspace: Workspace, *, signature: str
    ) -> web.StreamResponse:
        """Hand over unless these very bytes have been here: Slack itself never repeats them."""
        organization, key = workspace.organization, f"signature:{signature}"
        if not await self._claims.remember(organization, key, self._clock.now()):
            log.warning("slack.replayed", organization=organization)
            return web.Response()
        return await self._hand_over(_arrival(request, workspace))

    async def _hand_over(self, arrival: Arrival) -> web.StreamResponse:
        return await to_aiohttp_response(await self._dispatcher.dispatch(arrival))


def _arrival(request: Request, workspace: Workspace) -> Arrival:
    handled = asyncio.get_running_loop().create_future()
    return Arrival(request=request, workspace=workspace, handled=handled)
