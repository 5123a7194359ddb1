"""What staff see of an overlap before sending is what the gate then decides."""

# ruff: noqa: E501 — SQL reads better unbroken

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.campaign import Campaign
from engine.ids import CampaignId, ContactId
from engine.overlap import Exclude
from engine.reasons import Reason
from storage import campaigns, leases, overlaps
from storage.campaigns import Campaigns
from tests.database import ACME
from tests.examples import ON_POSTGRES
from tests.integration.worker.world import NUMBER, World
from worker.claims import Claims

COOLDOWN = timedelta(hours=24)
CONSENTS = ("opted_out_at", "platform_stopped_at", "blocked_at", "unreachable_at")
AUDIENCE = {"tags": ["here"]}


@dataclass(frozen=True, kw_only=True)
class Person:
    """What is known of a contact before a broadcast.

    Attributes:
        against: What speaks against writing to it; None: nothing.
        drips: In which of the two drips it is, by whether that enrollment is active or paused.
        left: It was in the second drip.
        promoted: How long ago it had a promotional message; None: never.
        by: Of which campaign: the first or the second drip; None: of the broadcast itself.
    """

    against: str | None
    drips: dict[int, str]
    left: bool
    promoted: timedelta | None
    by: int | None

    def reason(self, exclude: Exclude, *, promotional: bool) -> Reason | None:
        because = {
            "opted_out_at": Reason.OPTED_OUT,
            "blocked_at": Reason.BLOCKED,
            "unreachable_at": Reason.UNREACHABLE,
        }
        if promotional:
            because["platform_stopped_at"] = Reason.PLATFORM_STOPPED
        if self.against in because:
            return because[self.against]
        if self.drips and exclude in {Exclude.ACTIVE, Exclude.BOTH}:
            return Reason.IN_ANOTHER
        if self.lately and exclude in {Exclude.RECENT, Exclude.BOTH}:
            return Reason.COOLDOWN
        return None

    @property
    def lately(self) -> bool:
        return self.promoted is not None and self.promoted < COOLDOWN and self.by is not None


PEOPLE = st.lists(
    st.builds(
        Person,
        against=st.none() | st.none() | st.sampled_from(CONSENTS),
        drips=st.dictionaries(st.integers(0, 1), st.sampled_from(("active", "paused"))),
        left=st.booleans(),
        promoted=st.none()
        | st.sampled_from((COOLDOWN, COOLDOWN - timedelta(seconds=1), COOLDOWN * 2))
        | st.integers(0, 30).map(lambda hours: timedelta(hours=hours)),
        by=st.none() | st.integers(0, 1),
    ),
    min_size=1,
    max_size=12,
)


async def _known(
    world: World, people: Sequence[Person], broadcast: CampaignId, drips: list[CampaignId]
) -> list[ContactId]:
    """Keep *people* as the only ones who have the tag of the audience."""
    at = world.clock.now()
    await world.value("delete from contact_tags")
    contacts = await world.contacts(len(people))
    for column in CONSENTS:
        await world.value(
            f"update contacts set {column} = $1 where id = any($2)",  # noqa: S608 — of a constant
            at - timedelta(hours=1),
            [who for who, each in zip(contacts, people, strict=True) if each.against == column],
        )
    promoted = [
        (who, at - each.promoted, broadcast if each.by is None else drips[each.by])
        for who, each in zip(contacts, people, strict=True)
        if each.promoted is not None
    ]
    await world.value(
        "update contacts c set promoted_at = p.at, promoted_campaign_id = p.by"
        "  from unnest($1::bigint[], $2::timestamptz[], $3::bigint[]) as p(id, at, by) where c.id = p.id",
        *map(list, zip(*promoted, strict=True) if promoted else ([], [], [])),
    )
    inside = [
        (who, drips[drip], state)
        for who, each in zip(contacts, people, strict=True)
        for drip, state in [*each.drips.items(), *([(1, "completed")] if each.left else [])]
    ]
    await world.value(
        "insert into enrollments (organization_id, campaign_id, contact_id, state, enrolled_at, enrolled_by, ended_at)"
        " select $1, e.campaign, e.contact, e.state, $2::timestamptz, 'U', case when e.state = 'completed' then $2::timestamptz end"
        "   from unnest($3::bigint[], $4::bigint[], $5::text[]) as e(contact, campaign, state)",
        ACME,
        at,
        *map(list, zip(*inside, strict=True) if inside else ([], [], [])),
    )
    await world.value(
        "insert into contact_tags (organization_id, tag, contact_id, added_at)"
        " select $1, 'here', id, $2 from unnest($3::bigint[]) as id",
        ACME,
        at,
        contacts,
    )
    return contacts


@ON_POSTGRES
@given(people=PEOPLE, exclude=st.sampled_from(Exclude), promotional=st.booleans())
async def test_the_counts_shown_before_equal_what_the_gate_decides(
    world: World, people: list[Person], exclude: Exclude, *, promotional: bool
) -> None:
    world.with_rules(cooldown=COOLDOWN)
    world.clock.stand()
    drips = [await world.campaign(kind="drip", state="active") for _ in range(2)]
    broadcast = await world.campaign(
        excluded=exclude.to_json(),
        audience=AUDIENCE,
        type="promotional" if promotional else "survey",
    )
    contacts = await _known(world, people, broadcast, drips)
    await world.queued(broadcast, contacts)

    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        found = await campaigns.get(unit, campaign=broadcast)
        assert found is not None
        staff = Campaigns(unit, "U", cooldown=COOLDOWN)
        reach, seen = await staff.reach(found), await staff.overlap(found)
        kept = await overlaps.kept(
            unit, contacts=contacts, campaign=broadcast, exclude=exclude, cooldown=COOLDOWN
        )
        within = await overlaps.overlap(
            unit,
            contacts=contacts,
            campaign=drips[0],
            promotional=promotional,
            cooldown=COOLDOWN,
        )
        await unit.connection.execute("delete from leases")
        lease = await leases.acquire(unit, name=f"lane:{NUMBER}", holder="test")
        assert lease is not None
        claims = Claims(world.rules, world.rules.numbers[0])
        claimed = await claims.claim(unit, lease, room=100, replies=0)

    decided = await _reasons(world, broadcast)
    assert {str(reason): count for reason, count in reach.left_out.items()} == decided
    expected = Counter(each.reason(exclude, promotional=promotional) for each in people)
    assert reach.recipients == expected.pop(None, 0)
    assert decided == {str(reason): count for reason, count in expected.items()}
    # Without recent= those who just heard of another wait, and all others go.
    waits = [
        each.reason(exclude, promotional=promotional) is None and each.lately and promotional
        for each in people
    ]
    assert len(claimed.calls) == reach.recipients - sum(waits)
    fit = [p for p in people if p.reason(Exclude.NONE, promotional=promotional) is None]
    assert seen.elsewhere == sum(bool(each.drips) for each in fit)
    assert seen.lately == sum(each.lately for each in fit) == sum(seen.recent.values())
    assert seen.either == sum(bool(each.drips) or each.lately for each in fit)
    assert seen.active == _counted(drips, [drip for each in fit for drip in each.drips])
    assert within.elsewhere == sum(1 in each.drips for each in fit)
    assert within.lately == sum(
        each.promoted is not None and each.promoted < COOLDOWN and each.by != 0 for each in fit
    )
    assert kept == [
        who
        for who, each in zip(contacts, people, strict=True)
        if exclude.reason(elsewhere=bool(each.drips), lately=each.lately) is None
    ]


def _counted(drips: list[CampaignId], of: list[int]) -> dict[CampaignId, int]:
    return {drips[drip]: count for drip, count in Counter(of).items()}


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
