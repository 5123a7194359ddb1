"""Machines of their own, as far as this one can pretend: network namespaces, or plain processes.

Each runs `dripline worker` as production starts it, and reaches Postgres and Redis by TCP through a
relay on our side of its link. Where namespaces are not allowed, only relays and the pretend
platform can cut a host off.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_STOP_S = 40.0
_CHUNK = 1 << 16


def may_make_namespaces() -> bool:
    """Whether this machine lets us make network namespaces and links between them."""
    name = f"dripline{os.getpid()}"
    try:
        return _ran("ip", "netns", "add", name)
    finally:
        _ran("ip", "netns", "del", name)


def _ran(*command: str) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


@dataclass
class Relay:
    """Carries bytes between a host and a server's socket file.

    Attributes:
        flowing: While it is not set every byte is kept back, as by a network that swallows them.
    """

    path: str
    flowing: asyncio.Event = field(default_factory=asyncio.Event)
    _pumps: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def served(self, address: str) -> AsyncIterator[int]:
        """Serve at *address*; yields the port."""
        self.flowing.set()
        server = await asyncio.start_server(self._connected, address, 0)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for pump in self._pumps:
                pump.cancel()
            await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.flowing.wait()
        try:
            from_server, to_server = await asyncio.open_unix_connection(self.path)
        except OSError:
            writer.close()
            return
        for source, sink in ((reader, to_server), (from_server, writer)):
            pump = asyncio.create_task(self._pump(source, sink))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError):
                while chunk := await source.read(_CHUNK):
                    await self.flowing.wait()
                    sink.write(chunk)
                    await sink.drain()
        finally:
            sink.close()


@dataclass
class Host:
    """A machine with a worker on it.

    Attributes:
        address: Of our side of its link.
        namespace: None: it is no more than a process.
        cut: Whether its link is; the pretend platform hears nothing of it then.
    """

    name: str
    address: str
    namespace: str | None
    database: Relay
    redis: Relay
    cut: bool = False
    process: subprocess.Popen[bytes] | None = None

    def start(self, config: Path, environment: Mapping[str, str], log: Path) -> None:
        """Start `dripline worker` on it."""
        into = ("ip", "netns", "exec", self.namespace) if self.namespace else ()
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [*into, sys.executable, "-m", "bot", "worker", "--config", str(config)],
                env={**os.environ, **environment},  # noqa: TID251 — as a person's shell would
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def cut_link(self) -> None:
        """Pull its cable: nothing comes and nothing goes, and no connection is closed."""
        self.cut = True
        if self.namespace is not None:
            assert _ran("ip", "link", "set", _link(self.namespace), "down")
        self.database.flowing.clear()
        self.redis.flowing.clear()

    def die(self) -> None:
        """Lose power."""
        assert self.process is not None
        with suppress(psutil.NoSuchProcess):
            supervisor = psutil.Process(self.process.pid)
            for each in [supervisor, *supervisor.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    each.send_signal(signal.SIGKILL)

    async def stop(self) -> None:
        """Stop its worker in order, whatever is left of it."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            await asyncio.to_thread(self.process.wait, _STOP_S)
        except subprocess.TimeoutExpired:
            self.die()
            await asyncio.to_thread(self.process.wait)


@asynccontextmanager
async def host(
    place: int, *, namespaces: bool, postgres: str, redis: str
) -> AsyncIterator[tuple[Host, int, int]]:
    """Make a host; yields it and the ports at which it finds Postgres and Redis.

    Args:
        place: Tells hosts apart.
        namespaces: Whether it has a network of its own.
        postgres: The server's socket file.
        redis: As above.
    """
    address, theirs = ("127.0.0.1", "")
    namespace = None
    if namespaces:
        namespace = f"dl{os.getpid()}h{place}"
        address, theirs = f"10.203.{place}.1", f"10.203.{place}.2"
        _link_up(namespace, address, theirs)
    made = Host(f"host{place}", address, namespace, Relay(postgres), Relay(redis))
    try:
        async with (
            made.database.served(address) as postgres_port,
            made.redis.served(address) as redis_port,
        ):
            try:
                yield made, postgres_port, redis_port
            finally:
                made.database.flowing.set()
                made.redis.flowing.set()
                if made.cut:
                    made.die()
                await made.stop()
    finally:
        if namespace is not None:
            _ran("ip", "netns", "del", namespace)


def _link(namespace: str) -> str:
    return f"v{namespace}"


def _link_up(namespace: str, ours: str, theirs: str) -> None:
    link, inside = _link(namespace), ("ip", "-n", namespace)
    for command in (
        ("ip", "netns", "add", namespace),
        ("ip", "link", "add", link, "type", "veth", "peer", "name", "up0", "netns", namespace),
        ("ip", "addr", "add", f"{ours}/24", "dev", link),
        ("ip", "link", "set", link, "up"),
        (*inside, "link", "set", "lo", "up"),
        (*inside, "addr", "add", f"{theirs}/24", "dev", "up0"),
        (*inside, "link", "set", "up0", "up"),
    ):
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
