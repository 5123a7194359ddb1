"""Keeping the cards of one organization true: what to draw when, and how fast it moves."""

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Final

import structlog

from bot.slack.cards import ENDED, Card, draw
from bot.slack.limiter import card_interval
from bot.slack.poster import Gone, Poster, Refused, advice
from engine.campaign import Kind, State
from engine.ids import CampaignId
from storage import reports, slack_posts
from storage.database import Unit
from storage.reports import Campaign
from storage.slack_posts import CardState, Post, card_key

_REFUSED_REST: Final = 60.0  # seconds until a card that Slack refused is tried again
_WINDOW: Final = 60.0  # seconds over which speed is measured
_LEAST_WINDOW: Final = 5.0

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Shown:
    """What this process knows of a card. Times are monotonic seconds."""

    state: State | None = None
    version: int = 0
    drawn_at: float = float("-inf")
    refused_until: float = float("-inf")
    settled: deque[tuple[float, int]] = field(default_factory=deque)


class LiveCards:
    """The cards of the campaigns of one organization, all in one channel."""

    def __init__(self, poster: Poster, *, channel: str) -> None:
        self._poster = poster
        self._channel = channel
        self._shown: dict[CampaignId, _Shown] = defaultdict(_Shown)
        self._drawing: dict[CampaignId, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def refresh(self, *, posted: bool) -> None:
        """Draw the cards whose turn it is: first those that ended, then those that changed hands.

        Args:
            posted: Whether those that are in the channel, or those that are yet to be posted; to
                post they wait for their turn, so the one must not wait for the other.

        Raises:
            SlackAway, Stopped: Those left are drawn another time.
        """
        listed = await self._poster.run(slack_posts.cards)
        present = {card.campaign for card in listed}
        for forgotten in self._shown.keys() - present:
            del self._shown[forgotten]
            self._drawing.pop(forgotten, None)
        now = self._poster.clock.monotonic()
        interval = card_interval(len(listed))
        due = sorted(
            (
                card
                for card in listed
                if (card.digest is not None) is posted
                and self._is_due(card, now=now, interval=interval)
            ),
            key=lambda card: (
                not _has_ended(card),
                not self._has_news(card),
                self._shown[card.campaign].drawn_at,
            ),
        )
        for card in due:
            if not await self._draw(card.campaign):
                return

    async def thread_of(self, campaign: CampaignId) -> tuple[str, str] | None:
        """Return channel and ts of a campaign's card, posted now if need be; None: it has none."""
        post = await self._find(campaign)
        if post is None or post.ts is None:
            await self._draw(campaign)
            post = await self._find(campaign)
        return None if post is None or post.ts is None else (post.channel, post.ts)

    def _is_due(self, card: CardState, *, now: float, interval: float) -> bool:
        shown = self._shown[card.campaign]
        if now < shown.refused_until:
            return False
        return (
            card.digest is None
            or _has_ended(card)
            or self._has_news(card)
            or now >= shown.drawn_at + interval
        )

    def _has_news(self, card: CardState) -> bool:
        shown = self._shown[card.campaign]
        return (shown.state, shown.version) != (card.state, card.version)

    async def _draw(self, campaign: CampaignId) -> bool:
        """Bring a card up to date; False: too many were edited within the last minute."""
        async with self._drawing[campaign]:
            drawn = await self._poster.run(lambda unit: self._drawn(unit, campaign))
            if drawn is None:
                return True
            found, card = drawn
            post = await self._find(campaign)
            try:
                if not await self._show(campaign, card, post):
                    return False
            except Refused as refused:
                self._shown[campaign].refused_until = self._poster.clock.monotonic() + _REFUSED_REST
                log.error(  # noqa: TRY400 — Slack's word says all, a traceback nothing
                    "slack.card_refused",
                    organization=self._poster.organization,
                    campaign=campaign,
                    error=refused.error,
                    advice=advice(refused.error),
                )
                return True
            shown = self._shown[campaign]
            shown.state, shown.version = found.state, found.version
            shown.drawn_at = self._poster.clock.monotonic()
            return True

    async def _show(self, campaign: CampaignId, card: Card, post: Post | None) -> bool:
        key = card_key(campaign)
        if post is not None and post.ts is not None:
            if post.digest == card.digest and post.final == card.final:
                return True
            try:
                return await self._poster.edit(
                    post, card.message, digest=card.digest, final=card.final
                )
            except Gone:
                log.info("slack.card_gone", campaign=campaign)
                await self._poster.run(lambda unit: slack_posts.forget(unit, key=key))
                return True
        await self._poster.post(
            key=key,
            channel=self._channel,
            thread_ts=None,
            message=card.message,
            digest=card.digest,
            final=card.final,
        )
        return True

    async def _drawn(self, unit: Unit, campaign: CampaignId) -> tuple[Campaign, Card] | None:
        found = await reports.campaign(unit, campaign=campaign)
        if found is None:
            return None
        report = await reports.report(unit, campaign=found)
        rate = self._rate(found, report.total.settled)
        return found, draw(found, report, at=unit.at, rate=rate)

    def _rate(self, campaign: Campaign, settled: int) -> float | None:
        """Return messages settled per second within the last minute; None: not known yet."""
        if campaign.kind is not Kind.BROADCAST or campaign.state is not State.RUNNING:
            return None
        now = self._poster.clock.monotonic()
        samples = self._shown[campaign.id].settled
        samples.append((now, settled))
        while samples[0][0] < now - _WINDOW:
            samples.popleft()
        since, before = samples[0]
        return (settled - before) / (now - since) if now - since >= _LEAST_WINDOW else None

    async def _find(self, campaign: CampaignId) -> Post | None:
        return await self._poster.run(lambda unit: slack_posts.find(unit, key=card_key(campaign)))


def _has_ended(card: CardState) -> bool:
    return card.state in ENDED
