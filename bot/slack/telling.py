"""Events in the order of their commits, each told once, in a line per channel."""

import asyncio
from collections import deque
from typing import Final

import structlog

from bot.slack import campaign_alerts, platform_alerts  # noqa: F401 — they say what is told
from bot.slack.alerts import ALERTS, Alert, Elsewhere, Place
from bot.slack.live_cards import LiveCards
from bot.slack.poster import Poster, Refused, SlackAway, Stopped, advice
from bot.slack.term import pause
from engine.config import Slack
from storage import events
from storage.database import Unit
from storage.events import Event, EventId

_EVENTS_EVERY: Final = 0.25
_AT_ONCE: Final = 100  # events read
_WAITING: Final = 1_000  # events read and not yet told

log = structlog.get_logger(__name__)


class EventRelay:
    """Takes events in order and tells them, in a line per channel so that none blocks another."""

    def __init__(
        self, poster: Poster, cards: LiveCards, slack: Slack, *, stopping: asyncio.Event
    ) -> None:
        self._poster = poster
        self._cards = cards
        self._slack = slack
        self._stopping = stopping
        self._waiting: set[EventId] = set()
        self._lines: dict[str, deque[tuple[Event, tuple[Alert, ...]]]] = {}

    async def run(self, group: asyncio.TaskGroup) -> None:
        """Relay until the process stops; lines run in *group*."""
        while not self._stopping.is_set():
            for event in await self._poster.run(self._found):
                await self._line_up(event, group)
            await pause(_EVENTS_EVERY, self._stopping)

    async def _found(self, unit: Unit) -> list[Event]:
        room = min(_AT_ONCE, _WAITING - len(self._waiting))
        return await events.waiting(unit, besides=self._waiting, limit=room) if room > 0 else []

    async def _line_up(self, event: Event, group: asyncio.TaskGroup) -> None:
        alerts = await self._rendered(event)
        if not alerts:
            return
        channel = self._channel(alerts[0])
        self._waiting.add(event.id)
        line = self._lines.get(channel)
        if line is not None:
            line.append((event, alerts))
            return
        self._lines[channel] = deque([(event, alerts)])
        group.create_task(self._run_line(channel))

    async def _rendered(self, event: Event) -> tuple[Alert, ...]:
        """Return what an event is told as; nothing: it is settled already."""
        organization = self._poster.organization
        render = ALERTS.get(event.kind)
        if render is None:
            log.warning("relay.unknown_kind", organization=organization, kind=event.kind)
            await self._settle(event, error="unknown kind")
            return ()
        try:
            alerts = await self._poster.run(lambda unit: render(event, unit))
        except (LookupError, TypeError, ValueError, AttributeError):
            # An event that is not as its kind says must not hold up those behind it.
            log.exception("relay.unreadable", organization=organization, kind=event.kind)
            await self._settle(event, error="unreadable")
            return ()
        if not alerts:
            await self._settle(event)
        return alerts

    async def _run_line(self, channel: str) -> None:
        line = self._lines[channel]
        while line and not self._stopping.is_set():
            event, alerts = line[0]
            try:
                refused = await self._tell(event, alerts)
            except SlackAway as away:
                log.warning("slack.away", channel=channel, error=str(away))
                await pause(away.seconds, self._stopping)
                continue
            except Stopped:
                break
            await self._settle(event, error=refused)
            line.popleft()
            self._waiting.discard(event.id)
        del self._lines[channel]

    async def _tell(self, event: Event, alerts: tuple[Alert, ...]) -> str | None:
        """Post all of an event's messages; return why Slack refused one, else None."""
        refusal: str | None = None
        for position, alert in enumerate(alerts):
            key = f"event:{event.id}" if position == 0 else f"event:{event.id}:{position}"
            try:
                where = await self._where(event, alert)
                if where is None:
                    continue
                channel, thread_ts = where
                await self._poster.post(
                    key=key, channel=channel, thread_ts=thread_ts, message=alert.message
                )
            except Refused as refused:
                refusal = refused.error
                log.error(  # noqa: TRY400 — Slack's word says all, a traceback nothing
                    "relay.refused",
                    organization=self._poster.organization,
                    kind=event.kind,
                    channel=self._channel(alert),
                    error=refused.error,
                    advice=advice(refused.error),
                )
        return refusal

    async def _where(self, event: Event, alert: Alert) -> tuple[str, str | None] | None:
        """Return channel and thread; None: the card it belongs to cannot be posted."""
        match alert.place:
            case Elsewhere(channel=channel, thread_ts=thread_ts):
                return channel, thread_ts
            case Place.CARD if event.campaign_id is not None:
                return await self._cards.thread_of(event.campaign_id)
            case _:
                return self._channel(alert), None

    def _channel(self, alert: Alert) -> str:
        match alert.place:
            case Elsewhere(channel=channel):
                return channel
            case Place.INBOX:
                return self._slack.inbox_channel
            case Place.ALERTS | Place.CARD:
                return self._slack.alerts_channel

    async def _settle(self, event: Event, *, error: str | None = None) -> None:
        async def settle(unit: Unit) -> None:
            await events.relayed(unit, event=event.id, error=error)

        await self._poster.run(settle)
