"""How campaigns end: told once, never with something open, and swept of what was queued."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Self

import asyncpg
import pytest

from engine.ids import MessageId, OrganizationId
from engine.message import State
from engine.outcome import failed
from storage import messages, sending
from storage.database import Database, Unit
from storage.queries import Query
from tests.database import ACME, NOON
from tests.integration.worker.world import World, worker
from worker.completion import complete
from worker.planning import plan

SETTLED = timedelta(seconds=11)


async def completed(world: World) -> int:
    """Let completion look; return how often staff were told so far."""
    while await complete(worker(world), ACME):
        pass
    told: int = await world.value("select count(*) from events where kind = 'campaign_completed'")
    return told


async def fail(world: World, code: int) -> None:
    """Let all messages fail by webhook."""
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        ids = [row["id"] for row in await world.rows("select id from messages")]
        campaigns = await messages.keep_campaigns(unit, ids)
        rows = await messages.locked(unit, ids)
        changes = []
        for row in rows.values():
            verdict = failed(
                row.message, attempt=row.message.attempt, code=code, error="no", at=unit.at
            )
            if verdict is not None:
                changes.append((row, row.with_message(verdict.message)))
        await messages.save(unit, changes, campaigns=campaigns)


async def test_a_broadcast_completes_once_ten_seconds_after_its_last_message(world: World) -> None:
    campaign = await world.campaign()
    await world.queued(campaign, await world.contacts(3))
    assert await completed(world) == 0

    await world.run()
    assert await completed(world) == 0
    world.clock.advance(timedelta(seconds=5))
    assert await completed(world) == 0
    world.clock.advance(timedelta(seconds=6))
    assert await completed(world) == 1

    assert await completed(world) == 1
    assert await world.value("select state from campaigns") == "completed"


@pytest.mark.parametrize("state", ["queued", "claimed", "unknown"])
async def test_nothing_completes_while_something_is_open(world: World, state: str) -> None:
    await world.queued(await world.campaign(), await world.contacts(2))
    await world.run()
    await completed(world)
    await world.value(
        "update messages set state = $1 where id = (select min(id) from messages)", state
    )
    world.clock.advance(SETTLED)

    assert await completed(world) == 0
    world.clock.advance(SETTLED)
    assert await completed(world) == 0


async def test_what_opens_again_just_before_the_completion_is_not_lost(world: World) -> None:
    """A late failure is being written while completion looks: one of the two waits."""
    await world.queued(await world.campaign(), await world.contacts(1))
    await world.run()
    await completed(world)
    world.clock.advance(SETTLED)
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        ids = [await world.value("select id from messages")]
        campaigns = await messages.keep_campaigns(unit, ids)
        row = next(iter((await messages.locked(unit, ids)).values()))
        verdict = failed(row.message, attempt=1, code=131016, error="", at=unit.at)
        assert verdict is not None
        again = row.with_message(verdict.message)
        await messages.save(unit, [(row, again)], campaigns=campaigns)
        looking = asyncio.create_task(complete(worker(world), ACME))
        await asyncio.sleep(0.2)
    await looking

    assert await world.value("select state from campaigns") == "running"
    assert await world.states() == {"queued": 1}


async def test_what_fails_after_the_completion_is_dead(world: World) -> None:
    await world.queued(await world.campaign(), await world.contacts(1))
    await world.run()
    await completed(world)
    world.clock.advance(SETTLED)
    assert await completed(world) == 1

    await fail(world, 131016)

    assert await world.states() == {"dead:failed": 1}
    assert await world.value("select error_code from messages") == 131016


@pytest.mark.parametrize("state", ["cancelled", "archived"])
async def test_what_staff_ended_is_swept(world: World, state: str) -> None:
    campaign = await world.campaign()
    await world.queued(campaign, await world.contacts(5))
    await world.value(
        "update messages set state = 'claimed', attempt = 1"
        " where id = (select min(id) from messages)"
    )
    await world.set_state(campaign, state)
    await completed(world)
    assert await world.states() == {"cancelled:campaign_ended": 4, "claimed": 1}
    assert await world.value("select settled_at from campaigns") is None

    await world.value("update messages set state = 'queued' where state = 'claimed'")
    await completed(world)

    assert await world.states() == {"cancelled:campaign_ended": 5}
    assert await world.value("select settled_at is not null from campaigns")


async def test_what_fails_after_staff_ended_it_is_not_sent_again(world: World) -> None:
    campaign = await world.campaign()
    await world.queued(campaign, await world.contacts(2))
    await world.run()
    await world.set_state(campaign, "cancelled")
    await completed(world)

    await fail(world, 131016)

    assert await world.states() == {"cancelled:campaign_ended": 2}


async def test_a_drip_tells_each_time_its_last_enrollment_ends(world: World) -> None:
    drip = await world.campaign(kind="drip", state="active")
    contacts = await world.contacts(3)
    told = []
    for walkers in (contacts[:2], contacts[2:]):
        await world.enrolled(drip, walkers)
        told.append(await completed(world))
        await plan(worker(world), ACME)
        await world.run()
        world.clock.advance(timedelta(seconds=5))
        told.append(await completed(world))
        told.append(await completed(world))

    assert told == [0, 1, 1, 1, 2, 2]
    assert await world.value("select state from campaigns") == "active"


async def test_every_counted_row_moves_once(world: World) -> None:
    """A status that is repeated after completion still raises the row."""
    await world.queued(await world.campaign(), await world.contacts(1))
    await world.run()
    await completed(world)
    world.clock.advance(SETTLED)
    await completed(world)
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        rows = await messages.locked(unit, [await world.value("select id from messages")])
        row = next(iter(rows.values()))
        read = row.message.progressed(State.READ, at=unit.at, attempt=1, wamid="w")
        await messages.save(unit, [(row, row.with_message(read))])

    assert await world.states() == {"read": 1}
    assert await world.value("select count from campaign_stats where metric = 'read'") == 1


async def test_an_archiving_that_broke_off_is_ended_after_a_minute(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.campaigns.SLICE", 2)
    drip = await world.campaign(kind="drip", state="active", steps=(0, 3600))
    await world.enrolled(drip, await world.contacts(5))
    while await plan(worker(world), ACME):
        pass
    at = world.clock.now()
    await world.value("update campaigns set state = 'archived', ended_at = $1", at)

    await completed(world)
    early = await enrolled(world)
    swept_early = await world.value("select settled_at is not null from campaigns")
    world.clock.advance(timedelta(seconds=61))
    await completed(world)

    assert early == {("active", None): 5}
    assert not swept_early
    assert await enrolled(world) == {("dropped", "archived"): 5}
    assert await world.states() == {"cancelled:campaign_ended": 5}
    assert await world.value("select settled_at is not null from campaigns")


async def test_what_is_given_back_while_its_campaign_is_swept_is_cancelled(world: World) -> None:
    campaign = await world.campaign()
    await world.queued(campaign, await world.contacts(1))
    await world.value("update messages set state = 'claimed', attempt = 1, generation = 1")
    await world.value("update campaigns set state = 'cancelled', ended_at = $1", NOON)
    (message,) = [row["id"] for row in await world.rows("select id from messages")]
    world.database = Between.of(world.database, message)

    while await complete(worker(world), ACME):
        pass
    await complete(worker(world), ACME)

    assert await world.states() == {"cancelled:campaign_ended": 1}
    assert await world.value("select settled_at is not null from campaigns")


class Between(Database):
    """The same database, in which a lane gives a message back once a sweep has looked once."""

    message: MessageId | None

    @classmethod
    def of(cls, database: Database, message: MessageId) -> Self:
        between = cls(database.pool, database.url)
        between.message = message
        return between

    @asynccontextmanager
    async def owner_unit(self, organization: OrganizationId, at: datetime) -> AsyncIterator[Unit]:
        async with super().owner_unit(organization, at) as unit:
            yield Looking(unit, self)

    async def give_back(self) -> None:
        if self.message is not None:
            attempts, self.message = {self.message: 1}, None
            # A lane is another task.
            await asyncio.create_task(self._lane(attempts))

    async def _lane(self, attempts: dict[MessageId, int]) -> None:
        async with Database.owner_unit(self, ACME, NOON) as unit:
            await sending.give_back(unit, attempts=attempts, generation=1)


class Looking(Unit):
    """A unit of `Between`."""

    def __init__(self, unit: Unit, between: Between) -> None:
        super().__init__(unit.connection, unit.organization, unit.at)
        self._between = between

    async def rows(self, query: Query, **values: Any) -> list[asyncpg.Record]:  # noqa: ANN401 — SQL values
        found = await super().rows(query, **values)
        if query.name == "queued_of":
            await self._between.give_back()
        return found

    async def value(self, query: Query, **values: Any) -> Any:  # noqa: ANN401 — an SQL value
        found = await super().value(query, **values)
        if query.name == "still_claimed":
            await self._between.give_back()
        return found


async def enrolled(world: World) -> dict[tuple[str, str | None], int]:
    rows = await world.rows(
        "select state, reason, count(*) as count from enrollments group by 1, 2"
    )
    return {(row["state"], row["reason"]): row["count"] for row in rows}
