"""Two hosts over one database: lanes spread, and move when a host is cut off or dies."""
# ruff: noqa: T201 — what was measured belongs to the proof

import asyncio
from collections import Counter
from itertools import pairwise

import pytest

from engine.ids import OrganizationId
from tests.faults.cluster import Cluster, cluster, fullest_second
from tests.faults.hosts import may_make_namespaces

pytestmark = pytest.mark.prove

ACME, GLOBEX = OrganizationId("acme"), OrganizationId("globex")
RATE = 20
NUMBERS = {ACME: {f"20000000000000{n}": RATE for n in range(1, 7)}}
MESSAGES = 1500
MOVED_WITHIN_S = 15.0
WATCHED_S = 6.0


async def test_lanes_spread_and_move_and_no_number_is_sent_on_by_two() -> None:
    namespaces = may_make_namespaces()
    if not namespaces:
        print("\nno network namespaces here: hosts are plain processes behind relays of their own")
    numbers = list(NUMBERS[ACME])
    async with cluster(NUMBERS, hosts=2, namespaces=namespaces) as running:
        for number in numbers:
            await running.queue(ACME, number, MESSAGES)
        await _all_sending(running, numbers)
        spread = await _spread(running, numbers)
        print(f"\nlanes by host: {dict(spread)}")

        first, second = (host for host, _ in spread.most_common(2))
        moved = await _lost(running, first, "database")
        print(f"lanes of the host that lost the database moved in {_shown(moved)}")
        running.hosts[first].database.flowing.set()
        await _back(running, first)
        moved = await _lost(running, second, "link")
        print(f"lanes of the host that was cut off moved in {_shown(moved)}")
        running.hosts[second].die()
        moved_at = asyncio.get_running_loop().time()

        for number in numbers:
            assert fullest_second(running.of(number)) <= RATE, number
        assert max(Counter(call.message for call in running.calls).values()) == 1
        assert {call.host for call in running.calls if call.at > moved_at} <= {first}
        assert set(await running.states()) <= {"queued", "claimed", "accepted", "unknown"}


async def test_one_organization_at_full_load_leaves_another_what_it_had() -> None:
    busy = {f"20000000000000{n}": 300 for n in range(1, 4)}
    quiet = "300000000000009"
    numbers = {ACME: busy, GLOBEX: {quiet: 2 * RATE}}
    async with cluster(numbers, hosts=1, namespaces=False) as running:
        await running.queue(GLOBEX, quiet, MESSAGES)
        await _all_sending(running, [quiet])
        alone, alone_gap = await _watched(running, quiet)
        for number in busy:
            await running.queue(ACME, number, 2 * MESSAGES)
        await _all_sending(running, list(busy))
        others = len(running.calls)
        beside, beside_gap = await _watched(running, quiet)
        others = len(running.calls) - others - beside

        print(
            f"\nof 40 a second: {alone / WATCHED_S:.1f} alone, longest pause {alone_gap:.0f} ms;"
            f" {beside / WATCHED_S:.1f} beside {others / WATCHED_S:.0f} of another's,"
            f" longest pause {beside_gap:.0f} ms"
        )
        assert others
        assert beside
        for organization in numbers.values():
            for number, rate in organization.items():
                assert fullest_second(running.of(number)) <= rate, number


async def _watched(running: Cluster, number: str) -> tuple[int, float]:
    """Return how many calls a number makes in a while, and the longest time between two, in ms."""
    before = len(running.of(number))
    await asyncio.sleep(WATCHED_S)
    times = [call.at for call in running.of(number)[before:]]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    return len(times), 1000 * max(gaps, default=WATCHED_S)


async def _all_sending(running: Cluster, numbers: list[str]) -> None:
    async with asyncio.timeout(30):
        while not {call.number for call in running.calls} >= set(numbers):  # noqa: ASYNC110 — calls come
            await asyncio.sleep(0.05)


async def _spread(running: Cluster, numbers: list[str]) -> Counter[str]:
    """Return how many lanes each host has, once both have some."""
    async with asyncio.timeout(60):
        while True:
            spread = Counter(running.of(number)[-1].host for number in numbers)
            if len(spread) == len(running.hosts):
                return spread
            await asyncio.sleep(0.2)


async def _lost(running: Cluster, name: str, what: str) -> dict[str, float]:
    """Take *what* from a host; return after how many seconds another sent on each of its numbers.

    From the first call of another host on, none of this one comes: it would be one of two.
    """
    loop = asyncio.get_running_loop()
    numbers = [
        number
        for number in NUMBERS[ACME]
        if (calls := running.of(number)) and calls[-1].host == name
    ]
    since = loop.time()
    if what == "database":
        running.hosts[name].database.flowing.clear()
    else:
        running.hosts[name].cut_link()
    moved: dict[str, float] = {}
    while len(moved) < len(numbers):
        assert loop.time() - since < MOVED_WITHIN_S, f"{set(numbers) - set(moved)} did not move"
        await asyncio.sleep(0.05)
        for number in numbers:
            others = [c.at for c in running.of(number) if c.at > since and c.host != name]
            if others:
                moved.setdefault(number, others[0] - since)
    await asyncio.sleep(3)
    for number, after in moved.items():
        late = [c for c in running.of(number) if c.at > since + after and c.host == name]
        assert not late, f"{number} was sent on by two: {late[:3]}"
    return moved


async def _back(running: Cluster, name: str) -> None:
    """Wait until a host that had lost the database sends again on some number."""
    since = asyncio.get_running_loop().time()
    async with asyncio.timeout(60):
        while not any(c.host == name and c.at > since for c in running.calls):  # noqa: ASYNC110 — calls come
            await asyncio.sleep(0.2)


def _shown(moved: dict[str, float]) -> str:
    return ", ".join(f"{seconds:.1f} s" for seconds in moved.values())
