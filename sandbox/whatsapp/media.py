"""Media of the pretend WhatsApp: what the business uploads and what contacts send."""

import hashlib
import secrets

from sandbox.state import State
from sandbox.wire import Json

# Source: Meta, "Supported media types"; sizes in bytes.
_MIB = 1024 * 1024
_LIVES_US = 30 * 24 * 3600 * 1_000_000
_LIMITS = {
    "image/jpeg": 5 * _MIB,
    "image/png": 5 * _MIB,
    "image/webp": _MIB // 2,
    **dict.fromkeys(("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"), 16 * _MIB),
    **dict.fromkeys(("video/mp4", "video/3gpp"), 16 * _MIB),
    **dict.fromkeys(
        (
            "text/plain",
            "application/pdf",
            "application/msword",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ),
        100 * _MIB,
    ),
}


class Library:
    """Files by media id; an id is bound to one number."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._known: dict[str, Json] = dict(state.records("wa_media"))

    def add(
        self, content: bytes, *, number: str, mime_type: str, filename: str | None, at_us: int = 0
    ) -> Json:
        """Keep a file and return what is known about it: ``{id, mime_type, sha256, …}``.

        *at_us*: when the business uploaded it, in microseconds of business time; 0: a contact did.
        """
        media = {
            "id": str(secrets.randbelow(9 * 10**14) + 10**14),
            "number": number,
            "mime_type": mime_type,
            "sha256": hashlib.sha256(content).hexdigest(),
            "file_size": len(content),
            "filename": filename,
            "at_us": at_us,
        }
        (self._state.files / str(media["id"])).write_bytes(content)
        self._known[str(media["id"])] = media
        self._state.keep("wa_media", str(media["id"]), media)
        return media

    def get(self, media_id: str) -> Json | None:
        return self._known.get(media_id)

    def belongs(self, media_id: str, *, number: str, at_us: int) -> bool:
        """Whether the id can be sent from *number* at that time: it lives 30 days."""
        media = self._known.get(media_id)
        return (
            media is not None
            and media["number"] == number
            and at_us - int(media.get("at_us", at_us)) < _LIVES_US
        )

    def content(self, media_id: str) -> bytes:
        """Return the file of a known media id."""
        return (self._state.files / str(media_id)).read_bytes()

    def remove(self, media_id: str) -> None:
        del self._known[media_id]
        self._state.keep("wa_media", media_id, None)


def limit_of(mime_type: str) -> int | None:
    """Return the most bytes a file of this type may have; None: not supported."""
    return _LIMITS.get(mime_type.partition(";")[0].strip().lower())
