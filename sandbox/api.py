"""``/sandbox/api/``: the interface that the page, scripts and tests use."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox.changes import Changes
from sandbox.settings import Parts
from sandbox.slack.interface import SlackInterface
from sandbox.slack.workspace import Workspace
from sandbox.walk import Walk
from sandbox.whatsapp.interface import WhatsAppInterface
from sandbox.whatsapp.platform import Platform
from sandbox.wire import Refused, answer, body_of, count, integer_of, number, query_of, text

AT = "/sandbox/api"
_MOST_AHEAD = 20 * 366 * 86400  # seconds
_MOST_WAIT_MS = 30_000


def seconds(value: object) -> bool:
    return number(value) and isinstance(value, int | float) and 0 <= value <= _MOST_AHEAD


def flag(value: object) -> bool:
    return isinstance(value, bool)


class Api:
    """What is neither Slack's nor WhatsApp's: parts, clock, overview, news."""

    def __init__(
        self,
        *,
        platform: Platform,
        workspace: Workspace,
        walk: Walk,
        changes: Changes,
        parts: Parts,
    ) -> None:
        self._platform = platform
        self._workspace = workspace
        self._walk = walk
        self._changes = changes
        self._parts = parts

    def routes(self, slack: SlackInterface, whatsapp: WhatsAppInterface) -> list[web.RouteDef]:
        return [
            web.get(f"{AT}/health", self._health),
            web.post(f"{AT}/parts/{{name}}/signal", self._signal),
            web.post(f"{AT}/postgres/restart", self._restart_postgres),
            web.post(f"{AT}/redis/flush", self._flush_redis),
            web.get(f"{AT}/clock", self._clock),
            web.post(f"{AT}/clock/advance", self._advance),
            web.get(f"{AT}/overview", self._overview),
            web.get(f"{AT}/changes", self._news),
            web.get(f"{AT}/refusals", self._refusals),
            *slack.routes(f"{AT}/slack"),
            *whatsapp.routes(f"{AT}/whatsapp"),
            web.route("*", f"{AT}/{{rest:.*}}", self._nothing),
        ]

    async def _health(self, request: web.Request) -> web.Response:
        query_of(request)
        ready, body = await self._parts.health()
        return answer(body, status=200 if ready else 503)

    async def _signal(self, request: web.Request) -> web.Response:
        body = await body_of(request, {"signal": _signal_given}, {})
        name = request.match_info["name"]
        try:
            await self._parts.signal(name, str(body["signal"]))
        except KeyError as problem:
            raise Refused(f"no part {name!r}", status=404) from problem
        except ValueError as problem:
            raise Refused(f"no signal {body['signal']!r}") from problem
        return answer({})

    async def _restart_postgres(self, request: web.Request) -> web.Response:
        await body_of(request, {}, {})
        try:
            await self._parts.restart_postgres()
        except KeyError as problem:
            raise Refused("postgres runs elsewhere", status=404) from problem
        return answer({})

    async def _flush_redis(self, request: web.Request) -> web.Response:
        await body_of(request, {}, {})
        try:
            await self._parts.flush_redis()
        except KeyError as problem:
            raise Refused("redis runs elsewhere", status=404) from problem
        return answer({})

    async def _clock(self, request: web.Request) -> web.Response:
        query_of(request)
        return answer(self._walk.where())

    async def _advance(self, request: web.Request) -> web.Response:
        body = await body_of(request, {"seconds": seconds}, {"at_once": flag})
        if body["at_once"]:
            return answer(self._walk.jump(body["seconds"]))
        return answer(await self._walk.advance(body["seconds"]))

    async def _overview(self, request: web.Request) -> web.Response:
        query_of(request)
        workspace, platform = self._workspace, self._platform
        return answer(
            {
                "organization": workspace.settings.organization,
                "users": [
                    {
                        "id": user.id,
                        "name": user.name,
                        "role": user.role,
                        "timezone": user.timezone,
                    }
                    for user in workspace.users.values()
                ],
                "channels": [
                    {key: channel[key] for key in ("id", "name", "is_im", "user")}
                    for channel in workspace.channels.values()
                ],
                "numbers": [known.as_json() for known in platform.numbers.values()],
                "templates": [
                    template.as_json() for _, template in sorted(platform.templates.items())
                ],
                "bot_user": workspace.settings.slack_bot_user,
                "command": workspace.settings.slack_command,
            }
        )

    async def _news(self, request: web.Request) -> web.Response:
        query = query_of(request, "after", "wait_ms")
        after = integer_of(query["after"], default=0)
        wait = min(_MOST_WAIT_MS, integer_of(query["wait_ms"], default=0))
        return answer(await self._changes.since(after, wait=wait / 1000))

    async def _refusals(self, request: web.Request) -> web.Response:
        query_of(request)
        found = [*self._platform.refusals, *self._workspace.refusals]
        return answer({"refusals": sorted(found, key=lambda refusal: refusal["ms"])})

    async def _nothing(self, request: web.Request) -> web.Response:
        raise Refused(f"nothing at {request.method} {request.path}", status=404)


@web.middleware
async def guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Word refusals of the interface, and keep other sites' pages away from it."""
    if not request.path.startswith(AT):
        return await handler(request)
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        return answer({"error": "not for other sites"}, status=403)
    try:
        return await handler(request)
    except Refused as refusal:
        return answer({"error": refusal.text}, status=refusal.status)
    except web.HTTPException as problem:
        return answer({"error": problem.reason}, status=problem.status)


def _signal_given(value: object) -> bool:
    """A signal is named with or without its SIG, or numbered."""
    return text(value) or count(value)
