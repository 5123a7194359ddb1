"""A broadcast while it runs: its card moves, it pauses and goes on, it is cancelled."""

import asyncio
import time
from collections import Counter

from tests.acceptance.steps import bring, card_of, figures, phones, sent_to
from tests.system import System, button, words

COUNT = 80


def _now_ms() -> float:
    return time.time() * 1000  # noqa: TID251 — the ledger's `ms` is the machine's clock


async def _running(system: System, name: str, tag: str, numbers: list[str]) -> None:
    """Start a broadcast at twenty a second and return once some of it has left."""
    await bring(system, numbers, tag)
    await system.ask(f"broadcast new {name} to=tag:{tag} template=followup rate=20/s")
    await system.ask(f"broadcast send {name}")
    async with asyncio.timeout(20):
        while len(await sent_to(system, numbers)) < 10:  # noqa: ASYNC110 — a ledger is looked at
            await asyncio.sleep(0.1)


async def test_the_card_moves_while_it_runs_and_ends_condensed(system: System) -> None:
    numbers = phones(101, COUNT)

    await _running(system, "Moving", "moving", numbers)
    shown: list[str] = []
    async with asyncio.timeout(40):
        while not shown or "is completed" not in shown[-1]:
            card = await card_of(system, "Moving")
            if card["text"] not in shown:
                shown.append(card["text"])
            await asyncio.sleep(0.2)
            if f"sent {COUNT}" in shown[-1]:
                await system.advance(minutes=1)  # a broadcast rests before it is completed

    moved = [text for text in shown if "is running" in text]
    assert len(moved) >= 2
    sent = [int(text.split("sent ")[1].split(",")[0]) for text in moved]
    assert sent == sorted(sent)
    assert [block["type"] for block in card["blocks"]] == ["section", "context"]
    assert f"sent {COUNT} of {COUNT}" in words(card)


async def test_pause_holds_within_a_second_and_resume_goes_on_where_it_was(system: System) -> None:
    numbers = phones(102, COUNT)
    await _running(system, "Pausing", "pausing", numbers)
    card = await card_of(system, "Pausing", "running")

    pressed = _now_ms()
    answer = await system.click(card, button(card, "Pause")["action_id"])
    assert answer["status"] == 200
    paused = await card_of(system, "Pausing", "is paused")
    await asyncio.sleep(2.5)
    held = await sent_to(system, numbers)

    assert 0 < len(held) < COUNT
    assert max(message["ms"] for message in held) <= pressed + answer["acknowledged_ms"] + 1000
    await system.click(paused, button(paused, "Resume")["action_id"])
    await system.advance(minutes=5)
    await card_of(system, "Pausing", "is completed")
    everything = await sent_to(system, numbers)
    assert Counter(message["to"] for message in everything) == dict.fromkeys(numbers, 1)
    assert [m["id"] for m in everything[: len(held)]] == [m["id"] for m in held]


async def test_cancel_ends_it_for_good(system: System) -> None:
    numbers = phones(103, COUNT)
    await _running(system, "Cancelling", "cancelling", numbers)
    card = await card_of(system, "Cancelling", "running")
    cancel = button(card, "Cancel")

    await system.click(card, cancel["action_id"])
    ended = await card_of(system, "Cancelling", "is cancelled")
    await system.settle()

    sent = await sent_to(system, numbers)
    assert 0 < len(sent) < COUNT
    assert max(Counter(message["to"] for message in sent).values()) == 1
    assert cancel["confirm"]["style"] == "danger"
    assert not any(block["type"] == "actions" for block in ended["blocks"])
    report = figures(await system.ask("report Cancelling"))["Step 1"]
    assert report["sent"] == len(sent)
    assert report["planned"] == COUNT
    assert report["left out"] == COUNT - len(sent)
    assert "can" in (await system.ask("broadcast resume Cancelling")).lower()
    assert len(await sent_to(system, numbers)) == len(sent)
