"""What failed for good: staff read why and have it tried again; too much of it stops by itself."""

import asyncio
from collections import Counter

import pytest

from tests.acceptance.steps import bring, card_of, phones, sent_to
from tests.system import System, button

BANNED = "130497"
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


@pytest.mark.usefixtures("provoked")
async def test_a_country_whatsapp_bans_is_left_out_until_an_owner_tries_it_again(
    system: System,
) -> None:
    dutch = phones(612, 2)
    brazilian = [f"+5511986120{place:03}" for place in range(3)]
    await bring(system, [*brazilian, *dutch], "travelled")
    await system.ask(f"broadcast new Forerunner to={brazilian[0]} template=followup")
    await system.post("whatsapp/moods", errors={BANNED: 1.0})
    try:
        await system.ask("broadcast send Forerunner")
        alert = await system.says("Brazil, met by Forerunner")
    finally:
        await system.post("whatsapp/moods", errors={BANNED: 0})
    assert "WhatsApp does not let your account write to this country" in str(alert)
    assert "`/drip country open BR` ends that" in str(alert)
    assert "its 3 contacts are left out" in await system.ask("status")

    shown = await system.ask("broadcast new Tropics to=tag:travelled template=followup")
    assert "3 of a country that WhatsApp does not let the account write to" in shown
    await system.ask("broadcast send Tropics")
    await card_of(system, "Tropics", "sent 2 of 5", "left out 3")
    await system.advance(minutes=1)
    assert {each["to"] for each in await sent_to(system, [*dutch, *brazilian])} == set(dutch)

    await system.ask("country open Brazil")
    await system.ask("retry Forerunner all")
    await system.advance(minutes=1)

    assert len(await sent_to(system, brazilian)) == 1
    assert "Brazil" not in await system.ask("status")
