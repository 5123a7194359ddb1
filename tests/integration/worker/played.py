"""Campaigns drawn at random, and played through by planner and lanes while the clock is walked."""

# ruff: noqa: E501 — SQL reads better unbroken

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from engine.audience import Audience
from engine.campaign import Kind
from engine.conditions import Condition, Conditions, Fact, Otherwise
from engine.frequency import FrequencyCap
from engine.hours import Hours
from engine.ids import CampaignId, ContactId, NumberId
from engine.keywords import Keywords
from engine.message import State
from engine.overlap import Exclude
from engine.phone import Phone
from engine.timing import Anchor, Timing
from engine.updates import Inbound, InboundKind, Person
from engine.usecases.receive_inbound import Voice, receive_inbound
from storage import enrollments, leases, messages
from storage.consents import ConsentLedger
from storage.database import Unit
from storage.identities import IdentifiedContacts
from storage.inbound import InboundMessages
from tests.database import ACME, NOON
from tests.integration.worker.world import NUMBER, OTHER_NUMBER, Clock, World, worker
from worker.calls import Result, record
from worker.claimed import Call
from worker.claims import Claims
from worker.planning import plan
from worker.whatsapp.client import Accepted

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MOST_MOMENTS = 900

EMPTY = """
do $$ declare one text; begin
  foreach one in array array['inbound_messages', 'messages', 'enrollments', 'frozen_audiences', 'campaign_stats',
                             'campaigns', 'service_windows', 'contacts', 'sending_hours', 'occurrences', 'leases',
                             'places', 'place_counts'] loop
    execute 'delete from ' || one;
  end loop;
  update organizations set closed_until = null, closed_why = null;
end $$
"""


class Still(Clock):
    """Business time that stands still until it is moved."""

    def __init__(self) -> None:
        super().__init__()
        self.at = NOON

    def now(self) -> datetime:
        return self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A random campaign and its people, who are in no other."""

    kind: Kind
    steps: Sequence[Mapping[str, Any]]
    settings: Mapping[str, Any]
    type: str
    people: Sequence[Mapping[str, Any]]
    excluded: Exclude = Exclude.NONE
    number: NumberId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What everybody does with every message, a minute after it came."""

    reads: bool
    replies: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A drawn campaign as it is in the database."""

    id: CampaignId
    kind: Kind
    contacts: Sequence[ContactId]


# What is drawn


def drawn_campaigns(random: Random) -> list[Drawn]:
    return [_drawn(random) for _ in range(random.choice((1, 2, 3)))]


def drawn_habits(random: Random) -> Habits:
    return Habits(reads=random.random() < 0.5, replies=random.random() < 0.3)


def draw_rules(world: World, random: Random, drawn: Sequence[Drawn]) -> None:
    """Give the organization rules that campaigns of *drawn* can be told beforehand under."""
    # With caps it matters which number or campaign is the first to look; simulations take it for
    # one of each.
    alone = len(drawn) == 1 and not any("last_number_id" in each for each in drawn[0].people)
    world.rules = replace(
        world.rules,
        zone=random.choice((UTC, ZoneInfo("Europe/Amsterdam"))),
        hours=random.choice((Hours(), Hours(start=8 * 60, end=21 * 60))),
        cooldown=random.choice((timedelta(), DAY)),
        deadline=random.choice((None, DAY * 2)),
        messages_per_hour=random.choice((0, 0, 2)) if alone else 0,
        frequency_cap=random.choice((None, None, FrequencyCap(count=2, span=DAY * 2))),
    )


def _drawn(random: Random) -> Drawn:
    kind = random.choice((Kind.DRIP, Kind.DRIP, Kind.BROADCAST))
    count = 1 if kind is Kind.BROADCAST else random.randint(1, 3)
    settings: dict[str, Any] = {"stop_on_reply": random.random() < 0.5}
    if random.random() < 0.3:
        settings["per_day"] = random.randint(1, 5)
    if random.random() < 0.3:
        settings["rate"] = random.choice(("2/h", "30/h", "7/min"))
    if random.random() < 0.4:
        settings["hours"] = random.choice(("09:00-18:00", "22:00-02:00", "12:30-12:45"))
    if random.random() < 0.3:
        settings["days"] = random.choice(("mon-fri", "sat", "tue,thu"))
    if random.random() < 0.3:
        settings["deadline_s"] = random.choice((0, 3600, 86_400))
    capped = {"per_day", "rate"} & settings.keys()
    several = not capped and random.random() < 0.8
    return Drawn(
        kind=kind,
        steps=[_step(random, number) for number in range(count)],
        settings=settings,
        type=random.choice(("promotional", "promotional", "transactional")),
        people=[_person(random, several=several) for _ in range(random.randint(1, 5))],
        excluded=random.choice((Exclude.NONE, Exclude.NONE, *Exclude)),
        number=random.choice((None, NUMBER, OTHER_NUMBER)) if several else None,
    )


def _step(random: Random, number: int) -> dict[str, Any]:
    content: dict[str, Any] = {"type": "template", "name": "welcome", "language": "en"}
    if random.random() < 0.3:
        content["parameters"] = [["1", "{company}"]]
    elif random.random() < 0.5:
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
    after = (
        timedelta(0)
        if timing.anchor
        else random.choice((timedelta(), MINUTE * 90, HOUR * 5, DAY, DAY * 3))
    )
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
        "elsewhere": random.random() < 0.3,
        "wrote": random.choice(({}, {NUMBER}, {OTHER_NUMBER}, {NUMBER, OTHER_NUMBER})),
    }
    if several:
        columns["last_number_id"] = random.choice((None, NUMBER, OTHER_NUMBER, "of another time"))
    if random.random() < 0.15:
        columns[random.choice(("opted_out_at", "platform_stopped_at", "blocked_at"))] = NOON - HOUR
    if random.random() < 0.3:
        columns["promoted_at"] = NOON - random.choice((MINUTE * 7, HOUR * 20, DAY * 3))
    return columns


# Making it


async def make(world: World, drawn: Sequence[Drawn]) -> list[Made]:
    """Put campaigns and people into an empty world, and let its time be noon."""
    clock = Still()
    world.clock = clock
    other = await world.campaign(state="completed")
    elsewhere = await world.campaign(kind="drip", state="active")
    return [await _made(world, each, other=other, elsewhere=elsewhere) for each in drawn]


async def _made(world: World, drawn: Drawn, *, other: CampaignId, elsewhere: CampaignId) -> Made:
    contacts = await _people(world, drawn.people, other=other, elsewhere=elsewhere)
    columns: dict[str, Any] = {
        "type": drawn.type,
        "settings": dict(drawn.settings),
        "excluded": drawn.excluded.to_json(),
        "number_id": drawn.number,
    }
    drip = drawn.kind is Kind.DRIP
    if drip:
        columns |= {"kind": "drip", "state": "active"}
    else:
        columns |= {"audience": Audience(tags=("them",)).to_json(), "contacts_up_to": contacts[-1]}
    made = await world.campaign(steps=(), **columns)
    for position, step in enumerate(drawn.steps, start=1):
        await world.value(
            "insert into steps (organization_id, campaign_id, position, after_s, content, conditions, timing, settings, fallback, created_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            ACME,
            made,
            position,
            step["after_s"] if drip else 0,
            step["content"],
            step["conditions"] if drip else {},
            step["timing"] if drip else {},
            step["settings"] if drip else {},
            step["fallback"],
            NOON,
        )
    if drip:
        async with world.database.owner_unit(ACME, NOON) as unit:
            await enrollments.enroll(unit, campaign=made, contacts=contacts, by="U0OWNER")
        # Whoever may not be written to has not come in.
        rows = await world.rows(
            "select contact_id from enrollments where campaign_id = $1 order by id", made
        )
        contacts = [row["contact_id"] for row in rows]
    else:
        await world.value(
            "insert into frozen_audiences (organization_id, campaign_id, first_contact, last_contact, contacts)"
            " values ($1, $2, $3, $4, $5)",
            ACME,
            made,
            contacts[0],
            contacts[-1],
            contacts,
        )
    return Made(id=made, kind=drawn.kind, contacts=contacts)


async def _people(
    world: World,
    people: Sequence[Mapping[str, Any]],
    *,
    other: CampaignId,
    elsewhere: CampaignId,
) -> list[ContactId]:
    """Make contacts, who had something promotional of *other*, and wait in *elsewhere*."""
    texts = ("timezone", "company", "last_number_id")
    times = ("opted_out_at", "platform_stopped_at", "blocked_at", "promoted_at")
    rows = await world.rows(
        """
        with made as (
          insert into contacts (organization_id, first_name, source, created_at, updated_at, timezone, company,
                                last_number_id, opted_out_at, platform_stopped_at, blocked_at, promoted_at,
                                promoted_ats, promoted_campaign_id, attributes)
          select $1, 'Ada', 'import', $2, $2, zone, company, number, opted_out, stopped, blocked, promoted,
                 case when promoted is null then '{}' else array[promoted] end,
                 case when promoted is not null then $3::bigint end, given::jsonb
            from unnest($4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::timestamptz[],
                        $10::timestamptz[], $11::text[]) with ordinality
                 as t(zone, company, number, opted_out, stopped, blocked, promoted, given, place)
           order by place
          returning id),
        reached as (
          insert into contact_identities (organization_id, kind, value, contact_id, created_at)
          select $1, 'phone', '+316' || (10000000 + id % 90000000), id, $2 from made)
        select id from made order by id
        """,
        ACME,
        NOON,
        other,
        *([each.get(name) for each in people] for name in (*texts, *times)),
        [orjson.dumps(each.get("attributes", {})).decode() for each in people],
    )
    contacts = [ContactId(row["id"]) for row in rows]
    await world.value(
        "insert into enrollments (organization_id, campaign_id, contact_id, state, enrolled_at, enrolled_by)"
        " select $1, $2, c, 'paused', $4, 'U' from unnest($3::bigint[]) as c",
        ACME,
        elsewhere,
        [c for c, each in zip(contacts, people, strict=True) if each.get("elsewhere")],
        NOON,
    )
    wrote = [
        (number, c)
        for c, each in zip(contacts, people, strict=True)
        for number in sorted(each.get("wrote", ()))
    ]
    await world.value(
        "insert into service_windows (organization_id, number_id, contact_id, last_inbound_at)"
        " select $1, n, c, $4 from unnest($2::text[], $3::bigint[]) as t(n, c)",
        ACME,
        [number for number, _ in wrote],
        [contact for _, contact in wrote],
        NOON - HOUR * 3,
    )
    return contacts


# Letting it happen


async def walk(world: World, habits: Habits, *, moments: int = MOST_MOMENTS) -> None:
    """Let planner and lanes work at every moment at which something is due.

    Args:
        moments: After so many it stops as soon as nobody has yet to read or answer.
    """
    clock = world.clock
    assert isinstance(clock, Still)
    answers = habits.reads or habits.replies
    lanes = {each.id: Claims(world.rules, each) for each in world.rules.numbers}
    jobs = worker(world)
    for moment in range(1, MOST_MOMENTS):
        if answers:
            await _answer(world, clock.at, habits)
        worked = True
        while worked:
            worked = False
            while (due := await _due(world, clock.at))["plan"] and await plan(jobs, ACME):
                pass
            if due["plan"]:
                due = await _due(world, clock.at)
            for number in sorted(due["numbers"]):
                worked |= await _lane(world, number, lanes[number], clock.at)
        # A claim that took nothing may have closed a tap.
        due = await _due(world, clock.at)
        if due["following"] is None:
            return
        if moment >= moments and not (answers and due["silent"]):
            return
        clock.at = due["following"]
    raise AssertionError("it never ends")


async def _due(world: World, at: datetime) -> dict[str, Any]:
    """Return what there is to do now, and when there is something next."""
    (found,) = await world.rows(
        """
        select exists (select from enrollments where state = 'active' and due_at <= $1)
               or exists (select from campaigns where kind = 'broadcast' and state = 'running' and planned_at is null)
                 as plan,
               array(select distinct number_id from messages where state = 'queued' and due_at <= $1) as numbers,
               exists (select from messages where state = 'delivered') as silent,
               (select min(moment) from (
                  select due_at as moment from enrollments where state = 'active' and due_at is not null
                  union all select m.due_at from messages m where m.state = 'queued'
                  union all select greatest(c.closed_until, c.next_slot_at) from campaigns c
                             where exists (select from messages m where m.campaign_id = c.id and m.state = 'queued')
                  union all select closed_until from organizations where exists (select from messages where state = 'queued')
                  union all select accepted_at + interval '1 minute' from messages where state = 'delivered'
                ) due where moment > $1) as following
        """,
        at,
    )
    return found


async def _lane(world: World, number: NumberId, claims: Claims, at: datetime) -> bool:
    """Claim all there is, and let WhatsApp accept it when each call may start, and deliver it."""

    async def work(unit: Unit) -> bool:
        await unit.connection.execute("delete from leases where name = $1", f"lane:{number}")
        lease = await leases.acquire(unit, name=f"lane:{number}", holder="us")
        assert lease is not None
        claimed = await claims.claim(unit, lease, room=1000, replies=16)
        if claimed.calls:
            await record(unit, [_accepted(call) for call in claimed.calls])
            await _become(unit, State.DELIVERED)
        return bool(claimed.calls or claimed.settled)

    return await world.database.run(ACME, at, work, owner=True)


def _accepted(call: Call) -> Result:
    outcome = Accepted(wamid=f"wamid.{call.message.id}", held=False)
    return Result(call=call, outcome=outcome, at=call.starts_at)


async def _answer(world: World, at: datetime, habits: Habits) -> None:
    """Let those read and answer it whose message was accepted a minute ago."""
    await world.database.run(ACME, at, lambda unit: _become(unit, State.READ), owner=True)
    if not habits.replies:
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


async def _become(unit: Unit, state: State) -> None:
    """Let what was accepted be delivered at once, or what was delivered be read a minute later."""
    read = state is State.READ
    rows = await unit.connection.fetch(
        "select id from messages where state = $1 and (not $2 or accepted_at <= $3)",
        State.DELIVERED if read else State.ACCEPTED,
        read,
        unit.at - MINUTE,
    )
    if not rows:
        return
    changes = []
    for row in (await messages.locked(unit, [row["id"] for row in rows])).values():
        accepted = row.message.accepted_at
        assert accepted is not None
        when = accepted + MINUTE if read else accepted
        changes.append((row, row.with_message(row.message.progressed(state, at=when, attempt=1))))
    await messages.save(unit, changes)
