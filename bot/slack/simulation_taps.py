"""What keeps a campaign from sending now, and how a simulation takes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.slack import story_text
from bot.slack.markup import Markup
from engine.campaign import Campaign
from engine.sending_rules import SendingRules
from storage.looking import Tap

_FOR_EVER: Final = 9999  # the year of what Postgres calls infinity


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A closed tap above everything, or something, that the campaign sends.

    Attributes:
        until: The year 9999: until a person opens it, and it is played as if that were now.
        whole: Whether it holds all of the campaign, rather than what one of its numbers sends.
    """

    what: str
    why: str | None
    until: datetime
    whole: bool

    @property
    def for_ever(self) -> bool:
        return self.until.year == _FOR_EVER

    @property
    def sentence(self) -> Markup:
        return story_text.stopped(self.what, self.why, self.until)


def held(
    campaign: Campaign, taps: Sequence[Tap], rules: SendingRules, *, at: datetime
) -> tuple[Held, ...]:
    """Return the taps that are still closed at *at*, when it begins."""
    chosen = campaign.number_id in rules.number_ids
    numbers = {campaign.number_id} if chosen else set(rules.number_ids)
    found: list[Held] = []
    if campaign.closed_until is not None:
        found.append(
            Held(
                what="The campaign",
                why=campaign.closed_why,
                until=campaign.closed_until,
                whole=True,
            )
        )
    for tap in taps:
        if tap.number_id is not None and tap.number_id not in numbers:
            continue
        what = "Its number" if len(numbers) == 1 else "One of its numbers"
        found.append(
            Held(
                what="All sending" if tap.number_id is None else what,
                why=tap.closed_why,
                until=tap.closed_until,
                whole=tap.number_id is None or len(numbers) == 1,
            )
        )
    return tuple(each for each in found if each.for_ever or each.until > at)


def opens_at(taps: Sequence[Held]) -> datetime | None:
    """Return when the last of those opens that hold all of it and open by themselves."""
    return max((each.until for each in taps if each.whole and not each.for_ever), default=None)


def told(taps: Sequence[Held]) -> list[Markup]:
    """Say what is closed, and what is pretended of it; empty: nothing is."""
    if not taps:
        return []
    lines = [each.sentence for each in taps]
    if any(each.whole for each in taps):
        lines.insert(0, Markup("*Nothing would be sent now.*"))
    if any(each.for_ever for each in taps):
        lines.append(Markup("It is played as if it were resumed now."))
    if any(not each.whole and not each.for_ever for each in taps):
        lines.append(Markup("What that number would send is played as if it were not stopped."))
    return lines
