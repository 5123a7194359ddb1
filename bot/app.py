"""The bot process put together: every part meets every other here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import structlog
from aiohttp import web

from bot.health import Health
from bot.slack import (
    attributes,
    automations,
    broadcasts,
    campaign_life,
    campaigns,
    contact_exports,
    contacts,
    countries,
    doubts,
    enrollment_pages,
    enrollments,
    failed,
    import_start,
    import_undo,
    imports,
    lists,
    media,
    platform_alerts,
    previews,
    reports,
    restores,
    schedules,
    segments,
    simulations,
    status,
    steering,
    steps,
    stories,
    template_drafts,
    template_preview,
    templates,
)
from bot.slack.answers import StoredAnswers
from bot.slack.desk import Desk
from bot.slack.dispatch import Dispatcher
from bot.slack.door import PATH as SLACK_PATH
from bot.slack.door import SlackDoor
from bot.slack.language import LANGUAGE
from bot.slack.registry import Registry
from bot.slack.relay import Relay
from bot.slack.staff import Staff
from bot.slack.workspace import Workspace, Workspaces
from bot.whatsapp.webhook import WebhookRoom
from engine.clock import Clock
from engine.config import Config, Organization
from engine.ids import OrganizationId
from engine.roles import Role
from storage.database import Database
from storage.events import unrelayed
from storage.migrate import check
from storage.queue import Queue
from storage.slack_requests import SlackRequests
from storage.webhook_failures import WebhookFailures

_LARGEST_BODY = 4 * 1024 * 1024  # bytes; Meta sends up to 3 MB, aiohttp's own limit is 1 MiB
_DRAIN_S = 25.0
_CONNECTIONS = 20

log = structlog.get_logger()


class NotConfigured(Exception):
    """The bot runs only with a database and a Redis it is told about."""


async def serve(config: Config, clock: Clock, *, stopping: asyncio.Event) -> None:
    """Serve until *stopping*; then let requests under way end.

    Raises:
        NotConfigured: No database or no Redis in the configuration.
        SchemaOutdated: The database lacks migrations.
    """
    server = config.server
    if server.database_url is None or server.redis_url is None:
        raise NotConfigured(
            "the bot needs server.database_url and server.redis_url;"
            " `dripline up` runs servers of its own"
        )
    await check(server.database_url.get_secret_value())
    async with _app(config, clock) as app:
        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=_DRAIN_S, handler_cancellation=False
        )
        await runner.setup()
        try:
            site = web.TCPSite(runner, server.listen.host, server.listen.port, backlog=1024)
            await site.start()
            log.info("bot.started", host=server.listen.host, port=server.listen.port)
            await stopping.wait()
        finally:
            await runner.cleanup()
    log.info("bot.stopped")


@asynccontextmanager
async def _app(config: Config, clock: Clock) -> AsyncIterator[web.Application]:
    assert config.server.database_url is not None  # noqa: S101 — serve has looked
    assert config.server.redis_url is not None  # noqa: S101 — serve has looked
    async with AsyncExitStack() as stack:
        database = await Database.open(
            config.server.database_url.get_secret_value(),
            name="dripline bot",
            largest=_CONNECTIONS,
            pooled=config.server.pooled,
        )
        stack.push_async_callback(database.close)
        queue = Queue.open(config.server.redis_url.get_secret_value())
        stack.push_async_callback(queue.close)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        workspaces = Workspaces(
            [_workspace(key, each) for key, each in config.organizations.items()],
            session=session,
            slack_url=config.server.slack_url,
        )
        dispatcher = _dispatcher(
            Desk(config=config, clock=clock, database=database, queue=queue), workspaces
        )
        stack.push_async_callback(dispatcher.drain, _DRAIN_S)
        door = SlackDoor(
            workspaces=workspaces,
            dispatcher=dispatcher,
            claims=SlackRequests(database),
            failures=WebhookFailures(database),
            clock=clock,
        )
        room = WebhookRoom(config=config, database=database, clock=clock, queue=queue)
        await room.start()
        stack.push_async_callback(room.close)
        await stack.enter_async_context(_running(Relay(config, database, clock, workspaces.client)))
        health = Health(config=config, database=database, clock=clock, unrelayed=unrelayed)
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.add_routes([web.post(SLACK_PATH, door.receive)])
        app.add_routes(room.routes())
        app.add_routes(health.routes())
        yield app


@asynccontextmanager
async def _running(relay: Relay) -> AsyncIterator[None]:
    """Let the relay post as long as the block lasts, and end by itself afterwards."""
    stopping = asyncio.Event()
    task = asyncio.create_task(relay.run(stopping))
    try:
        yield
    finally:
        stopping.set()
        await asyncio.wait({task}, timeout=_DRAIN_S)
        task.cancel()


def _workspace(organization: OrganizationId, config: Organization) -> Workspace:
    return Workspace(
        organization=organization,
        name=config.name,
        team_id=config.slack.team_id,
        bot_token=config.slack.bot_token.get_secret_value(),
        signing_secret=config.slack.signing_secret.get_secret_value(),
        staff=(
            (Role.OWNER, config.staff.owner),
            (Role.SUPERVISOR, config.staff.supervisor),
            (Role.AGENT, config.staff.agent),
        ),
    )


def _dispatcher(desk: Desk, workspaces: Workspaces) -> Dispatcher:
    registry = Registry()
    for feature in _FEATURES:
        feature.register(registry, desk)
    return Dispatcher(
        registry=registry,
        language=LANGUAGE,
        workspaces=workspaces,
        staff=Staff(workspaces, monotonic=desk.clock.monotonic),
        claims=SlackRequests(desk.database),
        answers=StoredAnswers(desk.database, desk.clock),
        clock=desk.clock,
    )


_FEATURES = (
    attributes,
    automations,
    broadcasts,
    campaign_life,
    campaigns,
    contact_exports,
    contacts,
    countries,
    doubts,
    enrollment_pages,
    enrollments,
    failed,
    import_start,
    import_undo,
    imports,
    lists,
    media,
    platform_alerts,
    previews,
    stories,
    reports,
    restores,
    simulations,
    schedules,
    segments,
    status,
    template_drafts,
    template_preview,
    steering,
    steps,
    templates,
)
"""Each registers its handlers; adding a feature is adding it here."""
