"""One contact's enrollment, steered by staff, and the pages that list all of them."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from bot.slack import enrollment_pages
from storage.database import Database
from tests.integration.slack.campaign_room import CampaignRoom, opened

ADA = "+31610000001"


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as room:
        yield room


async def enrolled(room: CampaignRoom, count: int = 2) -> None:
    await room.welcome()
    await room.contacts(count)
    await room.say("enroll Welcome tag:lead")


async def standing(room: CampaignRoom) -> list[tuple[object, ...]]:
    return await room.rows(
        "select e.state, e.reason, s.position from enrollments e"
        " left join steps s on s.id = e.step_id order by e.contact_id"
    )


async def test_a_paused_contact_gets_nothing_until_resumed(room: CampaignRoom) -> None:
    await enrolled(room)

    paused = await room.say(f"enrollment pause Welcome {ADA}")
    again = await room.say(f"enrollment pause Welcome {ADA}")
    await room.later(timedelta(hours=1))
    await room.plan()
    before = await room.value("select count(*) from messages")
    listed = await room.say("enrollments Welcome paused")
    resumed = await room.say(f"enrollment resume Welcome {ADA}")
    twice = await room.say(f"enrollment resume Welcome {ADA}")
    await room.later(timedelta(minutes=1))
    await room.plan()

    assert f"paused {ADA} in *Welcome*" in paused
    assert "is paused in Welcome already" in again
    assert before == 1
    assert "once resumed" in listed
    assert f"resumed {ADA}" in resumed
    assert "is not paused" in twice
    assert await room.value("select count(*) from messages") == 2
    assert await room.rows("select distinct paused_at, paused_by from enrollments") == [
        (None, None)
    ]


async def test_the_time_somebody_is_paused_is_not_held_against_what_is_queued(
    room: CampaignRoom,
) -> None:
    await enrolled(room, 1)
    await room.later(timedelta(minutes=1))
    await room.plan()
    await room.value("update messages set deadline_at = due_at + interval '1 hour'")
    deadline = await room.value("select deadline_at from messages")

    await room.say(f"enrollment pause Welcome {ADA}")
    paused_at = await room.value("select paused_at from enrollments")
    await room.later(timedelta(days=3))
    await room.say(f"enrollment resume Welcome {ADA}")

    moved = await room.value("select deadline_at from messages")
    assert moved - deadline == room.room.clock.at - paused_at


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("enrollment pause Welcome +31610000001", "enrollment resume Welcome +31610000001"),
        ("campaign pause Welcome", "campaign resume Welcome"),
    ],
    ids=["the contact longer", "the campaign longer"],
)
async def test_what_contact_and_campaign_are_paused_together_is_held_against_a_deadline_once(
    room: CampaignRoom, first: str, last: str
) -> None:
    one = ("enrollment pause Welcome +31610000001", "enrollment resume Welcome +31610000001")
    all_ = ("campaign pause Welcome", "campaign resume Welcome")
    inner = all_ if first == one[0] else one
    await enrolled(room, 1)
    await room.later(timedelta(minutes=1))
    await room.plan()
    await room.value("update messages set deadline_at = due_at + interval '1 hour'")
    # Paused before, which counts for all and is over.
    await room.say(all_[0])
    await room.later(timedelta(hours=5))
    await room.say(all_[1])
    before = await _deadline(room)

    await room.say(first)
    begun = room.room.clock.now()
    for said in inner:
        await room.later(timedelta(hours=7))
        await room.say(said)
    await room.later(timedelta(hours=7))
    await room.say(last)

    held = (await _deadline(room) - before).total_seconds()
    assert held == pytest.approx((room.room.clock.now() - begun).total_seconds(), abs=2)


async def _deadline(room: CampaignRoom) -> datetime:
    deadline: datetime = await room.value(
        "select deadline_at + held_back('acme', campaign_id, $1) from messages",
        room.room.clock.now(),
    )
    return deadline


async def test_what_was_queued_goes_out_as_soon_as_somebody_is_resumed(room: CampaignRoom) -> None:
    await enrolled(room, 2)
    await room.later(timedelta(minutes=1))
    await room.plan()
    await room.say(f"enrollment pause Welcome {ADA}")
    # As the lane puts off what it meets of somebody who is paused.
    put_off = room.room.clock.at + timedelta(minutes=1)
    await room.value("update messages set due_at = $1", put_off)

    await room.say(f"enrollment resume Welcome {ADA}")

    assert await room.rows("select due_at from messages order by contact_id") == [
        (room.room.clock.at,),
        (put_off,),
    ]


async def test_a_retry_keeps_its_time_when_somebody_is_resumed(room: CampaignRoom) -> None:
    await enrolled(room, 1)
    await room.later(timedelta(minutes=1))
    await room.plan()
    again = room.room.clock.at + timedelta(minutes=4)
    await room.value("update messages set due_at = $1, tries = 3, failed_at = $1", again)

    await room.say(f"enrollment pause Welcome {ADA}")
    await room.say(f"enrollment resume Welcome {ADA}")

    assert await room.value("select due_at from messages") == again


async def test_a_contact_is_put_before_a_step_and_what_was_queued_is_cancelled(
    room: CampaignRoom,
) -> None:
    await enrolled(room)
    await room.later(timedelta(minutes=1))
    await room.plan()

    said = await room.say(f"enrollment move Welcome {ADA} to=3")

    assert f"moved {ADA} in *Welcome*" in said
    assert "template offer" in said
    assert "not before" in said
    assert await standing(room) == [("active", None, 3), ("active", None, 1)]
    assert await room.rows("select state, reason from messages order by contact_id") == [
        ("cancelled", "put_elsewhere"),
        ("queued", None),
    ]
    assert await room.value(
        "select due_at - $1 from enrollments order by contact_id limit 1", room.room.clock.at
    ) == timedelta(days=5)


async def test_what_is_done_to_one_contact_is_told_apart_from_what_is_done_to_all(
    room: CampaignRoom,
) -> None:
    await enrolled(room)
    for act in ("pause", "resume", "end"):
        await room.say(f"enrollment {act} Welcome {ADA}")

    lately = (await room.say("campaign show Welcome")).split("Lately:")[1]

    for said in ("paused a contact", "resumed a contact", "took a contact out"):
        assert said in lately


async def test_moving_back_gives_nobody_a_step_twice(room: CampaignRoom) -> None:
    await enrolled(room, 1)
    await room.say(f"enrollment move Welcome {ADA} to=2")
    await room.later(timedelta(days=2, minutes=1))
    await room.plan()

    had = await room.say(f"enrollment move Welcome {ADA} to=2")
    back = await room.say(f"enrollment move Welcome {ADA} to=1")
    for _ in range(4):
        await room.later(timedelta(days=6))
        await room.plan()
        await room.value(
            "update messages set state = 'accepted', accepted_at = $1 where state = 'queued'",
            room.room.clock.at,
        )
        await room.value(
            "update enrollments set step_id = (select id from steps where position = 2),"
            " since_at = $1, due_at = $1 where due_at is null and position = 1",
            room.room.clock.at,
        )

    assert "nobody gets a step twice" in had
    assert "moved" in back
    # The second was cancelled when it was put back, and is not made again.
    assert await room.rows(
        "select s.position, count(*) from messages m join steps s on s.id = m.step_id"
        " group by 1 order by 1"
    ) == [(1, 1), (2, 1), (3, 1)]


async def test_a_contact_put_back_from_the_last_step_goes_on(room: CampaignRoom) -> None:
    await enrolled(room, 1)
    await room.say(f"enrollment move Welcome {ADA} to=3")
    await room.later(timedelta(days=5, minutes=1))
    await room.plan()

    await room.say(f"enrollment move Welcome {ADA} to=2")

    assert await standing(room) == [("active", None, 2)]
    assert await room.value("select ended_at from enrollments") is None


async def test_what_is_on_its_way_this_moment_stays_where_it_is(room: CampaignRoom) -> None:
    await enrolled(room, 1)
    await room.later(timedelta(minutes=1))
    await room.plan()
    await room.value("update messages set state = 'claimed', attempt = 1")

    said = await room.say(f"enrollment move Welcome {ADA} to=3")

    assert "on its way to WhatsApp this moment" in said
    assert await standing(room) == [("active", None, 1)]


async def test_an_ended_enrollment_says_why_ever_after(room: CampaignRoom) -> None:
    await enrolled(room)

    ended = await room.say(f"enrollment end Welcome {ADA}")
    again = await room.say(f"enrollment end Welcome {ADA}")

    assert f"ended {ADA} in *Welcome*" in ended
    assert "dropped: ended by staff" in again
    assert "ended by staff" in await room.say("enrollments Welcome dropped")
    assert (await standing(room))[0] == ("dropped", "ended", None)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param(f"pause Sale {ADA}", "is a broadcast", id="a broadcast"),
        pytest.param("pause Welcome +31610009999", "is no contact", id="a stranger"),
        pytest.param("pause Welcome Xerxes", "No contact's name begins", id="an unknown name"),
        pytest.param("pause Welcome C", "Write the phone", id="several"),
        pytest.param("pause Welcome +31610000005", "was never in Welcome", id="not in it"),
        pytest.param(f"move Welcome {ADA} to=9", "has steps 1 to 3", id="no such step"),
        pytest.param(f"pause Wolcome {ADA}", "Did you mean Welcome", id="nearly its name"),
    ],
)
async def test_what_cannot_be_steered_is_told(room: CampaignRoom, text: str, sentence: str) -> None:
    await enrolled(room)
    await room.contacts(1, tag="other", first=5)
    await room.say("broadcast new Sale to=all template=followup")
    before = await standing(room)

    assert sentence in await room.say(f"enrollment {text}")
    assert await standing(room) == before


async def test_pages_turn_and_say_who_enrolled_and_when_it_goes_on(
    room: CampaignRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrollment_pages, "PAGE", 6)
    await enrolled(room, 1)
    await room.say("campaign new Big")
    await room.say("step add Big after=1d template=followup")
    await room.say("campaign activate Big")
    await room.contacts(15, tag="many", first=100)
    await room.say("enroll Big tag:many count=15")
    await room.value("update enrollments set enrolled_by = 'trigger:tag:many' where id % 2 = 0")
    await room.value("update contacts set name = repeat('long ', 50)")

    first = await room.say("enrollments Big")
    campaign = await room.value("select id from campaigns where name = 'Big'")
    second = await room.click("enrollments_older", f"{campaign}::6@1")
    last = await room.click("enrollments_older", f"{campaign}:active:12@2")
    foreign = await room.click("enrollments_newer", "999999::0@3")

    pages = [re.findall(r"\+316\d+", page) for page in (first, second, last)]
    assert [len(page) for page in pages] == [6, 6, 3]
    assert len({phone for page in pages for phone in page}) == 15
    assert "<@U0OWNER>" in first
    assert "tag:many" in first
    assert "2026-11-21" in first
    assert "Times are those of Europe/Amsterdam." in first
    assert "long long" in first
    assert "long " * 12 not in first
    assert "no longer there" in foreign
