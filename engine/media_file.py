"""What WhatsApp takes as a file: which types, how large, told by content and not by name."""

import re
from dataclasses import dataclass
from typing import Final

from engine.content import MediaKind
from engine.refusal import Refusal

MIB: Final = 1024 * 1024
HEAD: Final = 512
"""Bytes of the beginning that tell what a file is."""

LARGEST: Final = 100 * MIB
"""No kind takes more."""

LIVES_DAYS: Final = 30
"""How long an uploaded file keeps its id. Source: Meta, "Media"."""

_LIMITS: Final = {
    MediaKind.IMAGE: 5 * MIB,
    MediaKind.VIDEO: 16 * MIB,
    MediaKind.AUDIO: 16 * MIB,
    MediaKind.DOCUMENT: LARGEST,
    MediaKind.STICKER: 500 * 1024,
}
# Source: Meta, "Supported media types".
_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_TYPES: Final = {
    "image/jpeg": (MediaKind.IMAGE, "jpg"),
    "image/png": (MediaKind.IMAGE, "png"),
    "image/webp": (MediaKind.STICKER, "webp"),
    "video/mp4": (MediaKind.VIDEO, "mp4"),
    "video/3gpp": (MediaKind.VIDEO, "3gp"),
    "audio/aac": (MediaKind.AUDIO, "aac"),
    "audio/amr": (MediaKind.AUDIO, "amr"),
    "audio/mpeg": (MediaKind.AUDIO, "mp3"),
    "audio/mp4": (MediaKind.AUDIO, "m4a"),
    "audio/ogg": (MediaKind.AUDIO, "ogg"),
    "application/pdf": (MediaKind.DOCUMENT, "pdf"),
    "text/plain": (MediaKind.DOCUMENT, "txt"),
    "application/msword": (MediaKind.DOCUMENT, "doc"),
    "application/vnd.ms-excel": (MediaKind.DOCUMENT, "xls"),
    "application/vnd.ms-powerpoint": (MediaKind.DOCUMENT, "ppt"),
    f"{_OFFICE}wordprocessingml.document": (MediaKind.DOCUMENT, "docx"),
    f"{_OFFICE}spreadsheetml.sheet": (MediaKind.DOCUMENT, "xlsx"),
    f"{_OFFICE}presentationml.presentation": (MediaKind.DOCUMENT, "pptx"),
}
_BY_ENDING: Final = {ending: mimetype for mimetype, (_, ending) in _TYPES.items()} | {
    "jpeg": "image/jpeg",
    "csv": "text/plain",
}
_ZIPPED: Final = frozenset(t for t in _TYPES if t.startswith(_OFFICE))
_OLD_OFFICE: Final = frozenset(
    {"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"}
)
# What servers say that say nothing.
_ANY: Final = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_ALIKE: Final = {
    "image/jpg": "image/jpeg",
    "audio/mp3": "audio/mpeg",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "application/ogg": "audio/ogg",
    "text/csv": "text/plain",
    "text/markdown": "text/plain",
}


class NotTaken(Refusal):
    """WhatsApp would not take the file; the message says why and what would do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileType:
    """What a file is."""

    kind: MediaKind
    mimetype: str


def file_type(*, head: bytes, declared: str, filename: str) -> FileType:
    """Return what a file is by its content.

    Args:
        head: Its first HEAD bytes, or all of it.
        declared: The type somebody said it is; empty: nobody did.
        filename: Its ending tells documents apart whose contents begin alike.

    Raises:
        NotTaken: WhatsApp takes no such file, or it is not what it is said to be.
    """
    if not head:
        raise NotTaken(f"{filename!r} is empty.")
    said = declared.partition(";")[0].strip().lower()
    said = _ALIKE.get(said, said)
    ending = filename.rpartition(".")[2].lower() if "." in filename else ""
    found = _sniffed(head, said, _BY_ENDING.get(ending, ""))
    if found is None:
        raise NotTaken(
            f"{filename!r} is no file WhatsApp takes: {TAKEN}. Save it as one of those first."
        )
    if said not in _ANY and said != found and said in _TYPES:
        raise NotTaken(f"{filename!r} is said to be {said}, and its content is {found}.")
    if said.startswith("text/html"):
        raise NotTaken(f"{filename!r} is a web page: give the address of the file itself.")
    return FileType(kind=_TYPES[found][0], mimetype=found)


def limit_of(found: FileType) -> int:
    """Return how many bytes WhatsApp takes of such a file."""
    return _LIMITS[found.kind]


def check_size(found: FileType, size: int, *, filename: str) -> None:
    """Check that WhatsApp takes so many bytes of that kind.

    Raises:
        NotTaken: It does not.
    """
    limit = _LIMITS[found.kind]
    if size > limit:
        raise NotTaken(
            f"{filename!r} has {_megabytes(size)}, and WhatsApp takes {_megabytes(limit)} of"
            f" {_WORDS[found.kind]}: make it smaller."
        )


TAKEN: Final = (
    "images are JPEG or PNG, videos MP4 or 3GP, audio AAC, AMR, MP3, M4A or OGG, documents PDF,"
    " text, Word, Excel or PowerPoint, stickers WebP"
)
_WORDS: Final = {
    MediaKind.IMAGE: "an image",
    MediaKind.VIDEO: "a video",
    MediaKind.AUDIO: "audio",
    MediaKind.DOCUMENT: "a document",
    MediaKind.STICKER: "a sticker",
}


def _sniffed(head: bytes, said: str, by_ending: str) -> str | None:
    for beginning, mimetype in _BEGINNINGS:
        if head.startswith(beginning):
            return mimetype
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return _of_brand(head[8:12])
    if head.startswith(b"PK\x03\x04"):
        return next((each for each in (said, by_ending) if each in _ZIPPED), None)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return next((each for each in (said, by_ending) if each in _OLD_OFFICE), None)
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:  # noqa: PLR2004 — a frame's sync word
        return "audio/aac" if head[1] & 0x06 == 0 else "audio/mpeg"
    return "text/plain" if _is_text(head) else None


_BEGINNINGS: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
    (b"OggS", "audio/ogg"),
    (b"#!AMR", "audio/amr"),
    (b"ID3", "audio/mpeg"),
)


def _of_brand(brand: bytes) -> str | None:
    if brand.startswith(b"3g"):
        return "video/3gpp"
    if brand.startswith(b"M4A"):
        return "audio/mp4"
    return None if brand in {b"heic", b"mif1", b"avif", b"qt  "} else "video/mp4"


def _is_text(head: bytes) -> bool:
    if b"\x00" in head or _MARKUP.match(head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        # The head may end in the middle of a letter.
        return error.start > len(head) - 4 and len(head) >= HEAD
    return True


_MARKUP: Final = re.compile(rb"\s*<(?:!doctype|html|svg|\?xml)", re.IGNORECASE)


def _megabytes(size: int) -> str:
    if size < MIB:
        return f"{size / 1024:,.0f} KB"
    return f"{size / MIB:,.1f} MB".replace(".0 MB", " MB")
