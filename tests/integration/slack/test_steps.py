"""Steps of a drip: how staff write them, and what becomes of contacts when they change."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from bot.slack.grammar import NotUnderstood
from bot.slack.language import LANGUAGE
from bot.slack.writing import written
from engine.audience import Audience
from engine.content import Text
from engine.personalise import Missing
from engine.rendering import Rendering, values_of
from storage import audiences
from storage.database import Database
from tests.database import ACME, NOON
from tests.integration.slack.campaign_room import CampaignRoom, opened


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as room:
        yield room


async def with_dates(room: CampaignRoom) -> None:
    await room.value(
        "insert into attributes (organization_id, name, type, created_at)"
        " values ('acme', 'renewal', 'date', $1), ('acme', 'city', 'text', $1)",
        NOON,
    )


async def under_way(room: CampaignRoom, count: int = 3) -> None:
    """Make Welcome, and contacts who had its first step and wait for the second."""
    await room.welcome()
    await room.contacts(count)
    await room.say("enroll Welcome tag:lead")
    await room.later(timedelta(minutes=1))
    await room.plan()
    await accept(room)


async def accept(room: CampaignRoom) -> None:
    """Let WhatsApp have accepted all that is queued, as the enrollments see it."""
    await room.value(
        "with sent as (update messages set state = 'accepted', accepted_at = $1"
        " where state = 'queued' returning run_id, step_id)"
        " update enrollments e set due_at = $1 + s.after_s * interval '1 second', since_at = $1,"
        " step_id = s.id from sent, steps o, steps s where e.id = sent.run_id and o.id = e.step_id"
        " and s.campaign_id = o.campaign_id and s.removed_at is null and s.id ="
        " (select id from steps n where n.campaign_id = o.campaign_id and n.removed_at is null"
        "   and n.position > e.position order by n.position limit 1)",
        room.room.clock.at,
    )


async def answer(room: CampaignRoom, text: str) -> str:
    """Return what the grammar says against a command, else what the bot answers."""
    read = LANGUAGE.parse(text)
    return read.sentence if isinstance(read, NotUnderstood) else await room.say(text)


async def waiting(room: CampaignRoom) -> list[tuple[object, ...]]:
    """Return (step as it was added, due) of those under way."""
    return await room.rows(
        "select distinct step_id - (select min(id) from steps) + 1, due_at from enrollments"
        " where due_at is not null order by 1"
    )


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        pytest.param("after=2d at=10:00", "2 days after step 1 at 10:00", id="a time"),
        pytest.param("after=1d on=tue", "1 day after step 1, the next Tuesday", id="a weekday"),
        pytest.param("before=1w:renewal", "1 week before renewal at 09:00", id="before a date"),
        pytest.param(
            "after=0d:renewal yearly=yes at=8:30", "on every renewal at 08:30", id="every year"
        ),
        pytest.param("after=1h if=not_replied", "if not replied", id="a condition"),
        pytest.param(
            'after=1h if="read:1,tag:very important" else=end',
            "if step 1 read and tagged very important, else the campaign ends",
            id="several, else end",
        ),
        pytest.param(
            "after=1h if=event.plan:gold", "if plan of the event is gold", id="of the event"
        ),
        pytest.param("after=0m wait=delivered", "once the step before is delivered", id="a wait"),
        pytest.param("after=1d hours=09:00-12:00 days=mon-fri", "hours=09:00-12:00", id="hours"),
    ],
)
async def test_a_step_is_shown_as_it_was_written(
    room: CampaignRoom, options: str, shown: str
) -> None:
    await with_dates(room)
    await room.say("campaign new Welcome stop_on_reply=no")
    await room.say("step add Welcome after=0m template=followup")

    said = await room.say(f"step add Welcome {options} template=followup")

    assert shown in said
    assert shown in await room.say("campaign show Welcome")
    command = LANGUAGE.parse(f"step add Welcome {options} template=followup")
    assert LANGUAGE.parse(written(command)) == command  # type: ignore[arg-type]  # it is a command


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("after=1d:birthdy", "No contact has an attribute birthdy", id="no attribute"),
        pytest.param("before=1d:renewl", "Did you mean renewal?", id="nearly one"),
        pytest.param("after=1d:city", "city holds text", id="no date"),
        pytest.param("after=3h:renewal", "days or weeks and a date", id="hours from a date"),
        pytest.param("after=1d yearly=yes", "yearly= goes only with a date", id="yearly"),
        pytest.param("after=1d before=1d:renewal", "not both", id="two starts"),
        pytest.param("text=Hi", "needs after=", id="no start"),
        pytest.param("after=1d at=25:00", "a time of day like 09:00", id="no time"),
        pytest.param("after=1d on=someday", "monday, tuesday", id="no day"),
        pytest.param("after=1d if=reed", "did you mean read?", id="no fact"),
        pytest.param("after=1d if=read:7", "does not come before", id="no step"),
        pytest.param("after=1d else=end", "else= goes only with if=", id="else alone"),
        pytest.param("after=1d if=tag:", "tag:<tag> with one tag", id="no tag"),
        pytest.param("after=1d if=event.plan:", "like event.plan:gold", id="no value"),
        pytest.param("after=1d fallback=followup", "fallback= is for a text", id="of a template"),
        pytest.param("after=1d fallback=followp", "Did you mean followup?", id="no template"),
        pytest.param("after=1d hours=9-12", "two times of day", id="no hours"),
        pytest.param("after=1d hours=10:00-12:00 at=13:00", "outside of the hours", id="outside"),
        pytest.param("after=1d days=mon-fri on=sun", "none of the days", id="on no day"),
        pytest.param("after=1d position=9", "has 1 step", id="no place"),
        pytest.param("after=1d at=\u200f💥", "a time of day like 09:00", id="right to left"),
    ],
)
async def test_what_is_wrong_with_a_step_is_told_and_none_is_made(
    room: CampaignRoom, text: str, sentence: str
) -> None:
    await with_dates(room)
    await room.say("campaign new Welcome")
    await room.say("step add Welcome after=0m template=followup")
    content = "text=Hi" if "fallback=followp" in text else "template=followup"

    said = await answer(room, f"step add Welcome {text} {'' if 'text=' in text else content}")

    assert sentence in said
    assert await room.value("select count(*) from steps") == 1


async def test_the_first_step_asks_nothing_of_a_step_before(room: CampaignRoom) -> None:
    await room.say("campaign new Welcome")

    for asked in ("if=read", "wait=delivered"):
        said = await room.say(f"step add Welcome after=0m {asked} template=followup")
        assert "no step before it" in said
    assert "if tagged vip" in await room.say(
        "step add Welcome after=0m if=tag:vip template=followup"
    )


async def test_an_edit_is_asked_about_then_done_and_what_was_is_kept(room: CampaignRoom) -> None:
    await under_way(room)
    (before,) = await waiting(room)

    asked = await room.say("step edit Welcome 2 after=3d template=news language=nl")
    unchanged = await waiting(room)
    done = await room.say("step edit Welcome 2 after=3d template=news language=nl confirm=yes")

    assert "3 contacts are yet to get it and would get it as changed" in asked
    assert "confirm=yes" in asked
    assert unchanged == [before]
    assert "changed step 2" in done
    assert "3 contacts under way get it as changed" in done
    ((step, due_at),) = await waiting(room)
    assert isinstance(before[1], datetime)
    assert (step, due_at) == (2, before[1] + timedelta(days=1))
    assert await room.rows("select version, after_s, content ->> 'name' from step_revisions") == [
        (1, 2 * 86_400, "followup")
    ]
    assert await room.rows(
        "select version, after_s, content ->> 'name' from steps order by position offset 1 limit 1"
    ) == [(2, 3 * 86_400, "news")]


async def test_the_button_does_what_was_asked_once_and_not_after_another_change(
    room: CampaignRoom,
) -> None:
    await under_way(room)
    campaign, _, version = (await room.version("Welcome")).partition("@")
    value = f"step edit Welcome 2 confirm=yes after=4d@{version}"
    del campaign

    done = await room.click("step_confirm", value)
    again = await room.click("step_confirm", value)
    nonsense = await room.click("step_confirm", "campaign archive Welcome@1")

    assert "changed step 2" in done
    assert "has changed since" in again
    assert "no longer there" in nonsense
    assert await room.value("select count(*) from step_revisions") == 1


async def test_a_step_put_in_goes_to_those_before_it_and_to_nobody_past_it(
    room: CampaignRoom,
) -> None:
    await under_way(room, 2)
    await room.contacts(1, first=3, tag="new")
    await room.say("enroll Welcome tag:new")

    past = await room.say("step add Welcome after=1d template=news language=en position=1")
    await room.say("step add Welcome after=1d template=news language=en position=1 confirm=yes")

    assert "1 contact is before that place" in past
    assert "2 contacts are past it and would not be sent back" in past
    # The new one waits for the step put in; the others still for the second of old.
    assert [step for step, _ in await waiting(room)] == [2, 4]

    between = await room.say("step add Welcome after=1h template=followup position=3")
    await room.say("step add Welcome after=1h template=followup position=3 confirm=yes")
    assert "3 contacts are before that place" in between
    assert [step for step, _ in await waiting(room)] == [4, 5]


async def test_a_moved_step_sends_nobody_back_and_is_met_once(room: CampaignRoom) -> None:
    await under_way(room, 2)

    asked = await room.say("step move Welcome 1 to=3")
    await room.confirmed("step move Welcome 1 to=3")
    # They had the first one, which is the last now, and come to the other two alone.
    for _ in range(2):
        await room.later(timedelta(days=9))
        await room.plan()
        await accept_or_end(room)

    assert "2 contacts are before its new place" in asked
    assert await room.rows(
        "select step_id - (select min(id) from steps) + 1, count(*) from messages group by 1"
        " order by 1"
    ) == [(1, 2), (2, 2), (3, 2)]
    await room.later(timedelta(days=9))
    await room.plan()
    assert await room.rows("select distinct state, step_id from enrollments") == [
        ("completed", None)
    ]


async def accept_or_end(room: CampaignRoom) -> None:
    if await room.value("select count(*) from messages where state = 'queued'"):
        await accept(room)


async def test_a_step_others_ask_about_stays_before_them(room: CampaignRoom) -> None:
    await room.say("campaign new Welcome")
    for options in ("", "", "if=read:1"):
        await room.say(f"step add Welcome after=1d {options} template=followup")

    removed = await room.say("step remove Welcome 1")
    moved = await room.say("step move Welcome 1 to=3")

    assert "Step 3 asks in its if=" in removed
    assert "Step 3 asks in its if=" in moved


async def test_what_is_queued_goes_out_as_changed(room: CampaignRoom) -> None:
    await room.welcome()
    await room.contacts(1)
    await room.say("enroll Welcome tag:lead")
    await room.later(timedelta(minutes=1))
    await room.plan()

    asked = await room.say("step edit Welcome 1 template=followup")
    await room.say("step edit Welcome 1 template=followup confirm=yes")

    assert "it is queued, and would go out as changed" in asked
    assert await room.rows(
        "select m.state, s.content ->> 'name', c.version > 1 from messages m"
        " join steps s on s.id = m.step_id join campaigns c on c.id = m.campaign_id"
    ) == [("queued", "followup", True)]


async def test_the_content_of_a_broadcast_is_fixed_once_it_has_started(room: CampaignRoom) -> None:
    await room.contacts(1)
    await room.say("broadcast new Sale to=all template=followup")
    await room.say("broadcast send Sale")

    said = await room.say("step edit Sale 1 template=news language=en")

    assert "its content is fixed once it has started" in said


async def test_nothing_to_change_and_no_such_step_are_told(room: CampaignRoom) -> None:
    await room.welcome()

    assert "Nothing would change" in await answer(room, "step edit Welcome 2")
    assert "has steps 1 to 3" in await room.say("step edit Welcome 4 after=1d")
    assert "has steps 1 to 3" in await room.say("step move Welcome 2 to=9")
    assert "one of text=" in await answer(room, "step edit Welcome 2 text=a template=b")


async def test_who_lacks_a_value_is_counted_before_it_goes_out(room: CampaignRoom) -> None:
    ada, bea, *_ = await room.contacts(4)
    await room.wrote(bea)
    await room.value("update contacts set first_name = ' ' where id = $1", ada)
    await room.contacts(3, tag="other", first=50)
    await room.say("campaign new Welcome trigger=tag:lead")

    added = await room.say("step add Welcome after=0m template=welcome first_name={first_name}")
    mail = await room.say('step add Welcome after=1d text="To {email}" fallback=followup')
    fine = await room.say("step add Welcome after=1d template=welcome first_name={name|you}")
    shown = await room.say("campaign show Welcome")
    activated = await room.say("campaign activate Welcome")
    broadcast = await room.say("broadcast new Sale to=all text={first_name}")

    assert "1 contact has no first_name" in added
    assert "4 contacts have no email" in mail
    assert "no first_name" not in fine
    for said in (shown, activated):
        assert "1 contact has no first_name" in said
        assert "4 contacts have no email" in said
    assert "1 contact has no first_name" in broadcast

    later = 'at="2030-01-01 10:00"'
    for said in (
        await room.say(f"broadcast schedule Sale {later}"),
        await room.say(f"broadcast new Later to=all text={{first_name}} {later}"),
        await room.say("broadcast edit Sale to=tag:lead"),
        await room.say("broadcast edit Sale text={first_name}!"),
        await room.say("broadcast send Sale"),
    ):
        assert "1 contact has no first_name" in said
        assert "`{first_name|…}` says something else" in said

    await room.say("enroll Welcome tag:lead")
    edited = await room.say("step edit Welcome 2 text={company}")
    assert "4 contacts have no company" in edited
    assert "Nothing has been done" in edited


@pytest.mark.parametrize("token", ["name", "first_name", "company", "email", "phone", "city"])
async def test_sql_finds_who_lacks_a_value_as_texts_do(room: CampaignRoom, token: str) -> None:
    filled = (None, "", " ", "Ada")
    for name in filled:
        for first_name in filled:
            attributes = {} if name is None else {"city": name}
            await room.value(
                "insert into contacts (organization_id, name, first_name, company, email,"
                " attributes, source, created_at, updated_at)"
                " values ('acme', $1, $2, $1, $2, $3, 'test', $4, $4)",
                name,
                first_name,
                attributes,
                NOON,
            )
    await room.contacts(1)
    async with room.database.unit(ACME, NOON) as unit:
        lacking = await audiences.lacking(unit, audience=Audience(everyone=True), tokens=[token])
    rows = await room.database.pool.fetch(
        "select c.*, (select value from contact_identities i where i.contact_id = c.id) as phone"
        " from contacts c"
    )

    text = Rendering.of(Text(body=f"{{{token}}}"))
    without = [
        row["id"]
        for row in rows
        if isinstance(
            text.filled(
                values_of(
                    name=row["name"],
                    first_name=row["first_name"],
                    company=row["company"],
                    email=row["email"],
                    phone=row["phone"],
                    attributes=row["attributes"],
                )
            ),
            Missing,
        )
    ]
    assert lacking == ({token: len(without)} if without else {})
    assert 0 < len(without) < len(rows)


async def test_wider_hours_of_a_step_let_what_waited_for_the_old_ones_be_looked_at(
    room: CampaignRoom,
) -> None:
    await room.contacts(2)
    await room.say("campaign new Welcome")
    await room.say("step add Welcome after=0m template=followup hours=03:00-04:00")
    await room.say("campaign activate Welcome")
    await room.say("enroll Welcome tag:lead")
    await room.later(timedelta(minutes=1))
    await room.plan()
    before = await room.value("select min(due_at) from messages")

    await room.say("step edit Welcome 1 hours=off confirm=yes")
    await room.plan()

    assert before > room.room.clock.at
    assert await room.value("select max(due_at) from messages") <= room.room.clock.at
    assert await room.value("select look_again_since from campaigns") is None
