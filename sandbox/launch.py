"""The sandbox as a whole: servers, pretend platforms, the product, the demo organization."""

import asyncio
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from sandbox.parts import Program, Server, Supervised
from sandbox.server import SANDBOX, create_app
from sandbox.settings import Settings
from sandbox.whatsapp.hooks import Hooks

_DRAIN = 30.0  # seconds the product has to end in order
_READY = 120.0  # seconds it has to become ready
_LOOK = 0.05


class NotReady(Exception):
    """The product did not become ready in time; its logs say why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchSettings:
    """What to run.

    Attributes:
        settings: Of the pretend platforms; ``settings.bot_url`` is the bot's.
        servers: Prepared, not running; in the order in which to start.
        setup_commands: Run once the servers are ready, each to its end, such as the migration.
        programs: The product's processes: bot, lanes, jobs.
        seed_command: Makes the demo's contacts; run once in the life of the data folder.
        environment: Of all commands and programs, complete.
        logs: Folder of their output.
        announce: Tells the person at the terminal.
    """

    settings: Settings
    servers: tuple[Server, ...]
    setup_commands: tuple[tuple[str, ...], ...]
    programs: tuple[Program, ...]
    seed_command: tuple[str, ...] | None
    environment: Mapping[str, str]
    logs: Path
    announce: Callable[[str], None]


def run(launch: LaunchSettings) -> None:
    """Run the sandbox until Ctrl-C or SIGTERM. Call it in the main thread.

    Raises:
        CommandFailed: The migration or the seeding did.
        NotReady: The product was not in time.
        OSError: The port is taken.
    """
    asyncio.run(_run(launch))


async def _run(launch: LaunchSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    settings = launch.settings
    parts = Supervised(
        programs=launch.programs,
        servers=launch.servers,
        environment=launch.environment,
        logs=launch.logs,
        bot_url=settings.bot_url,
        announce=launch.announce,
    )
    app = create_app(settings, parts)
    parts.changed = lambda: app[SANDBOX].changes.touch("health")
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
        for server in launch.servers:
            server.launch()
        working = asyncio.create_task(_work(launch, parts, app[SANDBOX].platform.hooks))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if working.done():
            working.result()
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
        launch.announce("stopping")
    finally:
        await parts.end(within=_DRAIN)
        await runner.cleanup()
        for server in reversed(launch.servers):
            server.stop()


async def _work(launch: LaunchSettings, parts: Supervised, hooks: Hooks) -> None:
    """Bring everything up, then keep it up."""
    for server in launch.servers:
        while not server.is_ready():
            if server.poll() is not None:
                raise NotReady(f"{server.name} ended at once; see its log")
            await asyncio.sleep(_LOOK)
    for number, command in enumerate(launch.setup_commands, 1):
        await parts.command(command, log=f"setup-{number}")
    parts.start()
    keeping = asyncio.create_task(parts.keep())
    try:
        await _seed(launch, parts)
        if not await hooks.handshake(launch.settings.verify_token):
            launch.announce("the bot did not pass the webhook's verification request")
        launch.announce(f"ready: {launch.settings.url}/")
        await keeping
    finally:
        keeping.cancel()


async def _seed(launch: LaunchSettings, parts: Supervised) -> None:
    try:
        async with asyncio.timeout(_READY):
            while not await parts.bot_ready():  # noqa: ASYNC110 — another process, it sends no event
                await asyncio.sleep(_LOOK)
    except TimeoutError as problem:
        raise NotReady(
            f"the product was not ready in {_READY:.0f} s; see {launch.logs}"
        ) from problem
    done = launch.settings.state_dir / "seeded"
    if launch.seed_command is not None and not done.exists():
        await parts.command(launch.seed_command, log="seed")
        done.touch()
    parts.seeded = True
    parts.changed()
