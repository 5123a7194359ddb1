"""WhatsApp's messaging limit: so many people in 24 hours, the next when there is a place."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.acceptance.steps import bring, card_of, phones, sent_to
from tests.system import System

NUMBER = {"id": "200000000000001", "phone": "+15550001111", "messages_per_second": 80}


async def _limited(system: System, tier: str, users: int, said: str) -> None:
    """Let the platform have another limit and tell it, as Meta does; return once it is known."""
    await system.post("whatsapp/numbers", **NUMBER, messaging_limit=tier)
    value = {"max_daily_conversations_per_business": users}
    await system.post("whatsapp/event", field="business_capability_update", value=value)
    async with asyncio.timeout(20):
        while said not in await system.ask("status"):
            pass


@asynccontextmanager
async def _few(system: System) -> AsyncIterator[None]:
    await _limited(system, "TIER_50", 50, "of 50 people")
    try:
        yield
    finally:
        await _limited(system, "TIER_UNLIMITED", -1, "no limit of people")


async def test_so_many_people_are_written_to_in_a_day_and_the_rest_on_the_next(
    system: System,
) -> None:
    numbers = phones(196, 55)
    await bring(system, numbers, "bounded")
    await system.ask("broadcast new Bounded to=tag:bounded template=followup")

    async with _few(system):
        await system.ask("broadcast send Bounded")
        await card_of(system, "Bounded", "messaging limit allows")
        await system.settle()
        first = await sent_to(system, numbers)
        status = await system.ask("status")
        await system.advance(hours=24, minutes=2)
        everything = await sent_to(system, numbers)

    assert len(first) == 50
    assert "50 of 50 people written to within 24 hours; the next place is free at" in status
    assert Counter(each["to"] for each in everything) == dict.fromkeys(numbers, 1)
    await card_of(system, "Bounded", "is completed")
