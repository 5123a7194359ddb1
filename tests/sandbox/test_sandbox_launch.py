"""The whole sandbox from start to Ctrl-C, with a stand-in for the product."""

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import aiohttp

from tests.sandbox.test_sandbox_parts import BOT
from tests.sandbox.world import free_port

_ROOT = Path(__file__).parents[2]
_SCRIPT = """
import sys
from dataclasses import replace
from pathlib import Path
from sandbox.launch import LaunchSettings, run
from sandbox.parts import Program
from tests.sandbox.world import settings_in

folder, port, bot_port, bot = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]

class Server:
    name, url = "postgres", "postgresql://nowhere"
    pid = None
    def launch(self): print("postgres launched", flush=True)
    def is_ready(self): return True
    def poll(self): return None
    def signal(self, number): pass
    def stop(self): print("postgres stopped", flush=True)
    def restart(self): pass

run(LaunchSettings(
    settings=replace(settings_in(folder, bot_port), port=port),
    servers=(Server(),),
    setup_commands=((sys.executable, "-c", "print('migrated')"),),
    programs=(Program(name="bot", argv=(sys.executable, "-c", bot, str(bot_port))),),
    seed_command=(sys.executable, "-c", "print('seeded')"),
    environment={}, logs=folder / "logs", announce=lambda text: print(text, flush=True),
))
"""


def started(folder: Path, port: int, bot_port: int) -> "subprocess.Popen[bytes]":
    with (folder / "out").open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-c", _SCRIPT, str(folder), str(port), str(bot_port), BOT],
            cwd=_ROOT,
            stdout=out,
            stderr=out,
        )


async def ready(port: int) -> None:
    async with asyncio.timeout(30), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(f"http://127.0.0.1:{port}/sandbox/api/health") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)


async def test_it_starts_seeds_once_drains_and_starts_again(tmp_path: Path) -> None:
    port, bot_port = free_port(), free_port()
    for _ in range(2):
        sandbox = started(tmp_path, port, bot_port)
        try:
            await ready(port)
            began = time.monotonic()
            sandbox.send_signal(signal.SIGTERM)
            code = await asyncio.to_thread(sandbox.wait, 20)
        finally:
            sandbox.kill()
            sandbox.wait()

        assert code == 0, (tmp_path / "out").read_text()
        assert time.monotonic() - began < 10

    logs = tmp_path / "logs"
    assert (logs / "setup-1.log").read_text() == "migrated\n" * 2
    assert (logs / "seed.log").read_text() == "seeded\n"
    assert (logs / "bot.log").read_text() == "drained\n" * 2
    said = (tmp_path / "out").read_text().splitlines()
    assert said[: len(said) // 2] == [
        "postgres launched",
        "the bot did not pass the webhook's verification request",
        f"ready: http://127.0.0.1:{port}/",
        "stopping",
        "postgres stopped",
    ]
