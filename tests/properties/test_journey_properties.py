"""What happens to an enrollment: the delay rule, hours, conditions, and changes of the steps."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from engine import journey
from engine.campaign import StepRule
from engine.conditions import (
    LONGEST_WAIT,
    Condition,
    Conditions,
    Evidence,
    Fact,
    Otherwise,
    holds,
)
from engine.hours import Hours
from engine.ids import StepId
from engine.journey import Finish, Go, LeaveOut, PassOn, Standing, Wait
from engine.message import State
from engine.reasons import Reason
from engine.timing import Anchor, Timing
from tests.properties.test_hours_properties import INSTANTS, ZONES, windows

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TIMINGS = st.builds(
    Timing,
    clock=st.none() | st.builds(time, st.integers(0, 23), st.integers(0, 59)),
    weekday=st.none() | st.integers(0, 6),
    anchor=st.none()
    | st.builds(Anchor, attribute=st.just("day"), days=st.integers(-30, 30), yearly=st.booleans()),
)
CONDITIONS = st.builds(
    Conditions,
    all_of=st.lists(
        st.builds(Condition, fact=st.sampled_from(Fact))
        | st.builds(Condition, tag=st.sampled_from(["vip", "lead"]))
        | st.builds(Condition, property=st.just("plan"), value=st.sampled_from(["gold", "b"])),
        max_size=2,
    ).map(tuple),
    otherwise=st.sampled_from(Otherwise),
    wait=st.booleans(),
)
DELAYS = st.timedeltas(timedelta(0), timedelta(days=20)).map(
    lambda span: timedelta(seconds=int(span.total_seconds()))
)


@st.composite
def drips(draw: st.DrawFn, *, conditions: bool = True) -> tuple[StepRule, ...]:
    count = draw(st.integers(1, 5))
    return tuple(
        StepRule(
            id=StepId(number),
            position=float(number),
            after=draw(DELAYS),
            timing=draw(TIMINGS) if conditions else Timing(),
            conditions=draw(CONDITIONS) if conditions and number > 1 else Conditions(),
        )
        for number in range(1, count + 1)
    )


@dataclass
class Walk:
    """One contact walking through a drip in pretended time, as planner and sender move it.

    Attributes:
        planned: (step, due) of every message; moments: when each was accepted or ended.
    """

    steps: tuple[StepRule, ...]
    hours: dict[StepId, Hours]
    zone: ZoneInfo
    standing: Standing
    at: datetime
    planned: list[tuple[StepId, datetime]] = field(default_factory=list)
    left_out: list[tuple[StepId, Reason]] = field(default_factory=list)
    bases: list[tuple[StepId, datetime, datetime]] = field(default_factory=list)
    evidence: dict[StepId, Evidence] = field(default_factory=dict)

    def advance(self, step: StepRule, moment: datetime) -> bool:
        following = journey.upcoming(self.steps, step.position)
        if following is None:
            return False
        self.bases.append((following.id, moment, moment + following.after))
        self.standing = replace(
            self.standing,
            step_id=following.id,
            place=step.position,
            since_at=moment,
            due_at=moment + following.after,
            timed=False,
            evidence=dict(self.evidence),
        )
        return True


def begun(steps: tuple[StepRule, ...], hours: Hours, zone: ZoneInfo, at: datetime) -> Walk:
    first = steps[0]
    return Walk(
        steps=steps,
        hours={step.id: hours for step in steps},
        zone=zone,
        at=at,
        standing=Standing(
            step_id=first.id,
            place=0,
            since_at=at,
            due_at=at + first.after,
            timed=False,
            zone=zone,
            attributes={"day": "2026-12-24"},
            tags=("vip",),
        ),
        bases=[(first.id, at, at + first.after)],
    )


@given(drips(), windows(), ZONES, INSTANTS, st.data())
def test_nothing_is_due_outside_its_hours_before_its_delay_or_twice(
    steps: tuple[StepRule, ...], hours: Hours, zone: ZoneInfo, at: datetime, data: st.DataObject
) -> None:
    walk = begun(steps, hours, zone, at)
    for _ in range(60):
        late = data.draw(st.sampled_from([timedelta(0), timedelta(minutes=7), timedelta(days=3)]))
        walk.at = max(walk.at, walk.standing.due_at) + late
        before = walk.standing
        step = next(each for each in steps if each.id == before.step_id)
        decision = journey.decide(before, steps, walk.hours, at=walk.at)
        match decision:
            case Wait(until=until):
                assert until > walk.at
                walk.standing = replace(before, due_at=until, timed=True)
            case Go(due_at=due_at):
                assert hours.inside(due_at, zone)
                assert due_at >= before.since_at + step.after  # type: ignore[operator]  # always set here
                walk.planned.append((step.id, due_at))
                accepted = max(walk.at, due_at) + data.draw(DELAYS)
                walk.at = accepted
                walk.evidence[step.id] = Evidence(
                    state=State.DELIVERED, accepted_at=accepted, delivered_at=accepted
                )
                if not walk.advance(step, accepted):
                    break
            case LeaveOut(reason=reason, ends=ends):
                walk.left_out.append((step.id, reason))
                walk.evidence[step.id] = Evidence(state=State.SKIPPED)
                if ends or not walk.advance(step, walk.at):
                    break
            case _:
                raise AssertionError(decision)
    else:
        raise AssertionError("the walk does not end")

    met = [step for step, _ in walk.planned] + [step for step, _ in walk.left_out]
    assert len(met) == len(set(met))


@given(
    drips(conditions=False),
    windows(),
    ZONES,
    INSTANTS,
    st.lists(st.tuples(st.booleans(), DELAYS), min_size=5, max_size=5),
)
def test_delays_count_from_when_the_step_before_was_accepted_or_ended(
    steps: tuple[StepRule, ...],
    hours: Hours,
    zone: ZoneInfo,
    at: datetime,
    endings: list[tuple[bool, timedelta]],
) -> None:
    """Under skips, retries (an acceptance that came late) and quiet hours."""
    walk = begun(steps, hours, zone, at)
    since = at
    for step, (accepted, after) in zip(steps, endings, strict=False):
        ready = since + step.after
        assert walk.standing.due_at == ready

        decision = journey.decide(walk.standing, steps, walk.hours, at=ready)

        assert decision == Go(due_at=hours.opens(ready, zone))
        ended = hours.opens(ready, zone) + after
        walk.evidence[step.id] = Evidence(
            state=State.ACCEPTED if accepted else State.DEAD,
            accepted_at=ended if accepted else None,
        )
        walk.advance(step, ended)
        since = ended


@given(
    after=DELAYS,
    delivered=st.none() | st.timedeltas(timedelta(0), timedelta(days=3)),
    died=st.booleans(),
)
def test_waiting_for_delivery_ends_with_it_and_after_a_day_at_most(
    after: timedelta, delivered: timedelta | None, *, died: bool
) -> None:
    steps = (
        StepRule(id=StepId(1), position=1, after=timedelta(0)),
        StepRule(id=StepId(2), position=2, after=after, conditions=Conditions(wait=True)),
    )
    ready = NOON + after
    state = State.DEAD if died else State.ACCEPTED
    sent = Evidence(state=state, accepted_at=NOON)
    arrived = sent
    if delivered is not None:
        arrived = replace(sent, state=State.DELIVERED, delivered_at=NOON + delivered)
    standing = Standing(
        step_id=StepId(2),
        place=1,
        since_at=NOON,
        due_at=ready,
        timed=False,
        zone=ZoneInfo("UTC"),
        evidence={StepId(1): sent},
    )
    hours = {step.id: Hours() for step in steps}

    first = journey.decide(standing, steps, hours, at=ready)

    if died:
        assert first == Go(due_at=ready)
        return
    assert first == Wait(until=ready + LONGEST_WAIT, for_delivery=True)
    comes = ready + LONGEST_WAIT
    if delivered is not None:
        comes = max(ready, min(comes, NOON + delivered))
    known = arrived if delivered is not None and NOON + delivered <= comes else sent
    again = replace(standing, due_at=comes, timed=True, evidence={StepId(1): known})
    assert journey.decide(again, steps, hours, at=comes) == Go(due_at=comes)


EVIDENCE = st.none() | st.builds(
    Evidence,
    state=st.sampled_from(State),
    accepted_at=st.none() | st.just(NOON),
    delivered_at=st.none() | st.just(NOON),
    read_at=st.none() | st.just(NOON),
    replied_at=st.none() | st.just(NOON),
    clicked_at=st.none() | st.just(NOON),
)


@given(EVIDENCE, st.sampled_from(Fact))
def test_a_fact_and_its_opposite_never_both_hold(before: Evidence | None, fact: Fact) -> None:
    def so(asked: Fact) -> bool:
        conditions = Conditions(all_of=(Condition(fact=asked),))
        return holds(conditions, before, {}, ())

    at = None if before is None else getattr(before, f"{fact.removeprefix('not_')}_at")
    assert so(fact) is ((at is None) if fact.startswith("not_") else (at is not None))
    for yes, no in ((Fact.REPLIED, Fact.NOT_REPLIED), (Fact.READ, Fact.NOT_READ)):
        assert so(yes) is not so(no)


@given(CONDITIONS)
def test_conditions_are_kept_as_they_are(conditions: Conditions) -> None:
    assert Conditions.from_json(conditions.to_json()) == conditions


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=6, unique=True),
    st.integers(0, 9),
    st.integers(1, 9),
    st.sets(st.integers(1, 9)),
)
def test_whatever_became_of_the_steps_nobody_is_sent_back_or_gets_one_twice(
    positions: list[int], place: int, waits_for: int, had: set[int]
) -> None:
    """Steps were put in, moved and removed in any way since the enrollment began to wait."""
    steps = tuple(
        StepRule(id=StepId(place), position=place, after=timedelta(hours=place))
        for place in sorted(positions)
    )
    standing = Standing(
        step_id=StepId(waits_for),
        place=place,
        since_at=NOON,
        due_at=NOON + timedelta(days=1),
        timed=False,
        zone=ZoneInfo("UTC"),
        evidence={StepId(each): Evidence(state=State.READ) for each in had},
    )
    left = [each for each in sorted(positions) if each > place and each not in had]

    at = NOON + timedelta(days=2)
    decision = journey.decide(standing, steps, {each.id: Hours() for each in steps}, at=at)

    match decision:
        case Finish():
            assert not left
        case Go():
            assert left[0] == waits_for
        case PassOn(step_id=step_id, place=now, due_at=due_at):
            assert step_id == left[0] != waits_for
            assert place <= now < step_id
            assert due_at >= at
        case _:
            raise AssertionError(decision)
