"""From what is due to message rows: set-based slices, each moving its cursor as it commits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.audience import Audience
from engine.campaign import Settings, Type
from engine.ids import CampaignId, ContactId, EnrollmentId, NumberId, StepId
from storage.audiences import with_twins
from storage.database import Unit
from storage.queries import load

_SQL = load("planning")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drip:
    id: CampaignId
    number_id: NumberId | None
    settings: Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class DueEnrollment:
    id: EnrollmentId
    contact_id: ContactId
    step_id: StepId
    due_at: datetime
    timezone: str | None
    last_number_id: NumberId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMessage:
    """A message to be made for an enrollment.

    Attributes:
        second: Seconds since 1970 when the step was due; chooses id and leaf.
        deadline_at: Left out instead of sent after this; None: never too late.
    """

    enrollment_id: EnrollmentId
    contact_id: ContactId
    step_id: StepId
    number_id: NumberId
    second: int
    due_at: datetime
    deadline_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """A running broadcast, locked for a slice.

    Attributes:
        contacts_up_to: The highest contact when it started; later ones are not in its audience.
        cursor: The last contact planned.
    """

    id: CampaignId
    step_id: StepId
    type: Type
    number_id: NumberId | None
    settings: Settings
    audience: Audience
    contacts_up_to: ContactId
    cursor: ContactId
    started_at: datetime


async def alone(unit: Unit, *, task: str) -> bool:
    """Whether nobody else does *task* for this organization until this transaction ends."""
    mine: bool = await unit.value(_SQL["try_alone"], task=task)
    return mine


async def oldest_second(unit: Unit) -> int | None:
    """Return the first second of the oldest leaf of messages; None while there is no leaf."""
    second: int | None = await unit.value(_SQL["oldest_second"])
    return second


async def attach_leaf(unit: Unit, *, month: datetime) -> None:
    """Make sure the leaf of the month around *month* is there."""
    await unit.value(_SQL["attach_leaf"], month=month)


async def attach_leaves(unit: Unit, *, until: datetime) -> None:
    """Make sure there is a leaf for every month from the oldest one to that of *until*."""
    await unit.rows(_SQL["attach_leaves"], until=until)


async def drips_due(unit: Unit) -> list[Drip]:
    rows = await unit.rows(_SQL["drips_due"])
    return [
        Drip(
            id=row["id"],
            number_id=row["number_id"],
            settings=Settings.from_json(row["settings"]),
        )
        for row in rows
    ]


async def lock_drip(unit: Unit, *, campaign: CampaignId) -> bool:
    """Keep the drip active until this commits; False: it no longer is."""
    return await unit.value(_SQL["lock_drip"], campaign=campaign) is not None


async def due_enrollments(unit: Unit, *, campaign: CampaignId, limit: int) -> list[DueEnrollment]:
    rows = await unit.rows(_SQL["due_enrollments"], campaign=campaign, limit=limit)
    return [DueEnrollment(**dict(row)) for row in rows]


async def plan_enrollments(
    unit: Unit, *, campaign: CampaignId, messages: Sequence[PlannedMessage]
) -> dict[tuple[StepId, int], int]:
    """Make the messages that are not there yet; return how many by (step, second of the id)."""
    rows = await unit.rows(
        _SQL["plan_enrollments"],
        campaign=campaign,
        enrollments=[m.enrollment_id for m in messages],
        contacts=[m.contact_id for m in messages],
        steps=[m.step_id for m in messages],
        numbers=[m.number_id for m in messages],
        seconds=[m.second for m in messages],
        due_ats=[m.due_at for m in messages],
        deadline_ats=[m.deadline_at for m in messages],
    )
    return {(row["step_id"], row["second"]): row["count"] for row in rows}


async def broadcasts_to_plan(unit: Unit) -> list[CampaignId]:
    return [row["id"] for row in await unit.rows(_SQL["broadcasts_to_plan"])]


async def lock_broadcast(unit: Unit, *, campaign: CampaignId) -> Broadcast | None:
    """Lock a broadcast for a slice; None: it was paused, cancelled or planned meanwhile."""
    row = await unit.row(_SQL["lock_broadcast"], campaign=campaign)
    if row is None:
        return None
    return Broadcast(
        id=row["id"],
        step_id=row["step_id"],
        type=Type(row["type"]),
        number_id=row["number_id"],
        settings=Settings.from_json(row["settings"]),
        audience=Audience.from_json(row["audience"]),
        contacts_up_to=row["contacts_up_to"],
        cursor=row["planning_cursor"] or ContactId(0),
        started_at=row["started_at"],
    )


async def slice_end(
    unit: Unit, *, cursor: ContactId, ceiling: ContactId, limit: int
) -> ContactId | None:
    """Return the last of the next *limit* contacts after *cursor*; None: none are left."""
    last: ContactId | None = await unit.value(
        _SQL["slice_end"], cursor=cursor, ceiling=ceiling, limit=limit
    )
    return last


async def zones_in_slice(unit: Unit, *, cursor: ContactId, until: ContactId) -> list[str]:
    rows = await unit.rows(_SQL["zones_in_slice"], cursor=cursor, until=until)
    return [row["timezone"] for row in rows]


async def plan_broadcast(
    unit: Unit,
    *,
    broadcast: Broadcast,
    until: ContactId,
    second: int,
    numbers: Sequence[NumberId],
    due_at: datetime,
    zone_due_ats: Mapping[str, datetime],
    deadline_s: int | None,
) -> dict[str, int]:
    """Make rows for the audience after the cursor up to *until*.

    Returns how many by reason for being left out; "" counts those queued.
    """
    rows = await unit.rows(
        _SQL["plan_broadcast"],
        campaign=broadcast.id,
        step=broadcast.step_id,
        promotional=broadcast.type is Type.PROMOTIONAL,
        cursor=broadcast.cursor,
        until=until,
        everyone=broadcast.audience.everyone,
        tags=broadcast.audience.tags,
        phones=with_twins(broadcast.audience.phones),
        campaigns=broadcast.audience.drips,
        broadcasts=broadcast.audience.broadcasts,
        started_at=broadcast.started_at,
        second=second,
        number=broadcast.number_id if broadcast.number_id in numbers else None,
        numbers=numbers,
        standard_number=numbers[0],
        due_at=due_at,
        zones=list(zone_due_ats),
        zone_due_ats=list(zone_due_ats.values()),
        deadline_s=deadline_s,
    )
    return {row["reason"]: row["count"] for row in rows}


async def move_cursor(unit: Unit, *, campaign: CampaignId, cursor: ContactId, done: bool) -> None:
    await unit.run(_SQL["move_cursor"], campaign=campaign, cursor=cursor, done=done)
