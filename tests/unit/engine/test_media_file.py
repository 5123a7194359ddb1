"""What a file is, told by its content."""

import pytest

from engine.content import MediaKind
from engine.media_file import MIB, FileType, NotTaken, check_size, file_type

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 16
JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 16
MP4 = b"\x00\x00\x00\x18ftypisom" + b"\x00" * 16
ZIP = b"PK\x03\x04" + b"\x00" * 16
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.mark.parametrize(
    ("head", "declared", "filename", "expected"),
    [
        (PNG, "image/png", "a.png", "image/png"),
        (PNG, "", "a", "image/png"),
        (PNG, "application/octet-stream", "a.bin", "image/png"),
        (JPEG, "image/jpg", "a.jpg", "image/jpeg"),
        (MP4, "video/mp4; codecs=avc1", "a.mp4", "video/mp4"),
        (b"\x00\x00\x00\x18ftypM4A \x00\x00", "audio/x-m4a", "a.m4a", "audio/mp4"),
        (b"\x00\x00\x00\x18ftyp3gp4\x00\x00", "", "a.3gp", "video/3gpp"),
        (b"OggS\x00", "", "a.ogg", "audio/ogg"),
        (b"ID3\x03", "audio/mp3", "a.mp3", "audio/mpeg"),
        (b"\xff\xf1\x50", "", "a.aac", "audio/aac"),
        (b"\xff\xfb\x90", "", "a.mp3", "audio/mpeg"),
        (b"#!AMR\n", "", "a.amr", "audio/amr"),
        (b"%PDF-1.7", "", "a.pdf", "application/pdf"),
        (ZIP, DOCX, "a.docx", DOCX),
        (ZIP, "application/zip", "a.docx", DOCX),
        (b"\xd0\xcf\x11\xe0\xa1", "", "a.xls", "application/vnd.ms-excel"),
        (b"RIFF\x00\x00\x00\x00WEBP", "image/webp", "a.webp", "image/webp"),
        ("Menü".encode(), "text/plain", "a.txt", "text/plain"),
        (b"x" * 511 + "ü".encode()[:1], "", "a.txt", "text/plain"),
    ],
)
def test_a_file_is_what_its_content_is(
    head: bytes, declared: str, filename: str, expected: str
) -> None:
    assert file_type(head=head, declared=declared, filename=filename).mimetype == expected


@pytest.mark.parametrize(
    ("head", "declared", "filename"),
    [
        (b"", "image/png", "a.png"),
        (PNG, "image/jpeg", "a.jpg"),
        (b"hello", "image/png", "a.png"),
        (b"<!DOCTYPE html><html>", "image/png", "a.png"),
        (b"<html>", "text/html", "a"),
        (b"hello", "text/html", "a.txt"),
        (b"<svg xmlns=", "image/svg+xml", "a.svg"),
        (ZIP, "application/zip", "a.zip"),
        (b"MZ\x90\x00\x03", "", "a.exe"),
        (b"GIF89a\x00", "image/gif", "a.gif"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic", "a.heic"),
    ],
)
def test_what_whatsapp_does_not_take_or_is_not_what_it_says_is_refused(
    head: bytes, declared: str, filename: str
) -> None:
    with pytest.raises(NotTaken):
        file_type(head=head, declared=declared, filename=filename)


@pytest.mark.parametrize(
    ("kind", "limit"),
    [
        (MediaKind.IMAGE, 5 * MIB),
        (MediaKind.VIDEO, 16 * MIB),
        (MediaKind.AUDIO, 16 * MIB),
        (MediaKind.DOCUMENT, 100 * MIB),
        (MediaKind.STICKER, 500 * 1024),
    ],
)
def test_each_kind_has_its_own_limit(kind: MediaKind, limit: int) -> None:
    found = FileType(kind=kind, mimetype="x/y")

    check_size(found, limit, filename="a")
    with pytest.raises(NotTaken, match="make it smaller"):
        check_size(found, limit + 1, filename="a")
