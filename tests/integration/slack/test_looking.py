"""What staff see of a campaign before and while it runs: previews, stories, simulations."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import pytest
from aiohttp.test_utils import TestServer

from bot.slack import previews, simulations, stories
from engine.message import Message, State
from storage import messages
from storage.database import Database
from tests.database import ACME, NOON
from tests.integration.slack.campaign_room import CampaignRoom, opened
from tests.integration.slack.posting_slack import PostingSlack

LIST = "simulation_list"
EXPORTED = "simulation.export"


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as room:
        for feature in (previews, simulations, stories):
            feature.register(room.room.registry, room.room.desk)
        yield room


async def test_a_preview_shows_every_step_as_the_contact_would_read_it(room: CampaignRoom) -> None:
    await room.welcome()
    await room.contacts(1)

    said = await room.say("campaign preview Welcome +31610000001")

    assert "Hi C1, welcome!" in said
    assert "Have you looked around?" in said
    assert "Hi C1, 10% off." in said
    assert "https://shop.example/x" in said
    assert said.count("Would come") == 3
    assert "Nothing was sent" in said
    assert await room.value("select count(*) from enrollments") == 0


async def test_a_preview_takes_the_beginning_of_a_name(room: CampaignRoom) -> None:
    await room.welcome()
    await room.contacts(1)
    await room.value("update contacts set name = 'Ada Lovelace'")

    assert "Ada Lovelace" in await room.say("campaign preview Wel ada")
    assert "No contact's name begins with" in await room.say("campaign preview Wel Grace")
    assert "There is no campaign" in await room.say("campaign preview Nothing Ada")


async def test_a_preview_tells_which_values_are_missing(room: CampaignRoom) -> None:
    await room.contacts(1)
    await room.value("update contacts set first_name = null, name = 'Ada Lovelace'")
    await room.say("campaign new Bare")
    await room.say("step add Bare after=0m template=welcome first_name={first_name}")
    await room.say("step add Bare after=1d template=followup")

    said = await room.say("campaign preview Bare Ada")

    assert "no value for {first_name}" in said
    assert "{first_name|there}" in said
    assert said.count("Would come") == 1


async def test_a_preview_tells_why_nothing_would_be_sent(room: CampaignRoom) -> None:
    await room.contacts(3)
    await room.value("update contacts set opted_out_at = $1 where first_name = 'C2'", NOON)
    await room.say("campaign new Mixed")
    await room.say('step add Mixed after=0m text="Hi {first_name|there}"')
    await room.say("step add Mixed after=1d template=followup")
    await room.say("step add Mixed after=1d template=draft")

    open_ = await room.say("campaign preview Mixed +31610000001")
    stopped = await room.say("campaign preview Mixed +31610000002")

    assert "did not write within 24 hours" in open_
    assert "its template is pending" in open_
    assert open_.count("Would come") == 1
    assert stopped.count("said STOP") == 2
    assert "Would come" not in stopped


async def test_a_preview_of_a_text_inside_the_service_window_is_the_text(
    room: CampaignRoom,
) -> None:
    (contact,) = await room.contacts(1)
    await room.value(
        "insert into service_windows (organization_id, number_id, contact_id, last_inbound_at)"
        " values ('acme', '200000000000001', $1, $2)",
        contact,
        NOON - timedelta(hours=1),
    )
    await room.say("campaign new Quick")
    await room.say('step add Quick after=0m text="Hi {first_name|there}" fallback=followup')
    await room.say('step add Quick after=2d text="Still there?" fallback=followup')

    said = await room.say("campaign preview Quick +31610000001")

    assert "Hi C1" in said
    assert "Have you looked around?" in said
    assert said.count("by its fallback template") == 1


async def test_a_preview_keeps_sending_hours(room: CampaignRoom) -> None:
    await room.welcome("hours=09:00-10:00")
    await room.contacts(1)

    said = await room.say("campaign preview Welcome +31610000001")

    tomorrow = NOON + timedelta(days=1)
    assert f"Would come <!date^{int((tomorrow.replace(hour=8)).timestamp())}" in said


async def test_a_campaign_without_steps_has_nothing_to_preview(room: CampaignRoom) -> None:
    await room.contacts(1)
    await room.say("campaign new Empty")

    assert "says nothing yet" in await room.say("campaign preview Empty +31610000001")


async def test_why_tells_how_a_contact_came_in_and_what_comes_next(room: CampaignRoom) -> None:
    await room.welcome()
    await room.contacts(1)
    await room.say("enroll Welcome tag:lead")
    await room.plan()
    await _accepted(room)

    said = await room.say("why +31610000001 Welcome")

    assert "Enrolled" in said
    assert "<@U0OWNER>" in said
    assert "Step 1: sent" in said
    assert "Next: step 2" in said
    assert "nothing has changed" in said


async def test_why_tells_whatsapps_words_about_a_failure(room: CampaignRoom) -> None:
    await room.welcome()
    await room.contacts(1)
    await room.say("enroll Welcome tag:lead")
    await room.plan()
    await room.value(
        "update messages set state = 'dead', reason = 'failed', error_code = 131026,"
        " error = 'Message undeliverable', failed_at = $1, settled_at = $1, attempt = 1",
        NOON,
    )

    said = await room.say("why C1 Welcome")

    assert "WhatsApp said “Message undeliverable”" in said
    assert "given up" in said
    assert "WhatsApp refused the message" in said


async def test_why_tells_of_doubts_and_of_what_staff_are_asked(room: CampaignRoom) -> None:
    await room.welcome()
    await room.contacts(1)
    await room.say("enroll Welcome tag:lead")
    await room.plan()
    await room.value(
        "update messages set state = 'unknown', unknown_since = $1, control_at = 'infinity',"
        " resent = 2, attempt = 3",
        NOON,
    )

    said = await room.say("why C1 Welcome")

    assert "in doubt" in said
    assert "staff are asked" in said
    assert "sent again 2 times" in said


async def test_why_tells_what_keeps_everything_back(room: CampaignRoom) -> None:
    await room.welcome("per_day=1")
    await room.contacts(1)
    await room.say("enroll Welcome tag:lead")
    await room.plan()
    await room.value(
        "update campaigns set closed_until = $1, closed_why = 'per_day'", NOON + timedelta(hours=9)
    )
    await room.value(
        "update organizations set closed_until = $1, closed_why = 'messages_per_hour'",
        NOON + timedelta(hours=1),
    )
    await room.value("update numbers set closed_until = 'infinity', closed_why = 'Not paid.'")

    said = await room.say("why C1 Welcome")
    await room.say("campaign pause Welcome")
    paused = await room.say("why C1 Welcome")

    assert "due since" in said
    assert "as many contacts today as per_day allows" in said
    assert "as messages_per_hour allows" in said
    assert "Its number is stopped until somebody resumes it: Not paid." in said
    assert "It is paused by <@U0OWNER>" in paused


async def test_why_tells_of_a_stop_with_its_proof(room: CampaignRoom) -> None:
    await room.welcome()
    await room.contacts(1)
    await room.say("enroll Welcome tag:lead")
    await room.say("contact optout +31610000001")

    said = await room.say("why C1 Welcome")

    assert "said STOP" in said
    assert "in Slack by <@U0OWNER>" in said
    assert "opted out" in said


async def test_why_tells_who_was_never_enrolled_and_who_left(room: CampaignRoom) -> None:
    await room.welcome()
    await room.contacts(2)
    await room.say("enroll Welcome +31610000001")
    await room.say("unenroll Welcome +31610000001")

    assert "dropped: taken out by staff" in await room.say("why +31610000001 Welcome")
    assert "never enrolled" in await room.say("why +31610000002 Welcome")
    assert "There is no" in await room.say("why +31610000002 Nothing")


async def test_why_says_nothing_of_taps_to_who_has_nothing_to_come(room: CampaignRoom) -> None:
    await room.welcome()
    await room.contacts(2)
    await room.say("enroll Welcome tag:lead")
    await room.value("update campaigns set closed_until = 'infinity', closed_why = 'Not paid.'")
    await room.say("unenroll Welcome +31610000001")

    assert "Not paid" not in await room.say("why +31610000001 Welcome")
    assert "Not paid" in await room.say("why +31610000002 Welcome")


async def test_why_tells_who_is_outside_of_a_broadcast(room: CampaignRoom) -> None:
    await room.contacts(2)
    await room.contacts(1, tag="other", first=3)
    await room.say("broadcast new News to=tag:lead template=followup")

    before = await room.say("why +31610000001 News")
    await room.say("broadcast send News")
    await room.contacts(1, first=4)
    await room.plan()

    assert "it has not started" in before
    assert "waits its turn" in await room.say("why +31610000001 News")
    assert "Became a contact after it started" in await room.say("why +31610000004 News")
    outside = await room.say("why +31610000003 News")
    assert "not in its audience when it started" in outside


async def test_why_says_that_after_the_retention_only_the_counts_are_left(
    room: CampaignRoom,
) -> None:
    await room.welcome()
    await room.contacts(1)
    await room.say("enroll Welcome tag:lead")
    await room.value("update enrollments set enrolled_at = $1, sent = 2", NOON - timedelta(days=99))
    await room.value("update organizations set messages_from = $1", NOON - timedelta(days=90))

    said = await room.say("why C1 Welcome")

    assert "2 sent" in said
    assert "are forgotten (retention)" in said


async def test_why_says_what_will_be_left_out(room: CampaignRoom) -> None:
    await room.say("campaign new Texts")
    await room.say('step add Texts after=1h text="Hi {first_name|there}"')
    await room.say("step add Texts after=1d template=followup")
    await room.say("campaign activate Texts")
    await room.contacts(1)
    await room.say("enroll Texts tag:lead")

    said = await room.say("why C1 Texts")

    assert "step 1" in said
    assert "will be left out: did not write within 24 hours" in said
    assert "Next: step 2" in said


async def _accepted(room: CampaignRoom) -> None:
    """Let WhatsApp accept what is queued, as a lane records it."""
    async with room.database.owner_unit(ACME, NOON + timedelta(minutes=1)) as unit:
        ids = [row["id"] for row in await room.database.pool.fetch("select id from messages")]
        rows = await messages.locked(unit, ids)
        accepted = partial(Message.progressed, state=State.ACCEPTED, at=unit.at, attempt=1)
        await messages.save(
            unit,
            [(each, each.with_message(accepted(each.message))) for each in rows.values()],
        )


async def test_a_simulation_tells_by_day_and_step_who_gets_what(room: CampaignRoom) -> None:
    await room.welcome("per_day=2", "trigger=tag:lead")
    await room.contacts(3)
    await room.value("update contacts set opted_out_at = $1 where first_name = 'C3'", NOON)

    said = await room.say("campaign simulate Welcome")

    assert "6 messages sent, 0 left out" in said
    assert "Not enrolled: 1 said STOP" in said
    assert "2026-11-20 · step 1 · 2 sent · C1, C2" in said
    assert "2026-11-22 · step 2 · 2 sent" in said
    assert "The last day is 2026-11-27" in said
    assert "The busiest day is 2026-11-20 with 2 messages (per_day allows 2)" in said
    assert "Nothing was sent" in said
    assert await room.value("select count(*) from enrollments") == 0
    assert await room.value("select count(*) from messages") == 0


async def test_a_simulation_takes_a_who_and_what_people_do(room: CampaignRoom) -> None:
    await room.welcome()
    await room.contacts(4)
    await room.contacts(2, tag="vip", first=5)

    everyone = await room.say("campaign simulate Welcome who=tag:lead")
    replying = await room.say("campaign simulate Welcome who=tag:vip replies=100")

    assert "12 messages sent" in everyone
    assert "2 messages sent" in replying
    assert "100 reply" in replying


async def test_a_simulation_goes_on_from_where_people_are(room: CampaignRoom) -> None:
    await room.welcome()
    await room.contacts(2)
    await room.say("enroll Welcome tag:lead")
    await room.plan()
    await _accepted(room)
    await room.contacts(1, first=3)
    await room.say("enroll Welcome +31610000003")

    said = await room.say("campaign simulate Welcome")

    assert "3 contacts now in it" in said
    assert "7 messages sent" in said


async def test_a_simulation_of_a_broadcast_tells_who_is_left_out(room: CampaignRoom) -> None:
    await room.contacts(3)
    await room.value("update contacts set blocked_at = $1 where first_name = 'C2'", NOON)
    await room.say("broadcast new News to=tag:lead template=followup")

    draft = await room.say("campaign simulate News")
    await room.say("broadcast send News")
    await room.plan()
    running = await room.say("campaign simulate News")

    assert "2 messages sent, 1 left out" in draft
    assert "1 blocked by staff" in draft
    assert "2 messages sent, 0 left out" in running
    assert "now in it" in running


async def test_a_simulation_says_what_keeps_everything_back_now(room: CampaignRoom) -> None:
    await room.contacts(2)
    await room.say("broadcast new News to=tag:lead template=followup deadline=off")
    await room.value(
        "insert into numbers (organization_id, id, phone, updated_at, closed_until, closed_why)"
        " values ('acme', '200000000000001', '+15550001111', $1, 'infinity', 'number_blocked')",
        NOON,
    )
    for_ever = await room.say("campaign simulate News")
    await room.value(
        "update numbers set closed_until = $1, closed_why = 'quality'", NOON + timedelta(days=2)
    )
    for_days = await room.say("campaign simulate News")
    await room.value("update numbers set closed_until = null")
    await room.value(
        "update organizations set closed_until = $1, closed_why = 'restored'",
        NOON + timedelta(days=3),
    )
    everywhere = await room.say("campaign simulate News")
    await room.value("update organizations set closed_until = null")
    await room.value("update campaigns set closed_until = 'infinity', closed_why = 'template'")
    itself = await room.say("campaign simulate News")
    await room.value("update campaigns set closed_until = null")
    nothing = await room.say("campaign simulate News")

    assert "Nothing would be sent now" in for_ever
    assert "Its number is stopped until somebody resumes it" in for_ever
    assert "played as if it were resumed now" in for_ever
    assert "2026-11-20 · 2 sent" in for_ever
    assert "Its number is stopped until <!date^" in for_days
    assert "played as if" not in for_days
    assert "2026-11-22 · 2 sent" in for_days
    assert "All sending is stopped until <!date^" in everywhere
    assert "2026-11-23 · 2 sent" in everywhere
    assert "The campaign is stopped until somebody resumes it" in itself
    assert "Nothing would be sent now" not in nothing
    assert "stopped" not in nothing


async def test_the_whole_list_of_a_simulation_comes_to_the_owner_alone(
    database: Database,
) -> None:
    async with (
        TestServer(PostingSlack().app()) as slack,
        opened(database, slack_url=str(slack.make_url("/api/"))) as room,
    ):
        simulations.register(room.room.registry, room.room.desk)
        await room.contacts(2)
        await room.value("update contacts set name = '=1+1' where first_name = 'C1'")
        await room.say("broadcast new News to=tag:lead template=followup")

        said = await room.say("campaign simulate News csv")

        assert "comes to you alone" in said
        content = await room.value("select content from blob_chunks")
        assert content.decode("utf-8-sig").splitlines() == [
            "phone,name,step,day,time,outcome,reason",
            "+31610000001,'=1+1,1,2026-11-20,13:00,sent,",
            "+31610000002,C2,1,2026-11-20,13:00,sent,",
        ]
        assert (
            await room.value("select content->>'channel' from events where kind = $1", LIST)
            == "DU0OWNER"
        )
        assert await room.rows(
            "select actor, content from audit_log where action = $1", EXPORTED
        ) == [("U0OWNER", {"contacts": 2})]


async def test_the_whole_list_of_a_simulation_is_not_for_supervisors(room: CampaignRoom) -> None:
    await room.contacts(3)
    await room.welcome()

    refused = await room.say("campaign simulate Welcome who=all csv", user="U0SUPER")
    counts = await room.say("campaign simulate Welcome who=all", user="U0SUPER")

    assert "for owners" in refused
    assert "without csv" in refused
    assert LIST not in await room.events()
    assert await room.rows("select 1 from blobs") == []
    assert "9 messages sent" in counts


async def test_a_list_that_slack_opens_no_conversation_for_is_not_written(
    room: CampaignRoom,
) -> None:
    await room.contacts(1)
    await room.welcome()

    assert "could not be reached" in await room.say("campaign simulate Welcome who=all csv")
    assert await room.rows("select 1 from blobs") == []


async def test_a_simulation_says_what_keeps_it_from_being_played(room: CampaignRoom) -> None:
    await room.say("campaign new Empty")
    await room.contacts(1)
    nothing = await room.say("campaign simulate Empty")
    await room.say("step add Empty after=0m template=followup")

    assert "says nothing yet" in nothing
    assert "Say for whom" in await room.say("campaign simulate Empty")
    assert "There is no" in await room.say("campaign simulate Nowhere")
    assert "tag" in await room.say("campaign simulate Empty who=tag:nobody")
