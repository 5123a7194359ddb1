"""A simulation says what planner, gate and lane do when the clock is walked."""

# ruff: noqa: E501 — SQL reads better unbroken

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from engine.audience import Audience
from engine.campaign import Kind
from engine.conditions import Condition, Conditions, Fact, Otherwise
from engine.crowd import Assumed
from engine.foresight import Foresight, Standpoint, Used
from engine.frequency import FrequencyCap
from engine.hours import Hours
from engine.ids import CampaignId, ContactId, NumberId
from engine.keywords import Keywords
from engine.message import State
from engine.overlap import Exclude
from engine.phone import Phone
from engine.refusal import Refusal
from engine.simulate import simulate
from engine.timing import Anchor, Timing
from engine.updates import Inbound, InboundKind, Person
from engine.usecases.change_steps import move_step, remove_step
from engine.usecases.receive_inbound import Voice, receive_inbound
from storage import audiences, campaigns, enrollments, leases, looking, messages, standings
from storage.campaigns import Campaigns
from storage.consents import ConsentLedger
from storage.database import Unit
from storage.identities import IdentifiedContacts
from storage.inbound import InboundMessages
from tests.database import ACME, NOON
from tests.examples import LONG
from tests.integration.worker.world import NUMBER, OTHER_NUMBER, WELCOME, Clock, World, worker
from worker.calls import Result, record
from worker.claims import Call, Claims
from worker.planning import plan
from worker.rewalking import rewalk
from worker.whatsapp.client import Accepted

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MOST_MOMENTS = 600

_EMPTY = """
do $$ declare one text; begin
  foreach one in array array['inbound_messages', 'messages', 'enrollments', 'frozen_audiences', 'campaign_stats',
                             'campaigns', 'service_windows', 'contacts', 'sending_hours', 'occurrences', 'leases'] loop
    execute 'delete from ' || one;
  end loop;
  update organizations set closed_until = null, closed_why = null;
end $$
"""

Became = tuple[str, datetime]
"""Sent, or the reason why not; and when, to the second."""


class Still(Clock):
    """Business time that stands still until it is moved."""

    def __init__(self) -> None:
        super().__init__()
        self.at = NOON

    def now(self) -> datetime:
        return self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A random campaign, its people and the organization's rules."""

    kind: Kind
    steps: Sequence[Mapping[str, Any]]
    settings: Mapping[str, Any]
    type: str
    people: Sequence[Mapping[str, Any]]
    reads: bool
    replies: bool
    excluded: Exclude
    number: NumberId | None


@LONG
@given(random=st.randoms(use_true_random=False))
async def test_what_a_simulation_says_is_what_happens(world: World, random: Random) -> None:
    await world.value(_EMPTY)
    drawn = _drawn(random)
    _rules(world, random, several=any("last_number_id" in each for each in drawn.people))
    await _as_said(world, drawn)


async def test_a_reply_leaves_out_at_once_what_is_queued_until_the_morning(world: World) -> None:
    step = {"content": WELCOME, "conditions": {}, "timing": {}, "fallback": None}
    drawn = Drawn(
        kind=Kind.DRIP,
        steps=[
            {"after_s": 0, "settings": {}, **step},
            {"after_s": 0, "settings": {"hours": "09:00-11:00"}, **step},
        ],
        settings={"stop_on_reply": True},
        type="promotional",
        people=[{}],
        reads=True,
        replies=True,
        excluded=Exclude.NONE,
        number=None,
    )

    happened = await _as_said(world, drawn)

    assert list(happened.values()) == [
        ("sent", NOON),
        ("enrollment_ended", NOON + MINUTE),
    ]


async def _as_said(world: World, drawn: Drawn) -> dict[tuple[ContactId, int], Became]:
    """Simulate a campaign, let it happen, and want the same."""
    clock = Still()
    world.clock = clock
    contacts = await _people(world, drawn)
    campaign = await _campaign(world, drawn, contacts)

    said = await world.database.run(
        ACME, clock.at, lambda unit: _simulated(unit, world, campaign, contacts, drawn), owner=True
    )
    await _walk(world, clock, drawn)

    happened = await _happened(world, campaign, None)
    assert happened == said
    return happened


@LONG
@given(random=st.randoms(use_true_random=False))
async def test_from_where_people_are_it_goes_on_as_a_simulation_says(
    world: World, random: Random
) -> None:
    await world.value(_EMPTY)
    clock = Still()
    world.clock = clock
    drawn = _drawn(random)
    _rules(world, random, several=any("last_number_id" in each for each in drawn.people))
    contacts = await _people(world, drawn)
    campaign = await _campaign(world, drawn, contacts)
    await _walk(world, clock, drawn, moments=random.randint(1, 6))
    await _edited(world, campaign, random)
    before = await _happened(world, campaign, clock.at)

    said = await world.database.run(
        ACME, clock.at, lambda unit: _simulated_on(unit, world, campaign, drawn), owner=True
    )
    await _walk(world, clock, drawn)

    happened = await _happened(world, campaign, None)
    assert {each: what for each, what in happened.items() if each not in before} == said


# What is drawn


def _drawn(random: Random) -> Drawn:
    kind = random.choice((Kind.DRIP, Kind.DRIP, Kind.BROADCAST))
    count = 1 if kind is Kind.BROADCAST else random.randint(1, 3)
    settings: dict[str, Any] = {"stop_on_reply": random.random() < 0.5}
    if random.random() < 0.4:
        settings["per_day"] = random.randint(1, 5)
    if random.random() < 0.3:
        settings["rate"] = random.choice(("2/h", "30/h", "7/min"))
    if random.random() < 0.4:
        settings["hours"] = random.choice(("09:00-18:00", "22:00-02:00", "12:30-12:45"))
    if random.random() < 0.3:
        settings["days"] = random.choice(("mon-fri", "sat", "tue,thu"))
    if random.random() < 0.3:
        settings["deadline_s"] = random.choice((0, 3600, 86_400))
    # With caps it matters which number is the first to look; simulations take it for one.
    capped = {"per_day", "rate"} & settings.keys()
    several = not capped and random.random() < 0.7
    return Drawn(
        kind=kind,
        steps=[_step(random, number) for number in range(count)],
        settings=settings,
        type=random.choice(("promotional", "promotional", "transactional")),
        people=[_person(random, several=several) for _ in range(random.randint(1, 6))],
        reads=random.random() < 0.5,
        replies=random.random() < 0.3,
        excluded=random.choice((Exclude.NONE, Exclude.NONE, *Exclude)),
        number=random.choice((None, NUMBER, OTHER_NUMBER)) if several else None,
    )


def _step(random: Random, number: int) -> dict[str, Any]:
    content: dict[str, Any] = {"type": "template", "name": "welcome", "language": "en"}
    if random.random() < 0.3:
        content["parameters"] = [["1", "{company}"]]
    elif random.random() < 0.4:
        content = {"type": "text", "body": "Hi {first_name|there}"}
    conditions = Conditions()
    if number and random.random() < 0.4:
        facts = (Fact.READ, Fact.NOT_READ, Fact.DELIVERED, Fact.NOT_REPLIED, Fact.REPLIED)
        conditions = Conditions(
            all_of=(Condition(fact=random.choice(facts)),),
            otherwise=random.choice(tuple(Otherwise)),
        )
    if number and random.random() < 0.3:
        conditions = replace(conditions, wait=True)
    timing = Timing()
    match random.randrange(6):
        case 0:
            timing = Timing(clock=time(random.randrange(24), 30))
        case 1:
            timing = Timing(weekday=random.randrange(7))
        case 2:
            timing = Timing(anchor=Anchor(attribute="due", days=random.randint(-2, 3)))
    after = timedelta(0) if timing.anchor else random.choice((MINUTE * 90, HOUR * 5, DAY, DAY * 3))
    if number == 0 and timing.anchor is None:
        after = random.choice((timedelta(0), HOUR))
    return {
        "after_s": int(after.total_seconds()),
        "content": content,
        "conditions": conditions.to_json(),
        "timing": timing.to_json(),
        "settings": random.choice(({}, {}, {"hours": "08:00-20:00"})),
        "fallback": {"type": "template", "name": "welcome", "language": "en"}
        if content["type"] == "text" and random.random() < 0.5
        else None,
    }


def _person(random: Random, *, several: bool) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "timezone": random.choice((None, "Asia/Tokyo", "America/New_York", "Nowhere/Land")),
        "company": random.choice((None, "Acme", "  ")),
        "attributes": random.choice(({}, {"due": "2026-11-22"}, {"due": "2026-12-01"})),
    }
    if several:
        columns["last_number_id"] = random.choice((None, NUMBER, OTHER_NUMBER, "of another time"))
    if random.random() < 0.15:
        column = random.choice(("opted_out_at", "platform_stopped_at", "blocked_at"))
        columns[column] = NOON - HOUR
    if random.random() < 0.3:
        columns["promoted_at"] = NOON - random.choice((MINUTE * 7, HOUR * 20, DAY * 3))
        columns["promoted_ats"] = [columns["promoted_at"]]
    return columns


def _rules(world: World, random: Random, *, several: bool) -> None:
    world.rules = replace(
        world.rules,
        zone=random.choice((UTC, ZoneInfo("Europe/Amsterdam"))),
        hours=random.choice((Hours(), Hours(start=8 * 60, end=21 * 60))),
        cooldown=random.choice((timedelta(), DAY)),
        deadline=random.choice((None, DAY * 2)),
        messages_per_hour=0 if several else random.choice((0, 0, 2)),
        frequency_cap=random.choice((None, None, FrequencyCap(count=2, span=DAY * 2))),
    )


# Making it


async def _people(world: World, drawn: Drawn) -> list[ContactId]:
    found: list[ContactId] = []
    for columns in drawn.people:
        found += await world.contacts(1, **columns)
    other = await world.campaign(state="completed")
    await world.value(
        "update contacts set promoted_campaign_id = $1 where promoted_at is not null", other
    )
    elsewhere = await world.campaign(kind="drip", state="active")
    await world.value(
        "insert into enrollments (organization_id, campaign_id, contact_id, state, enrolled_at, enrolled_by)"
        " select $1, $2, c, 'paused', $4, 'U' from unnest($3::bigint[]) as c",
        ACME,
        elsewhere,
        found[1::3],
        NOON,
    )
    for place, contact in enumerate(found[::2]):
        await world.value(
            "insert into service_windows (organization_id, number_id, contact_id, last_inbound_at) values ($1, $2, $3, $4)",
            ACME,
            (NUMBER, OTHER_NUMBER)[place % 2],
            contact,
            NOON - HOUR * 3,
        )
    return found


async def _campaign(world: World, drawn: Drawn, contacts: list[ContactId]) -> CampaignId:
    columns: dict[str, Any] = {
        "type": drawn.type,
        "settings": dict(drawn.settings),
        "excluded": drawn.excluded.to_json(),
        "number_id": drawn.number,
    }
    delays = tuple(step["after_s"] for step in drawn.steps)
    if drawn.kind is Kind.DRIP:
        made = await world.campaign(kind="drip", state="active", steps=delays, **columns)
    else:
        everyone = Audience(everyone=True)
        last = max(contacts)
        columns |= {"audience": everyone.to_json(), "contacts_up_to": last}
        made = await world.campaign(steps=(0,), **columns)
        async with world.database.owner_unit(ACME, NOON) as unit:
            await audiences.freeze(unit, campaign=made, audience=everyone, up_to=last)
    for position, step in enumerate(drawn.steps, start=1):
        plain = drawn.kind is Kind.BROADCAST
        await world.value(
            "update steps set content = $3, conditions = $4, timing = $5, settings = $6, fallback = $7 where campaign_id = $1 and position = $2",
            made,
            position,
            step["content"],
            {} if plain else step["conditions"],
            {} if plain else step["timing"],
            {} if plain else step["settings"],
            step["fallback"],
        )
    if drawn.kind is Kind.DRIP:
        async with world.database.owner_unit(ACME, NOON) as unit:
            await enrollments.enroll(unit, campaign=made, contacts=contacts, by="U0OWNER")
    return made


# What is said


async def _simulated(
    unit: Unit, world: World, campaign: CampaignId, contacts: list[ContactId], drawn: Drawn
) -> dict[tuple[ContactId, int], Became]:
    found = await campaigns.get(unit, campaign=campaign)
    assert found is not None
    steps = await campaigns.steps(unit, campaign=campaign)
    if drawn.kind is Kind.DRIP:
        rows = await unit.connection.fetch(
            "select contact_id from enrollments where campaign_id = $1 order by id", campaign
        )
        contacts = [row["contact_id"] for row in rows]
    foresight = Foresight(found, steps, world.rules, at=unit.at, used=Used())
    facts = await looking.facts(
        unit,
        contacts=contacts,
        number=found.number_id,
        numbers=world.rules.number_ids,
        beside=campaign if found.excluded.active else None,
    )
    known = {each.contact_id: each for each in facts}
    standpoint: Standpoint | None = None
    crowd = [(each, foresight.person(known[each], standpoint)) for each in contacts]
    assumed = Assumed(read=100 if drawn.reads else 0, replied=100 if drawn.replies else 0)
    tally = simulate(foresight.plan, crowd, at=unit.at, assumed=assumed)
    return {
        (contact, step): (str(outcome.reason or "sent"), at)
        for contact, step, at, outcome in tally.each()
    }


# What happens


async def _simulated_on(
    unit: Unit, world: World, campaign: CampaignId, drawn: Drawn
) -> dict[tuple[ContactId, int], Became]:
    """Simulate for those in it now."""
    found = await campaigns.get(unit, campaign=campaign)
    assert found is not None
    steps = await campaigns.steps(unit, campaign=campaign)
    used = await looking.used(unit, campaign=campaign)
    foresight = Foresight(found, steps, world.rules, at=unit.at, used=used)
    read = standings.of_drip if drawn.kind is Kind.DRIP else standings.of_broadcast
    inside = await read(unit, campaign=campaign, after=0, limit=1000)
    facts = await looking.facts(
        unit,
        contacts=[each.contact_id for each in inside],
        number=found.number_id,
        numbers=world.rules.number_ids,
        beside=campaign if found.excluded.active else None,
    )
    known = {each.contact_id: each for each in facts}
    crowd = [
        (each.contact_id, foresight.person(known[each.contact_id], each.standpoint))
        for each in inside
    ]
    assumed = Assumed(read=100 if drawn.reads else 0, replied=100 if drawn.replies else 0)
    tally = simulate(foresight.plan, crowd, at=unit.at, assumed=assumed)
    return {
        (contact, step): (str(outcome.reason or "sent"), at)
        for contact, step, at, outcome in tally.each()
    }


async def _edited(world: World, campaign: CampaignId, random: Random) -> None:
    """Change the steps as staff do, or leave them."""
    number, to, how = random.randint(1, 3), random.randint(1, 3), random.randrange(3)
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        staff = Campaigns(unit, "U0OWNER", cooldown=world.rules.cooldown)
        steps = await campaigns.steps(unit, campaign=campaign)
        if how == 0 or len(steps) < max(number, to, 2):
            return
        step = steps[number - 1].id
        try:
            if how == 1:
                await remove_step(campaign=campaign, number=number, campaigns=staff, confirmed=step)
            else:
                await move_step(
                    campaign=campaign, number=number, to=to, campaigns=staff, confirmed=step
                )
        except Refusal:
            return
    while await rewalk(worker(world), ACME):
        pass


async def _walk(world: World, clock: Still, drawn: Drawn, *, moments: int = MOST_MOMENTS) -> None:
    """Let planner and lanes work at every moment at which something is due.

    Args:
        moments: After so many it stops as soon as nobody has yet to read or answer.
    """
    answers = drawn.reads or drawn.replies
    lanes = {each.id: Claims(world.rules, each) for each in world.rules.numbers}
    jobs = worker(world)
    for moment in range(1, MOST_MOMENTS):
        await _answer(world, clock.at, drawn)
        worked = True
        while worked:
            while await plan(jobs, ACME):
                pass
            worked = False
            for number, claims in lanes.items():
                worked |= await _lane(world, number, claims, clock.at)
            while await plan(jobs, ACME):
                pass
        following = await _next_moment(world, clock.at, answers=answers)
        if following is None:
            return
        silent = await world.value("select count(*) from messages where state = 'delivered'")
        if moment >= moments and not (answers and silent):
            return
        clock.at = following
    raise AssertionError("it never ends")


async def _lane(world: World, number: NumberId, claims: Claims, at: datetime) -> bool:
    """Claim all there is, and let WhatsApp accept it when each call may start."""

    async def claim(unit: Unit) -> tuple[tuple[Call, ...], int]:
        lease = await leases.acquire(unit, name=f"lane:{number}", holder="us")
        assert lease is not None
        claimed = await claims.claim(unit, lease, room=1000, replies=16)
        return claimed.calls, claimed.settled

    await world.value("delete from leases where name = $1", f"lane:{number}")
    calls, settled = await world.database.run(ACME, at, claim, owner=True)
    results = [
        Result(
            call=call,
            outcome=Accepted(wamid=f"wamid.{call.row.message.id}", held=False),
            at=call.starts_at,
        )
        for call in calls
    ]
    if results:
        await world.database.run(ACME, at, lambda unit: record(unit, results), owner=True)
        await _become(world, State.DELIVERED, at)
    return bool(calls or settled)


async def _answer(world: World, at: datetime, drawn: Drawn) -> None:
    """Let those read and answer it whose message was accepted a minute ago."""
    if drawn.reads or drawn.replies:
        await _become(world, State.READ, at)
    if not drawn.replies:
        return
    rows = await world.rows(
        "select m.wamid, m.number_id, i.value as phone, m.accepted_at from messages m"
        "  join contact_identities i on i.contact_id = m.contact_id and i.kind = 'phone'"
        " where m.state = 'read' and m.replied_at is null order by m.id"
    )
    inbound = [
        Inbound(
            waba_id="100000000000001",
            number_id=row["number_id"],
            wamid=f"answer.{row['wamid']}",
            sender=Person(phone=Phone(row["phone"])),
            profile_name=None,
            at=row["accepted_at"] + MINUTE,
            kind=InboundKind.TEXT,
            text="Thank you",
            payload=None,
            context_id=row["wamid"],
            referral=None,
            media=None,
            reaction=None,
            raw="{}",
        )
        for row in rows
    ]
    if inbound:
        await world.database.run(ACME, at, lambda unit: _received(unit, inbound, at))


async def _received(unit: Unit, inbound: Sequence[Inbound], at: datetime) -> None:
    await receive_inbound(
        inbound,
        at=at,
        voice=Voice(name="Acme", keywords=Keywords()),
        contacts=IdentifiedContacts(unit),
        ledger=ConsentLedger(unit),
        inbox=InboundMessages(unit),
    )


async def _become(world: World, state: State, at: datetime) -> None:
    async with world.database.owner_unit(ACME, at) as unit:
        before = State.ACCEPTED if state is State.DELIVERED else State.DELIVERED
        ids = [
            row["id"]
            for row in await unit.connection.fetch(
                "select id from messages where state = $1 and ($2 or accepted_at <= $3)",
                before,
                state is State.DELIVERED,
                at - MINUTE,
            )
        ]
        rows = await messages.locked(unit, ids)
        changes = []
        for row in rows.values():
            accepted = row.message.accepted_at
            assert accepted is not None
            when = accepted if state is State.DELIVERED else accepted + MINUTE
            message = row.message.progressed(state, at=when, attempt=1)
            changes.append((row, row.with_message(message)))
        await messages.save(unit, changes)


async def _next_moment(world: World, at: datetime, *, answers: bool) -> datetime | None:
    following: datetime | None = await world.value(
        """
        select min(moment) from (
          select due_at as moment from enrollments where state = 'active' and due_at is not null
          union all select m.due_at from messages m where m.state = 'queued'
          union all select greatest(c.closed_until, c.next_slot_at) from campaigns c
                     where exists (select from messages m where m.campaign_id = c.id and m.state = 'queued')
          union all select closed_until from organizations where exists (select from messages where state = 'queued')
          union all select accepted_at + interval '1 minute' from messages where state = 'delivered' and $2
        ) due where moment > $1
        """,
        at,
        answers,
    )
    return following


async def _happened(
    world: World, campaign: CampaignId, until: datetime | None
) -> dict[tuple[ContactId, int], Became]:
    """Return what became of the steps that are there now; *until* that time, or of all."""
    rows = await world.rows(
        "select m.contact_id, s.number, m.state, m.reason, m.accepted_at, m.settled_at from messages m"
        "  join (select id, row_number() over (order by position) as number from steps"
        "         where campaign_id = $1 and removed_at is null) s on s.id = m.step_id"
        " where m.campaign_id = $1 and ($2::timestamptz is null or m.state <> 'queued')",
        campaign,
        until,
    )
    return {
        (row["contact_id"], int(row["number"])): (
            ("sent", row["accepted_at"].replace(microsecond=0))
            if row["accepted_at"]
            else (row["reason"] or row["state"], (row["settled_at"] or NOON).replace(microsecond=0))
        )
        for row in rows
    }
