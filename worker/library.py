"""The media library's work: files fetched by address, and given to WhatsApp for each number."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import IO, Final

import structlog

from engine import media_file
from engine.ids import BlobId, OrganizationId
from engine.media_address import NotFetched
from engine.media_file import HEAD, LARGEST, NotTaken, check_size, file_type
from storage import blobs, media
from storage.blobs import Blob, TooLarge
from storage.database import Unit
from storage.media import Fetch, Upload
from worker.context import Worker
from worker.fetching import STANDARD, Found, Policy, fetched
from worker.whatsapp.client import ManagementFailed

# What a killed process had begun goes on after this. Who takes longer does it twice, which is no
# harm: the later id or the earlier bytes count.
_ALONE: Final = timedelta(seconds=15)
_AGAIN: Final = timedelta(seconds=10)
_REFUSED_AGAIN: Final = timedelta(days=1)
_REFUSALS: Final = frozenset({100, 131009, 131051, 131052, 131053})
_IN_MEMORY: Final = 1024 * 1024

log = structlog.get_logger()


async def fetch_media(worker: Worker, organization: OrganizationId) -> bool:
    """Fetch the file that waits longest; return whether there was one."""
    return await _fetch(worker, organization, STANDARD)


async def _fetch(worker: Worker, organization: OrganizationId, policy: Policy) -> bool:
    at = worker.now()
    async with worker.database.owner_unit(organization, at) as unit:
        wanted = await media.take_fetch(unit, until=at + _ALONE)
    if wanted is None:
        return False
    try:
        async with fetched(wanted.source_url, policy=policy) as found:
            await _keep(worker, organization, wanted, found)
    except (NotFetched, NotTaken) as refused:
        async with worker.database.owner_unit(organization, worker.now()) as unit:
            await media.not_fetched(unit, wanted, why=str(refused))
        log.info("media.not_fetched", organization=organization, media=wanted.id)
    return True


async def _keep(worker: Worker, organization: OrganizationId, wanted: Fetch, found: Found) -> None:
    """Store what is fetched, once its beginning and its size say that WhatsApp takes it.

    Raises:
        NotTaken: It does not; nothing is stored.
    """
    head = bytearray()
    pieces = found.pieces
    rest: list[bytes] = []
    async for piece in pieces:
        rest.append(piece)
        head += piece[: HEAD - len(head)]
        if len(head) >= HEAD:
            break
    kind = file_type(head=bytes(head), declared=found.declared, filename=found.filename)
    if found.size is not None:
        check_size(kind, found.size, filename=found.filename)

    async def content() -> AsyncIterator[bytes]:
        for piece in rest:
            yield piece
        async for piece in pieces:
            yield piece

    blob: Blob
    try:
        blob = await blobs.write(
            worker.database,
            organization,
            worker.now(),
            name=found.filename,
            mimetype=kind.mimetype,
            content=content(),
            limit=media_file.limit_of(kind),
        )
    except TooLarge:
        check_size(kind, LARGEST + 1, filename=found.filename)
        raise
    async with worker.database.owner_unit(organization, worker.now()) as unit:
        await media.fetched(
            unit, wanted, found=kind, filename=found.filename, size=blob.size, blob=blob.id
        )
    log.info("media.fetched", organization=organization, media=wanted.id, size=blob.size)


async def upload_media(worker: Worker, organization: OrganizationId) -> bool:
    """Give WhatsApp the next file that a number needs an id of; return whether there was one."""
    at = worker.now()
    numbers = worker.rules[organization].number_ids
    async with worker.database.owner_unit(organization, at) as unit:
        wanted = await media.take_upload(unit, numbers=numbers, until=at + _ALONE)
    if wanted is None:
        return False
    try:
        platform_id = await _upload(worker, organization, wanted)
    except ManagementFailed as failed:
        await _not_uploaded(worker, organization, wanted, failed)
        return True
    async with worker.database.owner_unit(organization, worker.now()) as unit:
        await media.uploaded(unit, wanted, platform_id=platform_id)
    log.info("media.uploaded", organization=organization, media=wanted.media_id)
    return True


@asynccontextmanager
async def spooled(
    worker: Worker, organization: OrganizationId, blob: BlobId
) -> AsyncIterator[IO[bytes]]:
    """Open the bytes of a blob as a file, at its beginning; a large one lies on the disk."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        async for piece in blobs.read(worker.database, organization, worker.now(), blob=blob):
            await asyncio.to_thread(file.write, piece)
        file.seek(0)
        yield file


async def _upload(worker: Worker, organization: OrganizationId, wanted: Upload) -> str:
    async with spooled(worker, organization, wanted.blob_id) as file:
        return await worker.apis[organization].upload(
            wanted.number_id, file, filename=wanted.filename, mimetype=wanted.mimetype
        )


async def _not_uploaded(
    worker: Worker, organization: OrganizationId, wanted: Upload, failed: ManagementFailed
) -> None:
    refused = failed.refused
    final = refused is not None and refused.code in _REFUSALS
    why = (refused and (refused.details or refused.title)) or str(failed)

    async def note(unit: Unit) -> None:
        if final:
            await media.upload_refused(unit, wanted, again=unit.at + _REFUSED_AGAIN, why=why)
        else:
            await media.upload_later(unit, wanted, again=unit.at + _AGAIN)

    await worker.database.run(organization, worker.now(), note, owner=True)
    log.warning(
        "media.not_uploaded",
        organization=organization,
        media=wanted.media_id,
        final=final,
        code=refused.code if refused else None,
    )
