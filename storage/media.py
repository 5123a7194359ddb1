"""The media library: files by name, their bytes, and the platform's ids for them on each number."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from engine.content import MediaKind
from engine.ids import BlobId, MediaId, MessageId, NumberId
from engine.media_file import LIVES_DAYS, FileType
from engine.media_ports import LibraryFile
from engine.names import folded
from storage import audit, blobs, effects
from storage.database import Unit
from storage.queries import load

_SQL = load("media")

RENEWED_AFTER: Final = timedelta(days=25)
"""An id in use is replaced then, well before the platform forgets it."""

ALIVE_FOR: Final = timedelta(days=LIVES_DAYS - 1)
"""An id is not used for longer: what is claimed with it has to leave, too."""

FRESH_FOR: Final = timedelta(hours=1)
"""Refused sooner than this after its upload, a file itself is the trouble and not its id's age."""


class StaffLibrary:
    """`engine.media_ports.Library`, of what *actor* does."""

    def __init__(self, unit: Unit, actor: str) -> None:
        self.unit = unit
        self.actor = actor

    async def file(self, name: str) -> LibraryFile | None:
        return await file(self.unit, name=name)

    async def names(self) -> list[str]:
        return await names(self.unit)

    async def add(
        self,
        *,
        name: str,
        filename: str,
        url: str | None,
        found: FileType | None,
        size: int | None,
        blob: BlobId | None,
    ) -> MediaId | None:
        added: MediaId | None = await self.unit.value(
            _SQL["add"],
            name=name,
            name_key=folded(name),
            filename=filename,
            url=url,
            kind=found and found.kind.value,
            mimetype=found and found.mimetype,
            size=size,
            blob=blob,
            actor=self.actor,
        )
        if added is not None:
            if blob is not None:
                await self.unit.run(_SQL["keep_blob"], blob=blob)
            await self._note("media.add", added)
        return added

    async def lock(self, file: LibraryFile) -> None:
        await self.unit.row(_SQL["lock"], media=file.id)

    async def users(self, name: str) -> list[str]:
        return await users(self.unit, name=name)

    async def remove(self, file: LibraryFile) -> None:
        await self.unit.run(_SQL["remove"], media=file.id)
        if file.blob_id is not None:
            await blobs.delete(self.unit, blobs=[file.blob_id])
        await self._note("media.remove", file.id)

    async def _note(self, action: str, media: MediaId) -> None:
        await audit.note(self.unit, actor=self.actor, action=action, subject=f"media:{media}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """A file the worker is to fetch."""

    id: MediaId
    name: str
    filename: str
    source_url: str
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file the worker is to give to the platform for one of our numbers."""

    media_id: MediaId
    number_id: NumberId
    name: str
    mimetype: str
    size: int
    filename: str
    blob_id: BlobId


async def file(unit: Unit, *, name: str) -> LibraryFile | None:
    """Return a file by its name as names are compared, kept until this commits."""
    row = await unit.row(_SQL["file"], name_key=folded(name))
    return None if row is None else _file(row)


async def names(unit: Unit) -> list[str]:
    return [row["name"] for row in await unit.rows(_SQL["names"])]


async def listed(unit: Unit) -> list[LibraryFile]:
    """Return all files, by name."""
    return [_file(row) for row in await unit.rows(_SQL["listed"])]


async def users(unit: Unit, *, name: str) -> list[str]:
    """Return what uses a file, such as "the campaign Welcome"."""
    words = {"drip": "the campaign", "broadcast": "the broadcast"}
    return [
        f"{words.get(row['kind'], 'the ' + row['kind'])} {row['name']}"
        for row in await unit.rows(_SQL["users"], name=name)
    ]


async def take_fetch(unit: Unit, *, until: datetime) -> Fetch | None:
    """Take the next file to be fetched; nobody else takes it before *until*."""
    row = await unit.row(_SQL["take_fetch"], until=until)
    return None if row is None else Fetch(**dict(row))


async def fetched(
    unit: Unit, fetch: Fetch, *, found: FileType, filename: str, size: int, blob: BlobId
) -> None:
    """Put fetched bytes into the library; where the file was removed meanwhile they go."""
    row = await unit.row(
        _SQL["fetched"],
        media=fetch.id,
        kind=found.kind,
        mimetype=found.mimetype,
        size=size,
        filename=filename,
        blob=blob,
    )
    if row is None:
        await blobs.delete(unit, blobs=[blob])
        return
    await unit.run(_SQL["keep_blob"], blob=blob)
    await _tell(unit, fetch, kind="media_added", file_kind=found.kind.value)


async def not_fetched(unit: Unit, fetch: Fetch, *, why: str) -> None:
    """Forget a file that cannot be had, and tell who asked for it."""
    if await unit.run(_SQL["not_fetched"], media=fetch.id):
        await _tell(unit, fetch, kind="media_not_added", why=why)


async def _tell(unit: Unit, fetch: Fetch, *, kind: str, **facts: str) -> None:
    content = {"name": fetch.name, "by": fetch.created_by, "at": unit.at.isoformat(), **facts}
    await effects.tell_staff(unit, kind=kind, campaign=None, content=content)


async def ids(unit: Unit, *, number: NumberId, files: Collection[str]) -> Mapping[str, str | None]:
    """Return the platform's ids of files on *number*; None: there is none that lives.

    A file that is not in the library is not in the answer.
    """
    rows = await unit.rows(
        _SQL["ids"], number=number, names=sorted(files), alive_since=unit.at - ALIVE_FOR
    )
    return {row["name"]: row["platform_id"] for row in rows}


async def want(unit: Unit, *, number: NumberId, files: Collection[str]) -> None:
    """Ask the worker for ids of files on *number*."""
    await unit.run(_SQL["want"], number=number, names=sorted(files))


async def take_upload(unit: Unit, *, numbers: Sequence[NumberId], until: datetime) -> Upload | None:
    """Take the next file to be uploaded; nobody else takes it before *until*."""
    row = await unit.row(
        _SQL["take_upload"],
        numbers=list(numbers),
        until=until,
        renew_before=unit.at - RENEWED_AFTER,
    )
    return None if row is None else Upload(**dict(row))


async def uploaded(unit: Unit, upload: Upload, *, platform_id: str) -> None:
    await unit.run(
        _SQL["uploaded"],
        media=upload.media_id,
        number=upload.number_id,
        platform=platform_id,
    )


async def upload_refused(unit: Unit, upload: Upload, *, again: datetime, why: str) -> None:
    """Stop the campaigns that wait for a file the platform does not take; staff hear why.

    Args:
        again: Before that it is not tried again, also where its id grows old.
    """
    # Campaigns before ids, as a claim takes them.
    for row in await unit.rows(_SQL["campaigns_waiting"], name=upload.name):
        reason = f"WhatsApp does not take the file {upload.name}: {why}"
        await effects.close_campaign(unit, campaign=row["id"], until=None, why=reason)
    await unit.run(
        _SQL["upload_refused"],
        media=upload.media_id,
        number=upload.number_id,
        problem=why,
        again=again,
    )


async def upload_later(unit: Unit, upload: Upload, *, again: datetime) -> None:
    await unit.run(
        _SQL["upload_later"], media=upload.media_id, number=upload.number_id, again=again
    )


async def retire(unit: Unit, *, number: NumberId, platform_id: str) -> bool:
    """Ask for a new id instead of one the platform refused; False: it is as good as new."""
    row = await unit.row(
        _SQL["retire"], number=number, platform=platform_id, before=unit.at - FRESH_FOR
    )
    return row is not None


async def renew_of(unit: Unit, *, messages: Collection[MessageId]) -> frozenset[MessageId]:
    """Ask for new ids of files that failed after their messages were accepted.

    Returns the messages whose file gets, or has got, another id than the one they were sent with.
    """
    rows = await unit.rows(_SQL["renew_of"], ids=list(messages), fresh=FRESH_FOR)
    return frozenset(row["id"] for row in rows)


def _file(row: asyncpg.Record) -> LibraryFile:
    kind = row["kind"]
    return LibraryFile(**{**dict(row), "kind": kind and MediaKind(kind)})
