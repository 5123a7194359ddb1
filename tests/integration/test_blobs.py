"""Files come back as they were stored, and go when their time is over."""

import os
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from storage import blobs
from storage.database import Database
from tests.database import ACME, GLOBEX, NOON


async def _written(database: Database, content: bytes) -> blobs.Blob:
    return await blobs.write(
        database, ACME, NOON, name="people.csv", mimetype="text/csv", content=content
    )


async def _content(database: Database, blob: blobs.Blob) -> bytes:
    return b"".join([piece async for piece in blobs.read(database, ACME, NOON, blob=blob.id)])


async def _rows(database: Database, table: str) -> int:
    count: int = await database.pool.fetchval(f"select count(*) from {table}")  # noqa: S608 — ours
    return count


@pytest.mark.parametrize(
    "size",
    [0, 1, blobs.CHUNK - 1, blobs.CHUNK, blobs.CHUNK + 1, 3 * blobs.CHUNK + 17],
)
async def test_what_was_written_is_read(database: Database, size: int) -> None:
    content = os.urandom(size)

    blob = await _written(database, content)

    async with database.unit(ACME, NOON) as unit:
        assert await blobs.find(unit, blob=blob.id) == blob
    assert blob.size == size
    assert await _content(database, blob) == content


async def test_pieces_of_any_size_become_chunks(database: Database) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(400):
            yield bytes([number % 256]) * 7_001

    blob = await blobs.write(
        database, ACME, NOON, name="f", mimetype="application/octet-stream", content=pieces()
    )

    assert await _content(database, blob) == b"".join(
        bytes([number % 256]) * 7_001 for number in range(400)
    )
    assert await _rows(database, "blob_chunks") == 3


async def test_more_than_the_limit_leaves_nothing_behind(database: Database) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 100_000

    with pytest.raises(blobs.TooLarge):
        await blobs.write(
            database,
            ACME,
            NOON,
            name="f",
            mimetype="text/csv",
            content=pieces(),
            limit=2 * blobs.CHUNK,
        )

    assert await _rows(database, "blobs") == 0
    assert await _rows(database, "blob_chunks") == 0


async def test_a_file_grows_by_appending(database: Database) -> None:
    async with database.owner_unit(ACME, NOON) as unit:
        blob = await blobs.create(unit, name="verdicts.csv", mimetype="text/csv")
        await blobs.append(unit, blob, b"one,")
    async with database.owner_unit(ACME, NOON) as unit:
        await blobs.append(unit, blob, b"two" * blobs.CHUNK)
        found = await blobs.find(unit, blob=blob)

    assert found is not None
    assert found.size == 4 + 3 * blobs.CHUNK
    assert await _content(database, found) == b"one," + b"two" * blobs.CHUNK


async def test_another_organization_reads_nothing(database: Database) -> None:
    blob = await _written(database, b"secret")

    assert [piece async for piece in blobs.read(database, GLOBEX, NOON, blob=blob.id)] == []


async def test_files_expire_after_seven_days_unless_kept(database: Database) -> None:
    old = await _written(database, b"old")
    async with database.unit(ACME, NOON) as unit:
        await blobs.create(unit, name="logo.png", mimetype="image/png", keep=True)
    async with database.unit(ACME, NOON + timedelta(days=7)) as unit:
        assert await blobs.expired(unit, limit=10) == []
    async with database.unit(ACME, NOON + timedelta(days=7, seconds=1)) as unit:
        assert await blobs.expired(unit, limit=10) == [old.id]
        assert await blobs.delete(unit, blobs=[old.id]) == 1

    assert await _content(database, old) == b""
    assert await _rows(database, "blobs") == 1
