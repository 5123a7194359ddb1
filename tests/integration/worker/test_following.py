"""Segments set automations off when contacts join them, once each time, and narrow others down."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.slack import automations as automation_commands
from storage import work
from storage.database import Database
from tests.database import ACME
from tests.integration.slack.campaign_room import CampaignRoom, opened
from worker import following
from worker.following import follow_segments
from worker.triggers import enroll_triggered

ADA, BOB = "+31610000001", "+31610000002"


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as room:
        automation_commands.register(room.room.registry, room.room.desk)
        # A segment names only tags that somebody has.
        await room.say("contact add +31610000009 tags=hot,cold,in,all,vip")
        await room.database.pool.execute("delete from occurrences")
        yield room


async def work_off(room: CampaignRoom, *, later: timedelta = timedelta(0)) -> None:
    """Do what the tick finds to do, after a while."""
    await room.later(later)
    known = {"follow_segments": follow_segments, "enroll_triggered": enroll_triggered}
    while due := [known[name] for name in await jobs(room) if name in known]:
        for job in due:
            await job(room.worker, ACME)


async def jobs(room: CampaignRoom) -> list[str]:
    async with room.database.owner_unit(ACME, room.room.clock.now()) as unit:
        return await work.jobs(unit, numbers=[])


async def tagged(room: CampaignRoom, tag: str) -> list[object]:
    return [
        phone
        for (phone,) in await room.rows(
            "select i.value from contact_tags t join contact_identities i using (contact_id)"
            " where tag = $1 and kind = 'phone' order by 1",
            tag,
        )
    ]


MINUTE = timedelta(minutes=1)


async def test_who_joins_sets_it_off_and_who_was_there_does_not(room: CampaignRoom) -> None:
    await room.say("segment new Hot tag:hot")
    await room.say(f"contact add {ADA} tags=hot")
    await room.say("automation new when=segment:Hot then=tag:joined")
    await work_off(room)
    await room.say(f"contact add {BOB}")
    await work_off(room, later=MINUTE)
    assert await tagged(room, "joined") == []

    await room.say(f"contact tag {BOB} hot")
    await work_off(room, later=MINUTE)
    await work_off(room, later=MINUTE)

    assert await tagged(room, "joined") == [BOB]


async def test_it_fires_once_for_each_joining(room: CampaignRoom) -> None:
    await room.say("segment new Hot tag:hot")
    await room.say("campaign new Warm trigger=segment:Hot reentry=always")
    await room.say("step add Warm after=0m template=followup")
    await room.say("campaign activate Warm")
    await room.say(f"contact add {ADA}")
    await work_off(room)

    for verb in ("tag", "untag", "tag"):
        await room.say(f"contact {verb} {ADA} hot")
        for _ in range(3):
            await work_off(room, later=MINUTE)

    assert await room.rows("select enrolled_by, count(*) from enrollments group by 1") == [
        ("trigger:segment:Hot", 2)
    ]


async def test_a_contact_made_before_the_first_look_has_joined(room: CampaignRoom) -> None:
    await room.say("segment new Hot tag:hot")
    await room.say("automation new when=segment:Hot then=tag:joined")
    await room.say(f"contact add {ADA} tags=hot")

    await work_off(room)

    assert await tagged(room, "joined") == [ADA]


async def test_only_contacts_in_the_segment_are_acted_on(room: CampaignRoom) -> None:
    await room.say("segment new Home tag:vip")
    await room.say("automation new when=tag:lead in=Home then=tag:call")
    await room.say(f"contact add {ADA} tags=lead,vip")
    await room.say("contact add +4915123456789 tags=lead")

    await work_off(room)

    assert await tagged(room, "call") == [ADA]
    assert "and is in the segment Home, tag the contact call." in await room.say("automation list")


async def test_joining_and_leaving_in_a_circle_is_stopped(room: CampaignRoom) -> None:
    await room.say("segment new Out not tag:in and tag:all")
    await room.say("automation new when=segment:Out then=tag:in")
    await room.say("segment new In tag:in and tag:all and not tag:vip")
    await room.say("automation new when=segment:In then=untag:in")
    await room.say(f"contact add {ADA}")
    await work_off(room)

    await room.say(f"contact tag {ADA} all")
    for _ in range(30):
        await work_off(room, later=MINUTE)

    assert await room.value("select count(*) from automations where state = 'stopped'") == 1


async def test_who_joined_while_it_was_paused_is_not_made_up_for(room: CampaignRoom) -> None:
    await room.say("segment new Hot tag:hot")
    await room.say(f"contact add {ADA}")
    await room.say(f"contact add {BOB}")
    await room.say("automation new when=segment:Hot then=tag:joined")
    number = await room.value("select id from automations")
    await work_off(room)

    await room.say(f"automation pause {number}")
    await work_off(room, later=MINUTE)
    await room.say(f"contact tag {ADA} hot")
    await work_off(room, later=MINUTE)
    await room.say(f"automation resume {number}")
    await work_off(room)
    await work_off(room, later=MINUTE)
    assert await tagged(room, "joined") == []

    await room.say(f"contact tag {BOB} hot")
    await work_off(room, later=MINUTE)
    assert await tagged(room, "joined") == [BOB]


@pytest.mark.parametrize(
    "ends", ["automation remove {number}", "automation pause {number}", "campaign archive Warm"]
)
async def test_a_new_one_is_not_for_who_joined_before_it(room: CampaignRoom, ends: str) -> None:
    await room.say("segment new Hot tag:hot")
    await room.say(f"contact add {ADA}")
    if "Warm" in ends:
        await room.say("campaign new Warm trigger=segment:Hot")
        await room.say("step add Warm after=0m template=followup")
        await room.say("campaign activate Warm")
    else:
        await room.say("automation new when=segment:Hot then=tag:first")
    await work_off(room)
    number = await room.value("select id from automations")
    await room.say(ends.format(number=number))
    assert await room.value("select count(*) from automations where state = 'on'") == 0

    # No process looks through it meanwhile.
    await room.later(timedelta(days=30))
    await room.say(f"contact tag {ADA} hot")
    await room.say("automation new when=segment:Hot then=tag:joined")
    await work_off(room)
    await work_off(room, later=MINUTE)

    assert await tagged(room, "joined") == []


async def test_another_that_waits_goes_on_where_one_is_paused_and_resumed(
    room: CampaignRoom,
) -> None:
    await room.say("segment new Hot tag:hot")
    await room.say(f"contact add {ADA}")
    await room.say("automation new when=segment:Hot then=tag:joined")
    await room.say("automation new when=segment:Hot then=tag:also")
    number = await room.value("select max(id) from automations")
    await work_off(room)

    await room.say(f"automation pause {number}")
    await room.say(f"contact tag {ADA} hot")
    await room.later(MINUTE)
    await follow_segments(room.worker, ACME)
    await room.later(MINUTE)
    # What was noted before it was resumed, and is acted on after, is not for it either.
    await room.say(f"automation resume {number}")
    await work_off(room)

    assert await tagged(room, "joined") == [ADA]
    assert await tagged(room, "also") == []


async def test_a_segment_nobody_waits_for_any_more_is_let_go_by_the_tick(
    room: CampaignRoom,
) -> None:
    await room.say("segment new Hot tag:hot")
    await room.say("automation new when=segment:Hot then=tag:joined")
    await work_off(room)
    number = await room.value("select id from automations")
    await room.say(f"automation pause {number}")

    await work_off(room)

    assert await room.value("select count(*) from segments_followed") == 0


async def test_many_are_looked_through_in_slices(
    room: CampaignRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_CONTACTS", 100)
    await room.contacts(450, tag="hot", first=100)
    await room.say("segment new Hot tag:hot and not tag:cold")
    await room.say("automation new when=segment:Hot then=tag:joined")
    await work_off(room)
    assert await room.value("select count(*) from segment_presence where here") == 450

    await room.database.pool.execute(
        "insert into contact_tags (organization_id, tag, contact_id, added_at)"
        " select organization_id, 'cold', id, created_at from contacts where id % 2 = 0"
        " on conflict do nothing"
    )
    await work_off(room, later=MINUTE)
    assert await room.value("select count(*) from segment_presence where here") == 225
    await room.database.pool.execute(
        "delete from contact_tags t using contact_identities i"
        " where tag = 'cold' and i.contact_id = t.contact_id and value <> '+31610000009'"
    )
    await work_off(room, later=MINUTE)

    assert await room.value("select count(*) from contact_tags where tag = 'joined'") == 225


async def test_several_processes_tell_of_each_joining_once(
    room: CampaignRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_CONTACTS", 10)
    await room.say("segment new Hot tag:hot")
    await room.say("campaign new Warm trigger=segment:Hot reentry=always")
    await room.say("step add Warm after=0m template=followup")
    await room.say("campaign activate Warm")
    await work_off(room)
    await room.contacts(60, tag="hot", first=100)
    await room.later(MINUTE)

    while {"follow_segments", "enroll_triggered"} & set(await jobs(room)):
        await asyncio.gather(
            *(follow_segments(room.worker, ACME) for _ in range(3)),
            *(enroll_triggered(room.worker, ACME) for _ in range(3)),
        )

    assert await room.value("select count(*) from enrollments") == 60


async def test_without_an_automation_nobody_is_followed(room: CampaignRoom) -> None:
    await room.say("segment new Hot tag:hot")
    await room.say("automation new when=segment:Hot then=tag:joined")
    await room.say("automation new when=segment:Hot then=tag:seen")
    await work_off(room)
    for (number,) in await room.rows("select id from automations order by id"):
        await room.say(f"automation remove {number}")
        await follow_segments(room.worker, ACME)

    assert await room.value("select count(*) from segments_followed") == 0
    assert "follow_segments" not in await jobs(room)
