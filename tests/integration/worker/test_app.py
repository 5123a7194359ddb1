"""The worker's processes as they run: arq on a real Redis, which may vanish, and a clean end."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

from engine.config import Config, load
from engine.ids import OrganizationId
from engine.message import SETTLING
from storage import leases
from storage.embedded import RedisServer, start_redis
from tests.database import ACME, NOON
from tests.integration.worker.test_sync import template
from tests.integration.worker.world import NUMBER, World
from worker.app import NotConfigured, serve

CONFIG = """
[server]
database_url = "{database}"
redis_url = "{redis}"
graph_url = "{graph}"

[organizations.acme]
name = "Acme"
timezone = "UTC"

[organizations.acme.slack]
team_id = "T0123456"
bot_token = "env:TOKEN"
signing_secret = "env:TOKEN"
alerts_channel = "C0ALERTS"

[organizations.acme.staff]
owner = ["U01ADA"]

[organizations.acme.whatsapp]
business_account_id = "100000000000001"
app_secret = "env:TOKEN"
verify_token = "env:TOKEN"
access_token = "env:TOKEN"
numbers = [{{ id = "{number}", phone = "+15550001111", messages_per_second = {rate} }}]

[organizations.acme.sending]
operating_hours = "off"
cooldown = "off"
deadline = "off"
"""


@pytest.fixture
def redis_server(open_folder: Path) -> Iterator[RedisServer]:
    with start_redis(open_folder) as server:
        yield server


@pytest.fixture
def config(world: World, redis_server: RedisServer) -> Config:
    text = CONFIG.format(
        database=world.database.url,
        redis=redis_server.url,
        graph=world.platform.url,
        number=NUMBER,
        rate=80,
    )
    return load(text, environment={"TOKEN": "secret-secret-secret"})


@asynccontextmanager
async def running(config: Config, world: World) -> AsyncIterator[asyncio.Event]:
    """Run both processes in this one; raise what they raise."""
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for queue in ("lanes", "jobs"):
            group.create_task(serve(config, world.clock, queue=queue, stopping=stopping))
        try:
            yield stopping
        finally:
            stopping.set()


async def broadcast(world: World, count: int) -> None:
    contacts = await world.contacts(count)
    await world.campaign(audience={"everyone": True}, contacts_up_to=contacts[-1])


async def test_a_broadcast_goes_from_start_to_completion(world: World, config: Config) -> None:
    world.platform.templates = [template("welcome")]
    await broadcast(world, 40)

    async with running(config, world):
        await world.until(lambda: _in_state(world, accepted=40))
        await world.until(lambda: _settled(world))
        world.clock.advance(SETTLING)
        await world.until(lambda: _completed(world))
        async with world.database.owner_unit(ACME, NOON) as unit:
            assert await leases.alive(unit) == {"lanes", "jobs"}

    assert set(world.platform.per_message().values()) == {1}
    assert await world.value("select count(*) from templates") == 1


async def test_every_start_reads_what_the_platform_says_of_the_numbers(
    world: World, config: Config
) -> None:
    """Also where it was read a moment before."""
    name_of = "select verified_name from numbers where id = $1"

    async def named(name: str) -> bool:
        return bool(await world.value(name_of, NUMBER) == name)

    for name in ("Acme", "Acme Shoes"):
        world.platform.account = {"verified_name": name}
        async with running(config, world):
            await world.until(partial(named, name))


async def test_stopping_leaves_nothing_in_doubt(world: World, config: Config) -> None:
    world.platform.latency = 0.2
    await broadcast(world, 2_000)

    async with running(config, world):
        await world.until(lambda: _sent(world, 30))

    states = await world.states()
    assert set(states) == {"accepted", "queued"}
    assert states["accepted"] == len(world.platform.accepted)
    assert await world.value("select holder from leases where name like 'lane:%'") is None


async def test_redis_may_be_flushed_and_restarted(
    world: World, config: Config, redis_server: RedisServer
) -> None:
    await broadcast(world, 300)

    async with running(config, world):
        await world.until(lambda: _sent(world, 20))
        client = redis.asyncio.Redis.from_url(redis_server.url)
        await client.flushall()
        await client.aclose()
        await asyncio.sleep(0.5)
        redis_server.stop()
        await asyncio.sleep(1.0)
        redis_server.start()
        await world.until(lambda: _in_state(world, accepted=300))

    assert set(world.platform.per_message().values()) == {1}


async def test_a_lane_goes_on_after_its_run(
    world: World, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.lane.RUN_S", 0.5)
    await broadcast(world, 150)

    async with running(config, world):
        await world.until(lambda: _in_state(world, accepted=150))

    assert await world.value("select generation from leases where name like 'lane:%'") > 3
    assert set(world.platform.per_message().values()) == {1}
    assert world.platform.most_in_a_second() <= 80


async def test_a_job_that_fails_does_not_end_the_worker(
    world: World, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = 0

    async def fails(_: Any, organization: OrganizationId) -> bool:  # noqa: ANN401 — the worker
        nonlocal failures
        failures += 1
        raise ValueError(organization)

    async def failed_twice() -> bool:
        return failures >= 2

    jobs = {**__import__("worker.jobs").jobs.JOBS, "complete": fails}
    monkeypatch.setattr("worker.jobs.JOBS", jobs)
    await broadcast(world, 10)

    async with running(config, world):
        await world.until(lambda: _in_state(world, accepted=10))
        await world.until(failed_twice)


async def test_without_servers_it_says_so(world: World) -> None:
    text = CONFIG.replace('database_url = "{database}"\nredis_url = "{redis}"\n', "")
    config = load(
        text.format(graph=world.platform.url, number=NUMBER, rate=80),
        environment={"TOKEN": "secret-secret-secret"},
    )

    with pytest.raises(NotConfigured, match="dripline up"):
        await serve(config, world.clock, queue="lanes", stopping=asyncio.Event())


async def _in_state(world: World, **states: int) -> bool:
    return await world.states() == states


async def _sent(world: World, count: int) -> bool:
    return len(world.platform.calls) >= count


async def _settled(world: World) -> bool:
    return bool(await world.value("select bool_and(settled_at is not null) from campaigns"))


async def _completed(world: World) -> bool:
    return bool(await world.value("select bool_and(state = 'completed') from campaigns"))
