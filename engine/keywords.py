# ruff: noqa: RUF001 — look-alike punctuation and letters are the subject
"""Whether a whole message is a contact's word for "stop" or for "start again"."""

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from engine.keyword_words import WORDS


class Meaning(StrEnum):
    STOP = "stop"
    START = "start"


class UselessKeyword(ValueError):
    """A configured word could never be recognised, or says both things.

    Attributes:
        word: As configured.
    """

    def __init__(self, word: str, reason: str) -> None:
        super().__init__(f"{word!r} {reason}")
        self.word = word


class Keywords:
    """The built-in words and those of one organization.

    >>> Keywords(stop=["GENOEG"]).meaning(" Genoeg!! ")
    <Meaning.STOP: 'stop'>
    >>> Keywords().meaning("please don't stop") is None
    True

    Raises:
        UselessKeyword: An added word has no letters or digits, or has the other meaning already.
    """

    __slots__ = ("_longest", "_meanings")

    def __init__(self, *, stop: Iterable[str] = (), start: Iterable[str] = ()) -> None:
        self._meanings = dict(_BUILT_IN)
        for words, meaning in ((stop, Meaning.STOP), (start, Meaning.START)):
            for word in words:
                key = _folded(word)
                if not key:
                    raise UselessKeyword(word, "has no letters or digits.")
                if self._meanings.setdefault(key, meaning) is not meaning:
                    raise UselessKeyword(word, f"already means {self._meanings[key]}.")
        self._longest = max(map(len, self._meanings))

    def meaning(self, text: str) -> Meaning | None:
        """Return what the whole message says; None for every other message.

        Case, form of the letters, and spaces, punctuation, emoji and invisible characters around
        the words make no difference; a word inside a sentence never counts.
        """
        core = " ".join(_trimmed(text).split())
        if len(core) > _MOST_PER_LETTER * self._longest:
            return None  # folding a long message would only cost time
        return self._meanings.get(_folded(core))


def folded(word: str) -> str:
    """Return the form in which `heard` looks for a word of staff's; may be empty."""
    return _words(_folded(word))


def heard(message: str, words: Iterable[str]) -> list[str]:
    """Return those of *words*, folded, that are all of a message or stand in it by themselves.

    In scripts that put no spaces between words one counts where something else sets it apart.

    >>> heard("The MENU, please!", ["menu", "men", "please"])
    ['menu', 'please']
    """
    said = f" {_words(_folded(message[:_LONGEST_HEARD]))} "
    return [word for word in words if f" {word} " in said]


def _words(text: str) -> str:
    kept = (c if unicodedata.category(c)[0] in "LNM" else " " for c in text)
    return " ".join("".join(kept).split())


_LONGEST_HEARD: Final = 4_096  # WhatsApp's longest text
_MOST_PER_LETTER: Final = 4  # a letter with three marks, each written as a character of its own

# Characters that nobody sees: controls, joiners, selectors, fillers and the marks that are optional
# in Arabic and Hebrew. Spaces are not among them.
_UNSEEN: Final = re.compile(
    "[\u0000-\u0008\u000e-\u001b\u007f-\u0084\u0086-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4"
    "\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0000-\U000e0fff"
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u0652\u0670]"
)
# Emoji made of a letter or a digit; a blank box keeps their place inside a sentence.
_LETTER_EMOJI: Final = re.compile("[0-9]\ufe0f?\u20e3|\u2139")
_JOINERS: Final = re.compile(r"[\s'’‘`´\-‐‑‒–—―]+")
# Letters, digits and their accents; not the marks that enclose a character, as keycaps do.
_ENDS_A_WORD: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl", "No", "Mn", "Mc"})
_TURKISH: Final = {ord("ı"): "i", 0x0307: None}  # İ folds to i and a dot above


def _trimmed(text: str) -> str:
    """Return *text* from its first to its last letter or digit, without what nobody sees."""
    seen = _UNSEEN.sub("", _LETTER_EMOJI.sub("\N{BALLOT BOX}", text))
    start, end = 0, len(seen)
    while start < end and unicodedata.category(seen[start])[0] not in "LN":
        start += 1
    while end > start and unicodedata.category(seen[end - 1]) not in _ENDS_A_WORD:
        end -= 1
    return seen[start:end]


def _folded(text: str) -> str:
    """Return the one form of all the ways to write *text* that mean the same words."""
    composed = unicodedata.normalize("NFKC", _trimmed(text))
    cased = unicodedata.normalize("NFKD", composed.casefold()).casefold()
    plain = unicodedata.normalize("NFKC", cased.translate(_TURKISH))
    return " ".join(_JOINERS.sub(" ", _trimmed(plain)).split())


def _without_marks(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return unicodedata.normalize("NFKC", bare)


def _built_in() -> dict[str, Meaning]:
    meanings: dict[str, Meaning] = {}
    for words in WORDS.values():
        for listed, meaning in ((words.stop, Meaning.STOP), (words.start, Meaning.START)):
            for word in listed:
                # Many phones make accents hard to type.
                spellings = {word} if words.marks_matter else {word, _without_marks(word)}
                meanings.update(dict.fromkeys(map(_folded, spellings), meaning))
    return meanings


_BUILT_IN: Final = _built_in()
