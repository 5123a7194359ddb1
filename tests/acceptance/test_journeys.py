"""Journeys: what staff draw on a whiteboard, built, walked through and changed while it runs."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tests.acceptance.steps import bring, phones
from tests.system import Json, System, button

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


async def told(system: System, *commands: str) -> None:
    """Give commands, all of which are understood."""
    for text in commands:
        said = await system.ask(text)
        assert "/drip help" not in said, (text, said)


async def got(system: System, number: str) -> list[str]:
    """Return what a phone got: templates by name, texts as they read."""
    return [
        each["template"]["name"] if each["template"] else each["text"]
        for each in await system.ledger(phone=number)
    ]


async def when(system: System, number: str, template: str) -> datetime:
    """Return when a phone got a template, by the clock in Amsterdam."""
    (message,) = [
        each
        for each in await system.ledger(phone=number)
        if each["template"] and each["template"]["name"] == template
    ]
    return datetime.fromisoformat(message["accepted_at"]).astimezone(AMSTERDAM)


async def now(system: System) -> datetime:
    return datetime.fromisoformat((await system.get("clock"))["now"]).astimezone(AMSTERDAM)


async def moods(system: System, **changes: object) -> Json:
    answer: Json = await system.post("whatsapp/moods", **changes)
    return answer


async def test_a_drip_of_five_steps_with_every_kind_of_condition(system: System) -> None:
    eager, shy = phones(170, 2)
    await told(
        system,
        f"contact add {eager} first_name=Eager tags=vip170",
        f"contact add {shy} first_name=Shy",
        "campaign new Five stop_on_reply=no",
        "step add Five after=0m template=followup",
        "step add Five after=1d if=read,delivered template=welcome first_name={first_name}",
        "step add Five after=1d if=not_replied:1 template=feedback",
        'step add Five after=1h if=replied:1 wait=delivered text="Psst {first_name}"'
        " fallback=receipt fallback.1=A1 fallback.2={first_name}",
        "step add Five after=1d at=10:00 on=monday if=tag:vip170 else=end"
        " template=offer 1={first_name} 2=10% url=five",
    )
    shown = await system.ask("campaign show Five")
    for piece in (
        "if read and delivered",
        "if step 1 not replied",
        "once the step before is delivered",
        "the next Monday at 10:00",
        "if tagged vip170, else the campaign ends",
        "template receipt",
    ):
        assert piece in shown
    await told(system, "campaign activate Five")

    await moods(system, read=1)
    await told(system, f"enroll Five {eager}")
    await system.advance(minutes=5)
    await system.writes(eager, "Tell me more")
    await moods(system, read=0)
    await told(system, f"enroll Five {shy}")
    await system.advance(days=1, hours=1)
    assert await got(system, eager) == ["followup", "welcome"]
    assert await got(system, shy) == ["followup"]

    # The window of the eager one is closed by then, so the template stands in for the text.
    await system.advance(days=2)
    assert await got(system, eager) == ["followup", "welcome", "receipt"]
    assert await got(system, shy) == ["followup", "feedback"]

    await system.advance(days=9)
    assert await got(system, eager) == ["followup", "welcome", "receipt", "offer"]
    assert await got(system, shy) == ["followup", "feedback"]
    offered = await when(system, eager, "offer")
    assert (offered.weekday(), offered.hour, offered.minute) == (0, 10, 0)
    listed = await system.ask("enrollments Five")
    assert "1 completed" in listed
    assert "a step's condition did not hold" in listed
    await moods(system, read=0.6)
    await told(system, "campaign archive Five")


async def test_a_text_goes_out_while_the_contact_listens(system: System) -> None:
    (listening,) = phones(171, 1)
    await told(
        system,
        f"contact add {listening} first_name=Lis",
        "campaign new Window stop_on_reply=no",
        'step add Window after=0m text="Hi {first_name}" fallback=followup',
        'step add Window after=2d text="Still there, {first_name}?"',
        "campaign activate Window",
    )
    await system.writes(listening, "Hello")
    await told(system, f"enroll Window {listening}")
    await system.advance(days=3)

    assert await got(system, listening) == ["Hi Lis"]
    assert "1 completed" in await system.ask("enrollments Window")
    await told(system, "campaign archive Window")


async def test_a_birthday_campaign_greets_on_the_day_and_every_year(system: System) -> None:
    soon, changed, without = phones(172, 3)
    today = (await now(system)).date()
    birthday = (today + timedelta(days=4)).replace(year=1992)
    await told(
        system,
        f"contact add {soon} tags=b172 birthday={birthday}",
        f"contact add {changed} tags=b172 birthday={birthday + timedelta(days=100)}",
        f"contact add {without} tags=b172",
        "campaign new Birthdays reentry=after",
        "step add Birthdays before=2d:birthday yearly=yes template=followup",
        "step add Birthdays after=0d:birthday yearly=yes at=10:30 template=feedback",
        "campaign activate Birthdays",
        "enroll Birthdays tag:b172",
    )
    await system.advance(hours=1)
    listed = await system.ask("enrollments Birthdays")
    assert f"{today + timedelta(days=2)} 09:00" in listed
    # Without a date both steps are left out.
    assert "1 completed" in listed

    await told(system, f"contact edit {changed} birthday={birthday + timedelta(days=2)}")
    await system.advance(days=7)

    for number, on in ((soon, today + timedelta(days=4)), (changed, today + timedelta(days=6))):
        assert await got(system, number) == ["followup", "feedback"]
        assert (await when(system, number, "followup")).strftime("%H:%M") == "09:00"
        greeted = await when(system, number, "feedback")
        assert (greeted.date(), greeted.strftime("%H:%M")) == (on, "10:30")
    assert await got(system, without) == []
    assert "3 completed" in await system.ask("enrollments Birthdays")
    assert "enrolled 3 contacts" in await system.ask("enroll Birthdays tag:b172")
    await told(system, "campaign archive Birthdays")


async def test_a_running_drip_is_edited_after_staff_saw_whom_it_meets(system: System) -> None:
    early, late = phones(173, 2)
    await bring(system, [early, late], "e173")
    await told(
        system,
        "campaign new Edited",
        "step add Edited after=0m template=followup",
        "step add Edited after=2d template=feedback",
        "step add Edited after=2d template=receipt 1=A1 2=today",
        "campaign activate Edited",
        f"enroll Edited {early}",
    )
    await system.advance(days=2, hours=1)
    assert await got(system, early) == ["followup", "feedback"]
    await told(system, f"enroll Edited {late}")
    await system.advance(hours=1)

    asked = await system.command("step edit Edited 2 after=1d template=welcome first_name=you")
    (question,) = asked["replies"]
    assert "1 contact is yet to get it and would get it as changed" in question["text"]
    assert "1 contact is past it" in question["text"]
    done = await system.click(question, button(question, "Do it")["action_id"])
    assert "changed step 2" in "\n".join(each["text"] for each in done["replies"])

    put_in = "step add Edited after=1h template=offer 1=a 2=b url=c position=2"
    assert "1 contact is past it and would not be sent back" in await system.ask(put_in)
    await told(system, f"{put_in} confirm=yes")
    assert "Nothing has been done" in await system.ask("step move Edited 4 to=1")
    await system.advance(days=6)

    assert await got(system, early) == ["followup", "feedback", "receipt"]
    assert await got(system, late) == ["followup", "offer", "welcome", "receipt"]
    assert "2 completed" in await system.ask("enrollments Edited")
    await told(system, "campaign archive Edited")


async def test_one_contacts_way_is_paused_moved_and_ended(system: System) -> None:
    paused, moved, ended, usual = numbers = phones(174, 4)
    await bring(system, numbers, "s174")
    await told(
        system,
        "campaign new Steered",
        "step add Steered after=1d template=followup",
        "step add Steered after=1d template=feedback",
        "step add Steered after=1d template=receipt 1=A1 2=today",
        "campaign activate Steered",
        "enroll Steered tag:s174",
        f"enrollment pause Steered {paused}",
        f"enrollment move Steered {moved} to=3",
        f"enrollment end Steered {ended}",
    )
    await system.advance(days=4)

    assert await got(system, paused) == []
    assert await got(system, moved) == ["receipt"]
    assert await got(system, ended) == []
    assert await got(system, usual) == ["followup", "feedback", "receipt"]
    listed = await system.ask("enrollments Steered")
    for piece in ("1 paused", "2 completed", "ended by staff", "once resumed"):
        assert piece in listed

    await told(system, f"enrollment resume Steered {paused}")
    await system.advance(days=4)
    assert await got(system, paused) == ["followup", "feedback", "receipt"]
    await told(system, "campaign archive Steered")
