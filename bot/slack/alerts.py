"""What staff are told of an event, by its kind: `@tells("kind")` in the module of a feature."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.slack.blocks import Message, message, section
from bot.slack.markup import Markup, markup
from engine.ids import BlobId
from storage.database import Unit
from storage.events import Event


class Place(Enum):
    """Where something is told: a configured channel, or the thread of the campaign's card."""

    ALERTS = "alerts"
    INBOX = "inbox"
    CARD = "card"


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A channel, and a thread in it (None: none)."""

    channel: str
    thread_ts: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A message and where it goes.

    Attributes:
        line: The same in one line, for when many wait for the same channel; None: it is always
            told by itself.
        file: Shared in the same place after it; None: nothing.
    """

    place: Place | Elsewhere
    message: Message
    line: Markup | None = None
    file: BlobId | None = None


Render = Callable[[Event, Unit], Awaitable[tuple[Alert, ...]]]
"""What an event is told as: up to a few messages, posted in this order; none: nothing."""

ALERTS: Final[dict[str, Render]] = {}
"""By the kind of the event."""

CROWDS: Final[set[str]] = set()
"""Kinds of which thousands may wait; they are read apart, so that nothing else waits for them."""


Untold = Callable[[Event, Unit, str], Awaitable[None]]
"""What follows when Slack refuses what an event is told as; with its word for why."""

UNTOLD: Final[dict[str, Untold]] = {}
"""By the kind of the event; of most nothing follows."""


def untold(kind: str) -> Callable[[Untold], Untold]:
    """Register what follows when Slack refuses what events of *kind* are told as."""

    def register(follow: Untold) -> Untold:
        if kind in UNTOLD:
            raise ValueError(f"something follows refused events of kind {kind!r} already")
        UNTOLD[kind] = follow
        return follow

    return register


def tells(kind: str, *, crowd: bool = False) -> Callable[[Render], Render]:
    """Register what events of *kind* are told as; *crowd*: thousands of them may wait."""

    def register(render: Render) -> Render:
        if kind in ALERTS:
            raise ValueError(f"events of kind {kind!r} are told already")
        ALERTS[kind] = render
        if crowd:
            CROWDS.add(kind)
        return render

    return register


def warning(text: Markup) -> Alert:
    """Return a warning in the channel of alerts."""
    line = markup(":warning: {text}", text=text)
    return Alert(place=Place.ALERTS, message=message(text, section(line)), line=line)
