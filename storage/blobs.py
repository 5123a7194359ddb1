"""Files in Postgres, in chunks of 1 MiB: how bot and worker hand them to each other."""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from engine.ids import BlobId, OrganizationId
from storage.database import Database, Unit
from storage.queries import load

CHUNK: Final = 1024 * 1024
"""Bytes of a chunk at most; a constraint says so too."""

KEPT_FOR: Final = timedelta(days=7)
"""After this a file may be deleted, unless it was made to be kept."""

_SQL = load("blobs")


class TooLarge(Exception):
    """There is more content than the caller allowed."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the content is larger than {limit:,} bytes")
        self.limit = limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """What is known of a file; *size* is bytes so far."""

    id: BlobId
    name: str
    mimetype: str
    size: int


async def create(unit: Unit, *, name: str, mimetype: str, keep: bool = False) -> BlobId:
    """Begin a file without content; *keep*: it never expires."""
    blob: BlobId = await unit.value(_SQL["create"], name=name, mimetype=mimetype, keep=keep)
    return blob


async def append(unit: Unit, blob: BlobId, content: bytes) -> None:
    """Add to a file, in this transaction; a file that is gone stays gone."""
    for start in range(0, len(content), CHUNK):
        await unit.run(_SQL["append"], blob=blob, content=content[start : start + CHUNK])


async def find(unit: Unit, *, blob: BlobId) -> Blob | None:
    row = await unit.row(_SQL["find"], blob=blob)
    return None if row is None else Blob(**dict(row))


async def delete(unit: Unit, *, blobs: Sequence[BlobId]) -> int:
    """Delete files with their content; return how many there were."""
    return await unit.run(_SQL["delete"], blobs=blobs)


async def expired(unit: Unit, *, limit: int) -> list[BlobId]:
    """Return files whose seven days are over."""
    rows = await unit.rows(_SQL["expired"], before=unit.at - KEPT_FOR, limit=limit)
    return [row["id"] for row in rows]


async def write(
    database: Database,
    organization: OrganizationId,
    at: datetime,
    *,
    name: str,
    mimetype: str,
    content: bytes | AsyncIterable[bytes],
    limit: int | None = None,
) -> Blob:
    """Store a file, each chunk in a transaction of its own: content may come slowly.

    Args:
        content: Pieces of any size.
        limit: Bytes at most; None: no limit.

    Raises:
        TooLarge: There was more. What had been stored is deleted, as after any other failure.
    """
    async with database.unit(organization, at) as unit:
        blob = await create(unit, name=name, mimetype=mimetype)
    size = 0
    try:
        async for chunk in _chunks(_limited(_pieces(content), limit)):
            size += len(chunk)
            async with database.unit(organization, at) as unit:
                await append(unit, blob, chunk)
    except BaseException:
        async with database.unit(organization, at) as unit:
            await delete(unit, blobs=[blob])
        raise
    return Blob(id=blob, name=name, mimetype=mimetype, size=size)


async def read(
    database: Database, organization: OrganizationId, at: datetime, *, blob: BlobId
) -> AsyncIterator[bytes]:
    """Yield a file's chunks, each read in a transaction of its own; nothing if there is none."""
    position = -1
    while True:
        async with database.unit(organization, at) as unit:
            row = await unit.row(_SQL["chunk"], blob=blob, after=position)
        if row is None:
            return
        position = row["position"]
        yield row["content"]


async def _pieces(content: bytes | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    async for piece in content:
        yield piece


async def _limited(pieces: AsyncIterable[bytes], limit: int | None) -> AsyncIterator[bytes]:
    size = 0
    async for piece in pieces:
        size += len(piece)
        if limit is not None and size > limit:
            raise TooLarge(limit)
        yield piece


async def _chunks(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Yield the same bytes in pieces of CHUNK, the last one shorter."""
    waiting = bytearray()
    async for piece in pieces:
        waiting += piece
        while len(waiting) >= CHUNK:
            yield bytes(waiting[:CHUNK])
            del waiting[:CHUNK]
    if waiting:
        yield bytes(waiting)
