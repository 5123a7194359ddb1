"""What happens to one enrollment at one moment: the whole decision, without I/O.

The planner asks it about what is due; whoever plays a campaign through asks it in pretended time.
A contact's place is the position of the last step that was planned for it, and the next step is
the first one beyond that place. So nobody is sent back by a step that is put in or moved, and
nobody waits for one that is gone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from engine import timing
from engine.campaign import StepRule
from engine.conditions import LONGEST_WAIT, Evidence, Otherwise, holds
from engine.hours import Hours
from engine.ids import StepId
from engine.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An enrollment that has come up, and what is known of its contact.

    Attributes:
        step_id: The step it waits for.
        place: The position of the last step planned for it; 0: none yet.
        since_at: From when the delay of its step counts; None: unknown, so *due_at* is its end.
        due_at: When it came up.
        timed: Whether *due_at* is the moment of the step, rather than the end of its delay.
        properties: Of the event that enrolled it.
        evidence: What became of the run's messages, as far as the steps ask.
    """

    step_id: StepId
    place: float
    since_at: datetime | None
    due_at: datetime
    timed: bool
    zone: tzinfo
    attributes: Mapping[str, object] = field(default_factory=dict)
    tags: Collection[str] = ()
    properties: Mapping[str, object] = field(default_factory=dict)
    evidence: Mapping[StepId, Evidence] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """It comes up again then.

    Attributes:
        for_delivery: Or as soon as the step before is delivered.
    """

    until: datetime
    for_delivery: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """Its message is due then, inside its hours."""

    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveOut:
    """The step is not for this contact, who goes on to the next, or is through with it all."""

    reason: Reason
    ends: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PassOn:
    """Another step is the next one: its steps were changed since.

    Attributes:
        place: Where the contact stands now.
    """

    step_id: StepId
    place: float
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Finish:
    """No step is left."""


Decision = Wait | Go | LeaveOut | PassOn | Finish


def upcoming(steps: Sequence[StepRule], place: float) -> StepRule | None:
    """Return the first step beyond *place*; None: there is none.

    Args:
        steps: Those that have not been removed, in order.
    """
    return next((step for step in steps if step.position > place), None)


def decide(
    standing: Standing, steps: Sequence[StepRule], hours: Mapping[StepId, Hours], *, at: datetime
) -> Decision:
    """Decide about an enrollment that is due at *at*.

    Args:
        steps: Those that have not been removed, in order.
        hours: Of every step, in which its messages may leave.
    """
    step = _next_unsent(standing, steps)
    if step is None:
        return Finish()
    if step.id != standing.step_id:
        due_at = standing.due_at
        if standing.since_at is not None:
            due_at = max(standing.since_at + step.after, at)
        return PassOn(step_id=step.id, place=_before(steps, step, standing.place), due_at=due_at)
    before = _before_it(standing, steps, step)
    ready = _ready(standing, step)
    if step.conditions.wait and before is not None:
        limit = ready + LONGEST_WAIT
        if before.may_still_arrive and at < limit:
            return Wait(until=limit, for_delivery=True)
        arrived = limit if before.may_still_arrive else before.delivered_at or ready
        ready = max(ready, min(arrived, limit))
    anchor = step.timing.anchor
    value = standing.attributes.get(anchor.attribute) if anchor else None
    match timing.moment(step.timing, ready, standing.zone, value):
        case timing.NoDate():
            return LeaveOut(reason=Reason.NO_DATE)
        case timing.DatePassed():
            return LeaveOut(reason=Reason.DATE_PASSED)
        case datetime() as moment:
            return _due(standing, step, before, max(moment, standing.due_at), hours[step.id], at)


def _due(
    standing: Standing,
    step: StepRule,
    before: Evidence | None,
    moment: datetime,
    hours: Hours,
    at: datetime,
) -> Decision:
    if moment > at:
        return Wait(until=moment)
    opens = hours.opens(moment, standing.zone)
    if not step.conditions.all_of:
        return Go(due_at=opens)
    if opens > at:
        # Judged when it would leave: until then the contact may read or reply.
        return Wait(until=opens)
    if holds(step.conditions, before, standing.evidence, standing.tags, standing.properties):
        return Go(due_at=opens)
    return LeaveOut(reason=Reason.CONDITION, ends=step.conditions.otherwise is Otherwise.END)


def _next_unsent(standing: Standing, steps: Sequence[StepRule]) -> StepRule | None:
    """Return the next step the contact has not had; one that was moved may be met twice."""
    for step in steps:
        if step.position > standing.place and step.id not in standing.evidence:
            return step
    return None


def _before(steps: Sequence[StepRule], step: StepRule, place: float) -> float:
    passed = [each.position for each in steps if place < each.position < step.position]
    return passed[-1] if passed else place


def _before_it(standing: Standing, steps: Sequence[StepRule], step: StepRule) -> Evidence | None:
    """Return what became of the step before, for this contact: one that was put in since is not."""
    for each in reversed(steps):
        if each.position < step.position and each.id in standing.evidence:
            return standing.evidence[each.id]
    return None


def _ready(standing: Standing, step: StepRule) -> datetime:
    if standing.timed and standing.since_at is not None:
        return standing.since_at + step.after
    return standing.due_at
