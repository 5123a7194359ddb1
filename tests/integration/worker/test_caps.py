"""Caps across campaigns: counted at the claim, undone when it is given back, won by priority."""

import asyncio
from datetime import timedelta

from engine.frequency import FrequencyCap
from engine.ids import CampaignId, ContactId
from storage import leases
from tests.database import ACME
from tests.integration.worker.world import NUMBER, OTHER_NUMBER, World
from worker.claimed import Claimed
from worker.claims import Claims

DAY = timedelta(days=1)
_PROMOTED = "select promoted_campaign_id, cardinality(promoted_ats) as count from contacts"


async def _claimed(world: World, *campaigns: CampaignId) -> list[dict[str, int]]:
    return [await world.states(each) for each in campaigns]


async def _claim(world: World, claims: Claims) -> Claimed:
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        await world.value("delete from leases where name = $1", f"lane:{NUMBER}")
        lease = await leases.acquire(unit, name=f"lane:{NUMBER}", holder="test")
        assert lease is not None
        return await claims.claim(unit, lease, room=10, replies=0)


async def _promotional(world: World, contacts: list[ContactId], count: int) -> list[CampaignId]:
    made = [await world.campaign() for _ in range(count)]
    for campaign in made:
        await world.queued(campaign, contacts)
    return made


async def test_a_contact_gets_no_more_than_the_cap_of_all_campaigns_together(world: World) -> None:
    world.with_rules(frequency_cap=FrequencyCap(count=2, span=7 * DAY))
    contacts = await world.contacts(3)
    campaigns = await _promotional(world, contacts, 3)
    receipts = await world.campaign(type="transactional")
    await world.queued(receipts, contacts)

    for _ in range(6):
        await world.run()
        world.clock.advance(timedelta(minutes=2))

    states = await _claimed(world, *campaigns)
    assert sum(each.get("accepted", 0) for each in states) == 6
    assert sum(each.get("queued", 0) for each in states) == 3
    assert await world.states(receipts) == {"accepted": 3}
    assert await world.value("select max(cardinality(promoted_ats)) from contacts") == 2
    world.clock.advance(7 * DAY)
    await world.run()
    assert sum(each.get("accepted", 0) for each in await _claimed(world, *campaigns)) == 9
    assert await world.value("select max(cardinality(promoted_ats)) from contacts") == 2


async def test_what_is_given_back_does_not_count(world: World) -> None:
    world.with_rules(frequency_cap=FrequencyCap(count=1, span=7 * DAY))
    contacts = await world.contacts(2)
    campaign = await world.campaign()
    await world.queued(campaign, contacts)
    claims = Claims(world.rules, world.rules.numbers[0])
    claimed = await _claim(world, claims)
    noted = await world.value("select sum(cardinality(promoted_ats)) from contacts")

    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        await claims.give_back(unit, claimed.calls)

    assert noted == 2
    assert await world.value("select sum(cardinality(promoted_ats)) from contacts") == 0
    assert await world.value("select count(promoted_at) from contacts") == 0


async def test_of_claims_at_one_instant_the_one_given_back_leaves_the_other(world: World) -> None:
    world.with_rules(cooldown=DAY, frequency_cap=FrequencyCap(count=2, span=7 * DAY))
    (contact,) = await world.contacts(1)
    campaign = await world.campaign()
    claims = Claims(world.rules, world.rules.numbers[0])
    await world.queued(campaign, [contact])
    first = await _claim(world, claims)
    await world.queued(campaign, [contact], run=2)
    second = await _claim(world, claims)

    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        await claims.give_back(unit, first.calls)
    standing = await world.rows(_PROMOTED)
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        await claims.give_back(unit, second.calls)

    assert [len(each.calls) for each in (first, second)] == [1, 1]
    assert [each["count"] for each in standing] == [1]
    assert standing[0]["promoted_campaign_id"] == campaign


async def test_of_one_claim_what_is_given_back_leaves_the_rest(world: World) -> None:
    world.with_rules(cooldown=DAY)
    (contact,) = await world.contacts(1)
    campaign = await world.campaign()
    for run in (1, 2, 3):
        await world.queued(campaign, [contact], run=run)
    claims = Claims(world.rules, world.rules.numbers[0])
    claimed = await _claim(world, claims)
    one, other, last = claimed.calls

    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        await claims.give_back(unit, [other, last])
    standing = await world.rows(_PROMOTED)
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        await claims.give_back(unit, [one])
    nothing = await world.rows(_PROMOTED)

    assert standing[0]["promoted_campaign_id"] == campaign
    assert nothing[0]["promoted_campaign_id"] is None
    assert await world.value("select count(last_message_at) from contacts") == 0


async def test_without_a_cap_nothing_is_kept(world: World) -> None:
    contacts = await world.contacts(2)
    (campaign,) = await _promotional(world, contacts, 1)

    await world.run()

    assert await world.states(campaign) == {"accepted": 2}
    assert await world.value("select max(cardinality(promoted_ats)) from contacts") == 0


async def test_the_higher_priority_wins_where_both_are_due(world: World) -> None:
    world.with_rules(cooldown=DAY)
    contacts = await world.contacts(20)
    low = await world.campaign(priority=1)
    high = await world.campaign(priority=9, settings={"rate": "10/s"})
    await world.queued(low, contacts)
    await world.queued(high, list(reversed(contacts)))

    for _ in range(6):
        await world.run()
        world.clock.advance(timedelta(minutes=2))

    assert await _claimed(world, high, low) == [{"accepted": 20}, {"queued": 20}]


async def test_two_numbers_at_once_keep_the_cooldown(world: World) -> None:
    world.with_rules(cooldown=DAY)
    contacts = await world.contacts(30)
    one, other = await world.campaign(), await world.campaign()
    await world.queued(one, contacts)
    await world.queued(other, contacts, number=OTHER_NUMBER)

    await asyncio.gather(world.run(NUMBER), world.run(OTHER_NUMBER))

    states = await _claimed(world, one, other)
    assert sum(each.get("accepted", 0) for each in states) == 30
    assert sum(each.get("queued", 0) for each in states) == 30
