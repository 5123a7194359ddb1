"""Settle a restore: staff say what becomes of what was due before the database was another one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Protocol, assert_never

from engine.campaign import SENDING, Kind, State
from engine.campaign_ports import Campaigns, Templates
from engine.ids import CampaignId
from engine.refusal import Refusal
from engine.usecases.move_campaign import pause
from engine.usecases.start_scheduled import start_scheduled

_NONE_LATE = timedelta()


class Answer(StrEnum):
    """What becomes of it; the words of the command line."""

    SEND = "send"
    LEAVE_OUT = "leave-out"
    ASK = "ask"


class NothingHeld(Refusal):
    """Somebody has decided already, or the database is the one that was sent from."""

    def __init__(self) -> None:
        super().__init__(
            "Nothing is held back any more because of a restored database; nothing was done."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The database is another one.

    Attributes:
        at: When it was found out: what was due by then is decided about.
        to: What it is now.
    """

    at: datetime
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Concerned:
    """A campaign with something that was due before.

    Attributes:
        waiting: Messages and enrollments that were due.
        planning: It is a broadcast whose messages are being made yet.
    """

    id: CampaignId
    name: str
    kind: Kind
    state: State
    waiting: int
    planning: bool


class Restored(Protocol):
    """What is known of the database that moved, and of what was due before."""

    async def moved(self) -> Moved | None:
        """Return since when nothing is sent; None: nothing is held back."""
        ...

    async def concerned(self, before: datetime) -> Sequence[Concerned]:
        """Lock all campaigns that have not ended; return those with something due by *before*."""
        ...

    async def leave_out(self, before: datetime) -> None:
        """Have every campaign leave out what was due by *before*."""
        ...

    async def leave_out_answers(self, before: datetime) -> None:
        """Leave out what was due by *before* and is of no campaign: confirmations and answers."""
        ...

    async def ask(self, campaign: Concerned, before: datetime) -> None:
        """Have staff asked about a campaign that is paused by now."""
        ...

    async def settle(self, moved: Moved) -> bool:
        """Send from this database from now on; False: somebody was faster, or it moved again."""
        ...

    async def note(self, answer: Answer, campaigns: int) -> None:
        """Write the audit entry."""
        ...


async def settle_restore(
    *,
    answer: Answer,
    at: datetime,
    standard: tzinfo,
    restored: Restored,
    campaigns: Campaigns,
    templates: Templates,
) -> Sequence[Concerned]:
    """Decide about what was due before, and send again; return the campaigns concerned.

    What was claimed then is in doubt, and goes the way of all that is. What is due later is sent
    whatever the answer is.

    Args:
        standard: The organization's time zone.

    Raises:
        NothingHeld: There is nothing to decide; the transaction must not be committed.
    """
    moved = await restored.moved()
    if moved is None:
        raise NothingHeld
    concerned = await restored.concerned(moved.at)
    match answer:
        case Answer.SEND:
            pass
        case Answer.LEAVE_OUT:
            await restored.leave_out(moved.at)
        case Answer.ASK:
            for each in concerned:
                if each.state is SENDING[each.kind]:
                    await pause(campaign=each.id, campaigns=campaigns)
                if each.state is not State.SCHEDULED:
                    await restored.ask(each, moved.at)
        case _:
            assert_never(answer)
    if answer is not Answer.SEND:
        for each in concerned:
            if each.state is State.SCHEDULED:
                # It may have gone out in the time that was lost: as if it had missed its start.
                await start_scheduled(
                    campaign=each.id,
                    at=at,
                    deadline=_NONE_LATE,
                    approval=0,
                    standard=standard,
                    campaigns=campaigns,
                    templates=templates,
                )
        await restored.leave_out_answers(moved.at)
    if not await restored.settle(moved):
        raise NothingHeld
    await restored.note(answer, len(concerned))
    return concerned
