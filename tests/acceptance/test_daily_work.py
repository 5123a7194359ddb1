"""What staff do between campaigns: contacts, templates, enrollments, imports, status."""

import re

import pytest

from tests.acceptance.steps import bring, last_said, people, phones, sent_to
from tests.system import OWNER, System, button, words

XLSX = b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00" + b"\x00" * 200
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog>>\nendobj\n"


async def test_contacts_are_found_shown_and_tagged(system: System) -> None:
    (phone,) = phones(140, 1)

    added = await system.ask(f'contact add {phone} name="Grace Hopper" company=Navy tags=cobol')
    assert f"<@{OWNER}>" in added
    for who in ("tag:cobol", "hopper", "navy", phone, f"0{phone[3:]}"):
        assert phone in await system.ask(f"contact find {who}")
    assert "tagged 1 contact" in await system.ask(f"contact tag {phone} vip140")
    shown = await system.ask("contact show Grace")
    assert "cobol, vip140" in shown
    assert "1 contact" in await system.ask(f"contact untag {phone} vip140")
    assert "No contact" in await system.ask("contact find tag:vip140")


async def test_templates_are_listed_shown_and_fetched(system: System) -> None:
    listed = await system.ask("template list")
    for name in ("announcement", "feedback", "followup", "offer", "receipt", "welcome"):
        assert name in listed
    shown = await system.ask("template show welcome")
    assert "{{first_name}}" in shown
    assert "template=welcome first_name={first_name|there}" in shown

    await system.post(
        "whatsapp/templates",
        name="meadow",
        language="en",
        category="MARKETING",
        status="APPROVED",
        components=[{"type": "BODY", "text": "The meadows are green"}],
    )
    assert "templates" in await system.ask("template sync")
    assert "The meadows are green" in await system.ask("template show meadow")


async def test_status_says_what_runs_and_what_waits(system: System) -> None:
    said = await system.ask("status")

    for expected in ("database", "Redis", "worker lanes", "worker jobs", "+15550001111", "Due now"):
        assert expected in said
    assert "red_circle" not in said


async def test_enrollments_are_listed_and_ended(system: System) -> None:
    numbers = phones(141, 3)
    await bring(system, numbers, "listed")
    for text in (
        "campaign new Listed",
        "step add Listed after=0m template=followup",
        "step add Listed after=1d template=followup",
        "campaign activate Listed",
    ):
        await system.ask(text)
    assert "enrolled 3 contacts" in await system.ask("enroll Listed tag:listed")
    assert "enrolled 0" in await system.ask("enroll Listed tag:listed")
    await system.advance(hours=1)
    assert "3 active" in await system.ask("enrollments Listed")

    assert "took 1 contact out" in await system.ask(f"unenroll Listed {numbers[0]}")
    assert "1 dropped" in await system.ask("enrollments Listed")
    assert numbers[0] in await system.ask("enrollments Listed dropped")
    await system.advance(days=2)

    sent = [message["to"] for message in await sent_to(system, numbers)]
    assert [sent.count(number) for number in numbers] == [1, 2, 2]
    assert "2 completed" in await system.ask("enrollments Listed")
    await system.ask("campaign archive Listed")


async def test_who_waited_for_a_removed_step_goes_on(system: System) -> None:
    numbers = phones(142, 2)
    await bring(system, numbers, "removed")
    for text in (
        "campaign new Removed",
        "step add Removed after=0m template=followup",
        "step add Removed after=2d template=feedback",
        "step add Removed after=1d template=receipt 1=A1 2=today",
        "campaign activate Removed",
        "enroll Removed tag:removed",
    ):
        await system.ask(text)
    await system.advance(hours=1)

    asked = await system.ask("step remove Removed 2")
    assert "Nothing has been done" in asked
    again = re.search(r"`/drip (.*)`", asked)
    assert again is not None
    assert "2 contacts who waited for it" in await system.ask(again[1])
    assert "not the one you were asked about" in await system.ask(again[1])
    await system.advance(days=4)

    sent = [(m["to"], m["template"]["name"]) for m in await sent_to(system, numbers)]
    assert sorted(sent) == sorted(
        (number, name) for number in numbers for name in ("followup", "receipt")
    )
    assert "2 completed" in await system.ask("enrollments Removed")
    await system.ask("campaign archive Removed")


async def test_a_trigger_enrolls_whoever_gets_the_tag_however_it_comes(system: System) -> None:
    numbers = phones(143, 4)
    imported, added, tagged, stranger = numbers
    await system.ask(f"contact add {tagged}")
    for text in (
        "campaign new Triggered trigger=tag:trig",
        "step add Triggered after=0m template=followup",
        "campaign activate Triggered",
    ):
        await system.ask(text)

    await system.upload("trig.csv", people([imported], "trig"))
    verdicts = await system.says("trig.csv", "Import 1")
    await system.click(verdicts, button(verdicts, "Import")["action_id"])
    await system.ask(f"contact add {added} tags=trig")
    await system.ask(f"contact tag {tagged} trig")
    await system.ask(f"contact tag {tagged} trig")
    await system.ask(f"contact add {stranger}")
    await system.advance(minutes=1)

    assert sorted(m["to"] for m in await sent_to(system, numbers)) == [imported, added, tagged]
    await system.ask("campaign archive Triggered")


async def test_a_file_is_imported_in_the_conversation_with_the_bot(system: System) -> None:
    numbers = phones(144, 2)
    direct = next(
        channel["id"]
        for channel in (await system.get("overview"))["channels"]
        if channel.get("is_im") and channel.get("user") == OWNER
    )

    await system.upload("direct.csv", people(numbers, "direct"), channel=direct)
    verdicts = await system.says("direct.csv", "Import 2", channel=direct)
    await system.click(verdicts, button(verdicts, "Import")["action_id"])
    await system.says("direct.csv is imported", channel=direct)

    assert "2 contacts" in await system.ask("contact find tag:direct")


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        pytest.param("empty.csv", b"", "empty", id="empty"),
        pytest.param("no-phone.csv", b"name,company\nAda,Acme\n", "phone", id="no phone column"),
        pytest.param("renamed.csv", XLSX, "CSV", id="a spreadsheet renamed"),
        pytest.param("letter.csv", PDF, "CSV", id="a PDF renamed"),
    ],
)
async def test_a_file_that_is_no_list_is_refused_with_a_hint(
    system: System, name: str, content: bytes, why: str
) -> None:
    await system.upload(name, content)

    refused = await system.says(name, "Nothing was imported", within=40)
    assert why.lower() in words(refused).lower()
    assert "import_start" not in str(refused["blocks"])


async def test_the_same_file_again_changes_nothing(system: System) -> None:
    numbers = phones(145, 3)
    for verdict in ("3 new", "3 known"):
        await system.upload("twice.csv", people(numbers, "twice"))
        verdicts = await system.says("twice.csv", verdict, "Import 3")
        await system.click(verdicts, button(verdicts, "Import")["action_id"])
    done = words(await system.says("twice.csv is imported", "0 new"))

    assert "0 tags added" in done
    assert "3 contacts" in await system.ask("contact find tag:twice")


@pytest.mark.parametrize(
    "text",
    ["", "hepl", "campaign", "campaign nwe X", 'campaign new "', "step add", "\u202e💥"],
)
async def test_what_is_no_command_is_answered(system: System, text: str) -> None:
    answer = await system.command(text)

    assert answer["status"] == 200
    assert "/drip" in last_said(answer)
