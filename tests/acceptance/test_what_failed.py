"""What failed for good: staff read why and have it tried again; too much of it stops by itself."""

import asyncio
from collections import Counter

import pytest

from tests.acceptance.steps import bring, card_of, phones, sent_to
from tests.system import System, button

FILE_UNFIT = "131051"  # refused for good at once


async def _failing(system: System, share: float) -> None:
    await system.post("whatsapp/moods", errors={FILE_UNFIT: share})


async def _failed(system: System, name: str, count: int) -> str:
    async with asyncio.timeout(30):
        while f"{count} messages failed for good" not in (
            said := await system.ask(f"failed {name}")
        ):
            pass
    return said


@pytest.mark.usefixtures("provoked")
async def test_what_failed_is_read_and_tried_again_and_only_that(system: System) -> None:
    numbers = phones(610, 6)
    await bring(system, numbers, "retried")
    await system.ask("broadcast new Retried to=tag:retried template=followup")
    await _failing(system, 1.0)
    try:
        await system.ask("broadcast send Retried")
        said = await _failed(system, "Retried", 6)
    finally:
        await _failing(system, 0)
    assert "WhatsApp does not support this type of message" in said
    assert "(error 131051)" in said
    assert numbers[0] in said
    await system.says("WhatsApp refused messages of Retried")
    await system.advance(minutes=1)
    await card_of(system, "Retried", "is completed")

    one = await system.ask(f"retry Retried {numbers[0]}")
    assert "has 1 message of *Retried* tried again, for 1 contact." in one
    await system.advance(minutes=2)
    assert [each["to"] for each in await sent_to(system, numbers)] == [numbers[0]]
    await system.writes(numbers[1], "STOP")
    rest = await system.ask("retry Retried all")

    assert "has 4 messages of *Retried* tried again, for 4 contacts." in rest
    await system.advance(minutes=2)
    expected = Counter(each for each in numbers if each != numbers[1])
    assert Counter(each["to"] for each in await sent_to(system, numbers)) == expected
    assert "can be tried again" in await system.ask("retry Retried all")
    await card_of(system, "Retried", "is completed")


@pytest.mark.usefixtures("provoked")
async def test_too_many_failures_stop_a_broadcast_until_somebody_resumes_it(
    system: System,
) -> None:
    numbers = phones(611, 120)
    await bring(system, numbers, "braked")
    await system.ask("broadcast new Braked to=tag:braked template=followup rate=10/s")
    await _failing(system, 1.0)
    try:
        await system.ask("broadcast send Braked")
        alert = await system.says("Braked has stopped", "brake_failures", within=60)
    finally:
        await _failing(system, 0)
    assert "WhatsApp does not support this type of message" in alert["text"]
    assert "/drip broadcast resume Braked" in alert["text"]
    assert len(await sent_to(system, numbers)) == 0

    await system.click(alert, button(alert, "Resume")["action_id"])
    await system.advance(minutes=5)
    await card_of(system, "Braked", "is completed")

    sent = await sent_to(system, numbers)
    assert 0 < len(sent) <= 100
    failed = 120 - len(sent)
    assert f"{failed} messages failed for good" in await system.ask("failed Braked")
    await system.ask("retry Braked all")
    await system.advance(minutes=5)
    assert Counter(each["to"] for each in await sent_to(system, numbers)) == Counter(numbers)
