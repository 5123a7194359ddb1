"""Broadcasts, by the commands staff type."""

from collections.abc import AsyncIterator

import pytest

from storage.database import Database
from tests.database import NOON
from tests.integration.slack.campaign_room import CampaignRoom, opened


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as room:
        yield room


async def test_a_broadcast_says_whom_it_reaches_and_freezes_them_when_sent(
    room: CampaignRoom,
) -> None:
    first, second, stopped = await room.contacts(3)
    await room.value("update contacts set opted_out_at = $1 where id = $2", NOON, stopped)

    made = await room.say('broadcast new "Sale" to=tag:lead,+31610009999 template=followup')
    sent = await room.say("broadcast send Sale")
    await room.contacts(1, first=50)
    await room.plan()
    twice = await room.say("broadcast send Sale")

    assert "2 recipients" in made
    assert "1 left out: 1 said STOP" in made
    assert "not among your contacts: +31610009999" in made
    assert "sends *Sale*" in sent
    assert "It takes about 1 second" in sent
    assert "a broadcast is sent once" in twice
    assert await room.rows("select state, started_by, contacts_up_to from campaigns") == [
        ("running", "U0OWNER", stopped)
    ]
    assert await room.rows("select contact_id, state, reason from messages order by 1") == [
        (first, "queued", None),
        (second, "queued", None),
        (stopped, "skipped", "opted_out"),
    ]
    assert await room.events() == []


async def test_a_broadcast_to_nobody_is_refused_and_says_why(room: CampaignRoom) -> None:
    (stopped,) = await room.contacts(1)
    await room.value("update contacts set opted_out_at = $1 where id = $2", NOON, stopped)
    stop = await room.say("broadcast new Sale to=tag:lead template=followup")
    empty = await room.say("broadcast new Nobody to=tag:nobody template=followup")

    assert "It would reach nobody: all of its audience is left out (1 said STOP)." in stop
    assert "It would reach nobody: its audience is empty." in empty
    assert "/drip broadcast edit Nobody to=&lt;who&gt;" in empty
    assert "broadcast send" not in stop + empty
    assert "all of its audience is left out (1 said STOP)" in await room.say("broadcast send Sale")
    assert "its audience is empty" in await room.say("broadcast send Nobody")
    assert await room.rows("select distinct state from campaigns") == [("draft",)]


async def test_a_large_broadcast_wants_its_count_and_a_larger_one_a_second_owner(
    room: CampaignRoom,
) -> None:
    await room.contacts(7)
    await room.contacts(21, tag="crowd", first=100)
    await room.say("broadcast new Sale to=tag:lead template=followup rate=1/min")
    await room.say("broadcast new Crowd to=tag:crowd template=followup")

    asked = await room.say("broadcast send Sale")
    wrong = await room.say("broadcast send Sale count=6")
    crowd = await room.say("broadcast send Crowd count=21")
    sent = await room.say("broadcast send Sale count=7")

    assert "*7 recipients* and takes about 7 minutes. Nothing has been done." in asked
    assert "`/drip broadcast send Sale count=7`" in asked
    assert "The count you gave, 6, is another one" in wrong
    assert "21 recipients" in crowd
    assert "a second owner" in crowd
    assert "sends *Sale*" in sent
    assert await room.rows("select name, state from campaigns order by id") == [
        ("Sale", "running"),
        ("Crowd", "draft"),
    ]


async def test_a_broadcast_is_paused_resumed_and_cancelled_for_good(room: CampaignRoom) -> None:
    await room.contacts(2)
    await room.say("broadcast new Sale to=tag:lead template=followup")
    early = await room.say("broadcast pause Sale")
    await room.say("broadcast send Sale")

    paused = await room.say("campaign pause Sale")
    resumed = await room.say("broadcast resume Sale")
    archived = await room.say("campaign archive Sale")
    cancelled = await room.say("broadcast cancel Sale")
    final = await room.say("broadcast resume Sale")

    assert "is a draft" in early
    assert "paused *Sale*" in paused
    assert "resumed *Sale*" in resumed
    assert "first end it with /drip broadcast cancel" in archived
    assert "cancelled *Sale*" in cancelled
    assert "is cancelled, and that is final" in final
    assert await room.rows("select state, ended_by from campaigns") == [("cancelled", "U0OWNER")]


async def test_broadcasts_are_shown_and_listed_apart_from_campaigns(room: CampaignRoom) -> None:
    await room.contacts(2)
    await room.welcome()
    await room.say('broadcast new "Sale" to=tag:lead,campaign:Welcome template=news language=nl')

    shown = await room.say("broadcast show Sale")
    other = await room.say("broadcast show Welcome")

    assert "`tag:lead,campaign:Welcome`" in shown
    assert "Message: template news (nl)" in shown
    assert "/drip broadcast send Sale" in shown
    assert "Welcome is a campaign" in other
    assert "*Sale* · draft" in await room.say("broadcast list")
    assert "Sale" not in await room.say("campaign list")
    assert "is a broadcast, which has one message" in await room.say(
        "step add Sale after=1d template=followup"
    )


async def test_free_text_says_whom_it_reaches_at_all(room: CampaignRoom) -> None:
    await room.contacts(1)

    made = await room.say('broadcast new Thanks to=all text="Thank you, {first_name|friend}!"')

    assert "text “Thank you, {first" in made
    assert "only those of them who wrote within 24 hours" in made


async def test_a_number_that_is_not_ours_is_refused(room: CampaignRoom) -> None:
    said = await room.say("broadcast new Sale to=all template=followup number=+15550009999")

    assert "none of your numbers" in said
    assert await room.value("select count(*) from campaigns") == 0


async def test_a_free_text_counts_whom_the_closed_service_window_leaves_out(
    room: CampaignRoom,
) -> None:
    ada, bea, *_ = await room.contacts(4)
    await room.wrote(ada, bea)
    asks = 'broadcast new Thanks to=tag:lead text="Thank you"'

    made = await room.say(asks)
    shown = await room.say("broadcast show Thanks")
    sent = await room.say("broadcast send Thanks")

    for said in (made, shown, sent):
        assert "2 recipients" in said
        assert "2 left out: 2 did not write within 24 hours, so only a template may be sent" in said
        assert "only those of them who wrote within 24 hours of it." in said


async def test_a_free_text_that_nobody_could_get_is_not_sent(room: CampaignRoom) -> None:
    await room.contacts(2)
    await room.say('broadcast new Thanks to=tag:lead text="Thank you"')

    refused = await room.say("broadcast send Thanks")
    later = await room.say('broadcast new Later to=tag:lead text="Hi" at="2026-12-07 09:00"')

    assert "As things are now it would reach nobody: all of its audience is left out" in later
    assert "would reach nobody" in refused
    assert "or say it by a template=" in refused
    assert await room.value("select state from campaigns where name = 'Thanks'") == "draft"


async def test_a_free_text_of_later_counts_the_windows_that_are_open_by_then(
    room: CampaignRoom,
) -> None:
    ada, *_ = await room.contacts(7)
    await room.wrote(ada)
    soon, late = 'at="2026-11-20 18:00"', 'at="2026-12-07 09:00"'
    await room.say('broadcast new Thanks to=tag:lead text="Thank you"')

    asked = await room.say(f"broadcast schedule Thanks {soon}")
    today = await room.say(f"broadcast schedule Thanks {soon} count=7")
    month = await room.say(f"broadcast schedule Thanks {late} count=7")

    # Whoever writes before it starts gets it too, so all of them are confirmed.
    assert "*7 recipients*" in asked
    assert "1 recipient" in today
    assert "6 left out: 6 did not write" in today
    assert "also those who write from now on" in today
    assert "would reach nobody" in month
    assert "/drip broadcast show Thanks" in month
