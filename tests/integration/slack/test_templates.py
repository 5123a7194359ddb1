"""Templates, by the commands staff type."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.slack.language import LANGUAGE
from bot.slack.language.steps import StepAdd
from storage.database import Database
from storage.tasks import SYNC_TEMPLATES
from storage.template_sync import task_done
from tests.database import ACME
from tests.integration.slack.campaign_room import CampaignRoom, opened


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as room:
        yield room


async def test_the_list_says_state_and_use(room: CampaignRoom) -> None:
    await room.welcome()

    said = await room.say("template list")

    assert "6 templates: 5 approved, 1 pending" in said
    assert "welcome · en · marketing · approved · Welcome" in said
    assert "draft · en · marketing · pending" in said


async def test_showing_one_gives_a_step_that_works(room: CampaignRoom) -> None:
    said = await room.say("template show offer")
    nl = await room.say("template show news language=nl")
    typo = await room.say("template show oferr")

    command = said[said.index("/drip step add") :].partition("`")[0].replace("<campaign>", "W")
    parsed = LANGUAGE.parse(command)
    assert isinstance(parsed, StepAdd)
    assert [name for name, _ in parsed.parameters] == ["1", "2", "url"]
    assert "“See” (https://shop.example/{{1}})" in said
    assert "Nieuws!" in nl
    assert "News!" not in nl
    assert "Did you mean offer?" in typo


async def test_syncing_asks_the_worker_and_tells_what_it_found(room: CampaignRoom) -> None:
    async def work() -> None:
        while not await room.value("select count(*) from tasks"):  # noqa: ASYNC110 — of a row
            await asyncio.sleep(0.01)
        begun = room.room.clock.at + timedelta(seconds=1)
        async with room.database.owner_unit(ACME, begun) as unit:
            result = {"templates": 6, "gone": 1}
            await task_done(unit, name=SYNC_TEMPLATES, begun=begun, result=result)

    said, _ = await asyncio.gather(room.say("template sync"), work())

    assert "WhatsApp lists 6 templates: 5 approved, 1 pending" in said
    assert "1 are no longer there" in said


async def test_a_sync_that_takes_longer_is_told_when_it_is_done(
    room: CampaignRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.templates._WAIT_S", 0.1)

    async def work() -> None:
        while not room.room.said:  # noqa: ASYNC110 — until the asker was told to wait
            await asyncio.sleep(0.01)
        begun = room.room.clock.at + timedelta(seconds=1)
        async with room.database.owner_unit(ACME, begun) as unit:
            result = {"templates": 6, "gone": 0}
            await task_done(unit, name=SYNC_TEMPLATES, begun=begun, result=result)

    said, _ = await asyncio.gather(room.say("template sync"), work())

    (waiting,) = room.room.said
    assert "takes a moment longer" in waiting.message.text
    assert "WhatsApp lists 6 templates: 5 approved, 1 pending" in said


async def test_a_slow_or_failed_sync_is_told_as_such(
    room: CampaignRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.templates._WAIT_S", 0.1)
    monkeypatch.setattr("bot.slack.templates._LONGER_S", 0.2)
    slow = await room.say("template sync")
    at = room.room.clock.at + timedelta(hours=1)
    async with room.database.owner_unit(ACME, at) as unit:
        await task_done(unit, name=SYNC_TEMPLATES, begun=at, result={"problem": "Token expired."})

    again = await room.say("template sync")
    status = await room.say("status")

    assert "has not listed all templates yet" in slow
    assert (
        "has not listed all templates yet" in again
    )  # what was done before is no answer to this request
    assert "The last sync failed: Token expired." in status
