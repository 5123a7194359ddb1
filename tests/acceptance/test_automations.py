"""Automations: what happens to contacts enrolls, tags and tells by itself, once."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tests.acceptance.steps import people, phones, send, sent_to
from tests.system import INBOX, System, button, words


async def drip(system: System, name: str, *options: str, template: str = "followup") -> None:
    made = await system.ask(" ".join(["campaign new", name, *options]))
    assert name in made, made
    await system.ask(f"step add {name} after=0m template={template}")
    assert "activated" in await system.ask(f"campaign activate {name}")


async def automate(system: System, text: str) -> str:
    """Make an automation and return its number."""
    made = await system.ask(f"automation new {text}")
    assert "made automation" in made, made
    return made.partition("made automation ")[2].partition(":")[0]


async def remove(system: System, *numbers: str) -> None:
    for number in numbers:
        assert "removed automation" in await system.ask(f"automation remove {number}")


async def tagged(system: System, tag: str) -> str:
    return await system.ask(f"contact find tag:{tag}")


async def test_created_and_tagged_contacts_are_enrolled_tagged_and_told_of(
    system: System,
) -> None:
    first, second = numbers = phones(150, 2)
    await drip(system, "Greeted", "trigger=tag:a150")
    made = [
        await automate(system, "when=contact_created then=tag:new150"),
        await automate(system, "when=tag:a150 then=untag:new150"),
        await automate(
            system, f'when=tag:a150 then=tell:#{INBOX} "{{first_name}} is in: {{phone}}"'
        ),
    ]
    listed = await system.ask("automation list")
    assert "When somebody becomes a contact, tag the contact new150." in listed
    assert "enroll the contact in Greeted" in listed

    await system.ask(f"contact add {first} first_name=Ada")
    await system.settle()
    assert first in await tagged(system, "new150")
    await system.ask(f"contact tag {first} a150")
    await system.ask(f"contact add {second} first_name=Bob")
    await system.settle()

    assert [m["to"] for m in await sent_to(system, numbers)] == [first]
    assert "1 contact" in await tagged(system, "new150")
    await system.says(f"Ada is in: {first}", channel=INBOX)
    await remove(system, *made)
    await system.ask("campaign archive Greeted")


async def test_an_event_fills_its_properties_in_and_ends_another_campaign(system: System) -> None:
    (phone,) = numbers = phones(151, 1)
    await system.ask(f"contact add {phone}")
    await drip(system, "Cart", "trigger=event:cart_left")
    await system.ask("step add Cart after=1d template=followup")
    await drip(
        system, "Paid", "trigger=event:order_paid", template="welcome first_name={event.order_id}"
    )
    made = await automate(system, "when=event:order_paid then=unenroll:Cart")

    assert "acts on it" in await system.ask(f"event cart_left {phone}")
    await system.settle()
    assert "2 automations act" in await system.ask(f"event order_paid {phone} order_id=A17")
    await system.advance(days=2)

    sent = await sent_to(system, numbers)
    assert [m["template"]["name"] for m in sent] == ["followup", "welcome"]
    assert "A17" in sent[1]["text"]
    assert "1 dropped" in await system.ask("enrollments Cart")
    assert "No automation waits" in await system.ask(f"event nobody_knows {phone}")
    await remove(system, made)
    for name in ("Cart", "Paid"):
        await system.ask(f"campaign archive {name}")


async def test_a_keyword_is_heard_in_a_sentence_and_once(system: System) -> None:
    (phone,) = numbers = phones(152, 1)
    await system.ask(f"contact add {phone}")
    await drip(system, "Menu", 'trigger="keyword:price list"', "reentry=always")

    await system.writes(phone, "May I have the PRICE-list, please?", id="wamid.152")
    await system.writes(phone, "May I have the PRICE-list, please?", id="wamid.152")
    await system.writes(phone, "How pricey is that listing?")
    await system.settle()

    assert len(await sent_to(system, numbers)) == 1
    await system.ask("campaign archive Menu")


async def test_delivered_read_and_answered_messages_set_automations_off_once(
    system: System,
) -> None:
    numbers = phones(153, 3)
    await system.post(
        "whatsapp/moods",
        read=1,
        webhooks={"late_s": 0, "doubled": 1, "shuffled": 1, "withheld": 0},
    )
    for number in numbers:
        await system.ask(f"contact add {number} tags=t153")
    await system.ask("broadcast new Asked to=tag:t153 template=feedback")
    made = [
        await automate(system, "when=delivered:Asked then=tag:got153"),
        await automate(system, "when=read:Asked then=tag:read153"),
        await automate(system, "when=replied:Asked#1 then=tag:said153"),
        await automate(system, f'when=replied:Asked then=tell:#{INBOX} "Call {{phone}} 153"'),
    ]
    await system.ask("broadcast send Asked")
    await system.advance(minutes=5)
    await system.writes(numbers[0], "Good!")
    await system.writes(numbers[0], "Really good!")
    await system.settle()

    assert "3 contacts" in await tagged(system, "got153")
    assert "3 contacts" in await tagged(system, "read153")
    assert "1 contact" in await tagged(system, "said153")
    await system.says(f"Call {numbers[0]} 153", channel=INBOX)
    said = [m for m in await system.channel(INBOX) if "153" in words(m) and "Call" in words(m)]
    assert len(said) == 1
    await system.post(
        "whatsapp/moods",
        read=0.6,
        webhooks={"late_s": 0, "doubled": 0, "shuffled": 0, "withheld": 0},
    )
    await remove(system, *made)


async def test_who_joins_a_segment_is_enrolled_and_others_are_narrowed_down(
    system: System,
) -> None:
    before, joins, other = numbers = phones(157, 3)
    await system.ask(f"contact add {before} tags=hot157")
    await system.ask(f"contact add {joins}")
    await system.ask(f"contact add {other}")
    assert "created the segment" in await system.ask("segment new Hot157 tag:hot157")
    await drip(system, "Warmed", "trigger=segment:Hot157")
    made = await automate(system, "when=tag:lead157 in=Hot157 then=tag:call157")
    await system.settle()

    await system.ask(f"contact tag {joins} hot157")
    await system.ask(f"contact tag {other} lead157")
    await system.ask(f"contact tag {joins} lead157")
    await system.advance(minutes=3)

    assert [m["to"] for m in await sent_to(system, numbers)] == [joins]
    assert joins in await tagged(system, "call157")
    assert "1 contact" in await tagged(system, "call157")
    refused = await system.ask("segment delete Hot157")
    assert "automation" in refused
    await remove(system, made)
    await system.ask("campaign archive Warmed")


async def test_birthdays_are_wished_on_their_day_at_their_hour(system: System) -> None:
    home, tokyo = "+31631540000", "+819012340154"
    # Three days from now; a birthday has a year of its own.
    day = await _day(system, 3)
    # First: a date that nobody has is taken for a slip where another one is like it.
    await system.ask(f"contact add {home} birthday154=1990-{day}")
    await drip(system, "Wished", "trigger=date:birthday154@10:00")
    await system.ask(f"contact add {tokyo} birthday154=1985-{day}")
    await system.ask(f"contact add +31631540001 birthday154=1985-{await _day(system, 9)}")

    await system.advance(days=2)
    assert await sent_to(system, [home, tokyo]) == []
    await system.advance(days=2)

    sent = await sent_to(system, [home, tokyo, "+31631540001"])
    assert [m["to"] for m in sent] == [tokyo, home]
    for message, zone in zip(sent, ("Asia/Tokyo", "Europe/Amsterdam"), strict=True):
        local = datetime.fromisoformat(message["accepted_at"]).astimezone(ZoneInfo(zone))
        assert local.strftime("%m-%d %H:%M") == f"{day} 10:00"
    await system.ask("campaign archive Wished")


async def test_a_file_says_before_it_is_imported_whom_it_would_enroll(system: System) -> None:
    numbers = phones(155, 3)
    await drip(system, "Brought", "trigger=tag:t155")
    await system.ask(f"contact add {numbers[0]}")
    await system.writes(numbers[0], "STOP")

    await system.upload("brought.csv", people(numbers, "t155"))
    verdicts = await system.says("brought.csv", "Import 3")
    assert "2 in Brought" in words(verdicts)
    await system.click(verdicts, button(verdicts, "Import")["action_id"])
    await system.says("brought.csv is imported")
    await system.settle()

    assert sorted(m["to"] for m in await sent_to(system, numbers)) == sorted(numbers[1:])
    await system.ask("campaign archive Brought")


async def test_a_loop_is_refused_and_a_paused_automation_rests(system: System) -> None:
    (phone,) = phones(156, 1)
    await system.ask(f"contact add {phone}")
    first = await automate(system, "when=tag:a156 then=tag:b156")

    refused = await system.ask("automation new when=tag:b156 then=tag:a156")
    assert "for ever" in refused
    assert "gets the tag a156" in refused
    await system.ask(f"automation pause {first}")
    await system.ask(f"contact tag {phone} a156")
    await system.settle()

    assert "No contact" in await tagged(system, "b156")
    await remove(system, first)
    counts = await send(system, "After156", "tag:a156", audience=1)
    assert counts["sent"] == 1


async def _day(system: System, days: int) -> str:
    """Return the month and day so many days ahead, as staff write them."""
    now = datetime.fromisoformat((await system.get("clock"))["now"])
    return (now + timedelta(days=days)).strftime("%m-%d")
