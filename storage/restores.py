"""The database itself: whether it is the one that was sent from, and what waits until staff say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.campaign import Kind, State
from engine.ids import CampaignId
from engine.message import State as MessageState
from engine.reasons import Reason
from engine.usecases.settle_restore import Answer, Concerned, Moved
from storage import audit, effects, messages
from storage.database import Unit
from storage.queries import load

_SQL = load("restores")


async def moved(unit: Unit) -> bool:
    """Whether nothing may be sent: the database was restored or promoted, and nobody decided yet.

    A look at one row and at the server's control file: cheap enough for every claim.
    """
    is_another: bool = await unit.value(_SQL["moved"])
    return is_another


async def notice(unit: Unit) -> None:
    """Tell staff when the database has become another one; take that of a new installation as is.

    As the owner.
    """
    row = await unit.row(_SQL["notice"])
    if row is None or row["moved_at"] is None:
        return
    await effects.tell_staff(
        unit, kind="database_moved", campaign=None, content={"to": row["moved_to"]}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What waits for staff.

    Attributes:
        promoted: It is the same cluster on another timeline; else one that was restored.
        answers: Confirmations and answers, which are of no campaign.
        doubtful: Messages whose call may have left.
    """

    moved: Moved
    promoted: bool
    concerned: Sequence[Concerned]
    answers: int
    doubtful: int


async def held(unit: Unit) -> Held | None:
    """Return what is held back; None: nothing is."""
    row = await unit.row(_SQL["held"])
    if row is None:
        return None
    before = row["moved_at"]
    others = await unit.row(_SQL["others"], before=before)
    if others is None:
        raise AssertionError("counts without a row")
    was, now = (each.split("/") for each in (row["database_identity"], row["moved_to"]))
    return Held(
        moved=Moved(at=before, to=row["moved_to"]),
        promoted=was[0] == now[0] and was[1] != now[1],
        concerned=await _concerned(unit, before),
        answers=others["answers"],
        doubtful=others["doubtful"],
    )


async def waiting(unit: Unit, *, campaign: CampaignId) -> int | None:
    """Return how much of a paused campaign staff are asked about; None: they are not."""
    row = await unit.row(_SQL["waits_for_answer"], campaign=campaign)
    return None if row is None else row["waiting"]


async def answer_campaign(unit: Unit, *, campaign: CampaignId, leave_out: bool) -> bool:
    """Note what becomes of what was due before in a campaign; False: nobody is asked any more."""
    done = await unit.value(_SQL["answered"], campaign=campaign, leave_out=leave_out)
    return done is not None


class RestoredDatabase:
    """`engine.usecases.settle_restore.Restored`, decided by *actor*, in a unit of the owner."""

    def __init__(self, unit: Unit, actor: str) -> None:
        self._unit = unit
        self._actor = actor

    async def moved(self) -> Moved | None:
        row = await self._unit.row(_SQL["held"])
        return None if row is None else Moved(at=row["moved_at"], to=row["moved_to"])

    async def concerned(self, before: datetime) -> Sequence[Concerned]:
        await self._unit.rows(_SQL["lock_campaigns"])
        return await _concerned(self._unit, before)

    async def leave_out(self, before: datetime) -> None:
        await self._unit.run(_SQL["leave_out"], before=before)

    async def leave_out_answers(self, before: datetime) -> None:
        found = await self._unit.rows(_SQL["answers"], before=before)
        rows = await messages.locked(self._unit, [row["id"] for row in found])
        ended = [
            (
                row,
                row.with_message(
                    row.message.ended(
                        MessageState.SKIPPED, at=self._unit.at, reason=Reason.RESTORED
                    )
                ),
            )
            for row in rows.values()
            if row.message.state is MessageState.QUEUED
        ]
        await messages.save(self._unit, ended)

    async def ask(self, campaign: Concerned, before: datetime) -> None:
        await self._unit.run(_SQL["ask"], campaign=campaign.id, before=before)
        await effects.tell_staff(
            self._unit,
            kind="restored_campaign",
            campaign=campaign.id,
            content={"before": before.isoformat()},
        )

    async def settle(self, moved: Moved) -> bool:
        await self._unit.run(_SQL["forget_controls"])
        return await self._unit.value(_SQL["settle"], to=moved.to) is not None

    async def note(self, answer: Answer, campaigns: int) -> None:
        await audit.note(
            self._unit,
            actor=self._actor,
            action="database.settle",
            subject="database",
            content={"answer": answer.value, "campaigns": campaigns},
        )


async def _concerned(unit: Unit, before: datetime) -> list[Concerned]:
    return [
        Concerned(
            id=row["id"],
            name=row["name"],
            kind=Kind(row["kind"]),
            state=State(row["state"]),
            waiting=row["waiting"],
            planning=row["planning"],
        )
        for row in await unit.rows(_SQL["concerned"], before=before)
    ]
