"""Settle doubts: staff decide what becomes of messages WhatsApp never answered for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, assert_never

from engine.ids import MessageId
from engine.message import Message, State
from engine.reasons import Reason


class Decision(StrEnum):
    SEND_AGAIN = "send_again"
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of how many messages.

    Attributes:
        ended: Neither sent again nor given up, because their campaign is over.
    """

    again: int = 0
    given_up: int = 0
    ended: int = 0

    @property
    def total(self) -> int:
        return self.again + self.given_up + self.ended

    def __add__(self, other: "Settled") -> "Settled":
        return Settled(
            again=self.again + other.again,
            given_up=self.given_up + other.given_up,
            ended=self.ended + other.ended,
        )


class LeftToStaff(Protocol):
    """Messages in doubt that staff were asked about, of one campaign."""

    async def lock(self, *, limit: int) -> Mapping[MessageId, Message]:
        """Lock up to *limit* of them; none: nothing is left to decide."""
        ...

    async def save(self, messages: Sequence[Message]) -> Mapping[State, int]:
        """Write what changed, and return how many are in which state now."""
        ...

    async def note_resent(self, messages: Sequence[MessageId]) -> None:
        """Count that they are sent again after silence."""
        ...

    async def note(self, action: str, **content: object) -> None:
        """Write the audit entry."""
        ...


async def settle_doubts(
    *, decision: Decision, at: datetime, limit: int, left: LeftToStaff
) -> Settled:
    """Decide for up to *limit* messages; a report that came meanwhile has settled its own."""
    doubtful = await left.lock(limit=limit)
    if not doubtful:
        return Settled()
    states = await left.save([_decided(each, decision, at) for each in doubtful.values()])
    settled = Settled(
        again=states.get(State.QUEUED, 0),
        given_up=states.get(State.DEAD, 0),
        ended=states.get(State.CANCELLED, 0),
    )
    if settled.again:
        await left.note_resent(tuple(doubtful))
    await left.note(
        f"messages.{decision}",
        again=settled.again,
        given_up=settled.given_up,
        ended=settled.ended,
    )
    return settled


def _decided(message: Message, decision: Decision, at: datetime) -> Message:
    match decision:
        case Decision.SEND_AGAIN:
            return message.queued_again(
                due_at=at,
                failed_at=at,
                code=None,
                error="no answer, and staff had it sent again",
                burns=False,
            )
        case Decision.GIVE_UP:
            return message.given_up(at=at, reason=Reason.UNANSWERED, code=None, error=None)
        case _:
            assert_never(decision)
