"""Dates of contacts set automations off: once a year, in the contact's zone, however they came."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.slack import automations as automation_commands
from storage import work
from storage.database import Database
from tests.database import ACME
from tests.integration.slack.campaign_room import CampaignRoom, opened
from worker import dates
from worker.dates import follow_dates
from worker.triggers import enroll_triggered


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as room:
        automation_commands.register(room.room.registry, room.room.desk)
        yield room


async def idle(room: CampaignRoom) -> work.Idle:
    async with room.database.owner_unit(ACME, room.room.clock.now()) as unit:
        return await work.idle(unit, grace=timedelta(minutes=10))


async def jobs(room: CampaignRoom) -> list[str]:
    async with room.database.owner_unit(ACME, room.room.clock.now()) as unit:
        return await work.jobs(unit, numbers=[])


async def work_off(room: CampaignRoom) -> None:
    """Do what the tick finds to do."""
    while {"follow_dates", "enroll_triggered"} & set(await jobs(room)):
        await follow_dates(room.worker, ACME)
        await enroll_triggered(room.worker, ACME)


async def at(room: CampaignRoom, *when: int) -> None:
    room.room.clock.at = datetime(*when, tzinfo=UTC)  # type: ignore[misc, arg-type]  # the parts of a moment
    await work_off(room)


async def wished(room: CampaignRoom) -> list[object]:
    return [
        phone
        for (phone,) in await room.rows(
            "select i.value from contact_tags t join contact_identities i using (contact_id)"
            " where tag = 'wished' and kind = 'phone' order by 1"
        )
    ]


async def test_a_birthday_comes_once_a_year_at_its_hour_in_the_contacts_zone(
    room: CampaignRoom,
) -> None:
    await room.say("campaign new Birthday trigger=date:birthday@10:00 reentry=always")
    await room.say("step add Birthday after=0m template=followup")
    await room.say("contact add +31610000001 birthday=1990-12-05")
    await room.say("campaign activate Birthday")
    # Known before the campaign and after it, at home and in Tokyo.
    await room.say("contact add +819012345678 birthday=1985-12-05")
    await room.say("contact add +31610000003 birthday=1990-06-01")
    await work_off(room)

    assert (await idle(room)).next_due == datetime(2026, 12, 5, 1, tzinfo=UTC)
    await at(room, 2026, 12, 5, 0, 59, 59)
    assert await room.value("select count(*) from enrollments") == 0
    await at(room, 2026, 12, 5, 1, 0)
    assert await room.value("select count(*) from enrollments") == 1
    await at(room, 2026, 12, 5, 8, 59)
    assert await room.value("select count(*) from enrollments") == 1
    await at(room, 2026, 12, 5, 9, 0)
    await at(room, 2026, 12, 5, 20, 0)
    assert await room.rows("select distinct enrolled_by, count(*) over () from enrollments") == [
        ("trigger:date:birthday@10:00", 2)
    ]
    assert (await idle(room)).next_due == datetime(2027, 6, 1, 8, tzinfo=UTC)


async def test_a_date_given_or_changed_later_counts_and_one_taken_away_does_not(
    room: CampaignRoom,
) -> None:
    await room.say("automation new when=date:renewal then=tag:wished")
    await work_off(room)
    for number, renewal in ((1, "2026-12-01"), (2, "2026-12-01"), (3, "2026-12-01")):
        await room.say(f"contact add +3161000000{number} renewal={renewal}")
    await work_off(room)

    await room.say("contact edit +31610000001 renewal=2026-12-03")
    await room.say("contact edit +31610000002 renewal=")
    assert "follow_dates" in await jobs(room)
    await at(room, 2026, 12, 1, 9, 0)
    assert await wished(room) == ["+31610000003"]
    await at(room, 2026, 12, 3, 9, 0)
    assert await wished(room) == ["+31610000001", "+31610000003"]


async def test_who_comes_on_the_day_is_not_too_late(room: CampaignRoom) -> None:
    await room.say("automation new when=date:birthday then=tag:wished")
    room.room.clock.at = datetime(2026, 12, 1, 12, tzinfo=UTC)
    await room.say("contact add +31610000002 birthday=1990-12-01")
    await room.say("contact add +31610000003 birthday=1990-11-30")
    await work_off(room)

    assert await wished(room) == ["+31610000002"]


async def test_an_automation_made_after_the_hour_waits_for_the_next_year(
    room: CampaignRoom,
) -> None:
    room.room.clock.at = datetime(2026, 12, 1, 12, tzinfo=UTC)
    await room.say("contact add +31610000001 birthday=1990-12-01")
    await room.say("automation new when=date:birthday then=tag:wished")
    await work_off(room)

    assert await wished(room) == []
    assert (await idle(room)).next_due == datetime(2027, 12, 1, 8, tzinfo=UTC)


async def test_a_day_missed_for_long_waits_for_its_next_year(room: CampaignRoom) -> None:
    await room.say("automation new when=date:birthday then=tag:wished")
    await room.say("contact add +31610000001 birthday=1990-12-01")
    await work_off(room)

    await at(room, 2026, 12, 5, 0, 0)
    assert await wished(room) == []
    await at(room, 2027, 12, 1, 8, 0)
    assert await wished(room) == ["+31610000001"]


async def test_paused_it_is_silent_and_resumed_it_looks_ahead(room: CampaignRoom) -> None:
    await room.say("automation new when=date:birthday then=tag:wished")
    number = await room.value("select id from automations")
    await room.say("contact add +31610000001 birthday=1990-12-01")
    await work_off(room)
    await room.say(f"automation pause {number}")
    assert (await idle(room)).next_due is None
    await room.say("contact add +31610000002 birthday=1990-12-02")
    await at(room, 2026, 12, 1, 9, 0)
    await room.say(f"automation resume {number}")
    await at(room, 2026, 12, 2, 9, 0)

    assert await wished(room) == ["+31610000002"]


async def test_a_time_that_came_while_it_was_paused_is_not_made_up_for(room: CampaignRoom) -> None:
    await room.say("contact add +31610000001 birthday=1990-12-05")
    await room.say("automation new when=date:birthday@10:00 then=tag:wished")
    number = await room.value("select id from automations")
    await at(room, 2026, 12, 5, 8)
    await room.say(f"automation pause {number}")
    await at(room, 2026, 12, 5, 17)
    await room.say(f"automation resume {number}")
    await work_off(room)

    assert await wished(room) == []
    assert (await idle(room)).next_due == datetime(2027, 12, 5, 9, tzinfo=UTC)


async def test_what_is_no_date_never_comes_and_other_types_are_refused(
    room: CampaignRoom,
) -> None:
    await room.say("contact add +31610000001 city=Utrecht birthday=1990-12-01")

    assert "no dates" in await room.say("automation new when=date:city then=tag:wished")
    assert "Did you mean birthday?" in await room.say(
        "automation new when=date:brithday then=tag:wished"
    )
    assert "no time of day" in str(
        _refusal("automation new when=date:birthday@25:00 then=tag:wished")
    )


def _refusal(text: str) -> object:
    from bot.slack.language import LANGUAGE  # noqa: PLC0415 — the grammar, without a room

    return LANGUAGE.parse(text)


async def test_several_processes_tell_of_each_day_once(
    room: CampaignRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dates, "_CONTACTS", 7)
    people = await room.contacts(50)
    await room.database.pool.execute(
        """update contacts set attributes = '{"birthday": "1990-12-01"}' where id = any($1)""",
        people,
    )
    await room.say("campaign new Wished trigger=date:birthday reentry=always")
    await room.say("step add Wished after=0m template=followup")
    await room.say("campaign activate Wished")
    await work_off(room)
    room.room.clock.at = datetime(2026, 12, 1, 8, tzinfo=UTC)

    while {"follow_dates", "enroll_triggered"} & set(await jobs(room)):
        await asyncio.gather(
            *(follow_dates(room.worker, ACME) for _ in range(3)),
            *(enroll_triggered(room.worker, ACME) for _ in range(3)),
        )

    assert await room.value("select count(*) from enrollments") == 50


async def test_many_contacts_are_read_in_slices(room: CampaignRoom) -> None:
    people = await room.contacts(2_500)
    await room.database.pool.execute(
        """update contacts set attributes = '{"birthday": "1990-12-01"}' where id = any($1)""",
        people,
    )
    await room.say("automation new when=date:birthday then=tag:wished")
    await work_off(room)
    assert await room.value("select count(*) from dates_due where due_at is not null") == 2_500

    await at(room, 2026, 12, 1, 8, 0)

    assert len(await wished(room)) == 2_500
