"""STOP, pause and cancel against a broadcast in full flight."""
# ruff: noqa: T201 — how many raced, and how closely, belongs to the proof

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from statistics import median

import pytest

from tests.faults.crowd import gather, phones
from tests.faults.truth import Truth
from tests.system import Json, System, fresh

pytestmark = pytest.mark.prove

FAST = "+15550002222"
CONTACTS, RACES, AT_ONCE = 6000, 500, 8
FEW_CONTACTS, FEW_RACES = 2500, 100
_NEXT = 60
_IN_FLIGHT = 20


@pytest.fixture(scope="module")
async def system() -> AsyncIterator[System]:
    async with fresh(numbers=[f"{FAST}=1000"]) as running:
        calm = {"latency_ms": [20, 60], "read": 0.2, "delays_s": {"sent": 0, "delivered": 1}}
        await running.post("whatsapp/moods", **calm)
        yield running


@pytest.fixture(scope="module")
async def crowd(system: System, thorough: bool) -> list[str]:  # noqa: FBT001 — a fixture
    racing = phones("900", CONTACTS if thorough else FEW_CONTACTS)
    await gather(system, Truth(system), racing, tag="racing")
    return racing


@pytest.mark.usefixtures("crowd")
async def test_no_campaign_call_starts_after_the_200_to_a_stop(
    system: System,
    thorough: bool,  # noqa: FBT001 — a fixture
) -> None:
    """Two broadcasts on two numbers are under way to all of them, and two more when one ends.

    Who says STOP is next, or already claimed, on the fast number.
    """
    truth = Truth(system)
    chance = random.Random(0)  # noqa: S311 — to repeat a run, not to hide anything
    answered: dict[str, float] = {}
    took: list[float] = []
    flights: list[str] = []
    races = RACES if thorough else FEW_RACES
    while len(answered) < races:
        flights.append(f"Flight {len(flights)}")
        await _depart(system, flights[-1])
        while len(answered) < races and (ready := await _next_to_leave(truth, flights[-1])):
            racing = [phone for phone in ready if phone not in answered]
            some = chance.sample(racing, min(AT_ONCE, len(racing)))
            begun = _now_ms()
            answered |= dict(await asyncio.gather(*(_stop(system, each) for each in some)))
            took += [answered[phone] - begun for phone in some]
    for name in flights:
        await system.ask(f'broadcast cancel "{name} fast"')
        await system.ask(f'broadcast cancel "{name} slow"')

    calls = _campaign_calls(await system.ledger())
    late = {
        phone: [call["ms"] - at for call in calls[phone] if call["ms"] > at]
        for phone, at in answered.items()
    }
    close = [
        answered[phone] - max(call["ms"] for call in calls[phone])
        for phone in answered
        if calls[phone]
    ]
    print(
        f"\n{len(answered)} STOPs in {len(flights)} flights, answered after {median(took):.0f} ms;"
        f" {sum(ms < 500 for ms in close)} of them within 500 ms after a call to the same contact"
    )
    assert not {phone: ms for phone, ms in late.items() if ms}
    assert await truth.opted_out(list(answered)) == set(answered)


@pytest.mark.usefixtures("crowd")
async def test_pause_and_cancel_hold_within_a_second(system: System) -> None:
    truth = Truth(system)
    held: list[tuple[float, float]] = []
    name = "Held fast"
    await _depart(system, "Held")
    for _ in range(3):
        await _goes_on(truth, name)
        assert "paused" in await system.ask(f'broadcast pause "{name}"')
        since = _now_ms()
        await asyncio.sleep(2.5)
        held.append((since, _now_ms()))
        await system.ask(f'broadcast resume "{name}"')
    await _goes_on(truth, name)
    await system.ask(f'broadcast cancel "{name}"')
    since = _now_ms()
    await asyncio.sleep(2.5)
    held.append((since, _now_ms()))
    await system.ask('broadcast cancel "Held slow"')

    rows = {row.id for row in await truth.messages([name])}
    calls = [call for call in await system.ledger() if _id(call) in rows]
    latest = [
        max((call["ms"] - since for call in calls if call["ms"] < until), default=0.0)
        for since, until in held
    ]
    print(f"\nlast calls after a pause or cancel: {[f'{ms:.0f} ms' for ms in latest]}")
    assert all(ms < 1000 for ms in latest), latest
    assert max(Counter(call["to"] for call in calls).values()) == 1


async def _depart(system: System, name: str) -> None:
    for number, pace in ((FAST, "fast"), ("+15550001111", "slow")):
        await system.ask(
            f'broadcast new "{name} {pace}" to=tag:racing template=followup number={number}'
        )
        await system.ask(f'broadcast send "{name} {pace}"')


async def _goes_on(truth: Truth, name: str) -> None:
    """Return once some more of the broadcast has left."""

    async def accepted() -> int:
        rows = await truth.ask(_ACCEPTED, name)
        return int(rows[0]["accepted"])

    before = await accepted()
    async with asyncio.timeout(30):
        while await accepted() < before + _IN_FLIGHT:  # noqa: ASYNC110 — rows are looked at
            await asyncio.sleep(0.05)


async def _next_to_leave(truth: Truth, flight: str) -> list[str]:
    """Return who is claimed or next in the queue; nobody, once all of them have."""
    async with asyncio.timeout(60):
        while True:
            rows = await truth.ask(_READY, f"{flight} fast", _NEXT)
            if rows or await _ended(truth, f"{flight} fast"):
                return [row["phone"] for row in rows]
            await asyncio.sleep(0.05)


async def _ended(truth: Truth, name: str) -> bool:
    """Whether all of a broadcast has been planned."""
    rows = await truth.ask("select planned_at from campaigns where name = $1", name)
    return rows[0]["planned_at"] is not None


async def _stop(system: System, phone: str) -> tuple[str, float]:
    answer = await system.writes(phone, "STOP")
    at = _now_ms()
    assert answer["status"] == 200, answer
    return phone, at


def _campaign_calls(ledger: list[Json]) -> dict[str, list[Json]]:
    calls: dict[str, list[Json]] = defaultdict(list)
    for call in ledger:
        if call["template"] is not None:
            calls[call["to"]].append(call)
    return calls


def _id(call: Json) -> int | None:
    parts = (call["callback_data"] or "").split(":")
    return int(parts[1]) if parts[0] == "d" else None


def _now_ms() -> float:
    return time.time() * 1000  # noqa: TID251 — the ledger's `ms` is the machine's clock


_READY = """
select i.value as phone
  from messages m
  join campaigns c on c.organization_id = m.organization_id and c.id = m.campaign_id
  join contact_identities i on i.organization_id = m.organization_id and i.contact_id = m.contact_id
                           and i.kind = 'phone'
 where c.name = $1 and m.state in ('claimed', 'queued')
 order by m.state, m.due_at, m.id
 limit $2
"""

_ACCEPTED = """
select count(*) as accepted from messages m
  join campaigns c on c.organization_id = m.organization_id and c.id = m.campaign_id
 where c.name = $1 and m.accepted_at is not null
"""
