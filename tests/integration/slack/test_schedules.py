"""Broadcasts that start by themselves: once, not before their time, never when called off."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.slack.grammar import NotUnderstood
from bot.slack.language import LANGUAGE
from storage import work
from storage.database import Database
from tests.database import ACME
from tests.integration.slack.campaign_room import CampaignRoom, opened
from worker.scheduling import start_due

TOMORROW = '"2026-11-21 10:00"'


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as opened_room:
        await opened_room.contacts(3)
        yield opened_room


async def at(room: CampaignRoom, year: int, month: int, day: int, hour: int, minute: int) -> None:
    """Go to an instant (UTC), and let the worker start what is due."""
    room.room.clock.at = datetime(year, month, day, hour, minute, tzinfo=UTC)
    while await start_due(room.worker, ACME):
        pass


async def states(room: CampaignRoom) -> list[tuple[object, ...]]:
    return await room.rows("select name, state from campaigns order by id")


async def test_it_starts_once_and_not_before(room: CampaignRoom) -> None:
    said = await room.say(f"broadcast new Sale to=tag:lead template=followup at={TOMORROW}")
    assert "Saturday 21 November 2026 at 10:00" in said
    assert "Europe/Amsterdam, your organization's time zone" in said
    assert "3 recipients" in said

    assert "*Sale* (broadcast) starts" in await room.say("status")

    await at(room, 2026, 11, 21, 8, 59)
    assert await states(room) == [("Sale", "scheduled")]
    await at(room, 2026, 11, 21, 9, 0)
    assert await states(room) == [("Sale", "running")]
    assert "(broadcast) starts" not in await room.say("status")
    await room.plan()
    await at(room, 2026, 11, 22, 9, 0)

    assert await room.value("select count(*) from messages") == 3
    assert await room.value("select started_by from campaigns") == "U0OWNER"
    shown = await room.say("broadcast show Sale")
    assert "scheduled" in shown.split("Lately:")[1]
    assert "started on time" in shown.split("Lately:")[1]


async def test_the_product_knows_when_it_next_acts(room: CampaignRoom) -> None:
    await room.say(f"broadcast new Sale to=tag:lead template=followup at={TOMORROW}")

    async with room.database.owner_unit(ACME, room.room.clock.at) as unit:
        before = await work.idle(unit, grace=timedelta(minutes=10))
        jobs = await work.jobs(unit, numbers=("200000000000001",))  # type: ignore[arg-type]  # ids
    async with room.database.owner_unit(ACME, datetime(2026, 11, 21, 9, tzinfo=UTC)) as unit:
        then = await work.idle(unit, grace=timedelta(minutes=10))
        later = await work.jobs(unit, numbers=("200000000000001",))  # type: ignore[arg-type]  # ids

    assert before.next_due == datetime(2026, 11, 21, 9, tzinfo=UTC)
    assert before.due == 0
    assert then.due == 1
    assert "start_scheduled" not in jobs
    assert "start_scheduled" in later


async def test_who_comes_from_further_east_meanwhile_has_it_at_their_own_time(
    room: CampaignRoom,
) -> None:
    await room.say(f"broadcast new Sale to=tag:lead template=followup at={TOMORROW} zone=contact")
    await room.say("contact add +61293744000 tags=lead timezone=Australia/Sydney")

    async with room.database.owner_unit(ACME, room.room.clock.at) as unit:
        idle = await work.idle(unit, grace=timedelta(minutes=10))
    await at(room, 2026, 11, 20, 22, 30)
    shown = await room.say("broadcast list")
    await at(room, 2026, 11, 20, 22, 59)
    before = await states(room)
    await at(room, 2026, 11, 20, 23, 0)

    assert idle.next_due is not None
    assert idle.next_due < datetime(2026, 11, 20, 23, tzinfo=UTC)
    assert "2026-11-20 23:00 UTC" in shown
    assert before == [("Sale", "scheduled")]
    assert await states(room) == [("Sale", "running")]


async def test_who_comes_too_late_for_their_own_time_makes_nobody_late(room: CampaignRoom) -> None:
    await room.say(f"broadcast new Sale to=tag:lead template=followup at={TOMORROW} zone=contact")
    await room.say("broadcast edit Sale deadline=1h")
    await at(room, 2026, 11, 21, 2, 10)
    await room.say("contact add +61293744000 tags=lead timezone=Australia/Sydney")

    await at(room, 2026, 11, 21, 8, 59)
    assert await states(room) == [("Sale", "scheduled")]
    await at(room, 2026, 11, 21, 9, 0)

    assert await states(room) == [("Sale", "running")]
    assert await room.value("select count(*) from events where kind = 'campaign_missed'") == 0


async def test_who_has_left_is_not_waited_for(room: CampaignRoom) -> None:
    await room.say("contact add +61293744000 tags=lead timezone=Australia/Sydney")
    await room.say(f"broadcast new Sale to=tag:lead template=followup at={TOMORROW} zone=contact")
    await room.say("contact untag +61293744000 lead")

    await at(room, 2026, 11, 20, 23, 30)
    assert await states(room) == [("Sale", "scheduled")]
    await at(room, 2026, 11, 21, 9, 0)

    assert await states(room) == [("Sale", "running")]


async def test_two_workers_at_once_start_it_once(room: CampaignRoom) -> None:
    await room.say(f"broadcast new News to=tag:lead template=followup at={TOMORROW} every=day")
    room.room.clock.at = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)

    await asyncio.gather(*(start_due(room.worker, ACME) for _ in range(6)))

    assert await states(room) == [("News", "scheduled"), ("News 2026-11-21", "running")]


@pytest.mark.parametrize("how", ["unschedule", "cancel", "pause"])
async def test_what_was_called_off_never_starts(room: CampaignRoom, how: str) -> None:
    await room.say(f"broadcast new Sale to=tag:lead template=followup at={TOMORROW}")

    await room.say(f"broadcast {how} Sale")
    await at(room, 2026, 11, 23, 9, 0)
    await room.plan()

    assert await room.value("select count(*) from messages") == 0
    ((_, state),) = await states(room)
    assert state == {"unschedule": "draft", "cancel": "cancelled", "pause": "paused"}[how]


async def test_a_cancel_at_any_moment_leaves_nothing_to_send(room: CampaignRoom) -> None:
    """The start, the planning and the cancel race; whoever wins, nothing waits afterwards."""
    from worker.completion import complete  # noqa: PLC0415 — only here

    for round_ in range(25):
        name = f"Race{round_}"
        day = room.room.clock.at + timedelta(days=1)
        await room.say(
            f'broadcast new {name} to=tag:lead template=followup at="{day:%Y-%m-%d %H:%M}"'
        )
        room.room.clock.at = day + timedelta(hours=1)

        async def cancelled(name: str = name) -> str:
            await asyncio.sleep(secrets.randbelow(30) / 1000)
            return await room.say(f"broadcast cancel {name}")

        async def worked() -> None:
            await start_due(room.worker, ACME)
            await room.plan()

        said, _, _ = await asyncio.gather(cancelled(), worked(), start_due(room.worker, ACME))
        assert "cancelled *" in said
        await worked()
        while await complete(room.worker, ACME):
            pass

    assert {state for _, state in await states(room)} == {"cancelled"}
    assert (
        await room.value(
            "select count(*) from messages where state not in ('cancelled', 'skipped')"
        )
        == 0
    )


async def test_a_series_starts_a_broadcast_of_its_own_each_time(room: CampaignRoom) -> None:
    said = await room.say(
        f"broadcast new News to=tag:lead template=followup rate=5/s at={TOMORROW}"
        ' every="FREQ=DAILY;COUNT=3"'
    )
    assert "first" in said
    assert "FREQ=DAILY;COUNT=3" in said

    await at(room, 2026, 11, 21, 9, 0)
    await room.contacts(2, first=50)
    await at(room, 2026, 11, 22, 9, 0)
    await room.plan()

    assert await states(room) == [
        ("News", "scheduled"),
        ("News 2026-11-21", "running"),
        ("News 2026-11-22", "running"),
    ]
    assert await room.rows(
        "select c.name, count(*) from messages m join campaigns c on c.id = m.campaign_id"
        " group by 1 order by 1"
    ) == [("News 2026-11-21", 3), ("News 2026-11-22", 5)]
    assert "2 of its broadcasts had begun" in await room.say("broadcast pause News")
    await at(room, 2026, 11, 23, 9, 0)
    assert "its time has passed" in await room.say("broadcast resume News")
    assert await room.value("select count(*) from campaigns where state = 'running'") == 2


async def test_a_series_that_was_paused_goes_on_with_what_is_to_come(room: CampaignRoom) -> None:
    await room.say(f"broadcast new News to=tag:lead template=followup at={TOMORROW} every=week")
    await room.say("broadcast pause News")
    await at(room, 2026, 11, 30, 9, 0)

    assert "resumed" in await room.say("broadcast resume News")
    await at(room, 2026, 12, 5, 8, 59)
    assert await room.value("select count(*) from campaigns") == 1
    await at(room, 2026, 12, 5, 9, 0)
    assert [name for name, _ in await states(room)] == ["News", "News 2026-12-05"]


async def test_a_series_is_completed_after_its_last(room: CampaignRoom) -> None:
    await room.say(
        f"broadcast new News to=tag:lead template=followup at={TOMORROW}"
        ' every="FREQ=DAILY;UNTIL=20261122"'
    )
    await at(room, 2026, 11, 21, 9, 0)
    await at(room, 2026, 11, 22, 9, 0)

    assert (await states(room))[0] == ("News", "completed")
    assert "nothing of it changes" in await room.say("broadcast edit News rate=5/s")
    assert "final" in await room.say("broadcast pause News")


async def test_what_was_missed_starts_late_within_the_deadline_only(room: CampaignRoom) -> None:
    for name in ("Late", "Stale"):
        deadline = "48h" if name == "Late" else "1h"
        await room.say(
            f"broadcast new {name} to=tag:lead template=followup at={TOMORROW} deadline={deadline}"
        )
    await room.say(
        f"broadcast new News to=tag:lead template=followup at={TOMORROW} every=day deadline=20h"
    )

    await at(room, 2026, 11, 23, 8, 0)

    assert await states(room) == [
        ("Late", "running"),
        ("Stale", "draft"),
        ("News", "scheduled"),
    ]
    told = await room.rows(
        "select c.name, e.content ->> 'count' from events e"
        " join campaigns c on c.id = e.campaign_id where e.kind = 'campaign_missed' order by c.id"
    )
    assert told == [("Stale", "1"), ("News", "2")]


async def test_what_cannot_start_is_told_and_a_draft_again(room: CampaignRoom) -> None:
    await room.say(f"broadcast new Sale to=tag:lead template=followup at={TOMORROW}")
    await room.say(f"broadcast new Gone to=tag:gone template=followup at={TOMORROW} every=day")
    await room.value("update templates set status = 'PAUSED' where name = 'followup'")

    await at(room, 2026, 11, 21, 9, 0)

    assert await states(room) == [("Sale", "draft"), ("Gone", "scheduled")]
    told = await room.rows(
        "select content ->> 'why' from events where kind = 'campaign_not_started'"
    )
    assert len(told) == 2
    assert "paused at WhatsApp" in str(told[0])


async def test_one_that_cannot_be_read_keeps_no_other_from_its_time(room: CampaignRoom) -> None:
    for name in ("Broken", "Sale"):
        await room.say(f"broadcast new {name} to=tag:lead template=followup at={TOMORROW}")
    await room.value("update campaigns set schedule = '{}' where name = 'Broken'")

    await at(room, 2026, 11, 21, 9, 0)

    assert await states(room) == [("Broken", "scheduled"), ("Sale", "running")]


async def test_each_contact_gets_it_by_its_own_clock(room: CampaignRoom) -> None:
    await room.value(
        "update contacts set timezone = ('{Asia/Tokyo,America/New_York,Nowhere/Land}'::text[])"
        "[substr(first_name, 2)::int]"
    )
    said = await room.say(
        f"broadcast new Sale to=tag:lead template=followup at={TOMORROW} zone=contact"
    )
    assert "by each contact's own clock" in said
    assert "Asia/Tokyo, at Sat 02:00 here" in said

    await at(room, 2026, 11, 21, 0, 59)
    assert await states(room) == [("Sale", "scheduled")]
    await at(room, 2026, 11, 21, 1, 0)
    await room.plan()

    assert await room.rows("select due_at from messages order by due_at") == [
        (datetime(2026, 11, 21, hour, tzinfo=UTC),) for hour in (1, 9, 15)
    ]


@pytest.mark.parametrize(
    ("written", "why"),
    [
        pytest.param('at="2026-11-20 10:00"', "has passed in Europe/Amsterdam", id="past"),
        pytest.param(
            'at="2026-11-20 20:00" zone=Asia/Tokyo', "has passed in Asia/Tokyo", id="past there"
        ),
        pytest.param('at="2126-11-20 10:00"', "ten years", id="too far"),
        pytest.param(f"at={TOMORROW} every=FREQ=DAILY;INTERVAL=7;BYDAY=MO", "never", id="never"),
    ],
)
async def test_a_time_that_cannot_come_is_refused(
    room: CampaignRoom, written: str, why: str
) -> None:
    await room.say("broadcast new Sale to=tag:lead template=followup")

    assert why in await room.say(f"broadcast schedule Sale {written}")
    assert why in await room.say(f"broadcast new Other to=all template=followup {written}")
    assert await states(room) == [("Sale", "draft")]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("broadcast schedule A", "needs at=", id="no time"),
        pytest.param("broadcast schedule A at=tomorrow", "no day and time", id="no day"),
        pytest.param("broadcast schedule A at=2026-02-30 10:00", "in no calendar", id="none such"),
        pytest.param("broadcast schedule A at=2026-12-01 10:00 zone=Mars", "zone=", id="no zone"),
        pytest.param("broadcast schedule A at=2026-12-01 10:00 zone=", "zone=", id="empty zone"),
        pytest.param("broadcast schedule A at=2026-12-01 10:00 every=hour", "rule", id="no rule"),
        pytest.param(f"broadcast schedule A at={'9' * 10_000}", "no day and time", id="long"),
        pytest.param("broadcast schedule A at=\U0001f4a5", "no day and time", id="emoji"),
        pytest.param("broadcast schedule A at=\u0661\u0662 zone=contact", "no day", id="digits"),
        pytest.param("broadcast new A to=all text=b zone=contact", "goes only with at=", id="bare"),
    ],
)
def test_what_is_no_schedule_is_refused_with_the_fix(text: str, why: str) -> None:
    read = LANGUAGE.parse(text)

    assert isinstance(read, NotUnderstood), read
    assert why in read.sentence
    assert len(read.sentence) < 500


async def test_what_is_not_approved_is_not_scheduled(room: CampaignRoom) -> None:
    await room.say("broadcast new Sale to=tag:lead template=draft")

    assert "only approved ones" in await room.say(f"broadcast schedule Sale at={TOMORROW}")
    assert await states(room) == [("Sale", "draft")]


async def test_a_skipped_hour_is_said_to_become_another(room: CampaignRoom) -> None:
    await room.say("broadcast new Sale to=tag:lead template=followup")

    said = await room.say('broadcast schedule Sale at="2027-03-28 02:30"')

    assert "skip that hour: it becomes 03:00" in said
    assert await room.value("select scheduled_at from campaigns") == datetime(
        2027, 3, 28, 1, tzinfo=UTC
    )


async def test_many_recipients_want_the_count_and_nothing_is_made(room: CampaignRoom) -> None:
    await room.contacts(4, first=50)
    new = f"broadcast new Sale to=tag:lead template=followup at={TOMORROW}"

    asked = await room.say(new)
    assert "7 recipients" in asked
    assert "Nothing has been done" in asked
    assert await states(room) == []
    assert "scheduled it" in await room.say(f"{new} count=7")
    again = await room.say('broadcast schedule Sale at="2026-12-01 9:00" every=week')
    assert 'at="2026-12-01 09:00" zone=Europe/Amsterdam every="FREQ=WEEKLY" count=7' in again
    assert await room.value("select schedule ->> 'rule' from campaigns") is None


async def test_send_now_takes_it_off_the_schedule(room: CampaignRoom) -> None:
    await room.say(f"broadcast new Sale to=tag:lead template=followup at={TOMORROW} zone=contact")
    await room.say(f"broadcast new News to=tag:lead template=followup at={TOMORROW} every=day")

    assert "sends *Sale*" in await room.say("broadcast send Sale")
    assert "recurs" in await room.say("broadcast send News")
    await room.plan()
    assert await room.value("select max(due_at) from messages") <= room.room.clock.at
    assert "on no schedule" in await room.say("broadcast unschedule Sale")
    assert "clone" in await room.say(f"broadcast schedule Sale at={TOMORROW}")


async def test_a_scheduled_broadcast_changes_and_is_not_deleted(room: CampaignRoom) -> None:
    await room.contacts(1, tag="vip", first=70)
    await room.value("update contacts set timezone = 'Asia/Tokyo' where first_name = 'C70'")
    await room.say(f"broadcast new Sale to=tag:lead template=followup at={TOMORROW} zone=contact")

    assert "unschedule" in await room.say("broadcast delete Sale")
    assert "changed" in await room.say("broadcast edit Sale to=tag:vip priority=9")
    assert await room.value("select scheduled_at from campaigns") == datetime(
        2026, 11, 21, 1, tzinfo=UTC
    )
    assert "only approved ones" in await room.say("broadcast edit Sale template=draft")
    assert "starts" in await room.say("broadcast list scheduled")
