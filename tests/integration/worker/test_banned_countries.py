"""A country WhatsApp does not let the account write to: left out, told, and tried again by staff."""

# ruff: noqa: E501 — SQL reads better unbroken

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.slack import countries as slack
from bot.slack import failed, previews
from bot.slack.alerts import ALERTS
from bot.slack.grammar import NotUnderstood
from bot.slack.language import LANGUAGE
from engine.brake import Brake, Share
from engine.ids import CampaignId, ContactId
from storage import events
from tests.database import ACME, NOON
from tests.integration.slack.campaign_room import CampaignRoom, opened
from tests.integration.worker.platform import Behaviour, Taken
from tests.integration.worker.world import OTHER_NUMBER, World, worker
from worker.braking import mind_brakes

BANNED = 130497


@pytest.fixture
async def room(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CampaignRoom]:
    monkeypatch.setattr("worker.lane._IDLE_S", 0.02)
    world.clock.stand()
    world.platform.behave = refused
    async with opened(world.database) as room:
        for each in (slack, failed, previews):
            each.register(room.room.registry, room.room.desk)
        yield room


def refused(taken: Taken) -> Behaviour:
    return BANNED if taken.to.startswith("+55") else "accept"


async def brazilians(world: World, count: int) -> list[ContactId]:
    """Create contacts of a country that is banned, which nobody knows yet."""
    contacts = await world.contacts(count)
    await world.abroad(contacts)
    await world.value("delete from country_bans")
    return contacts


async def told(world: World) -> list[str]:
    async with world.database.unit(ACME, NOON) as unit:
        waiting = await events.waiting(unit, besides=(), limit=100)
        alerts = [await ALERTS[each.kind](each, unit) for each in waiting]
    return [str(alert.message.text) for some in alerts for alert in some]


async def met(world: World) -> tuple[CampaignId, list[ContactId]]:
    """Let the ban be met by one of four Brazilians."""
    contacts = await brazilians(world, 4)
    campaign = await world.campaign(name="Spring")
    await world.queued(campaign, contacts[:1])
    await world.run()
    assert await world.states(campaign) == {"dead:failed": 1}
    return campaign, contacts


async def test_who_is_of_it_is_left_out_of_every_campaign_and_number_and_all_others_go(
    world: World, room: CampaignRoom
) -> None:
    assert room
    _, contacts = await met(world)
    calls = len(world.platform.calls)
    other = await world.campaign(name="Summer", type="transactional")
    await world.queued(other, [*contacts[1:], *await world.contacts(3)], number=OTHER_NUMBER)

    await world.run(OTHER_NUMBER)

    assert await world.states(other) == {"skipped:country_banned": 3, "accepted": 3}
    assert len(world.platform.calls) == calls + 3


async def test_staff_are_told_once_which_country_and_how_many(
    world: World, room: CampaignRoom
) -> None:
    await met(world)
    more = await world.contacts(2)
    await world.abroad(more)  # the ban is there already

    (alert,) = await told(world)
    assert alert == (
        "Brazil, met by Spring: WhatsApp does not let your account write to this country. (error"
        " 130497) Its 6 contacts are left out of every campaign from now on; once WhatsApp lets you"
        " write to them, `/drip country open BR` ends that."
    )
    status = await room.say("status")
    assert "Brazil: WhatsApp does not let your account write to it since" in status
    assert "its 6 contacts are left out. `/drip country open BR` tries again." in status


async def test_an_owner_lets_it_be_tried_again_and_what_failed_is_not_lost(
    world: World, room: CampaignRoom
) -> None:
    campaign, contacts = await met(world)

    kept = await room.say("retry Spring all")
    foreign = await room.say("country open United States")
    opened_ = await room.say("country open brazil")
    again = await room.say("country open BR")
    world.platform.behave = lambda _: "accept"
    tried = await room.say("retry Spring all")
    world.clock.stand(NOON + timedelta(minutes=1))
    await world.run()

    assert "cannot be reached, may not be written to for its country" in kept
    assert foreign == "Nobody is left out for being of United States."
    assert opened_.startswith("<@U0OWNER> lets campaigns write to Brazil again.")
    assert again == "Nobody is left out for being of Brazil."
    assert tried != kept
    assert await world.states(campaign) == {"accepted": 1}
    assert await world.rows(
        "select actor, action, subject from audit_log where action like 'country%'"
    ) == [{"actor": "U0OWNER", "action": "country.open", "subject": "country:BR"}]
    await world.queued(other := await world.campaign(), contacts)
    await world.run()
    assert await world.states(other) == {"accepted": 4}


def test_a_country_that_does_not_exist_gets_one_sentence() -> None:
    said = LANGUAGE.parse("country open Atlantis")

    assert isinstance(said, NotUnderstood)
    assert said.sentence == (
        "The country must be two letters or an English name, like NL, not Atlantis."
    )


async def test_those_who_failed_before_it_was_known_do_not_brake_the_campaign(
    world: World, room: CampaignRoom
) -> None:
    assert room
    world.with_rules(brake=Brake(failures=Share(tenths=200), opt_outs=None, after=10))
    campaign = await world.campaign()
    await world.queued(campaign, [*await brazilians(world, 12), *await world.contacts(8)])

    await world.run()
    await mind_brakes(worker(world), ACME)

    assert (await world.states(campaign))["dead:failed"] == 12
    assert await world.value("select closed_until is null from campaigns where id = $1", campaign)


async def test_the_same_country_met_by_many_at_once_is_told_once(
    world: World, room: CampaignRoom
) -> None:
    assert room
    campaign = await world.campaign()
    await world.queued(campaign, await brazilians(world, 60))
    await world.run()

    assert len(await told(world)) == 1
    assert await world.value("select count(*) from country_bans") == 1
    # What a report shows is what the rows say.
    assert sum((await world.states(campaign)).values()) == 60


async def test_why_and_preview_know_of_it(world: World, room: CampaignRoom) -> None:
    _, contacts = await met(world)
    drip = await world.campaign(name="Welcome", kind="drip", state="active")
    await world.enrolled(drip, contacts[1:2])
    phone = await world.value(
        "select value from contact_identities where contact_id = $1", contacts[1]
    )

    said = await room.say(f"campaign preview Welcome {phone}")

    assert "of a country that WhatsApp does not let the account write to" in said


async def test_a_ban_met_again_after_it_was_opened_is_told_again(
    world: World, room: CampaignRoom
) -> None:
    campaign, contacts = await met(world)
    assert "Brazil" in await room.say("country open BR")
    world.clock.stand(NOON + timedelta(minutes=10))
    await world.queued(campaign, contacts[1:2])

    await world.run()

    assert len([each for each in await told(world) if "left out of every" in each]) == 2
