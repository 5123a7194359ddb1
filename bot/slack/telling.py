"""Events in the order of their commits, each told once, in a line per channel and thread."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, takewhile
from typing import Final

import structlog

from bot.slack import (  # noqa: F401 — they say what is told
    answers,
    automations,
    campaign_alerts,
    doubts,
    platform_alerts,
    restores,
)
from bot.slack.alerts import ALERTS, CROWDS, UNTOLD, Alert, Elsewhere, Place
from bot.slack.blocks import message, sections
from bot.slack.live_cards import LiveCards
from bot.slack.markup import joined
from bot.slack.poster import Poster, Refused, SlackAway, Stopped, advice
from bot.slack.term import pause
from engine.config import Slack
from storage import events
from storage.database import Unit
from storage.events import Event, EventId
from storage.slack_posts import card_key

_EVENTS_EVERY: Final = 0.25
_AT_ONCE: Final = 100  # events read
_WAITING: Final = 1_000  # events read and not yet told, of a crowd and of all others

_MANY: Final = 4  # of one line waiting for a channel are told together,
_TOGETHER: Final = 10  # at most so many in one message

Line = tuple[str, str | None]
"""A channel, and the thread or the card in it; None: the channel itself."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One message of an event, and the key it is posted under."""

    event: Event
    alert: Alert
    key: str


class EventRelay:
    """Takes events in order and tells them, in lines of which none waits for all of another."""

    def __init__(
        self, poster: Poster, cards: LiveCards, slack: Slack, *, stopping: asyncio.Event
    ) -> None:
        self._poster = poster
        self._cards = cards
        self._slack = slack
        self._stopping = stopping
        self._untold: dict[bool, dict[EventId, int]] = {False: {}, True: {}}
        """By whether it is of a crowd: how many messages of an event are yet to be told."""
        self._refused: dict[EventId, str] = {}
        self._lines: dict[Line, deque[Item]] = {}

    async def run(self, group: asyncio.TaskGroup) -> None:
        """Relay until the process stops; lines run in *group*."""
        while not self._stopping.is_set():
            for crowd in (False, True):
                for event in await self._poster.run(partial(self._found, crowd=crowd)):
                    await self._line_up(event, group)
            await pause(_EVENTS_EVERY, self._stopping)

    async def _found(self, unit: Unit, *, crowd: bool) -> list[Event]:
        waiting = self._untold[crowd]
        room = min(_AT_ONCE, _WAITING - len(waiting))
        if room <= 0:
            return []
        return await events.waiting(
            unit, kinds=CROWDS, others=not crowd, besides=waiting, limit=room
        )

    async def _line_up(self, event: Event, group: asyncio.TaskGroup) -> None:
        alerts = await self._rendered(event)
        if not alerts:
            return
        self._untold[event.kind in CROWDS][event.id] = len(alerts)
        for place, alert in enumerate(alerts):
            key = f"event:{event.id}" if place == 0 else f"event:{event.id}:{place}"
            line = self._line(event, alert)
            if line not in self._lines:
                self._lines[line] = deque()
                group.create_task(self._run_line(line))
            self._lines[line].append(Item(event=event, alert=alert, key=key))

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

    async def _run_line(self, line: Line) -> None:
        items = self._lines[line]
        while items and not self._stopping.is_set():
            try:
                together = await self._together(items)
                refused = await (
                    self._tell_together(together) if together else self._tell(items[0])
                )
            except SlackAway as away:
                log.warning("slack.away", channel=line[0], error=str(away))
                await pause(away.seconds, self._stopping)
                continue
            except Stopped:
                break
            for _ in range(len(together) or 1):
                await self._told(items[0].event, refused)
                items.popleft()
        del self._lines[line]

    async def _told(self, event: Event, refused: str | None) -> None:
        """Note that a message of an event was told, or refused; settle it with the last one."""
        if refused is not None:
            self._refused[event.id] = refused
        untold = self._untold[event.kind in CROWDS]
        untold[event.id] -= 1
        if untold[event.id] == 0:
            error = self._refused.pop(event.id, None)
            follow = UNTOLD.get(event.kind)
            if error is not None and follow is not None:
                await self._poster.run(lambda unit: follow(event, unit, error))
            await self._settle(event, error=error)
            del untold[event.id]

    async def _together(self, items: deque[Item]) -> list[Item]:
        """Return the first of *items* that are told as one message; none: the first by itself."""
        short = list(takewhile(lambda item: item.alert.line, islice(items, _TOGETHER)))
        if len(short) < _MANY:
            return []
        untried = await self._poster.untried([item.key for item in short])
        fresh = list(takewhile(lambda item: item.key in untried, short))
        return fresh if len(fresh) > 1 else []

    async def _tell_together(self, together: list[Item]) -> str | None:
        """Post one message for several; return why Slack refused it, else None."""
        text = joined([item.alert.line for item in together if item.alert.line is not None])
        first, *others = together
        alert = replace(first.alert, message=message(text, *sections(text)))
        return await self._tell(replace(first, alert=alert), together=[each.key for each in others])

    async def _tell(self, item: Item, *, together: Sequence[str] = ()) -> str | None:
        """Post a message and its file; return why Slack refused it, else None."""
        alert = item.alert
        try:
            where = await self._where(item.event, alert)
            if where is None:
                return None
            channel, thread_ts = where
            await self._poster.post(
                key=item.key,
                together=together,
                channel=channel,
                thread_ts=thread_ts,
                message=alert.message,
            )
            if alert.file is not None:
                await self._poster.share(
                    key=f"{item.key}:file", channel=channel, thread_ts=thread_ts, blob=alert.file
                )
        except Refused as refused:
            self._log_refusal(item.event, self._line(item.event, alert)[0], refused.error)
            return refused.error
        return None

    def _log_refusal(self, event: Event, channel: str, error: str) -> None:
        log.error(
            "relay.refused",
            organization=self._poster.organization,
            kind=event.kind,
            channel=channel,
            error=error,
            advice=advice(error),
        )

    async def _where(self, event: Event, alert: Alert) -> Line | None:
        """Return channel and thread; None: the card it belongs to cannot be posted."""
        if alert.place is Place.CARD and event.campaign_id is not None:
            return await self._cards.thread_of(event.campaign_id)
        return self._line(event, alert)

    def _line(self, event: Event, alert: Alert) -> Line:
        match alert.place:
            case Elsewhere(channel=channel, thread_ts=thread_ts):
                return channel, thread_ts
            case Place.INBOX:
                return self._slack.inbox_channel, None
            case Place.CARD if event.campaign_id is not None:
                return self._slack.alerts_channel, card_key(event.campaign_id)
            case Place.ALERTS | Place.CARD:
                return self._slack.alerts_channel, None

    async def _settle(self, event: Event, *, error: str | None = None) -> None:
        async def settle(unit: Unit) -> None:
            await events.relayed(unit, event=event.id, error=error)

        await self._poster.run(settle)
