"""How fast it goes: a number's pace, rates of campaigns, the hour, and two workers in turns."""

import asyncio
import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from engine.ids import NumberId
from storage import leases
from tests.database import ACME, NOON
from tests.integration.worker.world import NUMBER, OTHER_NUMBER, World
from worker.claimed import Claimed
from worker.claims import Claims

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


class Numbers:
    """Claims of the numbers at moments of business time, by processes that come and go."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.restart()

    def restart(self) -> None:
        """Forget all that a process remembers."""
        self.claims = {rule.id: Claims(self.world.rules, rule) for rule in self.world.rules.numbers}

    async def claim(self, at: datetime, *, number: NumberId = NUMBER, room: int = 100) -> Claimed:
        name = f"lane:{number}"
        async with self.world.database.owner_unit(ACME, at) as unit:
            lease = await leases.acquire(unit, name=name, holder="test")
            assert lease is not None
            claimed = await self.claims[number].claim(unit, lease, room=room, replies=room)
            await leases.release(unit, lease, call_age_s=None)
        return claimed

    async def give_back(self, at: datetime, claimed: Claimed) -> None:
        async with self.world.database.owner_unit(ACME, at) as unit:
            await self.claims[NUMBER].give_back(unit, claimed.calls)

    async def paced_until(self) -> datetime:
        until: datetime | None = await self.world.value(
            "select paced_until from leases where name = $1", f"lane:{NUMBER}"
        )
        return until or NOON


async def test_over_1000_messages_the_gaps_keep_to_the_pace(world: World) -> None:
    """Across restarts and campaigns; replies go between, whenever they come."""
    chance = random.Random(1)  # noqa: S311 — the same draw each time
    world.with_number(pace=(40 * SECOND, 100 * SECOND))
    contacts = await world.contacts(400)
    for priority in (1, 5, 9):
        await world.queued(await world.campaign(priority=priority, type="survey"), contacts)
    numbers = Numbers(world)
    starts: list[datetime] = []
    at = NOON
    while len(starts) < 1000:
        # A claim looks once a second at the latest, and what it took starts a moment later.
        at = await numbers.paced_until() + timedelta(seconds=chance.uniform(0, 1.5))
        claimed = await numbers.claim(at)
        assert len(claimed.calls) == 1
        starts.append(at + timedelta(seconds=chance.uniform(0, 0.2)))
        if len(starts) % 100 == 0:
            numbers.restart()
            assert (await numbers.claim(at + 39 * SECOND)).calls == ()
            await world.reply(contacts[len(starts) // 100], "Thank you.")
            assert len((await numbers.claim(at + 39 * SECOND)).calls) == 1

    gaps = [after - before for before, after in pairwise(starts)]
    assert min(gaps) >= 40 * SECOND
    assert max(gaps) <= 100 * SECOND
    # Drawn from all of it, not from a few values.
    assert len({int(gap.total_seconds()) for gap in gaps}) > 50


async def test_a_message_given_back_holds_up_nobody_after_it(world: World) -> None:
    world.with_number(pace=(40 * SECOND, 100 * SECOND))
    await world.queued(await world.campaign(), await world.contacts(2))
    numbers = Numbers(world)
    claimed = await numbers.claim(NOON)

    await numbers.give_back(NOON + SECOND, claimed)

    assert len((await numbers.claim(NOON + SECOND)).calls) == 1
    # What is given back late, or once more, frees nothing of what was claimed since.
    await numbers.give_back(NOON + 2 * SECOND, claimed)
    assert len((await numbers.claim(NOON + 2 * SECOND)).calls) == 0


@pytest.mark.parametrize(
    ("rate", "most", "span", "looks"),
    [
        ("5/s", 5, SECOND, timedelta(seconds=0.25)),
        ("300/min", 300, MINUTE, 7 * SECOND),
        ("500/h", 500, HOUR, 150 * SECOND),
    ],
)
async def test_a_campaign_keeps_its_rate_over_all_numbers_and_restarts(
    world: World, rate: str, most: int, span: timedelta, looks: timedelta
) -> None:
    campaign = await world.campaign(settings={"rate": rate})
    contacts = await world.contacts(400)
    await world.queued(campaign, contacts[:200])
    await world.queued(campaign, contacts[200:], number=OTHER_NUMBER)
    numbers = Numbers(world)
    starts: list[datetime] = []
    at = NOON
    for turn in range(40):
        number = (NUMBER, OTHER_NUMBER)[turn % 2]
        claimed = await numbers.claim(at, number=number)
        starts += [call.starts_at for call in claimed.calls]
        at += looks
        if turn % 10 == 9:
            numbers.restart()

    assert len(starts) > 20
    assert busiest(starts, span) <= most
    assert min(after - before for before, after in pairwise(sorted(starts))) >= span / most


async def test_an_hour_has_so_many_messages_over_all_numbers_and_campaigns(world: World) -> None:
    world.with_rules(messages_per_hour=50)
    contacts = await world.contacts(200)
    for number in (NUMBER, OTHER_NUMBER):
        for _ in range(2):
            campaign = await world.campaign(type="survey")
            await world.queued(campaign, contacts[:60], number=number)
    numbers = Numbers(world)
    sent: list[int] = []
    for hour in range(3):
        at = NOON + hour * HOUR
        taken = 0
        for turn in range(8):
            claimed = await numbers.claim(
                at + turn * 7 * MINUTE, number=(NUMBER, OTHER_NUMBER)[turn % 2], room=20
            )
            taken += len(claimed.calls)
        sent.append(taken)
        numbers.restart()

    assert sent == [50, 50, 50]


async def test_two_workers_that_take_turns_never_go_over_the_rate_of_the_number(
    world: World,
) -> None:
    """Each remembers nothing of the other; the lane moves back and forth while replies come too."""
    chance = random.Random(2)  # noqa: S311 — the same draw each time
    world.with_number(messages_per_second=40)
    contacts = await world.contacts(400)
    await world.queued(await world.campaign(), contacts[:100])
    world.platform.latency = 0.02
    for turn in range(6):
        stoppings = [asyncio.Event(), asyncio.Event()]
        workers = [
            asyncio.create_task(world.lane(fresh=True).run(stopping)) for stopping in stoppings
        ]
        for contact in contacts[200 + turn * 10 : 210 + turn * 10]:
            await world.reply(contact, "Thank you.")
        await asyncio.sleep(chance.uniform(0.1, 0.7))
        for stopping in stoppings:
            stopping.set()
        await asyncio.gather(*workers)
    await world.lane(fresh=True).run(asyncio.Event())

    assert await world.states() == {"accepted": 160}
    assert set(world.platform.per_message().values()) == {1}
    assert world.platform.most_in_a_second() <= 38


async def test_one_person_who_got_too_much_waits_and_burns_no_attempt(world: World) -> None:
    world.clock.stand()
    await world.queued(await world.campaign(), await world.contacts(1))
    refusals = 0
    world.platform.behave = lambda _: 131056 if refusals < 5 else "accept"
    waits: list[float] = []
    while refusals < 5:
        await world.run()
        refusals += 1
        (row,) = await world.rows("select due_at, tries, state from messages")
        assert (row["state"], row["tries"]) == ("queued", 0)
        waits.append((row["due_at"] - world.clock.now()).total_seconds())
        world.clock.stand(row["due_at"])
    await world.run()

    assert waits == [1, 4, 16, 64, 256]
    assert await world.states() == {"accepted": 1}


def busiest(times: Iterable[datetime], span: timedelta) -> int:
    """Return how many of *times* the fullest sliding *span* holds."""
    ordered = sorted(times)
    most = first = 0
    for last, at in enumerate(ordered):
        while ordered[first] <= at - span:
            first += 1
        most = max(most, last - first + 1)
    return most
