"""What a message says: a text, a template with its values, or a file; as kept in a step, as JSON.

Texts inside may still hold tokens (``{first_name|there}``); :func:`mapped` puts values in them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, assert_never


class MediaKind(StrEnum):
    IMAGE = "image"
    VIDEO = "video"
    DOCUMENT = "document"
    AUDIO = "audio"
    STICKER = "sticker"


WITH_CAPTION: Final = frozenset({MediaKind.IMAGE, MediaKind.VIDEO, MediaKind.DOCUMENT})
"""The kinds WhatsApp shows a caption with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRef:
    """A file on the platform, a link Meta fetches it from, or one of ours; exactly one of them.

    Attributes:
        id: Bound to the number it was uploaded for; lives 30 days.
        link: Public ``https://``; Meta keeps what it fetched for ten minutes.
        name: Of a file in the media library, which becomes an id when a message is claimed.
    """

    id: str | None = None
    link: str | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if sum(each is not None for each in (self.id, self.link, self.name)) != 1:
            raise ValueError("a media reference is an id, a link or a name")

    def __str__(self) -> str:
        """Write it as staff do after media= and header=."""
        return self.link or self.id or self.name or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A file, sent by itself or as the header of a template.

    Attributes:
        caption: Empty for none; a header has none.
        filename: What a document is called on the phone; None leaves it to WhatsApp.
    """

    kind: MediaKind
    ref: MediaRef
    caption: str = ""
    filename: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderText:
    """The value of a text header's only variable; ``name`` None in a positional template."""

    name: str | None
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlSuffix:
    """The end of a URL button's address; ``index`` counts all buttons of the template from 0."""

    index: int
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickReply:
    """What a tap on a button reports instead of the button's label."""

    index: int
    payload: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateMessage:
    """A template with everything its definition asks for.

    Attributes:
        parameters: Of the body: (``1``, value), (``2``, value) … in order for a positional
            template, (name, value) for a named one.
        quick_replies: Only buttons whose payload differs from their label.
    """

    name: str
    language: str
    parameters: tuple[tuple[str, str], ...] = ()
    header: Media | HeaderText | None = None
    url_suffix: UrlSuffix | None = None
    quick_replies: tuple[QuickReply, ...] = ()


Content = Text | TemplateMessage | Media


class UnreadableContent(ValueError):
    """The JSON is no content; it was not written by :func:`to_json` of this or an older version."""


def strings(content: Content) -> Iterator[str]:
    """Yield every text in which a token may stand."""
    match content:
        case Text():
            yield content.body
        case Media():
            yield from _strings_of(content)
        case TemplateMessage():
            yield from (value for _, value in content.parameters)
            match content.header:
                case Media() as media:
                    yield from _strings_of(media)
                case HeaderText(value=value):
                    yield value
                case None:
                    pass
            if content.url_suffix is not None:
                yield content.url_suffix.value
            yield from (reply.payload for reply in content.quick_replies)
        case _:
            assert_never(content)


def _strings_of(media: Media) -> Iterator[str]:
    yield from filter(None, (media.ref.link, media.caption, media.filename))


def mapped(content: Content, change: Callable[[str], str]) -> Content:
    """Return *content* with *change* applied to everything :func:`strings` yields."""
    match content:
        case Text():
            return Text(body=change(content.body))
        case Media():
            return _mapped_media(content, change)
        case TemplateMessage():
            suffix = content.url_suffix
            return TemplateMessage(
                name=content.name,
                language=content.language,
                parameters=tuple((key, change(value)) for key, value in content.parameters),
                header=_mapped_header(content.header, change),
                url_suffix=suffix and replace(suffix, value=change(suffix.value)),
                quick_replies=tuple(
                    replace(reply, payload=change(reply.payload)) for reply in content.quick_replies
                ),
            )
        case _:
            assert_never(content)


def _mapped_header(
    header: Media | HeaderText | None, change: Callable[[str], str]
) -> Media | HeaderText | None:
    match header:
        case Media():
            return _mapped_media(header, change)
        case HeaderText():
            return replace(header, value=change(header.value))
        case None:
            return None
        case _:
            assert_never(header)


def _mapped_media(media: Media, change: Callable[[str], str]) -> Media:
    link, filename = media.ref.link, media.filename
    return Media(
        kind=media.kind,
        ref=MediaRef(link=change(link)) if link else media.ref,
        caption=media.caption and change(media.caption),
        filename=filename and change(filename),
    )


def library_file(content: Content) -> str | None:
    """Return the name of the library's file a message sends; None: it sends none."""
    media = content.header if isinstance(content, TemplateMessage) else content
    return media.ref.name if isinstance(media, Media) else None


def with_file_id(content: Content, file_id: str) -> Content:
    """Return *content* with the platform's id for its file of the library."""
    match content:
        case Media():
            return replace(content, ref=MediaRef(id=file_id))
        case TemplateMessage(header=Media() as header):
            return replace(content, header=replace(header, ref=MediaRef(id=file_id)))
        case _:
            return content


def to_json(content: Content) -> dict[str, object]:
    """Return *content* for a jsonb column; what is at its default is left out."""
    match content:
        case Text():
            return {"type": "text", "body": content.body}
        case Media():
            return {"type": "media", **_media_json(content)}
        case TemplateMessage():
            return {"type": "template", **_template_json(content)}
        case _:
            assert_never(content)


def _media_json(media: Media) -> dict[str, object]:
    written = {
        "kind": media.kind.value,
        "id": media.ref.id,
        "link": media.ref.link,
        "media": media.ref.name,
        "caption": media.caption or None,
        "filename": media.filename,
    }
    return {key: value for key, value in written.items() if value is not None}


def _template_json(template: TemplateMessage) -> dict[str, object]:
    written: dict[str, object] = {"name": template.name, "language": template.language}
    if template.parameters:
        written["parameters"] = [list(pair) for pair in template.parameters]
    match template.header:
        case Media() as media:
            written["header"] = _media_json(media)
        case HeaderText(name=name, value=value):
            written["header"] = {"name": name, "value": value}
        case None:
            pass
    if template.url_suffix is not None:
        written["url"] = {"index": template.url_suffix.index, "value": template.url_suffix.value}
    if template.quick_replies:
        written["replies"] = [
            {"index": reply.index, "payload": reply.payload} for reply in template.quick_replies
        ]
    return written


def from_json(value: object) -> Content:
    """Return what :func:`to_json` wrote.

    Raises:
        UnreadableContent: It was not.
    """
    try:
        return _content(_object(value))
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableContent(f"no content: {error}") from error


def _content(written: Mapping[str, object]) -> Content:
    match written["type"]:
        case "text":
            return Text(body=_text(written["body"]))
        case "media":
            return _media(written)
        case "template":
            return TemplateMessage(
                name=_text(written["name"]),
                language=_text(written["language"]),
                parameters=tuple(map(_pair, _list(written.get("parameters", [])))),
                header=_header(written.get("header")),
                url_suffix=_url_suffix(written.get("url")),
                quick_replies=tuple(
                    QuickReply(index=_index(reply["index"]), payload=_text(reply["payload"]))
                    for reply in map(_object, _list(written.get("replies", [])))
                ),
            )
        case kind:
            raise ValueError(f"unknown type {kind!r}")


def _header(value: object) -> Media | HeaderText | None:
    if value is None:
        return None
    written = _object(value)
    if "kind" in written:
        return _media(written)
    name = written.get("name")
    return HeaderText(name=None if name is None else _text(name), value=_text(written["value"]))


def _url_suffix(value: object) -> UrlSuffix | None:
    if value is None:
        return None
    written = _object(value)
    return UrlSuffix(index=_index(written["index"]), value=_text(written["value"]))


def _media(written: Mapping[str, object]) -> Media:
    media_id, link, name, filename = (
        written.get(key) for key in ("id", "link", "media", "filename")
    )
    return Media(
        kind=MediaKind(_text(written["kind"])),
        ref=MediaRef(
            id=None if media_id is None else _text(media_id),
            link=None if link is None else _text(link),
            name=None if name is None else _text(name),
        ),
        caption=_text(written.get("caption", "")),
        filename=None if filename is None else _text(filename),
    )


def _pair(value: object) -> tuple[str, str]:
    key, filled = _list(value)
    return _text(key), _text(filled)


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError("an object was expected")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("a list was expected")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    return value


def _index(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError("a number was expected")
    return value
