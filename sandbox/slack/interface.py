"""``/sandbox/api/slack/…``: what people do in the pretend Slack, and what they see."""

import base64
import binascii

from aiohttp import web

from sandbox.slack.desk import Desk
from sandbox.slack.workspace import Workspace
from sandbox.wire import (
    Check,
    Json,
    Refused,
    answer,
    anything,
    body_of,
    mapping,
    query_of,
    text,
)

_WAIT_MS = 3000


def wait_ms(value: object) -> bool:
    """Whether *value* is how long a call may wait for the bot: at most a minute."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 60_000  # noqa: PLR2004 — a minute


_WAIT: dict[str, Check] = {"wait_ms": wait_ms}


class SlackInterface:
    """Reads requests strictly, lets the desk act, and shows the workspace."""

    def __init__(self, workspace: Workspace, desk: Desk) -> None:
        self._workspace = workspace
        self._desk = desk

    def routes(self, at: str) -> list[web.RouteDef]:
        return [
            web.post(f"{at}/command", self._command),
            web.get(f"{at}/messages", self._messages),
            web.get(f"{at}/views", self._views),
            web.post(f"{at}/click", self._click),
            web.post(f"{at}/options", self._options),
            web.post(f"{at}/submit", self._submit),
            web.post(f"{at}/close", self._close),
            web.post(f"{at}/say", self._say),
            web.post(f"{at}/upload", self._upload),
            web.post(f"{at}/shortcut", self._shortcut),
            web.post(f"{at}/open_home", self._open_home),
            web.post(f"{at}/function", self._function),
            web.get(f"{at}/files/{{id}}", self._file),
        ]

    async def _command(self, request: web.Request) -> web.Response:
        body = await _act(request, {"user": text, "text": text}, {"channel": text})
        return answer(await self._desk.command(**body))

    async def _click(self, request: web.Request) -> web.Response:
        body = await _act(
            request,
            {"user": text, "action_id": text},
            {
                "block_id": text,
                "value": anything,
                "message_ts": text,
                "view_id": text,
                "channel": text,
            },
        )
        return answer(await self._desk.click(**body))

    async def _options(self, request: web.Request) -> web.Response:
        body = await body_of(
            request,
            {"user": text, "action_id": text, "query": text},
            {"message_ts": text, "view_id": text},
        )
        return answer(await self._desk.options(**body))

    async def _submit(self, request: web.Request) -> web.Response:
        body = await _act(request, {"user": text, "view_id": text, "values": mapping}, {})
        return answer(await self._desk.submit(**body))

    async def _close(self, request: web.Request) -> web.Response:
        return answer(
            await self._desk.close(**await _act(request, {"user": text, "view_id": text}, {}))
        )

    async def _say(self, request: web.Request) -> web.Response:
        body = await _act(
            request, {"user": text, "channel": text, "text": text}, {"thread_ts": text}
        )
        return answer(await self._desk.say(**body))

    async def _upload(self, request: web.Request) -> web.Response:
        body = await _act(
            request,
            {"user": text, "channel": text, "name": text, "content_base64": text},
            {"text": text},
        )
        encoded = body.pop("content_base64")
        try:
            content = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as problem:
            raise Refused("content_base64: not base64") from problem
        if not body["name"] or "/" in body["name"]:
            raise Refused("name: a file name")
        body["text"] = body["text"] or ""
        return answer(await self._desk.upload(**body, content=content))

    async def _shortcut(self, request: web.Request) -> web.Response:
        body = await _act(request, {"user": text, "callback_id": text}, {"message_ts": text})
        return answer(await self._desk.shortcut(**body))

    async def _open_home(self, request: web.Request) -> web.Response:
        return answer(await self._desk.open_home(**await _act(request, {"user": text}, {})))

    async def _function(self, request: web.Request) -> web.Response:
        body = await _act(request, {"callback_id": text, "inputs": mapping}, {})
        return answer(await self._desk.function(**body))

    async def _messages(self, request: web.Request) -> web.Response:
        query = query_of(request, "channel", "thread_ts", "after")
        channel, thread_ts, after = query["channel"], query["thread_ts"], query["after"] or ""
        if channel is None:
            raise Refused("channel: missing")
        if channel not in self._workspace.channels:
            raise Refused(f"no channel {channel}", status=404)
        found = [
            self._workspace.shown(message)
            for message in self._workspace.in_channel(channel)
            if message.ts > after
            and (thread_ts is None or thread_ts in (message.ts, message.thread_ts))
        ]
        return answer({"messages": found})

    async def _views(self, request: web.Request) -> web.Response:
        user = query_of(request, "user")["user"]
        person = self._workspace.people.get(str(user))
        if person is None:
            raise Refused(f"no user {user}", status=404)
        home = person.home.as_json() if person.home else None
        return answer({"home": home, "modals": [view.as_json() for view in person.modals]})

    async def _file(self, request: web.Request) -> web.Response:
        file = self._workspace.files.get(request.match_info["id"])
        if file is None or not file.uploaded:
            raise Refused(f"no file {request.match_info['id']}", status=404)
        # Never as HTML: a file's content is not the page's.
        shown = file.mimetype.startswith("image/") and "svg" not in file.mimetype
        return web.Response(
            body=self._workspace.content(file),
            content_type=file.mimetype if shown else "application/octet-stream",
            headers={"X-Content-Type-Options": "nosniff"},
        )


async def _act(
    request: web.Request, required: dict[str, Check], optional: dict[str, Check]
) -> Json:
    body = await body_of(request, required, {**optional, **_WAIT})
    if body["wait_ms"] is None:
        body["wait_ms"] = _WAIT_MS
    return body
