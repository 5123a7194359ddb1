"""Templates and files: what a message says."""

import re
from typing import Final

from bot.slack.declare import Kind, Wrong
from bot.slack.kinds.base import Off, none_of
from bot.slack.kinds.texts import read_line
from engine import (
    names,
)
from engine.content import MediaRef
from engine.template_draft import DraftButton
from engine.templates import ButtonKind, Category


def _draft_name(text: str) -> str | Wrong:
    written = text.strip().lower()
    if not _DRAFT_NAME.fullmatch(written):
        return Wrong(must_be="small letters, digits and underscores, like spring_sale")
    return written


def _category(text: str) -> Category | Wrong:
    try:
        found = Category(text.strip().upper())
    except ValueError:
        return none_of(text, ("marketing", "utility"))
    return none_of(text, ("marketing", "utility")) if found is Category.UNKNOWN else found


def _button(text: str) -> DraftButton | Off | Wrong:
    """Read ``Label``, ``Label|https://…`` or ``Label|+31…``."""
    if text.strip().lower() == Off.OFF.value:
        return Off.OFF
    label, bar, target = (part.strip() for part in text.partition("|"))
    if not names.cleaned(label) or (bar and not target) or len(text) > _LONGEST_LINK:
        return Wrong(must_be='a label, "Label|https://shop.example/" or "Label|+31201234567"')
    if not bar:
        return DraftButton(kind=ButtonKind.QUICK_REPLY, label=label)
    kind = ButtonKind.PHONE_NUMBER if _CALLED.fullmatch(target) else ButtonKind.URL
    called = re.sub(r"[\s().-]", "", target) if kind is ButtonKind.PHONE_NUMBER else target
    return DraftButton(kind=kind, label=label, target=called)


def _media(text: str) -> MediaRef | Wrong:
    if _LINK.fullmatch(text) and len(text) <= _LONGEST_LINK:
        return MediaRef(link=text)
    try:
        name = names.campaign(text)
    except names.InvalidName:
        name = "://"
    if "://" in name or name.isdigit():
        return Wrong(must_be="a file of the media library, or a link that begins with https://")
    return MediaRef(name=name)


def _template_or_off(text: str) -> str | Off | Wrong:
    return Off.OFF if text.strip().lower() == Off.OFF.value else read_line(text)


def _show_or_off(value: str | Off) -> str:
    return value.value if isinstance(value, Off) else value


_DRAFT_NAME: Final = re.compile(r"[a-z0-9_]{1,512}")
_CALLED: Final = re.compile(r"\+[0-9][0-9 ().-]{5,30}")
_LONGEST_LINK: Final = 2_000
_LINK: Final = re.compile(r"https://[^\s<>\"]+\.[^\s<>\"]+")
DRAFT_NAME: Final[Kind[str]] = Kind(shape="name", read=_draft_name)
CATEGORY: Final[Kind[Category]] = Kind(
    shape="marketing|utility", read=_category, show=lambda value: value.value.lower()
)
BUTTON: Final[Kind[DraftButton | Off]] = Kind(shape='"label|target"|off', read=_button)
TEMPLATE: Final[Kind[str]] = Kind(shape="name", read=read_line)
FALLBACK: Final[Kind[str | Off]] = Kind(
    shape="template|off", read=_template_or_off, show=_show_or_off
)
MEDIA: Final[Kind[MediaRef]] = Kind(shape="name|link", read=_media)
