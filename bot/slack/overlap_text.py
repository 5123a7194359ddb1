"""How many of those a campaign is for are in others too, and how to leave them out."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from bot.slack.blocks import Block, actions, button
from bot.slack.clicks import Value
from bot.slack.markup import Markup, code, joined, markup
from engine import duration
from engine.campaign import Campaign
from engine.ids import CampaignId
from engine.overlap import Exclude, Overlap
from storage import campaigns
from storage.database import Unit

_SHOWN: Final = 5


async def overlap_lines(
    unit: Unit, overlap: Overlap, *, cooldown: timedelta, exclude: Exclude
) -> list[Markup]:
    """Return who is elsewhere, by campaign, and what is done about it; nothing: nobody is."""
    if not overlap.either:
        return []
    names = {each.id: name for name, each in (await campaigns.named(unit, archived=True)).items()}
    lines = []
    if overlap.elsewhere:
        lines.append(
            markup(
                "In another campaign: {n} ({by})",
                n=overlap.elsewhere,
                by=_by_campaign(overlap.active, names),
            )
        )
    if overlap.lately:
        lines.append(
            markup(
                "Had another campaign's message within {cooldown}: {n} ({by})",
                cooldown=duration.show(cooldown),
                n=overlap.lately,
                by=_by_campaign(overlap.recent, names),
            )
        )
    out = sum(overlap.left_out(exclude).values())
    if exclude is Exclude.NONE:
        lines.append(
            markup(
                "They are kept; {active}, {recent} or {both} leaves them out.",
                active=code("exclude=active"),
                recent=code("exclude=recent"),
                both=code("exclude=both"),
            )
        )
    else:
        lines.append(
            markup("{n} of them are left out ({it}).", n=out, it=code(f"exclude={exclude.value}"))
        )
    return lines


def overlap_buttons(campaign: Campaign, overlap: Overlap) -> tuple[Block, ...]:
    """Return buttons that leave out who is elsewhere; none where that changes nothing."""
    if campaign.excluded is not Exclude.NONE:
        return ()
    value = str(Value(subject=str(campaign.id), version=campaign.version))
    offered = [
        (Exclude.ACTIVE, overlap.elsewhere),
        (Exclude.RECENT, overlap.lately),
        (Exclude.BOTH, overlap.either if overlap.elsewhere and overlap.lately else 0),
    ]
    shown = [
        button(f"Leave out {n:,} {_LABELS[each]}", action_id=f"exclude_{each.value}", value=value)
        for each, n in offered
        if n
    ]
    return (actions(*shown),) if shown else ()


_LABELS: Final = {
    Exclude.ACTIVE: "active elsewhere",
    Exclude.RECENT: "written to lately",
    Exclude.BOTH: "of either",
}


def _by_campaign(counts: Mapping[CampaignId, int], names: Mapping[CampaignId, str]) -> Markup:
    most = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    listed = [
        markup("{name} {n}", name=names.get(campaign, "a deleted one"), n=n)
        for campaign, n in most[:_SHOWN]
    ]
    more = [markup("{n} more campaigns", n=len(most) - _SHOWN)] if most[_SHOWN:] else []
    return joined([*listed, *more], ", ")
