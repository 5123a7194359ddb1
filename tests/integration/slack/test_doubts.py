"""Messages in doubt: what staff are asked, and what their click does."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.slack import doubts
from bot.slack.blocks import Message
from engine.ids import CampaignId
from engine.roles import Role
from storage import left_to_staff, recount
from storage.database import Database
from storage.events import Event, EventId
from tests.database import ACME
from tests.integration.slack.campaign_room import CampaignRoom, opened


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as room:
        doubts.register(room.room.registry, room.room.desk)
        yield room


async def in_doubt(room: CampaignRoom, count: int, *, left: int | None = None) -> CampaignId:
    """Enroll contacts in Welcome whose first message is in doubt, *left* of them left to staff."""
    await room.welcome()
    await room.contacts(count)
    await room.say("enroll Welcome tag:lead")
    await room.plan()
    await room.value(
        "update messages set state = 'unknown', attempt = 1, unknown_since = $1", room.room.clock.at
    )
    await leave(room, count if left is None else left)
    campaign: CampaignId = await room.value("select id from campaigns")
    return campaign


async def leave(room: CampaignRoom, count: int) -> None:
    await room.value(
        "update messages set control_at = 'infinity' where id in"
        " (select id from messages where state = 'unknown' order by id limit $1)",
        count,
    )


async def asked(
    room: CampaignRoom, campaign: CampaignId | None, *, why: str = "silence", count: int = 3
) -> Message:
    event = Event(
        id=EventId(9),
        kind="messages_in_doubt",
        campaign_id=campaign,
        content={"count": count, "why": why},
        at=room.room.clock.at,
    )
    async with room.database.unit(ACME, room.room.clock.at) as unit:
        (alert,) = await doubts.in_doubt(event, unit)
    return alert.message


def buttons(message: Message) -> dict[str, dict[str, Any]]:
    if len(message.blocks) == 1:
        return {}
    return {each["text"]["text"]: each for each in message.blocks[1]["elements"]}


async def states(room: CampaignRoom) -> dict[object, object]:
    return dict(await room.rows("select state, count(*) from messages group by 1"))  # type: ignore[arg-type] # pairs


async def differences(room: CampaignRoom) -> list[recount.Difference]:
    async with room.database.owner_unit(ACME, room.room.clock.at) as unit:
        return await recount.differences(unit, repair=False)


async def test_the_alert_says_why_and_asks_with_numbers(room: CampaignRoom) -> None:
    campaign = await in_doubt(room, 3, left=2)

    silence = await asked(room, campaign)
    nothing = await asked(room, campaign, why="nothing_heard", count=1)

    assert silence.text == (
        "3 messages of Welcome may or may not have reached WhatsApp. No answer came to their"
        " calls, and none was heard since, although WhatsApp has reported on later calls."
        " Nothing sends them again by itself: please decide."
    )
    assert nothing.text.startswith("1 message of Welcome may or may not have reached WhatsApp.")
    assert "said nothing about the number for an hour" in nothing.text
    offered = buttons(silence)
    assert list(offered) == ["Send again (2)", "Give up (2)"]
    assert "2 messages of Welcome" in str(offered["Send again (2)"]["confirm"])
    assert {room.room.registry.clicks[each["action_id"]][0] for each in offered.values()} == {
        Role.OWNER
    }


async def test_what_is_settled_by_now_is_not_asked(room: CampaignRoom) -> None:
    campaign = await in_doubt(room, 3, left=0)

    said = await asked(room, campaign)

    assert said.text.endswith("By now it is settled.")
    assert buttons(said) == {}


async def test_sending_again_queues_all_of_the_campaign_once(room: CampaignRoom) -> None:
    campaign = await in_doubt(room, 3, left=2)
    first, second = await asked(room, campaign), await asked(room, campaign, why="nothing_heard")
    await leave(room, 3)

    said = await click(room, first, "Send again (2)")
    again = await click(room, first, "Send again (2)")
    late = await click(room, second, "Give up (2)")

    assert said == "<@U0OWNER> has 3 messages of Welcome sent again."
    assert again == late == "No message of Welcome is in doubt any more; nothing was done."
    assert await states(room) == {"queued": 3}
    assert await room.rows("select distinct resent, tries, control_at from messages") == [
        (1, 0, None)
    ]
    assert await room.rows(
        "select actor, subject, content from audit_log where action like 'messages.%'"
    ) == [("U0OWNER", f"campaign:{campaign}", {"again": 3, "given_up": 0, "ended": 0})]
    assert await differences(room) == []


async def test_giving_up_lets_the_contacts_go_on(room: CampaignRoom) -> None:
    campaign = await in_doubt(room, 2)

    said = await click(room, await asked(room, campaign), "Give up (2)")

    assert said == "<@U0OWNER> gave up 2 messages of Welcome."
    assert await room.rows("select distinct state, reason, resent from messages") == [
        ("dead", "unanswered", 0)
    ]
    following = await room.rows(
        "select distinct s.position, e.due_at is not null from enrollments e"
        " join steps s on s.id = e.step_id"
    )
    assert following == [(2, True)]
    assert await differences(room) == []


async def test_those_nobody_was_asked_about_wait_on(room: CampaignRoom) -> None:
    campaign = await in_doubt(room, 3, left=1)

    said = await click(room, await asked(room, campaign), "Give up (1)")

    assert said == "<@U0OWNER> gave up 1 message of Welcome."
    assert await states(room) == {"unknown": 2, "dead": 1}


async def test_a_report_that_comes_first_has_settled_its_message(room: CampaignRoom) -> None:
    campaign = await in_doubt(room, 2)
    question = await asked(room, campaign)
    await room.value(
        "update messages set state = 'sent', control_at = null where id ="
        " (select min(id) from messages)"
    )

    said = await click(room, question, "Send again (2)")

    assert said == "<@U0OWNER> has 1 message of Welcome sent again."
    assert await states(room) == {"sent": 1, "queued": 1}


async def test_what_is_over_is_not_sent_again(room: CampaignRoom) -> None:
    campaign = await in_doubt(room, 2)
    question = await asked(room, campaign)
    await room.value("update campaigns set state = 'archived'")

    said = await click(room, question, "Send again (2)")

    assert said == "2 messages of Welcome will not be sent: the campaign is over."
    assert await states(room) == {"cancelled": 2}
    assert await room.value("select max(resent) from messages") == 0


async def test_confirmations_are_of_no_campaign(room: CampaignRoom) -> None:
    await room.contacts(1)
    at = room.room.clock.at
    await room.value(
        "insert into messages (organization_id, id, run_id, step_id, contact_id, number_id, state,"
        " priority, attempt, due_at, unknown_since, control_at, body)"
        " values ('acme', new_message_id($1), 1, 0, 1, '1', 'unknown', 1, 1, $2, $2, 'infinity',"
        " 'You are out.')",
        int(at.timestamp()),
        at,
    )

    question = await asked(room, None, count=1)
    said = await click(room, question, "Send again (1)")

    assert question.text.startswith("1 message may or may not have reached WhatsApp.")
    assert said == "<@U0OWNER> has 1 message sent again."
    assert await states(room) == {"queued": 1}
    async with room.database.unit(ACME, at) as unit:
        assert await left_to_staff.count(unit, campaign=None) == 0


async def test_more_than_a_slice_is_settled_by_one_click(
    room: CampaignRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.doubts._SLICE", 2)
    campaign = await in_doubt(room, 5)

    said = await click(room, await asked(room, campaign), "Send again (5)")

    assert said == "<@U0OWNER> has 5 messages of Welcome sent again."
    assert await states(room) == {"queued": 5}
    assert await room.value("select count(*) from audit_log where action like 'messages.%'") == 3


async def test_a_value_that_is_none_of_ours_does_nothing(room: CampaignRoom) -> None:
    await in_doubt(room, 1)

    for value in ("", "x@1", "1", f"{2**70}@1", "-1@1"):
        assert await room.room.click("doubts_send_again", value) is None

    assert await states(room) == {"unknown": 1}


async def click(room: CampaignRoom, message: Message, label: str) -> str:
    offered = buttons(message)[label]
    return await room.click(offered["action_id"], offered["value"])
