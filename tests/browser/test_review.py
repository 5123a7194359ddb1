"""A template drafted in Slack and reviewed on the page: rejected, mended, approved, sent."""

from tests.browser.chromium import Page
from tests.system import fresh

_COMPOSER = ".channel .composer-field"


async def _type(page: Page, command: str, answer: str) -> None:
    """Give a command and wait until a message says *answer*."""
    await page.type(_COMPOSER, f"/drip {command}", enter=True)
    await page.wait_for(".channel .message", containing=answer, seconds=30)


async def _look_at_moods(page: Page) -> None:
    await page.click(".bar-buttons button", containing="Moods")
    await page.wait_for(".moods", containing="Put all moods back")


async def test_a_template_is_rejected_and_approved_by_who_sits_at_the_page(
    chromium: Page,
) -> None:
    page = chromium
    reject, approve = "[aria-label='Reject spring (en)']", "[aria-label='Approve spring (en)']"

    async with fresh() as system:
        page.complaints.clear()
        await page.open(f"{system.url}/")
        await page.wait_for(".composer-field")
        await _look_at_moods(page)
        await page.wait_for(".moods", containing="No template waits for a review")
        await page.click("[aria-label='Close Moods']")

        # Drafted, and refused with the reason that was chosen.
        await page.click("[data-channel=C0ALERTS]")
        await page.wait_for(".channel .empty", containing="/drip")
        await _type(
            page,
            'template draft spring category=marketing body="Hi {{first_name}}, our sale has begun."'
            " first_name=Ada",
            "Next: /drip template submit spring",
        )
        await _type(page, "template submit spring", "submitted the template")
        await _look_at_moods(page)
        await page.wait_for(reject)
        choice = "document.querySelector(\"[aria-label='Why spring (en) is rejected']\")"
        await page.value(
            f"(() => {{ const it = {choice}; it.focus(); it.value = 'PROMOTIONAL';"
            " it.dispatchEvent(new Event('change', { bubbles: true })); })()"
        )
        # What comes from elsewhere draws the panel anew, and must not undo the choice.
        await system.post("whatsapp/moods", seed=7)
        await page.until("document.querySelector('[data-mood=seed]').value === '7'")
        assert await page.value(f"{choice}.value") == "PROMOTIONAL"
        await page.click(reject)
        await page.wait_for(".moods", containing="No template waits for a review")
        await page.click("[aria-label='Close Moods']")
        for said in ("rejected the template spring (en)", "submitted as utility"):
            await page.wait_for(".channel .message", containing=said)

        # Mended, submitted again and approved.
        await _type(
            page,
            'template draft spring body="Hi {{first_name}}, we open the doors at nine."',
            "Hi Ada, we open the doors at nine.",
        )
        await _type(page, "template submit spring", "submitted the template")
        await _look_at_moods(page)
        await page.wait_for(approve)
        await page.click(approve)
        await page.wait_for(".moods", containing="No template waits for a review")
        await page.click("[aria-label='Close Moods']")
        await page.wait_for(".channel .message", containing="approved the template spring (en)")
        await _type(page, "template list", "7 approved")

        assert (await system.get("refusals"))["refusals"] == []
        assert page.complaints == []
        await page.open("about:blank")
