"""Resolve: whom a `<who>` means here, with the names in it found."""

from collections.abc import Mapping
from typing import TypeVar, assert_never

from engine import names, who
from engine.audience import Audience
from engine.campaign import Kind
from engine.campaign_ports import Directory
from engine.ids import CampaignId, ListId, SegmentId
from engine.names import Ambiguous, NoMatch, One
from engine.phone import Phone
from engine.refusal import Refusal

T = TypeVar("T")


class NobodyMeant(Refusal):
    """The text names nobody that is known; the message says what would."""


async def resolve_audience(*, text: str, country: str | None, directory: Directory) -> Audience:
    """Read a `<who>` and find what it names.

    Args:
        text: As staff wrote it.
        country: Of phones without a country code; None refuses those.

    Raises:
        NobodyMeant: It cannot be read, or names something that is not there or not clear.
    """
    try:
        meant = who.parse(text, country=country)
    except who.InvalidWho as error:
        raise NobodyMeant(str(error)) from error
    tags: list[str] = []
    phones: list[Phone] = []
    lists: list[ListId] = []
    segments: list[SegmentId] = []
    found: dict[Kind, list[CampaignId]] = {Kind.DRIP: [], Kind.BROADCAST: []}
    for part in meant.parts:
        match part:
            case who.Everybody():
                return Audience(everyone=True)
            case who.Number(phone=phone):
                phones.append(phone)
            case who.Tagged(tag=tag):
                tags.append(tag)
            case who.InCampaign(name=name):
                campaign, kind = _meant(name, await directory.by_name(), "campaign")
                found[kind].append(campaign)
            case who.OnList(name=name):
                lists.append(_meant(name, await directory.lists(), "list"))
            case who.InSegment(name=name):
                segments.append(_meant(name, await directory.segments(), "segment"))
            case _:
                assert_never(part)
    return Audience(
        tags=tuple(tags),
        phones=tuple(phones),
        lists=tuple(dict.fromkeys(lists)),
        segments=tuple(dict.fromkeys(segments)),
        drips=tuple(found[Kind.DRIP]),
        broadcasts=tuple(found[Kind.BROADCAST]),
    )


def _meant(name: str, there: Mapping[str, T], what: str) -> T:
    match names.match_name(name, there):
        case One(name=exact):
            return there[exact]
        case Ambiguous(names=several):
            raise NobodyMeant(
                f"{names.echoed(name)!r} may be {' or '.join(map(repr, several[:5]))}:"
                " write more of it."
            )
        case NoMatch(closest=closest):
            hint = (
                f" Did you mean {closest!r}?"
                if closest
                else f" /drip {what} list shows what there is."
            )
            raise NobodyMeant(f"There is no {what} {names.echoed(name)!r}.{hint}")
        case other:
            assert_never(other)
