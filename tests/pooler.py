"""A pooler of transactions, as small as one can be: what PgBouncer does to sessions, it does too.

Every transaction of a client goes to the next session of the server in turn, so that nothing a
client leaves in a session is there the next time; what sessions tell between transactions is lost.
"""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit

_SSL, _CANCEL = 80877103, 80877102
_STARTUP = 196608


class Pooler:
    """Listens on a port of this machine.

    Attributes:
        url: For clients.
        transactions: How many went through, by session.
    """

    def __init__(self, server: str, *, sessions: int) -> None:
        parts = urlsplit(server)
        query = parse_qs(parts.query)
        self._socket = f"{query['host'][0]}/.s.PGSQL.{query['port'][0]}"
        self._user = parts.username or "dripline"
        self._database = parts.path.strip("/")
        self._count = sessions
        self._free: asyncio.Queue[tuple[int, asyncio.StreamReader, asyncio.StreamWriter]]
        self._free = asyncio.Queue()
        self._sessions: set[asyncio.StreamWriter] = set()
        self._clients: set[asyncio.Task[None]] = set()
        self._pending: dict[asyncio.StreamReader, asyncio.Task[tuple[bytes, bytes]]] = {}
        self._open_for_clients = True
        self.url = ""
        self.transactions: dict[int, int] = {}

    async def start(self) -> asyncio.Server:
        for number in range(self._count):
            self.transactions[number] = 0
            await self._open(number)
        listening = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        self.url = f"postgres://{self._user}@127.0.0.1:{port}/{self._database}"
        return listening

    async def _open(self, number: int) -> None:
        reader, writer = await asyncio.open_unix_connection(self._socket)
        self._sessions.add(writer)
        said = b"".join(
            each.encode() + b"\0"
            for each in ("user", self._user, "database", self._database, "timezone", "UTC", "")
        )
        writer.write(struct.pack("!ii", len(said) + 8, _STARTUP) + said)
        while (await _message(reader))[0] != b"Z":
            pass
        self._free.put_nowait((number, reader, writer))

    async def close(self) -> None:
        self._open_for_clients = False
        for task in self._clients:
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        for pending in self._pending.values():
            pending.cancel()
        # Also one that was being opened for a client that had just gone.
        for session in self._sessions:
            session.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            # Cancelled only by us, and asyncio would tell of it as of an error.
            with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            self._clients.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            length, code = struct.unpack("!ii", await reader.readexactly(8))
            await reader.readexactly(length - 8)
            if code == _CANCEL:
                return
            if code != _SSL:
                break
            writer.write(b"N")
        writer.write(_packed(b"R", struct.pack("!i", 0)))
        for name, value in (
            ("server_version", "16.0"),
            ("client_encoding", "UTF8"),
            ("TimeZone", "UTC"),
            ("integer_datetimes", "on"),
            ("standard_conforming_strings", "on"),
        ):
            writer.write(_packed(b"S", f"{name}\0{value}\0".encode()))
        writer.write(_packed(b"K", struct.pack("!ii", 1, 1)) + _packed(b"Z", b"I"))
        while True:
            pending = self._pending.pop(reader, None)
            first = await (_message(reader) if pending is None else pending)
            if first[0] == b"X" or not await self._transaction(first, reader, writer):
                return

    async def _transaction(
        self,
        first: tuple[bytes, bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Let the client have a session until its transaction ends; False: the client has gone."""
        number, from_server, to_server = await self._free.get()
        self.transactions[number] += 1
        ready_at, readies, status = 0, 0, b"I"
        unfinished = False  # an extended query without its Sync yet
        answer: asyncio.Task[tuple[bytes, bytes]] | None = None
        asked: asyncio.Task[tuple[bytes, bytes]] | None = None
        message: tuple[bytes, bytes] | None = first
        try:
            while True:
                if message is not None:
                    if message[0] == b"X":
                        return False
                    to_server.write(_packed(*message))
                    ready_at += message[0] in {b"Q", b"S"}
                    unfinished = message[0] not in {b"Q", b"S"}
                    message = None
                if answer is None:
                    answer = asyncio.create_task(_message(from_server))
                if asked is None:
                    asked = asyncio.create_task(_message(reader))
                await asyncio.wait((answer, asked), return_when=asyncio.FIRST_COMPLETED)
                if answer.done():
                    kind, content = answer.result()
                    answer = None
                    writer.write(_packed(kind, content))
                    if kind == b"Z":
                        readies, status = readies + 1, content
                over = readies == ready_at and status == b"I" and not unfinished
                if over and not asked.done():
                    self._pending[reader] = asked
                    asked = None
                    return True
                if asked.done():
                    message = asked.result()
                    asked = None
        finally:
            for task in (answer, asked):
                if task is not None and not task.done():
                    task.cancel()
            if status == b"I" and readies == ready_at and answer is None and not unfinished:
                self._free.put_nowait((number, from_server, to_server))
            else:
                # Given up amid a transaction: PgBouncer closes such a session, and so do we.
                to_server.close()
                self._sessions.discard(to_server)
                if self._open_for_clients:
                    await self._open(number)


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    kind = await reader.readexactly(1)
    (length,) = struct.unpack("!i", await reader.readexactly(4))
    return kind, await reader.readexactly(length - 4)


def _packed(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("!i", len(content) + 4) + content


@asynccontextmanager
async def pooler(server: str, *, sessions: int = 4) -> AsyncIterator[Pooler]:
    """Run one before the server at the URL *server*, until the block ends."""
    pooling = Pooler(server, sessions=sessions)
    listening = await pooling.start()
    try:
        yield pooling
    finally:
        listening.close()
        await pooling.close()
