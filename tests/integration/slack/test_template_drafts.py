"""Drafting, submitting, previewing and testing templates, by the commands staff type."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.slack import media, template_drafts, template_preview
from bot.slack.grammar import NotUnderstood
from bot.slack.language import LANGUAGE
from storage.database import Database
from tests.database import ACME, NOON
from tests.integration.slack.campaign_room import CampaignRoom, opened

DRAFT = 'template draft spring category=marketing body="Hi {{first_name}}, our sale has begun."'


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as room:
        for feature in (template_drafts, template_preview, media):
            feature.register(room.room.registry, room.room.desk)
        yield room


async def _file(room: CampaignRoom, name: str, kind: str = "image") -> None:
    await room.value(
        "insert into media (organization_id, name, kind, mimetype, size, filename, blob_id,"
        " created_at, created_by) values ($1, $2, $3, 'image/png', 10, 'a.png', 1, $4, 'U0OWNER')",
        ACME,
        name,
        kind,
        NOON,
    )


async def test_a_draft_names_what_is_wrong_and_keeps_the_rest(room: CampaignRoom) -> None:
    first = await room.say(f'{DRAFT} footer="For {{{{company}}}}"')
    refused = await room.say("template submit spring")
    mended = await room.say("template draft spring footer=Acme first_name=Ada")

    assert "A sample is missing: write first_name=" in first
    assert "A footer takes no variables" in first
    assert "is not ready" in refused
    assert "Hi Ada, our sale has begun." in mended
    assert "is a draft, which WhatsApp does not have yet" in await room.say(
        "template preview spring"
    )
    assert "/drip template submit spring" in mended
    assert "submitted the template spring" in (await room.say("template submit spring")).replace(
        "*", ""
    )
    assert "stays until it is decided" in await room.say("template discard spring")
    assert "spring (en) is on its way to WhatsApp" in await room.say("template preview spring")
    assert "is with WhatsApp already" in await room.say("template submit spring")
    assert "cannot change until" in await room.say("template draft spring footer=off")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("template draft spring", "category= and body= cannot be left out"),
        ('template draft spring category=authentication body="x"', "writes the text of"),
        ('template draft spring category=utility body="Big sale today"', "promote something"),
        ('template draft spring category=marketing body="Hi {first_name}!"', "{{first_name}}"),
        ('template draft spring category=marketing body="Hi {{1}} and {{name}} too"', "not both"),
        ('template draft spring category=marketing body="Hi there" firstname=Ada', "has no place"),
        ("template submit nothing", "There is no draft nothing"),
        ("template submit spring language=nl", "There is no draft spring"),
        ("template draft draft body=x category=marketing", "is reviewing draft"),
        ("template draft welcome category=utility body=x", "category of an approved template"),
        ("template preview wellcome", "Did you mean welcome?"),
        ("template preview news", "add language=en"),
        ("template preview news language=fr", "it is there in en, nl"),
        ("template preview welcome +31612345699", "is no contact"),
        ("template preview welcome firstname=x", "firstname= is not known"),
        ("template preview welcome first_name={nme}", "is not known"),
        ("template test draft +31610000001", "only approved ones can be sent"),
        ("template test offer +31610000001", "1= is missing"),
        ("media add poster url=http://example.com/a.png", "https://"),
        ("media add poster url=https://10.0.0.1/a.png", "not a public address"),
        ("media show poster", "There is no file"),
        ("media remove poster", "There is no file"),
        ("step add Welcome after=1d media=poster", "no file poster"),
        ("broadcast new X to=all template=welcome first_name={unknwon}", "is not known"),
    ],
)
async def test_what_is_wrong_is_said_with_what_to_do(
    room: CampaignRoom, text: str, says: str
) -> None:
    await room.contacts(1)
    await room.say('campaign new "Welcome"')
    before = await room.value("select count(*) from steps")

    said = await room.say(text)

    assert says in said
    assert await room.value("select count(*) from steps") == before
    assert await room.value("select count(*) from messages") == 0
    assert await room.value("select count(*) from media") == 0


@pytest.mark.parametrize(
    "text",
    [
        f'template draft {"x" * 10_000} category=marketing body="Hello"',
        'template draft Frühling! category=marketing body="Hello"',
        'template draft spring category=spam body="Hello"',
        f'template draft spring category=marketing body="{"x" * 10_000}"',
        'template draft spring category=marketing body="Hello" button="|https://a.example"',
        'template draft spring category=marketing body="Hello" button=off button=Yes',
        f"media show {'x' * 10_000}",
        "media add poster",
    ],
)
def test_what_cannot_be_read_is_one_clear_sentence(text: str) -> None:
    assert isinstance(LANGUAGE.parse(text), NotUnderstood)


async def test_a_preview_is_what_the_contact_reads(room: CampaignRoom) -> None:
    await room.contacts(1)
    await room.value("update contacts set first_name = E'Ada\\n  <!channel>'")

    said = await room.say("template preview welcome +31610000001")
    offer = await room.say("template preview offer +31610000001 1={first_name} 2=10% url=now")
    without = await room.say("template preview offer 1=Ada")

    assert "Hi Ada &lt;!channel&gt;, welcome!" in said
    assert "10% off." in offer
    assert "https://shop.example/now" in offer
    assert "Not given: `2=… url=…`" in without


async def test_a_preview_says_who_would_be_left_out(room: CampaignRoom) -> None:
    await room.contacts(1)

    said = await room.say("template preview welcome +31610000001 first_name={company}")

    assert "has no value for {company}" in said


async def test_a_test_goes_to_one_contact_and_never_against_their_will(room: CampaignRoom) -> None:
    await room.contacts(1)
    sent = await room.say("template test welcome +31610000001 first_name={first_name}")
    shown = str((await room.room.command("contact show +31610000001")).message.blocks)
    await room.value("update contacts set opted_out_at = $1", NOON)
    refused = await room.say("template test welcome +31610000001 first_name=x")

    assert "outside of any campaign" in sent
    assert "test of the template welcome" in shown
    assert "said STOP: nothing was sent" in refused
    rows = await room.rows("select campaign_id, priority, content ->> 'name' from messages")
    assert rows == [(0, 1, "welcome")]


async def test_a_draft_nobody_wants_is_thrown_away(room: CampaignRoom) -> None:
    await room.say(DRAFT)
    assert "spring · en · marketing · draft" in await room.say("template list")

    assert "threw the draft *spring*" in await room.say("template discard spring")

    assert "spring" not in await room.say("template list")
    assert "There is no draft spring" in await room.say("template discard spring")


async def test_a_file_stays_while_something_uses_it(room: CampaignRoom) -> None:
    await _file(room, "Poster")
    await room.say('campaign new "Welcome"')
    await room.say("step add Welcome after=1d media=poster caption=Look")

    assert "image `Poster`" in await room.say("campaign show Welcome")
    assert "is used by the campaign Welcome" in await room.say("media remove poster")
    assert "Used by the campaign Welcome" in await room.say("media show post")
    await room.say("step remove Welcome 1")
    assert "removed the file" in await room.say("media remove POSTER")


async def test_a_file_of_another_kind_does_not_fit_a_header(room: CampaignRoom) -> None:
    await _file(room, "clip", "video")
    await room.value(
        "update templates set content = jsonb_set(content, '{components}', content -> 'components'"
        ' || \'[{"type": "HEADER", "format": "IMAGE"}]\') where name = \'followup\''
    )

    said = await room.say("broadcast new X to=all template=followup header=clip")
    missing = await room.say("broadcast new X to=all template=followup header=clp")

    assert "a file of the kind video" in said
    assert "Did you mean clip?" in missing
    await room.later(timedelta(seconds=1))
