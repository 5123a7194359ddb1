"""Message templates as Meta defines them: what they ask for, and what a person reads.

Identity is name and language. Whether variables are numbered or named is the template's property,
and a message must follow it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

from engine.content import HeaderText, Media, MediaKind, MediaRef, TemplateMessage, UrlSuffix
from engine.personalise import clean_parameter


class Category(StrEnum):
    MARKETING = "MARKETING"
    UTILITY = "UTILITY"
    AUTHENTICATION = "AUTHENTICATION"
    UNKNOWN = "UNKNOWN"


class Status(StrEnum):
    """Only APPROVED can be sent."""

    APPROVED = "APPROVED"
    PENDING = "PENDING"
    REJECTED = "REJECTED"
    PAUSED = "PAUSED"
    DISABLED = "DISABLED"
    IN_APPEAL = "IN_APPEAL"
    FLAGGED = "FLAGGED"
    REINSTATED = "REINSTATED"
    LOCKED = "LOCKED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    PENDING_DELETION = "PENDING_DELETION"
    DELETED = "DELETED"
    ARCHIVED = "ARCHIVED"
    UNARCHIVED = "UNARCHIVED"
    UNKNOWN = "UNKNOWN"


class HeaderFormat(Enum):
    TEXT = "TEXT"
    IMAGE = "IMAGE"
    VIDEO = "VIDEO"
    DOCUMENT = "DOCUMENT"
    LOCATION = "LOCATION"
    GIF = "GIF"
    UNKNOWN = "UNKNOWN"


class ButtonKind(Enum):
    QUICK_REPLY = "QUICK_REPLY"
    URL = "URL"
    PHONE_NUMBER = "PHONE_NUMBER"
    COPY_CODE = "COPY_CODE"
    FLOW = "FLOW"
    OTP = "OTP"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """``text`` and ``parameters`` of a text header only, which has one variable at most."""

    format: HeaderFormat
    text: str
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button, in the place it has among all of them.

    Attributes:
        url: As defined, with ``{{1}}`` at its end if a message must give the suffix.
    """

    kind: ButtonKind
    label: str
    url: str | None

    @property
    def takes_suffix(self) -> bool:
        return self.url is not None and _VARIABLE.search(self.url) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One template in one language.

    Attributes:
        status: ``status_name`` is as Meta wrote it, also where we do not know it.
        quality: ``GREEN``, ``YELLOW``, ``RED`` or ``UNKNOWN``.
        named: Variables have names; else they are numbered from 1.
        parameters: Of the body, in order of first appearance.
        others: Types of components we know nothing of (``CAROUSEL``).
        raw: The item of Meta's list, JSON.
    """

    id: str
    name: str
    language: str
    category: Category
    status: Status
    status_name: str
    quality: str
    named: bool
    header: Header | None
    body: str
    parameters: tuple[str, ...]
    footer: str
    buttons: tuple[Button, ...]
    others: tuple[str, ...]
    raw: str

    @property
    def suffix_index(self) -> int | None:
        """The place among all buttons of the first URL that wants a suffix."""
        return next((i for i, b in enumerate(self.buttons) if b.takes_suffix), None)

    @property
    def header_media(self) -> MediaKind | None:
        """The kind of file each message must bring."""
        return None if self.header is None else _HEADER_MEDIA.get(self.header.format)

    @property
    def expected(self) -> tuple[str, ...]:
        """The names of all options a step gives for it, in the order they are shown."""
        return tuple(self._expected())

    def _expected(self) -> Iterator[str]:
        if self.header is not None and self.header.parameters:
            yield self.header.parameters[0] if self.named else HEADER
        if self.header_media is not None:
            yield HEADER
        yield from self.parameters
        if self.suffix_index is not None:
            yield URL


NO_FILES: Final[Mapping[str, MediaKind]] = {}
HEADER: Final = "header"
URL: Final = "url"
LONGEST_BODY: Final = 1024
LONGEST_HEADER: Final = 60
LONGEST_URL: Final = 2000

_VARIABLE: Final = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
_TOKEN: Final = re.compile(r"(?<!\\)\{")
_HEADER_MEDIA: Final = {
    HeaderFormat.IMAGE: MediaKind.IMAGE,
    HeaderFormat.VIDEO: MediaKind.VIDEO,
    HeaderFormat.GIF: MediaKind.VIDEO,
    HeaderFormat.DOCUMENT: MediaKind.DOCUMENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateProblem:
    """Why a template cannot be sent as asked.

    Attributes:
        option: The option it is about; None when it is the template itself.
        sentence: For staff; holds what they wrote, so it is not for logs.
    """

    option: str | None
    sentence: str


class TemplateNotFilled(ValueError):
    """The values do not fit the template."""

    def __init__(self, found: tuple[TemplateProblem, ...]) -> None:
        super().__init__(f"{len(found)} problems with the values of a template")
        self.problems = found


def variables(text: str) -> tuple[str, ...]:
    """Return the variables of a template's text, each once, in order of appearance.

    >>> variables("Hi {{first_name}}, your {{ product }}")
    ('first_name', 'product')
    """
    return tuple(dict.fromkeys(_VARIABLE.findall(text)))


def problems(
    template: Template, given: Mapping[str, str], files: Mapping[str, MediaKind] = NO_FILES
) -> tuple[TemplateProblem, ...]:
    """Return all that keeps *template* from being sent with *given*; empty if nothing does.

    Args:
        template: Its status is not judged here, only what it asks for.
        given: What staff wrote: by name, or ``1``, ``2``; ``url`` for a button's suffix; ``header``
            for a file's link or id, or for the text of a numbered header. Values may hold tokens,
            and then their length is not judged yet.
        files: The kinds of those files of the library that *given* names, by name.
    """
    return tuple(_problems(template, given, files))


def _problems(
    template: Template, given: Mapping[str, str], files: Mapping[str, MediaKind]
) -> Iterator[TemplateProblem]:
    yield from _unsupported(template)
    expected = template.expected
    for option in expected:
        if clean_parameter(given.get(option, "")) is None:
            yield TemplateProblem(
                option=option, sentence=f"{option}= is missing: {_wanted(template, option)}."
            )
    for option in given:
        if option not in expected:
            yield TemplateProblem(
                option=option,
                sentence=f"{option}= is not known to the template {template.name}, "
                f"which {_asks_for(template)}.",
            )
    if template.header_media is not None and clean_parameter(given.get(HEADER, "")) is not None:
        yield from _bad_file(template.header_media, given[HEADER], files)
    yield from _too_long(template, given)


def _unsupported(template: Template) -> Iterator[TemplateProblem]:
    """Yield what a step cannot give, so that WhatsApp would refuse every message."""
    if template.header is not None and template.header.format in _UNFILLABLE:
        yield TemplateProblem(
            option=None,
            sentence=f"The template {template.name} has a header of the kind "
            f"{template.header.format.value.lower()}, which cannot be filled from a step.",
        )
    if sum(button.takes_suffix for button in template.buttons) > 1:
        yield TemplateProblem(
            option=None,
            sentence=f"The template {template.name} has more than one link with a suffix, "
            "and a step can fill one.",
        )
    if template.others:
        yield TemplateProblem(
            option=None,
            sentence=f"The template {template.name} has parts that cannot be filled from a step: "
            f"{', '.join(template.others).lower()}.",
        )
    if any(button.kind is ButtonKind.OTP for button in template.buttons):
        yield TemplateProblem(
            option=None,
            sentence=f"The template {template.name} carries a one-time code, which a step has not.",
        )
    for option in sorted({HEADER, URL} & set(template.parameters)):
        if template.expected.count(option) > 1:
            yield TemplateProblem(
                option=None,
                sentence=f"The template {template.name} has a variable called {option} beside the"
                f" place that {option}= fills, and a step cannot tell them apart.",
            )
    if any(button.kind is ButtonKind.COPY_CODE for button in template.buttons):
        yield TemplateProblem(
            option=None,
            sentence=f"The template {template.name} has a button that copies a code, "
            "which cannot be filled from a step.",
        )


_UNFILLABLE: Final = frozenset({HeaderFormat.LOCATION, HeaderFormat.UNKNOWN})


def _wanted(template: Template, option: str) -> str:
    if option == URL:
        return "the end of the link behind its button"
    if option != HEADER:
        return f"the template {template.name} puts it into its text"
    if template.header_media is None:
        return "the template puts it into its header"
    return f"the template has a header of the kind {template.header_media}, " + _FILE


_FILE: Final = (
    "given as an https:// link, a file of the media library or the id of an uploaded file"
)


def _asks_for(template: Template) -> str:
    if not template.expected:
        return "takes no values: leave it out"
    return "takes " + ", ".join(f"{option}=" for option in template.expected)


def _bad_file(
    wanted: MediaKind, given: str, files: Mapping[str, MediaKind]
) -> Iterator[TemplateProblem]:
    ref = _file(given, files)
    if ref is None:
        yield TemplateProblem(
            option=HEADER, sentence=f"header= is no file: it must be {_FILE}, not {given!r}."
        )
    elif ref.name is not None and files[ref.name] is not wanted:
        yield TemplateProblem(
            option=HEADER,
            sentence=f"header= is a file of the kind {files[ref.name]}, and the template's header"
            f" shows one of the kind {wanted}.",
        )


def _file(given: str, files: Mapping[str, MediaKind]) -> MediaRef | None:
    given = given.strip()
    if given.startswith("https://"):
        return MediaRef(link=given)
    if given in files:
        return MediaRef(name=given)
    return MediaRef(id=given) if given.isascii() and given.isdigit() else None


def _too_long(template: Template, given: Mapping[str, str]) -> Iterator[TemplateProblem]:
    body = {option: given[option] for option in template.parameters if option in given}
    yield from _over(template.body, body, option=None, limit=LONGEST_BODY, where="text")
    if template.header is not None and template.header.parameters:
        option = template.header.parameters[0] if template.named else HEADER
        inside = {template.header.parameters[0]: given.get(option, "")}
        yield from _over(
            template.header.text, inside, option=option, limit=LONGEST_HEADER, where="header"
        )
    index = template.suffix_index
    if index is not None and URL in given:
        link = template.buttons[index].url or ""
        inside = dict.fromkeys(variables(link), given[URL])
        yield from _over(link, inside, option=URL, limit=LONGEST_URL, where="link")


def _over(
    text: str, values: Mapping[str, str], *, option: str | None, limit: int, where: str
) -> Iterator[TemplateProblem]:
    if any(_TOKEN.search(value) for value in values.values()):
        return  # how long it gets depends on the contact
    length = len(
        _filled(text, {name: clean_parameter(each) or "" for name, each in values.items()})
    )
    if length > limit:
        yield TemplateProblem(
            option=option,
            sentence=f"With its values the template's {where} has {length:,} characters, "
            f"and WhatsApp allows {limit:,}.",
        )


def filled(
    template: Template, given: Mapping[str, str], files: Mapping[str, MediaKind] = NO_FILES
) -> TemplateMessage:
    """Return the message for *given*, complete: a sender needs no definition of the template.

    Raises:
        TemplateNotFilled: With what :func:`problems` says.
    """
    found = problems(template, given, files)
    if found:
        raise TemplateNotFilled(found)
    index = template.suffix_index
    return TemplateMessage(
        name=template.name,
        language=template.language,
        parameters=tuple((option, given[option]) for option in _in_order(template)),
        header=_header(template, given, files),
        url_suffix=None if index is None else UrlSuffix(index=index, value=given[URL]),
    )


def _in_order(template: Template) -> tuple[str, ...]:
    """Return the body's variables as they must be sent: a positional template counts."""
    return template.parameters if template.named else tuple(sorted(template.parameters, key=int))


def _header(
    template: Template, given: Mapping[str, str], files: Mapping[str, MediaKind]
) -> Media | HeaderText | None:
    if template.header is None:
        return None
    kind = template.header_media
    if kind is not None:
        ref = _file(given[HEADER], files)
        return None if ref is None else Media(kind=kind, ref=ref)
    if not template.header.parameters:
        return None
    if template.named:
        name = template.header.parameters[0]
        return HeaderText(name=name, value=given[name])
    return HeaderText(name=None, value=given[HEADER])


def read(template: Template, values: Mapping[str, str]) -> str:
    """Return what the person reads: header, text and footer, an empty line between them.

    A value that is missing leaves its variable visible.

    Args:
        template: Its buttons are not part of what is read.
        values: As in :func:`problems`; further ones do no harm.
    """
    header = ""
    if template.header is not None and template.header.format is HeaderFormat.TEXT:
        inside = values
        if template.header.parameters and not template.named:
            inside = {template.header.parameters[0]: values[HEADER]} if HEADER in values else {}
        header = _filled(template.header.text, inside)
    parts = (header, _filled(template.body, values), template.footer)
    return "\n\n".join(part for part in parts if part)


def values_of(message: TemplateMessage) -> dict[str, str]:
    """Return the values of a message as :func:`read` and :func:`problems` take them."""
    values = dict(message.parameters)
    match message.header:
        case HeaderText(name=name, value=value):
            values[name or HEADER] = value
        case Media(ref=ref):
            values[HEADER] = str(ref)
        case None:
            pass
    if message.url_suffix is not None:
        values[URL] = message.url_suffix.value
    return values


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda variable: values.get(variable[1], variable[0]), text)
