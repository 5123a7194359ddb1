"""Limits on how many people are written to: the platform's, and the organization's own."""

# ruff: noqa: E501 — SQL reads better unbroken

import asyncio
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.ids import ContactId, NumberId, OrganizationId
from engine.places import Cap
from storage import leases, places, upkeep
from storage.queries import load
from tests.database import ACME, NOON
from tests.integration.worker.test_plans import reads_little
from tests.integration.worker.world import NUMBER, OTHER_NUMBER, World
from worker.claimed import Claimed
from worker.claims import Claims
from worker.places import Limits

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TEXT = {"type": "text", "body": "Hello"}
OTHER = OrganizationId("zulu")


async def limit(world: World, tier: str | None) -> None:
    await world.value("update numbers set messaging_limit = $1", tier)


async def claim(
    world: World,
    at: datetime,
    *,
    room: int = 1000,
    number: NumberId = NUMBER,
    claims: Claims | None = None,
) -> Claimed:
    rule = next(each for each in world.rules.numbers if each.id == number)
    claims = claims or Claims(world.rules, rule)
    async with world.database.owner_unit(ACME, at) as unit:
        await world.value("delete from leases where name = $1", f"lane:{number}")
        lease = await leases.acquire(unit, name=f"lane:{number}", holder="test")
        assert lease is not None
        return await claims.claim(unit, lease, room=room, replies=room)


async def give_back(world: World, claimed: Claimed, at: datetime) -> None:
    claims = Claims(world.rules, world.rules.numbers[0])
    async with world.database.owner_unit(ACME, at) as unit:
        await claims.give_back(unit, claimed.calls)


async def used(world: World) -> int:
    count: int = await world.value("select coalesce(sum(count), 0) from place_counts")
    return count


async def wrote(world: World, contacts: list[ContactId], at: datetime) -> None:
    for contact in contacts:
        await world.value(
            "insert into service_windows (organization_id, number_id, contact_id, last_inbound_at) values ($1, $2, $3, $4)",
            ACME,
            NUMBER,
            contact,
            at,
        )


async def test_as_many_people_as_the_portfolio_allows_are_written_to_within_24_hours(
    world: World,
) -> None:
    await limit(world, "TIER_250")
    await world.queued(await world.campaign(), await world.contacts(300))
    at = NOON + timedelta(seconds=30)

    first = await claim(world, at)
    closed = await world.rows("select closed_until, closed_why from campaigns")
    last_moment = await claim(world, at + DAY)
    after = await claim(world, NOON + DAY + MINUTE)

    assert [len(each.calls) for each in (first, last_moment, after)] == [250, 0, 50]
    assert closed == [{"closed_until": NOON + DAY + MINUTE, "closed_why": "messaging_limit"}]


async def test_places_are_free_again_as_they_were_taken(world: World) -> None:
    await limit(world, "TIER_50")
    await world.queued(await world.campaign(), await world.contacts(100))

    first = await claim(world, NOON, room=20)
    second = await claim(world, NOON + HOUR, room=100)
    third = await claim(world, NOON + DAY + MINUTE)
    fourth = await claim(world, NOON + DAY + HOUR + MINUTE)

    assert [len(each.calls) for each in (first, second, third, fourth)] == [20, 30, 20, 30]


async def test_who_has_a_place_is_written_to_again_and_keeps_it_for_longer(world: World) -> None:
    await limit(world, "TIER_50")
    contacts = await world.contacts(60)
    await world.queued(await world.campaign(type="transactional"), contacts[:50])
    await claim(world, NOON)
    await world.queued(await world.campaign(type="transactional"), contacts[:10])

    again = await claim(world, NOON + HOUR)
    await world.queued(await world.campaign(type="transactional"), contacts[50:])
    full = await claim(world, NOON + 2 * HOUR)
    day_after = await claim(world, NOON + DAY + MINUTE)
    await world.queued(await world.campaign(), contacts[10:60])
    ten_still_count = await claim(world, NOON + DAY + MINUTE)

    assert [len(each.calls) for each in (again, full, day_after)] == [10, 0, 10]
    assert len(ten_still_count.calls) == 40
    assert await used(world) == 50 + 40


async def test_nobody_in_an_open_window_takes_a_place_or_waits_behind_those_who_do(
    world: World,
) -> None:
    await limit(world, "TIER_50")
    contacts = await world.contacts(120)
    await wrote(world, contacts[100:], NOON - HOUR)
    campaign = await world.campaign(content=TEXT, settings={"unknown": "ask"})
    await world.value(
        "update steps set fallback = $1", {"type": "template", "name": "welcome", "language": "en"}
    )
    await world.queued(campaign, contacts, deadline_at=NOON + HOUR)

    sent = {
        call.message.contact_id
        for _ in range(8)
        for call in (await claim(world, NOON, room=20)).calls
    }

    assert sent == {*contacts[:50], *contacts[100:]}
    waiting = await world.rows(
        "select distinct due_at, deadline_at from messages where state = 'queued'"
    )
    assert waiting == [{"due_at": NOON + DAY + MINUTE, "deadline_at": NOON + DAY + MINUTE + HOUR}]
    assert await used(world) == 50


async def test_what_is_not_of_a_campaign_goes_and_is_counted(world: World) -> None:
    await limit(world, "TIER_50")
    contacts = await world.contacts(52)
    await world.queued(await world.campaign(), contacts[:50])
    await claim(world, NOON)
    await wrote(world, contacts[51:], NOON - HOUR)
    for contact in contacts[50:]:
        await world.reply(contact, "Hello")

    assert len((await claim(world, NOON)).calls) == 2
    assert await used(world) == 51


async def test_without_a_limit_nothing_is_counted(world: World) -> None:
    for tier in (None, "TIER_UNLIMITED", "TIER_TO_COME"):
        await limit(world, tier)
        await world.queued(await world.campaign(), await world.contacts(5))
        assert len((await claim(world, NOON)).calls) == 5

    assert await world.value("select count(*) from places") == 0
    assert await used(world) == 0


async def test_the_highest_priority_gets_the_last_places(world: World) -> None:
    await limit(world, "TIER_50")
    contacts = await world.contacts(200)
    low = await world.campaign(priority=1)
    high = await world.campaign(priority=9)
    await world.queued(low, contacts[:100])
    await world.queued(high, contacts[100:])

    sent: Counter[int | None] = Counter()
    for _ in range(10):
        sent.update(call.message.campaign_id for call in (await claim(world, NOON, room=50)).calls)

    assert sent == {high: 50}


async def test_a_lower_priority_gets_what_the_higher_one_leaves(world: World) -> None:
    await limit(world, "TIER_50")
    contacts = await world.contacts(200)
    low = await world.campaign(priority=1)
    high = await world.campaign(priority=9)
    await world.queued(low, contacts[:100])
    await world.queued(high, contacts[100:110])

    sent: Counter[int | None] = Counter()
    for _ in range(10):
        sent.update(call.message.campaign_id for call in (await claim(world, NOON, room=50)).calls)

    assert sent == {high: 10, low: 40}


async def test_places_given_back_are_free_at_once(world: World) -> None:
    await limit(world, "TIER_50")
    await world.queued(await world.campaign(), await world.contacts(60), deadline_at=NOON + HOUR)
    claimed = await claim(world, NOON)
    assert len((await claim(world, NOON)).calls) == 0

    await give_back(world, claimed, NOON + MINUTE)

    assert await used(world) == 0
    assert await world.value("select count(*) from places") == 0
    assert await world.value("select held_s from campaigns") == pytest.approx(60)
    assert len((await claim(world, NOON + MINUTE)).calls) == 50


async def test_a_second_message_given_back_leaves_the_place_of_the_first(world: World) -> None:
    await limit(world, "TIER_50")
    contacts = await world.contacts(1)
    for at in (NOON, NOON + HOUR, NOON + HOUR):
        await world.queued(await world.campaign(type="transactional"), contacts)
        claimed = await claim(world, at)
    await give_back(world, claimed, NOON + HOUR)
    rows = await world.rows("select bucket, uses, earlier from places")
    assert rows == [{"bucket": NOON + HOUR, "uses": 1, "earlier": NOON}]

    again = await claim(world, NOON + HOUR)
    await give_back(world, again, NOON + HOUR)
    await world.value("update messages set state = 'claimed' where state = 'queued'")

    assert await used(world) == 1


async def test_numbers_and_organizations_of_a_portfolio_count_together(world: World) -> None:
    await limit(world, "TIER_50")
    contacts = await world.contacts(80)
    campaign = await world.campaign()
    await world.queued(campaign, contacts[:30])
    await world.queued(campaign, contacts[30:], number=OTHER_NUMBER)
    other = Limits(replace(world.rules, organization=OTHER, portfolio=ACME))

    first = await claim(world, NOON)
    async with world.database.owner_unit(OTHER, NOON) as unit:
        taking = await other.look(unit, "TIER_50")
        free = taking.limits[0].free
        for contact in contacts[:15]:
            taking.limits[0].take(contact)  # the same ids are other people there
        await other.save(unit, taking)
    second = await claim(world, NOON, number=OTHER_NUMBER)

    assert (len(first.calls), free, len(second.calls)) == (30, 20, 5)


async def test_what_waits_for_a_place_is_not_left_out_for_its_deadline(world: World) -> None:
    await limit(world, "TIER_50")
    await world.queued(await world.campaign(), await world.contacts(150), deadline_at=NOON + HOUR)
    sent = [len((await claim(world, NOON + (DAY + MINUTE) * day)).calls) for day in range(3)]

    assert sent == [50, 50, 50]


async def test_a_day_has_so_many_contacts_over_all_campaigns(world: World) -> None:
    world.with_rules(contacts_per_day=5, zone=ZoneInfo("Asia/Tokyo"))
    contacts = await world.contacts(12)
    one, two = [await world.campaign(type="transactional") for _ in range(2)]
    await world.queued(one, contacts[:3])
    await world.queued(two, contacts)
    midnight = datetime(2026, 11, 20, 15, tzinfo=UTC)  # in Tokyo

    first = await claim(world, NOON)
    closed = await world.rows(
        "select closed_until, closed_why from campaigns where closed_until is not null"
    )
    same_day = await claim(world, midnight - MINUTE)
    next_day = await claim(world, midnight)

    sent = {call.message.contact_id for call in first.calls}
    assert sent == set(contacts[:5])
    assert len(first.calls) == 8  # three of them got both
    assert closed == [{"closed_until": midnight, "closed_why": "contacts_per_day"}]
    assert (len(same_day.calls), len(next_day.calls)) == (0, 5)


async def test_replies_and_confirmations_are_no_contacts_of_the_day(world: World) -> None:
    world.with_rules(contacts_per_day=1)
    contacts = await world.contacts(2)
    await world.reply(contacts[0], "Thank you")
    await world.queued(await world.campaign(), contacts[1:])

    assert len((await claim(world, NOON)).calls) == 2


async def test_a_contact_of_the_day_is_given_back(world: World) -> None:
    world.with_rules(contacts_per_day=5)
    await world.queued(await world.campaign(), await world.contacts(12))
    claimed = await claim(world, NOON)
    assert len((await claim(world, NOON)).calls) == 0

    await give_back(world, claimed, NOON)

    assert len((await claim(world, NOON)).calls) == 5


async def test_whatever_happens_no_24_hours_have_more_people_than_allowed(world: World) -> None:
    """Claims and give-backs at random, against the plain count of who was written to when."""
    chance = random.Random(7)  # noqa: S311 — the same draw each time
    await limit(world, "TIER_10")
    contacts = await world.contacts(40)
    written: list[tuple[datetime, ContactId]] = []
    at = NOON
    for _ in range(80):
        at += timedelta(
            minutes=chance.choice([0, 0, 1, 30, 200, 700]), seconds=chance.randrange(60)
        )
        campaign = await world.campaign(type="transactional", state="running")
        await world.queued(campaign, chance.sample(contacts, 6), due_at=NOON)
        claimed = await claim(world, at, room=chance.randrange(1, 9), number=NUMBER)
        if chance.random() < 0.3:
            await give_back(world, claimed, at)
        else:
            written += [(at, call.message.contact_id) for call in claimed.calls]
        await world.value("delete from messages where state in ('queued', 'claimed')")
        within = {contact for when, contact in written if when > at - DAY}
        assert len(within) <= 10
        counted = await world.value(
            "select coalesce(sum(count), 0) from place_counts where bucket > $1", at - DAY - MINUTE
        )
        held = await world.value("select count(*) from places where bucket > $1", at - DAY - MINUTE)
        assert counted == held >= len(within)
    assert len(written) > 40


async def test_places_that_count_no_more_are_forgotten(world: World) -> None:
    await limit(world, "TIER_250")
    await world.queued(await world.campaign(), await world.contacts(5))
    await claim(world, NOON)
    await world.queued(await world.campaign(), await world.contacts(5))
    await claim(world, NOON + 2 * DAY)
    at = NOON + 2 * DAY + HOUR
    round_ = upkeep.round_at(at, retention=None)
    while not round_.done:
        async with world.database.owner_unit(ACME, at) as unit:
            round_ = await upkeep.tidied(unit, round_=round_)

    assert await world.value("select count(*) from places") == 5
    assert await world.value("select count(*) from place_counts") == 1


async def test_a_limit_that_is_lifted_lets_campaigns_go_on(world: World) -> None:
    await limit(world, "TIER_50")
    await world.queued(await world.campaign(), await world.contacts(60))
    await claim(world, NOON)
    async with world.database.owner_unit(ACME, NOON) as unit:
        await places.open_held(unit, whys=[Cap.MESSAGING_LIMIT])
    await limit(world, "TIER_UNLIMITED")

    assert len((await claim(world, NOON)).calls) == 10


async def test_a_million_places_are_never_read_through(world: World) -> None:
    """One query of a claim or of upkeep reads what it names, of however many places there are."""
    await world.value(
        "insert into places (organization_id, cap, contact_id, bucket, uses)"
        " select $1, 'messaging_limit', n, $2::timestamptz - n % 1440 * interval '1 minute', 1"
        "   from generate_series(1, 100000) as n",
        ACME,
        NOON,
    )
    await world.value("analyze places")
    contacts = list(range(1, 200))
    uses = [1] * len(contacts)
    named: dict[str, Any] = {"cap": "messaging_limit", "bucket": NOON, "since": NOON - DAY}
    asked: dict[str, dict[str, Any]] = {
        "holders": {"contacts": contacts},
        "take": {"contacts": contacts, "uses": uses},
        "give_back": {"contacts": contacts, "uses": uses},
        "forget": {"before": NOON - DAY, "limit": 1000},
    }
    for name, values in asked.items():
        await reads_little(world, name, load("places")[name], **{**named, **values})


async def test_lanes_that_claim_and_give_back_at_once_keep_the_limit(world: World) -> None:
    chance = random.Random(3)  # noqa: S311 — the same draw each time
    world.with_rules(contacts_per_day=40)
    await limit(world, "TIER_50")
    contacts = await world.contacts(200)
    for place in range(4):
        campaign = await world.campaign(type="survey", priority=1 + place)
        await world.queued(campaign, contacts[:100])
        await world.queued(campaign, contacts[100:], number=OTHER_NUMBER)
    kept: list[ContactId] = []

    async def lane(number: NumberId) -> None:
        rule = next(each for each in world.rules.numbers if each.id == number)
        claims = Claims(world.rules, rule)
        async with world.database.owner_unit(ACME, NOON) as unit:
            lease = await leases.acquire(unit, name=f"lane:{number}", holder="test")
        assert lease is not None
        for _ in range(12):
            claimed = await world.database.run(
                ACME,
                NOON,
                lambda unit: claims.claim(unit, lease, room=15, replies=5),
                owner=True,
            )
            part = [call for call in claimed.calls if chance.random() < 0.5]
            kept.extend(call.message.contact_id for call in claimed.calls if call not in part)
            await world.database.run(ACME, NOON, partial(claims.give_back, calls=part), owner=True)

    await asyncio.gather(lane(NUMBER), lane(OTHER_NUMBER))

    assert 30 < len(set(kept)) <= 40
    rows = await world.rows("select cap, sum(count) as taken from place_counts group by 1")
    assert {row["cap"]: row["taken"] for row in rows} == {
        "contacts_per_day": len(set(kept)),
        "messaging_limit": len(set(kept)),
    }
