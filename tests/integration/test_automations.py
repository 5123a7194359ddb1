"""Automations: made and listed by staff, heard where things happen, acted on once and in order."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from bot.slack import automations as automation_commands
from bot.slack.automations import said
from engine.automation import Kind
from engine.ids import CampaignId, ContactId, StepId
from storage import events, occurrences
from storage.database import Database
from tests.database import ACME
from tests.integration.slack.campaign_room import CampaignRoom, opened
from worker.triggers import enroll_triggered

WHO = "+31610000001"


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as room:
        automation_commands.register(room.room.registry, room.room.desk)
        yield room


async def act(room: CampaignRoom) -> None:
    while await room.value("select count(*) from occurrences"):
        await enroll_triggered(room.worker, ACME)


async def happen(room: CampaignRoom, *happened: occurrences.New) -> None:
    async with room.database.owner_unit(ACME, room.room.clock.now()) as unit:
        await occurrences.note(unit, happened=happened)


async def tags_of(room: CampaignRoom) -> list[object]:
    return [tag for (tag,) in await room.rows("select tag from contact_tags order by tag")]


async def person(room: CampaignRoom) -> ContactId:
    await room.say(f"contact add {WHO} name=Ada city=London")
    return ContactId(await room.value("select max(id) from contacts"))


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("when=contact_created then=tag:new", "When somebody becomes a contact, tag the contact"),
        ("when=tag:VIP then=enroll:Wel", "gets the tag vip, enroll the contact in Welcome."),
        ('when="event:Order paid" then=unenroll Welcome', "event order_paid happens to a contact"),
        ('when="keyword:Price List!" then=untag:a', "writes “price list”, take the tag a off"),
        (
            'when="replied:Welcome#2" then=tell #C0SALES "Call {name}"',
            "replies to step 2 of Welcome, tell <#C0SALES> “Call {name}”.",
        ),
        (
            "when=event:paid if=total >= 100 and event.plan is pro then=tag:big",
            'with event.total &gt;= 100 and event.plan is "pro" happens to a contact, tag the',
        ),
        ("when=delivered then=tag:got", "When a message of any campaign is delivered"),
        ("when=read:Welcome then=tag:got", "When a message of Welcome is read"),
        ("when=clicked then=tag:got", "When a contact clicks a link of any campaign"),
        ("when=resolved then=tag:got", "When a contact's conversation is resolved"),
        ("when=api then=tag:got", "When a program asks for it"),
        ("when=date:birthday@8:30 then=tag:b", "reaches the day of its birthday at 08:30, tag"),
    ],
)
async def test_an_automation_is_a_sentence(room: CampaignRoom, command: str, sentence: str) -> None:
    await room.welcome()
    made = await room.say(f"automation new {command}")

    assert sentence in made
    listed = await room.say("automation list")
    assert sentence in listed
    assert "<@U0OWNER>" in listed


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("when=tag:a then=enroll:Nothing", "There is no campaign 'Nothing'"),
        ("when=read:Welcome#9 then=tag:x", "no step 9"),
        ("when=segment:Hot then=tag:x", "There is no segment 'Hot'"),
        ("when=tag:a in=Hot then=tag:x", "There is no segment 'Hot'"),
        ("when=tag:a if=total > 5 then=tag:x", "goes with when=event:"),
        ('when=tag:a then=tell #C0SALES "{nmae}"', "Did you mean {name}?"),
    ],
)
async def test_what_is_not_there_is_refused_and_nothing_remains(
    room: CampaignRoom, command: str, why: str
) -> None:
    await room.welcome()

    assert why in await room.say(f"automation new {command}")
    assert not await room.value("select count(*) from automations")


async def test_the_list_says_which_campaign_takes_nobody_in(room: CampaignRoom) -> None:
    await room.say("campaign new Draft")
    await room.say("automation new when=tag:a then=enroll:Draft")

    assert "Draft is draft and takes nobody in" in await room.say("automation list")


async def test_a_loop_is_refused_with_its_path(room: CampaignRoom) -> None:
    for each in ("when=tag:a then=tag:b", "when=tag:b then=tag:c"):
        assert "made automation" in await room.say(f"automation new {each}")

    refused = await room.say("automation new when=tag:c then=tag:a")

    assert "for ever" in refused
    for tag in "cab":
        assert f"gets the tag {tag}, tag the contact" in refused
    assert await room.value("select count(*) from automations") == 2


async def test_a_campaign_that_may_be_entered_again_does_not_feed_itself(
    room: CampaignRoom,
) -> None:
    for name, reentry in (("Once", "never"), ("Again", "always")):
        await room.say(f"campaign new {name} reentry={reentry}")
        await room.say(f"step add {name} after=0m template=followup")

    assert "made" in await room.say("automation new when=delivered:Once then=enroll:Once")
    refused = await room.say("automation new when=read then=enroll:Again")
    assert "for ever" in refused
    await room.say("campaign new Eager trigger=replied reentry=after")
    await room.say("step add Eager after=0m template=followup")
    assert "for ever" in await room.say("campaign activate Eager")
    assert await room.value("select state from campaigns where name = 'Eager'") == "draft"


async def test_the_same_automation_is_not_made_twice(room: CampaignRoom) -> None:
    await room.say("automation new when=keyword:menu then=tag:hungry")
    (made,) = await room.rows("select id from automations")

    again = await room.say('automation new when="keyword:Menu!" then=tag:Hungry')
    await room.say(f"automation pause {made[0]}")
    while_off = await room.say("automation new when=keyword:menu then=tag:hungry")

    assert f"Automation {made[0]} says so already: When a contact writes “menu”" in again
    assert f"/drip automation resume {made[0]} turns it on" in while_off
    assert "made automation" in await room.say("automation new when=keyword:menu then=tag:keen")


async def test_a_campaign_cannot_begin_to_feed_itself_by_an_edit(room: CampaignRoom) -> None:
    await room.say("campaign new Once")
    await room.say("step add Once after=0m template=followup")
    await room.say("automation new when=read:Once then=enroll:Once")
    (made,) = await room.rows("select id from automations")
    await room.say(f"automation pause {made[0]}")

    assert "changed" in await room.say("campaign edit Once reentry=after")
    refused = await room.say(f"automation resume {made[0]}")
    assert "for ever" in refused
    assert "changed" in await room.say("campaign edit Once reentry=never")
    assert "resumed" in await room.say(f"automation resume {made[0]}")

    for reentry in ("after", "always"):
        refused = await room.say(f"campaign edit Once reentry={reentry} name=Twice")
        assert "for ever" in refused
        assert "is read, enroll the contact in" in refused
    kept = "select name, coalesce(settings ->> 'reentry', 'never') from campaigns"
    assert await room.rows(kept) == [("Once", "never")]


async def test_each_action_does_what_it_says(room: CampaignRoom) -> None:
    await room.welcome()
    await person(room)
    for each in (
        "when=tag:start then=enroll:Welcome",
        "when=tag:start then=tag:next",
        "when=tag:next then=untag:start",
        'when=tag:next then=tell:#C0SALES "{name} of {city|nowhere}, {phone}"',
        "when=tag:stop then=unenroll:Welcome",
    ):
        assert "made automation" in await room.say(f"automation new {each}")

    await room.say(f"contact tag {WHO} start")
    await act(room)

    assert await tags_of(room) == ["next"]
    (enrolled,) = await room.rows("select state, enrolled_by, depth from enrollments")
    assert enrolled[0] == "active"
    assert str(enrolled[1]).startswith("automation:")
    assert enrolled[2] == 1
    async with room.database.unit(ACME, room.room.clock.now()) as unit:
        (event,) = [
            each
            for each in await events.waiting(unit, besides=[], limit=50)
            if each.kind == "automation_tells"
        ]
        (alert,) = await said(event, unit)
    assert "Ada of London, " in alert.message.text
    await room.say(f"contact tag {WHO} stop")
    await act(room)
    assert await room.rows("select state, reason from enrollments") == [("dropped", "automation")]


async def test_an_event_carries_its_properties_into_the_campaign(room: CampaignRoom) -> None:
    await room.say("campaign new Paid trigger=event:order_paid reentry=always")
    added = await room.say('step add Paid after=0m text="Thanks for {event.Order ID|it}"')
    assert "{event.order_id|it}" in added or "{event.Order ID|it}" in added
    await room.say("campaign activate Paid")
    await person(room)

    told = await room.say(f"event order_paid {WHO} order_id=A17 total=12,50")
    await act(room)

    assert "acts on it" in told
    assert await room.rows("select properties, enrolled_by from enrollments") == [
        ({"order_id": "A17", "total": "12.5"}, "trigger:event:order_paid")
    ]


async def test_an_event_acts_where_its_properties_fulfil_the_condition(room: CampaignRoom) -> None:
    await person(room)
    await room.say("automation new when=event:paid if=total >= 100 and plan is Pro then=tag:big")
    await room.say(
        'automation new when=event:paid if="coupon is set or not due on 2026-12-01" then=tag:other'
    )

    small = await room.say(f"event paid {WHO} total=99,5 plan=pro due=1-12-2026")
    await act(room)
    assert await tags_of(room) == []
    big = await room.say(f"event paid {WHO} total=1.250,00 plan=PRO due=2026-12-02")
    await act(room)

    assert "do not fulfil the condition" in small
    assert "2 automations act" in big
    assert await tags_of(room) == ["big", "other"]


async def test_an_event_nobody_waits_for_says_so(room: CampaignRoom) -> None:
    await person(room)

    assert "No automation waits" in await room.say(f"event lonely {WHO}")
    many = " ".join(f"p{n}=1" for n in range(21))
    assert "at most 20 properties" in await room.say(f"event lonely {WHO} {many}")
    assert "no value" in await room.say(f"event lonely {WHO} a=")


async def test_an_automation_is_paused_resumed_and_removed(room: CampaignRoom) -> None:
    await room.say("automation new when=event:a then=tag:a")
    await room.say("automation new when=event:b then=tag:b")
    first, _ = [n for (n,) in await room.rows("select id from automations order by id")]
    await person(room)

    assert "2 automations begin" in await room.say('automation pause "When the event"')
    assert "paused" in await room.say(f"automation pause {first}")
    assert "paused" in await room.say("automation list")
    await room.say(f"event a {WHO}")
    await act(room)
    assert await tags_of(room) == []
    await room.say(f"automation resume {first}")
    await room.say(f"event a {WHO}")
    await act(room)
    assert await tags_of(room) == ["a"]
    assert "removed" in await room.say('automation remove "when the event b"')
    assert "There is no automation 999" in await room.say("automation remove 999")
    assert await room.value("select count(*) from automations") == 1


async def test_the_trigger_of_a_campaign_is_there_while_the_campaign_is(
    room: CampaignRoom,
) -> None:
    await room.welcome("trigger=keyword:menu")
    listed = await room.say("automation list")
    assert "writes “menu”, enroll the contact in Welcome" in listed
    assert "the trigger of Welcome" in listed
    number = await room.value("select id from automations")

    assert "campaign archive" in await room.say(f"automation remove {number}")
    await room.say("campaign archive Welcome")
    assert not await room.value("select count(*) from automations")


async def test_what_has_no_door_yet_is_acted_on(room: CampaignRoom) -> None:
    await room.welcome("trigger=api")
    campaign = CampaignId(await room.value("select id from campaigns"))
    step = StepId(await room.value("select min(id) from steps"))
    for each in ("clicked:Welcome#1", "clicked:Welcome#2", "resolved", "api"):
        tag = each.replace(":", "-")
        await room.say(f'automation new when="{each}" then="tag {tag}"')
    who = await person(room)

    await happen(
        room,
        occurrences.New(kind=Kind.CLICKED, contact_id=who, campaign_id=campaign, step_id=step),
        occurrences.New(kind=Kind.CONVERSATION_RESOLVED, contact_id=who),
        occurrences.New(kind=Kind.API, contact_id=who),
    )
    await act(room)

    assert await tags_of(room) == ["api", "clicked-welcome#1", "resolved"]
    assert not await room.value("select count(*) from enrollments")
    await happen(room, occurrences.New(kind=Kind.API, contact_id=who, campaign_id=campaign))
    await act(room)
    assert await room.value("select enrolled_by from enrollments") == "trigger:api"


async def test_a_loop_that_nobody_saw_is_stopped_and_told(room: CampaignRoom) -> None:
    """Automations that take each other's tag off again go on only so long."""
    for each in ("when=tag:a then=untag:b", "when=tag:a then=tag:b", "when=tag:b then=untag:a"):
        await room.say(f"automation new {each}")
    await room.database.pool.execute(
        "insert into automations (organization_id, trigger, action, state, created_at, on_since,"
        """ created_by) values ('acme', '{"on": "tag_added", "tag": "b"}',"""
        """ '{"do": "tag", "tag": "a"}', 'on', $1, $1, 'U0OWNER')""",
        room.room.clock.now(),
    )
    await person(room)

    await room.say(f"contact tag {WHO} a")
    await act(room)

    (stopped,) = await room.rows("select stopped_why from automations where state = 'stopped'")
    assert "loop" in str(stopped[0])
    assert "automation_stopped" in await room.events()
    assert "stopped" in await room.say("automation list")


async def test_what_happens_to_one_contact_is_acted_on_in_order(room: CampaignRoom) -> None:
    await room.say("automation new when=event:on then=tag:lit")
    await room.say("automation new when=event:off then=untag:lit")
    who = await person(room)

    await happen(
        room,
        *(
            occurrences.New(kind=Kind.EVENT, contact_id=who, value=value)
            for value in ("on", "off", "on", "off", "on")
        ),
    )
    await act(room)

    assert await tags_of(room) == ["lit"]


async def test_several_processes_act_once_on_each(room: CampaignRoom) -> None:
    await room.say("campaign new Paid trigger=event:paid reentry=always")
    await room.say("step add Paid after=0m template=followup")
    await room.say("campaign activate Paid")
    people = [ContactId(each) for each in await room.contacts(200)]
    await happen(
        room,
        *(occurrences.New(kind=Kind.EVENT, contact_id=each, value="paid") for each in people * 2),
    )

    while await room.value("select count(*) from occurrences"):
        await asyncio.gather(*(enroll_triggered(room.worker, ACME) for _ in range(4)))

    assert await room.value("select count(*) from enrollments") == 400


async def test_all_of_a_slice_is_done_or_none_of_it(room: CampaignRoom) -> None:
    """The process dies after the tag is on and before the enrollment is there."""
    await room.welcome()
    await room.say("automation new when=event:go then=tag:gone")
    await room.say("automation new when=event:go then=enroll:Welcome")
    who = await person(room)
    await act(room)
    await happen(room, occurrences.New(kind=Kind.EVENT, contact_id=who, value="go"))
    await room.database.pool.execute(
        "create function break_enrolling() returns trigger language plpgsql as"
        " $$ begin raise exception 'the process died here'; end $$;"
        "create trigger broken before insert on enrollments execute function break_enrolling()"
    )
    try:
        with pytest.raises(asyncpg.RaiseError):
            await enroll_triggered(room.worker, ACME)
    finally:
        await room.database.pool.execute(
            "drop trigger broken on enrollments; drop function break_enrolling()"
        )
    assert await tags_of(room) == []

    await act(room)
    await act(room)

    assert await tags_of(room) == ["gone"]
    assert await room.value("select count(*) from enrollments") == 1


async def test_many_at_once_are_told_as_some_and_a_number(room: CampaignRoom) -> None:
    await room.say('automation new when=event:in then=tell:#C0SALES "New: {phone}"')
    people = [ContactId(each) for each in await room.contacts(30)]
    await happen(
        room,
        *(occurrences.New(kind=Kind.EVENT, contact_id=each, value="in") for each in people),
    )

    await act(room)

    others = await room.rows(
        "select (content ->> 'others')::int from events where kind = 'automation_tells' order by id"
    )
    assert [n for (n,) in others] == [0] * 9 + [20]
