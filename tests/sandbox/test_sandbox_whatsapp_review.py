"""The pretend WhatsApp takes templates for review as the real one, and says what it decides."""

from typing import Any

import pytest

from sandbox import demo
from tests.sandbox.world import World

ACCOUNT = demo.BUSINESS_ACCOUNT_ID
BODY = {"type": "BODY", "text": "Our sale has begun."}
SAMPLED = {
    "type": "BODY",
    "text": "Hi {{1}}, our sale has begun.",
    "example": {"body_text": [["Ada"]]},
}


async def _call(world: World, path: str, body: object, *, status: int = 200) -> dict[str, Any]:
    url = f"{world.settings.url}/graph/v25.0/{path}"
    headers = {"Authorization": f"Bearer {demo.ACCESS_TOKEN}"}
    async with world.http.post(url, json=body, headers=headers) as response:
        answer: dict[str, Any] = await response.json()
        assert response.status == status, answer
        return answer


async def _created(
    world: World, *components: object, status: int = 200, **more: str
) -> dict[str, Any]:
    body = {"name": "spring", "language": "en", "category": "MARKETING", **more}
    return await _call(
        world,
        f"{ACCOUNT}/message_templates",
        {**body, "components": components or [BODY]},
        status=status,
    )


async def test_a_template_is_created_decided_and_told(world: World) -> None:
    made = await _created(world, SAMPLED)
    assert made["status"] == "PENDING"

    await world.post(
        "whatsapp/templates",
        {"name": "spring", "language": "en", "status": "REJECTED", "reason": "SCAM"},
    )

    shown = await world.graph(made["id"], fields="status,rejected_reason")
    assert shown == {"id": made["id"], "status": "REJECTED", "rejected_reason": "SCAM"}
    (told,) = [value for value in world.bot.values if "message_template_name" in value]
    assert (told["event"], told["reason"]) == ("REJECTED", "SCAM")
    assert str(told["message_template_id"]) == made["id"]


@pytest.mark.parametrize(
    ("components", "subcode"),
    [
        ([{**BODY, "text": "Hi {{1}}, our sale has begun."}], 2388072),
        ([{**SAMPLED, "text": "{{1}}, our sale has begun."}], 2388299),
        ([{**SAMPLED, "text": "Hi {{1}}!"}], 2388293),
        ([{**BODY, "text": "x" * 1025}], 2388040),
        ([BODY, {"type": "HEADER", "format": "TEXT", "text": "x" * 61}], 2388047),
        ([BODY, {"type": "HEADER", "format": "IMAGE"}], 2388047),
        ([BODY, {"type": "FOOTER", "text": "Bye {{1}}"}], 2388073),
    ],
)
async def test_what_breaks_a_rule_is_refused_in_the_platforms_words(
    world: World, components: list[Any], subcode: int
) -> None:
    answer = await _created(world, *components, status=400)

    assert answer["error"]["code"] == 100
    assert answer["error"]["error_subcode"] == subcode
    assert answer["error"]["error_user_msg"]


async def test_a_name_is_taken_once_in_a_language(world: World) -> None:
    await _created(world)

    again = await _created(world, status=400)
    await _created(world, language="nl")

    assert again["error"]["error_subcode"] == 2388024


async def test_an_approved_template_is_edited_once_a_day(world: World) -> None:
    made = await _created(world)
    changed = {"components": [{**BODY, "text": "Our sale goes on."}]}
    await _call(world, made["id"], changed, status=400)  # it is under review
    approve = {"name": "spring", "language": "en", "status": "APPROVED"}
    await world.post("whatsapp/templates", approve)

    await _call(world, made["id"], {"category": "UTILITY"}, status=400)
    assert (await _call(world, made["id"], changed))["success"]
    shown = await world.graph(made["id"], fields="status,components")
    assert (shown["status"], shown["components"]) == ("PENDING", changed["components"])
    await world.post("whatsapp/templates", approve)
    await _call(world, made["id"], changed, status=400)
    await world.ahead(24 * 3600)

    assert (await _call(world, made["id"], changed))["success"]


async def test_a_rejected_template_may_change_its_category(world: World) -> None:
    made = await _created(world)
    await world.post(
        "whatsapp/templates", {"name": "spring", "language": "en", "status": "REJECTED"}
    )

    await _call(world, made["id"], {"category": "UTILITY", "components": [BODY]})

    shown = await world.graph(made["id"], fields="status,category")
    assert (shown["status"], shown["category"]) == ("PENDING", "UTILITY")
