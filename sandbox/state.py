"""What the pretend platforms remember between starts: records by kind and key, in SQLite."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import orjson

from sandbox.wire import Json

_SCHEMA = """
create table if not exists records (
    kind text not null, key text not null, body blob not null, primary key (kind, key)
) without rowid
"""
_PAUSE = 0.25  # seconds between two writes: what a killed sandbox forgets at most


class State:
    """Records kept in a folder. Changes are gathered and written a few times a second.

    A record is read when it is written, so that a value changed many times in between is
    written once; it may be a dataclass or plain JSON. ``None`` deletes the record.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.files = folder / "files"
        self.files.mkdir(exist_ok=True)
        self._database = sqlite3.connect(
            folder / "state.sqlite3", isolation_level=None, check_same_thread=False
        )
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = off")
        self._database.execute(_SCHEMA)
        self._changed: dict[tuple[str, str], object] = {}
        self._writer: asyncio.Task[None] | None = None
        self._under_way: asyncio.Task[None] | None = None

    def records(self, kind: str) -> Iterator[tuple[str, Json]]:
        """Every record of *kind* as it was kept, in the order of the keys as text."""
        rows = self._database.execute(
            "select key, body from records where kind = ? order by key", (kind,)
        )
        for key, body in rows:
            yield key, orjson.loads(body)

    def keep(self, kind: str, key: str, body: object) -> None:
        """Write *body*, as it is then, at the next opportunity; None deletes the record."""
        self._changed[kind, key] = body

    def start(self) -> None:
        self._writer = asyncio.create_task(self._write_repeatedly())

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.cancel()
            with suppress(asyncio.CancelledError):
                await self._writer
        if self._under_way is not None:
            await self._under_way
        self._write(self._take())
        self._database.close()

    async def _write_repeatedly(self) -> None:
        while True:
            await asyncio.sleep(_PAUSE)
            if self._changed:
                writing = asyncio.to_thread(self._write, self._take())
                self._under_way = asyncio.create_task(writing)
                # Shielded: a write cut off in the middle would lose what was taken from memory.
                await asyncio.shield(self._under_way)

    def _take(self) -> list[tuple[str, str, bytes | None]]:
        changed, self._changed = self._changed, {}
        taken = []
        for (kind, key), body in changed.items():
            taken.append((kind, key, None if body is None else orjson.dumps(body)))
        return taken

    def _write(self, taken: list[tuple[str, str, bytes | None]]) -> None:
        database = self._database
        database.execute("begin")
        database.executemany(
            "insert or replace into records values (?, ?, ?)",
            [row for row in taken if row[2] is not None],
        )
        database.executemany(
            "delete from records where kind = ? and key = ?",
            [row[:2] for row in taken if row[2] is None],
        )
        database.execute("commit")
