"""A broadcast to very many is planned in slices, and staff stop it between any two of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise

import pytest

from bot.slack.cards import draw
from engine.audience import Audience
from engine.ids import CampaignId, ContactId
from storage import audiences, reports
from storage.database import Database
from tests.database import ACME, NOON
from tests.integration.slack.campaign_room import CampaignRoom, opened
from tests.integration.worker.world import World, worker
from worker.planning import plan

PEOPLE = 20_000
SLICE = 200

Between = Callable[[int], Awaitable[None]]
EVERYONE = Audience(everyone=True)
TAGGED = Audience(tags=("vip",))
KINDS = pytest.mark.parametrize("audience", [EVERYONE, TAGGED], ids=["everyone", "frozen"])


@pytest.fixture
async def room(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CampaignRoom]:
    monkeypatch.setattr("worker.planning._CONTACTS", SLICE)
    monkeypatch.setattr("storage.members.CHUNK", SLICE)
    async with opened(world.database) as room:
        yield room


@pytest.fixture
async def between(monkeypatch: pytest.MonkeyPatch) -> list[Between]:
    """Yield what is done, given the number of slices so far, after each has been committed."""
    acts: list[Between] = []
    slices = 0

    async def committed(_: Database) -> None:
        nonlocal slices
        slices += 1
        for act in acts:
            await act(slices)

    # It comes after every slice, outside of its transaction.
    monkeypatch.setattr("worker.planning.analyze_grown", committed)
    return acts


async def begun(world: World, audience: Audience) -> CampaignId:
    contacts = await world.contacts(PEOPLE)
    await world.value(
        "insert into contact_tags (organization_id, tag, contact_id, added_at)"
        " select $1, 'vip', id, $2 from unnest($3::bigint[]) as id",
        ACME,
        NOON,
        contacts,
    )
    campaign = await world.campaign(
        name="Million", audience=audience.to_json(), contacts_up_to=contacts[-1]
    )
    async with world.database.owner_unit(ACME, NOON) as unit:
        await audiences.freeze(
            unit, campaign=campaign, audience=audience, up_to=ContactId(contacts[-1])
        )
    return campaign


async def planned(world: World) -> int:
    count: int = await world.value("select count(*) from messages")
    return count


async def to_the_end(world: World) -> None:
    while await plan(worker(world), ACME):
        pass


@KINDS
async def test_no_transaction_holds_the_broadcast_longer_than_a_slice(
    world: World, room: CampaignRoom, between: list[Between], audience: Audience
) -> None:
    assert room
    campaign = await begun(world, audience)
    seen = [0]

    async def look(_: int) -> None:
        # Nobody holds it now: else this raises.
        await world.value("select id from campaigns where id = $1 for update nowait", campaign)
        seen.append(await planned(world))

    between.append(look)
    await to_the_end(world)

    assert seen[-1] == PEOPLE
    assert max(after - before for before, after in pairwise(seen)) == SLICE


@KINDS
@pytest.mark.parametrize("at", [1, 50, 99])
async def test_a_cancel_between_two_slices_is_the_end_of_planning(
    world: World, room: CampaignRoom, between: list[Between], audience: Audience, at: int
) -> None:
    await begun(world, audience)
    said: list[str] = []

    async def cancel(slices: int) -> None:
        if slices == at:
            said.append(await room.say("broadcast cancel Million"))

    between.append(cancel)
    await to_the_end(world)
    await to_the_end(world)

    assert said[0].startswith("<@U0OWNER> cancelled *Million*.")
    assert await planned(world) == at * SLICE


@KINDS
async def test_a_pause_between_two_slices_holds_until_it_is_resumed_and_nobody_is_lost(
    world: World, room: CampaignRoom, between: list[Between], audience: Audience
) -> None:
    await begun(world, audience)

    async def pause(slices: int) -> None:
        if slices == 30:
            await room.say("broadcast pause Million")

    between.append(pause)
    await to_the_end(world)
    held = await planned(world)
    await room.say("broadcast resume Million")
    await to_the_end(world)

    assert held == 30 * SLICE
    assert await planned(world) == PEOPLE
    assert await world.value("select count(distinct contact_id) from messages") == PEOPLE


async def test_staff_who_wait_for_a_slice_are_next(
    world: World, room: CampaignRoom, between: list[Between]
) -> None:
    await begun(world, EVERYONE)
    underway = asyncio.Event()

    async def tell(_: int) -> None:
        underway.set()

    between.append(tell)
    planning = asyncio.create_task(to_the_end(world))
    await underway.wait()
    said = await room.say("broadcast cancel Million")
    await planning

    assert said.startswith("<@U0OWNER> cancelled *Million*.")
    assert 0 < await planned(world) < PEOPLE


@KINDS
async def test_how_far_it_is_stands_on_the_card(
    world: World, room: CampaignRoom, between: list[Between], audience: Audience
) -> None:
    assert room
    campaign = await begun(world, audience)
    shares: list[str] = []

    async def look(_: int) -> None:
        async with world.database.unit(ACME, NOON) as unit:
            found = await reports.campaign(unit, campaign=campaign)
            assert found is not None
            report = await reports.report(unit, campaign=found)
        drawn = str(draw(found, report, at=NOON, rate=None).message.blocks)
        shares.append(drawn.partition("Planning: ")[2].partition(" %")[0])

    between.append(look)
    await to_the_end(world)

    assert shares[:3] == ["1", "2", "3"]
    assert shares[49] == "50"
