"""From what is due to message rows: set-based slices, each moving its cursor as it commits."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from engine.audience import Audience
from engine.campaign import Settings, StepRule, Type
from engine.campaign_types import MEANINGS
from engine.conditions import Conditions, Evidence
from engine.ids import CampaignId, ContactId, EnrollmentId, NumberId, StepId
from engine.message import State
from engine.reasons import Reason
from engine.schedule import Schedule
from engine.timing import Timing
from storage import members
from storage.database import Unit
from storage.queries import load

_SQL = load("planning")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drip:
    id: CampaignId
    number_id: NumberId | None
    settings: Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """How a drip has been held back.

    Attributes:
        held: For how long in all; every deadline of its messages is later by that.
        resumed_at: When staff last let it go on; None: it was never paused.
    """

    held: timedelta
    resumed_at: datetime | None

    def deadline_at(self, due_at: datetime, deadline: timedelta) -> datetime:
        """Return the deadline to be kept: counted from when it could go, as if nothing held it."""
        since = due_at if self.resumed_at is None else max(due_at, self.resumed_at)
        return since + deadline - self.held


@dataclass(frozen=True, slots=True, kw_only=True)
class DueEnrollment:
    """An enrollment that has come up, locked.

    Attributes:
        place, since_at, timed: As in `engine.journey.Standing`.
        retraced: Staff moved it, so that it may come to steps it had before.
        properties: Of the event that enrolled it; empty: none did.
        attributes: Of the contact; empty unless they were asked for.
    """

    id: EnrollmentId
    contact_id: ContactId
    step_id: StepId
    place: float
    since_at: datetime | None
    due_at: datetime
    timed: bool
    retraced: bool
    properties: Mapping[str, Any]
    timezone: str | None
    last_number_id: NumberId | None
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMessage:
    """A message to be made for an enrollment.

    Attributes:
        place: The position of the step now.
        second: Seconds since 1970 when the step was due; chooses id and leaf.
        deadline_at: Left out instead of sent after this; None: never too late.
        reason: Why it is left out at once; None: it is queued.
    """

    enrollment_id: EnrollmentId
    contact_id: ContactId
    step_id: StepId
    place: float
    number_id: NumberId
    second: int
    due_at: datetime
    deadline_at: datetime | None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOff:
    """When an enrollment comes up again.

    Attributes:
        since_at: From when the delay of its step counted, where that is not known yet.
    """

    enrollment_id: EnrollmentId
    until: datetime
    for_delivery: bool
    since_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOn:
    """Where an enrollment goes on; no step: it is through."""

    enrollment_id: EnrollmentId
    step_id: StepId | None
    place: float
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """A running broadcast, locked for a slice.

    Attributes:
        contacts_up_to: The highest contact when it started; later ones are not in its audience.
        cursor: The last contact planned.
        local: What clocks show when it is due in each contact's own zone; None: it is at the start.
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
    local: datetime | None


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


async def lock_drip(unit: Unit, *, campaign: CampaignId) -> Pauses | None:
    """Keep the drip active until this commits; None: it no longer is."""
    row = await unit.row(_SQL["lock_drip"], campaign=campaign)
    if row is None:
        return None
    return Pauses(held=timedelta(seconds=row["held_s"]), resumed_at=row["resumed_at"])


async def walk(unit: Unit, *, campaign: CampaignId) -> tuple[StepRule, ...]:
    """Return when the steps of a drip go out and to whom, in order, without removed ones."""
    rows = await unit.rows(_SQL["walk"], campaign=campaign)
    return tuple(
        StepRule(
            id=row["id"],
            position=row["position"],
            after=timedelta(seconds=row["after_s"]),
            timing=Timing.from_json(row["timing"]),
            conditions=Conditions.from_json(row["conditions"]),
            hours=row["settings"].get("hours"),
            days=row["settings"].get("days"),
            moved=row["moved"],
        )
        for row in rows
    )


async def due_enrollments(
    unit: Unit, *, campaign: CampaignId, limit: int, with_attributes: bool
) -> list[DueEnrollment]:
    rows = await unit.rows(
        _SQL["due_enrollments"], campaign=campaign, limit=limit, with_attributes=with_attributes
    )
    return [DueEnrollment(**dict(row)) for row in rows]


async def evidence(
    unit: Unit, *, campaign: CampaignId, enrollments: Sequence[DueEnrollment]
) -> dict[EnrollmentId, dict[StepId, Evidence]]:
    """Return what became of the messages of runs so far; those without any are absent."""
    rows = await unit.rows(
        _SQL["evidence"],
        campaign=campaign,
        runs=[each.id for each in enrollments],
        contacts=[each.contact_id for each in enrollments],
    )
    found: dict[EnrollmentId, dict[StepId, Evidence]] = {}
    for row in rows:
        found.setdefault(row["run_id"], {})[row["step_id"]] = Evidence(
            state=State(row["state"]),
            accepted_at=row["accepted_at"],
            delivered_at=row["delivered_at"],
            read_at=row["read_at"],
            replied_at=row["replied_at"],
            clicked_at=row["clicked_at"],
        )
    return found


async def tags_asked(
    unit: Unit, *, tags: Collection[str], contacts: Sequence[ContactId]
) -> dict[ContactId, set[str]]:
    """Return which of *tags* contacts have; those with none are absent."""
    rows = await unit.rows(_SQL["tags_asked"], tags=sorted(tags), contacts=contacts)
    found: dict[ContactId, set[str]] = {}
    for row in rows:
        found.setdefault(row["contact_id"], set()).add(row["tag"])
    return found


async def plan_enrollments(
    unit: Unit, *, campaign: CampaignId, messages: Sequence[PlannedMessage]
) -> dict[tuple[StepId, int, str], int]:
    """Make the messages that are not there yet.

    Returns how many by (step, second of the id, reason for being left out, or "").
    """
    rows = await unit.rows(
        _SQL["plan_enrollments"],
        campaign=campaign,
        enrollments=[m.enrollment_id for m in messages],
        contacts=[m.contact_id for m in messages],
        steps=[m.step_id for m in messages],
        places=[m.place for m in messages],
        numbers=[m.number_id for m in messages],
        seconds=[m.second for m in messages],
        due_ats=[m.due_at for m in messages],
        deadline_ats=[m.deadline_at for m in messages],
        reasons=[m.reason for m in messages],
    )
    return {(row["step_id"], row["second"], row["reason"]): row["count"] for row in rows}


async def put_off(unit: Unit, *, enrollments: Sequence[PutOff]) -> None:
    await unit.run(
        _SQL["put_off"],
        ids=[each.enrollment_id for each in enrollments],
        untils=[each.until for each in enrollments],
        for_delivery=[each.for_delivery for each in enrollments],
        since_ats=[each.since_at for each in enrollments],
    )


async def pass_on(unit: Unit, *, enrollments: Sequence[PassedOn]) -> None:
    await unit.run(
        _SQL["pass_on"],
        ids=[each.enrollment_id for each in enrollments],
        steps=[each.step_id for each in enrollments],
        places=[each.place for each in enrollments],
        due_ats=[each.due_at for each in enrollments],
    )


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
        local=_local(row["schedule"]),
        started_at=row["started_at"],
    )


async def slice_end(unit: Unit, *, broadcast: Broadcast, limit: int) -> ContactId | None:
    """Return the last contact of the next slice; None: none are left.

    Args:
        limit: How many contacts a slice has, of all; of a frozen audience it is a chunk.
    """
    if broadcast.audience.everyone:
        last: ContactId | None = await unit.value(
            _SQL["slice_end"],
            cursor=broadcast.cursor,
            ceiling=broadcast.contacts_up_to,
            limit=limit,
        )
    else:
        last = await unit.value(_SQL["chunk_end"], campaign=broadcast.id, cursor=broadcast.cursor)
    return last


async def zones_in_slice(unit: Unit, *, broadcast: Broadcast, until: ContactId) -> list[str]:
    rows = await unit.rows(
        _SQL["zones_in_slice"],
        campaign=broadcast.id,
        everyone=broadcast.audience.everyone,
        cursor=broadcast.cursor,
        until=until,
    )
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
        promotional=MEANINGS[broadcast.type].promotional,
        cursor=broadcast.cursor,
        until=until,
        everyone=broadcast.audience.everyone,
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


def _local(written: dict[str, Any] | None) -> datetime | None:
    return None if written is None else Schedule.from_json(written).local


async def move_cursor(unit: Unit, *, campaign: CampaignId, cursor: ContactId, done: bool) -> None:
    """Remember how far planning got; *done*: and forget the audience, which is planned."""
    await unit.run(_SQL["move_cursor"], campaign=campaign, cursor=cursor, done=done)
    if done:
        await members.thaw(unit, campaign=campaign)
