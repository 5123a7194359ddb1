"""Templates drafted, rejected, mended, approved and used; files of the library sent and renewed."""

import asyncio
import base64

from tests.acceptance.steps import bring, card_of, phones, sent_to
from tests.system import System, words

DRAFT = (
    "template draft spring category=marketing"
    ' body="Hi {{first_name}}, our spring sale has begun: {{discount}} off everything."'
    ' footer="Acme" button="Stop" button="See it|https://shop.example/{{1}}"'
)


async def _reviewed(system: System, status: str, **more: object) -> None:
    await system.post("whatsapp/templates", name="spring", language="en", status=status, **more)


async def test_a_template_drafted_rejected_mended_approved_and_used(system: System) -> None:
    numbers = phones(160, 2)
    await bring(system, numbers, "spring")

    drafted = await system.ask(DRAFT)
    for missing in ("first_name=", "discount=", "url="):
        assert f"A sample is missing: write {missing}" in drafted
    assert "is not ready" in await system.ask("template submit spring")
    assert "template submit spring" in await system.ask(
        "template draft spring first_name=Ada discount=10% url=spring"
    )
    await system.ask("broadcast new Spring to=tag:spring template=followup")

    assert "submitted the template" in await system.ask("template submit spring")
    await system.settle()
    async with asyncio.timeout(30):  # the list follows the next sync
        while "spring · en · marketing · pending" not in await system.ask("template list"):
            pass
    assert "with WhatsApp" in await system.ask("template draft spring footer=off")

    await _reviewed(system, "REJECTED", reason="INVALID_FORMAT")
    told = words(await system.says("rejected the template", "spring"))
    assert "invalid format" in told
    assert "What to change" in told
    assert "change it first" in await system.ask("template submit spring")

    await system.ask(
        'template draft spring body="Hi {{first_name}}, our sale has begun: {{discount}} off."'
    )
    await system.ask("template submit spring")
    await system.settle()
    await _reviewed(system, "APPROVED")
    await system.says("approved the template", "spring")

    preview = await system.ask(
        f"template preview spring {numbers[0]} first_name={{first_name|there}} discount=20% url=now"
    )
    text = f"Hi P{numbers[0][-4:]}, our sale has begun: 20% off."
    assert text in preview
    assert "https://shop.example/now" in preview

    given = "first_name={first_name|there} discount=20% url=now"
    assert "outside of any campaign" in await system.ask(
        f"template test spring {numbers[0]} {given}"
    )
    await system.settle()
    (tested,) = await sent_to(system, numbers)
    assert tested["text"] == text

    await system.ask(f'broadcast new "Spring Sale" to=tag:spring template=spring {given}')
    assert "Spring Sale" in await system.ask("template show spring")
    await system.ask('broadcast send "Spring Sale"')
    await system.settle()
    assert len(await sent_to(system, numbers)) == 3

    await system.ask(f"contact optout {numbers[1]}")
    assert "said STOP: nothing was sent" in await system.ask(
        f"template test spring {numbers[1]} {given}"
    )


PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


async def test_a_file_is_uploaded_sent_renewed_and_kept_while_used(system: System) -> None:
    numbers = phones(161, 2)
    await bring(system, numbers, "picture")

    answer = await system.upload("poster.png", PNG, text="media poster")
    assert "added the image" in words(answer["replies"][-1])
    fake = await system.upload("fake.png", b"hello", text="media fake")
    assert "its content is text/plain" in words(fake["replies"][-1])
    assert "poster · image" in await system.ask("media list")
    for address in (
        "https://127.0.0.1/a.png",
        "https://localhost/a.png",
        "http://example.com/a.png",
    ):
        assert "Fetching" not in await system.ask(f"media add inside url={address}")

    await system.ask("broadcast new Picture to=tag:picture template=announcement header=poster")
    assert "the broadcast Picture" in await system.ask("media show poster")
    refused = await system.ask("media remove poster")
    assert "is used by the broadcast Picture" in refused
    await system.ask("broadcast send Picture")
    await system.advance(minutes=1)
    first = {each["template"]["parameters"]["header"] for each in await sent_to(system, numbers)}
    assert len(first) == 1
    assert next(iter(first)).isdigit()

    drafted = await system.ask(
        "template draft poster_news category=utility header=media:poster"
        ' body="Our new poster is here, come and see it."'
    )
    assert "Header: image poster" in drafted
    await system.ask("template submit poster_news")
    await system.settle()
    assert "poster_news · en · utility · pending" in await system.ask("template list")

    await system.advance(days=31)
    await system.ask("broadcast new Again to=tag:picture template=announcement header=poster")
    await system.ask("broadcast send Again")
    await system.advance(minutes=1)
    later = [each["template"]["parameters"]["header"] for each in await sent_to(system, numbers)]
    assert len(later) == 4
    assert len(set(later)) == 2

    await card_of(system, "Again", "is completed")
    assert "removed the file" in await system.ask("media remove poster")
    assert "no file" in await system.ask("media show poster")
