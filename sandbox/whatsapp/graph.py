"""The Graph API as far as the product uses it, over HTTP.

Source: Meta, WhatsApp Cloud API reference.
"""

import asyncio
import base64
import re
import secrets
from collections.abc import Awaitable, Callable

import orjson
from aiohttp import web

from sandbox.clock import Clock
from sandbox.whatsapp import review
from sandbox.whatsapp.errors import GraphRefusal
from sandbox.whatsapp.judge import Judged, judged
from sandbox.whatsapp.media import limit_of
from sandbox.whatsapp.moods import Outage
from sandbox.whatsapp.platform import Platform, template_of
from sandbox.wire import Json

_VERSION = re.compile(r"v[0-9]{2}\.0")
_PAGE = 25  # templates in one answer where the caller says no limit
_MOST = 1_000
_PATIENCE = 120  # seconds
_NUMBER_FIELDS = (
    "id",
    "display_phone_number",
    "verified_name",
    "quality_rating",
    "status",
    "name_status",
    "throughput",
    "whatsapp_business_manager_messaging_limit",
    "health_status",
    "platform_type",
)

_LIMITED = "Your display name has not been approved yet. Your message limit will increase after it."
_BLOCKED: Json = {
    "error_code": 141000,
    "error_description": "The phone number is not registered.",
    "possible_solution": "Register the phone number.",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Graph:
    """Answers calls on behalf of the platform."""

    def __init__(self, platform: Platform, *, clock: Clock, url: str) -> None:
        self._platform = platform
        self._clock = clock
        self._url = url
        self._samples: dict[str, int] = {}  # announced sizes of templates' sample files
        self._token = f"Bearer {platform.settings.access_token}"

    def routes(self) -> list[web.RouteDef]:
        at = "/graph/{version}/"
        account = self._platform.settings.business_account_id
        return [
            web.post(at + "{number}/messages", self._guarded(self._messages)),
            web.post(at + "{number}/marketing_messages", self._guarded(self._marketing)),
            web.post(at + "{number}/media", self._guarded(self._upload)),
            web.get(at + account + "/message_templates", self._guarded(self._templates)),
            web.post(at + account + "/message_templates", self._guarded(self._create_template)),
            web.get(at + account + "/phone_numbers", self._guarded(self._numbers)),
            web.route("*", at + account + "/subscribed_apps", self._guarded(self._subscribe)),
            web.get("/graph/media/{id}", self._guarded(self._download)),
            web.get(at + "{id}", self._guarded(self._node)),
            web.post(at + "app/uploads", self._guarded(self._begin_sample)),
            web.post(at + "upload:{sample}", self._guarded(self._sample)),
            web.post(at + "{id}", self._guarded(self._edit)),
            web.delete(at + "{id}", self._guarded(self._delete)),
            web.route("*", "/graph/{rest:.*}", self._guarded(self._unknown)),
        ]

    def _guarded(self, handler: Handler) -> Handler:
        """Meet the outage, look at the token, and word every refusal as Meta does."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            outage = self._platform.moods.outage
            if outage is not None:
                return await _out(request, outage)
            self._platform.calls += 1
            try:
                self._authorize(request)
                return await handler(request)
            except GraphRefusal as refusal:
                return _json(refusal.body(secrets.token_hex(8)), status=refusal.status)
            finally:
                self._platform.calls -= 1

        return guarded

    def _authorize(self, request: web.Request) -> None:
        version = request.match_info.get("version")
        if version is not None and not _VERSION.fullmatch(version):
            raise GraphRefusal(100, f"Unknown version {version}")
        header = request.headers.get("Authorization")
        if header is None:
            raise GraphRefusal(104, "An access token is required to request this resource.")
        # The Resumable Upload API names the scheme otherwise.
        if header.replace("OAuth ", "Bearer ", 1) != self._token:
            raise GraphRefusal(190, "Invalid OAuth access token")

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        return await self._send(request, marketing=False)

    async def _marketing(self, request: web.Request) -> web.StreamResponse:
        return await self._send(request, marketing=True)

    async def _send(self, request: web.Request, *, marketing: bool) -> web.StreamResponse:
        number = request.match_info["number"]
        platform = self._platform
        raw = await request.read()
        body: object = None
        try:
            self._known_number(number)
            body = _parsed(raw)
            if "status" in body:
                return _json(self._mark(body))
            if marketing:
                body = {
                    key: value
                    for key, value in body.items()
                    if key not in ("product_policy", "message_activity_sharing")
                }
            message = judged(body, templates=platform.templates, find_phone=platform.people.phone)
            if marketing:
                _only_marketing(message)
            sent = platform.accept(message, number=number)
        except GraphRefusal as refusal:
            platform.refused(refusal, number=number, body=body)
            await self._pause()
            raise
        await self._pause()
        if sent.answer_lost:
            return _cut(request)
        contact: Json = {"input": message.to, "wa_id": message.to.removeprefix("+")}
        if isinstance(body.get("recipient"), str):
            contact["user_id"] = body["recipient"]
            if "to" not in body:
                contact = {"input": body["recipient"], "user_id": body["recipient"]}
        accepted: Json = {"id": sent.id}
        if sent.template is not None:
            accepted["message_status"] = "accepted"
        return _json(
            {"messaging_product": "whatsapp", "contacts": [contact], "messages": [accepted]}
        )

    def _known_number(self, number: str) -> None:
        if number not in self._platform.numbers:
            raise GraphRefusal(33, f"Object with ID '{number}' does not exist")

    def _mark(self, body: Json) -> Json:
        known = {"messaging_product", "status", "message_id", "typing_indicator"}
        if unknown := body.keys() - known:
            raise GraphRefusal(100, f"Invalid parameter: unexpected key {min(unknown)!r}")
        if body.get("messaging_product") != "whatsapp" or body["status"] != "read":
            raise GraphRefusal(100, "status: must be read")
        if body.get("typing_indicator", {"type": "text"}) != {"type": "text"}:
            raise GraphRefusal(100, "typing_indicator: type must be text")
        if not isinstance(body.get("message_id"), str):
            raise GraphRefusal(131008, "message_id: missing")
        self._platform.mark_read(body["message_id"])
        return {"success": True}

    async def _pause(self) -> None:
        least, most = self._platform.moods.latency_ms
        if most:
            # Not the seeded chance: latency is not part of anyone's fate.
            await asyncio.sleep((least + (most - least) * secrets.randbelow(1000) / 1000) / 1000)

    async def _templates(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        try:
            limit = min(_MOST, int(query.get("limit", _PAGE)))
            start = int(base64.urlsafe_b64decode(query.get("after", "") or b"MA==").decode())
        except ValueError as problem:
            raise GraphRefusal(100, "limit and after: as an earlier answer had them") from problem
        if limit < 1 or start < 0:
            raise GraphRefusal(100, "limit: must be positive")
        fields = _fields(query.get("fields"), default="name,components,language,status,category,id")
        found = [
            template.as_json()
            for _, template in sorted(self._platform.templates.items())
            if all(
                template.as_json()[key].lower() == query[key].lower()
                for key in ("name", "language", "status", "category")
                if key in query
            )
        ]
        page = found[start : start + limit]
        answer: Json = {
            "data": [{key: part[key] for key in fields | {"id"} if key in part} for part in page]
        }
        if page:
            cursors = {"before": _cursor(start), "after": _cursor(start + len(page))}
            answer["paging"] = {"cursors": cursors}
            if start + len(page) < len(found):
                onward = request.url.update_query(after=cursors["after"])
                answer["paging"]["next"] = self._url + str(onward.relative())
        return _json(answer)

    async def _create_template(self, request: web.Request) -> web.StreamResponse:
        body = _parsed(await request.read())
        review.created(body, templates=self._platform.templates)
        template = template_of({**body, "status": "PENDING"}, number=len(self._platform.templates))
        self._platform.put_template(template)
        return _json({"id": template.id, "status": "PENDING", "category": template.category})

    async def _numbers(self, request: web.Request) -> web.StreamResponse:
        default = "id,display_phone_number,verified_name,quality_rating"
        fields = _fields(request.query.get("fields"), default=default)
        return _json({"data": [self._number(number, fields) for number in self._platform.numbers]})

    async def _subscribe(self, request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            app = {"whatsapp_business_api_data": {"id": "1", "name": "Sandbox", "link": ""}}
            return _json({"data": [app]})
        return _json({"success": True})

    async def _node(self, request: web.Request) -> web.StreamResponse:
        platform, node = self._platform, request.match_info["id"]
        fields = request.query.get("fields")
        if node in platform.numbers:
            default = "id,display_phone_number,verified_name,quality_rating"
            return _json(self._number(node, _fields(fields, default=default)))
        if node == platform.settings.business_account_id:
            return _json(self._account(_fields(fields, default="id,name")))
        for template in platform.templates.values():
            if template.id == node:
                wanted = _fields(fields, default="id,name,status,category,language,components")
                shown = template.as_json()
                return _json({key: shown[key] for key in wanted | {"id"} if key in shown})
        media = platform.media.get(node)
        if media is None:
            raise GraphRefusal(33, f"Object with ID '{node}' does not exist")
        return _json(
            {
                "messaging_product": "whatsapp",
                "url": f"{self._url}/graph/media/{node}",
                "mime_type": media["mime_type"],
                "sha256": media["sha256"],
                "file_size": str(media["file_size"]),
                "id": node,
            }
        )

    async def _begin_sample(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        kind, length = query.get("file_type", ""), query.get("file_length", "")
        if limit_of(kind) is None or not length.isdecimal() or not query.get("file_name"):
            raise GraphRefusal(100, "file_name, file_length and a supported file_type are needed")
        sample = secrets.token_hex(8)
        self._samples[sample] = int(length)
        return _json({"id": f"upload:{sample}"})

    async def _sample(self, request: web.Request) -> web.StreamResponse:
        length = self._samples.get(request.match_info["sample"])
        if length is None or request.headers.get("file_offset") != "0":
            raise GraphRefusal(100, "file_offset of an upload that was begun")
        content = await request.read()
        if len(content) != length:
            raise GraphRefusal(100, f"{len(content)} bytes instead of {length}")
        return _json({"h": f"4::{base64.b64encode(content[:32]).decode()}:{length}"})

    async def _edit(self, request: web.Request) -> web.StreamResponse:
        node = request.match_info["id"]
        for template in self._platform.templates.values():
            if template.id == node:
                body = _parsed(await request.read())
                changed = review.edited(template, body, at_us=self._clock.now_us())
                self._platform.put_template(changed)
                return _json({"success": True})
        raise GraphRefusal(33, f"Object with ID '{node}' does not exist")

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        node = request.match_info["id"]
        if self._platform.media.get(node) is None:
            raise GraphRefusal(33, f"Object with ID '{node}' does not exist")
        self._platform.media.remove(node)
        return _json({"success": True})

    async def _download(self, request: web.Request) -> web.StreamResponse:
        media = self._platform.media.get(request.match_info["id"])
        if media is None:
            raise web.HTTPNotFound
        return web.Response(
            body=self._platform.media.content(media["id"]), content_type=media["mime_type"]
        )

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        number = request.match_info["number"]
        self._known_number(number)
        if not request.content_type.startswith("multipart/"):
            raise GraphRefusal(100, "a multipart form is needed")
        form = await request.post()
        file = form.get("file")
        if form.get("messaging_product") != "whatsapp" or not isinstance(file, web.FileField):
            raise GraphRefusal(100, "messaging_product and file are needed")
        kind = form.get("type")
        mime_type = kind if isinstance(kind, str) and kind else file.content_type
        content = file.file.read()
        limit = limit_of(mime_type)
        if limit is None:
            raise GraphRefusal(100, f"Param file must be a file with a supported type: {mime_type}")
        if len(content) > limit:
            raise GraphRefusal(131053, f"{len(content)} bytes, at most {limit}")
        media = self._platform.media.add(
            content,
            number=number,
            mime_type=mime_type,
            filename=file.filename,
            at_us=self._clock.now_us(),
        )
        return _json({"id": media["id"]})

    async def _unknown(self, request: web.Request) -> web.StreamResponse:
        raise GraphRefusal(100, f"Unsupported {request.method.lower()} request: {request.path}")

    def _number(self, number: str, fields: set[str]) -> Json:
        if unknown := fields - set(_NUMBER_FIELDS):
            raise GraphRefusal(100, f"Tried accessing nonexisting field ({min(unknown)})")
        known = self._platform.numbers[number]
        shown = {
            "id": known.id,
            "display_phone_number": known.phone,
            "verified_name": self._platform.settings.organization,
            "quality_rating": known.quality,
            "status": "CONNECTED",
            "name_status": "APPROVED",
            "throughput": {"level": "HIGH" if known.messages_per_second > 80 else "STANDARD"},  # noqa: PLR2004 — Meta's default
            "whatsapp_business_manager_messaging_limit": known.messaging_limit,
            "health_status": self._health(known.health, "PHONE_NUMBER", known.id),
            "platform_type": "CLOUD_API",
        }
        return {key: shown[key] for key in fields | {"id"}}

    def _account(self, fields: set[str]) -> Json:
        settings = self._platform.settings
        shown = {
            "id": settings.business_account_id,
            "name": settings.organization,
            "currency": "EUR",
            "timezone_id": "1",
            "message_template_namespace": "sandbox",
            "account_review_status": "APPROVED",
            "whatsapp_business_manager_messaging_limit": next(
                (each.messaging_limit for each in self._platform.numbers.values()), "TIER_250"
            ),
            "health_status": self._health("AVAILABLE", "WABA", settings.business_account_id),
        }
        if unknown := fields - shown.keys():
            raise GraphRefusal(100, f"Tried accessing nonexisting field ({min(unknown)})")
        return {key: shown[key] for key in fields | {"id"}}

    def _health(self, can_send: str, kind: str, node: str) -> Json:
        """Return the node and all it depends on, as "Messaging health status" documents it."""
        entity: Json = {"entity_type": kind, "id": node, "can_send_message": can_send}
        if can_send == "LIMITED":
            entity["additional_info"] = [_LIMITED]
        if can_send == "BLOCKED":
            entity["errors"] = [_BLOCKED]
        account = self._platform.settings.business_account_id
        others = [("WABA", account)] if kind == "PHONE_NUMBER" else []
        others += [("BUSINESS", "100000000000002"), ("APP", "100000000000003")]
        return {
            "can_send_message": can_send,
            "entities": [
                entity,
                *(
                    {"entity_type": each, "id": other, "can_send_message": "AVAILABLE"}
                    for each, other in others
                ),
            ],
        }


def components_problem(components: object) -> str | None:
    """Return what is wrong with a template's components, or None."""
    if not isinstance(components, list):
        return "components: must be an array"
    kinds = {"HEADER": "format", "BODY": "text", "FOOTER": "text", "BUTTONS": "buttons"}
    for part in components:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in kinds or kinds[kind] not in part:
            return "components: each has a type, and a text, format or buttons"
        if kind == "BUTTONS":
            buttons = part["buttons"]
            if not isinstance(buttons, list) or not all(_is_button(button) for button in buttons):
                return "components: buttons have a type and a text, URL buttons a url"
        elif kind == "HEADER":
            if part["format"] not in ("TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION"):
                return f"components: no header format {part['format']!r}"
            if part["format"] == "TEXT" and not isinstance(part.get("text"), str):
                return "components: a text header has a text"
        elif not isinstance(part["text"], str):
            return "components: text must be text"
    return None


def _only_marketing(message: Judged) -> None:
    if message.category != "MARKETING":
        raise GraphRefusal(131055, "Only marketing templates can be sent here")


def _is_button(button: object) -> bool:
    return (
        isinstance(button, dict)
        and isinstance(button.get("type"), str)
        and isinstance(button.get("text"), str)
        and (button["type"] != "URL" or isinstance(button.get("url"), str))
    )


def _parsed(raw: bytes) -> Json:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as problem:
        raise GraphRefusal(100, "The request's body is not JSON") from problem
    if not isinstance(body, dict):
        raise GraphRefusal(100, "The request's body must be an object")
    return body


def _fields(given: str | None, *, default: str) -> set[str]:
    return {field.strip() for field in (given or default).split(",") if field.strip()}


def _cursor(start: int) -> str:
    return base64.urlsafe_b64encode(str(start).encode()).decode()


def _json(body: object, *, status: int = 200) -> web.Response:
    return web.Response(
        body=orjson.dumps(body), status=status, content_type="application/json", charset="utf-8"
    )


def _cut(request: web.Request) -> web.Response:
    """End the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _out(request: web.Request, outage: Outage) -> web.Response:
    match outage:
        case "refuse":
            return _cut(request)
        case "500":
            return web.Response(status=500)
        case "hang":
            # Meta drops a connection in the end, too; a caller's patience is shorter.
            await asyncio.sleep(_PATIENCE)
            return _cut(request)
