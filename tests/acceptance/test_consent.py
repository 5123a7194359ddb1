"""STOP and START, on the phone and by staff."""

import asyncio

from tests.acceptance.steps import bring, people, phones, send, sent_to
from tests.system import System, button


async def test_stop_holds_until_start(system: System) -> None:
    numbers = phones(130, 4)
    *stopping, other = numbers
    await bring(system, numbers, "stopping")
    await system.ask("broadcast new Asking to=tag:stopping template=feedback")
    await system.ask("broadcast send Asking")
    async with asyncio.timeout(20):
        while len(await sent_to(system, numbers)) < len(numbers):  # noqa: ASYNC110 — a ledger
            await asyncio.sleep(0.1)

    ways = ({"text": "stop."}, {"text": " Berhenti! "}, {"button": "Stop"})
    for phone, way in zip(stopping, ways, strict=True):
        answered = await system.post("whatsapp/inbound", **{"from": phone, **way})
        assert answered["status"] == 200
    after = await send(system, "Stopped", "tag:stopping", audience=4)
    assert (after["sent"], after["left out"]) == (1, 3)
    assert [m["to"] for m in (await sent_to(system, numbers))[4:]] == [other]
    assert "3 said STOP" in await system.ask("report Stopped")
    for phone in stopping:
        confirmations = [m for m in await system.ledger(phone=phone) if m["template"] is None]
        assert len(confirmations) == 1
        assert "said STOP" in await system.ask(f"contact show {phone}")

    for phone in stopping:
        await system.writes(phone, "START")
    again = await send(system, "Started", "tag:stopping", audience=4)
    assert (again["sent"], again["left out"]) == (4, 0)
    for phone in stopping:
        assert "may be written to" in await system.ask(f"contact show {phone}")


async def test_stop_inside_a_sentence_is_an_answer(system: System) -> None:
    (phone,) = numbers = phones(133, 1)
    await bring(system, numbers, "sentence")

    await system.writes(phone, "Please don't stop, tell me more")
    await send(system, "Sentence", "tag:sentence", audience=1)

    assert len(await sent_to(system, numbers)) == 1


async def test_an_import_subscribes_nobody_again(system: System) -> None:
    numbers = phones(134, 2)
    stopped, other = numbers
    await bring(system, [stopped], "known")
    await system.writes(stopped, "STOP")

    await system.upload("return.csv", people(numbers, "return"))
    verdicts = await system.says("return.csv", "1 new", "1 opted out", "Import 2")
    await system.click(verdicts, button(verdicts, "Import")["action_id"])
    await system.says("return.csv is imported")
    returned = await send(system, "Return", "tag:return", audience=2)

    assert (returned["sent"], returned["left out"]) == (1, 1)
    assert [m["to"] for m in await sent_to(system, numbers)] == [other]


async def test_staff_opt_somebody_out_and_in(system: System) -> None:
    numbers = phones(135, 2)
    out, kept = numbers
    await bring(system, numbers, "byhand")

    assert "opted 1 contact out" in await system.ask(f"contact optout {out}")
    await send(system, "Byhand", "tag:byhand", audience=2)
    assert [m["to"] for m in await sent_to(system, numbers)] == [kept]
    assert await system.ledger(phone=out) == []

    assert "in again" in await system.ask(f"contact optin {out}")
    await send(system, "Byhand2", "tag:byhand", audience=2)
    assert sorted(m["to"] for m in await sent_to(system, numbers)) == [out, kept, kept]


async def test_stop_ends_a_drip_before_its_next_step(system: System) -> None:
    numbers = phones(136, 2)
    stopped, goes_on = numbers
    await bring(system, numbers, "dripstop")
    for text in (
        "campaign new Dripstop stop_on_reply=no",
        "step add Dripstop after=0m template=followup",
        "step add Dripstop after=1d template=followup",
        "campaign activate Dripstop",
        "enroll Dripstop tag:dripstop",
    ):
        await system.ask(text)
    await system.advance(hours=1)

    await system.writes(stopped, "Stop")
    await system.writes(goes_on, "Thanks!")
    await system.advance(days=1, hours=1)

    assert [m["to"] for m in await sent_to(system, numbers)][2:] == [goes_on]
    assert "1 completed, 1 opted out" in await system.ask("enrollments Dripstop")
    await system.ask("campaign archive Dripstop")
