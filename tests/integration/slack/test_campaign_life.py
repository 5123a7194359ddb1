"""Campaigns changed, copied and deleted by command: what changes, what stays, what is refused."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.slack.grammar import NotUnderstood
from bot.slack.language import LANGUAGE
from storage import campaigns as stored
from storage.database import Database
from tests.database import ACME
from tests.integration.slack.campaign_room import CampaignRoom, opened
from worker.second_look import look_again


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as opened_room:
        yield opened_room


async def test_every_option_of_a_campaign_changes_and_changes_back(room: CampaignRoom) -> None:
    await room.welcome()

    said = await room.say(
        "campaign edit Welcome type=survey per_day=5 hours=09:00-18:00 days=mon-fri rate=5/s"
        " priority=9 deadline=off unknown=ask trigger=tag:vip stop_on_reply=no reentry=after"
        " mode=skip number=+15550001111"
    )
    for written in ("type=survey", "per_day=5", "hours=09:00-18:00", "days=mon-fri", "rate=5/s"):
        assert written in said
    for written in ("priority=9", "deadline=off", "unknown=ask", "trigger=tag:vip", "mode=skip"):
        assert written in said
    back = await room.say(
        "campaign edit Welcome type=promotional per_day=default hours=default days=default"
        " rate=default priority=5 deadline=default unknown=default trigger=manual"
        " stop_on_reply=yes reentry=never mode=passive number=default"
    )

    assert "as usual" in back
    assert await room.rows("select settings, number_id, state from campaigns") == [
        ({"stop_on_reply": True}, None, "active")
    ]


async def test_a_campaign_is_renamed_and_found_by_its_new_name(room: CampaignRoom) -> None:
    await room.welcome()
    await room.say("campaign new Other")

    assert "renamed" in await room.say('campaign edit Welcome name="Hello 2027"')
    assert "is active" in await room.say("campaign show Hello")
    assert "already" in await room.say("campaign edit Hello name=OTHER")
    assert "renamed" in await room.say('campaign edit Hello name="HELLO 2027"')


async def test_an_edit_of_nothing_is_refused(room: CampaignRoom) -> None:
    await room.welcome()

    assert "Say what to change" in await room.say("campaign edit Welcome")
    assert "no campaign" in await room.say("campaign edit Nobody rate=5/s")
    assert await room.value("select name from campaigns") == "Welcome"


async def test_a_draft_broadcast_changes_what_it_says_and_to_whom(room: CampaignRoom) -> None:
    await room.contacts(3, tag="lead")
    await room.contacts(2, tag="vip", first=50)
    await room.say("broadcast new Sale to=tag:lead template=followup")

    said = await room.say('broadcast edit Sale to=tag:vip text="Hi {first_name|you}"')

    assert "2 left out: 2 did not write within 24 hours" in said
    assert "Hi {first_name|you}" in said
    assert "takes no text" not in said
    assert "no template" in await room.say("broadcast edit Sale template=nothing")
    assert await room.value("select content ->> 'body' from steps") == "Hi {first_name|you}"


async def test_a_broadcast_that_has_begun_keeps_its_message_and_its_audience(
    room: CampaignRoom,
) -> None:
    await room.contacts(3)
    await room.say("broadcast new Sale to=tag:lead template=followup rate=1/h")
    await room.say("broadcast send Sale")

    for fixed in ("to=all", "template=welcome first_name=you", "type=survey", "deadline=1h"):
        assert "keeps its message" in await room.say(f"broadcast edit Sale {fixed}")
    said = await room.say('broadcast edit Sale rate=5/s priority=9 name="Big Sale" hours=off')

    assert "renamed" in said
    assert "rate=5/s" in said
    assert await room.value("select next_slot_at from campaigns") is None
    await room.say('broadcast cancel "Big Sale"')
    assert "nothing of it changes" in await room.say("broadcast edit Big rate=5/s")


async def test_wider_hours_let_what_waited_for_the_old_ones_be_looked_at(
    room: CampaignRoom,
) -> None:
    await room.contacts(3)
    await room.say("broadcast new Sale to=tag:lead template=followup hours=03:00-04:00")
    await room.say("broadcast send Sale")
    await room.plan()
    before = await room.value("select min(due_at) from messages")

    # Given back by a lane without a call, which is no reason to wait either.
    await room.value("update messages set attempt = 1 where id = (select max(id) from messages)")

    await room.say("broadcast edit Sale hours=off")
    await room.plan()

    assert before > room.room.clock.at
    assert await room.value("select max(due_at) from messages") <= room.room.clock.at
    assert await room.value("select look_again_since from campaigns") is None


async def test_what_waits_for_other_hours_is_looked_at_in_slices_by_any_process(
    room: CampaignRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "SLICE", 2)
    await room.contacts(5)
    await room.say("broadcast new Sale to=tag:lead template=followup hours=03:00-04:00")
    await room.say("broadcast send Sale")
    await room.plan()
    again = await room.value(
        "update messages set tries = 1, failed_at = $1 where id = (select max(id) from messages)"
        " returning due_at",
        room.room.clock.at,
    )
    await room.say("broadcast edit Sale hours=09:00-09:30")
    looked: list[object] = []
    while await look_again(room.worker, ACME):  # each could be another process
        now = room.room.clock.at
        due = await room.rows("select id from messages where due_at <= $1 order by id", now)
        assert len(due) <= 2
        looked += due
        # The lane puts them off until the new hours, behind those not looked at yet.
        await room.value(
            "update messages set due_at = $2 where due_at <= $1", now, again + timedelta(hours=6)
        )
        await room.later(timedelta(minutes=1))

    assert looked[:4] == await room.rows("select id from messages where tries = 0 order by id")
    assert await room.value("select due_at from messages where tries = 1") == again


async def test_messages_of_a_campaign_that_ended_are_not_looked_at_again(
    room: CampaignRoom,
) -> None:
    await room.contacts(2)
    await room.say("broadcast new Sale to=tag:lead template=followup hours=03:00-04:00")
    await room.say("broadcast send Sale")
    await room.plan()
    await room.say("broadcast edit Sale hours=off")
    await room.say("broadcast cancel Sale")

    while await look_again(room.worker, ACME):
        pass

    assert await room.value("select look_again_since from campaigns") is None
    assert await room.value("select min(due_at) from messages") > room.room.clock.at


async def test_a_daily_cap_that_rises_opens_the_tap_it_had_closed(room: CampaignRoom) -> None:
    await room.welcome("per_day=1")
    await room.value(
        "update campaigns set closed_until = 'infinity', closed_why = 'per_day', day_count = 1"
    )

    await room.say("campaign edit Welcome priority=6")
    assert await room.value("select closed_why from campaigns") == "per_day"
    await room.say("campaign edit Welcome per_day=10")
    assert await room.value("select closed_why from campaigns") is None


async def test_a_copy_has_settings_steps_and_audience_but_no_contacts(room: CampaignRoom) -> None:
    await room.contacts(3)
    await room.welcome("rate=5/s", "trigger=tag:lead")
    await room.say("step remove Welcome 2")
    await room.say("enroll Welcome tag:lead")

    said = await room.say("campaign clone Welcome")

    assert "Welcome copy" in said
    shown = await room.say('campaign show "Welcome copy"')
    assert "is draft" in shown
    assert "rate=5/s" in shown
    assert "*2.*" in shown
    assert "*3.*" not in shown
    assert "Nobody is enrolled" in shown or "enrolled" not in shown
    assert "Welcome copy 2" in await room.say('campaign clone "Welcome"')


async def test_a_copy_asks_about_its_own_steps(room: CampaignRoom) -> None:
    await room.say("campaign new Asking")
    await room.say("step add Asking after=0m template=followup")
    await room.say("step add Asking after=1d template=followup if=not_replied:1")

    await room.say("campaign clone Asking")

    rows = await room.rows(
        "select s.campaign_id, s.position, s.id, s.conditions from steps s order by 1, 2"
    )
    first, asks, copied, copy_asks = rows
    assert f"{first[2]}" in str(asks[3])
    assert str(copy_asks[3]) == str(asks[3]).replace(f"{first[2]}", f"{copied[2]}")


async def test_a_new_trigger_of_an_active_campaign_takes_the_place_of_the_old_one(
    room: CampaignRoom,
) -> None:
    await room.welcome("trigger=tag:lead")

    await room.say("campaign edit Welcome trigger=tag:vip")
    assert await room.rows("select trigger ->> 'tag' from automations where state = 'on'") == [
        ("vip",)
    ]
    await room.say("campaign edit Welcome trigger=manual")
    assert await room.value("select count(*) from automations where state = 'on'") == 0


async def test_a_name_in_use_is_no_name_for_a_copy(room: CampaignRoom) -> None:
    await room.welcome()
    long = "x" * 80
    await room.say(f"campaign new {long}")

    assert "already" in await room.say("campaign clone Welcome as=welcome")
    said = await room.say(f"campaign clone {long}")
    assert f"{'x' * 75} copy" in said
    assert await room.value("select count(*) from campaigns") == 3


async def test_a_draft_is_deleted_and_its_name_is_free(room: CampaignRoom) -> None:
    await room.say("campaign new Draft")
    await room.say("step add Draft after=0m template=followup")

    assert "deleted" in await room.say("campaign delete Draft")
    assert await room.value("select count(*) from steps") == 0
    assert "no campaign" in await room.say("campaign show Draft")
    assert "created" in await room.say("campaign new Draft")


async def test_what_has_sent_is_archived_not_deleted(room: CampaignRoom) -> None:
    await room.contacts(3)
    await room.welcome()
    await room.say("broadcast new Sale to=tag:lead template=followup")
    await room.say("broadcast send Sale")

    assert "campaign archive" in await room.say("campaign delete Welcome")
    said = await room.say("broadcast delete Sale")
    assert "broadcast cancel" in said
    assert "archive" in said
    await room.say("campaign archive Welcome")
    assert "archived already" in await room.say("campaign delete Welcome")
    assert await room.value("select count(*) from campaigns") == 2


async def test_a_draft_that_is_somebodys_audience_is_not_deleted(room: CampaignRoom) -> None:
    await room.say("campaign new Draft")
    await room.say("broadcast new Sale to=campaign:Draft template=followup")

    assert "in the audience of 'Sale'" in await room.say("campaign delete Draft")
    await room.say("broadcast edit Sale to=all")
    assert "deleted" in await room.say("campaign delete Draft")


async def test_show_says_who_did_what_and_when(room: CampaignRoom) -> None:
    await room.welcome()
    await room.say("campaign pause Welcome")
    await room.say("campaign resume Welcome")
    await room.say("campaign edit Welcome priority=9")

    shown = await room.say("campaign show Welcome")

    for act in ("activated", "paused", "resumed", "changed"):
        assert act in shown.split("Lately:")[1]


async def test_a_marketing_template_stays_out_of_a_transactional_campaign(
    room: CampaignRoom,
) -> None:
    await room.contacts(2)
    await room.say("campaign new Receipts type=transactional")
    await room.say("step add Receipts after=0m template=followup")
    await room.say("broadcast new Sale to=all template=followup type=notification")

    for said in (
        await room.say("campaign activate Receipts"),
        await room.say("broadcast send Sale"),
    ):
        assert "category marketing" in said
        assert "type=promotional or type=survey" in said
    assert "changed" in await room.say("broadcast edit Sale type=survey")
    assert "sends *Sale*" in await room.say("broadcast send Sale")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("campaign edit A rate=fast", "rate= must be", id="no rate"),
        pytest.param(f"campaign edit A name={'x' * 10_000}", "at most 80", id="a long name"),
        pytest.param("campaign edit A name=\u202e\u200b", "a name of", id="an unseen name"),
        pytest.param("campaign edit A days=monn", "days=", id="no day"),
        pytest.param("campaign edit A days=", "days=", id="no days"),
        pytest.param("campaign edit A hours=25:00-26:00", "hours=", id="no hour"),
        pytest.param("campaign edit A hours=10:00-10:00", "hours=", id="no window"),
        pytest.param("campaign edit A per_day=0", "per_day=", id="nobody a day"),
        pytest.param("campaign edit A deadline=soon", "deadline=", id="no deadline"),
        pytest.param("campaign edit A at=now", "has no option at=", id="no such option"),
        pytest.param("campaign edit", "The campaign is missing", id="no campaign"),
        pytest.param("broadcast edit A text=a template=b", "one of text=", id="two messages"),
        pytest.param("campaign clone A as=\U0001f4a5\u200d", "", id="an emoji is a name"),
        pytest.param("broadcast clone A to=all", "has no option to=", id="no option of clone"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_fix(text: str, why: str) -> None:
    read = LANGUAGE.parse(text)

    assert isinstance(read, NotUnderstood) is bool(why), read
    if isinstance(read, NotUnderstood):
        assert why in read.sentence
        assert len(read.sentence) < 11_000
