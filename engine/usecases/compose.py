"""Compose: what staff wrote after text=, template= or media= becomes a step's content."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from engine import campaign_types, names, personalise, templates
from engine.campaign import Type
from engine.campaign_ports import Attributes, Templates
from engine.content import (
    WITH_CAPTION,
    Content,
    Media,
    MediaKind,
    MediaRef,
    TemplateMessage,
    Text,
    library_file,
    strings,
)
from engine.media_ports import LibraryFile
from engine.personalise import InvalidText
from engine.refusal import Refusal
from engine.templates import Status, Template, TemplateNotFilled

LONGEST_TEXT: Final = 4_096
LONGEST_CAPTION: Final = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What staff wrote; exactly one of text, template and media is there.

    Attributes:
        parameters: Of the template, in the order written.
    """

    text: str | None = None
    template: str | None = None
    language: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    media: MediaRef | None = None
    caption: str | None = None


class NoSuchTemplate(Refusal):
    """The platform listed no template of that name, or none in that language."""


class ManyLanguages(Refusal):
    """The template is there in several languages, and staff named none."""


class NoSuchMedia(Refusal):
    """The media library has no such file, or has not fetched it yet."""


class NotApproved(Refusal):
    """The platform would refuse every message of the template."""

    def __init__(self, template: Template) -> None:
        status = template.status_name.lower().replace("_", " ") or "unknown"
        super().__init__(
            f"The template {template.name} ({template.language}) is {status} at WhatsApp, and only"
            " approved ones can be sent. Once it is approved, run /drip template sync."
        )


class WrongCategory(Refusal):
    """Campaigns of that type send no templates of that category."""


class DoesNotFit(Refusal):
    """A text or a value is not what WhatsApp takes, or names what no contact has.

    Attributes:
        unknown: Those parameters that the template does not have.
    """

    def __init__(self, sentence: str, *, unknown: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.unknown = unknown


async def compose(*, wanted: Wanted, known: Templates, attributes: Attributes) -> Content:
    """Return the content, complete and within WhatsApp's limits.

    A template need not be approved yet: drafts are written while WhatsApp reviews.

    Raises:
        NoSuchTemplate, ManyLanguages, NoSuchMedia, DoesNotFit: It cannot be sent as written.
    """
    content = await _content(wanted, known)
    await _check_tokens(strings(content), attributes)
    return content


async def check_approved(
    *,
    type: Type | None,  # noqa: A002 — the campaign's word
    contents: Iterable[Content],
    known: Templates,
) -> None:
    """Check that WhatsApp takes every template of *contents* as it lists them now.

    Args:
        type: Of the campaign that sends them; None: no campaign does.

    Raises:
        NoSuchTemplate, NotApproved: One is gone or not approved.
        NoSuchMedia: A file is gone from the library.
        WrongCategory: One is not what campaigns of the type may send.
        DoesNotFit: One was changed and asks for something else.
    """
    for content in contents:
        name = library_file(content)
        if name is not None:
            await _library_file(name, known)
        if not isinstance(content, TemplateMessage):
            continue
        template = _in_language(content.name, await known.of_name(content.name), content.language)
        if template.status is not Status.APPROVED:
            raise NotApproved(template)
        objection = None if type is None else campaign_types.objection(type, template)
        if objection is not None:
            raise WrongCategory(objection)
        await _filled(template, templates.values_of(content), known)


async def _content(wanted: Wanted, known: Templates) -> Content:
    if wanted.text is not None:
        return _text(wanted.text)
    if wanted.media is not None:
        return await _media(wanted.media, wanted.caption or "", known)
    if wanted.template is None:
        raise DoesNotFit("A message needs text=, template= or media=.")
    template = await _template(wanted.template, wanted.language, known)
    return await _filled(template, dict(wanted.parameters), known)


def _text(body: str) -> Text:
    if len(body) > LONGEST_TEXT:
        raise DoesNotFit(
            f"The text has {len(body):,} characters, and WhatsApp takes {LONGEST_TEXT:,}."
        )
    return Text(body=body)


async def _media(ref: MediaRef, caption: str, known: Templates) -> Media:
    if ref.name is not None:
        file = await _library_file(ref.name, known)
        kind, ref, filename = file.kind, MediaRef(name=file.name), file.filename
    else:
        kind = _kind_of(ref.link or "")
        filename = urlsplit(ref.link or "").path.rpartition("/")[2]
    if kind is None:
        raise DoesNotFit(
            "What kind of file it is shows at the end of its link: write a link that ends in"
            f" {', '.join(f'.{ending}' for ending in _KINDS)}."
        )
    if caption and kind not in WITH_CAPTION:
        raise DoesNotFit(f"WhatsApp shows no caption with {kind.value}; leave caption= out.")
    if len(caption) > LONGEST_CAPTION:
        raise DoesNotFit(
            f"The caption has {len(caption):,} characters, and WhatsApp takes {LONGEST_CAPTION:,}."
        )
    return Media(
        kind=kind,
        ref=ref,
        caption=caption,
        filename=filename if kind is MediaKind.DOCUMENT else None,
    )


def _kind_of(link: str) -> MediaKind | None:
    return _KINDS.get(urlsplit(link).path.rpartition(".")[2].lower())


async def _library_file(name: str, known: Templates) -> LibraryFile:
    found = await known.file(name)
    if found is None:
        closest = names.closest(name, await known.file_names())
        meant = f" Did you mean {closest}?" if closest else ""
        raise NoSuchMedia(
            f"The media library has no file {names.echoed(name)}.{meant} /drip media list shows"
            " what there is, and a link that begins with https:// does as well."
        )
    if found.kind is None:
        raise NoSuchMedia(f"The file {found.name} is still being fetched: try again in a moment.")
    return found


# Source: Meta, "Supported media types". A sticker is the only use of webp.
_KINDS: Final = {
    "jpg": MediaKind.IMAGE,
    "jpeg": MediaKind.IMAGE,
    "png": MediaKind.IMAGE,
    "mp4": MediaKind.VIDEO,
    "3gp": MediaKind.VIDEO,
    "pdf": MediaKind.DOCUMENT,
    "docx": MediaKind.DOCUMENT,
    "xlsx": MediaKind.DOCUMENT,
    "pptx": MediaKind.DOCUMENT,
    "txt": MediaKind.DOCUMENT,
    "mp3": MediaKind.AUDIO,
    "m4a": MediaKind.AUDIO,
    "ogg": MediaKind.AUDIO,
    "webp": MediaKind.STICKER,
}


async def _template(name: str, language: str | None, known: Templates) -> Template:
    found = await known.of_name(name)
    if not found:
        closest = names.closest(name, await known.names())
        meant = f" Did you mean {closest}?" if closest else ""
        raise NoSuchTemplate(
            f"WhatsApp lists no template {names.echoed(name)}.{meant} /drip template list shows"
            " what there is, /drip template sync fetches it anew."
        )
    if language is None:
        if len(found) > 1:
            languages = ", ".join(template.language for template in found)
            raise ManyLanguages(
                f"The template {name} is there in {languages}: add"
                f" language={found[0].language}, or another of them."
            )
        return found[0]
    return _in_language(name, found, language)


def _in_language(name: str, found: tuple[Template, ...], language: str) -> Template:
    for template in found:
        if template.language.lower() == language.lower():
            return template
    there = ", ".join(template.language for template in found)
    only = (
        f"it is there in {there}; write language={found[0].language}"
        if found
        else "WhatsApp no longer lists it; /drip template list shows what there is"
    )
    raise NoSuchTemplate(f"There is no template {names.echoed(name)} in {language}: {only}.")


async def _filled(
    template: Template, given: Mapping[str, str], known: Templates
) -> TemplateMessage:
    files: dict[str, MediaKind] = {}
    header = given.get(templates.HEADER, "").strip()
    if template.header_media is not None and header and not header.startswith("https://"):
        file = await known.file(header)
        if file is None and not header.isdigit():
            await _library_file(header, known)
        if file is not None and file.kind is not None:
            files[file.name] = file.kind
            given = {**given, templates.HEADER: file.name}
    try:
        return templates.filled(template, given, files)
    except TemplateNotFilled as error:
        options = [each.option for each in error.problems if each.option is not None]
        raise DoesNotFit(
            " ".join(problem.sentence for problem in error.problems),
            unknown=tuple(each for each in options if each not in template.expected),
        ) from error


async def _check_tokens(texts: Iterable[str], attributes: Attributes) -> None:
    written = list(texts)
    try:
        tokens = {token.name for text in written for token in personalise.parse(text).tokens}
        # What all contacts have is looked up only for a token that is not built in.
        known = () if tokens <= set(personalise.BUILT_IN) else await attributes.names()
        for text in written:
            personalise.parse(text, known=known)
    except InvalidText as error:
        raise DoesNotFit(str(error)) from error
