"""How contacts walk through a drip: timed steps, conditions, changes, and what was missed."""

# ruff: noqa: E501 — SQL reads better unbroken

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import journey
from engine.campaign import StepRule
from engine.conditions import Condition, Conditions, Fact, Otherwise
from engine.hours import parse
from engine.ids import CampaignId, ContactId, EnrollmentId, StepId
from engine.message import State
from engine.timing import Anchor, Timing
from storage import campaigns, enrollments, messages, recount
from storage.database import Unit
from storage.queries import Query
from tests.database import ACME, NOON
from tests.examples import ON_POSTGRES
from tests.integration.worker.world import World, worker
from worker import walking
from worker.planning import plan
from worker.rewalking import rewalk

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def planned(world: World) -> None:
    while await plan(worker(world), ACME):
        pass


async def drip(
    world: World,
    *steps: dict[str, Any],
    **columns: Any,  # noqa: ANN401 — SQL values
) -> CampaignId:
    """Create an active drip; a step is its columns, by default at once after the one before."""
    campaign = await world.campaign(kind="drip", state="active", steps=(0,) * len(steps), **columns)
    for position, step in enumerate(steps, start=1):
        values = {
            "after_s": int(step.get("after", timedelta(0)).total_seconds()),
            "timing": step.get("timing", Timing()).to_json(),
            "conditions": step.get("conditions", Conditions()).to_json(),
            "settings": step.get("settings", {}),
        }
        await world.value(
            "update steps set after_s = $3, timing = $4, conditions = $5, settings = $6"
            " where campaign_id = $1 and position = $2",
            campaign,
            position,
            *values.values(),
        )
    return campaign


async def step_of(world: World, campaign: CampaignId, position: int) -> StepId:
    found: StepId = await world.value(
        "select id from steps where campaign_id = $1 and position = $2", campaign, position
    )
    return found


async def enroll(world: World, campaign: CampaignId, contacts: list[ContactId]) -> None:
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        await enrollments.enroll(unit, campaign=campaign, contacts=contacts, by="U0OWNER")


async def become(world: World, state: State, *, at: datetime | None = None) -> None:
    """Let what is queued or accepted become something, as a webhook or the lane would write it."""
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        ids = [
            row["id"]
            for row in await unit.connection.fetch(
                "select id from messages where state in ('queued', 'accepted')"
            )
        ]
        rows = await messages.locked(unit, ids)
        await messages.save(
            unit,
            [
                (row, row.with_message(row.message.progressed(state, at=at or unit.at, attempt=1)))
                for row in rows.values()
            ],
        )


async def due(world: World) -> list[datetime]:
    rows = await world.rows("select due_at from enrollments where due_at is not null order by id")
    return [row["due_at"] for row in rows]


async def sent(world: World) -> list[tuple[float, str, str | None]]:
    """Return (position, state, reason) of all messages, in the order of the steps."""
    rows = await world.rows(
        "select s.position, m.state, m.reason from messages m join steps s on s.id = m.step_id order by s.position, m.contact_id"
    )
    return [(row["position"], row["state"], row["reason"]) for row in rows]


async def test_a_weekday_and_time_are_the_contacts_own(world: World) -> None:
    campaign = await drip(world, {"after": HOUR, "timing": Timing(clock=time(10), weekday=1)})
    zones = ("Europe/Amsterdam", "America/New_York", "Asia/Tokyo")
    people = [(await world.contacts(1, timezone=zone))[0] for zone in zones]
    await enroll(world, campaign, people)
    world.clock.advance(2 * HOUR)

    await planned(world)

    # NOON is a Friday; the next Tuesday at ten.
    tuesday = datetime(2026, 11, 24, 10)  # noqa: DTZ001 — of the zones below
    assert await due(world) == [tuesday.replace(tzinfo=ZoneInfo(zone)) for zone in zones]
    assert await world.states() == {}
    world.clock.advance(3 * DAY + 22 * HOUR)
    await planned(world)
    assert await world.states() == {"queued": 2}
    assert await recounted(world) == []


async def test_a_birthday_comes_with_the_contacts_date_and_moves_with_it(world: World) -> None:
    rule = Timing(anchor=Anchor(attribute="birthday", days=0, yearly=True))
    campaign = await drip(world, {"timing": rule})
    (ada,) = await world.contacts(1, attributes={"birthday": "1990-12-24"}, timezone="UTC")
    (late,) = await world.contacts(1, attributes={"birthday": "1990-11-01"}, timezone="UTC")
    (none,) = await world.contacts(1, attributes={"birthday": "soon"}, timezone="UTC")
    await enroll(world, campaign, [ada, late, none])
    world.clock.advance(HOUR)

    await planned(world)

    assert await due(world) == [
        datetime(2026, 12, 24, 9, tzinfo=ZoneInfo("UTC")),
        datetime(2027, 11, 1, 9, tzinfo=ZoneInfo("UTC")),
    ]
    assert await world.states() == {"skipped:no_date": 1}

    await world.value(
        'update contacts set attributes = \'{"birthday": "1990-12-01"}\' where id = $1', ada
    )
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        await enrollments.retime(unit, contacts=[ada])
    await planned(world)
    assert (await due(world))[0] == datetime(2026, 12, 1, 9, tzinfo=ZoneInfo("UTC"))
    assert await recounted(world) == []


@pytest.mark.parametrize(
    ("fact", "state", "goes"),
    [
        pytest.param(Fact.DELIVERED, State.DELIVERED, True, id="delivered"),
        pytest.param(Fact.DELIVERED, State.SENT, False, id="not delivered"),
        pytest.param(Fact.READ, State.READ, True, id="read"),
        pytest.param(Fact.READ, State.DELIVERED, False, id="unread"),
        pytest.param(Fact.NOT_READ, State.DELIVERED, True, id="not read"),
        pytest.param(Fact.NOT_READ, State.READ, False, id="read after all"),
        pytest.param(Fact.NOT_REPLIED, State.READ, True, id="not replied"),
    ],
)
async def test_a_condition_on_the_step_before_decides(
    world: World, fact: Fact, state: State, *, goes: bool
) -> None:
    asks = Conditions(all_of=(Condition(fact=fact),))
    campaign = await drip(world, {}, {"after": DAY, "conditions": asks}, {"after": DAY})
    await enroll(world, campaign, await world.contacts(3))
    await planned(world)
    await become(world, state)
    world.clock.advance(DAY + HOUR)

    await planned(world)

    assert (await sent(world))[3:] == [
        (2, "queued", None) if goes else (2, "skipped", "condition")
    ] * 3
    if not goes:
        # A day from when the step was left out.
        assert {at - world.clock.now() < DAY for at in await due(world)} == {True}
        assert min(await due(world)) - world.clock.now() > DAY - HOUR
    assert await recounted(world) == []


async def test_what_only_rows_tell_decides_too(world: World) -> None:
    asks = [
        Conditions(all_of=(Condition(fact=Fact.REPLIED),)),
        Conditions(all_of=(Condition(fact=Fact.CLICKED),)),
    ]
    for conditions in asks:
        campaign = await drip(world, {}, {"after": DAY, "conditions": conditions})
        await enroll(world, campaign, await world.contacts(2))
    await planned(world)
    await become(world, State.READ)
    await world.value(
        "update messages set replied_at = $1, clicked_at = $1 where contact_id in"
        " (select min(contact_id) from messages group by campaign_id)",
        world.clock.now(),
    )
    world.clock.advance(DAY + HOUR)

    await planned(world)

    assert (await sent(world))[4:] == [
        (2, "queued", None),
        (2, "skipped", "condition"),
        (2, "queued", None),
        (2, "skipped", "condition"),
    ]


async def test_a_tag_decides_and_else_end_ends(world: World) -> None:
    asks = Conditions(all_of=(Condition(tag="vip"),), otherwise=Otherwise.END)
    campaign = await drip(world, {"conditions": asks}, {})
    vip, plain = await world.contacts(2)
    await world.value(
        "insert into contact_tags (organization_id, tag, contact_id, added_at) values ($1, 'vip', $2, $3)",
        ACME,
        vip,
        NOON,
    )
    await enroll(world, campaign, [vip, plain])

    await planned(world)

    assert await sent(world) == [(1, "queued", None), (1, "skipped", "condition")]
    rows = await world.rows("select state, reason, step_id from enrollments order by id")
    assert [(row["state"], row["reason"]) for row in rows] == [
        ("active", None),
        ("dropped", "condition"),
    ]
    assert rows[1]["step_id"] is None
    assert await recounted(world) == []


async def test_a_property_of_the_event_that_enrolled_decides(world: World) -> None:
    asks = Conditions(all_of=(Condition(property="plan", value="Gold"),))
    campaign = await drip(world, {"conditions": asks})
    gold, silver, plain = await world.contacts(3)
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        await enrollments.enroll(
            unit,
            campaign=campaign,
            contacts=[gold, silver, plain],
            by="automation:1",
            properties={gold: {"plan": "gold"}, silver: {"plan": "silver"}},
        )

    await planned(world)

    assert await sent(world) == [
        (1, "queued", None),
        (1, "skipped", "condition"),
        (1, "skipped", "condition"),
    ]


async def test_a_named_step_is_asked_and_a_condition_is_judged_when_its_hours_open(
    world: World,
) -> None:
    campaign = await drip(
        world, {}, {"after": HOUR}, {"after": HOUR, "settings": {"hours": "18:00-20:00"}}
    )
    asks = Conditions(
        all_of=(Condition(fact=Fact.NOT_READ, step=await step_of(world, campaign, 1)),)
    )
    await world.value(
        "update steps set conditions = $2 where campaign_id = $1 and position = 3",
        campaign,
        asks.to_json(),
    )
    await enroll(world, campaign, await world.contacts(1))
    for _ in range(2):
        await planned(world)
        await become(world, State.DELIVERED)
        world.clock.advance(HOUR + timedelta(minutes=1))
    await planned(world)
    assert await due(world) == [NOON.replace(hour=18)]

    # In between the contact reads the first one, not the second.
    await world.value(
        "update messages set state = 'read', read_at = $1 where step_id = $2",
        NOON + 3 * HOUR,
        await step_of(world, campaign, 1),
    )
    world.clock.advance(5 * HOUR)
    await planned(world)

    assert (await sent(world))[-1] == (3, "skipped", "condition")


async def test_a_step_waits_for_the_delivery_of_the_one_before(world: World) -> None:
    campaign = await drip(world, {}, {"conditions": Conditions(wait=True)})
    await enroll(world, campaign, await world.contacts(2))
    await planned(world)
    await become(world, State.SENT)
    await planned(world)
    assert await world.states() == {"sent": 2}
    world.clock.advance(HOUR)

    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        (first, *_) = sorted(
            row["id"] for row in await unit.connection.fetch("select id from messages")
        )
        row = (await messages.locked(unit, [first]))[first]
        delivered = row.message.progressed(State.DELIVERED, at=unit.at, attempt=1)
        await messages.save(unit, [(row, row.with_message(delivered))])
    await planned(world)
    assert await world.states() == {"delivered": 1, "sent": 1, "queued": 1}

    world.clock.advance(DAY)
    await planned(world)
    assert await world.states() == {"delivered": 1, "sent": 1, "queued": 2}


async def test_a_steps_own_hours_hold(world: World) -> None:
    world.with_rules(hours=parse("09:00-20:00"))
    campaign = await drip(world, {"settings": {"hours": "15:00-16:00", "days": "mon"}})
    await enroll(world, campaign, await world.contacts(1))

    await planned(world)

    # The Monday after the Friday.
    assert await world.value("select due_at from messages") == NOON.replace(day=23, hour=15)


async def test_what_fell_due_while_all_was_down_goes_out_within_the_deadline(world: World) -> None:
    world.with_rules(deadline=2 * DAY)
    campaign = await drip(world, {"after": HOUR}, {"after": HOUR})
    early, late = await world.contacts(2)
    await enroll(world, campaign, [early])
    world.clock.advance(2 * DAY)
    await enroll(world, campaign, [late])
    world.clock.advance(DAY)

    await planned(world)
    await world.run()

    assert await sent(world) == [(1, "skipped", "expired"), (1, "accepted", None)]
    # Both go on: an hour from when the step was left out, and from when it was accepted.
    assert all(at > world.clock.now() for at in await due(world))
    assert await recounted(world) == []


async def test_changed_steps_reach_everybody_in_slices_and_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaigns, "SLICE", 7)
    campaign = await drip(world, {"after": DAY}, {"after": DAY})
    await enroll(world, campaign, await world.contacts(20))
    started = await world.value("select min(since_at) from enrollments")
    await world.value("update steps set removed_at = $1 where position = 1", NOON)
    await world.value("update steps set after_s = 3600 where position = 2")
    await world.value("update campaigns set rewalk_cursor = 0")

    await rewalk(worker(world), ACME)
    once = await due(world)
    while await rewalk(worker(world), ACME):  # as another process would go on
        pass

    assert len([at for at in once if at == started + HOUR]) == 7
    assert set(await due(world)) == {started + HOUR}
    assert await world.value("select rewalk_cursor from campaigns") is None
    assert await world.value("select count(distinct step_id) from enrollments") == 1


async def test_what_comes_up_before_it_was_put_on_its_way_goes_by_the_new_order(
    world: World,
) -> None:
    campaign = await drip(world, {"after": HOUR}, {"after": 2 * HOUR})
    await enroll(world, campaign, await world.contacts(3))
    await world.value("update steps set removed_at = $1 where position = 1", NOON)
    world.clock.advance(90 * timedelta(minutes=1))

    await planned(world)
    assert await world.states() == {}
    world.clock.advance(HOUR)
    await planned(world)

    assert await sent(world) == [(2, "queued", None)] * 3


async def test_a_drip_whose_steps_are_all_gone_ends_for_everybody(world: World) -> None:
    campaign = await drip(world, {"after": HOUR})
    await enroll(world, campaign, await world.contacts(2))
    await world.value("update steps set removed_at = $1", NOON)
    world.clock.advance(2 * HOUR)

    await planned(world)

    assert await world.value("select array_agg(distinct state) from enrollments") == ["completed"]


async def test_a_batch_is_decided_at_once_however_many_there_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statements of a slice do not grow with it."""
    asks = Conditions(all_of=(Condition(fact=Fact.NOT_READ),))
    campaign = await drip(world, {}, {"after": HOUR, "conditions": asks})
    counted: list[int] = []
    for count in (5, 50):
        await enroll(world, campaign, await world.contacts(count))
        await planned(world)
        await become(world, State.SENT)
        world.clock.advance(2 * HOUR)
        statements = 0
        original = Unit.rows

        async def rows(unit: Unit, query: Query, **values: object) -> list[asyncpg.Record]:
            nonlocal statements
            statements += 1
            return await original(unit, query, **values)  # noqa: B023 — called before it changes

        with monkeypatch.context() as patched:
            patched.setattr(Unit, "rows", rows)
            await planned(world)
        counted.append(statements)
    assert counted[0] == counted[1]
    assert walking.ENROLLMENTS == 500


async def recounted(world: World) -> list[Any]:
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        return list(await recount.differences(unit, repair=False))


PLACES = st.sampled_from([0, 1, 1.5, 2, 3, 4])


@ON_POSTGRES
@given(
    steps=st.dictionaries(
        st.sampled_from([1.0, 1.5, 2.0, 3.0, 4.0]),
        st.tuples(st.integers(0, 400_000), st.booleans()),
        min_size=1,
    ),
    walkers=st.lists(
        st.tuples(PLACES, st.integers(0, 4), st.integers(0, 300_000)), min_size=1, max_size=8
    ),
)
async def test_sql_puts_on_the_way_as_the_engine_does(
    world: World,
    steps: dict[float, tuple[int, bool]],
    walkers: list[tuple[float, int, int]],
) -> None:
    at = world.clock.now()
    campaign = await world.campaign(kind="drip", state="active", steps=())
    made: dict[float, StepId] = {}
    for position, (after_s, removed) in sorted(steps.items()):
        made[position] = await world.value(
            "insert into steps (organization_id, campaign_id, position, after_s, content, created_at, removed_at)"
            " values ($1, $2, $3, $4, '{}', $5, $6) returning id",
            ACME,
            campaign,
            position,
            after_s,
            NOON,
            NOON if removed else None,
        )
    contacts = await world.contacts(len(walkers))
    expected = []
    for contact, (place, waits, since_s) in zip(contacts, walkers, strict=True):
        waits_for = list(made.values())[waits % len(made)]
        since = at - timedelta(seconds=since_s)
        await world.value(
            "insert into enrollments (organization_id, campaign_id, contact_id, state, step_id, position, since_at, due_at,"
            " timed, enrolled_at, enrolled_by) values ($1, $2, $3, 'active', $4, $5, $6, $6, true, $6, 'U0OWNER')",
            ACME,
            campaign,
            contact,
            waits_for,
            place,
            since,
        )
        there = [
            StepRule(id=made[position], position=position, after=timedelta(seconds=after_s))
            for position, (after_s, removed) in sorted(steps.items())
            if not removed
        ]
        following = journey.upcoming(there, place)
        expected.append(
            (None, None) if following is None else (following.id, max(since + following.after, at))
        )

    async with world.database.owner_unit(ACME, at) as unit:
        for _ in range(2):  # again, it changes nothing
            last = await world.value(
                "select max(id) from enrollments where campaign_id = $1", campaign
            )
            await enrollments.rewalk(unit, campaign=campaign, cursor=EnrollmentId(0), limit=last)

    rows = await world.rows(
        "select step_id, due_at from enrollments where campaign_id = $1 order by id", campaign
    )
    assert [(row["step_id"], row["due_at"]) for row in rows] == expected
