"""A small Cloud API on loopback that keeps a ledger and can fail in every way."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson
from aiohttp import web

NUMBER_STATE = {
    "id": "200000000000001",
    "display_phone_number": "+1 555 000 1111",
    "verified_name": "Acme",
    "quality_rating": "GREEN",
    "throughput": {"level": "STANDARD"},
    "health_status": {"can_send_message": "AVAILABLE", "entities": []},
}

Behaviour = Literal["accept", "hang", "500", "lose the answer", "hold"] | int
"""What becomes of a call; a number is the code of an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A call as it came in; *at* is the loop's time."""

    number: str
    to: str
    message: int
    attempt: int
    text: str
    at: float


@dataclass(slots=True)
class Platform:
    """The pretence.

    Attributes:
        calls: All that came in, in order.
        accepted: Those for which there is a message, whatever was answered.
        behave: What becomes of a call.
        latency: Seconds.
        account: What it says of every number, where that is not the usual.
        strangers: Numbers it does not know.
        known_as: By phone: the one under which it knows the person, where that is another.
        answering: While it is not set, calls come in and wait for their answers.
    """

    url: str = ""
    calls: list[Taken] = field(default_factory=list)
    accepted: list[Taken] = field(default_factory=list)
    behave: Callable[[Taken], Behaviour] = lambda _: "accept"
    latency: float = 0.0
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    templates: list[dict[str, Any]] = field(default_factory=list)
    known_as: dict[str, str] = field(default_factory=dict)
    healthy: bool = True
    account: dict[str, Any] = field(default_factory=dict)
    strangers: set[str] = field(default_factory=set)
    probes: int = 0
    uploads: list[bytes] = field(default_factory=list)
    upload_error: int | None = None
    review: Literal["accept", "lose the answer", "refuse", "500"] = "accept"

    def __post_init__(self) -> None:
        self.answering.set()

    def per_message(self) -> Counter[int]:
        return Counter(taken.message for taken in self.accepted)

    def most_in_a_second(self) -> int:
        times = sorted(taken.at for taken in self.calls)
        most = first = 0
        for last, at in enumerate(times):
            while times[first] <= at - 1.0:
                first += 1
            most = max(most, last - first + 1)
        return most

    async def send(self, request: web.Request) -> web.StreamResponse:
        body = orjson.loads(await request.read())
        _, message, attempt = body["biz_opaque_callback_data"].split(":")
        taken = Taken(
            number=request.match_info["id"],
            to=body["to"],
            message=int(message),
            attempt=int(attempt),
            text=_said(body),
            at=asyncio.get_running_loop().time(),
        )
        self.calls.append(taken)
        behaviour = self.behave(taken)
        if self.latency:
            await asyncio.sleep(self.latency)
        await self.answering.wait()
        match behaviour:
            case "hang":
                await asyncio.sleep(3600)
            case "500":
                return web.Response(status=500)
            case "lose the answer":
                self.accepted.append(taken)
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            case int(code):
                return web.json_response(
                    {"error": {"code": code, "message": f"error {code}"}}, status=400
                )
        self.accepted.append(taken)
        wamid = f"wamid.{taken.message}.{taken.attempt}"
        answer: dict[str, str] = {"id": wamid}
        if behaviour == "hold":
            answer["message_status"] = "held_for_quality_assessment"
        whom = {"input": taken.to, "wa_id": self.known_as.get(taken.to, taken.to).removeprefix("+")}
        return web.json_response({"contacts": [whom], "messages": [answer]})

    async def number(self, request: web.Request) -> web.Response:
        self.probes += 1
        if request.match_info["id"] in self.strangers:
            error = {"code": 100, "message": "Object does not exist"}
            return web.json_response({"error": error}, status=400)
        found = {**NUMBER_STATE, **self.account}
        return web.json_response(found) if self.healthy else web.Response(status=503)

    async def list_templates(self, request: web.Request) -> web.Response:
        name = request.query.get("name")
        found = [each for each in self.templates if name is None or each["name"] == name]
        return web.json_response({"data": found})

    async def upload(self, request: web.Request) -> web.Response:
        """Take a file; its id is ``F`` and which upload it is."""
        file = (await request.post())["file"]
        assert isinstance(file, web.FileField)
        if self.upload_error is not None:
            error = {"code": self.upload_error, "message": "Media upload error"}
            return web.json_response({"error": error}, status=400)
        self.uploads.append(file.file.read())
        return web.json_response({"id": f"F{len(self.uploads)}"})

    async def make_template(self, request: web.Request) -> web.Response:
        """Take a new template, or, at a template's own address, a change of it."""
        body = orjson.loads(await request.read())
        match self.review:
            case "500":
                return web.Response(status=500)
            case "refuse":
                error = {"code": 100, "message": "Invalid parameter", "error_user_msg": "Too long."}
                return web.json_response({"error": error}, status=400)
        if "name" in body:
            made = {"id": f"T{len(self.templates)}", "status": "PENDING", **body}
            self.templates.append(made)
        else:
            node = request.match_info["id"]
            made = next(each for each in self.templates if each["id"] == node)
            made |= {**body, "status": "PENDING"}
        if self.review == "lose the answer":
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"id": made["id"], "status": "PENDING"})


def _said(body: dict[str, Any]) -> str:
    """Return a text, the id of an image, or the name of a template."""
    match body["type"]:
        case "text":
            return str(body["text"]["body"])
        case "image":
            return str(body["image"]["id"])
        case _:
            return str(body["template"]["name"])


@asynccontextmanager
async def platform() -> AsyncIterator[Platform]:
    """Serve until the block ends; calls that hang are dropped then."""
    pretence = Platform()
    app = web.Application()
    app.router.add_post("/{id}/messages", pretence.send)
    app.router.add_get("/{id}/message_templates", pretence.list_templates)
    app.router.add_post("/{id}/message_templates", pretence.make_template)
    app.router.add_post("/{id}/media", pretence.upload)
    app.router.add_post("/{id}", pretence.make_template)
    app.router.add_get("/{id}", pretence.number)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        pretence.url = f"http://{host}:{port}"
        yield pretence
    finally:
        await runner.cleanup()
