"""What the pretend WhatsApp refuses, with Meta's codes."""

import asyncio
from typing import Any

import aiohttp
import pytest

from sandbox import demo
from tests.sandbox.world import Json, World

TO = "+31610000001"


def template(name: str, *components: Json, language: str = "en", **more: object) -> Json:
    inner: Json = {"name": name, "language": {"code": language}}
    if components:
        inner["components"] = list(components)
    return {
        "messaging_product": "whatsapp",
        "to": TO,
        "type": "template",
        "template": inner,
        **more,
    }


def body(*texts: str) -> Json:
    return {"type": "body", "parameters": [{"type": "text", "text": text} for text in texts]}


def named(**texts: str) -> Json:
    parameters = [
        {"type": "text", "parameter_name": name, "text": text} for name, text in texts.items()
    ]
    return {"type": "body", "parameters": parameters}


def url(suffix: str, index: object = "0") -> Json:
    parameters = [{"type": "text", "text": suffix}]
    return {"type": "button", "sub_type": "url", "index": index, "parameters": parameters}


def header(**image: str) -> Json:
    return {"type": "header", "parameters": [{"type": "image", "image": image}]}


def text(words: str, **more: object) -> Json:
    return {
        "messaging_product": "whatsapp",
        "to": TO,
        "type": "text",
        "text": {"body": words},
        **more,
    }


REFUSED: dict[str, tuple[Json, int]] = {
    "no plus": (template("followup", to="31610000001"), 100),
    "not a phone": (template("followup", to="+abc"), 100),
    "no recipient": (
        {k: v for k, v in template("followup").items() if k != "to"},
        131008,
    ),
    "unknown key": (template("followup", idempotency_key="7"), 100),
    "unknown key inside": (text("hi") | {"text": {"body": "hi", "bold": True}}, 100),
    "no product": ({"to": TO, "type": "text", "text": {"body": "hi"}}, 100),
    "unknown type": (text("hi") | {"type": "poll"}, 131051),
    "content missing": ({"messaging_product": "whatsapp", "to": TO, "type": "image"}, 131008),
    "callback data too long": (template("followup", biz_opaque_callback_data="x" * 513), 100),
    "unknown template": (template("nothing"), 132001),
    "unknown language": (template("followup", language="nl"), 132001),
    "no parameter": (template("welcome"), 132000),
    "one parameter of two": (template("offer", body("a"), url("x")), 132000),
    "three parameters of two": (template("offer", body("a", "b", "c"), url("x")), 132000),
    "no suffix": (template("offer", body("a", "b")), 132000),
    "parameters for none": (template("followup", body("a")), 132000),
    "positional for named": (template("welcome", body("Ada")), 132012),
    "another name": (template("welcome", named(last_name="Ada")), 132012),
    "named for positional": (template("receipt", named(a="1", b="2")), 132012),
    "no header": (template("announcement"), 132012),
    "video for image": (
        template(
            "announcement",
            {
                "type": "header",
                "parameters": [{"type": "video", "video": {"link": "https://x.example/a.mp4"}}],
            },
        ),
        132012,
    ),
    "no such media": (template("announcement", header(id="42")), 131009),
    "newline in a parameter": (template("welcome", named(first_name="A\nB")), 132018),
    "tab in a parameter": (template("welcome", named(first_name="A\tB")), 132018),
    "five spaces in a parameter": (template("welcome", named(first_name="A     B")), 132018),
    "empty parameter": (template("welcome", named(first_name=" ")), 131008),
    "too long when filled": (template("welcome", named(first_name="x" * 1024)), 132005),
    "component of no kind": (template("followup", {"type": "footer"}), 100),
    "button out of place": (template("followup", url("x")), 132012),
    "to itself": (template("followup", to=demo.NUMBERS[0].phone), 131021),
    "outside the window": (text("hello"), 131047),
}


@pytest.mark.parametrize(("call", "code"), REFUSED.values(), ids=REFUSED)
async def test_a_call_is_refused_and_leaves_no_message(world: World, call: Json, code: int) -> None:
    url = f"{world.settings.url}/graph/v25.0/{demo.NUMBERS[0].id}/messages"
    headers = {"Authorization": f"Bearer {demo.ACCESS_TOKEN}"}

    async with world.http.post(url, json=call, headers=headers) as response:
        answer: dict[str, Any] = await response.json()

    assert answer["error"]["code"] == code
    assert response.status >= 400
    assert answer["error"]["error_data"]["details"]
    assert (await world.get("whatsapp/messages"))["messages"] == []
    refusals = (await world.get("refusals"))["refusals"]
    assert [refusal["code"] for refusal in refusals] == [code]


ACCEPTED: dict[str, tuple[Json, str, Json]] = {
    "named": (
        template("welcome", named(first_name="Ada")),
        "Hi Ada, welcome! Good to have you with us.",
        {"first_name": "Ada"},
    ),
    "positional with suffix": (
        template("offer", body("Ada", "10%"), url("spring")),
        "Hi Ada, here is 10% off your next order, this week only.",
        {"1": "Ada", "2": "10%", "url": "spring"},
    ),
    "index as a number": (
        template("offer", body("Ada", "10%"), url("spring", 0)),
        "Hi Ada, here is 10% off your next order, this week only.",
        {"1": "Ada", "2": "10%", "url": "spring"},
    ),
    "braces in a value stay": (
        template("receipt", body("{{2}}", r"\1")),
        r"We have received your payment {{2}} for order \1. Thank you!",
        {"1": "{{2}}", "2": r"\1"},
    ),
    "header by link": (
        template("announcement", header(link="https://x.example/a.png")),
        "Something new has arrived. Have a look!",
        {"header": "https://x.example/a.png"},
    ),
    "quick reply with payload": (
        template(
            "feedback",
            {
                "type": "button",
                "sub_type": "quick_reply",
                "index": "2",
                "parameters": [{"type": "payload", "payload": "STOP:7"}],
            },
        ),
        "How did we do? One tap is enough.",
        {},
    ),
}


@pytest.mark.parametrize(("call", "words", "parameters"), ACCEPTED.values(), ids=ACCEPTED)
async def test_a_template_is_filled_in(
    world: World, call: Json, words: str, parameters: Json
) -> None:
    await world.send(call)

    (message,) = (await world.get("whatsapp/messages"))["messages"]
    assert message["text"] == words
    assert message["template"] == {
        "name": call["template"]["name"],
        "language": "en",
        "parameters": parameters,
    }


@pytest.mark.parametrize(
    ("call", "code"),
    [
        pytest.param(text(""), 131008, id="empty text"),
        pytest.param(text("x" * 4097), 100, id="text too long"),
        pytest.param(
            {
                "messaging_product": "whatsapp",
                "to": TO,
                "type": "image",
                "image": {"link": "https://x.example/a.png", "caption": "x" * 1025},
            },
            100,
            id="caption too long",
        ),
        pytest.param(
            {
                "messaging_product": "whatsapp",
                "to": TO,
                "type": "interactive",
                "interactive": {
                    "type": "button",
                    "body": {"text": "?"},
                    "action": {
                        "buttons": [
                            {"type": "reply", "reply": {"id": str(n), "title": str(n)}}
                            for n in range(4)
                        ]
                    },
                },
            },
            100,
            id="four buttons",
        ),
    ],
)
async def test_free_messages_have_limits(world: World, call: Json, code: int) -> None:
    await world.post("whatsapp/inbound", {"from": TO, "text": "hi"})

    answer = await world.send(call, status=400)

    assert answer["error"]["code"] == code


async def test_free_text_goes_within_24_hours_of_the_contacts_message(world: World) -> None:
    await world.post("whatsapp/inbound", {"from": TO, "text": "hi"})

    await world.ahead(24 * 3600 - 60)
    await world.send(text("still open"))
    await world.ahead(120)
    answer = await world.send(text("closed"), status=400)

    assert answer["error"]["code"] == 131047


async def test_another_number_has_a_window_of_its_own(world: World) -> None:
    number = {"id": "200000000000002", "phone": "+15550002222", "messages_per_second": 80}
    await world.post("whatsapp/numbers", number)
    await world.post("whatsapp/inbound", {"from": TO, "text": "hi", "number": number["id"]})

    await world.send(text("here"), number="200000000000002")
    await world.send(text("there"), status=400)


@pytest.mark.parametrize(
    ("status", "code"),
    [("PAUSED", 132015), ("DISABLED", 132016), ("REJECTED", 132001), ("PENDING", 132001)],
)
async def test_only_approved_templates_are_sent(world: World, status: str, code: int) -> None:
    await world.post("whatsapp/templates", {"name": "followup", "status": status})

    url = f"{world.settings.url}/graph/v25.0/{demo.NUMBERS[0].id}/messages"
    headers = {"Authorization": f"Bearer {demo.ACCESS_TOKEN}"}
    async with world.http.post(url, json=template("followup"), headers=headers) as response:
        answer = await response.json()

    assert answer["error"]["code"] == code


async def test_a_paused_event_pauses_the_template_on_the_platform_too(world: World) -> None:
    await world.post(
        "whatsapp/event",
        {
            "field": "message_template_status_update",
            "value": {
                "event": "PAUSED",
                "message_template_id": 300000000000002,
                "message_template_name": "followup",
                "message_template_language": "en",
                "reason": None,
            },
        },
    )

    answer = await world.send(template("followup"), status=400)

    assert answer["error"]["code"] == 132015
    assert world.bot.posts[-1]["entry"][0]["changes"][0]["field"] == (
        "message_template_status_update"
    )


async def test_the_number_takes_no_more_than_its_limit_in_a_second(world: World) -> None:
    number = {"id": "200000000000003", "phone": "+15550003333", "messages_per_second": 5}
    await world.post("whatsapp/numbers", number)
    await world.post("whatsapp/inbound", {"from": TO, "text": "hi", "number": number["id"]})
    url = f"{world.settings.url}/graph/v25.0/{number['id']}/messages"
    headers = {"Authorization": f"Bearer {demo.ACCESS_TOKEN}"}

    async def send(to: str) -> int:
        async with world.http.post(
            url, json=template("followup", to=to), headers=headers
        ) as response:
            answer = await response.json()
            return answer["error"]["code"] if "error" in answer else 0

    codes = await asyncio.gather(*(send(f"+3161000{n:04}") for n in range(6)))

    # The contact's own message counts too.
    assert sorted(codes) == [0] * 4 + [130429] * 2
    await asyncio.sleep(1)
    assert await send("+31610000099") == 0


async def test_a_burst_to_one_person_is_borrowed_from_the_future(world: World) -> None:
    for _ in range(45):
        await world.send(template("followup"))

    answer = await world.send(template("followup"), status=429)
    assert answer["error"]["code"] == 131056
    await world.ahead(45 * 6 - 10)
    await world.send(template("followup"), status=429)
    await world.ahead(10)
    await world.send(template("followup"))


@pytest.mark.parametrize(
    ("header", "code"),
    [(None, 104), ("Bearer nonsense", 190)],
    ids=["no token", "another token"],
)
async def test_a_token_is_needed(world: World, header: str | None, code: int) -> None:
    url = f"{world.settings.url}/graph/v25.0/{demo.NUMBERS[0].id}/messages"
    headers = {"Authorization": header} if header else {}

    async with world.http.post(url, json=template("followup"), headers=headers) as response:
        answer = await response.json()

    assert (response.status, answer["error"]["code"]) == (401, code)


async def test_an_unknown_number_is_refused(world: World) -> None:
    answer = await world.send(template("followup"), number="1", status=400)

    assert answer["error"]["code"] == 33


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'"x"', b"\xff", b"null"])
async def test_a_body_that_is_no_object_is_refused(world: World, raw: bytes) -> None:
    url = f"{world.settings.url}/graph/v25.0/{demo.NUMBERS[0].id}/messages"
    headers = {"Authorization": f"Bearer {demo.ACCESS_TOKEN}"}

    async with world.http.post(url, data=raw, headers=headers) as response:
        assert response.status == 400


async def test_templates_come_in_pages(world: World) -> None:
    path = f"{demo.BUSINESS_ACCOUNT_ID}/message_templates"
    page = await world.graph(path, limit="4", fields="name,status,parameter_format")
    names = [template["name"] for template in page["data"]]
    headers = {"Authorization": f"Bearer {demo.ACCESS_TOKEN}"}

    while "next" in page["paging"]:
        async with world.http.get(page["paging"]["next"], headers=headers) as response:
            page = await response.json()
        names += [template["name"] for template in page["data"]]

    assert names == ["announcement", "feedback", "followup", "offer", "receipt", "welcome"]
    assert page["data"][0].keys() == {"id", "name", "status", "parameter_format"}


async def test_the_numbers_health_is_told(world: World) -> None:
    number = demo.NUMBERS[0]
    await world.post(
        "whatsapp/numbers",
        {"id": number.id, "phone": number.phone, "messages_per_second": 80, "health": "BLOCKED"},
    )

    answer = await world.graph(number.id, fields="health_status,throughput")

    assert answer["health_status"]["can_send_message"] == "BLOCKED"
    kinds = [each["entity_type"] for each in answer["health_status"]["entities"]]
    assert kinds == ["PHONE_NUMBER", "WABA", "BUSINESS", "APP"]
    assert answer["health_status"]["entities"][0]["errors"][0]["error_code"] == 141000
    assert answer["throughput"] == {"level": "STANDARD"}
    await world.graph(number.id, fields="nonsense", status=400)


async def test_the_messaging_limit_is_told_of_every_number(world: World) -> None:
    number = demo.NUMBERS[0]
    limit = "whatsapp_business_manager_messaging_limit"
    body = {"id": number.id, "phone": number.phone, "messages_per_second": 80}
    await world.post("whatsapp/numbers", {**body, "messaging_limit": "TIER_2K"})
    await world.post("whatsapp/numbers", {**body, "id": "7", "phone": "+15550007777"})

    told = [(await world.graph(each, fields=limit))[limit] for each in (number.id, "7")]
    assert told == ["TIER_2K", "TIER_2K"]

    await world.post(
        "whatsapp/numbers",
        {**body, "id": "7", "phone": "+15550007777", "messaging_limit": "TIER_10K"},
    )
    assert (await world.graph(number.id, fields=limit))[limit] == "TIER_10K"
    await world.post("whatsapp/numbers", {**body, "messaging_limit": "TIER_3"}, status=400)


async def test_uploaded_media_goes_out_under_its_number(world: World) -> None:
    url = f"{world.settings.url}/graph/v25.0/{demo.NUMBERS[0].id}/media"
    headers = {"Authorization": f"Bearer {demo.ACCESS_TOKEN}"}
    form = aiohttp.FormData({"messaging_product": "whatsapp"})
    form.add_field("file", b"\x89PNG", filename="a.png", content_type="image/png")

    async with world.http.post(url, data=form, headers=headers) as response:
        media = await response.json()
    await world.send(template("announcement", header(id=media["id"])))
    described = await world.graph(media["id"])
    async with world.http.get(described["url"], headers=headers) as response:
        content = await response.read()

    assert content == b"\x89PNG"
    (shown,) = (await world.get("whatsapp/chat", phone=TO))["messages"]
    assert shown["media"] == {"type": "image", "id": media["id"]}
