"""A simulation says what planner, gate and lane do when the clock is walked."""

# ruff: noqa: E501 — SQL reads better unbroken

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.campaign import Kind, Step
from engine.crowd import Assumed, Person
from engine.foresight import Foresight, Standpoint, Used
from engine.hours import Hours
from engine.ids import CampaignId, ContactId
from engine.refusal import Refusal
from engine.simulate import simulate
from engine.usecases.change_steps import Writing, add_step, edit_step, move_step, remove_step
from engine.usecases.compose import Wanted
from engine.usecases.write_step import StepWish
from storage import attributes, audiences, campaigns, looking, standings
from storage.campaigns import Campaigns
from storage.database import Unit
from storage.templates import KnownTemplates
from tests.database import ACME, NOON
from tests.examples import LONG
from tests.integration.worker.played import (
    DAY,
    EMPTY,
    HOUR,
    MINUTE,
    Drawn,
    Habits,
    Made,
    draw_rules,
    drawn_campaigns,
    drawn_habits,
    make,
    walk,
)
from tests.integration.worker.world import WELCOME, World, worker
from worker.rewalking import rewalk

Became = tuple[str, datetime]
"""Sent, or the reason why not; and when, to the second."""
Became_of = dict[tuple[ContactId, int], Became]
"""What became of the steps, by contact and the number that each has now."""


@LONG
@given(random=st.randoms(use_true_random=False))
async def test_what_a_simulation_says_is_what_happens(world: World, random: Random) -> None:
    await world.value(EMPTY)
    drawn = drawn_campaigns(random)
    draw_rules(world, random, drawn)

    await _as_said(world, drawn, drawn_habits(random))


async def test_a_reply_leaves_out_at_once_what_is_queued_until_the_morning(world: World) -> None:
    step = {"after_s": 0, "content": WELCOME, "conditions": {}, "timing": {}, "fallback": None}
    drawn = Drawn(
        kind=Kind.DRIP,
        steps=[{**step, "settings": {}}, {**step, "settings": {"hours": "09:00-11:00"}}],
        settings={"stop_on_reply": True},
        type="promotional",
        people=[{}],
    )

    happened = await _as_said(world, [drawn], Habits(reads=True, replies=True))

    assert list(happened.values()) == [
        ("sent", NOON),
        ("enrollment_ended", NOON + MINUTE),
    ]


async def test_who_was_planned_first_has_the_first_turn_also_in_a_simulation(world: World) -> None:
    named = {**WELCOME, "parameters": [["1", "{company}"]]}
    step = {"after_s": 0, "content": named, "settings": {}, "conditions": {}, "timing": {}}
    drawn = Drawn(
        kind=Kind.DRIP,
        steps=[{**step, "fallback": None}] * 2,
        settings={"stop_on_reply": True, "per_day": 1},
        type="promotional",
        people=[{"company": "Acme"}, {}],
    )
    (made,) = await make(world, [drawn])
    nothing = Habits(reads=False, replies=False)
    # The first has had one, and the next one planned, behind the second's, which is yet to be seen.
    await walk(world, nothing, moments=1)

    async with world.database.owner_unit(ACME, NOON) as unit:
        said = await _simulated_on(unit, world, made, nothing)
    await walk(world, nothing)

    first, second = made.contacts
    midnight = NOON + HOUR * 12
    happened = await _happened(world, [made])
    assert happened[second, 1] == ("missing_value", midnight)
    assert {each: what for each, what in happened.items() if each != (first, 1)} == said


@pytest.mark.parametrize("kind", [Kind.BROADCAST, Kind.DRIP])
@pytest.mark.parametrize("limit", ["messaging_limit", "contacts_per_day", "both"])
async def test_a_simulation_knows_the_limits_on_people(
    world: World, kind: Kind, limit: str
) -> None:
    await world.value(EMPTY)
    if limit != "messaging_limit":
        world.with_rules(contacts_per_day=3)
    if limit != "contacts_per_day":
        await world.value("update numbers set messaging_limit = 'TIER_4'")
    step = {"after_s": 0, "content": WELCOME, "settings": {}, "conditions": {}, "timing": {}}
    drawn = Drawn(
        kind=kind,
        steps=[{**step, "fallback": None}],
        settings={"stop_on_reply": True},
        type="promotional",
        people=[{}] * 9,
    )
    (made,) = await make(world, [drawn])
    nothing = Habits(reads=False, replies=False)
    # Another campaign has taken a place each.
    for cap, bucket in (("messaging_limit", NOON - HOUR), ("contacts_per_day", NOON - 12 * HOUR)):
        await world.value(
            "insert into place_counts (organization_id, cap, bucket, count) values ($1, $2, $3, 1)",
            ACME,
            cap,
            bucket,
        )

    async with world.database.owner_unit(ACME, NOON) as unit:
        used = await looking.used(unit, campaign=made.id, rules=world.rules)
        inside: list[tuple[ContactId, Standpoint | None]] = [(each, None) for each in made.contacts]
        said = await _said(unit, world, made, nothing, inside, used)
    await walk(world, nothing)

    happened = await _happened(world, [made])
    assert happened == said
    assert {what for what, _ in happened.values()} == {"sent"}
    assert len({at for _, at in happened.values()}) >= 3


async def test_people_who_are_alike_have_their_turn_where_they_stand_in_a_simulation(
    world: World,
) -> None:
    step = {"after_s": 0, "content": WELCOME, "settings": {}, "conditions": {}, "timing": {}}
    drawn = Drawn(
        kind=Kind.BROADCAST,
        steps=[{**step, "fallback": None}],
        settings={"per_day": 1},
        type="transactional",
        people=[{}, {"timezone": "Asia/Tokyo"}, {}],
    )

    happened = await _as_said(world, [drawn], Habits(reads=False, replies=False))

    assert [at for _, at in sorted(happened.values(), key=lambda each: each[1])] == [
        at for _, (_, at) in sorted(happened.items())
    ]


@LONG
@given(random=st.randoms(use_true_random=False))
async def test_from_where_people_are_it_goes_on_as_a_simulation_says(
    world: World, random: Random
) -> None:
    await world.value(EMPTY)
    drawn, habits = drawn_campaigns(random), drawn_habits(random)
    draw_rules(world, random, drawn)
    made = await make(world, drawn)
    await walk(world, habits, moments=random.randint(1, 6))
    for each in made:
        await _edited(world, each.id, random)
    before = await _happened(world, made, settled=True)

    said: Became_of = {}
    for each in made:
        async with world.database.owner_unit(ACME, world.clock.now()) as unit:
            said |= await _simulated_on(unit, world, each, habits)
    await walk(world, habits)

    happened = await _happened(world, made)
    assert {each: what for each, what in happened.items() if each not in before} == said


async def _as_said(world: World, drawn: Sequence[Drawn], habits: Habits) -> Became_of:
    """Simulate campaigns, let them happen, and want the same."""
    made = await make(world, drawn)
    said: Became_of = {}
    for each in made:
        async with world.database.owner_unit(ACME, NOON) as unit:
            said |= await _simulated(unit, world, each, habits)
    await walk(world, habits)

    happened = await _happened(world, made)
    assert happened == said
    return happened


# What is said


async def _simulated(unit: Unit, world: World, made: Made, habits: Habits) -> Became_of:
    """Simulate for those in it from the beginning."""
    standpoint: Standpoint | None = None
    inside = [(each, standpoint) for each in made.contacts]
    return await _said(unit, world, made, habits, inside, Used())


async def _simulated_on(unit: Unit, world: World, made: Made, habits: Habits) -> Became_of:
    """Simulate for those in it now."""
    used = await looking.used(unit, campaign=made.id, rules=world.rules)
    read = standings.of_drip if made.kind is Kind.DRIP else standings.of_broadcast
    found = await read(unit, campaign=made.id, after=0, limit=1000)
    inside = [(each.contact_id, each.standpoint) for each in found]
    return await _said(unit, world, made, habits, inside, used)


async def _said(
    unit: Unit,
    world: World,
    made: Made,
    habits: Habits,
    inside: Sequence[tuple[ContactId, Standpoint | None]],
    used: Used,
) -> Became_of:
    found = await campaigns.get(unit, campaign=made.id)
    assert found is not None
    steps = await campaigns.steps(unit, campaign=made.id)
    foresight = Foresight(found, steps, world.rules, at=unit.at, used=used)
    facts = await looking.facts(
        unit,
        contacts=[contact for contact, _ in inside],
        number=found.number_id,
        numbers=world.rules.number_ids,
        beside=made.id if found.excluded.active else None,
    )
    known = {each.contact_id: each for each in facts}
    crowd: list[tuple[ContactId, Person]] = [
        (contact, foresight.person(known[contact], standpoint)) for contact, standpoint in inside
    ]
    assumed = Assumed(
        read=100 if habits.reads else 0,
        replied=100 if habits.replies else 0,
    )
    tally = simulate(foresight.plan, crowd, at=unit.at, assumed=assumed)
    return {
        (contact, step): (str(outcome.reason or "sent"), at)
        for contact, step, at, outcome in tally.each()
    }


# What happens


async def _edited(world: World, campaign: CampaignId, random: Random) -> None:
    """Change the steps as staff do, or leave them."""
    number, to, how = random.randint(1, 3), random.randint(1, 3), random.randrange(6)
    after = random.choice((timedelta(), HOUR, DAY * 2))
    said = random.choice(("Hello {first_name|you}", "Hello {company}"))
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        staff = Campaigns(unit, "U0OWNER", rules=world.rules)
        steps = await campaigns.steps(unit, campaign=campaign)
        if number > len(steps) or to > len(steps):
            return
        try:
            await _edit(
                unit, staff, campaign, steps, how, number=number, to=to, after=after, said=said
            )
        except Refusal:
            return
    while await rewalk(worker(world), ACME):
        pass


async def _edit(
    unit: Unit,
    staff: Campaigns,
    campaign: CampaignId,
    steps: Sequence[Step],
    how: int,
    *,
    number: int,
    to: int,
    after: timedelta,
    said: str,
) -> None:
    step = steps[number - 1]
    writing = Writing(
        templates=KnownTemplates(unit),
        attributes=audiences.ContactAttributes(unit),
        types=await attributes.known(unit),
        window=Hours(),
    )
    text = Wanted(text=said)
    match how:
        case 1 if len(steps) > 1:
            await remove_step(campaign=campaign, number=number, campaigns=staff, confirmed=step.id)
        case 2:
            await move_step(
                campaign=campaign, number=number, to=to, campaigns=staff, confirmed=step.id
            )
        case 3:
            await add_step(
                campaign=campaign,
                wish=StepWish(after=after, wanted=text),
                campaigns=staff,
                writing=writing,
                number=number,
            )
        case 4 | 5:
            wish = StepWish(wanted=text) if how == 4 else StepWish(after=after, wanted=text)
            await edit_step(
                campaign=campaign,
                number=number,
                wish=wish,
                campaigns=staff,
                writing=writing,
                confirmed=True,
            )


async def _happened(world: World, made: Sequence[Made], *, settled: bool = False) -> Became_of:
    """Return what became of the steps that are there now; or of those no longer queued."""
    rows = await world.rows(
        "select m.contact_id, s.number, m.state, m.reason, m.accepted_at, m.settled_at from messages m"
        "  join (select id, row_number() over (partition by campaign_id order by position) as number from steps"
        "         where campaign_id = any($1::bigint[]) and removed_at is null) s on s.id = m.step_id"
        " where m.campaign_id = any($1::bigint[]) and not ($2 and m.state = 'queued')",
        [each.id for each in made],
        settled,
    )
    return {
        (row["contact_id"], int(row["number"])): (
            ("sent", row["accepted_at"].replace(microsecond=0))
            if row["accepted_at"]
            else (row["reason"] or row["state"], (row["settled_at"] or NOON).replace(microsecond=0))
        )
        for row in rows
    }
