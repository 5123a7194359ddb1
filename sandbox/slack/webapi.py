"""The Slack Web API as far as the product uses it, over HTTP.

Source: docs.slack.dev, "Web API methods".
"""

import mimetypes
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from aiohttp import web

from sandbox.slack import payloads
from sandbox.slack.blocks import attachments_problem, blocks_problem, view_problem
from sandbox.slack.limits import Limits
from sandbox.slack.outgoing import Outgoing
from sandbox.slack.things import Message, View
from sandbox.slack.workspace import SlackError, Workspace, named
from sandbox.wire import Json

_TEXT = 40_000  # characters; chat.postMessage cuts what is longer
_UPDATE_TEXT = 4_000  # bytes of UTF-8, measured, though documented as characters
_STACK = 3  # modals upon each other
_JSON_ARGUMENTS = (
    "blocks", "attachments", "view", "metadata", "files", "outputs", "channels", "users", "types",
)  # fmt: skip
_LOGIN = b"<!DOCTYPE html><html><head><title>Slack</title></head><body>Sign in</body></html>"

Method = Callable[[Json], Json]


class WebApi:
    """Answers the bot's calls."""

    def __init__(self, workspace: Workspace, outgoing: Outgoing) -> None:
        self._workspace = workspace
        self._outgoing = outgoing
        self._limits = Limits()
        self.completed: list[Callable[[str, Json], None]] = []  # a workflow's step has ended
        self.calls = 0  # calls being answered
        self._methods: Mapping[str, Method] = {
            "api.test": lambda _: {},
            "auth.test": self._auth_test,
            "blocks.validate": self._validate,
            "chat.delete": self._delete,
            "chat.getPermalink": self._permalink,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "conversations.history": self._history,
            "conversations.info": self._conversation,
            "conversations.join": self._conversation,
            "conversations.list": self._conversations,
            "conversations.members": self._members,
            "conversations.open": self._open_conversation,
            "conversations.replies": self._replies,
            "files.completeUploadExternal": self._complete_upload,
            "files.getUploadURLExternal": self._upload_url,
            "files.info": self._file,
            "functions.completeError": self._function_failed,
            "functions.completeSuccess": self._function_done,
            "reactions.add": self._react,
            "usergroups.users.list": self._group,
            "users.info": self._user,
            "users.list": self._users,
            "views.open": self._open_view,
            "views.publish": self._publish,
            "views.push": self._push,
            "views.update": self._update_view,
        }

    def routes(self) -> list[web.RouteDef]:
        return [
            web.route("*", "/slack/api/{method}", self.call),
            web.post("/slack/upload/{file}", self.upload),
            web.get("/slack/files/{place}/{name}", self.download),
            web.post("/slack/response/{key}", self.respond),
        ]

    async def call(self, request: web.Request) -> web.Response:
        """Answer one call of a method."""
        method = request.match_info["method"]
        self.calls += 1
        arguments: Json = {}
        try:
            arguments = await _arguments(request)
            function = self._methods.get(method)
            if function is None:
                raise SlackError("unknown_method")  # noqa: TRY301 — answered like every refusal
            if method != "blocks.validate":
                self._authorize(request, arguments)
            channel = str(arguments.get("channel", ""))
            wait = self._limits.wait(method, channel, self._workspace.clock.monotonic())
            if wait is not None:
                limited = SlackError("ratelimited")
                self._workspace.refused(method, limited, {"retry_after": wait})
                return _json(
                    {"ok": False, "error": "ratelimited"},
                    status=429,
                    headers={"Retry-After": str(wait)},
                )
            return _json({"ok": True, **function(arguments)})
        except SlackError as error:
            self._workspace.refused(method, error, arguments)
            return _json(_refusal(error))
        finally:
            self.calls -= 1

    # chat

    def _auth_test(self, _: Json) -> Json:
        settings = self._workspace.settings
        return {
            "url": settings.url + "/",
            "team": "Sandbox",
            "user": "dripline",
            "team_id": settings.slack_team_id,
            "user_id": settings.slack_bot_user,
            "bot_id": payloads.bot_id(self._workspace),
            "is_enterprise_install": False,
        }

    def _validate(self, arguments: Json) -> Json:
        workspace = self._workspace
        view = arguments.get("view")
        if isinstance(view, dict):
            size = len(orjson.dumps(view))
            kind = str(view.get("type"))
            problem = view_problem(view, kind=kind, size=size, ready=workspace.ready)
        else:
            message = arguments.get("message")
            blocks = message.get("blocks") if isinstance(message, dict) else arguments.get("blocks")
            problem = blocks_problem(blocks, surface="message", ready=workspace.ready)
        if problem is not None:
            raise SlackError(*problem)
        return {}

    def _post(self, arguments: Json) -> Json:
        workspace = self._workspace
        channel = self._channel(arguments.get("channel"), people=True)
        text, blocks, attachments = self._content(arguments)
        thread_ts = self._thread(arguments.get("thread_ts"), channel)
        message = workspace.post(
            Message(
                ts=workspace.new_ts(),
                channel=channel,
                user=workspace.settings.slack_bot_user,
                text=(text or "")[:_TEXT],
                via="chat.postMessage",
                blocks=named(blocks or []),
                attachments=attachments or [],
                thread_ts=thread_ts,
                metadata=_metadata(arguments.get("metadata")),
            )
        )
        self._announce(message)
        return {
            "channel": channel,
            "ts": message.ts,
            "message": payloads.message_of(workspace, message),
        }

    def _post_ephemeral(self, arguments: Json) -> Json:
        workspace = self._workspace
        channel = self._channel(arguments.get("channel"))
        user = arguments.get("user")
        if user not in workspace.channels[channel]["members"]:
            raise SlackError("user_not_in_channel")
        text, blocks, attachments = self._content(arguments)
        message = workspace.post(
            Message(
                ts=workspace.new_ts(),
                channel=channel,
                user=workspace.settings.slack_bot_user,
                text=text or "",
                via="chat.postEphemeral",
                blocks=named(blocks or []),
                attachments=attachments or [],
                thread_ts=self._thread(arguments.get("thread_ts"), channel),
                ephemeral_to=user,
            )
        )
        return {"message_ts": message.ts}

    def _update(self, arguments: Json) -> Json:
        workspace = self._workspace
        message = self._own(arguments)
        if len(str(arguments.get("text") or "").encode()) > _UPDATE_TEXT:
            raise SlackError("msg_too_long")
        text, blocks, attachments = self._content(arguments)
        if "metadata" in arguments:
            message.metadata = _metadata(arguments["metadata"])
        workspace.edit(
            message,
            text=text,
            blocks=None if blocks is None else named(blocks),
            attachments=attachments,
        )
        return {
            "channel": message.channel,
            "ts": message.ts,
            "text": message.text,
            "message": payloads.message_of(workspace, message),
        }

    def _delete(self, arguments: Json) -> Json:
        message = self._own(arguments)
        self._workspace.delete(message)
        return {"channel": message.channel, "ts": message.ts}

    def _permalink(self, arguments: Json) -> Json:
        channel = self._channel(arguments.get("channel"))
        ts = str(arguments.get("message_ts"))
        if (channel, ts) not in self._workspace.messages:
            raise SlackError("message_not_found")
        url = f"{self._workspace.settings.url}/archives/{channel}/p{ts.replace('.', '')}"
        return {"channel": channel, "permalink": url}

    def _react(self, arguments: Json) -> Json:
        workspace = self._workspace
        channel = self._channel(arguments.get("channel"))
        message = workspace.messages.get((channel, str(arguments.get("timestamp"))))
        if message is None or message.deleted:
            raise SlackError("message_not_found")
        name, bot = arguments.get("name"), workspace.settings.slack_bot_user
        if not isinstance(name, str) or not name:
            raise SlackError("invalid_name")
        known = next((r for r in message.reactions if r["name"] == name), None)
        if known is None:
            message.reactions.append({"name": name, "users": [bot], "count": 1})
        elif bot in known["users"]:
            raise SlackError("already_reacted")
        else:
            known["users"].append(bot)
            known["count"] += 1
        workspace.changed(message)
        return {}

    # conversations and users

    def _conversation(self, arguments: Json) -> Json:
        channel = self._channel(arguments.get("channel"))
        return {"channel": payloads.channel_of(self._workspace, channel)}

    def _conversations(self, arguments: Json) -> Json:
        kinds = arguments.get("types") or "public_channel"
        wanted = kinds if isinstance(kinds, list) else str(kinds).split(",")
        found = [
            payloads.channel_of(self._workspace, channel)
            for channel, known in self._workspace.channels.items()
            if ("im" if known["is_im"] else "public_channel") in wanted
        ]
        return {"channels": found, "response_metadata": {"next_cursor": ""}}

    def _members(self, arguments: Json) -> Json:
        channel = self._channel(arguments.get("channel"))
        members = self._workspace.channels[channel]["members"]
        return {"members": members, "response_metadata": {"next_cursor": ""}}

    def _open_conversation(self, arguments: Json) -> Json:
        if arguments.get("channel"):
            return {"channel": {"id": self._channel(arguments["channel"])}}
        users = arguments.get("users")
        listed = users if isinstance(users, list) else str(users or "").split(",")
        if len(listed) != 1:
            raise SlackError("not_enough_users" if not listed else "too_many_users")
        if listed[0] not in self._workspace.users:
            raise SlackError("user_not_found")
        channel = self._workspace.direct(listed[0])
        return {"channel": payloads.channel_of(self._workspace, channel)}

    def _history(self, arguments: Json) -> Json:
        channel = self._channel(arguments.get("channel"))
        return self._page(
            [
                message
                for message in reversed(self._workspace.in_channel(channel))
                if message.thread_ts in (None, message.ts)
            ],
            arguments,
        )

    def _replies(self, arguments: Json) -> Json:
        channel = self._channel(arguments.get("channel"))
        ts = arguments.get("ts")
        if (channel, str(ts)) not in self._workspace.messages:
            raise SlackError("thread_not_found")
        found = self._workspace.in_channel(channel)
        return self._page([m for m in found if ts in (m.ts, m.thread_ts)], arguments)

    def _page(self, messages: list[Message], arguments: Json) -> Json:
        oldest, latest = str(arguments.get("oldest") or "0"), arguments.get("latest")
        inclusive = str(arguments.get("inclusive", "")).lower() in ("1", "true")
        shown = []
        for message in messages:
            if message.deleted or message.ephemeral_to is not None:
                continue
            ts = message.ts
            if ts < oldest or (ts == oldest and not inclusive):
                continue
            if latest and (ts > str(latest) or (ts == str(latest) and not inclusive)):
                continue
            body = payloads.message_of(self._workspace, message)
            if str(arguments.get("include_all_metadata", "")).lower() not in ("1", "true"):
                body.pop("metadata", None)
            shown.append(body)
        limit = max(1, min(1000, _integer(arguments.get("limit"), 100)))
        start = _integer(arguments.get("cursor"), 0)
        more = len(shown) > start + limit
        return {
            "messages": shown[start : start + limit],
            "has_more": more,
            "response_metadata": {"next_cursor": str(start + limit) if more else ""},
        }

    def _user(self, arguments: Json) -> Json:
        user = arguments.get("user")
        if user not in self._workspace.users and user != self._workspace.settings.slack_bot_user:
            raise SlackError("user_not_found")
        return {"user": payloads.profile_of(self._workspace, str(user))}

    def _users(self, _: Json) -> Json:
        members = [payloads.profile_of(self._workspace, user) for user in self._workspace.users]
        return {"members": members, "response_metadata": {"next_cursor": ""}}

    def _group(self, arguments: Json) -> Json:
        members = dict(self._workspace.settings.user_groups).get(str(arguments.get("usergroup")))
        if members is None:
            raise SlackError("no_such_subteam")
        return {"users": list(members)}

    # views

    def _open_view(self, arguments: Json) -> Json:
        given = self._given_view(arguments, "modal")
        trigger = self._workspace.use_trigger(arguments.get("trigger_id"))
        view = self._workspace.new_view(user=trigger.user, given=given)
        self._workspace.people[trigger.user].modals = [view]
        return self._shown(view)

    def _push(self, arguments: Json) -> Json:
        given = self._given_view(arguments, "modal")
        trigger = self._workspace.use_trigger(arguments.get("trigger_id"))
        stack = self._workspace.people[trigger.user].modals
        if len(stack) >= _STACK:
            raise SlackError("push_limit_reached")
        previous = stack[-1] if stack else None
        view = self._workspace.new_view(user=trigger.user, given=given, previous=previous)
        stack.append(view)
        return self._shown(view)

    def _update_view(self, arguments: Json) -> Json:
        view = self._workspace.view(str(arguments.get("view_id")))
        external = arguments.get("external_id")
        if view is None and external:
            for person in self._workspace.people.values():
                for modal in person.modals:
                    if modal.given.get("external_id") == external:
                        view = modal
        if view is None:
            raise SlackError("not_found")
        given = self._given_view(arguments, view.kind)
        _same_hash(arguments, view)
        self._workspace.update_view(view, given)
        return {"view": payloads.view_of(self._workspace, view)}

    def _publish(self, arguments: Json) -> Json:
        user = arguments.get("user_id")
        if user not in self._workspace.users:
            raise SlackError("user_not_found")
        given = self._given_view(arguments, "home")
        home = self._workspace.people[str(user)].home
        if home is None:
            home = self._workspace.new_view(user=str(user), given=given)
        else:
            _same_hash(arguments, home)
            self._workspace.update_view(home, given)
        self._workspace.show_home(home)
        return {"view": payloads.view_of(self._workspace, home)}

    def _given_view(self, arguments: Json, kind: str) -> Json:
        given = arguments.get("view")
        if not isinstance(given, dict):
            raise SlackError("invalid_arguments", ["[ERROR] missing required field: view"])
        size = len(orjson.dumps(given))
        problem = view_problem(given, kind=kind, size=size, ready=self._workspace.ready)
        if problem is not None:
            raise SlackError(*problem)
        return given

    def _shown(self, view: View) -> Json:
        self._workspace.view_changed(view)
        return {"view": payloads.view_of(self._workspace, view)}

    # files

    def _upload_url(self, arguments: Json) -> Json:
        workspace = self._workspace
        name, length = arguments.get("filename"), _integer(arguments.get("length"), 0)
        if not isinstance(name, str) or not name or length < 1:
            raise SlackError("invalid_arguments")
        file = workspace.new_file(
            name=name,
            size=length,
            user=workspace.settings.slack_bot_user,
            mimetype=mimetypes.guess_type(name)[0] or "application/octet-stream",
        )
        url = f"{workspace.settings.url}/slack/upload/{file.id}"
        return {"upload_url": url, "file_id": file.id}

    def _complete_upload(self, arguments: Json) -> Json:
        workspace = self._workspace
        listed = arguments.get("files")
        if not isinstance(listed, list) or not listed:
            raise SlackError("invalid_arguments")
        channel = None
        target = arguments.get("channel_id") or arguments.get("channels")
        if target:
            channel = self._channel(target[0] if isinstance(target, list) else target)
        done = []
        for entry in listed:
            file = workspace.files.get(str(entry.get("id"))) if isinstance(entry, dict) else None
            if file is None or not file.uploaded:
                raise SlackError("file_not_found")
            workspace.complete(file, title=entry.get("title"), channel=channel)
            done.append(file)
        if channel is not None:
            blocks = arguments.get("blocks")
            message = Message(
                ts=workspace.new_ts(),
                channel=channel,
                user=workspace.settings.slack_bot_user,
                text=str(arguments.get("initial_comment") or ""),
                via="files.completeUploadExternal",
                blocks=named(blocks) if isinstance(blocks, list) else [],
                thread_ts=self._thread(arguments.get("thread_ts"), channel),
                files=[file.id for file in done],
            )
            self._announce(workspace.post(message))
        return {"files": [payloads.file_of(workspace, file) for file in done]}

    def _file(self, arguments: Json) -> Json:
        file = self._workspace.files.get(str(arguments.get("file")))
        if file is None or not file.completed:
            raise SlackError("file_not_found")
        return {"file": payloads.file_of(self._workspace, file), "comments": []}

    async def upload(self, request: web.Request) -> web.Response:
        """Take the bytes of a file announced before."""
        file = self._workspace.files.get(request.match_info["file"])
        if file is None:
            raise web.HTTPNotFound
        if request.content_type.startswith("multipart/"):
            form = await request.post()
            part = next((p for p in form.values() if isinstance(p, web.FileField)), None)
            content = part.file.read() if part else b""
        else:
            content = await request.read()
        if len(content) != file.size:
            raise web.HTTPBadRequest(text="length does not match")
        self._workspace.fill(file, content)
        return web.Response(text=f"OK - {len(content)}")

    async def download(self, request: web.Request) -> web.Response:
        """Give a file to who has the token; to others a page to sign in, as Slack does."""
        file = self._workspace.files.get(request.match_info["place"].rpartition("-")[2])
        if file is None or not file.uploaded:
            raise web.HTTPNotFound
        token = f"Bearer {self._workspace.settings.slack_bot_token}"
        if request.headers.get("Authorization") != token:
            return web.Response(body=_LOGIN, content_type="text/html", charset="utf-8")
        return web.Response(body=self._workspace.content(file), content_type=file.mimetype)

    # response_url and functions

    async def respond(self, request: web.Request) -> web.Response:
        """Take an answer to a command or a click."""
        workspace = self._workspace
        self.calls += 1
        arguments: Json = {}
        try:
            arguments = await _arguments(request)
            key = request.match_info["key"]
            response = workspace.use_response(key)
            workspace.answering = key
            self.answer(
                arguments,
                user=response.user,
                channel=response.channel,
                original=response.message,
                thread_ts=response.thread_ts,
                via="response_url",
            )
        except SlackError as error:
            workspace.refused("response_url", error, arguments)
            gone = error.error in ("expired_url", "used_url")
            return _json(_refusal(error), status=404 if gone else 400)
        else:
            return web.Response(text="ok")
        finally:
            workspace.answering = None
            self.calls -= 1

    def answer(
        self,
        arguments: Json,
        *,
        user: str,
        channel: str,
        original: str | None,
        via: str,
        thread_ts: str | None = None,
    ) -> Message | None:
        """Show what a response says; None: it only took the original message away.

        Raises:
            SlackError: Slack would not take it.
        """
        workspace = self._workspace
        first = workspace.messages.get((channel, original)) if original else None
        if arguments.get("delete_original") is True:
            if first is not None:
                workspace.delete(first)
            return None
        text, blocks, attachments = self._content(arguments)
        if arguments.get("replace_original") is True and first is not None:
            workspace.edit(
                first,
                text=text,
                blocks=None if blocks is None and text is None else named(blocks or []),
                attachments=attachments,
            )
            return first
        in_channel = arguments.get("response_type") == "in_channel"
        return workspace.post(
            Message(
                ts=workspace.new_ts(),
                channel=channel,
                user=workspace.settings.slack_bot_user,
                text=text or "",
                via=via,
                blocks=named(blocks or []),
                attachments=attachments or [],
                thread_ts=arguments.get("thread_ts") or thread_ts,
                ephemeral_to=None if in_channel else user,
                metadata=_metadata(arguments.get("metadata")),
            )
        )

    def _function_done(self, arguments: Json) -> Json:
        return self._function(arguments, {"outputs": arguments.get("outputs") or {}})

    def _function_failed(self, arguments: Json) -> Json:
        return self._function(arguments, {"error": str(arguments.get("error"))})

    def _function(self, arguments: Json, outcome: Json) -> Json:
        execution = arguments.get("function_execution_id")
        if not isinstance(execution, str):
            raise SlackError("invalid_arguments")
        for hear in list(self.completed):
            hear(execution, outcome)
        return {}

    # what several methods need

    def _authorize(self, request: web.Request, arguments: Json) -> None:
        header = request.headers.get("Authorization", "")
        token = header.removeprefix("Bearer ") or arguments.get("token")
        if not token:
            raise SlackError("not_authed")
        settings = self._workspace.settings
        step = isinstance(token, str) and token.startswith("xwfp-")
        if token != settings.slack_bot_token and not step:
            raise SlackError("invalid_auth")
        team = arguments.get("team_id")
        if team is not None and team != settings.slack_team_id:
            raise SlackError("team_not_found")

    def _channel(self, given: object, *, people: bool = False) -> str:
        if isinstance(given, str) and given in self._workspace.channels:
            return given
        if people and isinstance(given, str) and given in self._workspace.users:
            return self._workspace.direct(given)
        raise SlackError("channel_not_found")

    def _thread(self, given: object, channel: str) -> str | None:
        if not given:
            return None
        if (channel, str(given)) not in self._workspace.messages:
            raise SlackError("thread_not_found")
        return str(given)

    def _own(self, arguments: Json) -> Message:
        channel = self._channel(arguments.get("channel"), people=True)
        message = self._workspace.messages.get((channel, str(arguments.get("ts"))))
        if message is None or message.deleted or message.ephemeral_to is not None:
            raise SlackError("message_not_found")
        if message.user != self._workspace.settings.slack_bot_user:
            raise SlackError("cant_update_message")
        return message

    def _content(self, arguments: Json) -> tuple[str | None, list[Json] | None, list[Json] | None]:
        text, blocks = arguments.get("text"), arguments.get("blocks")
        attachments = arguments.get("attachments")
        if text is not None and not isinstance(text, str):
            raise SlackError("invalid_arguments", ["[ERROR] text must be a string"])
        ready = self._workspace.ready
        if blocks is not None:
            problem = blocks_problem(blocks, surface="message", ready=ready)
            if problem is not None:
                raise SlackError(*problem)
        if attachments is not None:
            problem = attachments_problem(attachments, ready=ready)
            if problem is not None:
                raise SlackError(*problem)
        if not (text or blocks or attachments):
            raise SlackError("no_text")
        return text, blocks, attachments

    def _announce(self, message: Message) -> None:
        """Tell the bot of its own message, as Slack does."""
        workspace = self._workspace
        body = payloads.message_of(workspace, message)
        body["channel"] = message.channel
        body["event_ts"] = message.ts
        body["channel_type"] = "im" if message.channel.startswith("D") else "channel"
        self._outgoing.event(
            payloads.event(workspace, body, event_id="Ev" + secrets.token_hex(5).upper())
        )


async def _arguments(request: web.Request) -> Json:
    """Return the arguments of a call, from its query and its body of either kind."""
    arguments: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = orjson.loads(await request.read() or b"{}")
        except orjson.JSONDecodeError as problem:
            raise SlackError("invalid_json") from problem
        if not isinstance(body, dict):
            raise SlackError("json_not_object")
        arguments |= body
    elif request.method == "POST":
        arguments |= {k: v for k, v in (await request.post()).items() if isinstance(v, str)}
    for key in _JSON_ARGUMENTS:
        value = arguments.get(key)
        if isinstance(value, str) and value[:1] in ("[", "{"):
            try:
                arguments[key] = orjson.loads(value)
            except orjson.JSONDecodeError as problem:
                raise SlackError("invalid_arguments", [f"[ERROR] {key} is not JSON"]) from problem
    return {key: value for key, value in arguments.items() if value is not None}


def _metadata(given: object) -> Json | None:
    if given is None:
        return None
    if not isinstance(given, dict) or not isinstance(given.get("event_type"), str):
        raise SlackError("invalid_metadata_format")
    if not isinstance(given.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    return given


def _same_hash(arguments: Json, view: View) -> None:
    if arguments.get("hash") and arguments["hash"] != view.hash:
        raise SlackError("hash_conflict")


def _integer(value: object, default: int) -> int:
    try:
        return int(str(value)) if value not in (None, "") else default
    except ValueError as problem:
        raise SlackError("invalid_arguments") from problem


def _refusal(error: SlackError) -> Json:
    body: Json = {"ok": False, "error": error.error}
    if error.messages:
        body["errors"] = [message.removeprefix("[ERROR] ") for message in error.messages]
        body["response_metadata"] = {"messages": error.messages}
    return body


def _json(
    body: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    return web.Response(
        body=orjson.dumps(body),
        status=status,
        content_type="application/json",
        charset="utf-8",
        headers=headers,
    )
