"""Which list or segment somebody means by a name or the beginning of one."""

from collections.abc import Mapping
from typing import TypeVar, assert_never

from bot.slack.words import as_word, echoed
from engine import names
from engine.names import Ambiguous, NoMatch, One
from engine.refusal import Refusal

T = TypeVar("T")
_OFFERED = 8


class NoneMeant(Refusal):
    """No list or segment, or more than one, is meant by a name."""


def meant(asked: str, known: Mapping[str, T], what: str) -> T:
    """Return what *asked* names.

    Args:
        what: ``list`` or ``segment``.

    Raises:
        NoneMeant: Nothing, or several, begin that way.
    """
    match names.match_name(asked, known):
        case One(name=name):
            return known[name]
        case Ambiguous(names=several):
            listed = ", ".join(map(as_word, several[:_OFFERED]))
            more = f" and {len(several) - _OFFERED} more" if several[_OFFERED:] else ""
            raise NoneMeant(f"{echoed(asked)} may be {listed}{more}: write more of the name.")
        case NoMatch(closest=closest):
            hint = (
                f"/drip {what} list shows what there is."
                if closest is None
                else f"Did you mean {as_word(closest)}?"
            )
            raise NoneMeant(f"There is no {what} {echoed(asked)}. {hint}")
        case other:
            assert_never(other)
