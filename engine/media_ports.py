"""What the use cases about the media library need of storage."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.content import MediaKind
from engine.ids import BlobId, MediaId
from engine.media_file import FileType


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryFile:
    """A file of the media library.

    Attributes:
        blob_id: Where its bytes are; None, like kind and mimetype: it is being fetched.
        source_url: Where it came from; None: somebody uploaded it.
    """

    id: MediaId
    name: str
    kind: MediaKind | None
    mimetype: str | None
    size: int | None
    filename: str
    blob_id: BlobId | None
    source_url: str | None
    created_at: datetime
    created_by: str


class Library(Protocol):
    """The media library, as one member of the staff changes it."""

    async def file(self, name: str) -> LibraryFile | None:
        """Return a file by its name in any case, kept from being removed until this commits."""
        ...

    async def names(self) -> Sequence[str]: ...

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
        """Add a file, or, with *url* alone, what the worker fetches; None: the name is taken."""
        ...

    async def lock(self, file: LibraryFile) -> None:
        """Keep others from beginning to use a file until this commits."""
        ...

    async def users(self, name: str) -> Sequence[str]:
        """Return what still needs a file, as staff call it."""
        ...

    async def remove(self, file: LibraryFile) -> None:
        """Remove a file with its bytes."""
        ...
