"""Staff look before they leap: what somebody would read, what a campaign would do, and why not."""

import asyncio
import csv
import io

from tests.acceptance.steps import bring, phones, sent_to
from tests.system import Json, System


async def test_staff_see_what_a_contact_would_read_before_anybody_reads_it(system: System) -> None:
    (reader,) = numbers = phones(190, 1)
    await bring(system, numbers, "look190")
    for text in (
        "campaign new Look190",
        "step add Look190 after=0m template=receipt 1={first_name} 2=today",
        'step add Look190 after=1d text="Any questions, {first_name|there}?"',
    ):
        await system.ask(text)

    said = await system.ask(f"campaign preview Look190 {reader}")

    assert "P0000" in said
    assert "Would come" in said
    assert "did not write within 24 hours" in said
    assert await sent_to(system, numbers) == []


async def test_a_simulation_comes_true_contact_by_contact(system: System) -> None:
    numbers = phones(191, 3)
    await bring(system, numbers, "look191")
    await system.ask(f"contact optout {numbers[2]}")
    for text in (
        "campaign new Look191 trigger=tag:look191 per_day=1",
        "step add Look191 after=0m template=followup",
        "step add Look191 after=2d template=feedback",
    ):
        await system.ask(text)

    said = await system.ask("campaign simulate Look191 csv")
    foreseen = await _listed(system, "simulation-look191")
    assert {row["phone"] for row in foreseen} == set(numbers[:2])
    assert "Not enrolled: 1 said STOP" in said
    assert await sent_to(system, numbers) == []

    await system.ask("campaign activate Look191")
    await system.ask("enroll Look191 tag:look191")
    await system.advance(days=7)

    sent = [message["to"] for message in await sent_to(system, numbers)]
    assert sorted(sent) == sorted(row["phone"] for row in foreseen if row["outcome"] == "sent")
    await system.ask("campaign archive Look191")


async def test_staff_are_told_why_somebody_got_nothing(system: System) -> None:
    reached, stopped, outside = numbers = phones(192, 3)
    await bring(system, [reached, stopped], "look192")
    await bring(system, [outside], "other192")
    for text in (
        "campaign new Look192",
        "step add Look192 after=0m template=followup",
        "step add Look192 after=3d template=feedback",
        "campaign activate Look192",
        "enroll Look192 tag:look192",
    ):
        await system.ask(text)
    await system.advance(hours=1)
    await system.ask(f"contact optout {stopped}")

    assert "Step 1: sent" in (story := await system.ask(f"why {reached} Look192"))
    assert "Next: step 2" in story
    assert "said STOP" in await system.ask(f"why {stopped} Look192")
    assert "never enrolled" in await system.ask(f"why {outside} Look192")
    await system.ask("campaign pause Look192")
    assert "It is paused by" in await system.ask(f"why {reached} Look192")
    await system.ask("campaign archive Look192")
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
