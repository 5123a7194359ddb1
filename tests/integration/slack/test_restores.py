"""A restored database: what staff are asked, and what their answers do."""

# ruff: noqa: E501 — SQL reads better unbroken

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pydantic import SecretStr

from bot.cli.restored import UnknownOrganization, restored
from bot.slack import restores as alerts
from bot.slack.blocks import Message
from storage import events, recount, restores
from storage.database import Database
from storage.events import Event
from tests.database import ACME
from tests.integration.slack.campaign_room import CampaignRoom, opened
from worker.scheduling import start_due


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as room:
        alerts.register(room.room.registry, room.room.desk)
        yield room


async def moved(room: CampaignRoom, to: str = "1/00000001/1/1") -> Message:
    """Let the database be another one than was sent from; return how staff are asked."""
    await room.value("update organizations set database_identity = $1", to)
    async with room.database.owner_unit(ACME, room.room.clock.at) as unit:
        await restores.notice(unit)
    return await asked(room, "database_moved")


async def asked(room: CampaignRoom, kind: str) -> Message:
    async with room.database.unit(ACME, room.room.clock.at) as unit:
        found = await events.waiting(unit, kinds={kind}, others=False, besides=[], limit=10)
        (alert,) = await {
            "database_moved": alerts.database_moved,
            "restored_campaign": alerts.restored_campaign,
        }[kind](found[-1], unit)
    return alert.message


def buttons(message: Message) -> dict[str, tuple[str, str]]:
    """Return action and value of each button, by its text without the number."""
    return {
        re.sub(r" \(.*", "", each["text"]["text"]): (each["action_id"], each["value"])
        for block in message.blocks
        if block["type"] == "actions"
        for each in block["elements"]
    }


async def is_held(room: CampaignRoom) -> bool:
    async with room.database.unit(ACME, room.room.clock.at) as unit:
        return await restores.moved(unit)


async def enrolled(room: CampaignRoom, count: int = 3) -> None:
    await room.welcome()
    await room.contacts(count)
    await room.say("enroll Welcome tag:lead")
    await room.plan()
    await room.later(timedelta(hours=1))


async def test_staff_are_asked_with_counts_and_status_says_so(room: CampaignRoom) -> None:
    await enrolled(room)
    await room.value(
        "update messages set state = 'claimed' where id = (select min(id) from messages)"
    )

    message = await moved(room)

    assert "*Nothing is sent.* The database was restored from a backup" in message.text
    assert "*Welcome*: 2 messages" in message.text
    assert "1 message in doubt" in message.text
    assert set(buttons(message)) == {"Send them", "Leave them out", "Ask about each campaign"}
    status = await room.say("status")
    assert "*Nothing is sent.*" in status
    assert "dripline restored send" in status


async def test_a_promotion_is_called_one(room: CampaignRoom) -> None:
    identity = str(await room.value("select database_identity()"))
    cluster, _, *rest = identity.split("/")

    message = await moved(room, "/".join([cluster, "00000009", *rest]))

    assert "is a replica that was promoted" in message.text


async def test_it_is_told_once_for_each_database_it_becomes(room: CampaignRoom) -> None:
    await moved(room)
    await moved(room)
    assert await room.events() == ["database_moved"]


async def test_sending_them_changes_nothing_but_that_sending_goes_on(room: CampaignRoom) -> None:
    await enrolled(room)
    message = await moved(room)
    assert await is_held(room)

    said = await room.click(*buttons(message)["Send them"])

    assert "has what was due before the database was restored sent" in said
    assert not await is_held(room)
    assert await room.value("select count(*) from campaigns where left_out_before is not null") == 0


async def test_a_second_answer_does_nothing(room: CampaignRoom) -> None:
    await enrolled(room)
    choices = buttons(await moved(room))
    await room.click(*choices["Send them"])

    said = await room.click(*choices["Leave them out"])

    assert "nothing was done" in said
    assert await room.value("select count(*) from campaigns where left_out_before is not null") == 0


async def test_an_answer_about_a_database_before_the_last_one_does_nothing(
    room: CampaignRoom,
) -> None:
    choices = buttons(await moved(room))
    await room.value("update organizations set moved_to = 'another/one'")

    assert "nothing was done" in await room.click(*choices["Send them"])
    assert await is_held(room)


async def test_leaving_out_notes_the_moment_in_every_campaign_and_ends_answers(
    room: CampaignRoom,
) -> None:
    await enrolled(room)
    await room.value(
        "insert into messages (organization_id, id, run_id, step_id, contact_id, number_id, state, priority, due_at, body)"
        " values ('acme', new_message_id(extract(epoch from $1::timestamptz)::bigint), 1, 0, 1, '200000000000001', 'queued', 1, $1, 'Noted.')",
        room.room.clock.at,
    )
    message = await moved(room)
    assert "1 message outside campaigns" in message.text

    await room.click(*buttons(message)["Leave them out"])

    assert await room.value("select left_out_before = $1 from campaigns", room.room.clock.at)
    assert await room.rows("select state, reason from messages where campaign_id = 0") == [
        ("skipped", "restored")
    ]
    assert not await is_held(room)


async def test_asking_pauses_what_has_something_due_and_asks_about_each(room: CampaignRoom) -> None:
    await enrolled(room)
    await room.say('campaign new "Quiet"')
    await room.say("step add Quiet after=0m template=followup")
    await room.say("campaign activate Quiet")

    await room.click(*buttons(await moved(room))["Ask about each campaign"])

    assert not await is_held(room)
    assert await room.rows("select name, state from campaigns order by id") == [
        ("Welcome", "paused"),
        ("Quiet", "active"),
    ]
    message = await asked(room, "restored_campaign")
    assert "*Welcome* is paused: 3 messages of it were due" in message.text
    said = await room.click(*buttons(message)["Leave out"])
    assert "left out; it goes on" in said
    assert await room.rows("select state, left_out_before is null from campaigns order by id") == [
        ("active", False),
        ("active", True),
    ]
    assert "nothing was done" in await room.click(*buttons(message)["Send"])
    assert "goes on by now" in (await asked(room, "restored_campaign")).text


async def test_what_is_sent_after_all_is_left_out_of_nothing(room: CampaignRoom) -> None:
    await enrolled(room)
    await room.click(*buttons(await moved(room))["Ask about each campaign"])

    await room.click(*buttons(await asked(room, "restored_campaign"))["Send"])

    assert await room.rows("select state, left_out_before, restored_at from campaigns") == [
        ("active", None, None)
    ]


@pytest.mark.parametrize("answer", ["Leave them out", "Ask about each campaign"])
async def test_a_broadcast_whose_start_lies_in_the_lost_time_does_not_start(
    room: CampaignRoom, answer: str
) -> None:
    await room.contacts(2)
    await room.say("broadcast new Sale to=tag:lead template=followup")
    await room.say('broadcast schedule Sale at="2026-11-20 15:00"')
    await room.later(timedelta(hours=4))
    message = await moved(room)
    assert "*Sale*: was to start" in message.text
    await start_due(room.worker, ACME)
    assert await room.value("select state from campaigns") == "scheduled"

    await room.click(*buttons(message)[answer])
    await start_due(room.worker, ACME)

    assert await room.value("select state from campaigns") == "draft"
    assert "campaign_missed" in await room.events()


async def test_silence_heard_before_counts_for_nothing(room: CampaignRoom) -> None:
    await enrolled(room, 2)
    await room.value(
        "update messages set state = 'unknown', unknown_since = $1::timestamptz, control_at ="
        " case when id = (select min(id) from messages) then $1 else 'infinity'::timestamptz end",
        room.room.clock.at - timedelta(hours=1),
    )

    await room.click(*buttons(await moved(room))["Send them"])

    assert await room.rows(
        "select control_at::text, unknown_since = $1 from messages order by id",
        room.room.clock.at,
    ) == [(None, True), ("infinity", False)]
    async with room.database.owner_unit(ACME, room.room.clock.at) as unit:
        assert await recount.differences(unit, repair=False) == []


async def test_the_command_line_answers_as_well(room: CampaignRoom) -> None:
    await enrolled(room)
    await room.value("update organizations set database_identity = 'a/b/c/d'")
    config = room.room.desk.config
    server = config.server.model_copy(update={"database_url": SecretStr(room.database.url)})
    config = config.model_copy(update={"server": server})

    with pytest.raises(UnknownOrganization, match="there are: acme"):
        await restored(config, room.room.clock, answer="send", organization="globex")
    shown = await restored(config, room.room.clock, answer=None, organization=None)
    said = await restored(config, room.room.clock, answer="leave-out", organization=None)
    again = await restored(config, room.room.clock, answer="leave-out", organization=None)

    (line,) = shown
    assert "3 messages were due by then, of 1 campaigns, and 0 are in doubt" in line
    assert said == ["acme: 1 campaigns had something due; sending goes on"]
    assert again == []
    assert not await is_held(room)


async def test_an_alert_that_comes_too_late_says_so(room: CampaignRoom) -> None:
    message = await moved(room)
    await room.click(*buttons(message)["Send them"])
    async with room.database.unit(ACME, room.room.clock.at) as unit:
        event = Event(
            id=events.EventId(1),
            kind="database_moved",
            campaign_id=None,
            content={"to": "x"},
            at=room.room.clock.at,
        )
        (alert,) = await alerts.database_moved(event, unit)
    assert "By now that is settled" in alert.message.text
    assert buttons(alert.message) == {}
