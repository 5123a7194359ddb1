"""Drips: due enrollments become messages, wait on, are left out or end, a batch at a time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, assert_never

from engine import journey
from engine.campaign import StepRule
from engine.conditions import Evidence
from engine.enrollment import EndReason
from engine.hours import Hours
from engine.ids import EnrollmentId, StepId
from engine.journey import Finish, Go, LeaveOut, PassOn, Standing, Wait
from engine.message import hour_of
from engine.reasons import Reason
from engine.sending_rules import SendingRules
from storage import enrollments, messages, planning
from storage.database import Unit
from storage.enrollments import Running
from storage.messages import StatKey
from storage.planning import Drip, DueEnrollment, PassedOn, Pauses, PlannedMessage, PutOff

ENROLLMENTS: Final = 500
"""How many are decided in one transaction."""


async def plan_drip(unit: Unit, drip: Drip, rules: SendingRules, floor: int) -> bool:
    """Decide about a batch of what is due; return whether there was any."""
    pauses = await planning.lock_drip(unit, campaign=drip.id)
    if pauses is None:
        return False
    steps = await planning.walk(unit, campaign=drip.id)
    due = await planning.due_enrollments(
        unit,
        campaign=drip.id,
        limit=ENROLLMENTS,
        with_attributes=any(step.timing.anchor for step in steps),
    )
    if not due:
        return False
    hours = {step.id: rules.hours_of(step.settings_over(drip.settings)) for step in steps}
    standings = await _standings(unit, drip, due, steps, rules)
    by_id = {step.id: step for step in steps}
    batch = _Batch(drip=drip, rules=rules, floor=floor, steps=by_id, pauses=pauses)
    for one, standing in zip(due, standings, strict=True):
        _decide(batch, one, standing, steps, hours, unit.at)
    await _carry_out(unit, batch)
    return True


@dataclass(slots=True, kw_only=True)
class _Batch:
    """What was decided, to be written at once."""

    drip: Drip
    rules: SendingRules
    floor: int
    steps: Mapping[StepId, StepRule]
    pauses: Pauses
    planned: list[PlannedMessage] = field(default_factory=list)
    put_off: list[PutOff] = field(default_factory=list)
    passed_on: list[PassedOn] = field(default_factory=list)
    ended: list[Running] = field(default_factory=list)


async def _standings(
    unit: Unit,
    drip: Drip,
    due: Sequence[DueEnrollment],
    steps: Sequence[StepRule],
    rules: SendingRules,
) -> list[Standing]:
    """Return where each stands, with what its step asks of messages and tags."""
    again = any(step.moved for step in steps)
    looking = {step.id for step in steps if step.conditions.looks_back}
    asked = [each for each in due if again or each.retraced or each.step_id in looking]
    evidence: Mapping[EnrollmentId, Mapping[StepId, Evidence]] = (
        await planning.evidence(unit, campaign=drip.id, enrollments=asked) if asked else {}
    )
    wanted = {tag for step in steps for tag in step.conditions.tags}
    contacts = [each.contact_id for each in due]
    tags = await planning.tags_asked(unit, tags=wanted, contacts=contacts) if wanted else {}
    return [
        Standing(
            step_id=each.step_id,
            place=each.place,
            since_at=each.since_at,
            due_at=each.due_at,
            timed=each.timed,
            zone=rules.zone_of(each.timezone),
            attributes=each.attributes,
            tags=tags.get(each.contact_id, ()),
            properties=each.properties,
            evidence=evidence.get(each.id, {}),
        )
        for each in due
    ]


def _decide(
    batch: _Batch,
    one: DueEnrollment,
    standing: Standing,
    steps: Sequence[StepRule],
    hours: Mapping[StepId, Hours],
    at: datetime,
) -> None:
    match journey.decide(standing, steps, hours, at=at):
        case Go(due_at=due_at):
            batch.planned.append(_planned(batch, one, due_at))
        case LeaveOut(reason=reason, ends=ends):
            batch.planned.append(_planned(batch, one, one.due_at, reason))
            if ends:
                running = Running(id=one.id, campaign_id=batch.drip.id, contact_id=one.contact_id)
                batch.ended.append(running)
        case Wait(until=until, for_delivery=for_delivery):
            batch.put_off.append(
                PutOff(
                    enrollment_id=one.id,
                    until=until,
                    for_delivery=for_delivery,
                    since_at=one.due_at - batch.steps[one.step_id].after,
                )
            )
        case PassOn(step_id=step_id, place=place, due_at=due_at):
            batch.passed_on.append(
                PassedOn(enrollment_id=one.id, step_id=step_id, place=place, due_at=due_at)
            )
        case Finish():
            batch.passed_on.append(
                PassedOn(enrollment_id=one.id, step_id=None, place=one.place, due_at=None)
            )
        case other:
            assert_never(other)


async def _carry_out(unit: Unit, batch: _Batch) -> None:
    if batch.put_off:
        await planning.put_off(unit, enrollments=batch.put_off)
    if batch.passed_on:
        await planning.pass_on(unit, enrollments=batch.passed_on)
    if not batch.planned:
        return
    made = await planning.plan_enrollments(unit, campaign=batch.drip.id, messages=batch.planned)
    ended = {each.id for each in batch.ended}
    onward = [m for m in batch.planned if m.reason is not None and m.enrollment_id not in ended]
    await messages.advance(
        unit,
        runs=[m.enrollment_id for m in onward],
        steps=[m.step_id for m in onward],
        moments=[unit.at] * len(onward),
    )
    if batch.ended:
        await enrollments.end(unit, enrollments=batch.ended, reason=EndReason.CONDITION)
    deltas: Counter[StatKey] = Counter()
    for (step, second, reason), count in made.items():
        key = (batch.drip.id, step, 0, hour_of(datetime.fromtimestamp(second, UTC)))
        deltas[*key, "planned"] += count
        if reason:
            deltas[*key, f"skipped:{reason}"] += count
    await messages.move_stats(unit, deltas)


def _planned(
    batch: _Batch, one: DueEnrollment, due_at: datetime, reason: Reason | None = None
) -> PlannedMessage:
    deadline = batch.rules.deadline_of(batch.drip.settings)
    return PlannedMessage(
        enrollment_id=one.id,
        contact_id=one.contact_id,
        step_id=one.step_id,
        place=batch.steps[one.step_id].position,
        number_id=batch.rules.number_for(batch.drip.number_id, one.last_number_id),
        second=max(int(one.due_at.timestamp()), batch.floor),
        due_at=due_at,
        deadline_at=batch.pauses.deadline_at(due_at, deadline) if deadline else None,
        reason=reason,
    )
