"""Sending through the whole path beside a bare HTTP client, and beside a job for each message."""

# ruff: noqa: E501 — SQL reads better unbroken

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from statistics import median
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import asyncpg
import click

from benchmarks._frame import Child, Side, child, printed, rate_within, say, seconds_of
from benchmarks._world import (
    NUMBER,
    Servers,
    config,
    connected,
    fill_contacts,
    fill_messages,
    prepared,
    servers,
)

MESSAGES: Final = 50_000
SIZES: Final = (10_000, 100_000, 1_000_000)
SENT: Final = 10_000
JOBS: Final = 2_000
ROUNDS: Final = 5
FLAT_ROUNDS: Final = 3
LONGEST_S: Final = 330


class Sending:
    """The sides of one run of the benchmark, over the same database and the same peer."""

    def __init__(
        self, given: Servers, peer: Child, url: str, connection: asyncpg.Connection
    ) -> None:
        self.servers = given
        self.peer = peer
        self.url = url
        self.connection = connection
        self.sides = {
            name: Side()
            for name in ("dripline", "bare_client", "bare_client_orjson", "job_per_message")
        }
        self.answered_after: dict[str, float] = {}
        self.rss_mb = 0.0

    async def lanes(self, stack: AsyncExitStack) -> Child:
        given = {
            "url": self.servers.postgres,
            "config": config(f"{self.url}/v25.0"),
            "number": NUMBER,
        }
        return await stack.enter_async_context(child("_lanes", json.dumps(given)))

    async def sent(
        self, lanes: Child, count: int, *, stop: bool
    ) -> tuple[Sequence[float], dict[str, Any]]:
        """Let lanes send *count*; return when the peer took each, and what it cost them."""
        await self.peer.ask(ask="times")
        await lanes.ask(ask="start")
        await self.peer.ask(ask="wait", count=count)
        cost = await lanes.ask(ask="end", stop=stop)
        return await self.times(), cost

    async def times(self) -> Sequence[float]:
        return seconds_of((await self.peer.ask(ask="times"))["times"])

    async def dripline(self, messages: int) -> None:
        await fill_messages(self.connection, messages, state="queued")
        async with AsyncExitStack() as stack:
            times, cost = await self.sent(await self.lanes(stack), messages, stop=False)
        await self._all_recorded(messages)
        self.sides["dripline"].note(rate=rate_within(times), cpu_s=cost["cpu_s"], count=messages)
        self.answered_after = dict(
            await self.connection.fetchrow(
                "select percentile_cont(0.5) within group (order by took) as p50,"
                " percentile_cont(0.99) within group (order by took) as p99"
                "  from (select extract(epoch from accepted_at - claimed_at) * 1e3 as took from messages) t"
            )
        )
        self.rss_mb = max(self.rss_mb, cost["rss_mb"])

    async def _all_recorded(self, messages: int) -> None:
        recorded = await self.connection.fetchval(
            "select count(*) from messages where state = 'accepted' and wamid is not null"
        )
        counted = await self.connection.fetchval(
            "select sum(count) from campaign_stats where metric = 'accepted'"
        )
        if (recorded, counted) != (messages, messages):
            raise AssertionError(f"{recorded} recorded and {counted} counted of {messages}")

    async def bare(self, client: Child, name: str, messages: int) -> None:
        await self.peer.ask(ask="times")
        cost = await client.ask(count=messages, orjson=name.endswith("orjson"))
        self.sides[name].note(
            rate=rate_within(await self.times()), cpu_s=cost["cpu_s"], count=messages
        )

    async def jobs(self, worker: Child) -> None:
        await self.peer.ask(ask="times")
        cost = await worker.ask(count=JOBS)
        self.sides["job_per_message"].note(
            rate=rate_within(await self.times()), cpu_s=cost["cpu_s"], count=JOBS
        )

    async def flatness(self, sizes: Sequence[int]) -> dict[str, Any]:
        """Return the CPU per message and the peak of memory by how many are queued.

        The sizes take turns, so that a machine that is slower for a while is so for all.
        """
        cpu_us: dict[int, list[float]] = {size: [] for size in sizes}
        rss_mb: dict[int, float] = {}
        for _ in range(FLAT_ROUNDS):
            for size in sizes:
                await fill_messages(self.connection, size, state="queued")
                async with AsyncExitStack() as stack:
                    times, cost = await self.sent(await self.lanes(stack), SENT, stop=True)
                cpu_us[size].append(cost["cpu_s"] / len(times) * 1e6)
                rss_mb[size] = max(rss_mb.get(size, 0.0), cost["rss_mb"])
                say(f"{size:,} queued: {cpu_us[size][-1]:.0f} us a message, {rss_mb[size]:.0f} MB")
        return {"cpu_us": {size: median(each) for size, each in cpu_us.items()}, "rss_mb": rss_mb}


async def _prepared(given: Servers, connection: asyncpg.Connection, contacts: int) -> None:
    await prepared(given)
    say(f"{contacts:,} contacts")
    await fill_contacts(connection, contacts)
    for statement in (
        "create table orm_contacts (id bigint primary key, phone text not null, first_name text not null)",
        "create table orm_messages (id bigint primary key, contact_id bigint not null references orm_contacts, template text not null, state text not null, wamid text, accepted_at timestamptz)",
        "create index on orm_messages (state)",
        "grant all on orm_contacts, orm_messages to dripline",
    ):
        await connection.execute(statement)
    await connection.execute(
        "insert into orm_contacts select n, '+316' || (10000000 + n), 'Ada' from generate_series(1, $1) n",
        JOBS,
    )
    await connection.execute(
        "insert into orm_messages select n, n, 'welcome', 'queued' from generate_series(1, $1) n",
        JOBS,
    )


async def main(messages: int, rounds: int, sizes: Sequence[int]) -> None:
    begun = time.monotonic()
    async with AsyncExitStack() as stack:
        given = stack.enter_context(servers())
        connection = await stack.enter_async_context(connected(given))
        await _prepared(given, connection, max(messages, *sizes))
        peer = await stack.enter_async_context(child("_peer"))
        url = f"http://127.0.0.1:{(await peer.ask(ask='port'))['port']}"
        bare = await stack.enter_async_context(
            child("_bare_client", json.dumps({"url": f"{url}/v25.0/{NUMBER}/messages"}))
        )
        jobs = await stack.enter_async_context(
            child(
                "_job_per_message",
                json.dumps(
                    {"postgres": _credentials(given.postgres), "redis": given.redis, "url": url}
                ),
            )
        )
        sending = Sending(given, peer, url, connection)
        flat = await sending.flatness(sizes)
        for round_ in range(rounds):
            if round_ and time.monotonic() - begun > LONGEST_S:
                break
            await sending.dripline(messages)
            await sending.bare(bare, "bare_client", messages)
            await sending.bare(bare, "bare_client_orjson", messages)
            await sending.jobs(jobs)
            say(
                "; ".join(f"{name} {side.rates[-1]:,.0f}/s" for name, side in sending.sides.items())
            )
    sides = sending.sides
    cpu_us, rss_mb = flat["cpu_us"], flat["rss_mb"]
    printed(
        benchmark="sending",
        sizes={"messages": messages, "jobs": JOBS, "sent_of_each": SENT, "queued": max(sizes)},
        sides=sides,
        ratios={
            "to_bare_client": sides["dripline"].rate / sides["bare_client"].rate,
            "to_job_per_message": sides["dripline"].rate / sides["job_per_message"].rate,
            "flatness": max(cpu_us.values()) / min(cpu_us.values()),
            "memory": max(rss_mb.values()) / min(rss_mb.values()),
        },
        latency_ms=sending.answered_after,
        peak_rss_mb=sending.rss_mb,
        by_queued={
            str(size): {
                "cpu_us_each": round(cpu_us[size], 1),
                "peak_rss_mb": round(rss_mb[size], 1),
            }
            for size in sizes
        },
    )


def _credentials(url: str) -> dict[str, str]:
    """Return tortoise's, of a URL that names a socket."""
    parts = urlsplit(url)
    assert parts.username is not None  # noqa: S101 — our own server's
    host = parse_qs(parts.query)["host"][0]
    return {
        "user": parts.username,
        "password": "",
        "database": parts.path[1:],
        "host": host,
        "port": "5432",
    }


@click.command()
@click.option("--json", "_", is_flag=True, help="The last line is JSON, with it and without.")
@click.option("--messages", default=MESSAGES, show_default=True)
@click.option("--rounds", default=ROUNDS, show_default=True)
@click.option("--sizes", default=",".join(map(str, SIZES)), show_default=True)
def command(_: bool, messages: int, rounds: int, sizes: str) -> None:  # noqa: FBT001 — click's
    """Measure sending; the last line is one object."""
    asyncio.run(main(messages, rounds, tuple(map(int, sizes.split(",")))))


if __name__ == "__main__":
    command()
