"""Lists and segments, by the commands staff type."""

from collections.abc import AsyncIterator

import pytest

from storage.database import Database
from tests.database import NOON
from tests.integration.slack.campaign_room import CampaignRoom, opened


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as room:
        yield room


async def test_a_list_is_made_filled_shown_and_deleted(room: CampaignRoom) -> None:
    await room.contacts(12)

    made = await room.say('list new "Beta testers" about="Try things first"')
    twice = await room.say('list new "beta TESTERS"')
    added = await room.say("list add beta tag:lead")
    again = await room.say("list add beta +31610000001,+31610009999")
    shown = await room.say("list show beta")
    removed = await room.say("list remove beta +31610000001")
    renamed = await room.say('list rename beta "Alpha" about="First of all"')
    overview = await room.say("list list")
    deleted = await room.say("list delete Alpha")

    assert "created the list *Beta testers*" in made
    assert "There is a list 'beta TESTERS' already" in twice
    assert "put 12 contacts on *Beta testers*." in added
    assert "put 0 contacts on *Beta testers* (1 on it already)" in again
    assert "not among your contacts: +31610009999" in again
    assert "*Beta testers*: 12 contacts" in shown
    assert "Try things first" in shown
    assert "*C1*" in shown
    assert "and 2 more" in shown
    assert "Created" in shown
    assert "<@U0OWNER>" in shown
    assert "took 1 contact off" in removed
    assert "changed the list *Alpha*" in renamed
    assert "*Alpha* · 11 contacts · First of all" in overview
    assert "deleted the list *Alpha*" in deleted
    assert await room.rows("select count(*) from list_members") == [(0,)]
    assert "There are no lists" in await room.say("list list")


async def test_a_list_shows_its_members_by_name(room: CampaignRoom) -> None:
    first, second, third = await room.contacts(3)
    for contact, name in ((first, "zoe"), (second, "Ada"), (third, None)):
        await room.value(
            "update contacts set name = $1, first_name = null where id = $2", name, contact
        )
    await room.say("list new Beta")
    await room.say("list add Beta all")

    shown = await room.say("list show Beta")

    assert shown.index("*Ada*") < shown.index("*zoe*") < shown.index("*(no name)*")


async def test_every_command_that_takes_a_who_takes_lists_and_segments(room: CampaignRoom) -> None:
    one, two, three = await room.contacts(3)
    await room.contacts(1, tag="customer", first=50)
    await room.welcome()
    await room.say("list new Beta")
    await room.say("list add Beta +31610000001")
    await room.say("segment new Leads tag:lead and not list:Beta")

    found = await room.say("contact find list:Beta")
    enrolled = await room.say("enroll Welcome list:Beta,segment:Leads")
    unenrolled = await room.say("unenroll Welcome segment:Leads")
    tagged = await room.say("contact tag segment:Leads vip")
    untagged = await room.say("contact untag list:Beta,segment:Leads vip")
    out = await room.say("contact optout list:Beta")
    back = await room.say("contact optin list:Beta")
    broadcast = await room.say("broadcast new Sale to=list:Beta,segment:Leads template=followup")
    shown = await room.say("broadcast show Sale")

    assert "1 contact for list" in found
    assert "enrolled 3 contacts" in enrolled
    assert "took 2 contacts out" in unenrolled
    assert "tagged 2 contacts" in tagged
    assert "took `vip` off 2 contacts (1 did not have it)" in untagged
    assert "opted 1 contact out" in out
    assert "opted 1 contact in" in back
    assert "3 recipients" in broadcast
    assert "`list:Beta,segment:Leads`" in shown
    await room.say("broadcast send Sale")
    await room.say("list add Beta +31610000050")
    await room.value("delete from contact_tags where contact_id = $1", three)
    await room.plan()
    assert await room.rows(
        "select contact_id, state from messages where step_id in"
        " (select s.id from steps s join campaigns c on c.id = s.campaign_id and c.name = 'Sale')"
        " order by 1"
    ) == [(one, "queued"), (two, "queued"), (three, "queued")]


@pytest.mark.parametrize(
    ("definition", "change"),
    [
        ("list:Fans", "list add Fans tag:lead"),
        ("not list:Fans and tag:lead", "list remove Fans tag:lead"),
    ],
    ids=["by joining", "by leaving"],
)
async def test_lists_that_automations_wait_for_change_as_a_campaign_is_sent(
    room: CampaignRoom, definition: str, change: str
) -> None:
    await room.contacts(30)
    await room.contacts(6, tag="few", first=100)
    await room.say("list new Fans")
    if "remove" in change:
        await room.say("list add Fans tag:lead,tag:few")
    await room.say(f"segment new Inner {definition}")
    await room.say("segment new Outer segment:Inner")
    await room.say("campaign new Hello trigger=segment:Outer")
    await room.say("step add Hello after=0m template=followup")
    await room.say("campaign activate Hello")
    before = await room.rows("select contact_id from list_members")
    few = change.replace("lead", "few")

    refused = await room.say(change)
    asked = await room.say(few)
    after = await room.rows("select contact_id from list_members")
    done = await room.say(f"{few} count=6")

    assert "above 20 a second owner has to approve" in refused
    assert f"`/drip {few} count=6`" in asked
    assert after == before
    assert "6 contacts" in done
    assert await room.rows("select contact_id from list_members") != before


async def test_lists_that_no_automation_waits_for_change_whatever_their_size(
    room: CampaignRoom,
) -> None:
    await room.contacts(30)
    await room.say("list new Fans")
    await room.say("segment new Idle list:Fans")

    assert "put 30 contacts" in await room.say("list add Fans tag:lead")


async def test_a_segment_is_made_previewed_changed_and_deleted(room: CampaignRoom) -> None:
    first, *_ = await room.contacts(12)
    await room.value(
        "update contacts set attributes = $1, last_reply_at = $2 where id = $3",
        {"city": "Amsterdam", "age": "18"},
        NOON,
        first,
    )
    await room.value(
        "insert into attributes values ('acme', 'city', 'text', $1), ('acme', 'age', 'number', $1)",
        NOON,
    )

    made = await room.say(
        'segment new "Hot leads" tag:lead and (city is “amsterdam”) and last_reply within 30d'
        ' about="Call these"'
    )
    previewed = await room.say("segment preview Hot")
    tried = await room.say("segment preview age=18 or age&gt;=99")
    changed = await room.say("segment edit Hot tag:lead name=Leads")
    listed = await room.say("segment list")
    shown = await room.say("segment show leads")
    deleted = await room.say("segment delete leads")

    definition = 'tag:lead and city is "amsterdam" and last_reply within 30d'
    assert "created the segment *Hot leads*: 1 contact." in made
    assert f"`{definition}`" in made
    assert "*Hot leads* holds 1 contact now." in previewed
    assert "*C1* +31610000001" in previewed
    assert "*This definition* holds 1 contact now." in tried
    assert "age = 18 or age &gt;= 99" in tried
    assert "changed the segment *Leads*: 12 contacts." in changed
    assert "*Leads* · dynamic · `tag:lead` · Call these" in listed
    assert "*Leads* (dynamic): 12 contacts" in shown
    assert "and 2 more" in shown
    assert "deleted the segment *Leads*" in deleted
    assert "There are no segments" in await room.say("segment list")


async def test_a_static_segment_stays_until_it_is_refreshed_and_a_dynamic_one_follows(
    room: CampaignRoom,
) -> None:
    first, *_ = await room.contacts(3)
    made = await room.say("segment new Then tag:lead static=yes")
    await room.say("segment new Now tag:lead")
    await room.contacts(2, first=50)
    await room.value("delete from contact_tags where contact_id = $1", first)

    then = await room.say("segment show Then")
    inside = await room.say("contact find segment:Then")
    now = await room.say("segment show Now")
    touched = await room.say("list add Then all")
    no_refresh = await room.say("segment refresh Now")
    refreshed = await room.say("segment refresh Then")
    after = await room.say("segment show Then")
    listed = await room.say("list show Then")

    assert "created the segment *Then*: 3 contacts." in made
    assert "*Then* (static, refreshed" in then
    assert "3 contacts" in then
    assert "3 contacts for segment" in inside
    assert "*Now* (dynamic): 4 contacts" in now
    assert "is filled by the static segment 'Then'" in touched
    assert "Now is dynamic" in no_refresh
    assert "2 contacts came, 1 contact went." in refreshed
    assert "4 contacts" in after
    assert "Filled by the static segment Then" in listed
    assert "changed the segment *Then*" in await room.say("segment edit Then static=no")
    assert "There is no list Then" in await room.say("list show Then")


async def test_what_is_in_use_cannot_be_deleted_and_the_refusal_says_by_what(
    room: CampaignRoom,
) -> None:
    await room.contacts(1)
    await room.say("list new Beta")
    await room.say("segment new Inner list:Beta")
    await room.say("segment new Outer segment:Inner or tag:lead")
    await room.say("broadcast new Sale to=segment:Outer,list:Beta template=followup")
    number = await room.value(
        "insert into automations (organization_id, trigger, segment_id, action, state, created_at,"
        " on_since, created_by) select 'acme', '{}', id, '{}', 'on', $1, $1, 'U' from segments"
        " where name = 'Outer' returning id",
        NOON,
    )

    beta = await room.say("list delete Beta")
    inner = await room.say("segment delete Inner")
    outer = await room.say("segment delete Outer")

    assert "is used by the broadcast 'Sale', the segment 'Inner'" in beta
    assert "is used by the segment 'Outer'" in inner
    assert f"is used by automation {number}, the broadcast 'Sale'" in outer
    await room.say("broadcast send Sale")
    await room.say("broadcast cancel Sale")
    await room.value("delete from automations")
    for name in ("Outer", "Inner"):
        assert "deleted" in await room.say(f"segment delete {name}")
    assert "deleted" in await room.say("list delete Beta")


async def test_a_segment_cannot_be_made_of_itself(room: CampaignRoom) -> None:
    await room.say("segment new One all")
    await room.say("segment new Two not segment:One")
    await room.say("segment new Three segment:Two and segment:One")

    circle = await room.say("segment edit One segment:Three")
    alone = await room.say("segment edit One segment:One")

    assert "One → Three → Two → One" in circle or "One → Three → One" in circle
    assert "One → One" in alone
    assert "`all`" in await room.say("segment show One")


@pytest.mark.parametrize(
    ("written", "sentences"),
    [
        ("tag:leda", ('At "tag:leda" (character 1): nobody has the tag', "did you mean tag:lead?")),
        ("citty is x", ('At "citty"', "did you mean city?")),
        ("tag:lead and", ('After "and", at the end: expected a condition',)),
        ("tag:lead tag:lead", ('At "tag:lead" (character 10): expected and, or, or the end',)),
        ("city is New York", ('At "York"', "goes in quotes")),
        ("age is old", ('At "old"', "expected a number")),
        ("created before 2026-02-30", ('At "2026-02-30"', "expected a day")),
        ("last_reply within soon", ('At "soon"', "30d")),
        ("renewal within 3h", ('At "3h"', "whole days")),
        ("last_reply within the next 3d", ("is never in the future",)),
        ("read:Welcom2", ('At "read:Welcom2"', 'did you mean "Welcome"?')),
        ("list:nothing", ("there is no list", "there is no list at all yet")),
        ("segment:nothing", ("there is no segment",)),
        ("(tag:lead", ("At the end", ")")),
        ("consent is maybe", ('At "maybe"', "reachable, opted_out")),
        ("tga:lead", ("did you mean tag:?",)),
        ("newsletter is 3", ('At "3"', "yes or no")),
        ("a" * 3_001, ("at most 3,000 characters",)),
        ("👍", ('At "👍"',)),
        ("phone:12", ("digits",)),
    ],
)
async def test_what_is_no_segment_gets_a_sentence_that_says_where(
    room: CampaignRoom, written: str, sentences: tuple[str, ...]
) -> None:
    await room.contacts(1)
    await room.welcome()
    for name, of in (
        ("city", "text"),
        ("age", "number"),
        ("renewal", "date"),
        ("newsletter", "yesno"),
    ):
        await room.value("insert into attributes values ('acme', $1, $2, $3)", name, of, NOON)

    said = await room.say(f"segment new Hot {written}")

    for sentence in sentences:
        assert sentence.lower() in said.lower().replace("“", '"'), said
    assert await room.rows("select * from segments") == []


@pytest.mark.parametrize("written", ['is "nonsense"', "is not done", '!= "x"'])
async def test_a_status_that_there_is_not_is_refused_with_those_there_are(
    room: CampaignRoom, written: str
) -> None:
    said = await room.say(f"segment new Odd status {written}")

    assert "expected one of open, waiting, resolved" in said
    assert await room.value("select count(*) from segments") == 0
    assert 'status is "resolved"' in await room.say('segment new Done status is "Resolved"')
