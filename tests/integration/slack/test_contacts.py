"""What staff do with contacts, as typed, on a real database."""

import asyncio
import html
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import asyncpg
import orjson
import pytest

from bot.slack.replies import Reply
from engine.consent import Act
from engine.ids import ContactId, OrganizationId
from storage import contacts, effects, tags
from storage.database import Database, Unit
from storage.effects import LedgerEntry
from tests.database import ACME, GLOBEX, NOON
from tests.integration.slack.contacts_room import Room, opened_room

ADA = '+31612345678 name="Ada Lovelace" company=Analytical tags=lead,vip city=London'


@pytest.fixture
async def room(database: Database) -> AsyncIterator[Room]:
    async with opened_room(database) as room:
        yield room


async def _occurrences(room: Room) -> list[tuple[object, ...]]:
    return await room.rows("select kind, value from occurrences order by id")


async def _added(room: Room, count: int, tag: str = "lead") -> None:
    for number in range(count):
        await room.command(f"contact add +3161000{number:04} tags={tag}")
    await room.database.pool.execute("delete from occurrences")


async def _campaign(room: Room, name: str = "Welcome") -> tuple[int, int]:
    """Make an active drip with one step; return both ids."""
    pool = room.database.pool
    campaign = await pool.fetchval(
        "insert into campaigns (organization_id, kind, name, state, type, actor, created_at,"
        " updated_at, started_at) values ('acme', 'drip', $1, 'active', 'promotional', 'U0OWNER',"
        " $2, $2, $2) returning id",
        name,
        NOON,
    )
    step = await pool.fetchval(
        "insert into steps (organization_id, campaign_id, position, after_s, content, created_at)"
        " values ('acme', $1, 1, 0, '{}', $2) returning id",
        campaign,
        NOON,
    )
    return campaign, step


async def _queued(room: Room, campaign: int, step: int, phone: str, state: str = "queued") -> int:
    """Enroll a contact whose message waits; return the enrollment."""
    contact = await room.database.pool.fetchval(
        "select contact_id from contact_identities where value = $1", phone
    )
    enrollment: int = await room.database.pool.fetchval(
        "insert into enrollments (organization_id, campaign_id, contact_id, state, step_id,"
        " enrolled_at, enrolled_by) values ('acme', $1, $2, 'active', $3, $4, 'U0OWNER')"
        " returning id",
        campaign,
        contact,
        step,
        NOON,
    )
    second = int(NOON.timestamp())
    await room.database.pool.execute(
        "insert into messages (organization_id, id, run_id, step_id, contact_id, campaign_id,"
        " number_id, state, due_at) values ('acme', new_message_id($1), $2, $3, $4, $5,"
        " '200000000000001', $6, $7)",
        second,
        enrollment,
        step,
        contact,
        campaign,
        state,
        NOON,
    )
    await room.database.pool.execute(
        "insert into campaign_stats values ('acme', $1, $2, 0, $3, 'planned', 1)"
        " on conflict (organization_id, campaign_id, step_id, variant_id, hour, metric)"
        " do update set count = campaign_stats.count + 1",
        campaign,
        step,
        NOON,
    )
    return enrollment


async def test_a_contact_is_of_the_country_of_its_phone(room: Room) -> None:
    await room.command("contact add +4915112345678")

    assert await room.rows("select country from contacts") == [("DE",)]


async def test_a_contact_is_added_with_all_that_was_said(room: Room) -> None:
    reply = await room.command(f"contact add {ADA}")

    assert reply.in_channel
    assert "<@U0OWNER> added Ada Lovelace" in reply.message.text
    assert await room.rows(
        "select name, company, attributes, timezone, timezone_from, source from contacts"
    ) == [
        (
            "Ada Lovelace",
            "Analytical",
            {"city": "London"},
            "Europe/Amsterdam",
            "phone",
            "slack:U0OWNER",
        )
    ]
    assert await room.rows("select kind, value from contact_identities") == [
        ("phone", "+31612345678")
    ]
    assert await room.rows("select tag from contact_tags order by tag") == [("lead",), ("vip",)]


class Watched(Database):
    """Counts the units that row level security does not hold in."""

    unbound = 0

    @asynccontextmanager
    async def owner_unit(self, organization: OrganizationId, at: datetime) -> AsyncIterator[Unit]:
        self.unbound += 1
        async with super().owner_unit(organization, at) as unit:
            yield unit


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("contact tag tag:vip gold", "tagged 1 contact"),
        ("contact untag +31612345678 lead", "off 1 contact"),
        ("contact optout +31612345678", "opted 1 contact out"),
        ("contact optin tag:lead", "(1 had not opted out)"),
        ("contact show +31612345678", "Ada Lovelace"),
        ("contact find tag:lead", "Ada Lovelace"),
        ("contact find Lovelace", "Ada Lovelace"),
        ('contact show "Ada Lovelace"', "Ada Lovelace"),
    ],
)
async def test_only_looking_for_a_text_leaves_row_level_security(
    database: Database, command: str, answer: str
) -> None:
    watched = Watched(database.pool, database.url)
    async with opened_room(watched) as room:
        await room.command(f"contact add {ADA}")

        assert answer in (await room.command(command)).message.text
    assert watched.unbound == (1 if "Lovelace" in command else 0)


async def test_a_contact_and_each_of_its_tags_are_told_to_triggers_once(room: Room) -> None:
    await room.command(f"contact add {ADA}")
    again = await room.command(f"contact add {ADA}")

    assert "is a contact already" in again.message.text
    assert await _occurrences(room) == [
        ("contact_created", ""),
        ("tag_added", "lead"),
        ("tag_added", "vip"),
    ]


async def test_the_time_zone_is_what_was_said_before_the_country(room: Room) -> None:
    await room.command("contact add +31612345678 timezone=Asia/Tokyo")
    await room.command("contact add +12125550123")

    assert await room.rows("select timezone, timezone_from from contacts order by id") == [
        ("Asia/Tokyo", "attribute"),
        (None, None),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("+3161", "It is too short", id="a phone too short"),
        pytest.param("+31612345678 timezone=Mars/Olympus", "time zone", id="no such zone"),
        pytest.param("+31612345678 mobile=+31687654321", "one phone", id="a second phone"),
    ],
)
async def test_what_cannot_be_kept_is_refused_and_adds_nobody(
    room: Room, text: str, said: str
) -> None:
    reply = await room.command(f"contact add {text}")

    assert said in reply.message.text
    assert not reply.in_channel
    assert await room.rows("select * from contacts") == []


async def test_adding_a_number_whatsapp_knows_finds_who_has_it(room: Room) -> None:
    await room.command("contact add +31612345678")
    await room.database.pool.execute(
        "update contact_identities set kind = 'wa_id', value = '31612345678'"
    )

    reply = await room.command("contact add +31612345678")

    assert "is a contact already" in reply.message.text
    assert await room.rows("select count(*) from contacts") == [(1,)]


async def test_one_contact_comes_of_a_phone_added_by_many_at_once(room: Room) -> None:
    replies = await asyncio.gather(
        *(room.command("contact add +31612345678 tags=vip") for _ in range(8))
    )

    assert sum(reply.in_channel for reply in replies) == 1
    assert await room.rows("select count(*) from contacts") == [(1,)]
    assert await _occurrences(room) == [("contact_created", ""), ("tag_added", "vip")]


async def test_tagging_tells_triggers_only_of_tags_that_are_new(room: Room) -> None:
    await _added(room, 3)

    first = await room.command("contact tag tag:lead VIP")
    second = await room.command("contact tag tag:lead,+31610000001 vip")

    assert "tagged 3 contacts" in first.message.text
    assert "tagged 0 contacts" in second.message.text
    assert "3 had it already" in second.message.text
    assert await _occurrences(room) == [("tag_added", "vip")] * 3


async def test_untagging_takes_the_tag_off_and_says_how_many_had_it(room: Room) -> None:
    await _added(room, 3)

    reply = await room.command("contact untag +31610000000 lead")

    assert "took `lead` off 1 contact" in reply.message.text
    assert await room.rows("select count(*) from contact_tags") == [(2,)]
    assert await _occurrences(room) == []


async def test_a_tag_that_nobody_has_is_not_taken_off(room: Room) -> None:
    await _added(room, 3)

    near = await room.command("contact untag all laed")
    far = await room.command("contact untag all nowhere")

    assert 'No contact has the tag "laed". Did you mean "lead"?' in near.message.text
    assert "/drip contact show <contact> shows" in html.unescape(far.message.text)
    assert await room.rows("select count(*) from audit_log where action = 'contact.untag'") == [
        (0,)
    ]


async def test_a_phone_that_is_nobodys_is_named(room: Room) -> None:
    await _added(room, 1)

    some = await room.command("contact tag +31610000000,+31687654321 vip")
    none = await room.command("contact tag +31687654321 vip")

    assert "No contact: +31687654321" in some.message.text
    assert "nobody" in none.message.text
    assert not none.in_channel


async def test_many_are_tagged_only_with_their_exact_count(room: Room) -> None:
    await _added(room, 6)

    asked = await room.command("contact tag tag:lead vip")
    wrong = await room.command("contact tag tag:lead vip count=5")
    before = await room.rows("select count(*) from contact_tags where tag = 'vip'")
    done = await room.command("contact tag tag:lead vip count=6")

    assert "count=6" in asked.message.text
    assert "You wrote 5" in wrong.message.text
    assert before == [(0,)]
    assert "tagged 6 contacts" in done.message.text
    assert await room.rows("select count(*) from contact_tags where tag = 'vip'") == [(6,)]


async def test_above_the_approval_limit_no_count_helps_to_tag(room: Room) -> None:
    await _added(room, 21)

    reply = await room.command("contact tag tag:lead vip count=21")

    assert "sending.approval_above" in reply.message.text
    assert await room.rows("select count(*) from contact_tags where tag = 'vip'") == [(0,)]


async def test_opting_out_ends_everything_that_waits_for_the_contact(room: Room) -> None:
    await _added(room, 2)
    campaign, step = await _campaign(room)
    for number in range(2):
        await _queued(room, campaign, step, f"+3161000000{number}")

    reply = await room.command("contact optout +31610000000")

    assert "opted 1 contact out" in reply.message.text
    assert "1 message to them will not be sent" in reply.message.text
    assert await room.rows("select state, reason from messages order by contact_id") == [
        ("cancelled", "opted_out"),
        ("queued", None),
    ]
    assert await room.rows("select state, due_at, step_id from enrollments order by id") == [
        ("opted_out", None, None),
        ("active", None, step),
    ]
    assert await room.rows(
        "select metric, sum(count)::int from campaign_stats group by 1 order by 1"
    ) == [("cancelled:opted_out", 1), ("planned", 2)]
    assert await room.rows("select kind, channel, actor from consents") == [
        ("opt_out", "slack", "U0OWNER")
    ]


async def test_senders_hear_of_who_opted_out_once_it_is_committed(room: Room) -> None:
    await _added(room, 2)
    heard: list[str] = []
    listener = await asyncpg.connect(room.database.url)
    try:
        await listener.add_listener("dripline_revoke", lambda *said: heard.append(said[3]))
        await room.command("contact optout tag:lead")
        await listener.execute("select 1")
    finally:
        await listener.close()

    ids = await room.rows("select array_agg(id order by id) from contacts")
    assert [orjson.loads(each) for each in heard] == [
        {"organization": "acme", "contacts": list(_first(ids))}
    ]


def _first(rows: Sequence[tuple[object, ...]]) -> list[int]:
    ids = rows[0][0]
    assert isinstance(ids, list)
    return ids


async def test_opting_out_twice_is_noted_once(room: Room) -> None:
    await _added(room, 1)

    await room.command("contact optout +31610000000")
    reply = await room.command("contact optout +31610000000")

    assert "1 had opted out already" in reply.message.text
    assert await room.rows("select count(*) from consents") == [(1,)]


async def test_a_contact_says_with_which_file_it_came(room: Room) -> None:
    await _added(room, 1)
    await room.rows(
        "insert into imports (organization_id, id, file_id, blob_id, name, state, actor, channel,"
        " created_at, updated_at)"
        " values ('acme', 7, 'F1', 1, 'leads.csv', 'imported', 'U0OWNER', 'C1', $1, $1)",
        NOON,
    )
    for source, said in (("import:7", "the import of leads.csv"), ("import:8", "an import")):
        await room.rows("update contacts set source = $1", source)
        shown = await room.command("contact show +31610000000")
        assert f"from {said}" in str(shown.message.blocks)


async def test_what_is_written_as_a_phone_is_not_looked_up_as_a_name(room: Room) -> None:
    shown = await room.command("contact show +31 699 999 999 99")

    assert "is no phone" in shown.message.text


async def test_staff_may_lift_a_contacts_own_stop_and_the_ledger_says_who(room: Room) -> None:
    await _added(room, 1)
    await _stopped(room, Act.OPT_OUT, NOON)

    reply = await room.command("contact optin +31610000000", user="U0OWNER2")
    shown = await room.command("contact show +31610000000")

    assert "opted 1 contact in again" in reply.message.text
    assert await room.rows("select kind, actor from consents order by id") == [
        ("opt_out", None),
        ("opt_in", "U0OWNER2"),
    ]
    assert "may be written to" in shown.message.text


async def test_opting_in_does_not_lift_what_the_platform_stopped(room: Room) -> None:
    await _added(room, 1)
    await _stopped(room, Act.OPT_OUT, NOON)
    await _stopped(room, Act.PLATFORM_STOP, NOON)

    reply = await room.command("contact optin +31610000000")
    shown = await room.command("contact show +31610000000")

    assert "1 of them stopped marketing in WhatsApp itself" in reply.message.text
    assert "stopped marketing messages in WhatsApp" in shown.message.text


async def test_opting_in_who_never_opted_out_changes_nothing(room: Room) -> None:
    await _added(room, 1)

    reply = await room.command("contact optin +31610000000")

    assert "1 had not opted out" in reply.message.text
    assert await room.rows("select count(*) from consents") == [(0,)]


async def _stopped(room: Room, act: Act, at: datetime) -> None:
    field = "opted_out_at" if act is Act.OPT_OUT else "platform_stopped_at"
    async with room.database.owner_unit(ACME, at) as unit:
        contact: ContactId = await unit.connection.fetchval("select min(id) from contacts")
        await unit.connection.execute(f"update contacts set {field} = $1", at)  # noqa: S608 — ours
        entry = LedgerEntry(
            contact_id=contact, act=act, at=at, channel="whatsapp", text="stop.", reference="wamid"
        )
        await effects.note_consents(unit, [entry])


async def test_a_contact_is_shown_with_consent_and_its_proof(room: Room) -> None:
    await room.command(f"contact add {ADA}")
    campaign, step = await _campaign(room)
    await _queued(room, campaign, step, "+31612345678")
    await _stopped(room, Act.OPT_OUT, NOON)

    reply = await room.command("contact show ada")

    shown = _all_of(reply)
    for expected in (
        "+31612345678",
        "lead, vip",
        "London",
        "said STOP since",
        "stop.",
        "in WhatsApp",
        "Welcome",
        "queued",
        "Europe/Amsterdam",
    ):
        assert expected in shown
    assert not reply.in_channel


@pytest.mark.parametrize(
    "asked", ["ada", "LOVELACE", "analytical", "0612345678", "12345", "tag:vip"]
)
async def test_contacts_are_found_by_any_part_of_what_is_known(room: Room, asked: str) -> None:
    await room.command(f"contact add {ADA}")
    await room.command("contact add +31687654321 name=Grace")

    reply = await room.command(f"contact find {asked}")

    assert "1 contact for" in reply.message.text
    assert "Ada Lovelace" in reply.message.text
    assert "Grace" not in reply.message.text


@pytest.mark.parametrize("asked", ["%", "_", "\\"])
async def test_a_pattern_is_only_text(room: Room, asked: str) -> None:
    await room.command(f"contact add {ADA}")

    reply = await room.command(f"contact find {asked}")

    assert "No contact fits" in reply.message.text


async def test_a_long_list_shows_ten_and_how_many_there_are(room: Room) -> None:
    await _added(room, 13)

    reply = await room.command("contact find +3161")
    of_tag = await room.command("contact find tag:lead")

    for each in (reply, of_tag):
        assert "13 contacts for" in each.message.text
        assert each.message.text.count("•") == 10
        assert "The first 10 of 13" in _all_of(each)


async def test_two_of_one_beginning_are_both_named(room: Room) -> None:
    await room.command('contact add +31612345678 name="Ada Lovelace"')
    await room.command('contact add +31687654321 name="Ada Byron"')

    several = await room.command("contact show Ada")
    nobody = await room.command("contact show Zoe")

    assert "Ada Lovelace" in several.message.text
    assert "Ada Byron" in several.message.text
    assert "+31687654321" in several.message.text
    assert "/drip contact find" in nobody.message.text


async def test_text_from_outside_is_never_markup(room: Room) -> None:
    await room.command("contact add +31612345678")
    await room.database.pool.execute(
        "update contacts set name = '<!channel> *hi*', company = '<@U0OWNER>'"
    )

    for reply in (
        await room.command("contact show +31612345678"),
        await room.command("contact find hi"),
        await room.command("contact find <!here>"),
    ):
        for shown in (reply.message.text, *_markup_in(reply.message.blocks)):
            for harmful in ("<!channel>", "<!here>", "*hi*"):
                assert harmful not in shown


async def test_another_organizations_contacts_are_not_found(room: Room) -> None:
    await room.command(f"contact add {ADA}")
    async with room.database.owner_unit(GLOBEX, NOON) as unit:
        assert await contacts.with_text(unit, text="ada", limit=10) == ([], 0)
        assert await tags.known(unit) == []


async def test_every_change_is_in_the_audit_log_by_ids_alone(room: Room) -> None:
    await room.command(f"contact add {ADA}")
    for what in ("tag +31612345678 x", "untag all x", "optout all", "optin +31612345678"):
        await room.command(f"contact {what}")

    entries = await room.rows(
        "select action, actor, subject, content::text from audit_log order by id"
    )

    assert [entry[:2] for entry in entries] == [
        (f"contact.{action}", "U0OWNER") for action in ("add", "tag", "untag", "optout", "optin")
    ]
    assert "612345678" not in str(entries)
    assert "Ada" not in str(entries)


async def test_a_later_stop_holds_against_an_earlier_opt_in(room: Room) -> None:
    await _added(room, 1)
    await _stopped(room, Act.OPT_OUT, room.clock.at + timedelta(hours=1))

    reply = await room.command("contact optin +31610000000")

    assert "opted 0 contacts in" in reply.message.text
    assert await room.rows("select opted_in_at from contacts") == [(None,)]


async def test_of_a_stop_and_an_opt_in_within_a_second_the_stop_holds(room: Room) -> None:
    await _added(room, 1)
    stopped_at = room.clock.at + timedelta(seconds=1)
    await _stopped(room, Act.OPT_OUT, stopped_at)
    room.clock.at += timedelta(milliseconds=900)

    early = await room.command("contact optin +31610000000")
    late = await room.command("contact optin +31610000000")
    out = await room.command("contact optout +31610000000")

    assert "opted 0 contacts in" in early.message.text
    assert "opted 1 contact in" in late.message.text
    assert "opted 1 contact out" in out.message.text
    noted = await room.rows("select kind, at from consents order by id")
    assert noted == [
        ("opt_out", stopped_at),
        ("opt_in", stopped_at + timedelta(seconds=1)),
        ("opt_out", stopped_at + timedelta(seconds=2)),
    ]


def _all_of(reply: Reply) -> str:
    return f"{reply.message.text}\n{orjson.dumps(reply.message.blocks).decode()}"


def _markup_in(value: object) -> list[str]:
    """Return every text that Slack reads as markup."""
    match value:
        case {"type": "mrkdwn", "text": str(text)}:
            return [text]
        case dict():
            return [text for each in value.values() for text in _markup_in(each)]
        case list() | tuple():
            return [text for each in value for text in _markup_in(each)]
        case _:
            return []
