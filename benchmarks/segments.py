"""Previews of five segments over 1,000,000 contacts beside the best SQL by hand for each."""

# ruff: noqa: E501 — SQL reads better unbroken

import asyncio
import resource
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import click
import psutil

from benchmarks._frame import Side, percentile, printed, say
from benchmarks._world import ACME, server_cpu_s, servers
from engine.attributes import AttributeType
from engine.ids import CampaignId, ContactId, ListId, SegmentId
from engine.segment import Definition
from engine.segment_json import to_json
from engine.segment_parser import parse
from engine.segment_text import Known
from storage import members
from storage.database import Database, Unit
from storage.migrate import migrate
from storage.template_sync import know_organization

CONTACTS: Final = 1_000_000
ROUNDS: Final = 7
LONGEST_S: Final = 360
NOW: Final = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
KNOWN: Final = Known(
    attributes={
        "city": AttributeType.TEXT,
        "orders": AttributeType.NUMBER,
        "renewal": AttributeType.DATE,
    },
    tags=("lead", "customer", "vip"),
    lists={"Beta": ListId(1)},
    segments={"Hot": SegmentId(1)},
    campaigns={"Welcome": (CampaignId(1), False)},
)

_FILL: Final = (
    """
    insert into contacts (organization_id, id, name, first_name, attributes, language, country, source, created_at, updated_at,
                          last_reply_at, last_message_at, opted_out_at, conversation_count, last_rating)
    select 'acme', n, 'Ada ' || n, 'Ada',
           jsonb_build_object('city', (array['Amsterdam', 'Utrecht', 'Gent', 'Berlin', 'Paris', 'Lyon', 'Bonn', 'Breda'])[1 + (hashint8(n) & 7)],
                              'orders', (hashint8(n * 3) & 15)::text,
                              'renewal', (date '2026-01-01' + (hashint8(n * 5) & 511))::text),
           (array['nl', 'de', 'fr', 'en'])[1 + (hashint8(n * 7) & 3)],
           (array['NL', 'BE', 'DE', 'FR', 'ES', 'PT', 'US', 'GB'])[1 + (hashint8(n * 11) & 7)],
           'import', $1::timestamptz - n * interval '1 minute', $1,
           case when hashint8(n * 13) & 3 = 0 then $1::timestamptz - (hashint8(n * 17) & 255) * interval '1 day' end,
           $1, case when hashint8(n * 19) & 31 = 0 then $1::timestamptz end,
           hashint8(n * 23) & 3, case when hashint8(n * 29) & 3 = 0 then 1 + (hashint8(n * 31) & 3) end
      from generate_series(1, $2::bigint) as n
    """,
    """
    insert into contact_tags (organization_id, tag, contact_id, added_at)
    select 'acme', t.tag, n, $1 from generate_series(1, $2::bigint) as n,
           (values ('lead', 3, 37), ('customer', 7, 41), ('vip', 63, 43)) as t(tag, one_in, seed)
     where hashint8(n * t.seed) & t.one_in = 0
    """,
    """
    insert into list_members (organization_id, list_id, contact_id, added_at)
    select 'acme', 1, n, $1 from generate_series(1, $2::bigint) as n where hashint8(n * 47) & 15 = 0
    """,
    """
    insert into enrollments (organization_id, campaign_id, contact_id, state, enrolled_at, enrolled_by, ended_at, read)
    select 'acme', 1, n, 'completed', $1, 'U', $1, hashint8(n * 53) & 1
      from generate_series(1, $2::bigint) as n where hashint8(n * 59) & 3 = 0
    """,
)

# The count and the first ten from one pass, or from two where that is quicker.
_BY_HAND: Final = """
with meant as {kept} ({meant})
select (select count(*) from meant) as count, array(select id from meant order by id limit 10) as first
"""
_HOT: Final = """
c.last_reply_at >= $1 and c.last_reply_at <= $2 and lower(c.attributes ->> 'city') = 'amsterdam'
and exists (select from contact_tags t where t.organization_id = 'acme' and t.tag = 'lead' and t.contact_id = c.id)
and not exists (select from contact_tags t where t.organization_id = 'acme' and t.tag = 'customer' and t.contact_id = c.id)
"""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A segment as staff write it, and the statement somebody who knows the tables would write."""

    name: str
    written: str
    by_hand: str
    values: tuple[object, ...] = ()
    kept: str = "materialized"


CASES: Final = (
    Case(
        name="hot leads",
        written='tag:lead and not tag:customer and city is "Amsterdam" and last_reply within 30d',
        by_hand=f"select c.id from contacts c where c.organization_id = 'acme' and {_HOT}",  # noqa: S608 — of this module
        values=(NOW - timedelta(days=30), NOW),
    ),
    Case(
        name="quiet",
        written="last_reply older than 90d and consent is reachable and country is NL",
        by_hand="""
        select c.id from contacts c
         where c.organization_id = 'acme' and c.last_reply_at < $1 and c.country = 'NL' and c.erased_at is null
           and (c.opted_out_at is null or c.opted_in_at > c.opted_out_at)
           and (c.blocked_at is null or c.unblocked_at > c.blocked_at)
           and (c.unreachable_at is null or c.reached_at > c.unreachable_at)
           and (c.platform_stopped_at is null or c.platform_resumed_at > c.platform_stopped_at)
        """,
        values=(NOW - timedelta(days=90),),
    ),
    Case(
        name="buyers not welcomed",
        written="orders >= 12 and (country is NL or country is BE) and not enrolled:Welcome",
        by_hand="""
        select c.id from contacts c
         where c.organization_id = 'acme' and c.country in ('NL', 'BE') and (c.attributes ->> 'orders')::numeric >= 12
           and not exists (select from enrollments e where e.organization_id = 'acme' and e.campaign_id = 1 and e.contact_id = c.id)
        """,
        kept="not materialized",
    ),
    Case(
        name="readers about to renew",
        written="(read:Welcome or tag:vip) and renewal within the next 30d",
        by_hand="""
        select c.id from contacts c
         where c.organization_id = 'acme' and c.attributes ->> 'renewal' between '2026-11-20' and '2026-12-20'
           and c.id in (select e.contact_id from enrollments e where e.organization_id = 'acme' and e.campaign_id = 1 and e.read > 0
                        union
                        select t.contact_id from contact_tags t where t.organization_id = 'acme' and t.tag = 'vip')
        """,
    ),
    Case(
        name="beta or hot, no customers",
        written="(list:Beta or segment:Hot) and not tag:customer",
        by_hand=f"""
        select c.id from contacts c
         where c.organization_id = 'acme'
           and c.id in (select l.contact_id from list_members l where l.organization_id = 'acme' and l.list_id = 1
                        union
                        select c.id from contacts c where c.organization_id = 'acme' and {_HOT})
           and not exists (select from contact_tags t where t.organization_id = 'acme' and t.tag = 'customer' and t.contact_id = c.id)
        """,  # noqa: S608 — of this module
        values=(NOW - timedelta(days=30), NOW),
    ),
)


async def main(contacts: int) -> None:
    begun = time.monotonic()
    with servers() as given:
        await migrate(given.postgres)
        database = await Database.open(given.postgres, name="benchmark", largest=1)
        try:
            await _fill(database, contacts)
            say(f"filled in {time.monotonic() - begun:.0f} s")
            server = psutil.Process(given.postgres_pid)
            sides, by_case = await _measured(database, server, begun)
        finally:
            await database.close()
    ratios = {}
    for case in CASES:
        ours, theirs = (statistics.median(by_case[side][case.name]) for side in by_case)
        ratios[case.name] = ours / theirs
        say(f"{case.name}: {ours * 1e3:.0f} ms beside {theirs * 1e3:.0f} ms by hand")
    every = [each for several in by_case["preview"].values() for each in several]
    printed(
        benchmark="segments",
        sizes={"contacts": contacts, "segments": len(CASES)},
        sides=sides,
        ratios={"to_hand_written": max(ratios.values())} | ratios,
        latency_ms={"p50": percentile(every, 0.5) * 1e3, "p99": percentile(every, 0.99) * 1e3},
        peak_rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


async def _fill(database: Database, contacts: int) -> None:
    async with database.owner_unit(ACME, NOW) as unit:
        await know_organization(unit)
        for statement in (
            "insert into contact_lists (organization_id, id, name, created_at, created_by) values ('acme', 1, 'Beta', $1, 'U')",
            "insert into campaigns (organization_id, id, kind, name, state, type, actor, created_at, updated_at) values ('acme', 1, 'drip', 'Welcome', 'active', 'promotional', 'U', $1, $1)",
        ):
            await unit.connection.execute(statement, NOW)
        hot = Definition(where=parse(CASES[0].written, KNOWN), zone="Europe/Amsterdam")
        await unit.connection.execute(
            "insert into segments (organization_id, id, name, definition, created_at, created_by)"
            " values ('acme', 1, 'Hot', $1, $2, 'U')",
            to_json(hot),
            NOW,
        )
        for statement in _FILL:
            await unit.connection.execute(statement, NOW, contacts, timeout=600)
    async with database.pool.acquire() as connection:
        await connection.execute("vacuum analyze", timeout=600)


async def _measured(
    database: Database, server: psutil.Process, begun: float
) -> tuple[dict[str, Side], dict[str, dict[str, list[float]]]]:
    """Run both sides of every segment in turn; the first round warms up and does not count.

    Returns the sides, and the seconds of each round by side and segment.
    """
    sides = {"preview": Side(), "by_hand": Side()}
    taken: dict[str, dict[str, list[float]]] = {
        side: {case.name: [] for case in CASES} for side in sides
    }
    rounds = 0
    for round_ in range(ROUNDS + 1):
        if rounds and time.monotonic() - begun > LONGEST_S:
            break
        took = dict.fromkeys(sides, 0.0)
        used = dict.fromkeys(sides, 0.0)
        for case in CASES:
            found: dict[str, tuple[int, list[ContactId]]] = {}
            for side in ("preview", "by_hand") if round_ % 2 else ("by_hand", "preview"):
                async with database.owner_unit(ACME, NOW) as unit:
                    before, started = server_cpu_s(server), time.perf_counter()
                    found[side] = await (_preview if side == "preview" else _by_hand)(unit, case)
                    seconds = time.perf_counter() - started
                    took[side] += seconds
                    used[side] += server_cpu_s(server) - before
                if round_:
                    taken[side][case.name].append(seconds)
            if found["preview"] != found["by_hand"]:
                raise AssertionError(f"{case.name}: {found}")
            if not round_:
                say(f"{case.name}: {found['preview'][0]:,} contacts")
        if round_:
            for name, side_ in sides.items():
                side_.note(rate=len(CASES) / took[name], cpu_s=used[name], count=len(CASES))
        rounds += round_ > 0
    return sides, taken


async def _preview(unit: Unit, case: Case) -> tuple[int, list[ContactId]]:
    definition = Definition(where=parse(case.written, KNOWN), zone="Europe/Amsterdam")
    seen = await members.preview(unit, definition=definition, limit=10)
    return seen.count, list(seen.first)


async def _by_hand(unit: Unit, case: Case) -> tuple[int, list[ContactId]]:
    # What a careful hand would set for it too.
    await unit.connection.execute(
        "select set_config('work_mem', '64MB', true), set_config('plan_cache_mode', 'force_custom_plan', true)"
    )
    # Not fetchrow: a statement of which only so many rows are asked for has no parallel plan.
    (row,) = await unit.connection.fetch(
        _BY_HAND.format(kept=case.kept, meant=case.by_hand), *case.values
    )
    return row["count"], list(row["first"])


@click.command()
@click.option("--json", "_", is_flag=True, help="The last line is JSON, with it and without.")
@click.option("--contacts", default=CONTACTS, show_default=True)
def command(_: bool, contacts: int) -> None:  # noqa: FBT001 — click's
    """Measure previews of segments; the last line is one object."""
    asyncio.run(main(contacts))


if __name__ == "__main__":
    command()
