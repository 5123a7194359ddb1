"""Planning: everybody of an audience has exactly one row, whoever plans and however often."""

# ruff: noqa: E501 — SQL reads better unbroken

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.audience import Audience
from engine.consent import FIELD, Act, Consent
from engine.hours import parse
from engine.ids import CampaignId, ContactId
from engine.message import State
from engine.outcome import failed
from engine.phone import Phone
from storage import audiences, members, messages, recount
from storage import planning as stored
from storage.database import Unit
from tests.database import ACME, NOON
from tests.examples import ON_POSTGRES
from tests.integration.worker.world import NUMBER, OTHER_NUMBER, World, worker
from worker import planning, walking
from worker.planning import plan

HOUR = timedelta(hours=1)


async def broadcast(
    world: World,
    audience: Audience,
    *,
    up_to: int | None = None,
    **columns: Any,  # noqa: ANN401 — SQL values
) -> CampaignId:
    ceiling = up_to or await world.value("select max(id) from contacts")
    made = await world.campaign(audience=audience.to_json(), contacts_up_to=ceiling, **columns)
    async with world.database.owner_unit(ACME, NOON) as unit:
        await audiences.freeze(unit, campaign=made, audience=audience, up_to=ContactId(ceiling))
    return made


async def planned(world: World) -> None:
    while await plan(worker(world), ACME):
        pass


async def test_everybody_has_a_row_also_who_is_left_out(world: World) -> None:
    await world.contacts(30)
    await world.contacts(5, opted_out_at=NOON)
    await world.contacts(3, unreachable_at=NOON)
    campaign = await broadcast(world, Audience(everyone=True))

    await planned(world)

    assert await world.states(campaign) == {
        "queued": 30,
        "skipped:opted_out": 5,
        "skipped:unreachable": 3,
    }
    assert await world.value("select planned_at is not null from campaigns")


async def test_planning_twice_makes_one_row_for_each(world: World) -> None:
    await world.contacts(50)
    campaign = await broadcast(world, Audience(everyone=True))
    await planned(world)
    await world.value(
        "update campaigns set planned_at = null, planning_cursor = null where id = $1", campaign
    )

    await planned(world)

    assert await world.states(campaign) == {"queued": 50}
    assert await _wrong_counts(world) == []


async def test_two_processes_planning_at_once_make_one_row_for_each(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "_CONTACTS", 7)
    monkeypatch.setattr(walking, "ENROLLMENTS", 7)
    contacts = await world.contacts(60)
    campaign = await broadcast(world, Audience(everyone=True))
    drip = await world.campaign(kind="drip", state="active")
    await world.enrolled(drip, contacts)

    await asyncio.gather(*(planned(world) for _ in range(4)))
    await planned(world)

    assert await world.states(campaign) == {"queued": 60}
    assert await world.states(drip) == {"queued": 60}
    assert await _wrong_counts(world) == []


async def test_a_crash_between_slices_loses_and_doubles_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "_CONTACTS", 10)
    monkeypatch.setattr(planning, "SLICE_S", 0.0)  # one slice, then it dies
    await world.contacts(45)
    campaign = await broadcast(world, Audience(everyone=True))
    await plan(worker(world), ACME)
    await plan(worker(world), ACME)
    assert await world.states(campaign) == {"queued": 20}

    await planned(world)

    assert await world.states(campaign) == {"queued": 45}


async def test_a_campaign_that_cannot_be_planned_keeps_no_other_from_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    contacts = await world.contacts(4)
    broken, drip, fine = [
        await broadcast(world, Audience(everyone=True)),
        await world.campaign(kind="drip", state="active"),
        await broadcast(world, Audience(everyone=True)),
    ]
    await world.enrolled(drip, contacts)
    move = stored.move_cursor

    async def fails(unit: Unit, *, campaign: CampaignId, **values: Any) -> None:  # noqa: ANN401
        if campaign == broken:
            await unit.connection.execute("select 1 / 0")
        await move(unit, campaign=campaign, **values)

    with monkeypatch.context() as patched:
        patched.setattr(stored, "move_cursor", fails)
        await planned(world)
    before = [await world.states(each) for each in (broken, drip, fine)]
    await planned(world)

    assert before == [{}, {"queued": 4}, {"queued": 4}]
    assert await world.states(broken) == {"queued": 4}


async def test_a_failure_inside_a_slice_undoes_all_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.contacts(10)
    campaign = await broadcast(world, Audience(everyone=True))

    async def dies(*_: object, **__: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(stored, "move_cursor", dies)
        with pytest.raises(OSError):  # noqa: PT011 — any
            await plan(worker(world), ACME)
    assert await world.states(campaign) == {}
    assert await _wrong_counts(world) == []

    await planned(world)
    assert await world.states(campaign) == {"queued": 10}


async def test_the_audience_is_frozen_when_it_starts(world: World) -> None:
    contacts = await world.contacts(5)
    campaign = await broadcast(world, Audience(everyone=True), up_to=contacts[-1])
    await world.contacts(5)

    await planned(world)

    assert await world.states(campaign) == {"queued": 5}


async def test_an_audience_is_reached_by_any_of_its_parts_once(world: World) -> None:
    contacts = await world.contacts(20)
    await _tag(world, "vip", contacts[:5])
    drip = await world.campaign(kind="drip", state="active")
    await world.enrolled(drip, contacts[4:8])
    former = await world.campaign(state="completed")
    await world.queued(former, contacts[7:10])
    phone = await world.value(
        "select value from contact_identities where contact_id = $1", contacts[12]
    )
    campaign = await broadcast(
        world,
        Audience(tags=("vip",), phones=(Phone(phone),), drips=(drip,), broadcasts=(former,)),
    )

    await planned(world)

    rows = await world.rows("select contact_id from messages where campaign_id = $1", campaign)
    assert {row["contact_id"] for row in rows} == {*contacts[:10], contacts[12]}


async def test_a_frozen_audience_stays_whoever_comes_and_goes_while_it_is_planned(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "CHUNK", 3)
    monkeypatch.setattr(planning, "SLICE_S", 0.0)
    world.with_rules(hours=parse("09:00-20:00"))
    contacts = await world.contacts(20, timezone="Europe/Amsterdam")
    await _tag(world, "vip", contacts[::2])
    campaign = await broadcast(world, Audience(tags=("vip",)))
    await plan(worker(world), ACME)
    await plan(worker(world), ACME)
    assert await world.states(campaign) == {"queued": 6}

    await world.value("delete from contact_tags where contact_id = any($1)", contacts[12::4])
    await _tag(world, "vip", contacts[13::4])
    await planned(world)

    rows = await world.rows(
        "select contact_id from messages where campaign_id = $1 order by 1", campaign
    )
    assert [row["contact_id"] for row in rows] == contacts[::2]
    assert await world.value("select count(*) from frozen_audiences") == 0
    assert await _wrong_counts(world) == []


async def test_a_broadcast_is_due_inside_each_contacts_hours(world: World) -> None:
    world.with_rules(hours=parse("09:00-11:00"))
    for timezone in ("Europe/Amsterdam", "Asia/Tokyo", None):
        await world.contacts(2, timezone=timezone)
    campaign = await broadcast(world, Audience(everyone=True))

    await planned(world)

    rows = await world.rows(
        "select c.timezone, m.due_at from messages m join contacts c on c.id = m.contact_id"
        " where m.campaign_id = $1",
        campaign,
    )
    tomorrow = datetime(2026, 11, 21, tzinfo=UTC)
    assert {(row["timezone"], row["due_at"]) for row in rows} == {
        ("Europe/Amsterdam", tomorrow + 8 * HOUR),
        ("Asia/Tokyo", tomorrow),
        (None, tomorrow + 9 * HOUR),
    }


async def test_a_deadline_counts_from_when_it_is_due(world: World) -> None:
    world.with_rules(deadline=timedelta(hours=48))
    await world.contacts(1)
    await broadcast(world, Audience(everyone=True))
    await broadcast(world, Audience(everyone=True), settings={"deadline_s": 3600})
    await broadcast(world, Audience(everyone=True), settings={"deadline_s": 0})

    await planned(world)

    rows = await world.rows("select deadline_at from messages order by campaign_id")
    assert [row["deadline_at"] for row in rows] == [NOON + 48 * HOUR, NOON + HOUR, None]


async def test_which_number_sends(world: World) -> None:
    await world.contacts(1)
    await world.contacts(1, last_number_id=OTHER_NUMBER)
    await world.contacts(1, last_number_id="of another time")
    plain = await broadcast(world, Audience(everyone=True))
    chosen = await broadcast(world, Audience(everyone=True), number_id=OTHER_NUMBER)
    drip = await world.campaign(kind="drip", state="active")
    ids = [row["id"] for row in await world.rows("select id from contacts order by id")]
    await world.enrolled(drip, ids)

    await planned(world)

    numbers = {
        campaign: [
            row["number_id"]
            for row in await world.rows(
                "select number_id from messages where campaign_id = $1 order by contact_id",
                campaign,
            )
        ]
        for campaign in (plain, chosen, drip)
    }
    assert numbers[plain] == [NUMBER, OTHER_NUMBER, NUMBER]
    assert numbers[chosen] == [OTHER_NUMBER] * 3
    assert numbers[drip] == [NUMBER, OTHER_NUMBER, NUMBER]


@pytest.mark.parametrize("state", ["paused", "draft", "archived"])
async def test_only_what_is_active_is_planned(world: World, state: str) -> None:
    contacts = await world.contacts(3)
    drip = await world.campaign(kind="drip", state=state)
    await world.enrolled(drip, contacts)
    await broadcast(world, Audience(everyone=True), state=state)

    await planned(world)

    assert await world.states() == {}


async def test_a_drip_walks_its_steps_from_when_each_was_accepted(world: World) -> None:
    drip = await world.campaign(kind="drip", state="active", steps=(0, 3600, 7200))
    await world.enrolled(drip, await world.contacts(1))
    seen: list[int] = []
    for _ in range(3):
        await planned(world)
        await world.run()
        seen.append(len(world.platform.accepted))
        await planned(world)
        await world.run()  # too early for the next one
        assert len(world.platform.accepted) == seen[-1]
        world.clock.advance(2 * HOUR)

    assert seen == [1, 2, 3]
    assert await world.value("select state from enrollments") == "completed"
    assert await world.value("select sent from enrollments") == 3
    assert await _wrong_counts(world) == []


async def test_a_step_that_was_left_out_lets_the_contact_go_on(world: World) -> None:
    drip = await world.campaign(kind="drip", state="active", steps=(0, 60))
    await world.enrolled(drip, await world.contacts(1))
    first = await world.value("select min(id) from steps")
    await world.value(
        "update steps set content = $1 where id = $2",
        {"type": "text", "body": "Hello"},
        first,
    )
    await planned(world)
    await world.run()
    assert await world.states() == {"skipped:window_closed": 1}

    world.clock.advance(timedelta(minutes=2))
    await planned(world)
    await world.run()

    assert await world.states() == {"skipped:window_closed": 1, "accepted": 1}
    assert await world.value("select state from enrollments") == "completed"


async def test_a_failure_heard_before_the_answer_moves_the_contact_on_as_well(
    world: World,
) -> None:
    """Whatever is heard first, the contact is as far."""
    drip = await world.campaign(kind="drip", state="active", steps=(0, 60))
    await world.enrolled(drip, await world.contacts(2))
    await planned(world)
    await world.value("update messages set state = 'claimed', attempt = 1")
    ids = [row["id"] for row in await world.rows("select id from messages order by id")]
    async with world.database.owner_unit(ACME, NOON) as unit:
        campaigns = await messages.keep_campaigns(unit, ids)
        rows = await messages.locked(unit, ids)
        changes = []
        for place, row in enumerate(rows.values()):
            message = row.message
            for step in (0, 1) if place else (1, 0):
                if step:
                    message = message.progressed(State.ACCEPTED, at=NOON, attempt=1, wamid="w")
                else:
                    verdict = failed(message, attempt=1, code=131016, error="", at=NOON)
                    assert verdict is not None
                    message = verdict.message
            changes.append((row, row.with_message(message)))
        await messages.save(unit, changes, campaigns=campaigns)

    enrollments = await world.rows("select step_id, due_at, state from enrollments")
    assert enrollments[0] == enrollments[1]
    assert await world.states() == {"queued": 2}


async def test_leaves_are_attached_ahead(world: World) -> None:
    async with world.database.owner_unit(ACME, datetime(2027, 12, 31, 23, tzinfo=UTC)) as unit:
        await planning.attach_leaves(unit)

    leaves = await world.rows(
        "select relname from pg_class where relname like 'messages_20%' and relispartition and relkind = 'r'"
    )
    assert {"messages_202712", "messages_202801", "messages_202802"} <= {
        row["relname"] for row in leaves
    }


async def test_months_in_which_nothing_ran_get_their_leaves_too(world: World) -> None:
    drip = await world.campaign(kind="drip", state="active")
    await world.enrolled(drip, await world.contacts(1))
    await world.value("update enrollments set due_at = $1", NOON + timedelta(days=400))
    world.clock.advance(timedelta(days=800))

    await planned(world)

    assert await world.states() == {"queued": 1}


async def test_what_was_due_before_the_oldest_leaf_is_planned_in_it(world: World) -> None:
    long_ago = datetime(2001, 1, 1, tzinfo=UTC)
    await world.contacts(2)
    campaign = await broadcast(world, Audience(everyone=True), started_at=long_ago)

    await planned(world)

    assert await world.states(campaign) == {"queued": 2}
    assert await _wrong_counts(world) == []


TIMES = st.none() | st.integers(0, 2).map(lambda seconds: NOON + timedelta(seconds=seconds))
PEOPLE = st.lists(
    st.fixed_dictionaries(dict.fromkeys(FIELD.values(), TIMES)), min_size=1, max_size=40
)


@ON_POSTGRES
@given(PEOPLE, st.booleans())
async def test_sql_judges_consent_as_the_engine_does(
    world: World,
    people: list[dict[str, datetime | None]],
    promotional: bool,  # noqa: FBT001 — drawn
) -> None:
    await world.value("delete from messages")
    await world.value("delete from contacts")
    names = list(FIELD.values())
    await world.value(
        f"insert into contacts (organization_id, source, created_at, updated_at, {', '.join(names)})"  # noqa: S608 — columns
        f" select 'acme', 'import', $1, $1, p.* from unnest({', '.join(f'${place}::timestamptz[]' for place in range(2, 2 + len(names)))}) as p",
        NOON,
        *([person[name] for person in people] for name in names),
    )
    campaign = await broadcast(
        world, Audience(everyone=True), type="promotional" if promotional else "survey"
    )

    await planned(world)

    rows = await world.rows(
        "select m.state, m.reason, c.* from messages m join contacts c on c.id = m.contact_id where m.campaign_id = $1",
        campaign,
    )
    assert len(rows) == len(people)
    for row in rows:
        consent = Consent(**{name: row[name] for name in names})
        assert row["reason"] == consent.against(promotional=promotional)
        assert (row["state"] == "queued") == (row["reason"] is None)
    assert set(Act) == set(FIELD)


async def _tag(world: World, tag: str, contacts: list[ContactId]) -> None:
    await world.value(
        "insert into contact_tags (organization_id, tag, contact_id, added_at)"
        " select $1, $2, c, $3 from unnest($4::bigint[]) as c",
        ACME,
        tag,
        NOON,
        contacts,
    )


async def _wrong_counts(world: World) -> list[recount.Difference]:
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        return await recount.differences(unit, repair=False)
