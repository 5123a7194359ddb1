"""Messages in doubt that staff were asked about: `engine.usecases.settle_doubts.LeftToStaff`."""

from collections.abc import Mapping, Sequence

from engine.ids import CampaignId, MessageId
from engine.message import Message, State
from storage import audit, doubts, messages
from storage.database import Unit
from storage.messages import Row
from storage.queries import load

_SQL = load("left_to_staff")


async def count(unit: Unit, *, campaign: CampaignId | None) -> int:
    """Return how many messages wait for staff; *campaign* None: those of no campaign."""
    waiting: int = await unit.value(_SQL["count"], campaign=campaign or 0)
    return waiting


class LeftToStaff:
    """Those of one campaign (None: of none), decided by *actor*."""

    def __init__(self, unit: Unit, *, campaign: CampaignId | None, actor: str) -> None:
        self._unit = unit
        self._campaign = campaign
        self._actor = actor
        self._rows: Mapping[MessageId, Row] = {}
        self._campaigns: Mapping[CampaignId, str] = {}

    async def lock(self, *, limit: int) -> Mapping[MessageId, Message]:
        campaign = self._campaign or 0
        kept = await self._unit.row(_SQL["keep_campaign"], campaign=campaign)
        self._campaigns = {} if kept is None else {CampaignId(campaign): kept["state"]}
        found = await self._unit.rows(_SQL["ids"], campaign=campaign, limit=limit)
        locked = await messages.locked(self._unit, [row["id"] for row in found])
        left = await self._unit.rows(_SQL["still_left"], ids=list(locked))
        self._rows = {row["id"]: locked[row["id"]] for row in left}
        return {message: row.message for message, row in self._rows.items()}

    async def save(self, changed: Sequence[Message]) -> Mapping[State, int]:
        rows = [(self._rows[each.id], self._rows[each.id].with_message(each)) for each in changed]
        await messages.save(self._unit, rows, campaigns=self._campaigns)
        states = await self._unit.rows(_SQL["states"], ids=[each.id for each in changed])
        return {State(row["state"]): row["count"] for row in states}

    async def note_resent(self, messages: Sequence[MessageId]) -> None:
        await doubts.note_resent(self._unit, ids=messages)

    async def note(self, action: str, **content: object) -> None:
        await audit.note(
            self._unit,
            actor=self._actor,
            action=action,
            subject=f"campaign:{self._campaign}" if self._campaign else "messages",
            content=content,
        )
