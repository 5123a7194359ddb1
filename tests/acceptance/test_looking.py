"""Staff look before they leap: what somebody would read, what a campaign would do, and why not."""

import asyncio
import csv
import io

from tests.acceptance.steps import bring, phones, sent_to
from tests.system import Json, System


async def test_staff_see_what_a_contact_would_read_before_anybody_reads_it(system: System) -> None:
    (reader,) = numbers = phones(390, 1)
    await bring(system, numbers, "look390")
    for text in (
        "campaign new Look390",
        "step add Look390 after=0m template=receipt 1={first_name} 2=today",
        'step add Look390 after=1d text="Any questions, {first_name|there}?"',
    ):
        await system.ask(text)

    said = await system.ask(f"campaign preview Look390 {reader}")

    assert "P0000" in said
    assert "Would come" in said
    assert "did not write within 24 hours" in said
    assert await sent_to(system, numbers) == []


async def test_a_simulation_comes_true_contact_by_contact(system: System) -> None:
    numbers = phones(391, 3)
    await bring(system, numbers, "look391")
    await system.ask(f"contact optout {numbers[2]}")
    for text in (
        "campaign new Look391 trigger=tag:look391 per_day=1",
        "step add Look391 after=0m template=followup",
        "step add Look391 after=2d template=feedback",
    ):
        await system.ask(text)

    said = await system.ask("campaign simulate Look391 csv")
    foreseen = await _listed(system, "simulation-look391")
    assert {row["phone"] for row in foreseen} == set(numbers[:2])
    assert "Not enrolled: 1 said STOP" in said
    assert await sent_to(system, numbers) == []

    await system.ask("campaign activate Look391")
    await system.ask("enroll Look391 tag:look391")
    await system.advance(days=7)

    sent = [message["to"] for message in await sent_to(system, numbers)]
    assert sorted(sent) == sorted(row["phone"] for row in foreseen if row["outcome"] == "sent")
    await system.ask("campaign archive Look391")


async def test_staff_are_told_why_somebody_got_nothing(system: System) -> None:
    reached, stopped, outside = numbers = phones(392, 3)
    await bring(system, [reached, stopped], "look392")
    await bring(system, [outside], "other392")
    for text in (
        "campaign new Look392",
        "step add Look392 after=0m template=followup",
        "step add Look392 after=3d template=feedback",
        "campaign activate Look392",
        "enroll Look392 tag:look392",
    ):
        await system.ask(text)
    await system.advance(hours=1)
    await system.ask(f"contact optout {stopped}")

    assert "Step 1: sent" in (story := await system.ask(f"why {reached} Look392"))
    assert "Next: step 2" in story
    assert "said STOP" in await system.ask(f"why {stopped} Look392")
    assert "never enrolled" in await system.ask(f"why {outside} Look392")
    await system.ask("campaign pause Look392")
    assert "It is paused by" in await system.ask(f"why {reached} Look392")
    await system.ask("campaign archive Look392")
    assert [m["to"] for m in await sent_to(system, numbers)].count(outside) == 0


async def _listed(system: System, name: str) -> list[dict[str, str]]:
    """Return the rows of a file once it is posted, wherever it was asked for."""
    async with asyncio.timeout(20):
        while True:
            channels = (await system.get("overview"))["channels"]
            files: list[Json] = [
                file
                for channel in channels
                for message in await system.channel(channel["id"])
                for file in message["files"]
                if file["name"].startswith(name)
            ]
            if files:
                content: bytes = await system.get(f"slack/files/{files[-1]['id']}")
                return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
            await asyncio.sleep(0.1)
