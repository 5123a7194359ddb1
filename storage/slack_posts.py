"""What was posted to Slack and where: the intent first, then its ts, then what it shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from engine.campaign import State
from engine.ids import CampaignId
from storage.database import Unit
from storage.queries import load

_SQL = load("slack_posts")
_CARD: Final = "card:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post, or the intent of one.

    Attributes:
        key: `event:<id>`, `event:<id>:<n>` for a further post of the event, `card:<campaign>`.
        ts: None: nobody has recorded that Slack took it.
        digest: Of what it shows; None: nothing yet.
        final: It will not change again.
        error: Slack's word for why it refused the last try; None: it did not.
        intended_at: Business time.
    """

    key: str
    channel: str
    ts: str | None
    thread_ts: str | None
    digest: str | None
    final: bool
    error: str | None
    intended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CardState:
    """A campaign that has or should have a card, and what its card was last told.

    Attributes:
        digest: None: the card was not posted yet.
    """

    campaign: CampaignId
    state: State
    version: int
    digest: str | None
    error: str | None


def card_key(campaign: CampaignId) -> str:
    return f"{_CARD}{campaign}"


async def intend(unit: Unit, *, keys: Sequence[str], channel: str, thread_ts: str | None) -> None:
    """Note that *keys* are about to be posted as one message."""
    await unit.run(_SQL["intend"], keys=keys, channel=channel, thread_ts=thread_ts)


async def intended(unit: Unit, *, keys: Sequence[str]) -> frozenset[str]:
    """Return those of *keys* that were posted, or about to be."""
    return frozenset(row["key"] for row in await unit.rows(_SQL["intended"], keys=keys))


async def find(unit: Unit, *, key: str) -> Post | None:
    row = await unit.row(_SQL["find"], key=key)
    return None if row is None else Post(**dict(row))


async def posted(
    unit: Unit, *, keys: Sequence[str], channel: str, ts: str, digest: str | None, final: bool
) -> None:
    """Note where a message is; *channel* is Slack's answer, which for a person names a channel."""
    await unit.run(_SQL["posted"], keys=keys, channel=channel, ts=ts, digest=digest, final=final)
    await _note_cards(unit, keys=keys, final=final)


async def shown(unit: Unit, *, key: str, digest: str, final: bool) -> None:
    await unit.run(_SQL["shown"], key=key, digest=digest, final=final)
    await _note_cards(unit, keys=[key], final=final)


async def refused(unit: Unit, *, keys: Sequence[str], error: str) -> None:
    await unit.run(_SQL["refused"], keys=keys, error=error)


async def forget(unit: Unit, *, key: str) -> None:
    """Forget a post whose message is gone."""
    await unit.run(_SQL["forget"], key=key)
    await _note_cards(unit, keys=[key], final=False)


async def _note_cards(unit: Unit, *, keys: Sequence[str], final: bool) -> None:
    # Kept with the campaign: whoever looks for cards to draw passes over thousands that are done.
    shown = [key.removeprefix(_CARD) for key in keys if key.startswith(_CARD)]
    if shown:
        await unit.run(_SQL["note_cards"], campaigns=[int(each) for each in shown], final=final)


async def cards(unit: Unit) -> list[CardState]:
    """Return campaigns with a live card, and ended ones whose card does not show it, by id."""
    return [
        CardState(
            campaign=row["id"],
            state=State(row["state"]),
            version=row["version"],
            digest=row["digest"],
            error=row["error"],
        )
        for row in await unit.rows(_SQL["cards"])
    ]


async def unfinished_cards(unit: Unit) -> int:
    """Return how many campaigns ended without their card showing it, Slack not refusing it."""
    count: int = await unit.value(_SQL["unfinished_cards"])
    return count
