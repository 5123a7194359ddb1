"""Several things go wrong at once while campaigns run: nobody twice, nobody lost."""
# ruff: noqa: T201 — what a seed draws and what came of it belong to the proof

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.faults import comparing
from tests.faults.campaigns import Campaigns, prepare, start
from tests.faults.comparing import Ledger
from tests.faults.drawing import CALM, draw
from tests.faults.faults import Storm
from tests.faults.traffic import Traffic
from tests.faults.truth import Row, Truth
from tests.system import System, fresh

pytestmark = pytest.mark.prove

_OPEN = frozenset({"queued", "claimed", "unknown", "failed"})
_ROUNDS = 6


@pytest.fixture(scope="module")
async def system() -> AsyncIterator[System]:
    async with fresh() as running:
        yield running


async def test_nobody_twice_and_nobody_lost_whatever_goes_wrong(system: System, seed: int) -> None:
    drawn = draw(seed)
    print(f"\n{drawn}")
    loop = asyncio.get_running_loop()
    begun = loop.time()
    truth = Truth(system)
    await system.post("whatsapp/moods", **CALM)
    await system.ready()
    campaigns = await prepare(system, truth, drawn)
    before = len(await system.ledger())
    refused = len((await system.get("refusals"))["refusals"])
    await start(system, campaigns, drawn)
    storm = Storm(system, truth, drawn)
    traffic = Traffic(system, campaigns, drawn)

    async with asyncio.TaskGroup() as both:
        both.create_task(storm.rage())
        both.create_task(traffic.flow())
    alive_s = await storm.calm()
    raged_s = loop.time() - begun
    asked = await _settled(system, truth, traffic, drawn.seed)

    rows = await truth.messages(list(campaigns.kinds))
    ledger = Ledger.of((await system.ledger())[before:], rows)
    resent = [row for row in rows if row.resent]
    print(
        f"seed {seed}: alive {alive_s:.1f} s after the last blow; sent again after silence"
        f" {len(resent)}, cards that asked {asked}; storm {raged_s:.0f} s,"
        f" all {loop.time() - begun:.0f} s"
    )
    for row in resent:
        print(f"  sent again: {row}")
    refusals = (await system.get("refusals"))["refusals"][refused:]
    assert await truth.opted_out(list(traffic.stopped)) == set(traffic.stopped)
    wrong = [
        *comparing.nobody_twice(rows, ledger),
        *comparing.nobody_lost(rows, ledger, campaigns),
        *([] if drawn.withheld else comparing.nothing_unheard(rows, ledger)),
        *comparing.left_out_without_cause(rows, drawn, set(traffic.stopped)),
        *comparing.nothing_after_stop(rows, ledger, traffic.stopped),
        *comparing.nothing_while_paused(rows, ledger, traffic.held, storm.frozen),
        *await _drip_lost(truth, rows, campaigns, traffic),
        *map(str, comparing.over_the_limit(refusals)),
        *map(str, await truth.stats_differ()),
        *await comparing.slack_differs(system, truth, rows, campaigns),
    ]
    assert not wrong, f"{drawn}:\n" + "\n".join(wrong)


async def _settled(system: System, truth: Truth, traffic: Traffic, seed: int) -> int:
    """Let time pass until nothing is open; return how many cards asked staff for a decision.

    What is in doubt waits for a later call on its number to be heard of, and then for ten minutes.
    """
    names = list(traffic.campaigns.kinds)
    await traffic.resume()
    await system.settle()
    await system.ask(f'broadcast new "Control {seed}" to=+31610000001 template=followup')
    await system.ask(f'broadcast send "Control {seed}"')
    asked = 0
    for minutes in (12, 60, *([90] * _ROUNDS)):
        await system.advance(minutes=minutes)
        asked += await traffic.decide_doubts()
        await system.settle()
        rows = await truth.messages(names)
        if minutes > 12 and not any(row.state in _OPEN for row in rows):
            break
    await system.advance(minutes=1)
    return asked


async def _drip_lost(
    truth: Truth, rows: list[Row], campaigns: Campaigns, traffic: Traffic
) -> list[str]:
    """Return who did not walk the drip to its end, and did not write to us."""
    enrolled = await truth.enrolled(campaigns.drip)
    steps = {(row.phone, row.step) for row in rows if row.campaign == campaigns.drip}
    return [
        f"{phone} is {enrolled.get(phone)} in {campaigns.drip}"
        for phone in campaigns.audiences[campaigns.drip]
        if phone not in {*traffic.stopped, *traffic.replied}
        and (enrolled.get(phone) != "completed" or (phone, 2) not in steps)
    ]
