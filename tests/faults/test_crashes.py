"""SIGKILL, restarts and flushes in the middle of a broadcast: nobody twice, nobody lost."""

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.system import Json, System, button, fresh

pytestmark = pytest.mark.prove

CONTACTS = 2000
RECOVERY_S = 15.0


@pytest.fixture(scope="module")
async def system() -> AsyncIterator[System]:
    """Run the sandbox with 2,000 contacts tagged `crowd`, on a number that sends 80 a second."""
    async with fresh() as running:
        rows = "\n".join(f"+3163000{place:04},Crowd{place},crowd" for place in range(CONTACTS))
        await running.upload("crowd.csv", f"phone,first_name,tags\n{rows}\n".encode())
        verdicts = await running.says(f"Import {CONTACTS:,}", within=60)
        await running.click(verdicts, button(verdicts, "Import")["action_id"])
        await running.settle()
        yield running


async def _progress(system: System, name: str) -> int:
    """Return how many messages of the broadcast *name* the platform has accepted."""
    rows = await _rows(system, name)
    return sum(count for state, count in rows.items() if state not in {"queued", "claimed"})


async def _rows(system: System, name: str) -> Counter[str]:
    connection = await asyncpg.connect(await _database_url(system))
    try:
        rows = await connection.fetch(
            "select m.state, count(*) as count from messages m"
            " join campaigns c on c.organization_id = m.organization_id and c.id = m.campaign_id"
            " where c.name = $1 group by 1",
            name,
        )
    finally:
        await connection.close()
    return Counter({row["state"]: row["count"] for row in rows})


async def _database_url(system: System) -> str:
    parts = (await system.get("health"))["parts"]
    url: str = parts["postgres"]["url"]
    return url


async def _goes_on(system: System, name: str) -> None:
    """Wait until more was sent than now, or all was; within 15 s, without help."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    before: int | None = None
    while loop.time() - begun < RECOVERY_S:
        try:
            now = await _progress(system, name)
        except (OSError, AssertionError, asyncpg.PostgresError):
            await asyncio.sleep(0.1)
            continue
        if before is None:
            before = now
        if now > before or now >= CONTACTS:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{name} did not go on within {RECOVERY_S} s: {await _rows(system, name)}")


FAULTS = {
    "lanes killed": ("parts/lanes/signal", {"signal": "KILL"}),
    "jobs killed": ("parts/jobs/signal", {"signal": "KILL"}),
    "bot killed": ("parts/bot/signal", {"signal": "KILL"}),
    "Redis flushed": ("redis/flush", {}),
    "Postgres restarted": ("postgres/restart", {}),
}


async def test_nobody_twice_and_nobody_lost_whatever_dies(system: System, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 — to repeat a run, not to hide anything
    name = f"Storm {seed}"
    answer = await system.ask(f'broadcast new "{name}" to=tag:crowd template=followup')
    assert "2,000" in answer or "2000" in answer, answer
    await system.ask(f'broadcast send "{name}"')
    faults = list(FAULTS.items())
    chance.shuffle(faults)

    for _, (path, body) in faults:
        await asyncio.sleep(chance.uniform(0.05, 0.5))
        await system.post(path, **body)
        await _goes_on(system, name)

    await system.ready()
    await system.settle()
    # Rows in doubt settle after the grace time, once a later call was heard of.
    await system.post("whatsapp/inbound", **{"from": "+31630000001", "text": "anything new?"})
    await system.advance(minutes=11)
    await system.advance(hours=2)
    await system.settle()

    told = await system.says(name, "completed", within=30)
    assert told
    ids = await _ids(system, name)
    ledger = Counter(
        message["to"] for message in await system.ledger() if _message_id(message) in ids
    )
    rows = await _rows(system, name)
    assert len(ledger) == CONTACTS
    assert set(rows) <= {"accepted", "sent", "delivered", "read"}, rows
    doubled = {phone for phone, count in ledger.items() if count > 1}
    assert len(doubled) <= await _resent(system, name)
    assert await _stats_differ(system) == []


async def _ids(system: System, name: str) -> set[int]:
    connection = await asyncpg.connect(await _database_url(system))
    try:
        rows = await connection.fetch(
            "select m.id from messages m join campaigns c"
            " on c.organization_id = m.organization_id and c.id = m.campaign_id"
            " where c.name = $1",
            name,
        )
    finally:
        await connection.close()
    return {row["id"] for row in rows}


def _message_id(message: Json) -> int | None:
    match = re.fullmatch(r"d:(\d+):\d+", message["callback_data"] or "")
    return int(match[1]) if match else None


async def _resent(system: System, name: str) -> int:
    """Return how many messages were sent again after silence, as the crash contract allows."""
    connection = await asyncpg.connect(await _database_url(system))
    try:
        count: int = await connection.fetchval(
            "select count(*) from messages m"
            " join campaigns c on c.organization_id = m.organization_id and c.id = m.campaign_id"
            " where c.name = $1 and m.resent > 0",
            name,
        )
    finally:
        await connection.close()
    return count


async def _stats_differ(system: System) -> list[tuple[object, ...]]:
    """Return statistics that do not equal a count of the rows."""
    connection = await asyncpg.connect(await _database_url(system))
    try:
        rows = await connection.fetch(_RECOUNT)
    finally:
        await connection.close()
    return [tuple(row) for row in rows]


_RECOUNT = """
with counted as (
  select * from messages where campaign_id <> 0),
expected as (
  select campaign_id, step_id, metric, count(*) as count
    from (select campaign_id, step_id, 'planned' as metric from counted
          union all
          select campaign_id, step_id, 'accepted' from counted where accepted_at is not null
          union all
          select campaign_id, step_id, 'sent' from counted where sent_at is not null
          union all
          select campaign_id, step_id, 'delivered' from counted where delivered_at is not null
          union all
          select campaign_id, step_id, 'read' from counted where read_at is not null) x
   group by 1, 2, 3),
kept as (
  select campaign_id, step_id, metric, sum(count)::bigint as count from campaign_stats
   where metric in ('planned', 'accepted', 'sent', 'delivered', 'read') group by 1, 2, 3)
select coalesce(e.campaign_id, k.campaign_id), coalesce(e.metric, k.metric), e.count, k.count
  from expected e full join kept k using (campaign_id, step_id, metric)
 where coalesce(e.count, 0) <> coalesce(k.count, 0)
"""
