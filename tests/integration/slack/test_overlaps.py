"""Staff see who is in another campaign or heard of one lately, and may leave them out."""

from collections.abc import AsyncIterator

import pytest

from storage.database import Database
from tests.integration.slack.campaign_room import CampaignRoom, opened


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    """Five leads: two in Welcome, one of whom and another heard of Sale an hour ago."""
    async with opened(database) as opened_room:
        contacts = await opened_room.contacts(5)
        await opened_room.welcome()
        for place in (1, 2):
            await opened_room.say(f"enroll Welcome +3161000000{place}")
        await opened_room.say("broadcast new Sale to=tag:lead template=followup")
        await opened_room.value(
            "update contacts set promoted_at = $1::timestamptz - interval '1 hour',"
            " promoted_campaign_id = (select id from campaigns where name = 'Sale')"
            " where id = any($2)",
            opened_room.room.clock.at,
            contacts[1:3],
        )
        yield opened_room


async def test_a_new_broadcast_says_who_is_elsewhere_and_by_campaign(room: CampaignRoom) -> None:
    said = await room.say("broadcast new News to=tag:lead template=followup")

    assert "In another campaign: 2 (Welcome 2)" in said
    assert "Had another campaign's message within 1d: 2 (Sale 2)" in said
    assert "exclude=both" in said


@pytest.mark.parametrize(("exclude", "left"), [("active", 3), ("recent", 3), ("both", 2)])
async def test_those_elsewhere_are_left_out_if_asked(
    room: CampaignRoom, exclude: str, left: int
) -> None:
    said = await room.say(f"broadcast new News to=tag:lead template=followup exclude={exclude}")

    assert f"{left} recipients" in said
    assert f"{5 - left} of them are left out" in said
    assert f"exclude={exclude}" in await room.say("broadcast show News")
    assert "5 recipients" in await room.say("broadcast edit News exclude=none")
    assert f"{left} recipients" in await room.say(f"broadcast edit News exclude={exclude}")


async def test_a_button_leaves_them_out_once(room: CampaignRoom) -> None:
    made = await room.room.command("broadcast new News to=tag:lead template=followup")
    version = await room.version("News")

    assert f"'value': '{version}'" in str(made.message.blocks)
    assert "2 recipients" in await room.click("exclude_both", version)
    assert "has changed since" in await room.click("exclude_both", version)
    assert await room.value("select excluded from campaigns where name = 'News'") == {"who": "both"}


async def test_enrolling_is_looked_at_first_and_leaves_them_out(room: CampaignRoom) -> None:
    await room.say("campaign new Second")
    await room.say("step add Second after=0m template=followup")
    await room.say("campaign activate Second")

    looked = await room.say("enroll Second tag:lead check")
    assert "would enroll 5 contacts" in looked
    assert "In another campaign: 2 (Welcome 2)" in looked
    assert await room.value("select count(*) from enrollments") == 2
    assert "would enroll 3 contacts" in await room.say(
        "enroll Second tag:lead check exclude=active"
    )
    assert "enrolled 2 contacts" in await room.say("enroll Second tag:lead exclude=both")
    assert "left out by exclude=active" in await room.say(
        "enroll Second +31610000001 exclude=active"
    )
    assert await room.value("select count(*) from enrollments") == 4
