"""Who is meant: tags, phones, a <who>, a segment's definition."""

import re
from typing import Final

from bot.slack.declare import Kind, Wrong
from bot.slack.kinds.base import goes_on_listed, parts_of, read_by
from bot.slack.kinds.texts import read_line
from engine import (
    countries,
    names,
    phone,
)
from engine.who import EXPECTED


def _email(text: str) -> str | Wrong:
    return text if _EMAIL.fullmatch(text) else Wrong(must_be="an address like ada@example.com")


def _language(text: str) -> str | Wrong:
    found = _LANGUAGE.fullmatch(text.strip())
    if found is None:
        return Wrong(must_be="a language code like en, en_US or pt_BR")
    language, region = found.groups()
    return language.lower() + (f"_{region.upper()}" if region else "")


def _tags(text: str) -> tuple[str, ...] | Wrong:
    listed = [tag.strip() for tag in parts_of(text)]
    if not listed or not all(listed):
        return Wrong(must_be="tags with commas between them, like vip,lead")
    try:
        return tuple(dict.fromkeys(names.tag(tag) for tag in listed))
    except names.InvalidName:
        return Wrong(must_be=f"tags of at most {names.LONGEST_TAG} characters, like vip,lead")


def _who(text: str) -> str | Wrong:
    return text if names.cleaned(text.replace('"', "")) else Wrong(must_be=EXPECTED)


def _definition(text: str) -> str | Wrong:
    return text if text.strip() else Wrong(must_be="conditions such as tag:lead and city is Paris")


def _country_goes_on(so_far: str, following: str) -> bool:
    # A name has spaces, and nobody quotes it.
    return countries.begins_name(f"{so_far} {following}")


def _dialled(so_far: str, following: str) -> bool:
    return bool(_DIALLED.fullmatch(so_far) and _DIALLED.fullmatch(following))


def _who_goes_on(so_far: str, following: str) -> bool:
    return goes_on_listed(so_far, following) or _dialled(so_far.rpartition(",")[2], following)


_EMAIL: Final = re.compile(r"[^@\s<>\",]{1,64}@[^@\s<>\",]{1,189}\.[^@\s<>\",.]{2,63}")
_LANGUAGE: Final = re.compile(r"([A-Za-z]{2,3})(?:[_-]([A-Za-z]{2}))?")
_DIALLED: Final = re.compile(r"\s*\+?[0-9()./ -]+")
TAG: Final[Kind[str]] = Kind(shape="tag", read=read_by(names.tag, "one tag, like vip"))
TAGS: Final[Kind[tuple[str, ...]]] = Kind(
    shape="tag,tag", read=_tags, show=", ".join, raw=True, goes_on=goes_on_listed
)
EMAIL: Final[Kind[str]] = Kind(shape="address", read=_email)
LANGUAGE: Final[Kind[str]] = Kind(shape="en_US", read=_language)
OWN_NUMBER: Final[Kind[phone.Phone]] = Kind(
    shape="phone",
    read=read_by(phone.own, "one of our numbers, like +15550001111"),
    goes_on=_dialled,
)
COUNTRY: Final[Kind[countries.Country]] = Kind(
    shape="country",
    read=read_by(countries.country, "two letters or an English name, like NL"),
    goes_on=_country_goes_on,
)
# A contact's number needs the organization's country to be read, and a <who> its contacts;
# both stay as written, and so do their quotes in a <who>.
PHONE: Final[Kind[str]] = Kind(shape="phone", read=read_line, goes_on=_dialled)
# Quotes in a definition are its own, and so are words such as age=18.
DEFINITION: Final[Kind[str]] = Kind(shape="definition", read=_definition, raw=True, equals=True)
WHO: Final[Kind[str]] = Kind(shape="who", read=_who, raw=True, goes_on=_who_goes_on)
