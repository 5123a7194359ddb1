"""What automations act on: whatever happened to contacts, each taken once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from engine.automation import Kind, Milestone, Occurrence
from engine.ids import CampaignId, ContactId, StepId
from engine.message import Message
from storage.database import Unit
from storage.messages import Row
from storage.queries import load

_SQL = load("occurrences")


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """Something that happens to a contact now; see `engine.automation.Occurrence`."""

    kind: Kind
    contact_id: ContactId
    value: str = ""
    campaign_id: CampaignId | None = None
    step_id: StepId | None = None
    properties: Mapping[str, str] = field(default_factory=dict)


async def note(unit: Unit, *, happened: Sequence[New]) -> None:
    """Write what happened, in the transaction in which it does."""
    await unit.run(
        _SQL["note"],
        kinds=[each.kind for each in happened],
        contacts=[each.contact_id for each in happened],
        values=[each.value for each in happened],
        campaigns=[each.campaign_id for each in happened],
        steps=[each.step_id for each in happened],
        properties=[dict(each.properties) for each in happened],
    )


async def reached(
    unit: Unit, *, milestones: Collection[Milestone], changes: Sequence[tuple[Row, Row]]
) -> None:
    """Write which of *milestones* messages have reached by (before, after); locks are held.

    A row passes each of them once, whatever is reported how often.
    """
    passed = [
        (milestone, after)
        for before, after in changes
        for milestone in Milestone
        if milestone in milestones
        and after.campaign_id is not None
        and _at(before.message, milestone) is None is not _at(after.message, milestone)
    ]
    if not passed:
        return
    await unit.run(
        _SQL["reached"],
        kinds=[milestone.value for milestone, _ in passed],
        contacts=[row.contact_id for _, row in passed],
        campaigns=[row.campaign_id for _, row in passed],
        steps=[row.step_id for _, row in passed],
        runs=[row.run_id for _, row in passed],
    )


async def take(unit: Unit, *, limit: int) -> list[Occurrence]:
    """Take the next occurrences, in order; they come again unless this unit commits."""
    rows = await unit.rows(_SQL["take"], limit=limit)
    return [
        Occurrence(**{**dict(row), "kind": Kind(row["kind"])})
        for row in sorted(rows, key=lambda row: row["id"])
    ]


def _at(message: Message, milestone: Milestone) -> object:
    match milestone:
        case Milestone.REPLIED:
            return message.replied_at
        case Milestone.DELIVERED:
            return message.delivered_at
        case Milestone.READ:
            return message.read_at
        case Milestone.CLICKED:
            return None  # a message keeps no time of it; whoever records a click writes it
