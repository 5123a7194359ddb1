"""What staff see of an overlap before sending is what the gate then decides."""

import random
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from engine.campaign import Campaign
from engine.ids import CampaignId, ContactId
from engine.overlap import Exclude
from engine.reasons import Reason
from storage import campaigns, leases, overlaps
from storage.campaigns import Campaigns
from tests.database import ACME
from tests.integration.worker.world import NUMBER, World
from worker.claims import Claims

COOLDOWN = timedelta(hours=24)
ROUNDS = 60


@dataclass(frozen=True)
class Person:
    """What is known of a contact before a broadcast."""

    stopped: bool
    elsewhere: bool
    left: bool
    promoted_h: int | None
    by_this: bool

    @property
    def lately(self) -> bool:
        return self.promoted_h is not None and self.promoted_h < 24 and not self.by_this

    def reason(self, exclude: Exclude) -> Reason | None:
        if self.stopped:
            return Reason.OPTED_OUT
        if self.elsewhere and exclude in {Exclude.ACTIVE, Exclude.BOTH}:
            return Reason.IN_ANOTHER
        if self.lately and exclude in {Exclude.RECENT, Exclude.BOTH}:
            return Reason.COOLDOWN
        return None


def _people(chance: random.Random) -> list[Person]:
    return [
        Person(
            stopped=chance.random() < 0.2,
            elsewhere=chance.random() < 0.4,
            left=chance.random() < 0.4,
            promoted_h=chance.choice((None, 1, 23, 25, 100)),
            by_this=chance.random() < 0.3,
        )
        for _ in range(chance.randint(1, 15))
    ]


async def _known(
    world: World, people: list[Person], broadcast: CampaignId, others: list[CampaignId]
) -> list[ContactId]:
    at = world.clock.now()
    contacts = await world.contacts(len(people))
    for contact, person in zip(contacts, people, strict=True):
        hours = person.promoted_h
        await world.value(
            "update contacts set opted_out_at = $2, promoted_at = $3, promoted_campaign_id = $4"
            " where id = $1",
            contact,
            at - timedelta(hours=1) if person.stopped else None,
            None if hours is None else at - timedelta(hours=hours),
            None if hours is None else broadcast if person.by_this else others[contact % 2],
        )
        for campaign, there, state in (
            (others[0], person.elsewhere, "active" if contact % 2 else "paused"),
            (others[1], person.left, "completed"),
        ):
            if there:
                await world.value(
                    "insert into enrollments (organization_id, campaign_id, contact_id, state,"
                    " enrolled_at, enrolled_by, ended_at) values ($1, $2, $3, $4, $5, 'U', $6)",
                    ACME,
                    campaign,
                    contact,
                    state,
                    at,
                    at if state == "completed" else None,
                )
    return contacts


@pytest.mark.parametrize("exclude", Exclude)
async def test_the_counts_shown_before_equal_what_the_gate_decides(
    world: World, exclude: Exclude
) -> None:
    world.with_rules(cooldown=COOLDOWN)
    others = [await world.campaign(kind="drip", state="active") for _ in range(2)]
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        lease = await leases.acquire(unit, name=f"lane:{NUMBER}", holder="test")
        assert lease is not None
    chance = random.Random(exclude.value)  # noqa: S311 — the same worlds every time
    for _ in range(ROUNDS):
        people = _people(chance)
        phones = {"tags": ["none"]}
        broadcast = await world.campaign(excluded=exclude.to_json(), audience=phones)
        contacts = await _known(world, people, broadcast, others)
        await world.queued(broadcast, contacts)
        at = world.clock.now()

        async with world.database.owner_unit(ACME, at) as unit:
            seen = await overlaps.overlap(
                unit, contacts=contacts, campaign=broadcast, promotional=True, cooldown=COOLDOWN
            )
            kept = await overlaps.kept(
                unit, contacts=contacts, campaign=broadcast, exclude=exclude, cooldown=COOLDOWN
            )
            lease = await leases.acquire(unit, name=f"lane:{NUMBER}", holder="test") or lease
            claims = Claims(world.rules, world.rules.numbers[0])
            await claims.claim(unit, lease, room=100, replies=0)

        writable = [each for each in people if not each.stopped]
        assert seen.elsewhere == sum(each.elsewhere for each in writable)
        assert seen.lately == sum(each.lately for each in writable)
        assert seen.either == sum(each.elsewhere or each.lately for each in writable)
        assert sum(seen.recent.values()) == seen.lately
        expected = Counter(
            each.reason(exclude) for each in people if each.reason(exclude) is not None
        )
        decided = await _reasons(world, broadcast)
        assert decided == {str(reason): count for reason, count in expected.items()}
        assert {str(reason): count for reason, count in seen.left_out(exclude).items()} == {
            reason: n for reason, n in decided.items() if reason != Reason.OPTED_OUT
        }
        assert len(kept) == len(contacts) - sum(
            (each.elsewhere and exclude.active) or (each.lately and exclude.recent)
            for each in people
        )
        await world.value("update campaigns set state = 'cancelled' where id = $1", broadcast)


async def _reasons(world: World, campaign: CampaignId) -> dict[str, int]:
    rows = await world.rows(
        "select reason, count(*) as count from messages where campaign_id = $1"
        " and state = 'skipped' group by 1",
        campaign,
    )
    return {row["reason"]: row["count"] for row in rows}


async def test_a_broadcast_counts_its_audience_without_those_left_out(world: World) -> None:
    contacts = await world.contacts(10)
    drip = await world.campaign(kind="drip", state="active")
    await world.enrolled(drip, contacts[:4])
    reached: dict[Exclude, int] = {}
    for exclude in Exclude:
        broadcast = await world.campaign(
            state="draft", excluded=exclude.to_json(), audience={"everyone": True}
        )
        reached[exclude] = await _recipients(world, broadcast)

    assert reached == {
        Exclude.NONE: 10,
        Exclude.ACTIVE: 6,
        Exclude.RECENT: 10,
        Exclude.BOTH: 6,
    }


async def _recipients(world: World, broadcast: CampaignId, at: datetime | None = None) -> int:
    async with world.database.owner_unit(ACME, at or world.clock.now()) as unit:
        found: Campaign | None = await campaigns.get(unit, campaign=broadcast)
        assert found is not None
        return (await Campaigns(unit, "U", cooldown=COOLDOWN).reach(found)).recipients
