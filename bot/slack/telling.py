"""Events in the order of their commits, each told once, in a line per channel."""

import asyncio
from collections import deque
from itertools import islice, takewhile
from typing import Final

import structlog

from bot.slack import automations, campaign_alerts, doubts, platform_alerts  # noqa: F401 — they say what is told
from bot.slack.alerts import ALERTS, Alert, Elsewhere, Place
from bot.slack.blocks import message, sections
from bot.slack.live_cards import LiveCards
from bot.slack.markup import Markup, joined
from bot.slack.poster import Poster, Refused, SlackAway, Stopped, advice
from bot.slack.term import pause
from engine.config import Slack
from storage import events
from storage.database import Unit
from storage.events import Event, EventId

_EVENTS_EVERY: Final = 0.25
_AT_ONCE: Final = 100  # events read
_WAITING: Final = 1_000  # events read and not yet told

_MANY: Final = 4  # of one line waiting for a channel are told together,
_TOGETHER: Final = 10  # at most so many in one message

Told = tuple[Event, tuple[Alert, ...]]
"""An event and what it is told as."""

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
        self._lines: dict[str, deque[Told]] = {}

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
            try:
                together = await self._together(line)
                refused = (
                    await self._tell_together(channel, together)
                    if together
                    else await self._tell(*line[0])
                )
            except SlackAway as away:
                log.warning("slack.away", channel=channel, error=str(away))
                await pause(away.seconds, self._stopping)
                continue
            except Stopped:
                break
            for _ in range(len(together) or 1):
                event, _alerts = line[0]
                await self._settle(event, error=refused)
                line.popleft()
                self._waiting.discard(event.id)
        del self._lines[channel]

    async def _together(self, line: deque[Told]) -> list[Told]:
        """Return the first of *line* that are told as one message; none: the first by itself."""
        short = list(takewhile(_line_of, islice(line, _TOGETHER)))
        if len(short) < _MANY:
            return []
        untried = await self._poster.untried([_key(event) for event, _ in short])
        fresh = list(takewhile(lambda told: _key(told[0]) in untried, short))
        return fresh if len(fresh) > 1 else []

    async def _tell_together(self, channel: str, together: list[Told]) -> str | None:
        """Post one message for several events; return why Slack refused it, else None."""
        text = joined([line for told in together if (line := _line_of(told)) is not None])
        keys = [_key(event) for event, _ in together]
        try:
            await self._poster.post(
                key=keys[0],
                together=keys[1:],
                channel=channel,
                thread_ts=None,
                message=message(text, *sections(text)),
            )
        except Refused as refused:
            self._log_refusal(together[0][0], channel, refused.error)
            return refused.error
        return None

    async def _tell(self, event: Event, alerts: tuple[Alert, ...]) -> str | None:
        """Post all of an event's messages; return why Slack refused one, else None."""
        refusal: str | None = None
        for position, alert in enumerate(alerts):
            key = _key(event) if position == 0 else f"{_key(event)}:{position}"
            try:
                where = await self._where(event, alert)
                if where is None:
                    continue
                channel, thread_ts = where
                await self._poster.post(
                    key=key, channel=channel, thread_ts=thread_ts, message=alert.message
                )
                if alert.file is not None:
                    await self._poster.share(
                        key=f"{key}:file", channel=channel, thread_ts=thread_ts, blob=alert.file
                    )
            except Refused as refused:
                refusal = refused.error
                self._log_refusal(event, self._channel(alert), refused.error)
        return refusal

    def _log_refusal(self, event: Event, channel: str, error: str) -> None:
        log.error(
            "relay.refused",
            organization=self._poster.organization,
            kind=event.kind,
            channel=channel,
            error=error,
            advice=advice(error),
        )

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


def _key(event: Event) -> str:
    return f"event:{event.id}"


def _line_of(told: Told) -> Markup | None:
    """Return the one line an event can be told in; None: it needs a message of its own."""
    _, alerts = told
    return alerts[0].line if len(alerts) == 1 else None
