"""The queries of every claim and tick stay on their indexes, however many rows there are."""

# ruff: noqa: E501 — SQL reads better unbroken

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest

from engine.campaign import State
from engine.ids import ContactId
from engine.message import SETTLING
from storage import slack_posts
from storage.media import RENEWED_AFTER
from storage.queries import Query, load
from storage.sending import AHEAD
from tests.database import ACME, NOON
from tests.integration.worker.world import NUMBER, OTHER_NUMBER, World

ROWS = 200_000
BIG = (
    "places",
    "messages",
    "contacts",
    "contact_identities",
    "contact_tags",
    "enrollments",
    "service_windows",
    "dates_due",
    "segment_presence",
    "slack_posts",
    "events",
)
HOUR = timedelta(hours=1)


@pytest.fixture
async def filled(world: World) -> AsyncIterator[World]:
    """Yield a world with a paused half, a finished half, and a little that is due."""
    contacts = await world.contacts(ROWS // 4)
    paused, running, done = (
        await world.campaign(state="paused"),
        await world.campaign(settings={"rate": "500/s"}),
        await world.campaign(),
    )
    drip = await world.campaign(kind="drip", state="active")
    for campaign in (paused, running, done, drip):
        await world.queued(campaign, contacts)
    await world.value(
        "update messages set state = 'read', accepted_at = $1, sent_at = $1, delivered_at = $1, read_at = $1, attempt = 1,"
        " wamid = 'w' || id where campaign_id = $2",
        NOON,
        done,
    )
    await world.value(
        "insert into enrollments (organization_id, campaign_id, contact_id, state, enrolled_at, enrolled_by, ended_at)"
        " select $1, $2, c, 'completed', $3, 'U0OWNER', $3 from unnest($4::bigint[]) as c",
        ACME,
        drip,
        NOON,
        contacts,
    )
    walking = await world.campaign(kind="drip", state="active", steps=(0, 3600), name="walking")
    await world.value(
        "insert into enrollments (organization_id, campaign_id, contact_id, state, step_id, position, since_at, due_at,"
        " timed, enrolled_at, enrolled_by)"
        " select $1, $2, c, 'active', (select max(id) from steps where campaign_id = $2), 1, $3,"
        "        $3::timestamptz + (c % 500) * interval '1 hour', true, $3, 'U0OWNER' from unnest($4::bigint[]) as c",
        ACME,
        walking,
        NOON,
        contacts,
    )
    await world.value(
        "update campaigns set completed_at = $1, settled_at = $1 where id in ($2, $3)",
        NOON,
        drip,
        done,
    )
    failed = await world.campaign(name="failed")
    await world.queued(failed, contacts)
    await world.value(
        "update messages set state = 'dead', reason = 'failed', error_code = 131026, attempt = 1,"
        " failed_at = $1, settled_at = $1, claimed_at = $1 where campaign_id = $2",
        NOON - 48 * HOUR,
        failed,
    )
    await dated(world, contacts)
    await world.value("analyze")
    yield world
    # What is deleted only would slow down every test after this one.
    await world.value("truncate messages, contacts, enrollments, campaigns, automations cascade")
    await world.value("analyze")


async def dated(world: World, contacts: list[ContactId]) -> None:
    """Let contacts have dates to come, and as many that came while their automation was paused."""
    birthday = await world.value(
        "insert into automations (organization_id, trigger, action, state, created_at, on_since, created_by, dates_read_at)"
        """ values ($1, '{"on": "date", "attribute": "birthday", "minute": 540}', '{"do": "tag", "tag": "x"}', 'on', $2, $2,"""
        " 'U0OWNER', $2) returning id",
        ACME,
        NOON,
    )
    await world.value(
        "insert into dates_due (organization_id, automation_id, contact_id, due_at)"
        " select $1, $2, c, $3::timestamptz + (c % 300) * interval '1 day' from unnest($4::bigint[]) as c",
        ACME,
        birthday,
        NOON + HOUR,
        contacts,
    )
    paused = await world.value(
        "insert into automations (organization_id, trigger, action, state, created_at, on_since, created_by, dates_read_at)"
        " select organization_id, trigger, action, 'off', created_at, on_since, created_by, dates_read_at from automations"
        " returning id"
    )
    await world.value(
        "insert into dates_due (organization_id, automation_id, contact_id, due_at)"
        " select organization_id, $1, contact_id, due_at - interval '400 days' from dates_due",
        paused,
    )


@pytest.fixture
async def told(world: World) -> AsyncIterator[World]:
    """Yield a world that has ended thousands of campaigns and told staff very much."""
    await world.value(
        "insert into campaigns (organization_id, kind, name, state, type, actor, created_at, updated_at, started_at)"
        " select $1, 'broadcast', 'ended ' || n, 'completed', 'promotional', 'U0OWNER', $2, $2, $2"
        "   from generate_series(1, 3000) as n",
        ACME,
        NOON,
    )
    await world.campaign()
    cards = await world.rows("select id from campaigns where state = 'completed' order by id")
    async with world.database.owner_unit(ACME, NOON) as unit:
        keys = [slack_posts.card_key(row["id"]) for row in cards[1:]]
        await slack_posts.intend(unit, keys=keys, channel="C0CARDS", thread_ts=None)
        await slack_posts.posted(unit, keys=keys, channel="C0CARDS", ts="1", digest="d", final=True)
    await world.value(
        "insert into slack_posts (organization_id, key, channel, ts, intended_at)"
        " select $1, 'event:' || n, 'C0ALERTS', '1', $2 from generate_series(1, 100000) as n",
        ACME,
        NOON,
    )
    await world.value(
        "insert into events (organization_id, kind, campaign_id, content, at, relayed_at)"
        """ select $1, 'reply', n % 50, jsonb_build_object('inbound', n), $2, $2 from generate_series(1, 100000) as n""",
        ACME,
        NOON,
    )
    await world.value("analyze")
    yield world
    await world.value("truncate campaigns, slack_posts, events cascade")
    await world.value("analyze")


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


async def explained(world: World, query: Query, **values: Any) -> list[dict[str, Any]]:  # noqa: ANN401 — SQL values
    values = {
        "organization": ACME,
        "at": NOON + HOUR,
        "ahead": NOON + HOUR + AHEAD,
        "renew_before": NOON - RENEWED_AFTER,
        "renewed_after": RENEWED_AFTER,
        **values,
    }
    async with world.database.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            found = await connection.fetchval(
                f"explain (analyze, format json) {query.text}",
                *(values[name] for name in query.parameters),
            )
        finally:
            await transaction.rollback()
    return list(nodes(orjson.loads(found)[0]["Plan"]))


async def cases(world: World) -> dict[str, tuple[Query, dict[str, Any]]]:
    ids = [
        row["id"]
        for row in await world.rows(
            "select id from messages where state = 'queued' order by id limit 100"
        )
    ]
    read = [
        row["id"]
        for row in await world.rows(
            "select id from messages where state = 'read' order by id limit 100"
        )
    ]
    campaigns = [row["id"] for row in await world.rows("select id from campaigns order by id")]
    contacts = [
        row["id"] for row in await world.rows("select id from contacts order by id limit 100")
    ]
    walking = await world.value("select id from campaigns where name = 'walking'")
    runs = [
        row["id"]
        for row in await world.rows(
            "select id from enrollments where campaign_id = $1 order by contact_id limit 100",
            walking,
        )
    ]
    numbers = [NUMBER, OTHER_NUMBER]
    planning, enrollments = load("planning"), load("enrollments")
    sending, messages, work = load("sending"), load("messages"), load("work")
    completion, doubts = load("completion"), load("doubts")
    redriving, failed = load("redriving"), campaigns[-1]
    dead = [
        row["id"]
        for row in await world.rows(
            "select id from messages where state = 'dead' order by id limit 100"
        )
    ]
    return {
        "open_campaigns": (
            sending["open_campaigns"],
            {"number": NUMBER, "counted": True},
        ),
        "due": (
            sending["due"],
            {
                "number": NUMBER,
                "campaigns": [0, campaigns[1]],
                "quotas": [100, 100],
                "named": True,
            },
        ),
        "is_due": (sending["is_due"], {"number": NUMBER}),
        "take": (
            sending["take"],
            {
                "ids": ids,
                "templates": [1] * len(ids),
                "names": ["welcome"],
                "languages": ["en"],
                "generation": 1,
                "contacts": contacts,
                "message_ats": [NOON] * len(contacts),
                "campaigns": [1] * len(contacts),
                "promoted_ats": [NOON] * len(contacts),
                "capped": 0,
            },
        ),
        "give_back": (
            sending["give_back"],
            {"ids": ids, "attempts": [1] * len(ids), "generation": 1},
        ),
        "outranked": (
            sending["outranked"],
            {"contacts": contacts, "campaigns": campaigns[:2]},
        ),
        "elsewhere": (
            load("overlaps")["elsewhere"],
            {"contacts": contacts, "campaign": campaigns[1]},
        ),
        "lately": (
            load("overlaps")["lately"],
            {"contacts": contacts, "campaign": campaigns[1], "since": NOON},
        ),
        "look_again": (
            load("campaigns")["look_again"],
            {
                "campaign": campaigns[0],
                "since": NOON,
                "due_at": NOON,
                "id": 0,
                "zone": "Europe/Amsterdam",
                "limit": 1000,
            },
        ),
        "due_to_start": (load("campaigns")["due_to_start"], {"limit": 20}),
        "inherit": (sending["inherit"], {"number": NUMBER, "generation": 1}),
        "lock_messages": (messages["lock_messages"], {"ids": read}),
        "accept": (
            messages["accept"],
            {
                "ids": read,
                "attempts": [1] * len(read),
                "accepted_ats": [NOON] * len(read),
                "wamids": ["wamid"] * len(read),
            },
        ),
        "progress": (
            load("statuses")["progress"],
            {
                "ids": read,
                "attempts": [1] * len(read),
                "numbers": [NUMBER] * len(read),
                "wamids": ["wamid"] * len(read),
                "states": ["read"] * len(read),
                "sent_ats": [NOON] * len(read),
                "delivered_ats": [NOON] * len(read),
                "read_ats": [NOON] * len(read),
            },
        ),
        "lock_accepted_runs": (messages["lock_runs"], {"run_ids": read}),
        "keep_campaigns": (messages["keep_campaigns"], {"ids": read}),
        "lock_enrollments": (messages["lock_enrollments"], {"ids": read}),
        "lock_campaigns": (messages["lock_campaigns"], {"ids": read}),
        "lock_contacts_of": (
            load("effects")["lock_contacts_of"],
            {"ids": read, "contacts": contacts},
        ),
        "lock_runs": (
            load("inbound")["lock_runs"],
            {
                "stopped": contacts[:50],
                "repliers": contacts[50:],
                "campaigns": [campaigns[-1]] * 50,
                "answered": read,
            },
        ),
        "lanes": (work["lanes"], {"numbers": numbers, "expiry_s": 4.0}),
        "jobs": (work["jobs"], {"numbers": numbers}),
        "idle": (work["idle"], {"grace": HOUR, "settling": SETTLING}),
        "settle": (completion["settle"], {}),
        "complete_drips": (completion["complete_drips"], {}),
        "queued_of": (
            completion["queued_of"],
            {"campaign": campaigns[0], "limit": 2000},
        ),
        "strays": (load("numbers")["strays"], {"configured": numbers, "expiry_s": 4.0}),
        "move": (
            load("numbers")["move"],
            {
                "number": NUMBER,
                "configured": [OTHER_NUMBER],
                "standard": OTHER_NUMBER,
                "limit": 1000,
            },
        ),
        "what happened to contacts": (
            load("imports")["happened"],
            {"contacts": contacts, "list": 1},
        ),
        "facts of contacts": (load("imports")["facts"], {"contacts": contacts}),
        "contacts as they leave": (load("exports")["contacts"], {"contacts": contacts}),
        "dates due": (load("dates")["due"], {"limit": 1000}),
        "dates of contacts": (
            load("dates")["contacts"],
            {"automation": 1, "attribute": "birthday", "contacts": contacts},
        ),
        "the next contacts": (
            load("following")["until"],
            {"after": contacts[50], "limit": 2000},
        ),
        "reached": (
            load("occurrences")["reached"],
            {
                "kinds": ["read"] * len(contacts),
                "contacts": contacts,
                "campaigns": [campaigns[-1]] * len(contacts),
                "steps": [1] * len(contacts),
                "runs": list(range(1, len(contacts) + 1)),
            },
        ),
        "enrollments of contacts": (
            load("enrollments")["of_contacts"],
            {"contacts": contacts},
        ),
        "facts to look ahead": (
            load("looking")["facts"],
            {
                "contacts": contacts,
                "number": None,
                "numbers": numbers,
                "standard_number": NUMBER,
            },
        ),
        "runs of one": (
            load("looking")["runs"],
            {"campaign": walking, "contact": contacts[0], "limit": 5},
        ),
        "told one": (
            load("looking")["told"],
            {"campaign": campaigns[0], "contact": contacts[0], "limit": 200},
        ),
        "standings": (
            load("looking")["standings"],
            {"campaign": walking, "after": runs[50], "limit": 500},
        ),
        "standing_evidence": (
            load("looking")["standing_evidence"],
            {"campaign": walking, "runs": runs, "contacts": contacts},
        ),
        "drips_due": (planning["drips_due"], {}),
        "due_enrollments": (
            planning["due_enrollments"],
            {"campaign": walking, "limit": 500, "with_attributes": True},
        ),
        "evidence": (
            planning["evidence"],
            {"campaign": walking, "runs": runs, "contacts": contacts},
        ),
        "tags_asked": (planning["tags_asked"], {"tags": ["vip"], "contacts": contacts}),
        "put_off": (
            planning["put_off"],
            {
                "ids": runs,
                "untils": [NOON + HOUR] * len(runs),
                "for_delivery": [False] * len(runs),
                "since_ats": [NOON] * len(runs),
            },
        ),
        "pass_on": (
            planning["pass_on"],
            {
                "ids": runs,
                "steps": [1] * len(runs),
                "places": [1.0] * len(runs),
                "due_ats": [NOON + HOUR] * len(runs),
            },
        ),
        "advance_enrollments": (
            messages["advance_enrollments"],
            {"run_ids": runs, "step_ids": [1] * len(runs), "moments": [NOON] * len(runs)},
        ),
        "next_waiting": (
            enrollments["next_waiting"],
            {"campaign": walking, "cursor": runs[50], "limit": 500},
        ),
        "rewalk": (
            enrollments["rewalk"],
            {"campaign": walking, "cursor": runs[0], "until": runs[-1]},
        ),
        "retime": (enrollments["retime"], {"contacts": contacts}),
        "of_contact": (
            enrollments["of_contact"],
            {"campaign": walking, "contact": contacts[0]},
        ),
        "to_rewalk": (load("campaigns")["to_rewalk"], {}),
        "what came of campaigns": (
            load("brake")["driven"],
            {"since": NOON - 23 * HOUR, "left_out": 130497},
        ),
        "a page of what failed": (
            redriving["page"],
            {"campaign": failed, "before": dead[-1], "limit": 26},
        ),
        "what failed of some": (redriving["dead_of"], {"campaign": failed, "contacts": contacts}),
        "facts of what failed": (redriving["facts"], {"ids": dead}),
        "silent": (
            doubts["silent"],
            {"grace": HOUR, "policy": "resend", "limit": 500},
        ),
    }


async def reads_little(world: World, name: str, query: Query, **values: Any) -> None:  # noqa: ANN401 — SQL values
    found = await explained(world, query, **values)
    scanned = [
        node["Relation Name"]
        for node in found
        if node["Node Type"] == "Seq Scan"
        and node["Relation Name"].startswith(BIG)
        and node["Actual Rows"] + node.get("Rows Removed by Filter", 0) > 1000
    ]
    assert not scanned, f"{name} scans {scanned}"
    read = sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in found
        if "Relation Name" in node and node["Relation Name"].startswith(BIG)
    )
    assert read <= 5_000, f"{name} reads {read} rows"


async def test_what_the_relay_asks_all_the_time_does_not_grow_with_what_was_told(
    told: World,
) -> None:
    posts = load("slack_posts")
    content = {"code": 1, "meaning": "x"}
    for name, query, values in (
        ("cards", posts["cards"], {}),
        ("unfinished_cards", posts["unfinished_cards"], {}),
        (
            "tell_staff",
            load("effects")["tell_staff"],
            {"kind": "failure", "campaign": 7, "content": content},
        ),
    ):
        await reads_little(told, name, query, **values)

    async with told.database.unit(ACME, NOON) as unit:
        listed = await slack_posts.cards(unit)
    assert [(card.state, card.digest) for card in listed] == [
        (State.COMPLETED, None),
        (State.RUNNING, None),
    ]
    # No more of them than these two are looked at.
    found = await explained(told, posts["cards"])
    looked = [
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in found
        if node.get("Relation Name") == "campaigns"
    ]
    assert sum(looked) == 2


async def test_nothing_reads_a_big_table_from_end_to_end(filled: World) -> None:
    for name, (query, values) in (await cases(filled)).items():
        await reads_little(filled, name, query, **values)

    # A claim reads what it takes, whatever stands before it: the paused campaign's rows are due too.
    query, values = (await cases(filled))["due"]
    taken = [
        node["Actual Rows"] * node["Actual Loops"]
        for node in await explained(filled, query, **values)
        if node["Node Type"].startswith("Index") and node["Relation Name"].startswith("messages")
    ]
    assert sum(taken) == 100
