"""What a newcomer does first, typed and clicked on the real page of the whole product."""

from pathlib import Path

from tests import newcomer
from tests.browser.chromium import Page
from tests.system import fresh

_COMPOSER = ".channel .composer-field"


async def _type(page: Page, command: str, answer: str) -> None:
    """Give a command in the channel and wait until the last message says *answer*."""
    await page.type(_COMPOSER, f"/drip {command}", enter=True)
    await page.wait_for(".channel .message", containing=answer, seconds=30)


async def _take_up(page: Page, phone: str) -> None:
    await page.type(".phone-list input[type=search]", phone.removeprefix("+316"))
    await page.click(f"[data-phone='{phone}']")
    await page.wait_for(".phone-head", containing=phone)


async def _bubbles(page: Page) -> list[str]:
    """Return what was written to and by the phone in hand, in order."""
    return list(
        await page.value(
            "[...document.querySelectorAll('.bubble')].map((one) => one.innerText.split('\\n')[0])"
        )
    )


async def _jump(page: Page, seconds: int) -> None:
    await page.click(f"[data-jump='{seconds}']")
    await page.wait_for(".walk", containing="Settled", seconds=60)


async def test_a_newcomer_gets_from_a_file_to_the_alert_and_a_broadcast(
    chromium: Page, tmp_path: Path
) -> None:
    page = chromium
    file = tmp_path / "leads.csv"
    file.write_bytes(newcomer.leads())
    replied, stopped = newcomer.phone(10), newcomer.phone(11)

    async with fresh() as system:
        page.complaints.clear()
        await page.open(f"{system.url}/")
        await page.wait_for(".composer-field")

        # Bring contacts in: a file, its verdicts, one click.
        await page.click("[data-channel=C0ALERTS]")
        await page.wait_for(".channel .empty", containing="/drip")
        await page.choose_file(".channel input[type=file]", file)
        await page.wait_for(".attached .chip", containing="leads.csv")
        await page.type(_COMPOSER, "import", enter=True)
        await page.click(".thread-link")
        for verdict in ("195 new", "3 duplicate", "2 invalid"):
            await page.wait_for(".thread .message", containing=verdict, seconds=30)
        await page.wait_for(".thread .file", containing="verdicts.csv", seconds=30)
        await page.click(".thread button", containing="Import 195")
        await page.wait_for(".thread .message", containing="leads.csv is imported", seconds=30)
        assert await page.value("document.querySelector('[data-action=import_start]')") is None

        # Write a campaign; the thread makes way for the channel.
        await page.click(".channel-title")
        await page.until("document.querySelector('.thread').hidden")
        for command, answer in zip(
            newcomer.DRIP,
            ("created", "1.", "2 days after", "5 days after", "activated"),
            strict=True,
        ):
            await _type(page, command, answer)
        await page.wait_for(".channel .message", containing="Welcome (drip) is active", seconds=30)
        await _type(page, newcomer.ENROLL, "enrolled 195 contacts")
        await page.until(
            "Number.parseInt(document.querySelector('.phone-count')?.textContent) === 195",
            seconds=30,
        )

        # Two days later one answers and one wants no more.
        await _jump(page, 172_800)
        await _take_up(page, replied)
        await page.wait_for(".bubble", containing="Hi Lead10, welcome!")
        await page.wait_for(".bubble", containing="look around")
        await page.type(".chat-field", "How much is it?", enter=True)
        await page.wait_for(".own .bubble", containing="How much is it?")
        await _take_up(page, stopped)
        await page.type(".chat-field", "stop.", enter=True)
        await page.wait_for(".bubble", containing="You will get no more messages", seconds=30)
        await page.click("[data-channel=C0INBOX]")
        await page.wait_for(".channel .message", containing="How much is it?", seconds=30)
        assert "stop." not in await page.text(".channel .message-list")

        # A week later it is over.
        await page.click("[data-channel=C0ALERTS]")
        await _jump(page, 604_800)
        await page.wait_for(
            ".channel .message",
            containing="193 finished, 1 replied, 1 opted out. 583 messages sent",
            seconds=30,
        )
        await page.click(".channel .message:last-child button", containing="Report")
        await page.wait_for(".channel .ephemeral table", containing="583", seconds=30)

        # And everybody at once, but for the one.
        await _type(page, newcomer.BROADCAST, "194 recipients")
        await _type(page, "broadcast send Sale", "sends Sale.")
        await page.wait_for(
            ".channel .message", containing="Sale (broadcast) is completed", seconds=40
        )
        await _type(page, "report Sale", "1 said STOP")

        await _take_up(page, stopped)
        assert len(await _bubbles(page)) == 4
        await _take_up(page, replied)
        await page.until("document.querySelectorAll('.bubble').length === 4", seconds=30)
        assert (await system.get("refusals"))["refusals"] == []
        assert page.complaints == []
        await page.open("about:blank")
