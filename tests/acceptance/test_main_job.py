"""What a newcomer does first: import leads, write a drip, jump ahead, answer, stop, broadcast."""

import csv
import io
from collections import Counter

from tests.system import AGENT, ALERTS, OWNER, STRANGER, SUPERVISOR, Json, System, button, words

HOSTILE = '<!channel> =HYPERLINK("x")'


def leads() -> bytes:
    """Return 200 rows: 195 new contacts, 3 duplicates written differently, 2 invalid numbers."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["phone", "first_name", "company", "tags"])
    for place in range(195):
        name = HOSTILE if place == 7 else f"Lead{place}"
        rows.writerow([phone(place), name, f"Company {place}", "lead"])
    for written in ("06 2000 0001", "0031620000002", "(+31) 6-2000.0003"):
        rows.writerow([written, "Twice", "", "lead"])
    rows.writerow(["12", "Nobody", "", "lead"])
    rows.writerow(["call me", "Nobody", "", "lead"])
    return out.getvalue().encode()


def phone(place: int) -> str:
    return f"+3162000{place:04}"


async def _import(system: System) -> Json:
    await system.upload("leads.csv", leads())
    verdicts = await system.says("195", "Import 195")
    importing = button(verdicts, "Import 195")
    await system.click(verdicts, importing["action_id"])
    await system.settle()
    return verdicts


async def test_from_a_file_of_leads_to_the_completion_alert(system: System) -> None:
    verdicts = await _import(system)

    told = words(verdicts)
    assert "3" in told
    assert "2" in told
    assert "<!channel>" not in told
    buttons = [
        element
        for block in verdicts["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
        if "Import" in element["text"]["text"]
    ]
    assert len(buttons) == 1

    for text in (
        'campaign new "Welcome" trigger=tag:lead stop_on_reply=yes',
        "step add Welcome after=0m template=welcome first_name={first_name|there}",
        "step add Welcome after=2d template=followup",
        "step add Welcome after=5d template=offer 1={first_name|there} 2=10% url=welcome",
        "campaign activate Welcome",
    ):
        answer = await system.ask(text)
        assert "Did you mean" not in answer, answer
    enrolled = await system.ask("enroll Welcome tag:lead")
    assert "195" in enrolled

    await system.advance(days=2)
    replied = await system.writes(phone(10), "How much is it?")
    stopped = await system.writes(phone(11), "stop.")
    assert replied["status"] == stopped["status"] == 200
    await system.advance(days=6)

    sent = Counter(
        message["template"]["name"] if message["template"] else "text"
        for message in await system.ledger()
        if message["to"].startswith("+3162000")
    )
    assert sent == {"welcome": 195, "followup": 195, "offer": 193, "text": 1}

    alert = words(await system.says("Welcome", "193", "replied", "opted out"))
    assert "193" in alert
    report = await system.ask("report Welcome")
    for number in ("195", "193"):
        assert number in report
    hostile = next(m for m in await system.ledger() if m["to"] == phone(7))
    assert HOSTILE in hostile["text"]

    answer = await system.ask('broadcast new "Sale" to=tag:lead template=followup')
    assert "194" in answer
    await system.ask("broadcast send Sale")
    await system.settle()
    followups = Counter(
        message["to"]
        for message in await system.ledger()
        if message["template"] and message["template"]["name"] == "followup"
    )
    assert sum(followups.values()) == 195 + 194
    assert followups[phone(11)] == 1
    assert max(followups.values()) == 2
    report = await system.ask("report Sale")
    assert "194" in report
    assert "said STOP" in report


async def test_roles_are_kept(system: System) -> None:
    refused = await system.ask('campaign new "Sneaky"', user=AGENT)
    looked = await system.ask("campaign list", user=SUPERVISOR)
    not_his = await system.ask('campaign new "Sneaky"', user=SUPERVISOR)
    stranger = await system.ask("status", user=STRANGER)
    shown = await system.ask("campaign list", user=OWNER)

    assert "owner" in refused.lower()
    assert "owner" in not_his.lower()
    assert "owner" not in looked.lower()
    assert f"<@{OWNER}>" in stranger
    assert "Sneaky" not in shown


async def test_nothing_that_is_not_a_command_is_an_error(system: System) -> None:
    for text in (
        "",
        "hepl",
        "campaign",
        "campaign nwe X",
        'campaign new "',
        "step add",
        "\u202e💥",
    ):
        answer = await system.command(text)
        assert answer["status"] == 200
        assert answer["replies"]
    assert "help" in await system.ask("hepl")


async def test_everything_of_the_alerts_channel_is_inert(system: System) -> None:
    for message in await system.channel(ALERTS):
        assert "<!channel>" not in str(message["blocks"]) + message["text"]
