"""``/sandbox/api/whatsapp/…``: what contacts and Meta do, and what the platform accepted."""

from bisect import bisect_right
from dataclasses import replace

from aiohttp import web

from sandbox.settings import Number
from sandbox.whatsapp.graph import components_problem
from sandbox.whatsapp.inbound import written
from sandbox.whatsapp.messages import Sent
from sandbox.whatsapp.platform import Platform, template_of
from sandbox.whatsapp.review import REASONS
from sandbox.wire import (
    Check,
    Json,
    Refused,
    answer,
    anything,
    body_of,
    count,
    integer_of,
    loads,
    mapping,
    phone,
    query_of,
    text,
)

_INBOUND: dict[str, Check] = {
    "from": phone,
    "text": text,
    "button": anything,
    "reply_to": text,
    "type": text,
    "number": text,
    "referral": mapping,
    "user_id": text,
    "media": mapping,
    "id": text,
    "timestamp": anything,
}
# Source: Meta, "Messaging limits"; the API still has the words of limits there once were.
_LIMITS = (
    "TIER_50",
    "TIER_250",
    "TIER_1K",
    "TIER_2K",
    "TIER_10K",
    "TIER_100K",
    "TIER_UNLIMITED",
)
_CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")


def listing(value: object) -> bool:
    return isinstance(value, list)


class WhatsAppInterface:
    """Reads requests strictly and shows the platform."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def routes(self, at: str) -> list[web.RouteDef]:
        return [
            web.get(f"{at}/messages", self._messages),
            web.post(f"{at}/inbound", self._inbound),
            web.post(f"{at}/event", self._event),
            web.get(f"{at}/templates", self._list_templates),
            web.post(f"{at}/templates", self._templates),
            web.post(f"{at}/numbers", self._numbers),
            web.get(f"{at}/moods", self._moods),
            web.post(f"{at}/moods", self._turn),
            web.get(f"{at}/phones", self._phones),
            web.get(f"{at}/chat", self._chat),
            web.get(f"{at}/media/{{id}}", self._media),
        ]

    async def _messages(self, request: web.Request) -> web.Response:
        query = query_of(request, "phone", "number", "after")
        after = integer_of(query["after"], default=0)
        ledger = self._platform.ledger
        if query["phone"] is not None:
            chat = self._platform.chat(_phone(query["phone"]))
            ledger = [message for message in chat if isinstance(message, Sent)]
        start = bisect_right(ledger, after, key=lambda message: message.seq)
        number = query["number"]
        return answer(
            {
                "messages": [
                    message.as_json()
                    for message in ledger[start:]
                    if number is None or message.number == number
                ]
            }
        )

    async def _inbound(self, request: web.Request) -> web.Response:
        body = await body_of(request, {}, _INBOUND)
        message = written(self._platform, body)
        told = await self._platform.hooks.deliver([self._platform.update_of(message)])
        return answer({"status": told.status, "milliseconds": told.milliseconds, "id": message.id})

    async def _event(self, request: web.Request) -> web.Response:
        body = await body_of(request, {"field": text, "value": mapping}, {})
        update = self._platform.event(body["field"], body["value"])
        told = await self._platform.hooks.deliver([update])
        return answer({"status": told.status, "milliseconds": told.milliseconds})

    async def _list_templates(self, _: web.Request) -> web.Response:
        found = [template.as_json() for _, template in sorted(self._platform.templates.items())]
        return answer({"templates": found})

    async def _templates(self, request: web.Request) -> web.Response:
        platform = self._platform
        body = await body_of(
            request,
            {"name": text},
            {
                "id": text,
                "language": text,
                "category": text,
                "status": text,
                "parameter_format": text,
                "components": listing,
                "quality": text,
                "reason": text,
            },
        )
        reason = body.pop("reason") or "NONE"
        if reason not in REASONS:
            raise Refused(f"reason: one of {', '.join(REASONS)}")
        body["language"] = body["language"] or "en"
        known = platform.templates.get((body["name"], body["language"]))
        if known is not None:
            kept: Json = {**known.as_json(), "quality": known.quality}
            body = {key: kept[key] if value is None else value for key, value in body.items()}
        if (body["category"] or "MARKETING") not in _CATEGORIES:
            raise Refused(f"category: one of {', '.join(_CATEGORIES)}")
        if (body["parameter_format"] or "POSITIONAL").upper() not in ("POSITIONAL", "NAMED"):
            raise Refused("parameter_format: POSITIONAL or NAMED")
        if not body["components"]:
            raise Refused("components: missing")
        if problem := components_problem(body["components"]):
            raise Refused(problem)
        template = template_of(body, number=len(platform.templates))
        platform.put_template(replace(template, edited_us=known.edited_us if known else ()))
        if known is not None and template.status != known.status:
            # What a reviewer decides is told.
            told = platform.reviewed(template, status=template.status, reason=reason)
            await platform.hooks.deliver([told])
        shown = platform.templates[template.name, template.language]
        return answer({"template": shown.as_json()})

    async def _numbers(self, request: web.Request) -> web.Response:
        body = await body_of(
            request,
            {"id": text, "phone": phone, "messages_per_second": count},
            {"quality": text, "health": text, "messaging_limit": text},
        )
        if not body["id"].isdigit() or not body["messages_per_second"]:
            raise Refused("id: digits; messages_per_second: at least 1")
        given = {key: value for key, value in body.items() if value is not None}
        others = [each for each in self._platform.numbers.values() if each.id != body["id"]]
        if others:
            # The limit is the portfolio's, whose numbers all tell the same.
            given.setdefault("messaging_limit", others[0].messaging_limit)
        number = Number(**given)
        if number.health not in ("AVAILABLE", "LIMITED", "BLOCKED"):
            raise Refused("health: AVAILABLE, LIMITED or BLOCKED")
        if number.messaging_limit not in _LIMITS:
            raise Refused(f"messaging_limit: {', '.join(_LIMITS)}")
        self._platform.put_number(number)
        for other in others:
            if other.messaging_limit != number.messaging_limit:
                limited = replace(other, messaging_limit=number.messaging_limit)
                self._platform.put_number(limited)
        return answer({"number": number.as_json()})

    async def _moods(self, request: web.Request) -> web.Response:
        query_of(request)
        return answer(self._platform.moods.as_json())

    async def _turn(self, request: web.Request) -> web.Response:
        self._platform.turn(loads(await request.read() or b"{}"))
        if self._platform.turned is not None:
            await self._platform.turned()
        return answer(self._platform.moods.as_json())

    async def _phones(self, request: web.Request) -> web.Response:
        query_of(request)
        return answer({"phones": self._platform.phones()})

    async def _chat(self, request: web.Request) -> web.Response:
        query = query_of(request, "phone", "after")
        after = integer_of(query["after"], default=0)
        if query["phone"] is None:
            raise Refused("phone: missing")
        chat = self._platform.chat(_phone(query["phone"]))
        return answer({"messages": [m.as_chat() for m in chat if m.seq > after]})

    async def _media(self, request: web.Request) -> web.Response:
        media = self._platform.media.get(request.match_info["id"])
        if media is None:
            raise Refused(f"no media {request.match_info['id']}", status=404)
        mime_type = str(media["mime_type"]).partition(";")[0]
        shown = mime_type in ("image/jpeg", "image/png", "image/webp")
        return web.Response(
            body=self._platform.media.content(media["id"]),
            content_type=mime_type if shown else "application/octet-stream",
            headers={"X-Content-Type-Options": "nosniff"},
        )


def _phone(value: str) -> str:
    """Return the phone of a query, where a bare + has become a space."""
    digits = value.strip().removeprefix("+")
    found = f"+{digits}"
    if not phone(found):
        raise Refused(f"{value!r}: not a phone number with its country")
    return found
