"""The sandbox's web server: pretend platforms, interface and page in one application."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from sandbox.api import Api, guard
from sandbox.changes import Changes
from sandbox.clock import Clock
from sandbox.schedule import Schedule
from sandbox.settings import Parts, Settings
from sandbox.slack.desk import Desk
from sandbox.slack.interface import SlackInterface
from sandbox.slack.outgoing import Outgoing
from sandbox.slack.webapi import WebApi
from sandbox.slack.workspace import Workspace
from sandbox.state import State
from sandbox.walk import Platforms, Walk
from sandbox.whatsapp.graph import Graph
from sandbox.whatsapp.interface import WhatsAppInterface
from sandbox.whatsapp.platform import Platform

_LARGEST = 110 * 1024 * 1024  # bytes of a request: a document of 100 MB and its form
_UNDER_WAY = 1.0  # seconds that calls under way have when the Graph API's port closes
_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Sandbox:
    """Everything that lives as long as the server."""

    def __init__(self, settings: Settings, parts: Parts) -> None:
        self.settings = settings
        self.clock = Clock(settings.clock_path)
        self.state = State(settings.state_dir)
        self.changes = Changes()
        self.schedule = Schedule(self.clock)
        self.platform = Platform(
            settings,
            clock=self.clock,
            schedule=self.schedule,
            state=self.state,
            changes=self.changes,
        )
        self.workspace = Workspace(
            settings, clock=self.clock, state=self.state, changes=self.changes
        )
        self.outgoing = Outgoing(
            url=f"{settings.bot_url}/slack/events",
            signing_secret=settings.slack_signing_secret,
            clock=self.clock,
            schedule=self.schedule,
            state=self.state,
        )
        self.web_api = WebApi(self.workspace, self.outgoing)
        self.graph = Graph(self.platform, clock=self.clock, url=settings.url)
        self.walk = Walk(
            clock=self.clock,
            schedule=self.schedule,
            platforms=Platforms(idle=self._idle, activity=self._activity),
            bot_url=settings.bot_url,
            state=self.state,
            changes=self.changes,
        )
        self.api = Api(
            platform=self.platform,
            workspace=self.workspace,
            walk=self.walk,
            changes=self.changes,
            parts=parts,
        )
        self._graph_runner: web.AppRunner | None = None
        self._turning = asyncio.Lock()
        self.desk = Desk(self.workspace, self.outgoing, self.web_api)

    def _idle(self) -> bool:
        due = self.schedule.next_us
        return (
            (due is None or due > self.clock.now_us())
            and self.platform.idle
            and self.outgoing.idle
            and not self.web_api.calls
        )

    def _activity(self) -> int:
        return self.platform.hooks.sent + self.outgoing.sent + self.changes.version

    async def living(self, _: web.Application) -> AsyncIterator[None]:
        """Restore, send what is due while the server runs, and keep everything at its end."""
        self.platform.restore()
        self.workspace.restore()
        self.outgoing.restore()
        self.walk.restore()
        self.state.start()
        tasks = [
            asyncio.create_task(running)
            for running in (
                self.schedule.run(),
                self.platform.hooks.run(),
                self.outgoing.run(),
            )
        ]
        self.platform.turned = self._follow_outage
        await self._follow_outage()
        yield
        if self._graph_runner is not None:
            await self._graph_runner.cleanup()
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        await self.state.close()
        self.clock.close()

    async def _follow_outage(self) -> None:
        """Open or close the Graph API's own port, as the outage "refuse" has it now."""
        port = self.settings.graph_port
        if port is None:
            return
        async with self._turning:
            refuse = self.platform.moods.outage == "refuse"
            if refuse and self._graph_runner is not None:
                # Calls under way still get their answer; nobody new gets in.
                await self._graph_runner.cleanup()
                self._graph_runner = None
            elif not refuse and self._graph_runner is None:
                # An application is bound to one runner; the routes are the same.
                self._graph_runner = web.AppRunner(
                    self._graph_app(), access_log=None, shutdown_timeout=_UNDER_WAY
                )
                await self._graph_runner.setup()
                await web.TCPSite(self._graph_runner, self.settings.host, port).start()

    def _graph_app(self) -> web.Application:
        app = web.Application(client_max_size=_LARGEST)
        app.add_routes(self.graph.routes())
        return app


SANDBOX = web.AppKey("sandbox", Sandbox)


def create_app(settings: Settings, parts: Parts) -> web.Application:
    """Return the application; what an earlier start has left is taken up when it starts."""
    app = web.Application(client_max_size=_LARGEST, middlewares=[guard])
    sandbox = Sandbox(settings, parts)
    app[SANDBOX] = sandbox
    app.cleanup_ctx.append(sandbox.living)
    slack = SlackInterface(sandbox.workspace, sandbox.desk)
    whatsapp = WhatsAppInterface(sandbox.platform)
    app.add_routes(sandbox.api.routes(slack, whatsapp))
    app.add_routes(sandbox.web_api.routes())
    app.add_routes(sandbox.graph.routes())
    if settings.page is not None:
        app.add_routes([web.get("/{path:.*}", _page(settings.page))])
    return app


async def serve(settings: Settings, parts: Parts) -> web.AppRunner:
    """Start serving on the settings' host and port; ``cleanup()`` of the result ends it."""
    runner = web.AppRunner(create_app(settings, parts), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, settings.host, settings.port).start()
    return runner


def _page(folder: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    root = folder.resolve()

    async def page(request: web.Request) -> web.StreamResponse:
        file = (root / (request.match_info["path"] or "index.html")).resolve()
        if not file.is_relative_to(root) or not file.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(file, headers=_PAGE_HEADERS)

    return page
