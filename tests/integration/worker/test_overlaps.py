"""What staff see of an overlap before sending is what the gate then decides."""

# ruff: noqa: E501 — SQL reads better unbroken

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.campaign import Campaign
from engine.content import Content, TemplateMessage, Text, to_json
from engine.frequency import FrequencyCap
from engine.gate import SERVICE_WINDOW
from engine.ids import CampaignId, ContactId
from engine.overlap import Exclude
from engine.reasons import Reason
from storage import campaigns, leases, overlaps
from storage.campaigns import Campaigns
from tests.database import ACME, NOON
from tests.examples import ON_POSTGRES
from tests.integration.worker.world import NUMBER, OTHER_NUMBER, World
from worker.claims import Claims

COOLDOWN = timedelta(hours=24)
CONSENTS = ("opted_out_at", "platform_stopped_at", "blocked_at", "unreachable_at")
NONE = timedelta()
AUDIENCE = {"tags": ["here"]}
NUMBERS = (NUMBER, OTHER_NUMBER)
TEMPLATE = TemplateMessage(name="welcome", language="en")
NAMED = Text(body="Hi {first_name}")
SAID = (TEMPLATE, Text(body="Hi {first_name|there}"), NAMED)


@dataclass(frozen=True, kw_only=True)
class Person:
    """What is known of a contact before a broadcast.

    Attributes:
        consent: What speaks against writing to it; None: nothing.
        drips: In which of the two drips it is, by whether that enrollment is active or paused.
        left: It was in the second drip.
        promoted: How long ago it had a promotional message; None: never.
        by: Of which campaign: the first or the second drip; None: of the broadcast itself.
        named: Whether it has the first name that a text may ask for.
        wrote: How long ago it wrote to us; None: never.
        to: To which of our numbers: the first or the second.
        last: Which of our numbers it was last written to from; None: none.
        counted: How long ago each of its latest promotional messages was that a cap counts.
        abroad: Whether it is of a country that WhatsApp does not let us write to.
    """

    consent: str | None
    drips: dict[int, str]
    left: bool
    promoted: timedelta | None
    by: int | None
    named: bool
    wrote: timedelta | None
    to: int
    last: int | None
    counted: list[timedelta]
    abroad: bool

    def against(
        self,
        exclude: Exclude,
        said: Content,
        *,
        promotional: bool,
        late: timedelta | None,
        cap: FrequencyCap | None,
    ) -> Reason | None:
        """Return why it would not get *said* within *late*; None: however late."""
        why = self.reason(exclude, promotional=promotional)
        if why is not None:
            return why
        if said is NAMED and not self.named:
            return Reason.MISSING_VALUE
        waits, why = self.waits(cap)
        if promotional and late is not None and waits > late:
            return why
        if not isinstance(said, Text):
            return None
        return None if self.open else Reason.WINDOW_CLOSED

    def waits(self, cap: FrequencyCap | None) -> tuple[timedelta, Reason]:
        """Return how long cooldown and cap let it wait for something promotional, and which."""
        cool = COOLDOWN - self.promoted if self.lately and self.promoted is not None else NONE
        within = sorted(ago for ago in self.counted if cap is not None and ago < cap.span)
        if cap is not None and len(within) >= cap.count:
            free = cap.span - within[cap.count - 1]
            if free > cool:
                return free, Reason.FREQUENCY_CAP
        return cool, Reason.COOLDOWN

    @property
    def open(self) -> bool:
        return (
            self.wrote is not None and self.wrote < SERVICE_WINDOW and self.to == (self.last or 0)
        )

    def reason(self, exclude: Exclude, *, promotional: bool) -> Reason | None:
        because = {
            "opted_out_at": Reason.OPTED_OUT,
            "blocked_at": Reason.BLOCKED,
            "unreachable_at": Reason.UNREACHABLE,
        }
        if promotional:
            because["platform_stopped_at"] = Reason.PLATFORM_STOPPED
        if self.consent in because:
            return because[self.consent]
        if self.abroad:
            return Reason.COUNTRY_BANNED
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
        consent=st.none() | st.none() | st.sampled_from(CONSENTS),
        drips=st.dictionaries(st.integers(0, 1), st.sampled_from(("active", "paused"))),
        left=st.booleans(),
        promoted=st.none()
        | st.sampled_from((COOLDOWN, COOLDOWN - timedelta(seconds=1), COOLDOWN * 2))
        | st.integers(0, 30).map(lambda hours: timedelta(hours=hours)),
        by=st.none() | st.integers(0, 1),
        named=st.booleans(),
        wrote=st.none()
        | st.sampled_from((SERVICE_WINDOW, SERVICE_WINDOW - timedelta(seconds=1)))
        | st.integers(0, 30).map(lambda hours: timedelta(hours=hours)),
        to=st.integers(0, 1),
        last=st.none() | st.integers(0, 1),
        counted=st.lists(
            st.integers(0, 24 * 9).map(lambda hours: timedelta(hours=hours)), max_size=2
        ),
        abroad=st.sampled_from((False, False, False, True)),
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
    abroad = [who for who, each in zip(contacts, people, strict=True) if each.abroad]
    await world.abroad(abroad)
    for column in CONSENTS:
        await world.value(
            f"update contacts set {column} = $1 where id = any($2)",  # noqa: S608 — of a constant
            at - timedelta(hours=1),
            [who for who, each in zip(contacts, people, strict=True) if each.consent == column],
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
    counted = [
        (who, at - ago)
        for who, each in zip(contacts, people, strict=True)
        for ago in sorted(each.counted, reverse=True)
    ]
    await world.value(
        "update contacts c set promoted_ats ="
        " array(select p.at from unnest($1::bigint[], $2::timestamptz[]) as p(id, at) where p.id = c.id)",
        *map(list, zip(*counted, strict=True) if counted else ([], [])),
    )
    await world.value(
        "update contacts set first_name = null where id = any($1)",
        [who for who, each in zip(contacts, people, strict=True) if not each.named],
    )
    await world.value(
        "update contacts c set last_number_id = p.number"
        "  from unnest($1::bigint[], $2::text[]) as p(id, number) where c.id = p.id",
        contacts,
        [None if each.last is None else NUMBERS[each.last] for each in people],
    )
    wrote = [
        (who, NUMBERS[each.to], at - each.wrote)
        for who, each in zip(contacts, people, strict=True)
        if each.wrote is not None
    ]
    await world.value(
        "insert into service_windows (organization_id, contact_id, number_id, last_inbound_at)"
        " select $1, w.* from unnest($2::bigint[], $3::text[], $4::timestamptz[]) as w",
        ACME,
        *map(list, zip(*wrote, strict=True) if wrote else ([], [], [])),
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
@given(
    people=PEOPLE,
    exclude=st.sampled_from(Exclude),
    said=st.sampled_from(SAID),
    promotional=st.booleans(),
    late=st.none() | st.sampled_from((COOLDOWN / 8, COOLDOWN * 2)),
    cap=st.none() | st.just(FrequencyCap(count=2, span=timedelta(days=7))),
)
async def test_the_counts_shown_before_equal_what_the_gate_decides(
    world: World,
    people: list[Person],
    exclude: Exclude,
    said: Content,
    late: timedelta | None,
    cap: FrequencyCap | None,
    *,
    promotional: bool,
) -> None:
    world.with_rules(cooldown=COOLDOWN, deadline=late, frequency_cap=cap)
    world.clock.stand()
    drips = [await world.campaign(kind="drip", state="active") for _ in range(2)]
    broadcast = await world.campaign(
        excluded=exclude.to_json(),
        audience=AUDIENCE,
        content=to_json(said),
        type="promotional" if promotional else "survey",
    )
    contacts = await _known(world, people, broadcast, drips)
    for place, number in enumerate(NUMBERS):
        own = [who for who, p in zip(contacts, people, strict=True) if (p.last or 0) == place]
        deadline_at = None if late is None else NOON + late
        await world.queued(broadcast, own, number=number, deadline_at=deadline_at)

    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        found = await campaigns.get(unit, campaign=broadcast)
        assert found is not None
        staff = Campaigns(unit, "U", rules=world.rules)
        reach, seen = await staff.reach(found, said), await staff.overlap(found)
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
        calls = 0
        for rule in world.rules.numbers:
            lease = await leases.acquire(unit, name=f"lane:{rule.id}", holder="test")
            assert lease is not None
            claimed = await Claims(world.rules, rule).claim(unit, lease, room=100, replies=0)
            calls += len(claimed.calls)

    decided = await _reasons(world, broadcast)
    against = [
        each.against(exclude, said, promotional=promotional, late=late, cap=cap) for each in people
    ]
    expected = Counter(against)
    assert reach.recipients == expected.pop(None, 0)
    assert dict(reach.left_out) == expected
    # Without recent= those who just heard of another wait, and all others go.
    waits = [
        why
        for each, why in zip(people, against, strict=True)
        if why in {None, Reason.WINDOW_CLOSED} and each.waits(cap)[0] and promotional
    ]
    expected[Reason.WINDOW_CLOSED] -= waits.count(Reason.WINDOW_CLOSED)
    assert decided == {str(reason): count for reason, count in expected.items() if count}
    assert calls == against.count(None) - waits.count(None)
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
        return (await Campaigns(unit, "U", rules=world.rules).reach(found, TEMPLATE)).recipients
