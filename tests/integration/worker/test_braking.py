"""The automatic brake: what stops a campaign or number by itself, and how staff let it go on."""

# ruff: noqa: E501 — SQL reads better unbroken

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.slack import campaign_alerts, platform_alerts
from bot.slack.alerts import ALERTS
from engine.brake import Brake, Share
from engine.ids import CampaignId
from storage import events
from tests.database import ACME, NOON
from tests.integration.slack.campaign_room import CampaignRoom, opened
from tests.integration.worker.world import NUMBER, World, worker
from worker.braking import mind_brakes

assert campaign_alerts  # it says how events read
BRAKE = Brake(failures=Share(tenths=200), opt_outs=Share(tenths=50), after=10)


@pytest.fixture
async def room(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CampaignRoom]:
    monkeypatch.setattr("worker.lane._IDLE_S", 0.02)
    world.with_rules(brake=BRAKE)
    world.clock.stand()
    async with opened(world.database) as room:
        platform_alerts.register(room.room.registry, room.room.desk)
        yield room


async def send(
    world: World, campaign: CampaignId, count: int, *, failing: int, code: int = 131051
) -> None:
    """Send to *count* new contacts; the first *failing* of the calls are refused."""
    refused = iter(range(failing))
    world.platform.behave = lambda _: code if next(refused, None) is not None else "accept"
    await world.queued(campaign, await world.contacts(count), due_at=world.clock.now())
    await world.run()


async def mind(world: World) -> None:
    await mind_brakes(worker(world), ACME)


async def stop(world: World, campaign: CampaignId, count: int) -> None:
    """Let people whom a campaign reached answer STOP."""
    await world.value(
        "insert into inbound_messages (organization_id, wamid, number_id, contact_id, kind, campaign_id, meaning, content, at, received_at)"
        " select $1, 'in.' || contact_id || $4::timestamptz::text, $2, contact_id, 'text', $3, 'stop', '{}', $4::timestamptz, $4::timestamptz"
        "   from messages where campaign_id = $3 and state = 'accepted' order by id limit $5",
        ACME,
        NUMBER,
        campaign,
        world.clock.now(),
        count,
    )


async def stopped(world: World) -> list[str]:
    """Return for what campaigns are stopped."""
    rows = await world.rows(
        "select closed_why from campaigns where closed_until = 'infinity' order by id"
    )
    return [row["closed_why"] for row in rows]


async def told(world: World, kind: str) -> list[str]:
    async with world.database.unit(ACME, world.clock.now()) as unit:
        waiting = await events.waiting(unit, besides=(), limit=100)
        alerts = [await ALERTS[each.kind](each, unit) for each in waiting if each.kind == kind]
    return [str(each[0].message.text) for each in alerts]


async def test_too_many_failures_stop_a_campaign_alone_and_say_what_to_do(
    world: World, room: CampaignRoom
) -> None:
    bad, good = await world.campaign(name="Bad"), await world.campaign(name="Good")
    await send(world, bad, 10, failing=3)
    await send(world, good, 10, failing=2)

    await mind(world)
    await mind(world)

    (why,) = await stopped(world)
    assert why == (
        "3 of the last 10 messages failed, more than 20% (brake_failures in the configuration)."
        " Most often: WhatsApp does not support this type of message; please report it to us."
        " (error 131051)"
    )
    assert room
    (said,) = await told(world, "campaign_stopped")
    assert said.startswith("Bad has stopped: 3 of the last 10 messages failed, more than 20%")
    assert (
        "`/drip failed Bad` lists what failed, `/drip broadcast resume Bad` lets it go on." in said
    )
    await world.queued(bad, await world.contacts(1))
    await world.run()
    assert (await world.states(bad))["queued"] == 1


async def test_few_messages_say_nothing_yet(world: World, room: CampaignRoom) -> None:
    assert room
    await send(world, await world.campaign(), 9, failing=9)

    await mind(world)

    assert await stopped(world) == []


async def test_what_failed_before_staff_let_it_go_on_counts_no_more(
    world: World, room: CampaignRoom
) -> None:
    campaign = await world.campaign(name="Sale")
    await send(world, campaign, 10, failing=10)
    await mind(world)
    assert len(await stopped(world)) == 1

    await room.say("broadcast resume Sale")
    world.clock.stand(NOON + timedelta(minutes=1))
    await mind(world)
    await send(world, campaign, 9, failing=9)
    await mind(world)
    assert await stopped(world) == []

    await send(world, campaign, 1, failing=1)
    await mind(world)
    assert len(await stopped(world)) == 1
    assert (await stopped(world))[0].startswith("10 of the last 10 messages failed")


async def test_what_was_accepted_before_staff_let_it_go_on_excuses_nothing(
    world: World, room: CampaignRoom
) -> None:
    campaign = await world.campaign(name="Sale")
    await send(world, campaign, 60, failing=0)
    await room.say("campaign pause Sale")
    await room.say("campaign resume Sale")
    world.clock.stand(NOON + timedelta(minutes=1))

    await send(world, campaign, 10, failing=3)
    await mind(world)

    assert len(await stopped(world)) == 1


async def test_what_is_older_than_a_day_says_nothing(world: World, room: CampaignRoom) -> None:
    assert room
    await send(world, await world.campaign(), 10, failing=10)
    world.clock.stand(NOON + timedelta(hours=25))

    await mind(world)

    assert await stopped(world) == []


async def test_too_many_who_say_stop_stop_a_campaign(world: World, room: CampaignRoom) -> None:
    campaign = await world.campaign(name="Sale")
    await send(world, campaign, 40, failing=0)
    await stop(world, campaign, 2)
    await mind(world)
    assert await stopped(world) == []

    world.clock.stand(NOON + timedelta(minutes=1))
    await stop(world, campaign, 3)
    await mind(world)

    (why,) = await stopped(world)
    assert why == (
        "3 of the last 40 people it reached said STOP, more than 5% (brake_opt_outs in the"
        " configuration)."
    )
    await room.say("broadcast resume Sale")
    world.clock.stand(NOON + timedelta(minutes=2))
    await mind(world)
    assert await stopped(world) == []


async def test_it_can_be_off(world: World, room: CampaignRoom) -> None:
    assert room
    world.with_rules(brake=Brake(failures=None, opt_outs=None, after=1))
    await send(world, await world.campaign(), 20, failing=20)

    await mind(world)

    assert await stopped(world) == []


async def test_a_number_of_low_quality_stops_once_until_its_quality_has_been_another(
    world: World, room: CampaignRoom
) -> None:
    async def rated(quality: str) -> None:
        await world.value("update numbers set quality = $2 where id = $1", NUMBER, quality)
        await mind(world)

    async def closed() -> bool:
        return bool(
            await world.value("select closed_until = 'infinity' from numbers where id = $1", NUMBER)
        )

    await rated("red")
    assert await closed()
    (said,) = await told(world, "number_stopped")
    assert "rates the number's quality low" in said
    assert "`/drip number open +15550001111` lets it go on." in said

    opened = await room.say("number open +1 555 000 1111")
    again = await room.say("number open +15550001111")
    assert opened == "<@U0OWNER> resumed +15550001111."
    assert again == "That number is sending already."
    await rated("red")
    assert not await closed()

    await rated("yellow")
    assert not await closed()
    await rated("red")
    assert await closed()


async def test_a_template_that_a_sync_finds_paused_stops_its_campaigns(
    world: World, room: CampaignRoom
) -> None:
    campaign = await world.campaign(
        name="Sale", content={"type": "template", "name": "followup", "language": "en"}
    )
    await world.value("update templates set status = 'PAUSED' where name = 'followup'")

    await mind(world)

    assert await stopped(world) == ["WhatsApp set template followup (en) to PAUSED."]
    world.clock.stand(NOON + timedelta(minutes=1))
    await room.later(timedelta(minutes=1))
    await room.say("broadcast resume Sale")
    await mind(world)
    assert await stopped(world) == []
    await world.value("update templates set synced_at = $1", NOON + timedelta(hours=1))
    await mind(world)
    assert len(await stopped(world)) == 1
    assert campaign


async def test_a_number_that_is_not_ours_is_not_opened(room: CampaignRoom) -> None:
    assert "+15559999999" in await room.say("number open +15559999999")
