"""Names that staff give to campaigns, tags and attributes, and finding what they meant by one."""

import difflib
import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from engine import unseen

LONGEST_NAME: Final = 80
LONGEST_TAG: Final = 50
LONGEST_ATTRIBUTE: Final = 50


class InvalidName(ValueError):
    """The text cannot be a name; the message is a sentence for staff."""


def cleaned(text: str) -> str:
    r"""Return *text* as one line that looks like what it is.

    Control characters and everything that turns, joins or hides text are gone, runs of spaces are
    one, and letters are composed; emoji made of several stay whole. So no two such lines look the
    same because of what nobody sees.

    >>> cleaned("  Spring\tSale\u202e ")
    'Spring Sale'
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    before = ""
    # What goes brings others together, which may compose or lose their reason to stay.
    while text != before:
        before = text
        spaced = "".join(" " if c.isspace() else c for c in unicodedata.normalize("NFC", text))
        text = " ".join(unseen.without(spaced).split())
    return text


def campaign(text: str) -> str:
    """Read the name of a campaign, a list, a segment or another thing with a name of its own.

    Raises:
        InvalidName: Nothing is left of it, or it is longer than 80 characters.
    """
    return _limited(cleaned(text), what="A name", longest=LONGEST_NAME)


def tag(text: str) -> str:
    """Read a tag: one word or several, the same in any case, so kept in small letters.

    >>> tag(" VIP ")
    'vip'

    Raises:
        InvalidName: Nothing is left of it, it is longer than 50 characters, or it holds what
            separates tags.
    """
    name = _limited(folded(text), what="A tag", longest=LONGEST_TAG)
    if _SEPARATORS.search(name):
        raise InvalidName(f"A tag has no comma, semicolon, bar or quote: write {name!r} without.")
    return name


def attribute(text: str) -> str:
    """Read an attribute's name, the form in which tokens and columns share it.

    >>> attribute("Last order (€)")
    'last_order'

    Raises:
        InvalidName: No letter or digit is left of it, it is longer than 50 characters, or it is a
            number only, which would look like a template's numbered place.
    """
    name = _limited(
        "_".join("".join(map(_letter_or_space, folded(text))).split()),
        what="The name of an attribute",
        longest=LONGEST_ATTRIBUTE,
    )
    if name.isdecimal():
        raise InvalidName(
            f"The name of an attribute has a letter in it, {name!r} has none: write one such as"
            " city."
        )
    return name


def folded(text: str) -> str:
    """Return the form in which names are compared: cleaned and without case."""
    composed = unicodedata.normalize("NFKC", cleaned(text)).casefold()
    return cleaned(unicodedata.normalize("NFKC", composed))


def echoed(text: str) -> str:
    """Return the beginning of what somebody wrote, for a sentence that says it will not do.

    >>> echoed("nonsense"), len(echoed("x" * 10_000))
    ('nonsense', 61)
    """
    return text if len(text) <= _ECHOED else f"{text[:_ECHOED].rstrip()}…"


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word *word* is most likely a slip of, as it is written; None if none is.

    >>> closest("frist_name", ["first_name", "email"])
    'first_name'
    """
    spelled = {folded(each): each for each in known}
    found = difflib.get_close_matches(folded(word)[:LONGEST_NAME], spelled, n=1, cutoff=0.6)
    return spelled[found[0]] if found else None


def is_among(name: str, names: Iterable[str]) -> bool:
    """Return whether one of *names* counts as the same, so that nobody could tell them apart.

    >>> is_among("STRASSE", ["Straße"])
    True
    """
    wanted = folded(name)
    return any(folded(each) == wanted for each in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class One:
    """The one that was meant, as it is written."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambiguous:
    """Several begin that way; sorted, at least two."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoMatch:
    """None begins that way; *closest* is what may have been meant, or None."""

    closest: str | None


def match_name(given: str, names: Collection[str]) -> One | Ambiguous | NoMatch:
    """Find the name that *given* is, or the only one it begins; case makes no difference.

    >>> match_name("wel", ["Welcome", "Sale"])
    One(name='Welcome')
    """
    for alike in (_same, _folded_same, _begins):
        found = sorted(name for name in set(names) if alike(name, given))
        if found:
            return One(name=found[0]) if len(found) == 1 else Ambiguous(names=tuple(found))
    return NoMatch(closest=closest(given, sorted(names)))


_ECHOED: Final = 60  # characters; the fix is worth more room than the mistake
_SEPARATORS: Final = re.compile(r'[,;|"]')


def _letter_or_space(character: str) -> str:
    """Return letters, digits and the marks on them (vowels in Indian scripts), else a space."""
    return character if unicodedata.category(character)[0] in "LNM" else " "


def _limited(name: str, *, what: str, longest: int) -> str:
    if not any(unicodedata.category(c)[0] in "LNS" for c in name):
        raise InvalidName(f"{what} has at least one letter or digit.")
    if len(name) > longest:
        raise InvalidName(f"{what} has at most {longest} characters, this one has {len(name)}.")
    return name


def _same(name: str, given: str) -> bool:
    return name == given


def _folded_same(name: str, given: str) -> bool:
    return folded(name) == folded(given)


def _begins(name: str, given: str) -> bool:
    beginning = folded(given)
    return bool(beginning) and folded(name).startswith(beginning)
