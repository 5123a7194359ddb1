"""The worker locks rows in the one order of all: nobody waits for it in a circle."""

from datetime import timedelta
from typing import Any

import pytest

from engine.automation import Action, AddTag, Enroll, TagAdded, Unenroll
from engine.usecases.settle_doubts import Decision, settle_doubts
from storage import enrollments, leases, sending, tags
from storage.automations import StoredAutomations
from storage.database import Unit
from storage.left_to_staff import LeftToStaff
from tests.database import ACME, NOON
from tests.integration.worker.world import NUMBER, World, worker
from tests.lock_order import LockOrder, WatchedDatabase
from worker import calls
from worker.calls import Result
from worker.claimed import Call
from worker.claims import Claims
from worker.completion import complete
from worker.planning import plan
from worker.reconciliation import reconcile
from worker.triggers import enroll_triggered
from worker.whatsapp.client import Accepted, Doubtful, NotSent, Outcome, Refused

OF_A_CALL = {"campaigns", "contacts", "enrollments", "messages", "campaign_stats"}


@pytest.fixture
def order(world: World) -> LockOrder:
    watched = WatchedDatabase.of(world.database)
    world.database = watched
    return watched.order


def refused(code: int) -> Refused:
    return Refused(code=code, title=None, details=None, http=400, trace=None, regain=None)


async def crossed(world: World) -> None:
    """Queue messages of drips and broadcasts; the keys of all that is behind them run backwards."""
    contacts = await world.contacts(6)
    settings: list[dict[str, Any]] = [{"rate": "50/s"}, {}, {"per_day": 500}, {}]
    for place, drip in enumerate(
        [
            await world.campaign(
                kind="drip", state="active", steps=(0, 60), settings=each, name=f"drip {place}"
            )
            for place, each in enumerate(settings)
        ]
    ):
        await world.enrolled(drip, contacts[::-1] if place % 2 else contacts)
    while await plan(worker(world), ACME):
        pass
    for each in settings:
        await world.queued(await world.campaign(settings=each), contacts[::-1])
    # What is inserted cannot be seen from outside; what is there and counted up can.
    await world.value(
        "insert into campaign_stats (organization_id, campaign_id, step_id, hour, metric, count)"
        " select distinct s.organization_id, s.campaign_id, s.step_id, s.hour, m.name, 0"
        "   from campaign_stats s, unnest(array['accepted', 'dead', 'skipped:opted_out',"
        "        'cancelled:campaign_ended', 'cancelled:enrollment_ended']) as m(name)"
    )


async def claimed(world: World) -> list[Call]:
    """Claim everything; the calls in the order of their messages."""
    claims = Claims(world.rules, world.rules.numbers[0])

    async def claim(unit: Unit) -> list[Call]:
        lease = await leases.acquire(unit, name=f"lane:{NUMBER}", holder="us")
        assert lease is not None
        found = await claims.claim(unit, lease, room=1000, replies=16)
        return sorted(found.calls, key=lambda call: call.message.id)

    return await world.database.run(ACME, world.clock.now(), claim, owner=True)


async def recorded(world: World, *outcomes: Outcome) -> None:
    """Record results of all calls, which end in these ways by turns."""
    found = await claimed(world)
    results = [
        Result(call=call, outcome=outcomes[place % len(outcomes)], at=world.clock.now())
        for place, call in enumerate(found)
    ]
    await world.database.run(
        ACME, world.clock.now(), lambda unit: calls.record(unit, results), owner=True
    )


async def test_a_claim_locks_in_order(world: World, order: LockOrder) -> None:
    await crossed(world)
    await world.value("update contacts set opted_out_at = $1 where id % 2 = 0", NOON)

    assert await claimed(world)

    assert order.broken == []
    assert order.tables >= OF_A_CALL


@pytest.mark.parametrize(
    "outcomes",
    [
        pytest.param([Accepted(wamid="a", held=False), Accepted(wamid="b", held=True)], id="taken"),
        pytest.param([Doubtful(reason="no answer")], id="in doubt"),
        pytest.param([NotSent(reason="no connection")], id="never left"),
        pytest.param([refused(131000), refused(131056)], id="to be sent again"),
        pytest.param([refused(131050), refused(131021), refused(130403)], id="suppressing"),
        pytest.param([refused(132001), refused(131009)], id="stopping campaigns"),
        pytest.param([refused(190), refused(131057)], id="stopping numbers"),
        pytest.param([refused(131047)], id="closing windows"),
        pytest.param(
            [
                Accepted(wamid="a", held=True),
                refused(131050),
                NotSent(reason="no connection"),
                refused(131000),
                refused(132001),
                refused(190),
            ],
            id="everything",
        ),
    ],
)
async def test_results_are_recorded_in_order(
    world: World, order: LockOrder, outcomes: list[Outcome]
) -> None:
    await crossed(world)

    await recorded(world, *outcomes)

    assert order.broken == []
    assert order.tables >= {"enrollments", "messages"}


async def test_what_is_given_back_is_locked_in_order(world: World, order: LockOrder) -> None:
    world.with_rules(cooldown=timedelta(hours=1), messages_per_hour=1000)
    await crossed(world)
    found = await claimed(world)
    claims = Claims(world.rules, world.rules.numbers[0])

    await world.database.run(
        ACME, world.clock.now(), lambda unit: claims.give_back(unit, found[::-1]), owner=True
    )

    assert order.broken == []
    assert set(await world.states()) == {"queued"}


async def test_what_others_had_claimed_is_locked_in_order(world: World, order: LockOrder) -> None:
    await crossed(world)
    await claimed(world)

    async def give_back(unit: Unit) -> None:
        await sending.give_back_others(unit, number=NUMBER, generation=1, known=[])

    async def inherit(unit: Unit) -> None:
        await sending.inherit(unit, number=NUMBER, generation=2)

    await world.database.run(ACME, NOON, give_back, owner=True)
    assert set(await world.states()) == {"queued"}
    await world.value("update messages set state = 'claimed', generation = 1")
    await world.database.run(ACME, NOON, inherit, owner=True)

    assert order.broken == []
    assert set(await world.states()) == {"unknown"}


@pytest.mark.parametrize("policy", ["resend", "drop", "ask"])
async def test_silence_is_settled_in_order(world: World, order: LockOrder, policy: str) -> None:
    await crossed(world)
    await recorded(world, Doubtful(reason="no answer"))
    await world.value(
        "update campaigns set settings = settings || jsonb_build_object('unknown', $1::text)",
        policy,
    )
    await world.value("update messages set control_at = $1", NOON - timedelta(days=1))
    order.tables.clear()

    await reconcile(worker(world), ACME)

    assert order.broken == []
    assert order.tables >= {"enrollments", "messages"}


@pytest.mark.parametrize("decision", Decision)
async def test_what_staff_decide_is_settled_in_order(
    world: World, order: LockOrder, decision: Decision
) -> None:
    await crossed(world)
    await recorded(world, Doubtful(reason="no answer"))
    await world.value("update messages set control_at = 'infinity'")
    campaign = await world.value("select min(id) from campaigns")
    order.tables.clear()

    async def settle(unit: Unit) -> None:
        left = LeftToStaff(unit, campaign=campaign, actor="U0OWNER")
        await settle_doubts(decision=decision, at=NOON, limit=500, left=left)

    await world.database.run(ACME, NOON, settle)

    assert order.broken == []
    assert order.tables >= {"campaigns", "enrollments", "messages"}


async def test_a_cancelled_campaign_is_swept_in_order(world: World, order: LockOrder) -> None:
    await crossed(world)
    await world.value("update campaigns set state = 'archived', ended_at = $1", NOON)
    order.tables.clear()

    while await complete(worker(world), ACME):
        pass

    assert order.broken == []
    assert "queued" not in await world.states()


async def test_automations_that_end_others_at_once_lock_in_order(
    world: World, order: LockOrder
) -> None:
    await crossed(world)
    drips = [
        row["id"]
        for row in await world.rows("select id from campaigns where kind = 'drip' order by id")
    ]
    interrupting = await world.campaign(
        kind="drip", state="active", settings={"mode": "interrupt"}, name="interrupting"
    )
    contacts = [row["id"] for row in await world.rows("select id from contacts order by id desc")]
    before = await world.states()
    async with world.database.owner_unit(ACME, NOON) as unit:
        made = StoredAutomations(unit, "U0OWNER")
        actions: list[Action] = [
            *(Unenroll(drip) for drip in reversed(drips[1:])),
            Enroll(interrupting),
            AddTag("gone"),
        ]
        for action in actions:
            await made.add(trigger=TagAdded("bye"), segment=None, action=action, campaign=None)
        await tags.add(unit, tags=[(each, "bye") for each in contacts])
    order.tables.clear()

    while await enroll_triggered(worker(world), ACME):
        pass

    after = await world.states()
    assert order.broken == []
    assert order.tables >= OF_A_CALL
    assert after["cancelled:enrollment_ended"] == 4 * len(contacts)
    assert after["queued"] == before["queued"] - 4 * len(contacts)


async def test_a_drip_that_interrupts_others_locks_in_order(world: World, order: LockOrder) -> None:
    await crossed(world)
    drip = await world.campaign(kind="drip", state="active", settings={"mode": "interrupt"})
    contacts = [row["id"] for row in await world.rows("select id from contacts order by id desc")]
    order.tables.clear()

    async def enroll(unit: Unit) -> int:
        enrolled = await enrollments.enroll(unit, campaign=drip, contacts=contacts, by="U0OWNER")
        return len(enrolled.interrupted)

    assert await world.database.run(ACME, NOON, enroll, owner=True) == 24

    assert order.broken == []
    assert order.tables == OF_A_CALL
