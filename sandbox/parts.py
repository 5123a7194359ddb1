"""The product's processes and servers, kept running."""

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiohttp

from sandbox.wire import Json

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_LOOK = 0.25  # seconds; a part that died is started again within one
_TIMEOUT = aiohttp.ClientTimeout(total=5)
_SIGNALS = {
    written: number
    for number in signal.Signals
    for written in (number.name, number.name.removeprefix("SIG"), str(number.value))
}


class Server(Protocol):
    """A database or the like; blocking, and its own business how it starts and stops."""

    name: str
    url: str

    @property
    def pid(self) -> int | None: ...

    def launch(self) -> None:
        """Execute it, without waiting until it is ready."""
        ...

    def is_ready(self) -> bool: ...

    def poll(self) -> int | None:
        """The exit status, None while it runs."""
        ...

    def signal(self, number: int, /) -> None: ...

    def stop(self) -> None:
        """End it in order and wait."""
        ...

    def restart(self) -> None:
        """Stop it, start it again, and wait until it is ready."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One process of the product.

    Attributes:
        url: Where it is reached, or None.
    """

    name: str
    argv: tuple[str, ...]
    url: str | None = None


class CommandFailed(Exception):
    """A command that had to succeed did not; the message ends with what it said last."""

    def __init__(self, argv: tuple[str, ...], code: int, log: Path) -> None:
        said = log.read_text(errors="replace")[-3000:]
        super().__init__(f"{' '.join(argv)} ended with {code}; {log} ends:\n{said}")


@dataclass(slots=True)
class _Part:
    program: Program
    process: subprocess.Popen[bytes] | None = None


@dataclass(slots=True)
class Supervised:
    """Programs and servers started by us, ended with us.

    Each process has a session of its own, so that Ctrl-C in the terminal reaches the sandbox
    alone. On Linux the kernel ends them when the sandbox is killed; elsewhere a killed sandbox
    leaves them.

    Attributes:
        environment: Of the programs; they get nothing else.
        logs: Folder of a log for each program.
        announce: Tells the person at the terminal.
        seeded: Whether the demo organization exists.
        changed: Called when a part died or came back.
    """

    programs: tuple[Program, ...]
    servers: tuple[Server, ...]
    environment: Mapping[str, str]
    logs: Path
    bot_url: str
    announce: Callable[[str], None]
    seeded: bool = False
    changed: Callable[[], None] = lambda: None
    _parts: dict[str, _Part] = field(default_factory=dict)
    _busy: set[str] = field(default_factory=set)
    _ending: bool = False

    async def health(self) -> tuple[bool, Json]:
        """As the interface gives it; ready when all run, the bot says so, and the demo is there."""
        parts: Json = {}
        alive = True
        for name, part in self._parts.items():
            alive = alive and part.process is not None and part.process.poll() is None
            parts[name] = {"pid": part.process.pid if part.process else None}
            if part.program.url is not None:
                parts[name]["url"] = part.program.url
        for server in self.servers:
            alive = alive and server.poll() is None and server.name not in self._busy
            parts[server.name] = {"pid": server.pid, "url": server.url}
        ready = bool(self._parts) and alive and self.seeded and await self.bot_ready()
        return ready, {"parts": parts}

    async def bot_ready(self) -> bool:
        """Whether the bot says that everything the product needs is there."""
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT) as session,
                session.get(f"{self.bot_url}/health/system") as response,
            ):
                return response.status == 200  # noqa: PLR2004 — ready
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def signal(self, name: str, signal: str) -> None:
        number = _SIGNALS.get(signal.upper())
        if number is None:
            raise ValueError(signal)
        if name in self._parts:
            process = self._parts[name].process
            if process is not None:
                process.send_signal(number)
            return
        self._server(name).signal(number)

    async def restart_postgres(self) -> None:
        server = self._server("postgres")
        self._busy.add(server.name)
        try:
            await asyncio.to_thread(server.restart)
        finally:
            self._busy.discard(server.name)
        self.changed()

    async def flush_redis(self) -> None:
        server = self._server("redis")
        reader, writer = await _connected(server.url)
        try:
            writer.write(b"FLUSHALL\r\n")
            reply = await asyncio.wait_for(reader.readline(), 5)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        if not reply.startswith(b"+OK"):
            raise RuntimeError(f"FLUSHALL was answered {reply!r}")

    def start(self) -> None:
        """Start every program; the servers run already."""
        for program in self.programs:
            part = self._parts[program.name] = _Part(program)
            part.process = self._start(program)

    async def keep(self) -> None:
        """Start again what dies, until ``end``."""
        while not self._ending:
            for part in self._parts.values():
                if part.process is not None and (code := part.process.poll()) is not None:
                    self.announce(f"{part.program.name} ended with {code}; starting it again")
                    part.process = self._start(part.program)
                    self.changed()
            for server in self.servers:
                if server.name not in self._busy and (code := server.poll()) is not None:
                    self.announce(f"{server.name} ended with {code}; starting it again")
                    server.launch()
                    self.changed()
            await asyncio.sleep(_LOOK)

    async def command(self, argv: tuple[str, ...], *, log: str) -> None:
        """Run a command to its end.

        Raises:
            CommandFailed: It did not succeed.
        """
        process = self._start(Program(name=log, argv=argv))
        try:
            while (code := process.poll()) is None:  # noqa: ASYNC110 — a process sends no event
                await asyncio.sleep(0.02)
        finally:
            if process.poll() is None:
                process.kill()
        if code:
            raise CommandFailed(argv, code, self.logs / f"{log}.log")

    async def end(self, *, within: float) -> None:
        """Ask every program to end, and kill what is left after *within* seconds."""
        self._ending = True
        processes = [part.process for part in self._parts.values() if part.process is not None]
        for process in processes:
            process.terminate()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while any(p.poll() is None for p in processes) and loop.time() < deadline:  # noqa: ASYNC110 — processes send no event
            await asyncio.sleep(0.05)
        for part in self._parts.values():
            if part.process is not None and part.process.poll() is None:
                self.announce(f"{part.program.name} did not end in {within:.0f} s; killed")
                part.process.kill()
                part.process.wait()

    def _server(self, name: str) -> Server:
        for server in self.servers:
            if server.name == name:
                return server
        raise KeyError(name)

    def _start(self, program: Program) -> subprocess.Popen[bytes]:
        self.logs.mkdir(parents=True, exist_ok=True)
        by_kernel = sys.platform == "linux"
        with (self.logs / f"{program.name}.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 — given by the entry point, no shell
                program.argv,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_dying_with(os.getpid()) if by_kernel else None,  # noqa: PLW1509 — two system calls, no lock
            )


def _dying_with(parent: int) -> Callable[[], None]:
    def tie() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
        if os.getppid() != parent:  # it died before the tie held
            os._exit(1)

    return tie


async def _connected(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to a Redis by its URL, over TCP or a socket file."""
    parts = urlsplit(url)
    if parts.scheme.endswith("unix"):
        return await asyncio.open_unix_connection(unquote(parts.path))
    return await asyncio.open_connection(parts.hostname or "127.0.0.1", parts.port or 6379)
