"""Previews of five segments over 1,000,000 contacts beside the best SQL by hand for each."""

# ruff: noqa: E501 — SQL reads better unbroken

import asyncio
import json
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psutil

from engine.attributes import AttributeType
from engine.ids import CampaignId, ContactId, ListId, OrganizationId, SegmentId
from engine.segment import Definition
from engine.segment_json import to_json
from engine.segment_parser import parse
from engine.segment_text import Known
from storage import members
from storage.database import Database, Unit
from storage.embedded import start_postgres
from storage.migrate import migrate
from storage.template_sync import know_organization

CONTACTS: Final = 1_000_000
ROUNDS: Final = 7
LONGEST_S: Final = 360
ACME: Final = OrganizationId("acme")
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


async def main(contacts: int) -> int:
    """Fill a database, measure, print one line for each segment and the JSON; 0: all went well."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dripline-benchmark-") as folder:
        data = Path(folder)
        os.chmod(folder, 0o755)  # noqa: PTH101, S103 — the account that runs Postgres must get in
        with start_postgres(data, fast=True) as server:
            await migrate(server.url)
            database = await Database.open(server.url, name="benchmark", largest=1)
            try:
                await _fill(database, contacts)
                print(f"filled in {time.monotonic() - begun:.0f} s", file=sys.stderr)
                result = await _measured(database, psutil.Process(server.pid), begun)
            finally:
                await database.close()
    result["sizes"] = {"contacts": contacts, "segments": len(CASES)}
    print(json.dumps(result))
    return 0


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


async def _measured(database: Database, server: psutil.Process, begun: float) -> dict[str, Any]:
    """Run both sides of every segment in turn; the first round warms up and does not count."""
    taken: dict[str, dict[str, list[float]]] = {
        side: {case.name: [] for case in CASES} for side in ("preview", "by_hand")
    }
    cpu = dict.fromkeys(taken, 0.0)
    rounds = 0
    for round_ in range(ROUNDS + 1):
        if rounds and time.monotonic() - begun > LONGEST_S:
            break
        for case in CASES:
            found: dict[str, tuple[int, list[ContactId]]] = {}
            for side in ("preview", "by_hand") if round_ % 2 else ("by_hand", "preview"):
                async with database.owner_unit(ACME, NOW) as unit:
                    before, started = _cpu(server), time.perf_counter()
                    found[side] = await (_preview if side == "preview" else _by_hand)(unit, case)
                    took, used = time.perf_counter() - started, _cpu(server) - before
                if round_:
                    taken[side][case.name].append(took)
                    cpu[side] += used
            if found["preview"] != found["by_hand"]:
                raise AssertionError(f"{case.name}: {found}")
            if not round_:
                print(f"{case.name}: {found['preview'][0]:,} contacts", file=sys.stderr)
        rounds += round_ > 0
    ratios = {}
    for case in CASES:
        ours, theirs = (statistics.median(taken[side][case.name]) for side in taken)
        ratios[case.name] = ours / theirs
        print(
            f"{case.name}: {ours * 1e3:.0f} ms beside {theirs * 1e3:.0f} ms by hand",
            file=sys.stderr,
        )
    every = {
        side: [each for several in by.values() for each in several] for side, by in taken.items()
    }
    return {
        "benchmark": "segments",
        "sides": {
            side: {
                "rate_per_s": round(len(times) / sum(times), 3),
                "cpu_us_each": round(cpu[side] / len(times) * 1e6),
                "rounds": rounds,
            }
            for side, times in every.items()
        },
        "ratios": {"to_hand_written": round(max(ratios.values()), 3)}
        | {name: round(ratio, 3) for name, ratio in ratios.items()},
        "latency_ms": {
            side: {name: round(statistics.median(times) * 1e3, 1) for name, times in by.items()}
            for side, by in taken.items()
        },
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "machine": {
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
    }


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


def _cpu(server: psutil.Process) -> float:
    """Return the CPU seconds of the server and its processes, also of those that have ended."""
    times = [server.cpu_times()] + [child.cpu_times() for child in server.children(recursive=True)]
    own = sum(each.user + each.system for each in times)
    return float(own + times[0].children_user + times[0].children_system)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]) if sys.argv[1:] else CONTACTS)))
