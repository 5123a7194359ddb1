"""What one row of an audience file says of a person."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from engine import attributes, names, spreadsheet_safe
from engine.attributes import AttributeType, Form, Misfit
from engine.audience_headings import Columns, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What a file says of somebody; None and absence mean it says nothing.

    Attributes:
        tags: As tags are kept, in the file's order, each once.
        language: ``nl`` or ``en_US``.
        timezone: An IANA name.
        attributes: Names and values, as written until :func:`typed`; ``last_name`` is one of them.
    """

    name: str | None = None
    first_name: str | None = None
    company: str | None = None
    email: str | None = None
    language: str | None = None
    timezone: str | None = None
    tags: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()


UNKNOWN: Final = Person()  # nothing is said


def described(
    cells: Sequence[str], columns: Columns, *, whole_name: bool = True
) -> tuple[Person, tuple[str, ...]]:
    """Return the person, and a sentence for each value that was left out.

    Args:
        cells: One row.
        columns: What they mean.
        whole_name: Make the name of first and last name where no name is said.
    """
    said = {
        field: value(cells, places)
        for field, places in columns.fields.items()
        if field is not Field.PHONE
    }
    first, last = said.get(Field.FIRST_NAME, ""), said.get(Field.LAST_NAME, "")
    attributes = [
        (name, text) for name, place in columns.attributes if (text := value(cells, (place,)))
    ]
    if last:
        attributes.append(("last_name", last))
    notes: list[str] = []
    person = Person(
        name=said.get(Field.NAME) or (f"{first} {last}".strip() if whole_name else "") or None,
        first_name=first or None,
        company=said.get(Field.COMPANY) or None,
        email=_email(_first(said.get(Field.EMAIL, "")), notes),
        language=_language(said.get(Field.LANGUAGE, ""), notes),
        timezone=_timezone(said.get(Field.TIMEZONE, ""), notes),
        tags=_tags(said.get(Field.TAGS, ""), notes),
        attributes=tuple(attributes),
    )
    return person, tuple(notes)


def typed(
    person: Person, *, types: Mapping[str, AttributeType], forms: Mapping[str, Form]
) -> tuple[Person, tuple[str, ...]]:
    """Return the person with attributes as they are kept, and a sentence for each left out.

    Args:
        types: By name; what is not in it is text.
        forms: How values of an attribute are written; what is not in it is as kept already.
    """
    kept: list[tuple[str, str]] = []
    notes: list[str] = []
    for name, text in person.attributes:
        type_ = types.get(name, AttributeType.TEXT)
        try:
            form = forms.get(name, attributes.CANONICAL)
            kept.append((name, attributes.read(text, type_, form=form)))
        except Misfit as misfit:
            notes.append(f"{name} was left out: it {misfit}.")
    return replace(person, attributes=tuple(kept)), tuple(notes)


def phones(cells: Sequence[str], columns: Columns) -> list[str]:
    """Return what may be the phone of a row, the likeliest first, each on one clean line."""
    found: list[tuple[bool, str]] = []
    for place in columns.fields[Field.PHONE]:
        label = columns.labels.get(place)
        is_mobile = label is not None and _is_mobile(value(cells, (label,)))
        found += [(not is_mobile, each) for each in _several(value(cells, (place,)))]
    # A stable sort: mobile ones by their labels first, the rest in the order of the headings.
    return [each for _, each in sorted(found, key=lambda ranked: ranked[0])]


def region(cells: Sequence[str], columns: Columns) -> str | None:
    """Return the country (``NL``) that a row names for its phone; None: it names none."""
    written = value(cells, columns.fields.get(Field.REGION, ())).upper()
    return written if _REGION.fullmatch(written) else None


def value(cells: Sequence[str], places: tuple[int, ...]) -> str:
    """Return the first of these cells that says something, on one clean line; "" if none does."""
    for place in places:
        text = spreadsheet_safe.restored(cells[place]) if place < len(cells) else ""
        if text and (shown := names.cleaned(text)):
            return shown
    return ""


_SEVERAL: Final = ":::"  # as Google joins what one cell has several of
_TAG_SEPARATORS: Final = re.compile(rf"[,;|]|{_SEVERAL}")
_REGION: Final = re.compile(r"[A-Z]{2}")
_MOBILE: Final = (
    "mob",
    "cell",
    "handy",
    "cel",
    "movil",
    "portable",
    "whatsapp",
    "gsm",
    "hp",
    "cep",
)
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LANGUAGE: Final = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{2}|[A-Za-z]{4}))?")


def _several(written: str) -> list[str]:
    return [each for piece in written.split(_SEVERAL) if (each := piece.strip())]


def _first(written: str) -> str:
    several = _several(written)
    return several[0] if several else ""


def _is_mobile(label: str) -> bool:
    bare = unicodedata.normalize("NFKD", names.folded(label))
    return any(word in bare for word in _MOBILE)


def _email(written: str, notes: list[str]) -> str | None:
    if written and _EMAIL.fullmatch(written) is None:
        notes.append("The email address was left out: it is none.")
        return None
    return written or None


def _language(written: str, notes: list[str]) -> str | None:
    if not written:
        return None
    found = _LANGUAGE.fullmatch(written)
    if found is None:
        notes.append("The language was left out: write a code such as nl or en_US.")
        return None
    language, region = found.groups()
    if region is None:
        return language.lower()
    # A script (Hans) is titled, a country (US) is in capitals.
    return f"{language.lower()}_{region.title() if len(region) > len('US') else region.upper()}"


def _timezone(written: str, notes: list[str]) -> str | None:
    if written and not _is_zone(written):
        notes.append("The time zone was left out: write a name such as Europe/Amsterdam.")
        return None
    return written or None


@lru_cache(maxsize=1_024)
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # not a name, a folder or too long, no such zone
        return False
    return True


def _tags(written: str, notes: list[str]) -> tuple[str, ...]:
    tags: dict[str, None] = {}
    for piece in _TAG_SEPARATORS.split(written):
        if not piece.strip() or piece.strip().startswith("* "):
            continue  # Google's own groups have a star: "* myContacts"
        try:
            tags[names.tag(piece)] = None
        except names.InvalidName as error:
            notes.append(f"A tag was left out. {error}")
    return tuple(tags)
