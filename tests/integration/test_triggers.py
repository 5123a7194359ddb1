"""What happens to contacts enrolls them, each occurrence once, whatever dies in between."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import asyncpg
import pytest

from engine.audience_person import Person
from engine.ids import CampaignId, ContactId
from engine.phone import Phone
from engine.usecases.automate import begin_trigger
from storage import campaigns, contacts, tags
from storage.automations import StoredAutomations
from storage.database import Database
from tests.database import ACME, NOON
from tests.integration.slack.contacts_room import Room, opened_room
from worker import triggers
from worker.triggers import enroll_triggered

BREAK = """
create function break_enrolling() returns trigger language plpgsql as
$$ begin raise exception 'the process died here'; end $$;
create trigger broken before insert on enrollments execute function break_enrolling();
"""
MEND = "drop trigger broken on enrollments; drop function break_enrolling()"
LATER = NOON + timedelta(minutes=1)


@pytest.fixture
async def room(database: Database) -> AsyncIterator[Room]:
    async with opened_room(database) as room:
        yield room


async def _drip(
    room: Room, trigger: str, *, state: str = "active", started_at: datetime = NOON
) -> int:
    pool = room.database.pool
    campaign: int = await pool.fetchval(
        "insert into campaigns (organization_id, kind, name, state, type, trigger, actor,"
        " created_at, updated_at, started_at) values ('acme', 'drip', $1, $2, 'promotional', $3,"
        " 'U0OWNER', $4, $4, $4) returning id",
        f"{trigger} {state}",
        state,
        trigger,
        started_at,
    )
    await pool.execute(
        "insert into steps (organization_id, campaign_id, position, after_s, content, created_at)"
        " values ('acme', $1, 1, 0, '{}', $2)",
        campaign,
        NOON,
    )
    if state in {"active", "paused"}:
        # As activating does.
        async with room.database.owner_unit(ACME, started_at) as unit:
            found = await campaigns.get(unit, campaign=CampaignId(campaign))
            assert found is not None
            await begin_trigger(campaign=found, automations=StoredAutomations(unit, "U0OWNER"))
    return campaign


async def _people(
    room: Room, count: int, *, tagged: Sequence[str] = (), at: datetime = LATER
) -> list[ContactId]:
    room.clock.at = at
    async with room.database.owner_unit(ACME, at) as unit:
        added = await contacts.add(
            unit,
            people=[
                (Phone(f"+3161000{number:04}"), Person(tags=tuple(tagged)))
                for number in range(count)
            ],
            source="test",
        )
    return sorted(each.id for each in added.values())


async def _enrolled(room: Room) -> list[tuple[object, ...]]:
    return await room.rows(
        "select campaign_id, enrolled_by, count(*), count(distinct contact_id) from enrollments"
        " group by 1, 2 order by 1"
    )


async def _left(room: Room) -> int:
    (row,) = await room.rows("select count(*) from occurrences")
    assert isinstance(row[0], int)
    return row[0]


async def test_each_trigger_enrolls_into_its_own_drips(room: Room) -> None:
    created, lead = await _drip(room, "contact_created"), await _drip(room, "tag:lead")
    await _drip(room, "tag:other")
    await _drip(room, "manual")
    await _people(room, 3, tagged=["lead", "vip"])

    assert not await enroll_triggered(room.worker, ACME)

    assert await _enrolled(room) == [
        (created, "trigger:contact_created", 3, 3),
        (lead, "trigger:tag:lead", 3, 3),
    ]
    assert await _left(room) == 0


async def test_only_what_happened_since_the_drip_was_activated_counts(room: Room) -> None:
    drip = await _drip(room, "tag:lead", started_at=LATER)
    people = await _people(room, 2, tagged=["lead"], at=LATER - timedelta(seconds=1))
    async with room.database.owner_unit(ACME, LATER) as unit:
        await unit.connection.execute("delete from contact_tags where contact_id = $1", people[0])
        await tags.add(unit, tags=[(people[0], "lead")])

    await enroll_triggered(room.worker, ACME)

    assert await room.rows("select campaign_id, contact_id from enrollments") == [(drip, people[0])]
    assert await _left(room) == 0


async def test_a_paused_drip_takes_people_in_and_a_draft_does_not(room: Room) -> None:
    paused = await _drip(room, "contact_created", state="paused")
    await _drip(room, "contact_created", state="archived")
    await _people(room, 1)

    await enroll_triggered(room.worker, ACME)

    assert await room.rows("select campaign_id from enrollments") == [(paused,)]


async def test_an_occurrence_is_neither_lost_nor_taken_twice_by_a_crash(room: Room) -> None:
    """The process dies after the occurrences were taken and before the enrollments are there."""
    drip = await _drip(room, "tag:lead")
    await _people(room, 3, tagged=["lead"])
    await room.database.pool.execute(BREAK)
    try:
        with pytest.raises(asyncpg.RaiseError):
            await enroll_triggered(room.worker, ACME)
    finally:
        await room.database.pool.execute(MEND)
    left = await _left(room)

    await enroll_triggered(room.worker, ACME)
    await enroll_triggered(room.worker, ACME)

    assert left == 6
    assert await _enrolled(room) == [(drip, "trigger:tag:lead", 3, 3)]


async def test_several_processes_enroll_each_once(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triggers, "_OCCURRENCES", 7)
    drip = await _drip(room, "tag:lead")
    await _people(room, 100, tagged=["lead"])

    while await _left(room):
        await asyncio.gather(*(enroll_triggered(room.worker, ACME) for _ in range(4)))

    assert await _enrolled(room) == [(drip, "trigger:tag:lead", 100, 100)]


async def test_a_drip_without_steps_holds_nobody_up(room: Room) -> None:
    empty, drip = await _drip(room, "contact_created"), await _drip(room, "tag:lead")
    await room.database.pool.execute("delete from steps where campaign_id = $1", empty)
    await _people(room, 1, tagged=["lead"])

    await enroll_triggered(room.worker, ACME)

    assert await _enrolled(room) == [(drip, "trigger:tag:lead", 1, 1)]


async def test_who_opted_out_is_not_enrolled(room: Room) -> None:
    await _drip(room, "contact_created")
    people = await _people(room, 2)
    await room.database.pool.execute(
        "update contacts set opted_out_at = $1 where id = $2", NOON, people[0]
    )

    await enroll_triggered(room.worker, ACME)

    assert await room.rows("select contact_id from enrollments") == [(people[1],)]
