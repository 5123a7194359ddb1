"""Characters that take no room on the screen: which of them change what is read, and which hide."""

import unicodedata
from typing import Final


def without(text: str) -> str:
    """Return *text* without what nobody sees: controls, marks of direction, fillers, stray joiners.

    A joiner stays where it shapes letters or holds an emoji together, and a variation selector
    where it turns a sign into an emoji; anywhere else two texts with and without it look the same.

    >>> without("Wel\u200dcome\ufe0f"), len(without("\u2764\ufe0f\u200d\U0001f525"))
    ('Welcome', 4)
    >>> len(without("\U0001fae9")), without("\ufffe\U000e0fff")  # an emoji of 2024; none
    (1, '')
    """
    return "".join(
        character
        for before, character, after in zip(("", *text), text, (*text[1:], ""), strict=False)
        if _is_seen(before, character, after)
    )


_NON_JOINER: Final = "\u200c"
_JOINER: Final = "\u200d"
_EMOJI_STYLE: Final = "\ufe0f"
_TEXT_STYLE: Final = "\ufe0e"
_KEYCAP: Final = "\u20e3"
_KEYS: Final = "0123456789#*"
_FILLERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5\u2800")
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co"})
_NEVER_SHOWN: Final = frozenset(
    (0x2065, *range(0xFDD0, 0xFDF0), *range(0xFFF0, 0xFFF9), *range(0xE0000, 0xE1000))
)
_VIRAMA: Final = 9  # the combining class of the signs that join consonants of Indian scripts
_FIRST_ARROW: Final = "\u2190"  # below it no sign but these is an emoji too
_EARLY_EMOJI: Final = "\u00a9\u00ae\u203c\u2049\u2122\u2139\u3030\u303d"


def _is_seen(before: str, character: str, after: str) -> bool:
    if character in (_JOINER, _NON_JOINER):
        return _joins(before, character, after)
    if character in (_EMOJI_STYLE, _TEXT_STYLE):
        return _may_be_emoji(before) or (bool(before) and before in _KEYS and after == _KEYCAP)
    if _is_selector(character):
        return False
    category = unicodedata.category(character)
    if category == "Cn":
        # Newer than our tables, like the emoji of each year, unless it will never be shown.
        return not _never_shown(ord(character))
    return category not in _HIDDEN and character not in _FILLERS


def _never_shown(code: int) -> bool:
    """Return whether a code without a character is kept free of visible ones.

    Source: Unicode, "Noncharacters" and Default_Ignorable_Code_Point.
    """
    return code in _NEVER_SHOWN or code & 0xFFFE == 0xFFFE  # noqa: PLR2004 — the last two of a plane


def _joins(before: str, joiner: str, after: str) -> bool:
    """Return whether a joiner is to be seen: RFC 5892, appendix A, and emoji made of several."""
    if not before or not after or after.isspace():
        return False
    if _VIRAMA in (unicodedata.combining(before), unicodedata.combining(after)):
        return True
    if joiner == _NON_JOINER:
        return "AL" == unicodedata.bidirectional(before) == unicodedata.bidirectional(after)
    emoji = before == _EMOJI_STYLE or _may_be_emoji(before) or _is_skin(before)
    return emoji and _may_be_emoji(after)


def _may_be_emoji(character: str) -> bool:
    return (bool(character) and character in _EARLY_EMOJI) or (
        character >= _FIRST_ARROW and unicodedata.category(character) in ("So", "Sm")
    )


def _is_skin(character: str) -> bool:
    return "\U0001f3fb" <= character <= "\U0001f3ff"


def _is_selector(character: str) -> bool:
    return (
        "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
        or "\u180b" <= character <= "\u180f"
    )
