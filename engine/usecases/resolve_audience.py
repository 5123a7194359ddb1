"""Resolve: whom a `<who>` means here, with the names in it found."""

from typing import assert_never

from engine import names, who
from engine.audience import Audience
from engine.campaign import Kind
from engine.campaign_ports import Directory
from engine.ids import CampaignId
from engine.names import Ambiguous, NoMatch, One
from engine.phone import Phone
from engine.refusal import Refusal


class NobodyMeant(Refusal):
    """The text names nobody that is known; the message says what would."""


async def resolve_audience(*, text: str, country: str | None, directory: Directory) -> Audience:
    """Read a `<who>` and find the campaigns in it.

    Args:
        text: As staff wrote it.
        country: Of phones without a country code; None refuses those.

    Raises:
        NobodyMeant: It cannot be read, or names a campaign that is not there or not clear.
    """
    try:
        meant = who.parse(text, country=country)
    except who.InvalidWho as error:
        raise NobodyMeant(str(error)) from error
    tags: list[str] = []
    phones: list[Phone] = []
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
                campaign, kind = await _campaign(name, directory)
                found[kind].append(campaign)
            case who.OnList(name=name):
                raise NobodyMeant(_later("Lists", f"list:{name}"))
            case who.InSegment(name=name):
                raise NobodyMeant(_later("Segments", f"segment:{name}"))
            case _:
                assert_never(part)
    return Audience(
        tags=tuple(tags),
        phones=tuple(phones),
        drips=tuple(found[Kind.DRIP]),
        broadcasts=tuple(found[Kind.BROADCAST]),
    )


async def _campaign(name: str, directory: Directory) -> tuple[CampaignId, Kind]:
    there = await directory.by_name()
    match names.match_name(name, there):
        case One(name=exact):
            return there[exact]
        case Ambiguous(names=several):
            raise NobodyMeant(
                f"{name!r} may be {' or '.join(map(repr, several[:5]))}: write more of it."
            )
        case NoMatch(closest=closest):
            meant = f" Did you mean {closest!r}?" if closest else ""
            raise NobodyMeant(f"There is no campaign {name!r}.{meant}")
        case other:
            assert_never(other)


def _later(what: str, written: str) -> str:
    return (
        f"{what} come with a later version, so {written} means nobody yet: write a phone,"
        " tag:<tag>, campaign:<name> or all."
    )
