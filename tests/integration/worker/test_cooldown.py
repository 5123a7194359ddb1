"""No two promotional messages of different campaigns reach one contact within the cooldown."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from engine.frequency import FrequencyCap
from engine.ids import CampaignId, ContactId, NumberId
from storage import leases
from storage.database import Unit
from tests.database import ACME, NOON
from tests.examples import LONG
from tests.integration.worker.played import EMPTY
from tests.integration.worker.world import NUMBER, OTHER_NUMBER, World
from worker.calls import Result, record
from worker.claimed import Call
from worker.claims import Claims
from worker.whatsapp.client import Accepted

HOUR = timedelta(hours=1)
MOST_ROUNDS = 400


@dataclass(slots=True)
class Lanes:
    """Both numbers' claims, and the calls that neither started nor were given back."""

    world: World
    claims: dict[NumberId, Claims]
    at: datetime = NOON
    open: dict[NumberId, list[Call]] = field(default_factory=lambda: defaultdict(list))
    sent: list[tuple[ContactId, CampaignId, datetime]] = field(default_factory=list)

    async def claim(self, number: NumberId, *, room: int) -> int:
        async def work(unit: Unit) -> int:
            await unit.connection.execute("delete from leases where name = $1", f"lane:{number}")
            lease = await leases.acquire(unit, name=f"lane:{number}", holder="us")
            assert lease is not None
            claimed = await self.claims[number].claim(unit, lease, room=room, replies=1)
            self.open[number] += claimed.calls
            return len(claimed.calls) + claimed.settled

        return await self.world.database.run(ACME, self.at, work, owner=True)

    async def give_back(self, number: NumberId, calls: list[Call]) -> None:
        async with self.world.database.owner_unit(ACME, self.at) as unit:
            await self.claims[number].give_back(unit, calls)

    async def start(self, calls: list[Call]) -> None:
        accepted = [
            Result(
                call=call,
                outcome=Accepted(wamid=f"wamid.{call.message.id}", held=False),
                at=call.starts_at,
            )
            for call in calls
        ]
        async with self.world.database.owner_unit(ACME, self.at) as unit:
            await record(unit, accepted)
        for call in calls:
            if (promotion := call.note.promotion) is not None:
                self.sent.append((call.message.contact_id, promotion.campaign_id, call.claimed_at))


@LONG
@given(number=st.integers(0, 2**32))
async def test_no_two_promotions_of_different_campaigns_come_within_the_cooldown(
    world: World, number: int
) -> None:
    # Of its own: which of two lanes is the first differs, and so does what is drawn after it.
    random = Random(number)  # noqa: S311 — it draws an example
    await world.value(EMPTY)
    cooldown = random.choice((HOUR, HOUR * 24))
    cap = random.choice((None, None, FrequencyCap(count=random.randint(1, 3), span=HOUR * 30)))
    rules = replace(world.rules, cooldown=cooldown, frequency_cap=cap)
    lanes = Lanes(world, {rule.id: Claims(rules, rule) for rule in rules.numbers})
    queued = await _queue(world, random)

    for _ in range(random.randint(3, 9)):
        await _something(lanes, random)
    for calls in lanes.open.values():
        await lanes.start(calls)
        calls.clear()
    await _all_of_it(lanes)

    # Nothing has a deadline, so that sooner or later everything goes.
    assert await world.states() == ({"accepted": queued} if queued else {})
    by_contact: dict[ContactId, list[tuple[datetime, CampaignId]]] = defaultdict(list)
    for contact, campaign, at in lanes.sent:
        by_contact[contact].append((at, campaign))
    for several in by_contact.values():
        several.sort()
        for (before, one), (after, other) in pairwise(several):
            assert one == other or after - before >= cooldown
        if cap is not None:
            for (first, _), (last, _) in zip(several, several[cap.count :], strict=False):
                assert last - first >= cap.span


async def _queue(world: World, random: Random) -> int:
    contacts = await world.contacts(random.randint(1, 3))
    count = 0
    for _ in range(random.randint(2, 4)):
        promotional = random.random() < 0.8
        campaign = await world.campaign(
            type="promotional" if promotional else "transactional",
            priority=random.choice((1, 5, 9)),
            steps=(0,),
        )
        steps = await world.rows("select id from steps where campaign_id = $1", campaign)
        for number in (NUMBER, OTHER_NUMBER):
            some = [each for each in contacts if random.random() < 0.5]
            due_at = NOON + random.choice((0, 0, 1, 5)) * HOUR
            # A run of its own for each: a campaign may have several messages for a contact.
            await world.value(
                "insert into messages (organization_id, id, run_id, step_id, contact_id,"
                " campaign_id, number_id, state, due_at)"
                " select $1, new_message_id(extract(epoch from $6::timestamptz)::bigint),"
                "        $2 * 10 + $7, $3, c, $2, $4, 'queued', $6 from unnest($5::bigint[]) as c",
                ACME,
                campaign,
                steps[0]["id"],
                number,
                some,
                due_at,
                int(number == NUMBER),
            )
            count += len(some)
    return count


async def _something(lanes: Lanes, random: Random) -> None:
    """Let one of the things happen that happen to lanes."""
    number = random.choice((NUMBER, OTHER_NUMBER))
    room = random.randint(1, 4)
    calls = lanes.open[number]
    some = [call for call in calls if random.random() < 0.6]
    match random.randrange(6):
        case 0:
            await lanes.claim(number, room=room)
        case 1:
            both = (NUMBER, OTHER_NUMBER)
            await asyncio.gather(*(lanes.claim(each, room=room) for each in both))
        case 2 | 3 if some:
            lanes.open[number] = [call for call in calls if call not in some]
            await lanes.give_back(number, some)
        case 4 if some:
            lanes.open[number] = [call for call in calls if call not in some]
            await lanes.start(some)
        case _:
            await lanes.claim(number, room=room)
            lanes.at += random.choice((1, 10, 60, 600, 1440)) * timedelta(minutes=1)


async def _all_of_it(lanes: Lanes) -> None:
    for _ in range(MOST_ROUNDS):
        worked = 0
        for number in (NUMBER, OTHER_NUMBER):
            worked += await lanes.claim(number, room=10)
            await lanes.start(lanes.open.pop(number, []))
        if worked:
            continue
        following = await lanes.world.value(
            "select min(due_at) from messages where state = 'queued' and due_at > $1", lanes.at
        )
        if following is None:
            return
        lanes.at = following
    raise AssertionError("it never ends")
