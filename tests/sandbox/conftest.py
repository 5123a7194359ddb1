"""A sandbox on real sockets, with a small bot beside it that records what it hears."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from sandbox.server import SANDBOX, create_app
from tests.sandbox.world import Bot, Standing, Start, World, free_port, settings_in


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts sandboxes on one folder, one after the other or with other settings."""
    bot, parts = Bot(), Standing()
    bot_runner = web.AppRunner(bot.app(), access_log=None)
    await bot_runner.setup()
    bot_port = free_port()
    await web.TCPSite(bot_runner, "127.0.0.1", bot_port).start()
    runners: list[web.AppRunner] = []
    sessions: list[aiohttp.ClientSession] = []

    async def start_one(**changes: object) -> World:
        for runner in runners:
            await runner.cleanup()
        runners.clear()
        settings = replace(settings_in(tmp_path, bot_port), **changes)  # type: ignore[arg-type]
        app = create_app(settings, parts)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, settings.host, settings.port).start()
        runners.append(runner)
        http = aiohttp.ClientSession()
        sessions.append(http)
        world = World(settings, app[SANDBOX], bot, parts, http)
        await world.post("whatsapp/moods", {"latency_ms": [0, 0]})
        return world

    yield start_one
    for session in sessions:
        await session.close()
    for runner in [*runners, bot_runner]:
        await runner.cleanup()


@pytest.fixture
async def world(start: Start) -> World:
    return await start()
