"""Which campaign somebody means by a name or the beginning of one."""

from collections.abc import Mapping
from typing import assert_never

from bot.slack.words import as_word, echoed
from engine import names
from engine.campaign import Kind
from engine.names import Ambiguous, NoMatch, One
from engine.refusal import Refusal
from storage import campaigns
from storage.campaigns import Named
from storage.database import Unit

_OFFERED = 8
_WORDS = {Kind.DRIP: "campaign", Kind.BROADCAST: "broadcast"}


class NotFound(Refusal):
    """No campaign, or more than one, is meant by a name."""


async def found(
    unit: Unit, asked: str, *, kind: Kind | None = None, archived: bool = False
) -> Named:
    """Return what *asked* names.

    Args:
        kind: The only kind that will do; None: either.
        archived: Whether archived ones are looked through too.

    Raises:
        NotFound: Nothing, several or one of the other kind begins that way.
    """
    known = await campaigns.named(unit, archived=archived)
    fitting = {name: each for name, each in known.items() if kind in (None, each.kind)}
    match names.match_name(asked, fitting):
        case One(name=name):
            return fitting[name]
        case Ambiguous(names=several):
            raise NotFound(_ambiguous(asked, several))
        case NoMatch(closest=closest):
            raise NotFound(_other_kind(asked, known, kind) or _none(asked, closest, kind))
        case other:
            assert_never(other)


def _ambiguous(asked: str, several: tuple[str, ...]) -> str:
    listed = ", ".join(map(as_word, several[:_OFFERED]))
    more = f" and {len(several) - _OFFERED} more" if several[_OFFERED:] else ""
    return f"{echoed(asked)} may be {listed}{more}: write more of the name."


def _other_kind(asked: str, known: Mapping[str, Named], kind: Kind | None) -> str | None:
    match names.match_name(asked, known):
        case One(name=name) if kind is not None:
            other = _WORDS[known[name].kind]
            return (
                f"{as_word(name)} is a {other}, and this is for a {_WORDS[kind]};"
                f" /drip help {other} lists what can be done with it."
            )
        case _:
            return None


def _none(asked: str, closest: str | None, kind: Kind | None) -> str:
    word = _WORDS[kind or Kind.DRIP]
    hint = (
        f"/drip {word} list shows what there is."
        if closest is None
        else f"Did you mean {as_word(closest)}?"
    )
    what = "campaign or broadcast" if kind is None else word
    return f"There is no {what} {echoed(asked)}. {hint}"
