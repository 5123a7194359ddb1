"""No query of what happens all the time reads a table through, however much is in it.

Every query of the aggregates below takes part, with values made from the names and types of its
parameters; one that is added later is asked for by itself.
"""

# ruff: noqa: E501 — SQL reads better unbroken

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any, Final

import asyncpg
import orjson
import pytest

from storage.media import RENEWED_AFTER
from storage.queries import Query, load
from tests.database import ACME, NOON
from tests.integration.worker.test_plans import filled, nodes
from tests.integration.worker.world import NUMBER, OTHER_NUMBER, World

__all__ = ["filled"]

HOUR: Final = timedelta(hours=1)
AT_ONCE: Final = 100
"""Rows that a query is asked for; no array is longer."""
READS: Final = 5_000
"""So many rows of a table it may come by for those."""
SCANS: Final = 3_000
"""Of a table that stays small, such as places by the minute of two days."""

READS_MUCH: Final = {
    "campaigns.all_zones": "for staff who schedule a broadcast to everybody by their own clocks",
    "enrollments.affected": "counts for staff who change a step whom that meets",
    "enrollments.states": "counts for staff who ask for a campaign's enrollments",
    "merging.move_occurrences": "of what happened and was not looked at yet: a queue that empties",
    "redriving.reasons": "counts for staff why messages of a campaign failed",
    "restores.concerned": "counts for staff what waits, after a database was restored",
}
"""Queries that read very much for a person who asks now and then, or of what is soon gone."""

HOT: Final = (
    "brake", "campaigns", "completion", "consents", "doubts", "effects", "enrollments", "events", "expiry", "identities",
    "inbound", "leases", "left_to_staff", "merging", "messages", "numbers", "occurrences", "overlaps", "places",
    "planning", "redriving", "restores", "revocations", "sending", "statuses", "tasks", "work",
)  # fmt: skip


@pytest.fixture
async def crowded(filled: World) -> AsyncIterator[World]:
    """Yield a world in which much has been said, counted, limited and kept beside what is sent."""
    world = filled
    for table, columns, selected in (
        ("inbound_messages", "wamid, number_id, contact_id, kind, campaign_id, meaning, content, at, received_at",
         ("'in.' || c.id, t.number, c.id, 'text', (select min(id) + c.id % 2 from campaigns), case when c.id % 100 = 0 then 'stop' end,"
         " '{}', t.at - c.id % 90000 * interval '1 minute', t.at - c.id % 90000 * interval '1 minute' from contacts c")),
        ("service_windows", "number_id, contact_id, last_inbound_at", "t.number, c.id, t.at from contacts c"),
        ("consents", "contact_id, kind, at, channel, recorded_at", "c.id, 'opt_in', t.at, 'import', t.at from contacts c"),
        ("contact_tags", "tag, contact_id, added_at", "'vip', c.id, t.at from contacts c"),
        ("occurrences", "kind, contact_id, value, at", "'contact_created', c.id, '', t.at from contacts c"),
        ("campaign_stats", "campaign_id, step_id, hour, metric, count",
         ("c.id, c.id, date_trunc('hour', t.at, 'UTC') - n * interval '1 hour', m, 1"
         " from campaigns c, generate_series(1, 800) n, unnest('{planned,accepted,sent,delivered,read}'::text[]) m")),
        ("places", "cap, contact_id, bucket, uses",
         "'messaging_limit', c.id, t.at - c.id % 1440 * interval '1 minute', 1 from contacts c"),
        ("place_counts", "cap, bucket, count",
         "'messaging_limit', t.at - n * interval '1 minute', 35 from generate_series(0, 1439) n"),
        ("sending_hours", "hour, count", "t.at - n * interval '1 hour', 1000 from generate_series(0, 48) n"),
        ("revocations", "contacts, noted_at", "array[n], t.at from generate_series(1, 1000) n"),
        ("frozen_audiences", "campaign_id, first_contact, last_contact, contacts",
         "x.* from (select (select min(id) from campaigns), min(id), max(id), array_agg(id order by id) from contacts group by id / 100) x"),
        ("leases", "name, holder, generation, renewed_at", "'lane:' || n, 'me', 1, t.at from unnest(array['1', '2']) n"),
    ):  # fmt: skip
        source, _, from_ = selected.rpartition(" from ")
        await world.value(
            f"insert into {table} (organization_id, {columns})"  # noqa: S608 — of the lines above
            f" select $1, {source} from (select $2::timestamptz as at, $3::text as number) t, {from_}",
            ACME,
            NOON,
            NUMBER,
        )
    await world.value("analyze")
    yield world
    await world.value(
        "truncate inbound_messages, service_windows, consents, contact_tags, occurrences, campaign_stats, places,"
        " place_counts, sending_hours, revocations, frozen_audiences, leases"
    )


Values = Mapping[str, Any]


async def known(world: World) -> tuple[Values, Mapping[str, Values]]:
    """Return values of parameters by their names, and those that an aggregate or query has else."""

    async def some(what: str) -> list[int]:
        return [row["id"] for row in await world.rows(f"{what} limit {AT_ONCE}")]

    def each(value: object) -> list[Any]:
        return [value] * AT_ONCE

    campaigns = [row["id"] for row in await world.rows("select id from campaigns order by id")]
    walking = await world.value("select id from campaigns where name = 'walking'")
    failed = await world.value("select id from campaigns where name = 'failed'")
    contacts = await some("select id from contacts order by id")
    runs = await some("select id from enrollments where state = 'active' order by id")
    read = await some("select id from messages where state = 'read' order by id")
    dead = await some("select id from messages where state = 'dead' order by id")
    queued = await some("select id from messages where state = 'queued' order by id")
    paused, step = campaigns[0], await world.value("select min(id) from steps")
    numbers = [NUMBER, OTHER_NUMBER]
    second = int(NOON.timestamp())
    slice_ = {"cursor": contacts[0], "until": contacts[-1], "campaign": paused, "step": step}
    hours = [NOON - place * HOUR for place in range(AT_ONCE)]
    named = {
        "organization": ACME,
        "at": NOON + HOUR,
        "ahead": NOON + HOUR,
        "since": NOON - HOUR,
        "before": NOON,
        "expiry_s": 4.0,
        "number": NUMBER,
        "numbers": numbers,
        "standard_number": NUMBER,
        "standard": NUMBER,
        "configured": numbers,
        "renew_before": NOON - RENEWED_AFTER,
        "renewed_after": RENEWED_AFTER,
        "limit": AT_ONCE,
        "contacts": contacts,
        "contact": contacts[0],
        "campaign": walking,
        "campaigns": campaigns,
        "ids": read,
        "runs": runs,
        "run_ids": runs,
        "enrollments": runs,
        "cap": "messaging_limit",
        "bucket": NOON,
        "hour": NOON,
        "second": second,
    }
    own: Mapping[str, Values] = {
        "brake": {"campaign": failed},
        "campaigns.add": {"kind": "drip", "state": "draft", "type": "survey", "name": "new"},
        "campaigns.change": {"type": "survey"},
        "campaigns.copy_steps": {"copy": failed},
        "campaigns.move": {"state": "paused"},
        "completion": {"campaign": paused},
        "consents.append": {"kinds": each("opt_in")},
        "consents.append_new": {"kinds": each("opt_in")},
        "identities.attach": {"kinds": each("wa_id"), "values": [f"3161{n}" for n in contacts]},
        "effects": {"campaign": failed, "ids": dead},
        "effects.note_consents": {"kinds": each("opt_in")},
        "enrollments": {"ids": runs, "cursor": runs[50], "until": runs[-1]},
        "enrollments.put_before": {"state": "active"},
        "enrollments.queued_of_removed": {"campaign": paused},
        "inbound": {"numbers": each(NUMBER), "campaigns": each(walking), "ats": each(NOON)},
        "inbound.queued": {"stopped": contacts, "repliers": contacts},
        "inbound.lock_runs": {"stopped": contacts, "repliers": contacts, "answered": read},
        "inbound.latest": {"within_s": 72 * 3600},
        "messages.save_messages": {"states": each("delivered"), "doubled": each(0)},
        "messages.move_stats": {"hours": hours},
        "numbers.know": {"ids": numbers, "phones": ["+15550001111", "+15550002222"]},
        "occurrences.note": {"kinds": each("contact_created")},
        "occurrences.reached": {"kinds": each("read")},
        "places.count": {"buckets": hours},
        "planning": slice_,
        "planning.attach_leaves": {"until": NOON},
        "planning.walk": {"campaign": walking},
        "planning.lock_drip": {"campaign": walking},
        "planning.due_enrollments": {"campaign": walking},
        "planning.evidence": {"campaign": walking},
        "planning.plan_enrollments": {
            "numbers": each(NUMBER),
            "seconds": each(second),
            "reasons": each(None),
            "campaign": walking,
        },
        "planning.slice_end": {"ceiling": 2**60},
        "redriving": {"campaign": failed, "before": dead[-1], "ids": dead},
        "sending": {"campaigns": [0, campaigns[1]], "quotas": [100, 100], "capped": 3},
        "sending.mark_claimed": {"ids": queued},
        "sending.defer": {"ids": queued},
    }
    return named, own


_SCALARS: Final[Mapping[str, object]] = {
    "text": "x", "varchar": "x", "int2": 1, "int4": 1, "int8": 1, "float8": 1.0, "bool": True, "timestamptz": NOON,
    "date": NOON.date(), "jsonb": {}, "interval": HOUR,
}  # fmt: skip


async def explained(
    connection: asyncpg.Connection, query: Query, named: Values
) -> list[dict[str, Any]]:
    """Run a query with values of *named*, else of its parameters' types; return its plan's nodes."""
    types = (await connection.prepare(query.text)).get_parameters()
    values: list[object] = []
    for name, type_ in zip(query.parameters, types, strict=True):
        array = type_.kind == "array"
        usual = _SCALARS[type_.name.removesuffix("[]").removeprefix("_")]
        fits = name in named and array == isinstance(named[name], list)
        values.append(named[name] if fits else [usual] * AT_ONCE if array else usual)
    transaction = connection.transaction()
    await transaction.start()
    try:
        found = await connection.fetchval(f"explain (analyze, format json) {query.text}", *values)
    finally:
        await transaction.rollback()
    return list(nodes(orjson.loads(found)[0]["Plan"]))


def defects(found: list[dict[str, Any]]) -> list[str]:
    """Return what of a plan reads much more than it was asked for, or sorts it."""
    bad = []
    for node in found:
        read = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        of = node.get("Relation Name")
        if node["Node Type"] == "Seq Scan" and read > SCANS:
            bad.append(f"reads {read:.0f} of {of} from end to end")
        elif of is not None and read > READS:
            bad.append(f"reads {read:.0f} of {of}")
        elif "Sort" in node["Node Type"] and read > READS:
            bad.append(f"sorts {read:.0f}")
    return bad


async def test_no_hot_query_reads_or_sorts_everything(crowded: World) -> None:
    named, own = await known(crowded)
    bad: dict[str, list[str]] = {}
    async with crowded.database.pool.acquire() as connection:
        for aggregate in HOT:
            for query in load(aggregate).values():
                name = f"{aggregate}.{query.name}"
                values = {**named, **own.get(aggregate, {}), **own.get(name, {})}
                try:
                    found = defects(await explained(connection, query, values))
                except asyncpg.PostgresError as error:
                    found = [f"takes no such values, see `known`: {error}"]
                if bool(found) is not (name in READS_MUCH):
                    bad[name] = found

    assert bad == {}
