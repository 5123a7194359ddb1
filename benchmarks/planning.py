"""Planning a broadcast to everybody beside one bare INSERT … SELECT of rows as wide."""

# ruff: noqa: E501 — SQL reads better unbroken

import asyncio
import resource
import time
from contextlib import AsyncExitStack
from typing import Final

import asyncpg
import click
import psutil

from benchmarks._frame import Side, printed, say
from benchmarks._world import (
    ACME,
    ENVIRONMENT,
    NUMBER,
    TEMPLATE,
    Clock,
    config,
    connected,
    fill_contacts,
    now,
    prepared,
    server_cpu_s,
    servers,
)
from engine.config import load
from engine.sending_rules import rules_of
from storage.database import Database
from storage.queue import Queue
from worker.context import Worker
from worker.planning import plan

CONTACTS: Final = 1_000_000
ROUNDS: Final = 5
LONGEST_S: Final = 330
LEFT_OUT: Final = 16
"""One of so many contacts has opted out, and gets a row that says so."""


class Planning:
    """Both sides of one run of the benchmark, in the same database."""

    def __init__(
        self, connection: asyncpg.Connection, server: psutil.Process, worker: Worker, contacts: int
    ) -> None:
        self.connection = connection
        self.server = server
        self.worker = worker
        self.contacts = contacts
        self.sides = {"dripline": Side(), "bare_insert": Side()}
        self.longest_slice_s = 0.0

    async def ours(self) -> None:
        await self.connection.execute("truncate messages, campaign_stats, campaigns, steps cascade")
        at = now()
        campaign = await self.connection.fetchval(
            "insert into campaigns (organization_id, kind, name, state, type, settings, audience, actor, created_at, started_at, updated_at, contacts_up_to)"
            " values ('acme', 'broadcast', 'News', 'running', 'promotional', '{}', $2, 'U', $1, $1, $1, $3) returning id",
            at,
            {"everyone": True},
            self.contacts,
        )
        await self.connection.execute(
            "insert into steps (organization_id, campaign_id, position, after_s, content, created_at)"
            " values ('acme', $1, 1, 0, $2, $3)",
            campaign,
            TEMPLATE,
            at,
        )
        await self._settled()
        began, cpu_s = time.monotonic(), self._cpu_s()
        while True:
            slice_began = time.monotonic()
            more = await plan(self.worker, ACME)
            self.longest_slice_s = max(self.longest_slice_s, time.monotonic() - slice_began)
            if not more:
                break
        self._note("dripline", time.monotonic() - began, self._cpu_s() - cpu_s)
        await self._all_planned()

    async def bare(self, leaf: str) -> None:
        await self.connection.execute("drop table if exists bare")
        # As wide, and with all its indexes, the one that keeps it to once included.
        await self.connection.execute(f"create table bare (like {leaf} including all)")
        await self._settled()
        began, cpu_s = time.monotonic(), self._cpu_s()
        await self.connection.execute(
            "insert into bare (organization_id, id, run_id, step_id, contact_id, campaign_id, number_id, state, due_at, deadline_at)"
            " select organization_id, (extract(epoch from $1::timestamptz)::bigint << 30) + id, 1, 1, id, 1, $2, 'queued', $1, $1::timestamptz + interval '2 days'"
            "   from contacts where organization_id = 'acme' order by id",
            now(),
            NUMBER,
            timeout=600,
        )
        self._note("bare_insert", time.monotonic() - began, self._cpu_s() - cpu_s)

    def _note(self, side: str, took_s: float, cpu_s: float) -> None:
        self.sides[side].note(rate=self.contacts / took_s, cpu_s=cpu_s, count=self.contacts)

    def _cpu_s(self) -> float:
        """Of this process and the server: who computes what differs between the sides."""
        return time.process_time() + server_cpu_s(self.server)

    async def _settled(self) -> None:
        await self.connection.execute("checkpoint", timeout=600)

    async def _all_planned(self) -> None:
        rows = dict(
            await self.connection.fetch("select state, count(*) from messages group by state")
        )
        left_out = self.contacts // LEFT_OUT
        told = await self.connection.fetchval(
            "select sum(count)::bigint from campaign_stats where metric = 'planned'"
        )
        if rows != {"queued": self.contacts - left_out, "skipped": left_out} or told != sum(
            rows.values()
        ):
            raise AssertionError(f"{rows} planned and {told} counted of {self.contacts}")


async def main(contacts: int, rounds: int) -> None:
    begun = time.monotonic()
    async with AsyncExitStack() as stack:
        given = stack.enter_context(servers())
        connection = await stack.enter_async_context(connected(given))
        await prepared(given)
        await fill_contacts(connection, contacts)
        await connection.execute(
            "update contacts set opted_out_at = now() where id % $1 = 0", LEFT_OUT, timeout=600
        )
        await connection.execute("vacuum analyze contacts", timeout=600)
        say(f"{contacts:,} contacts")
        database = await Database.open(given.postgres, name="jobs", largest=2)
        stack.push_async_callback(database.close)
        queue = Queue.open(given.redis)
        stack.push_async_callback(queue.close)
        loaded = load(config("http://127.0.0.1:9/v25.0"), environment=ENVIRONMENT)
        planning = Planning(
            connection,
            psutil.Process(given.postgres_pid),
            Worker(
                config=loaded,
                clock=Clock(),
                database=database,
                queue=queue,
                rules={ACME: rules_of(ACME, loaded.organizations[ACME])},
                apis={},
            ),
            contacts,
        )
        for round_ in range(rounds):
            if round_ and time.monotonic() - begun > LONGEST_S:
                break
            await planning.ours()
            await planning.bare(f"messages_{now():%Y%m}")
            rates = (f"{name} {side.rates[-1]:,.0f}/s" for name, side in planning.sides.items())
            say("; ".join(rates))
    sides = planning.sides
    printed(
        benchmark="planning",
        sizes={"contacts": contacts},
        sides=sides,
        ratios={"to_bare_insert": sides["dripline"].rate / sides["bare_insert"].rate},
        latency_ms={"longest_slice": planning.longest_slice_s * 1e3},
        peak_rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


@click.command()
@click.option("--json", "_", is_flag=True, help="The last line is JSON, with it and without.")
@click.option("--contacts", default=CONTACTS, show_default=True)
@click.option("--rounds", default=ROUNDS, show_default=True)
def command(_: bool, contacts: int, rounds: int) -> None:  # noqa: FBT001 — click's
    """Measure planning; the last line is one object."""
    asyncio.run(main(contacts, rounds))


if __name__ == "__main__":
    command()
