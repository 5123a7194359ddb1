"""Campaigns and their steps, by the commands staff type."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.slack import status
from bot.slack.language.general import Status
from bot.slack.registry import Registry
from engine.roles import Role
from storage.database import Database
from tests.database import ACME, NOON
from tests.integration.slack.campaign_room import CampaignRoom, opened


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as room:
        yield room


async def held_up(room: CampaignRoom) -> list[Any]:
    """What waits: whether it is due, and how long its deadline is ahead."""
    return await room.rows(
        "select m.due_at <= $1, m.deadline_at + c.held_s * interval '1 second' - $1"
        " from messages m join campaigns c on c.id = m.campaign_id where m.state = 'queued'"
        " order by m.contact_id",
        room.room.clock.at,
    )


async def test_a_pause_of_a_drip_is_held_against_no_deadline(room: CampaignRoom) -> None:
    await room.welcome("deadline=48h")
    await room.contacts(1)
    await room.say("enroll Welcome tag:lead")
    await room.later(timedelta(hours=1))
    await room.plan()
    ((_, queued),) = await held_up(room)
    await room.contacts(1, first=2)
    await room.say("enroll Welcome +31610000002")

    await room.say("campaign pause Welcome")
    await room.later(timedelta(days=3))
    await room.say("campaign resume Welcome")
    await room.plan()

    (_, before), (_, meanwhile) = await held_up(room)
    # Each command takes a second on the room's clock.
    assert timedelta() <= queued - before < timedelta(minutes=1)
    assert timedelta(hours=47, minutes=59) < meanwhile <= timedelta(hours=48)


async def test_pauses_of_a_broadcast_are_held_against_no_deadline(room: CampaignRoom) -> None:
    await room.contacts(2)
    await room.say("broadcast new Sale to=tag:lead template=followup deadline=2h")
    await room.say("broadcast send Sale")
    await room.plan()
    for days in (1, 2):
        for command in ("pause", "pause"):
            await room.say(f"broadcast {command} Sale")
        await room.later(timedelta(days=days))
        for command in ("resume", "resume"):
            await room.say(f"broadcast {command} Sale")

    waiting = await held_up(room)
    assert [due for due, _ in waiting] == [True, True]
    assert all(timedelta(minutes=119) < left <= timedelta(hours=2) for _, left in waiting)


async def test_a_campaign_is_made_shown_and_listed_as_staff_wrote_it(room: CampaignRoom) -> None:
    made = await room.say(
        'campaign new "Welcome" trigger=tag:lead stop_on_reply=no per_day=50 hours=08:00-20:00'
        " rate=300/min reentry=after mode=skip priority=7 deadline=off unknown=ask"
        " number=+15550001111"
    )
    await room.say("step add wel after=0m template=welcome first_name={first_name|there}")
    await room.say("step add Welcome after=2d template=followup")
    shown = await room.say("campaign show welc")

    assert "created the campaign *Welcome*" in made
    assert "<@U0OWNER>" in made
    for setting in (
        "trigger=tag:lead",
        "stop_on_reply=no",
        "per_day=50",
        "hours=08:00-20:00",
        "rate=300/min",
        "reentry=after",
        "mode=skip",
        "priority=7",
        "deadline=off",
        "unknown=ask",
        "number=+15550001111",
    ):
        assert f"`{setting}`" in shown
    assert "*1.* at once after enrollment: template welcome (en)" in shown
    assert "*2.* 2 days after step 1: template followup (en)" in shown
    assert "/drip campaign activate Welcome" in shown
    assert "*Welcome* · draft · 2 steps" in await room.say("campaign list")
    assert "There are no active campaigns" in await room.say("campaign list active")
    assert "There are no campaigns of yours" in await room.say("campaign list mine", user="U0B")


async def test_a_name_is_free_again_once_archived_and_never_twice_in_any_case(
    room: CampaignRoom,
) -> None:
    await room.say('campaign new "Welcome"')

    again = await room.say('campaign new "WELCOME"')
    await room.say("campaign archive Welcome")
    after = await room.say('campaign new "welcome"')

    assert "already" in again
    assert "created the campaign" in after
    assert await room.value("select count(*) from campaigns") == 2


async def test_names_are_understood_by_their_beginning_and_guessed_when_wrong(
    room: CampaignRoom,
) -> None:
    await room.say('campaign new "Spring Sale"')
    await room.say('campaign new "Spring Cleaning"')

    assert '"Spring Cleaning", "Spring Sale"' in await room.say("campaign pause Spring")
    assert 'Did you mean "Spring Sale"?' in await room.say("campaign pause Sprnig Sale")
    assert "is a draft" in await room.say("campaign pause spring s")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("template=wellcome", "Did you mean welcome?", id="unknown template"),
        pytest.param("template=welcome", "first_name= is missing", id="value missing"),
        pytest.param("template=followup x=1", "x= is not known", id="value too many"),
        pytest.param("template=news", "add language=en", id="several languages"),
        pytest.param("template=news language=de", "it is there in en, nl", id="not in it"),
        pytest.param(
            "template=welcome first_name={frist_name}",
            "Did you mean {first_name}?",
            id="unknown token in a value",
        ),
        pytest.param('text="Hi {cty}"', "Did you mean {city}?", id="token near an attribute"),
        pytest.param(
            "media=https://example.com/menu", "at the end of its link", id="file of no kind"
        ),
        pytest.param(
            'media=https://example.com/a.mp3 caption="Hi"', "no caption", id="caption on a sound"
        ),
    ],
)
async def test_a_step_that_cannot_be_sent_is_refused_with_the_fix(
    room: CampaignRoom, text: str, says: str
) -> None:
    await room.value(
        "insert into attributes (organization_id, name, type, created_at)"
        " values ('acme', 'city', 'text', $1)",
        NOON,
    )
    await room.say('campaign new "Welcome"')

    answer = await room.say(f"step add Welcome after=1d {text}")

    assert says.replace("_", "\N{MODIFIER LETTER LOW MACRON}") in answer or says in answer
    assert await room.value("select count(*) from steps") == 0


async def test_texts_files_and_languages_become_steps(room: CampaignRoom) -> None:
    await room.value(
        "insert into attributes (organization_id, name, type, created_at)"
        " values ('acme', 'city', 'text', $1)",
        NOON,
    )
    await room.say('campaign new "Welcome"')

    await room.say('step add Welcome after=1h text="Hi {first_name|there} in {city}"')
    await room.say('step add Welcome after=90m media=https://example.com/m.pdf caption="Menu"')
    await room.say("step add Welcome after=1w template=news language=nl")
    shown = await room.say("campaign show Welcome")

    assert "1 hour after enrollment: text “Hi {first" in shown
    assert "90 minutes after step 1: document `https://example.com/m.pdf` “Menu”" in shown
    assert "1 week after step 2: template news (nl)" in shown


async def test_activating_wants_steps_and_approved_templates_and_tells_the_card(
    room: CampaignRoom,
) -> None:
    await room.say('campaign new "Welcome"')
    empty = await room.say("campaign activate Welcome")
    await room.say("step add Welcome after=0m template=draft")
    unapproved = await room.say("campaign activate Welcome")
    await room.value("update templates set status = 'APPROVED' where name = 'draft'")
    activated = await room.say("campaign activate Welcome")
    twice = await room.say("campaign activate Welcome")

    assert "has no step yet" in empty
    assert "The template draft (en) is pending" in unapproved
    assert "activated *Welcome*" in activated
    assert "active already" in twice
    assert await room.events() == []
    assert await room.rows("select state, started_by, channel from campaigns") == [
        ("active", "U0OWNER", "C0TEAM")
    ]
    actions = await room.rows("select action from audit_log order by id")
    assert actions == [("campaign.new",), ("step.add",), ("campaign.activate",)]


async def test_pausing_and_resuming_keep_what_waits_and_resuming_opens_a_tap(
    room: CampaignRoom,
) -> None:
    await room.welcome()
    await room.contacts(2)
    await room.say("enroll Welcome tag:lead")
    await room.plan()

    await room.say("campaign pause Welcome")
    paused = await room.rows("select state, paused_by from campaigns")
    await room.say("campaign resume Welcome")
    await room.value(
        "update campaigns set closed_until = 'infinity', closed_why = 'Template paused.'"
    )
    stopped = await room.say("campaign show Welcome")
    opened_again = await room.say("campaign resume Welcome")
    nothing = await room.say("campaign resume Welcome")

    assert paused == [("paused", "U0OWNER")]
    assert "Stopped: Template paused." in stopped
    assert "It had stopped: Template paused." in opened_again
    assert "active already" in nothing
    assert await room.rows("select state, closed_until, paused_by from campaigns") == [
        ("active", None, None)
    ]
    assert await room.rows("select distinct state from messages") == [("queued",)]
    assert await room.events() == [
        "campaign_paused",
        "campaign_resumed",
        "campaign_resumed",
    ]


async def test_archiving_ends_enrollments_and_is_final(room: CampaignRoom) -> None:
    await room.welcome()
    await room.contacts(3)
    await room.say("enroll Welcome tag:lead")

    archived = await room.say("campaign archive Welcome")

    assert "3 contacts were under way" in archived
    assert await room.rows("select distinct state, reason, due_at from enrollments") == [
        ("dropped", "archived", None)
    ]
    assert "There is no campaign" in await room.say("campaign resume Welcome")
    assert "is archived" in await room.say("campaign show Welcome")


async def test_whoever_waits_for_a_removed_step_goes_on_as_if_it_had_never_been(
    room: CampaignRoom,
) -> None:
    await room.welcome()
    await room.contacts(2)
    await room.say("enroll Welcome tag:lead")
    enrolled_at = await room.value("select min(enrolled_at) from enrollments")

    asked = await room.say("step remove Welcome 1")
    before = await room.rows("select distinct due_at from enrollments")
    removed = await room.confirmed("step remove Welcome 1")

    assert "2 contacts are waiting for it and would go on to the next step" in asked
    assert before == [(enrolled_at,)]
    assert "2 contacts who waited for it go on to the next step" in removed
    assert await room.rows("select distinct due_at from enrollments") == [
        (enrolled_at + timedelta(days=2),)
    ]
    assert "*1.* 2 days after enrollment: template followup" in await room.say(
        "campaign show Welcome"
    )


async def test_messages_queued_for_a_removed_step_are_cancelled_and_their_contacts_go_on(
    room: CampaignRoom,
) -> None:
    await room.welcome()
    await room.contacts(2)
    await room.say("enroll Welcome tag:lead")
    await room.later(timedelta(minutes=1))
    await room.plan()

    asked = await room.say("step remove Welcome 1")
    await room.confirmed("step remove Welcome 1")
    await room.plan()
    through = [
        await room.confirmed("step remove Welcome 1"),
        await room.confirmed("step remove Welcome 1"),
    ]

    assert await room.rows("select distinct state, reason from messages") == [
        ("cancelled", "step_removed")
    ]
    assert "2 contacts are to get it any moment: it is queued, and would not be sent" in asked
    assert "go on to the next step" in through[0]
    assert "are through" in through[1]
    assert await room.rows("select distinct state, step_id from enrollments") == [
        ("completed", None)
    ]
    assert await room.rows("select metric, count from campaign_stats order by metric") == [
        ("cancelled:step_removed", 2),
        ("planned", 2),
    ]
    assert "has no step" in await room.say("step remove Welcome 1")


async def test_a_removal_done_again_does_not_take_the_next_step(room: CampaignRoom) -> None:
    await room.welcome()
    await room.contacts(2)
    await room.say("enroll Welcome tag:lead")
    step = await room.value("select id from steps order by position limit 1")
    version = int((await room.version("Welcome")).partition("@")[2])

    asked = await room.say("step remove Welcome 1")
    moving = await room.say("step move Welcome 1 to=3")
    removed = await room.say(f"step remove Welcome 1 confirm={step}")
    again = await room.say(f"step remove Welcome 1 confirm={step}")
    moved = await room.say(f"step move Welcome 1 to=2 confirm={step}")
    clicked = await room.click("step_confirm", f"step remove Welcome 1 confirm={step}@{version}")

    assert f"`/drip step remove Welcome 1 confirm={step}`" in asked
    assert f"`/drip step move Welcome 1 to=3 confirm={step}`" in moving
    assert "removed a step" in removed
    assert "Step 1 of 'Welcome' is not the one you were asked about" in again
    assert "Nothing has been done" in moved
    assert "has changed since that was asked" in clicked
    assert await room.value("select count(*) from steps where removed_at is null") == 2


async def test_buttons_act_once_on_the_version_they_were_drawn_for(room: CampaignRoom) -> None:
    await room.welcome()
    drawn = await room.version("Welcome")

    paused = await room.click("campaign_pause", drawn)
    stale = await room.click("campaign_pause", drawn)
    resumed = await room.click("campaign_resume", await room.version("Welcome"))
    reported = await room.click("campaign_report", drawn)
    nonsense = await room.click("campaign_pause", "'; drop table campaigns")

    assert "paused *Welcome*" in paused
    assert "is paused now" in stale
    assert "resumed *Welcome*" in resumed
    assert "Report on Welcome" in reported
    assert "no longer there" in nonsense
    assert await room.rows("select state from campaigns") == [("active",)]


async def test_one_organization_cannot_touch_the_campaign_of_another_by_its_id(
    room: CampaignRoom,
) -> None:
    await room.welcome()
    await room.value("update campaigns set organization_id = 'acme'")
    foreign = await room.value(
        "insert into campaigns (organization_id, kind, name, state, type, actor, created_at,"
        " updated_at) values ('globex', 'drip', 'Theirs', 'active', 'promotional', 'U', now(),"
        " now()) returning id"
    )

    clicked = await room.click("campaign_pause", f"{foreign}@1")

    assert "no longer there" in clicked
    assert await room.value("select state from campaigns where id = $1", foreign) == "active"


async def test_the_next_command_names_the_tag_there_is(room: CampaignRoom) -> None:
    await room.say('campaign new "By tag" trigger="tag:very important"')
    await room.say('step add "By tag" after=0m template=followup')
    by_tag = await room.say('campaign activate "By tag"')
    nobody = await made(room, "Nobody")
    await room.contacts(2, tag="lead")
    one = await made(room, "One")
    shown = await room.say("campaign show One")
    await room.contacts(1, tag="demo", first=3)
    two = await made(room, "Two")

    assert '/drip enroll "By tag" tag:"very important"' in by_tag
    assert "/drip enroll Nobody tag:<tag>" in nobody.replace("&lt;", "<").replace("&gt;", ">")
    assert "/drip enroll One tag:lead" in one
    assert "/drip enroll One tag:lead" in shown
    assert "/drip enroll Two tag:<tag>" in two.replace("&lt;", "<").replace("&gt;", ">")


async def made(room: CampaignRoom, name: str) -> str:
    await room.say(f"campaign new {name}")
    await room.say(f"step add {name} after=0m template=followup")
    return await room.say(f"campaign activate {name}")


async def test_status_lists_numbers_under_the_limit_of_their_portfolio(room: CampaignRoom) -> None:
    before = await room.say("status")
    await room.value(
        "insert into numbers (organization_id, id, phone, quality, verified_name, messaging_limit,"
        " updated_at) values ('acme', '200000000000001', '+15550001111', 'green', 'Acme',"
        " 'TIER_10K', now()), ('acme', 'gone', '+15550002222', 'green', 'Old', 'TIER_250', now())"
    )
    reported = await room.say("status")
    await room.value("update numbers set messaging_limit = 'TIER_UNLIMITED' where id <> 'gone'")
    unlimited = await room.say("status")

    limit = "Portfolio 100000000000001: "
    assert f"{limit}a limit not reported yet, for\n" in before
    assert (
        f"{limit}0 of 10,000 people written to within 24 hours, for\n"
        ":large_green_circle: +15550001111 (Acme) · quality green"
    ) in reported
    assert f"{limit}no limit of people, for\n" in unlimited


async def test_status_says_when_the_next_place_under_the_messaging_limit_is_free(
    room: CampaignRoom,
) -> None:
    await room.value(
        "insert into numbers (organization_id, id, phone, messaging_limit, updated_at)"
        " values ('acme', '200000000000001', '+15550001111', 'TIER_250', now())"
    )
    at = NOON.replace(second=0, microsecond=0)
    for hours, count in ((25, 1000), (20, 100), (2, 150)):
        await room.value(
            "insert into place_counts (organization_id, cap, bucket, count)"
            " values ('acme', 'messaging_limit', $1, $2)",
            at - timedelta(hours=hours),
            count,
        )
    free_at = int((at + timedelta(hours=4, minutes=1)).timestamp())

    said = await room.say("status")

    assert "250 of 250 people written to within 24 hours; the next place is free at" in said
    assert f"<!date^{free_at}^" in said
    assert "Contacts today" not in said


async def test_status_counts_the_contacts_of_the_day_where_they_are_limited(
    room: CampaignRoom,
) -> None:
    config = room.room.desk.config
    acme = config.organizations[ACME]
    sending = acme.sending.model_copy(update={"contacts_per_day": 5})
    limited = config.model_copy(
        update={"organizations": {ACME: acme.model_copy(update={"sending": sending})}}
    )
    registry = Registry()
    status.register(registry, replace(room.room.desk, config=limited))
    zone = acme.timezone
    today = NOON.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    await room.value(
        "insert into place_counts (organization_id, cap, bucket, count)"
        " values ('acme', 'contacts_per_day', $1, 5)",
        today,
    )

    reply = await registry.commands[Status](Status(), room.room.context("U0OWNER", Role.OWNER))

    assert "Contacts today: 5 of 5 (contacts_per_day); the next may be at" in reply.message.text


async def test_status_says_why_whatsapp_limits_a_number(room: CampaignRoom) -> None:
    account = {"can_send": "LIMITED", "reasons": ["The name is not approved."]}
    await room.value(
        "insert into numbers (organization_id, id, phone, account, updated_at)"
        " values ('acme', '200000000000001', '+15550001111', $1, now())",
        account,
    )

    said = await room.say("status")

    assert "WhatsApp says that sending is LIMITED: The name is not approved." in said


async def test_status_tells_that_others_share_the_portfolio(room: CampaignRoom) -> None:
    config = room.room.desk.config
    other = config.organizations[ACME].model_copy(update={"name": "Other"})
    shared = config.model_copy(
        update={"organizations": {**config.organizations, "other": other, "third": other}}
    )
    registry = Registry()
    status.register(registry, replace(room.room.desk, config=shared))

    reply = await registry.commands[Status](Status(), room.room.context("U0OWNER", Role.OWNER))

    assert "reported yet, shared with 2 more accounts, for\n" in reply.message.text
    assert "Other" not in reply.message.text


async def test_status_says_what_runs_and_what_is_missing(room: CampaignRoom) -> None:
    await room.welcome()
    await room.contacts(4)
    await room.say("enroll Welcome tag:lead")
    await room.value(
        "insert into numbers (organization_id, id, phone, quality, updated_at, closed_until,"
        " closed_why) values ('acme', '200000000000001', '+15550001111', 'green', now(),"
        " 'infinity', 'Token expired.')"
    )

    said = await room.say("status")

    assert ":red_circle: Redis" in said
    assert ":red_circle: worker lanes" in said
    assert "quality green" in said
    assert "Stopped until somebody sees to it: Token expired." in said
    assert "*Welcome* (drip) is active: ▱▱▱▱▱▱▱▱▱▱ 0 % (0 of 4) contacts through" in said
    assert "Templates: 5 approved, 1 pending" in said
