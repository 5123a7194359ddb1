"""A message goes out and its statuses come back; a command is answered."""

import asyncio

from aiohttp import ClientSession

from tests.sandbox.world import Json, World


def followup(to: str = "+31610000001", **more: object) -> Json:
    template = {"name": "followup", "language": {"code": "en"}}
    return {
        "messaging_product": "whatsapp",
        "to": to,
        "type": "template",
        "template": template,
        **more,
    }


async def test_an_accepted_message_is_sent_delivered_and_read(world: World) -> None:
    await world.post("whatsapp/moods", {"read": 1})

    answer = await world.send(followup(biz_opaque_callback_data="d:7:1"))
    await world.ahead(60)

    wamid = answer["messages"][0]["id"]
    assert answer["contacts"] == [{"input": "+31610000001", "wa_id": "31610000001"}]
    assert [s["status"] for s in world.bot.statuses] == ["sent", "delivered", "read"]
    assert {s["id"] for s in world.bot.statuses} == {wamid}
    assert {s["biz_opaque_callback_data"] for s in world.bot.statuses} == {"d:7:1"}
    ledger = (await world.get("whatsapp/messages"))["messages"]
    assert [message["id"] for message in ledger] == [wamid]
    assert [s["status"] for s in ledger[0]["statuses"]] == ["sent", "delivered", "read"]
    assert ledger[0]["text"].startswith("Have you had a chance")


async def test_a_command_is_answered_through_its_response_url(world: World) -> None:
    async def answer(form: Json) -> None:
        async def later() -> None:
            async with ClientSession() as http:
                await http.post(form["response_url"], json={"text": "All *well*"})

        tasks.append(asyncio.create_task(later()))

    tasks: list[asyncio.Task[None]] = []
    world.bot.on_command = answer

    said = await world.post("slack/command", {"user": "U0OWNER", "text": "status"})

    assert said["status"] == 200
    assert [(m["text"], m["ephemeral_to"]) for m in said["replies"]] == [("All *well*", "U0OWNER")]
    assert world.bot.commands[0]["text"] == "status"
    assert world.bot.commands[0]["channel_id"] == "D0OWNER"
