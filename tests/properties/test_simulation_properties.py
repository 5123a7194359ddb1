"""A crowd played in cohorts fares as its people do one by one, within what gate and caps allow."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.campaign import StepRule
from engine.conditions import Condition, Conditions, Fact
from engine.consent import Consent
from engine.crowd import Assumed, Person, Plan
from engine.hours import Hours
from engine.ids import CampaignId, ContactId, StepId
from engine.overlap import Exclude
from engine.simulate import simulate
from engine.simulated import Outcome, Tally

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ZONES = tuple(map(ZoneInfo, ("Europe/Amsterdam", "Asia/Kolkata", "America/New_York")))
FIRST = StepId(1)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    delays = draw(st.lists(st.integers(0, 60), min_size=1, max_size=4))
    asks = Conditions(all_of=(Condition(fact=draw(st.sampled_from((Fact.READ, Fact.REPLIED)))),))
    steps = tuple(
        StepRule(
            id=StepId(place),
            position=place,
            after=timedelta(hours=delay),
            conditions=asks if place > 1 and draw(st.booleans()) else Conditions(),
        )
        for place, delay in enumerate(delays, start=1)
    )
    hours = draw(st.sampled_from((Hours(), Hours(540, 1080), Hours(540, 1080, frozenset({0, 3})))))
    return Plan(
        campaign_id=CampaignId(1),
        promotional=draw(st.booleans()),
        drip=True,
        stop_on_reply=draw(st.booleans()),
        steps=steps,
        hours={step.id: hours for step in steps},
        free_form=draw(st.sampled_from((frozenset(), frozenset({FIRST})))),
        fallbacks=frozenset(),
        deadline=draw(st.sampled_from((None, timedelta(days=1)))),
        cooldown=draw(st.sampled_from((timedelta(), timedelta(days=1)))),
        cap=None,
        exclude=Exclude.NONE,
        interval=None,
        per_day=draw(st.none() | st.integers(1, 9)),
        per_hour=None,
        zone=ZONES[0],
    )


@st.composite
def people(draw: st.DrawFn) -> Person:
    promoted = draw(st.none() | st.integers(0, 30))
    wrote = draw(st.none() | st.integers(0, 30))
    return Person(
        zone=draw(st.sampled_from(ZONES)),
        consent=Consent(opted_out_at=draw(st.sampled_from((None, None, None, NOON)))),
        addressed=True,
        step_id=FIRST,
        due_at=NOON,
        since_at=NOON,
        promoted_at=None if promoted is None else NOON - timedelta(hours=promoted),
        promoted_by=None if promoted is None else CampaignId(2),
        last_inbound_at=None if wrote is None else NOON - timedelta(hours=wrote),
    )


CROWDS = st.lists(people(), min_size=1, max_size=25)


def played(plan: Plan, crowd: list[Person], assumed: Assumed, *, alone: bool) -> Tally:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.simulate.ONE_BY_ONE", len(crowd) if alone else 0)
        named = [(ContactId(place), each) for place, each in enumerate(crowd, start=1)]
        return simulate(plan, named, at=NOON, assumed=assumed)


def counts(tally: Tally) -> dict[tuple[date, int], Counter[Outcome]]:
    return {key: line.counts for key, line in tally.lines.items()}


ASSUMED = st.builds(Assumed, read=st.integers(0, 100), replied=st.integers(0, 100))


@given(plans().filter(lambda plan: plan.per_day is None), CROWDS, ASSUMED)
def test_cohorts_fare_as_their_people_do(plan: Plan, crowd: list[Person], assumed: Assumed) -> None:
    assert counts(played(plan, crowd, assumed, alone=False)) == counts(
        played(plan, crowd, assumed, alone=True)
    )


@given(plan=plans(), crowd=CROWDS, assumed=ASSUMED, alone=st.booleans())
def test_nobody_gets_a_step_twice_or_after_a_stop_or_beyond_the_cap(
    plan: Plan, crowd: list[Person], assumed: Assumed, *, alone: bool
) -> None:
    tally = played(plan, crowd, assumed, alone=alone)

    met = [(contact, step) for contact, step, _, _ in tally.each()]
    assert len(met) == len(set(met)) == len(tally)
    for contact, _, at, outcome in tally.each():
        person = crowd[contact - 1]
        if outcome.reason is None:
            assert not person.consent.opted_out
            assert plan.hours[FIRST].inside(at, person.zone)
    if plan.per_day is not None:
        assert all(sent <= plan.per_day for sent in tally.days.values())
    assert tally.totals == sum((line.counts for line in tally.lines.values()), Counter())
