"""The product as the page's own tests need it: it keeps what it hears and says what it is told."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import aiohttp
from aiohttp import web

Json = dict[str, Any]
Answer = Callable[[Json], Json | None]


@dataclass
class Product:
    """What was heard, and what is answered.

    Attributes:
        commands: Forms of slash commands, in order.
        interactions: Payloads of clicks, submissions and look-ups, in order.
        events: Slack's events, without their envelopes, in order.
        webhooks: Changes of WhatsApp webhooks, ``{field, value}``, in order.
        on_command: Answer to ``/drip <text>``, by the text's first word.
        on_interaction: Answer to an interaction, by its type.
    """

    sandbox_url: str
    bot_token: str
    access_token: str
    session: aiohttp.ClientSession
    commands: list[Json] = field(default_factory=list)
    interactions: list[Json] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    webhooks: list[Json] = field(default_factory=list)
    on_command: dict[str, Answer] = field(default_factory=dict)
    on_interaction: dict[str, Answer] = field(default_factory=dict)

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_post("/slack/events", self._slack)
        application.router.add_post("/webhooks/whatsapp", self._whatsapp)
        application.router.add_get("/health/idle", self._idle)
        return application

    async def slack(self, method: str, **arguments: object) -> Json:
        """Call the Web API as the bot.

        Raises:
            AssertionError: Slack refused.
        """
        async with self.session.post(
            f"{self.sandbox_url}/slack/api/{method}",
            json=arguments,
            headers={"Authorization": f"Bearer {self.bot_token}"},
        ) as response:
            answer: Json = await response.json()
        assert answer["ok"], answer
        return answer

    async def send(self, to: str, **content: object) -> str:
        """Send a WhatsApp message as the worker would, and return its id."""
        async with self.session.post(
            f"{self.sandbox_url}/graph/v25.0/200000000000001/messages",
            json={"messaging_product": "whatsapp", "to": to, **content},
            headers={"Authorization": f"Bearer {self.access_token}"},
        ) as response:
            answer: Json = await response.json()
        assert "messages" in answer, answer
        return str(answer["messages"][0]["id"])

    async def _slack(self, request: web.Request) -> web.Response:
        body = await request.text()
        if request.content_type == "application/json":
            envelope = json.loads(body)
            self.events.append(envelope["event"])
            return web.Response()
        form = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
        if "payload" in form:
            payload = json.loads(form["payload"])
            self.interactions.append(payload)
            answer = self.on_interaction.get(payload["type"], _nothing)(payload)
        else:
            self.commands.append(form)
            word = form["text"].split(" ")[0]
            answer = self.on_command.get(word, _recorded)(form)
        return web.Response() if answer is None else web.json_response(answer)

    async def _whatsapp(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.webhooks += [change for entry in body["entry"] for change in entry["changes"]]
        return web.Response()

    async def _idle(self, _: web.Request) -> web.Response:
        return web.json_response(
            {"idle": True, "next_due": None, "due": 0, "claimed": 0, "unrelayed": 0}
        )


def _nothing(_: Json) -> Json | None:
    return None


def _recorded(_: Json) -> Json | None:
    return {"text": "Recorded."}
