"""What staff see of a campaign before and while it runs: previews, stories, simulations."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.slack import previews
from storage.database import Database
from tests.database import NOON
from tests.integration.slack.campaign_room import CampaignRoom, opened


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as room:
        previews.register(room.room.registry, room.room.desk)
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
