"""Who gets into a campaign, who not and why, and how they leave it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from engine.ids import CampaignId, ContactId
from storage import enrollments
from storage.database import Database, Unit
from storage.enrollments import NotEnrolling, Outcome
from tests.database import ACME, NOON
from tests.integration.slack.campaign_room import CampaignRoom, opened


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as room:
        yield room


async def test_enrolling_answers_what_became_of_everybody(room: CampaignRoom) -> None:
    await room.welcome()
    lead, stopped, blocked, gone, muted = await room.contacts(5)
    await room.value("update contacts set opted_out_at = $1 where id = $2", NOON, stopped)
    await room.value("update contacts set blocked_at = $1 where id = $2", NOON, blocked)
    await room.value("update contacts set unreachable_at = $1 where id = $2", NOON, gone)
    await room.value("update contacts set platform_stopped_at = $1 where id = $2", NOON, muted)

    said = await room.say("enroll Welcome tag:lead")
    again = await room.say("enroll Welcome +31610000001,+31610009999")

    assert "enrolled 1 contact in *Welcome*" in said
    assert "1 said STOP" in said
    assert "1 blocked by staff" in said
    assert "1 not reachable on WhatsApp" in said
    assert "1 stopped marketing messages in WhatsApp" in said
    assert "enrolled 0 contacts" in again
    assert "1 skipped: already enrolled" in again
    assert "+31610009999" in again
    assert await room.rows(
        "select contact_id, state, step_id, due_at = enrolled_at, enrolled_by from enrollments"
    ) == [(lead, "active", await room.value("select min(id) from steps"), True, "U0OWNER")]


@pytest.mark.parametrize(
    ("reentry", "while_in_it", "after_it"),
    [
        pytest.param("never", "enrolled 0", "enrolled 0", id="never"),
        pytest.param("after", "enrolled 0", "enrolled 1", id="after"),
        pytest.param("always", "enrolled 1", "enrolled 1", id="always"),
    ],
)
async def test_reentry_decides_who_may_come_again(
    room: CampaignRoom, reentry: str, while_in_it: str, after_it: str
) -> None:
    await room.welcome(f"reentry={reentry}")
    await room.contacts(1)

    first = await room.say("enroll Welcome tag:lead")
    second = await room.say("enroll Welcome tag:lead")
    await room.say("unenroll Welcome tag:lead")
    third = await room.say("enroll Welcome tag:lead")

    assert "enrolled 1" in first
    assert while_in_it in second
    assert after_it in third


async def test_mode_skip_leaves_out_who_is_in_another_campaign(room: CampaignRoom) -> None:
    await room.welcome()
    await room.contacts(1)
    await room.contacts(1, first=2)
    await room.say("enroll Welcome +31610000001")
    await room.say("campaign new Quiet mode=skip")
    await room.say("step add Quiet after=0m template=followup")
    await room.say("campaign activate Quiet")

    said = await room.say("enroll Quiet tag:lead")

    assert "enrolled 1 contact" in said
    assert "1 skipped: in another campaign" in said


async def test_mode_interrupt_ends_the_others_and_cancels_what_was_queued(
    room: CampaignRoom,
) -> None:
    await room.welcome()
    await room.contacts(2)
    await room.say("enroll Welcome tag:lead")
    await room.later(timedelta(minutes=1))
    await room.plan()
    await room.say("campaign new Urgent mode=interrupt")
    await room.say("step add Urgent after=0m template=followup")
    await room.say("campaign activate Urgent")

    said = await room.say("enroll Urgent +31610000001")

    assert "1 enrollments in other campaigns ended" in said
    assert await room.rows(
        "select c.name, e.state, e.reason from enrollments e join campaigns c on c.id ="
        " e.campaign_id order by e.id"
    ) == [
        ("Welcome", "dropped", "interrupted"),
        ("Welcome", "active", None),
        ("Urgent", "active", None),
    ]
    assert await room.rows("select state, reason from messages order by contact_id") == [
        ("cancelled", "enrollment_ended"),
        ("queued", None),
    ]


async def test_only_an_active_or_paused_drip_takes_contacts_in(room: CampaignRoom) -> None:
    await room.contacts(1)
    await room.say("campaign new Welcome")
    draft = await room.say("enroll Welcome tag:lead")
    await room.say("broadcast new Sale to=all template=followup")
    broadcast = await room.say("enroll Sale tag:lead")
    await room.say("step add Welcome after=0m template=followup")
    await room.say("campaign activate Welcome")
    await room.say("campaign pause Welcome")
    paused = await room.say("enroll Welcome tag:lead")
    nobody = await room.say("enroll Welcome tag:nobody")
    later = await room.say("enroll Welcome list:beta")

    assert "is a draft: /drip campaign activate Welcome first" in draft
    assert "is a broadcast" in broadcast
    assert "enrolled 1 contact" in paused
    assert "That is nobody" in nobody
    assert "There is no list 'beta'" in later


async def test_many_want_their_count_and_too_many_a_second_owner(room: CampaignRoom) -> None:
    await room.welcome()
    (stopped, *_) = await room.contacts(8)
    await room.value("update contacts set opted_out_at = $1 where id = $2", NOON, stopped)

    asked = await room.say("enroll Welcome tag:lead")
    wrong = await room.say("enroll Welcome tag:lead count=8")
    before = await room.value("select count(*) from enrollments")
    done = await room.say("enroll Welcome tag:lead count=7")
    await room.contacts(21, tag="crowd", first=100)
    crowd = await room.say("enroll Welcome tag:crowd count=21")
    out = await room.say("unenroll Welcome tag:lead")
    really = await room.say("unenroll Welcome tag:lead count=7")

    assert "That is for *7 recipients*" in asked
    assert "1 said STOP" in asked
    assert "`/drip enroll Welcome tag:lead count=7`" in asked
    assert "The count you gave, 8, is another one" in wrong
    assert before == 0
    assert "enrolled 7 contacts" in done
    assert "sending.approval" in crowd.replace("\N{MODIFIER LETTER LOW MACRON}", "_")
    assert "take *7 contacts* out" in out
    assert "took 7 contacts out" in really


async def test_unenrolling_ends_and_cancels_and_says_when_there_is_nobody(
    room: CampaignRoom,
) -> None:
    await room.welcome()
    await room.contacts(2)
    await room.say("enroll Welcome tag:lead")
    await room.later(timedelta(minutes=1))
    await room.plan()

    said = await room.say("unenroll Welcome +31610000001")
    again = await room.say("unenroll Welcome +31610000001")

    assert "took 1 contact out of *Welcome*" in said
    assert "None of them is in Welcome now" in again
    assert await room.rows("select state, reason from enrollments order by id") == [
        ("dropped", "unenrolled"),
        ("active", None),
    ]
    assert await room.rows("select state, reason from messages order by contact_id") == [
        ("cancelled", "enrollment_ended"),
        ("queued", None),
    ]


async def test_the_list_says_who_is_in_it_and_how_far(room: CampaignRoom) -> None:
    await room.welcome()
    await room.contacts(2)
    await room.say("enroll Welcome tag:lead")
    await room.say("unenroll Welcome +31610000002")

    everybody = await room.say("enrollments Welcome")
    dropped = await room.say("enrollments Welcome dropped")
    replied = await room.say("enrollments Welcome replied")

    assert "Welcome: 1 active, 1 dropped" in everybody
    assert "C1 +31610000001 · active · 1 of 3 · 2026-11-20 13:00" in everybody
    assert "C2 +31610000002 · dropped: taken out by staff" in dropped
    assert "C1" not in dropped
    assert "1 active, 1 dropped" in replied


async def test_revocations_of_many_fit_into_notifications(room: CampaignRoom) -> None:
    heard: list[str] = []

    def hear(_connection: object, _pid: int, _channel: str, payload: str) -> None:
        heard.append(payload)

    async with room.database.pool.acquire() as connection:
        await connection.add_listener("dripline_revoke", hear)
        many = [ContactId(each) for each in range(10**15, 10**15 + 1_000)]
        async with room.database.unit(ACME, NOON) as unit:
            await enrollments.revoke(unit, contacts=many)
        await connection.execute("select 1")
        await connection.remove_listener("dripline_revoke", hear)

    assert len(heard) == 4


async def test_the_same_contacts_enrolled_by_many_at_once_are_enrolled_once(
    room: CampaignRoom,
) -> None:
    await room.welcome()
    contacts: Sequence[ContactId] = [ContactId(each) for each in await room.contacts(50)]
    campaign = CampaignId(await room.value("select id from campaigns"))

    async def work(unit: Unit) -> int:
        done = await enrollments.enroll(unit, campaign=campaign, contacts=contacts, by="trigger")
        return done.counts.get(Outcome.ENROLLED, 0)

    counts = await asyncio.gather(
        *(room.database.run(ACME, NOON, work, owner=owner) for owner in (True, False, True, False))
    )

    assert sorted(counts) == [0, 0, 0, 50]
    assert await room.value("select count(*) from enrollments") == 50


async def test_a_trigger_hears_that_a_campaign_takes_nobody_in(room: CampaignRoom) -> None:
    await room.say("campaign new Welcome")
    (contact,) = await room.contacts(1)
    campaign = CampaignId(await room.value("select id from campaigns"))

    with pytest.raises(NotEnrolling):
        async with room.database.owner_unit(ACME, NOON) as unit:
            await enrollments.enroll(
                unit, campaign=campaign, contacts=[ContactId(contact)], by="tag_added"
            )
