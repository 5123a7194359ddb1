"""What somebody probably meant."""

from collections.abc import Iterable

from engine import names


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the one of *known* that *word* begins alone, else the likest; None if none is near.

    >>> closest("activte", ["activate", "archive"])
    'activate'
    >>> closest("temp", ["template", "text"])
    'template'
    >>> closest("zzz", ["template", "text"]) is None
    True
    """
    candidates = tuple(dict.fromkeys(known))
    match names.match_name(word, candidates):
        case names.One(name=name):
            return name
        case _:
            return names.closest(word, candidates)
