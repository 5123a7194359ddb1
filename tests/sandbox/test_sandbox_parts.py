"""Processes that are kept running, drained and ended."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from sandbox.parts import CommandFailed, Program, Supervised
from storage.embedded import embedded_servers
from tests.sandbox.world import free_port

BOT = """
import signal, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Bot(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
def drain(*_):
    print("drained", flush=True); sys.exit(0)
signal.signal(signal.SIGTERM, drain)
HTTPServer(("127.0.0.1", int(sys.argv[1])), Bot).serve_forever()
"""
_STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('up', flush=True); time.sleep(60)"
)


class Fixture:
    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.said: list[str] = []
        self.parts = Supervised(
            programs=(
                Program(
                    name="bot",
                    argv=(sys.executable, "-c", BOT, str(self.port)),
                    url=f"http://127.0.0.1:{self.port}",
                ),
                Program(name="lanes", argv=(sys.executable, "-c", _STUBBORN)),
            ),
            servers=(),
            environment={"PATH": os.defpath},
            logs=folder,
            bot_url=f"http://127.0.0.1:{self.port}",
            announce=self.said.append,
        )

    def pid(self, health: dict[str, dict[str, dict[str, int]]], name: str) -> int:
        return health["parts"][name]["pid"]

    async def ready(self) -> dict[str, dict[str, dict[str, int]]]:
        async with asyncio.timeout(30):
            while True:
                ready, health = await self.parts.health()
                if ready:
                    return health
                await asyncio.sleep(0.02)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Fixture]:
    fixture = Fixture(tmp_path)
    fixture.parts.start()
    fixture.parts.seeded = True
    keeping = asyncio.create_task(fixture.parts.keep())
    yield fixture
    await fixture.parts.end(within=0.3)
    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping


async def test_a_part_that_dies_is_started_again(running: Fixture) -> None:
    health = await running.ready()
    before = running.pid(health, "lanes")

    await running.parts.signal("lanes", "SIGKILL")
    async with asyncio.timeout(30):
        while running.pid((await running.parts.health())[1], "lanes") == before:  # noqa: ASYNC110 — a process, it sends no event
            await asyncio.sleep(0.02)

    assert running.said == ["lanes ended with -9; starting it again"]
    with pytest.raises(KeyError):
        await running.parts.signal("nobody", "SIGKILL")
    with pytest.raises(ValueError, match="SIGWHAT"):
        await running.parts.signal("lanes", "SIGWHAT")


async def test_nothing_is_ready_before_the_demo_is_seeded(running: Fixture) -> None:
    await running.ready()

    running.parts.seeded = False

    assert (await running.parts.health())[0] is False


async def test_ending_lets_parts_drain_and_kills_who_does_not(
    running: Fixture, tmp_path: Path
) -> None:
    health = await running.ready()
    lanes = tmp_path / "lanes.log"
    async with asyncio.timeout(30):
        while "up" not in lanes.read_text():  # noqa: ASYNC110 — a file, it sends no event
            await asyncio.sleep(0.02)

    await running.parts.end(within=1)

    assert (tmp_path / "bot.log").read_text() == "drained\n"
    assert running.said == ["lanes did not end in 1 s; killed"]
    for name in ("bot", "lanes"):
        with pytest.raises(ProcessLookupError):
            os.kill(running.pid(health, name), 0)


async def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    parts = Fixture(tmp_path).parts

    await parts.command((sys.executable, "-c", "print('fine')"), log="migrate")
    with pytest.raises(CommandFailed, match="no such table"):
        await parts.command((sys.executable, "-c", "exit('no such table')"), log="seed")


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends them on Linux only")
async def test_parts_die_with_a_killed_sandbox(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import os, sys, time
        from pathlib import Path
        from sandbox.parts import Program, Supervised
        parts = Supervised(
            programs=(Program(name="lanes", argv=(sys.executable, "-c",
                "import os, time; print(os.getpid(), flush=True); time.sleep(60)")),),
            servers=(), environment={}, logs=Path(sys.argv[1]), bot_url="", announce=print)
        parts.start()
        time.sleep(60)
    """)
    log = tmp_path / "lanes.log"
    parent = subprocess.Popen(  # noqa: ASYNC220 — it starts at once
        [sys.executable, "-c", script, str(tmp_path)], cwd=Path(__file__).parents[2]
    )
    async with asyncio.timeout(30):
        while not log.exists() or not log.read_text().strip():  # noqa: ASYNC110 — a file, it sends no event
            await asyncio.sleep(0.02)
    child = int(log.read_text())

    parent.send_signal(signal.SIGKILL)
    parent.wait()

    async with asyncio.timeout(30):
        while _runs(child):  # noqa: ASYNC110 — a process, it sends no event
            await asyncio.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


async def test_a_bot_that_is_not_there_is_not_ready(tmp_path: Path) -> None:
    fixture = Fixture(tmp_path)

    assert await fixture.parts.bot_ready() is False


async def test_a_server_that_runs_elsewhere_is_left_alone(tmp_path: Path) -> None:
    parts = Fixture(tmp_path).parts

    with pytest.raises(KeyError):
        await parts.restart_postgres()
    with pytest.raises(KeyError):
        await parts.flush_redis()


async def test_redis_is_emptied(tmp_path: Path) -> None:
    # As root the server runs as another account, which cannot enter pytest's own folders.
    with (
        tempfile.TemporaryDirectory() as place,
        embedded_servers(_open(Path(place)), postgres=False) as servers,
    ):
        server = servers.redis
        assert server is not None
        server.start()
        parts = Fixture(tmp_path).parts
        parts.servers = (server,)
        client: redis.Redis = redis.Redis.from_url(server.url)
        client.set("a", "b")

        await parts.flush_redis()

        assert client.dbsize() == 0
        client.close()


def _open(folder: Path) -> Path:
    folder.chmod(0o755)
    return folder / "data"
