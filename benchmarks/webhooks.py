"""Signed status updates, durable before they are answered, beside a handler that only parses."""

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Final

import asyncpg
import click

from benchmarks._frame import (
    Child,
    Side,
    child,
    percentile,
    printed,
    rate_within,
    say,
    seconds_of,
)
from benchmarks._updates import STATUSES
from benchmarks._world import (
    Servers,
    accept_messages,
    config,
    connected,
    fill_contacts,
    fill_messages,
    prepared,
    servers,
)

MESSAGES: Final = 10_000
PACED: Final = 3_000
"""Updates a second at which the time of an answer is measured."""
ROUNDS: Final = 5
LONGEST_S: Final = 330


class Webhooks:
    """The sides of one run of the benchmark, before the same generator."""

    def __init__(self, connection: asyncpg.Connection, generator: Child) -> None:
        self.connection = connection
        self.generator = generator
        self.sides = {"dripline": Side(), "bare_handler": Side()}
        self.generator_us: list[float] = []
        self.rss_mb = 0.0

    async def ours(self, door: Child, messages: int, *, seed: int) -> None:
        ids = await self._accepted(messages)
        await self._round("dripline", door, ids, seed=seed)
        await self._all_written(messages)

    async def bare(self, door: Child, messages: int, *, seed: int) -> None:
        await self._round("bare_handler", door, range(messages), seed=seed)

    async def _round(self, name: str, door: Child, ids: Sequence[int], *, seed: int) -> None:
        before = await door.ask(ask="cost")
        told = await self._posted(door, ids, seed=seed, rate=None)
        after = await door.ask(ask="cost")
        times = seconds_of(told["times"])
        self.sides[name].note(
            rate=rate_within(times), cpu_s=after["cpu_s"] - before["cpu_s"], count=len(times)
        )
        self.generator_us.append(told["cpu_s"] / len(times) * 1e6)
        if name == "dripline":
            self.rss_mb = max(self.rss_mb, after["rss_mb"])

    async def paced(self, door: Child, messages: int) -> Sequence[float]:
        """Return the seconds each answer took at PACED updates a second, from when it was due."""
        ids = await self._accepted(messages)
        told = await self._posted(door, ids, seed=0, rate=PACED)
        await self._all_written(messages)
        return seconds_of(told["took"])

    async def _posted(
        self, door: Child, ids: Sequence[int], *, seed: int, rate: int | None
    ) -> dict[str, Any]:
        port = (await door.ask(ask="port"))["port"]
        told: dict[str, Any] = await self.generator.ask(
            ids=list(ids), seed=seed, port=port, rate=rate
        )
        if told["refused"]:
            raise AssertionError(f"{told['refused']} were not answered with 200")
        return told

    async def _accepted(self, messages: int) -> list[int]:
        await fill_messages(self.connection, messages, state="queued")
        return await accept_messages(self.connection)

    async def _all_written(self, messages: int) -> None:
        read = await self.connection.fetchval(
            "select count(*) from messages where state = 'read' and sent_at is not null"
            " and delivered_at is not null and read_at is not null"
        )
        counted = dict(
            await self.connection.fetch(
                "select metric, sum(count)::bigint from campaign_stats group by metric"
            )
        )
        counts = {metric: counted.get(metric) for metric in STATUSES}
        if read != messages or set(counts.values()) != {messages}:
            raise AssertionError(f"{read} read and {counts} counted of {messages}")


async def main(messages: int, rounds: int) -> None:
    begun = time.monotonic()
    async with AsyncExitStack() as stack:
        given = stack.enter_context(servers())
        connection = await stack.enter_async_context(connected(given))
        await prepared(given)
        await fill_contacts(connection, messages)
        webhooks = Webhooks(connection, await stack.enter_async_context(child("_updates")))
        ours, bare = [await stack.enter_async_context(_door(given, s)) for s in ("ours", "bare")]
        for round_ in range(rounds):
            if round_ and time.monotonic() - begun > LONGEST_S:
                break
            await webhooks.ours(ours, messages, seed=round_)
            await webhooks.bare(bare, messages, seed=round_)
            rates = (f"{name} {side.rates[-1]:,.0f}/s" for name, side in webhooks.sides.items())
            say("; ".join(rates))
        took = await webhooks.paced(ours, messages)
    sides = webhooks.sides
    printed(
        benchmark="webhooks",
        sizes={"messages": messages, "updates": messages * len(STATUSES), "paced_per_s": PACED},
        sides=sides,
        ratios={"to_bare_handler": sides["dripline"].rate / sides["bare_handler"].rate},
        latency_ms={"p50": percentile(took, 0.5) * 1e3, "p99": percentile(took, 0.99) * 1e3},
        peak_rss_mb=webhooks.rss_mb,
        generator_cpu_us_each=round(sorted(webhooks.generator_us)[len(webhooks.generator_us) // 2]),
    )


def _door(given: Servers, side: str) -> AbstractAsyncContextManager[Child]:
    return child(
        "_door",
        json.dumps(
            {"side": side, "url": given.postgres, "config": config("http://127.0.0.1:9/v25.0")}
        ),
    )


@click.command()
@click.option("--json", "_", is_flag=True, help="The last line is JSON, with it and without.")
@click.option("--messages", default=MESSAGES, show_default=True)
@click.option("--rounds", default=ROUNDS, show_default=True)
def command(_: bool, messages: int, rounds: int) -> None:  # noqa: FBT001 — click's
    """Measure webhooks; the last line is one object."""
    asyncio.run(main(messages, rounds))


if __name__ == "__main__":
    command()
