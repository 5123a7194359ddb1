"""What a newcomer does first: import leads, write a drip, jump ahead, answer, stop, broadcast."""

from collections import Counter

from tests import newcomer
from tests.acceptance.steps import card_of, figures, sent_to
from tests.newcomer import HOSTILE, phone
from tests.system import ALERTS, INBOX, Json, System, button, words

LEADS = [phone(place) for place in range(newcomer.NEW)]
REPLIED, STOPPED = phone(10), phone(11)
STEPS = ("welcome", "followup", "offer")


async def _import(system: System) -> Json:
    await system.upload("leads.csv", newcomer.leads())
    verdicts = await system.says("195", "Import 195")
    importing = button(verdicts, "Import 195")
    await system.click(verdicts, importing["action_id"])
    await system.settle()
    return verdicts


def _counted(messages: list[Json]) -> dict[str, int]:
    """Return what the ledger says of messages, in the words of a report."""
    reached = [{status["status"] for status in message["statuses"]} for message in messages]
    return {
        "planned": len(messages),
        "sent": len(messages),
        "delivered": sum(bool(each & {"delivered", "read"}) for each in reached),
        "read": sum("read" in each for each in reached),
        "failed": sum("failed" in each for each in reached),
        "left out": 0,
        "open": 0,
    }


async def test_from_a_file_of_leads_to_the_completion_alert(system: System) -> None:
    verdicts = await _import(system)
    told = words(verdicts)
    for expected in ("200 rows", "195 new", "3 duplicate", "2 invalid"):
        assert expected in told
    assert "<!channel>" not in told
    labels = [
        element["text"]["text"]
        for block in verdicts["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
    ]
    assert [label for label in labels if "Import" in label] == ["Import 195"]
    assert await _rows_of_verdicts(system) == newcomer.ROWS + 1

    for text in newcomer.DRIP:
        answer = await system.ask(text)
        assert "Did you mean" not in answer, answer
    assert "enrolled 195 contacts" in await system.ask(newcomer.ENROLL)

    await system.advance(days=2)
    replied = await system.writes(REPLIED, "How much is it?")
    stopped = await system.writes(STOPPED, "stop.")
    assert replied["status"] == stopped["status"] == 200
    await system.advance(days=6)

    ledger = await sent_to(system, LEADS)
    by_step = {name: [m for m in ledger if m["template"]["name"] == name] for name in STEPS}
    assert {name: len(each) for name, each in by_step.items()} == {
        "welcome": 195,
        "followup": 195,
        "offer": 193,
    }
    assert all(len({m["to"] for m in each}) == len(each) for each in by_step.values())
    answers = [m["to"] for m in await system.ledger() if m["template"] is None]
    assert [to for to in answers if to in LEADS] == [STOPPED]
    assert HOSTILE in next(m for m in by_step["welcome"] if m["to"] == phone(7))["text"]
    assert "How much is it?" in words(await system.says("Lead10", channel=INBOX))

    alert = words(await system.says("Welcome", "finished", "messages sent"))
    assert "193 finished, 1 replied, 1 opted out" in alert
    assert f"{len(ledger)} messages sent" in alert
    assert "0 failed, 0 left out" in alert

    report = figures(await system.ask("report Welcome"))
    ended = {"completed": 193, "replied": 1, "opted out": 1}
    assert report["Enrolled 195"] == {"active": 0, "paused": 0, "dropped": 0} | ended
    for place, name in enumerate(STEPS, start=1):
        replies = {"replied": 1 if name == "followup" else 0}
        assert report[f"Step {place}"] == _counted(by_step[name]) | replies
    assert report["All steps"] == _counted(ledger) | {"replied": 1}

    await _broadcast(system)
    await system.ask("campaign archive Welcome")


async def _rows_of_verdicts(system: System) -> int:
    (file,) = [
        each
        for message in await system.channel()
        for each in message["files"][:1]
        if each["name"].startswith("leads - verdicts")
    ]
    content: bytes = await system.get(f"slack/files/{file['id']}")
    return len(content.decode("utf-8-sig").splitlines())


async def _broadcast(system: System) -> None:
    """Reach all but the one who said STOP."""
    before = await sent_to(system, LEADS)

    told = await system.ask(newcomer.BROADCAST)
    assert "194 recipients" in told
    assert "1 left out: 1 said STOP" in told
    await system.ask("broadcast send Sale")
    seen = [words(await card_of(system, "Sale"))]
    await system.advance(minutes=10)
    done = words(await card_of(system, "Sale", "is completed"))

    sale = (await sent_to(system, LEADS))[len(before) :]
    assert Counter(m["to"] for m in sale) == {each: 1 for each in LEADS if each != STOPPED}
    assert {m["template"]["name"] for m in sale} == {"followup"}
    assert seen[0] != done
    assert "sent 194 of 195, failed 0, left out 1" in done
    report = await system.ask("report Sale")
    assert figures(report)["Step 1"] == _counted(sale) | {
        "planned": 195,
        "replied": 0,
        "left out": 1,
    }
    assert "Left out of step 1: 1 said STOP" in report


async def test_nothing_in_the_channels_is_markup_of_others(system: System) -> None:
    for channel in (ALERTS, INBOX):
        for message in await system.channel(channel):
            assert "<!channel>" not in str(message["blocks"]) + message["text"]
