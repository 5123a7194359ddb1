"""The sandbox's page in a real browser, against the real sandbox and a product that records."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.browser.chromium import Page
from tests.browser.conftest import Parts
from tests.browser.product import Json, Product

WAIT_S = 10
PLAIN = "plain_text"


def words(text: str) -> Json:
    return {"type": PLAIN, "text": text}


def marked(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def option(text: str, value: str) -> Json:
    return {"text": words(text), "value": value}


async def heard(look: Callable[[], Any]) -> Any:  # noqa: ANN401 — whatever was looked for
    """Return what *look* finds, once it is there."""
    async with asyncio.timeout(WAIT_S):
        while not (found := look()):  # noqa: ASYNC110 — what is looked at is a plain list
            await asyncio.sleep(0.02)
    return found


async def test_a_command_is_typed_and_answered_for_the_one_who_typed_it(
    page: Page, product: Product
) -> None:
    product.on_command["status"] = lambda _: {
        "text": "All *quiet*.",
        "response_type": "ephemeral",
    }

    await page.type(".channel .composer-field", "/drip status today", enter=True)
    await page.wait_for(".ephemeral", containing="All quiet.")

    assert product.commands[-1]["text"] == "status today"
    assert product.commands[-1]["user_id"] == "U0OWNER"
    assert "Only visible to you" in await page.text(".ephemeral")
    assert await page.text(".ephemeral .message-text strong") == "quiet"
    await page.click("[data-channel=C0ALERTS]")
    await page.wait_for(".channel-title", containing="alerts")
    await page.wait_for(".channel .empty", containing="/drip help")


async def test_arrow_up_brings_back_what_was_typed(page: Page, product: Product) -> None:
    await page.type(".channel .composer-field", "/drip first of all", enter=True)
    await heard(lambda: product.commands)
    await page.press("Escape")

    await page.press("ArrowUp")

    assert await page.value("document.querySelector('.channel .composer-field').value") == (
        "/drip first of all"
    )


async def test_commands_are_offered_while_typing(page: Page) -> None:
    await page.type(".channel .composer-field", "/drip broadcast s")
    await page.wait_for(".hint", containing="/drip broadcast send")

    await page.press("ArrowDown")
    await page.press("Enter")

    assert (
        await page.value("document.querySelector('.channel .composer-field').value")
    ).startswith("/drip broadcast s")


async def test_blocks_are_drawn_as_what_they_are(page: Page, product: Product) -> None:
    blocks = [
        {"type": "header", "text": words("Welcome :wave:")},
        {
            "type": "section",
            "text": marked("*Running* since <!date^1767261600^{date_num}|then>, by <@U0SUPER>"),
            "accessory": {
                "type": "overflow",
                "action_id": "more",
                "options": [option("Archive", "archive"), option("Clone", "clone")],
            },
        },
        {"type": "section", "fields": [marked("*Sent*\n195"), marked("*Read*\n71")]},
        {"type": "divider"},
        {"type": "context", "elements": [marked("campaign `12`, see <https://x.example|this>")]},
        {
            "type": "actions",
            "elements": [
                {
                    "type": "button",
                    "action_id": "go",
                    "style": "primary",
                    "text": words("Import 195"),
                    "value": "7",
                },
                {
                    "type": "static_select",
                    "action_id": "pick",
                    "placeholder": words("Pick one"),
                    "options": [option("Alpha", "a"), option("Beta", "b")],
                },
                {"type": "datepicker", "action_id": "day", "initial_date": "2026-12-01"},
            ],
        },
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_list",
                    "style": "ordered",
                    "elements": [
                        {
                            "type": "rich_text_section",
                            "elements": [{"type": "text", "text": "one", "style": {"bold": True}}],
                        }
                    ],
                },
                {
                    "type": "rich_text_quote",
                    "elements": [{"type": "text", "text": "as said\n\nby Ada"}],
                },
                {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x = 1"}]},
            ],
        },
        {
            "type": "table",
            "rows": [
                [{"type": "raw_text", "text": "Step"}, {"type": "raw_text", "text": "Sent"}],
                [{"type": "raw_text", "text": "welcome"}, {"type": "raw_text", "text": "195"}],
            ],
        },
    ]

    await product.slack("chat.postMessage", channel="C0ALERTS", text="Welcome", blocks=blocks)
    await page.click("[data-channel=C0ALERTS]")
    await page.wait_for(".header", containing="Welcome 👋")

    assert "Running since 2026-01-01, by @Sara Super" in await page.text(".section-text")
    assert await page.text(".fields") == "Sent\n195\nRead\n71"
    assert await page.value("document.querySelector('.context a').href") == "https://x.example/"
    assert "primary" in await page.value("document.querySelector('[data-action=go]').className")
    assert await page.value("document.querySelector('[data-action=day]').value") == "2026-12-01"
    assert await page.text(".rich-list li strong") == "one"
    assert await page.text(".rich-text blockquote") == "as said\n\nby Ada"
    assert await page.text(".block-table tbody") == "welcome\t195"
    assert await page.value("document.querySelector('.unknown-block')") is None


async def test_text_from_outside_stays_text(page: Page, product: Product) -> None:
    evil = '<!channel> <@U0OWNER> <img src=x onerror="document.title=1"> =HYPERLINK("x")'
    escaped = evil.replace("<", "&lt;").replace(">", "&gt;")

    await product.slack(
        "chat.postMessage",
        channel="C0ALERTS",
        text="a name",
        blocks=[
            {"type": "section", "text": marked(f"Name: {escaped}")},
            {
                "type": "rich_text",
                "elements": [
                    {"type": "rich_text_section", "elements": [{"type": "text", "text": evil}]}
                ],
            },
            {"type": "section", "text": marked("<javascript:alert(1)|press me>")},
        ],
    )
    await page.click("[data-channel=C0ALERTS]")
    await page.wait_for(".message", containing="Name: <!channel>")

    assert await page.text(".rich-section") == evil
    assert await page.value("document.querySelectorAll('.message .mention').length") == 0
    assert await page.value("document.querySelectorAll('.message-body img').length") == 0
    assert await page.value("[...document.querySelectorAll('.message a')].length") == 0


async def test_what_people_say_cannot_ping_everybody(page: Page, product: Product) -> None:
    await page.type(".channel .composer-field", "hello <!channel> & *you*", enter=True)
    await page.wait_for(".message", containing="hello <!channel> & *you*")

    said = await heard(lambda: [event for event in product.events if event["type"] == "message"])
    assert said[-1]["text"] == "hello &lt;!channel&gt; &amp; *you*"
    assert await page.value("document.querySelector('.message .mention')") is None


async def test_a_file_goes_with_its_text(page: Page, product: Product, tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_text("phone,first_name\n+31612345678,Ada\n", encoding="utf-8")

    await page.choose_file(".channel input[type=file]", path)
    await page.wait_for(".attached .chip", containing="leads.csv")
    await page.type(".channel .composer-field", "import", enter=True)
    await page.wait_for(".file", containing="leads.csv")

    shared = await heard(
        lambda: [event for event in product.events if event.get("subtype") == "file_share"]
    )
    assert shared[-1]["text"] == "import"
    assert shared[-1]["files"][0]["name"] == "leads.csv"


async def test_a_click_asks_first_and_edits_the_message(page: Page, product: Product) -> None:
    def blocks(done: bool) -> list[Json]:  # noqa: FBT001 — before and after
        confirm = {
            "title": words("Import?"),
            "text": marked("*195* contacts"),
            "confirm": words("Do it"),
            "deny": words("Not now"),
        }
        button = {
            "type": "button",
            "action_id": "import",
            "text": words("Import 195"),
            "value": "v3",
            "confirm": confirm,
        }
        body = {"type": "section", "text": marked("Imported" if done else "Ready")}
        return [body] if done else [body, {"type": "actions", "elements": [button]}]

    posted = await product.slack(
        "chat.postMessage", channel="C0ALERTS", text="Ready", blocks=blocks(done=False)
    )
    await page.click("[data-channel=C0ALERTS]")
    await page.click("[data-action=import]")
    await page.wait_for(".confirm", containing="195 contacts")
    await page.click(".confirm button", containing="Not now")
    assert product.interactions == []

    await page.click("[data-action=import]")
    await page.click(".confirm button", containing="Do it")
    clicked = (await heard(lambda: product.interactions))[0]
    await product.slack(
        "chat.update", channel="C0ALERTS", ts=posted["ts"], text="Done", blocks=blocks(done=True)
    )
    await page.wait_for(".message", containing="(edited)")

    assert clicked["actions"][0]["value"] == "v3"
    assert await page.value("document.querySelector('[data-action=import]')") is None


async def test_an_external_select_asks_the_bot(page: Page, product: Product) -> None:
    product.on_interaction["block_suggestion"] = lambda payload: {
        "options": [option(f"Ada {payload['value']}", "42"), option("Bob", "43")]
    }
    picker = {"type": "external_select", "action_id": "who", "min_query_length": 2}

    await product.slack(
        "chat.postMessage",
        channel="C0ALERTS",
        text="Who?",
        blocks=[{"type": "actions", "elements": [picker]}],
    )
    await page.click("[data-channel=C0ALERTS]")
    await page.type("[data-action=who]", "lo")
    await page.click(".option", containing="Ada lo")

    acted = await heard(
        lambda: [one for one in product.interactions if one["type"] == "block_actions"]
    )
    assert acted[-1]["actions"][0]["selected_option"]["value"] == "42"


async def test_a_modal_shows_errors_under_its_fields_and_then_submits(
    page: Page, product: Product
) -> None:
    view = {
        "type": "modal",
        "callback_id": "new",
        "title": words("New campaign"),
        "submit": words("Create"),
        "blocks": [
            {
                "type": "input",
                "block_id": "name",
                "label": words("Name"),
                "element": {"type": "plain_text_input", "action_id": "name"},
            },
            {
                "type": "input",
                "block_id": "tags",
                "optional": True,
                "label": words("Tags"),
                "element": {
                    "type": "multi_static_select",
                    "action_id": "tags",
                    "options": [option("vip", "vip"), option("lead", "lead")],
                },
            },
        ],
    }
    opened: list[asyncio.Task[Json]] = []

    def open_view(form: Json) -> None:
        opened.append(
            asyncio.create_task(
                product.slack("views.open", trigger_id=form["trigger_id"], view=view)
            )
        )

    def refuse_taken(payload: Json) -> Json | None:
        typed = payload["view"]["state"]["values"]["name"]["name"]["value"]
        if typed == "Taken":
            return {"response_action": "errors", "errors": {"name": "This name is taken."}}
        return None

    product.on_command["campaign"] = open_view
    product.on_interaction["view_submission"] = refuse_taken

    await page.type(".channel .composer-field", "/drip campaign new", enter=True)
    await page.wait_for(".modal", containing="New campaign")
    await page.click(".modal .primary")
    await page.wait_for(".field-error", containing="Please complete this required field.")
    assert product.interactions == []
    await page.type(".modal [data-action=name]", "Taken")
    await page.click(".modal [data-action=tags]")
    await page.click(".option", containing="lead")
    await page.press("Escape")
    await page.click(".modal .primary")
    await page.wait_for(".field-error", containing="This name is taken.")
    await page.type(".modal [data-action=name]", "Welcome", enter=True)
    await page.until("document.querySelector('.modal') === null")

    await asyncio.gather(*opened)
    values = product.interactions[-1]["view"]["state"]["values"]
    assert values["name"]["name"]["value"] == "Welcome"
    assert [one["value"] for one in values["tags"]["tags"]["selected_options"]] == ["lead"]


async def test_the_home_tab_shows_what_the_bot_publishes(page: Page, product: Product) -> None:
    await product.slack(
        "views.publish",
        user_id="U0OWNER",
        view={"type": "home", "blocks": [{"type": "header", "text": words("Good morning")}]},
    )

    await page.click(".tabs button", containing="Home")
    await page.wait_for(".home .header", containing="Good morning")

    assert await heard(lambda: [e for e in product.events if e["type"] == "app_home_opened"])


async def test_a_thread_opens_beside_its_channel(page: Page, product: Product) -> None:
    card = await product.slack("chat.postMessage", channel="C0ALERTS", text="The card")
    await product.slack(
        "chat.postMessage", channel="C0ALERTS", text="Step one sent", thread_ts=card["ts"]
    )

    await page.click("[data-channel=C0ALERTS]")
    await page.click(".thread-link", containing="1 reply")
    await page.wait_for(".thread .message", containing="Step one sent")
    await page.type(".thread .composer-field", "thanks", enter=True)
    await page.wait_for(".thread .message", containing="thanks")

    said = await heard(lambda: [e for e in product.events if e.get("text") == "thanks"])
    assert said[-1]["thread_ts"] == card["ts"]


async def test_a_message_arrives_on_a_phone_which_answers(page: Page, product: Product) -> None:
    phone = "+31610000007"
    template = {"name": "feedback", "language": {"code": "en"}}

    sent = await product.send(phone, type="template", template=template)
    await page.wait_for(f"[data-phone='{phone}']", containing="How did we do?")
    await page.click(f"[data-phone='{phone}']")
    await page.wait_for(".bubble", containing="How did we do?")
    await page.click(".bubble-button", containing="Good")
    await page.wait_for(".own .bubble", containing="Good")
    await page.type(".chat-field", "Thank *you*", enter=True)
    await page.wait_for(".own .bubble", containing="Thank you")

    written = await heard(
        lambda: [
            message
            for change in product.webhooks
            for message in change["value"].get("messages", ())
            if len(product.webhooks) > 1
        ][:2]
    )
    tapped = written[0]
    assert tapped["button"]["payload"] == "Good"
    assert tapped["context"]["id"] == sent
    assert written[-1]["from"] == phone.removeprefix("+")


async def test_a_new_phone_writes_first(page: Page, product: Product) -> None:
    await page.type(".new-phone input", "0031 6 99 88 77 66", enter=True)
    await page.wait_for(".phone-head", containing="+31699887766")
    await page.type(".chat-field", "Hello?", enter=True)
    await page.wait_for(".own .bubble", containing="Hello?")

    message = (await heard(lambda: product.webhooks))[-1]["value"]["messages"][0]
    assert message["text"]["body"] == "Hello?"


async def test_ticks_follow_the_status(page: Page, product: Product) -> None:
    phone = "+31610000008"
    await page.value(
        "fetch('/sandbox/api/whatsapp/moods', {method: 'POST', headers: {'Content-Type':"
        "'application/json'}, body: JSON.stringify({read: 1})}).then(r => r.status)"
    )
    await product.send(
        phone, type="template", template={"name": "followup", "language": {"code": "en"}}
    )
    await page.click(f"[data-phone='{phone}']")
    await page.wait_for(".bubble .ticks")

    await page.click("[data-jump='60']")

    await page.wait_for(".bubble .ticks.read")


async def test_the_clock_jumps_ahead_and_settles(page: Page) -> None:
    before = await page.value("document.querySelector('.clock-time').dateTime")

    await page.click("[data-jump='172800']")
    await page.wait_for(".walk", containing="Settled", seconds=30)

    after = await page.value("document.querySelector('.clock-time').dateTime")
    days = await page.value(f"(Date.parse('{after}') - Date.parse('{before}')) / 86400000")
    assert 2 <= days < 2.01
    assert "ahead of real time" in await page.text(".clock-ahead")


async def test_moods_are_turned_and_put_back(page: Page) -> None:
    moods = "fetch('/sandbox/api/whatsapp/moods').then(r => r.json())"

    await page.click(".bar-button", containing="Moods")
    await page.wait_for("[data-mood=outage]")
    await page.value(
        "(() => { const field = document.querySelector('[data-mood=outage]'); field.value = '500';"
        "field.dispatchEvent(new Event('change')); })()"
    )
    await page.until(f"{moods}.then(m => m.outage === '500')")
    await page.click(".moods .danger")

    await page.until(f"{moods}.then(m => m.outage === null)")


async def test_parts_are_made_to_fail(page: Page, parts: Parts) -> None:
    await page.click(".bar-button", containing="Health")
    await page.click("[data-focus=kill-lanes]")
    await page.wait_for(".toast", containing="Kill lanes: done.")
    await page.click(".fault-row button", containing="Flush Redis")

    await heard(lambda: len(parts.asked) > 1)
    assert parts.asked == [("lanes", "SIGKILL"), ("redis", "flush")]


async def test_what_a_platform_refuses_is_told(page: Page, product: Product) -> None:
    with suppress(AssertionError):
        await product.slack(
            "chat.postMessage", channel="C0ALERTS", text="x", blocks=[{"type": "?"}]
        )

    await page.click(".bar-button", containing="Health")
    await page.wait_for(".refusals", containing="Slack chat.postMessage")


async def test_of_many_phones_only_those_in_view_are_drawn(page: Page, product: Product) -> None:
    template = {"name": "followup", "language": {"code": "en"}}
    await asyncio.gather(
        *(
            product.send(f"+316200{number:05}", type="template", template=template)
            for number in range(60)
        )
    )

    await page.wait_for(".phone-count", containing="6")
    await page.until("Number.parseInt(document.querySelector('.phone-count').textContent) >= 60")

    assert await page.value("document.querySelectorAll('.phone-row').length") < 60


async def test_who_i_am_decides_what_i_see(page: Page, product: Product) -> None:
    await product.slack("chat.postEphemeral", channel="C0ALERTS", user="U0OWNER", text="For you")
    await page.click("[data-channel=C0ALERTS]")
    await page.wait_for(".ephemeral", containing="For you")

    await page.value(
        "(() => { const who = document.querySelector('#who-am-i'); who.value = 'U0AGENT';"
        "who.dispatchEvent(new Event('change')); })()"
    )

    await page.until("document.querySelector('.ephemeral') === null")
    await page.type(".channel .composer-field", "/drip status", enter=True)
    command = (await heard(lambda: product.commands))[-1]
    assert command["user_id"] == "U0AGENT"
    await page.value("localStorage.removeItem('dripline-sandbox-user')")


async def test_a_dropped_file_waits_beside_the_text(page: Page, product: Product) -> None:
    await page.value(
        "(() => { const data = new DataTransfer(); data.items.add(new File(['a,b'], 'drop.csv'));"
        "for (const kind of ['dragenter', 'dragover', 'drop'])"
        " document.querySelector('.channel .messages').dispatchEvent("
        "  new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true})); })()"
    )
    await page.wait_for(".attached .chip", containing="drop.csv")

    await page.click(".channel .send")

    shared = await heard(
        lambda: [event for event in product.events if event.get("subtype") == "file_share"]
    )
    assert shared[-1]["files"][0]["name"] == "drop.csv"


async def test_it_fits_a_small_window(page: Page, product: Product) -> None:
    await product.send(
        "+31610000009", type="template", template={"name": "followup", "language": {"code": "en"}}
    )
    await page.resize(1024, 720)
    try:
        await page.wait_for(".bubble", containing="look around")

        assert await page.value("document.documentElement.scrollWidth") == 1024
        outside = await page.value(
            "[...document.querySelectorAll('button, input, textarea, select')]"
            ".filter(one => one.checkVisibility() && one.type !== 'file')"
            ".filter(one => one.getBoundingClientRect().right > innerWidth).length"
        )
        assert outside == 0
    finally:
        await page.resize(1440, 900)
