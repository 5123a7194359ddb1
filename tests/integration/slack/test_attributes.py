"""Attributes as staff type them: their types, shown and changed, on a real database."""

from collections.abc import AsyncIterator

import pytest

from bot.slack.grammar import NotUnderstood
from bot.slack.language import LANGUAGE
from storage.database import Database
from tests.integration.slack.contacts_room import Room, opened_room

ADA = "+31612345678"


@pytest.fixture
async def room(database: Database) -> AsyncIterator[Room]:
    async with opened_room(database) as room:
        yield room


async def say(room: Room, text: str) -> str:
    return (await room.command(text)).message.text


async def test_the_first_value_gives_an_attribute_its_type_and_later_ones_must_fit(
    room: Room,
) -> None:
    await say(room, f"contact add {ADA} name=Ada renewal=1/12/2026 age=36 vip=ja city=Utrecht")

    assert await room.rows("select name, type from attributes order by name") == [
        ("age", "number"),
        ("city", "text"),
        ("renewal", "date"),
        ("vip", "yesno"),
    ]
    assert await room.rows("select attributes from contacts") == [
        ({"age": "36", "city": "Utrecht", "renewal": "2026-12-01", "vip": "yes"},)
    ]
    refused = await say(room, "contact edit Ada renewal=soon")
    assert "renewal will not do: it must be a date, such as 2026-12-01." in refused
    shown = await room.command(f"contact show {ADA}")
    assert "2026-12-01" in str(shown.message.blocks)
    listed = await say(room, "attribute list")
    assert "date, such as 2026-12-01; 1 contact" in listed


async def test_a_contact_is_edited_and_an_empty_value_removes(room: Room) -> None:
    await say(room, f"contact add {ADA} name=Ada company=Acme timezone=Asia/Tokyo city=Utrecht")

    told = await say(room, f'contact edit {ADA} name="Ada Byron" company= city= timezone= plan=pro')

    for expected in ("name is now Ada Byron", "plan is now pro", "company is removed"):
        assert expected in told
    assert await room.rows(
        "select name, company, timezone, timezone_from, attributes from contacts"
    ) == [("Ada Byron", None, "Europe/Amsterdam", "phone", {"plan": "pro"})]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("contact edit Ada", "Say what to change", id="nothing"),
        pytest.param("contact edit Ada phone=+31612345679", "one phone", id="a phone"),
        pytest.param("contact edit Ada tags=", "/drip contact untag", id="tags"),
        pytest.param("contact edit Ada email=", "email is removed", id="email removed"),
        pytest.param("contact edit Ada 5=x", "at least one letter", id="a number as name"),
        pytest.param(f"contact edit Ada city={'x' * 2000}", "at most 1,000", id="too long"),
        pytest.param("contact edit Nobody city=x", "No contact's name", id="a stranger"),
        pytest.param("attribute type nothing date", "No contact has an attribute", id="unknown"),
        pytest.param("attribute type email text", "every contact has", id="built in"),
        pytest.param("attribute type city text", "of type text already", id="the same"),
        pytest.param("attribute type cty date", "Did you mean city?", id="a slip"),
    ],
)
async def test_what_cannot_be_changed_is_answered_with_the_fix(
    room: Room, text: str, says: str
) -> None:
    await say(room, f"contact add {ADA} name=Ada email=ada@x.example city=Utrecht")

    assert says in await say(room, text)


NASTY = [
    "x" * 10_000,
    "\u202e\u200bgnp",
    "\N{PARTY POPPER}",
    "<!channel>",
    "\u05e9\u05dc\u05d5\u05dd",
]


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize(
    "form",
    [
        'contact edit "{}" city=x',
        'attribute type "{}" date',
        'import undo "{}"',
        'contact export "tag:{}"',
        'contact edit Ada "{}"=x',
    ],
)
async def test_a_name_nobody_has_is_answered_in_a_sentence_and_changes_nothing(
    room: Room, name: str, form: str
) -> None:
    await say(room, f"contact add {ADA} name=Ada")
    before = await room.rows("select * from contacts")

    parsed = LANGUAGE.parse(form.format(name))
    answer = (
        parsed.sentence if isinstance(parsed, NotUnderstood) else await say(room, form.format(name))
    )

    assert answer.strip().rstrip("`").endswith((".", "?")), answer[-200:]
    assert len(answer) < 2_000
    assert "<!channel>" not in answer
    assert await room.rows("select * from contacts") == before
    assert await room.rows("select 1 from exports") == []


async def test_a_type_changes_only_where_every_value_fits(room: Room) -> None:
    await say(room, f"contact add {ADA} name=Ada since=ever")
    await say(room, "contact add +31612345679 since=1/5/2020")

    refused = await say(room, "attribute type since date")
    assert "1 contact has a value of since that is not a date" in refused
    assert "'ever'" in refused
    await say(room, "contact edit Ada since=31-12-2019")
    told = await say(room, "attribute type since date")

    assert "of type date; 2 values were written anew" in told
    assert await room.rows("select attributes ->> 'since' from contacts order by id") == [
        ("2019-12-31",),
        ("2020-05-01",),
    ]
    assert await room.rows("select action, subject from audit_log where action like 'attr%'") == [
        ("attribute.type", "attribute:since")
    ]


async def test_a_twin_of_a_contacts_number_is_that_contact(room: Room) -> None:
    await say(room, "contact add +5511987654321 name=Bia")

    assert "is a contact already" in await say(room, "contact add +551187654321")
    assert "Bia" in await say(room, "contact show +551187654321")
    for asked in ("+551187654321", "551187654321", "55 11 8765-4321", "5511987654321"):
        assert "Bia" in await say(room, f"contact find {asked}")
    assert "tagged 1 contact" in await say(room, "contact tag +551187654321 vip")
