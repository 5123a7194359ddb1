"""What people do in the pretend workspace, and how the bot answers."""

import asyncio
import mimetypes
import secrets

import orjson

from sandbox.slack import entering, payloads
from sandbox.slack.blocks import interactive, view_problem
from sandbox.slack.capture import Capture
from sandbox.slack.outgoing import Answer, Outgoing
from sandbox.slack.shapes import objects
from sandbox.slack.things import File, Message, View
from sandbox.slack.webapi import WebApi
from sandbox.slack.workspace import STATE_KEYS, SlackError, Workspace
from sandbox.wire import Json, Refused

_MOST_OPTIONS = 100

Place = tuple[Message | View, Json, Json]  # where it is, the block, the element


class Desk:
    """Acts for a user, then waits for what the bot says to it."""

    def __init__(self, workspace: Workspace, outgoing: Outgoing, api: WebApi) -> None:
        self._workspace = workspace
        self._outgoing = outgoing
        self._api = api
        self._entered: dict[tuple[str, str], Json] = {}  # state of messages with inputs

    async def command(self, *, user: str, text: str, channel: str | None, wait_ms: int) -> Json:
        """Type ``/drip <text>``."""
        workspace = self._workspace
        channel = self._channel(user, channel)
        with Capture(workspace, user=user, channel=channel) as capture:
            url = workspace.response_url(user=user, channel=channel)
            capture.key = url.rpartition("/")[2]
            settings = workspace.settings
            deadline = self._deadline(wait_ms)
            answer = await self._outgoing.form(
                {
                    "token": "sandbox",
                    "team_id": settings.slack_team_id,
                    "team_domain": "sandbox",
                    "channel_id": channel,
                    "channel_name": workspace.channels[channel]["name"],
                    "user_id": user,
                    "user_name": payloads.user_of(workspace, user)["name"],
                    "command": settings.slack_command,
                    "text": text,
                    "api_app_id": settings.slack_app_id,
                    "is_enterprise_install": "false",
                    "response_url": url,
                    "trigger_id": workspace.trigger(user),
                }
            )
            if answer.ok:
                self._body(answer, capture, user=user, channel=channel, text=text)
            return await self._outcome(answer, capture, deadline)

    async def click(
        self,
        *,
        user: str,
        action_id: str,
        block_id: str | None,
        value: object,
        message_ts: str | None,
        view_id: str | None,
        channel: str | None,
        wait_ms: int,
    ) -> Json:
        """Use an element of a message or a view."""
        workspace = self._workspace
        self._known(user)
        found = self._find(user, channel, message_ts, view_id)
        place, block, element = self._element(found, action_id, block_id, value)
        options = await self._external(user, place, block, element, value)
        action = entering.action(element, block["block_id"], value, options=options)
        action["action_ts"] = workspace.new_ts()
        state = self._state_of(place)
        if element["type"] in STATE_KEYS:
            kept = entering.entered(element, value, options=options)
            state.setdefault(block["block_id"], {})[action_id] = kept
        body = payloads.interaction(workspace, "block_actions", user)
        body["trigger_id"] = workspace.trigger(user)
        body["actions"] = [action]
        acted_on = place if isinstance(place, Message) else None
        home = acted_on.channel if acted_on else workspace.direct(user)
        with Capture(workspace, user=user, channel=home, acted_on=acted_on) as capture:
            if isinstance(place, Message):
                url = workspace.response_url(
                    user=user, channel=place.channel, message=place.ts, thread_ts=place.thread_ts
                )
                capture.key = url.rpartition("/")[2]
                body |= self._of_message(place, url)
            else:
                body["container"] = {"type": "view", "view_id": place.id}
                body["view"] = payloads.view_of(workspace, place)
            deadline = self._deadline(wait_ms)
            answer = await self._outgoing.payload(body)
            return await self._outcome(answer, capture, deadline)

    async def options(
        self,
        *,
        user: str,
        action_id: str,
        query: str,
        message_ts: str | None,
        view_id: str | None,
    ) -> Json:
        """Open a select and type *query*."""
        self._known(user)
        found = self._find(user, None, message_ts, view_id)
        place, block, element = self._element(found, action_id, None, None)
        if "external" in element["type"]:
            return await self._suggestions(user, place, block, element, query)
        fitting = [
            option
            for option in entering.offered(element)
            if query.lower() in str(option["text"]["text"]).lower()
        ]
        return {"options": fitting, "option_groups": None}

    async def submit(self, *, user: str, view_id: str, values: Json, wait_ms: int) -> Json:
        """Fill in a modal and press its button; keys of *values* are action ids."""
        workspace = self._workspace
        self._known(user)
        view = workspace.view(view_id)
        if view is None or view.kind != "modal" or view.user != user:
            raise Refused(f"no modal {view_id} of {user}", status=404)
        errors = await self._fill_in(user, view, values)
        if errors:
            return {"status": 0, "errors": errors, "replies": [], "views": [view.as_json()]}
        body = payloads.interaction(workspace, "view_submission", user)
        body["trigger_id"] = workspace.trigger(user)
        body["view"] = payloads.view_of(workspace, view)
        body["response_urls"] = []
        channel = workspace.direct(user)
        with Capture(workspace, user=user, channel=channel) as capture:
            deadline = self._deadline(wait_ms)
            answer = await self._outgoing.payload(body)
            if answer.ok:
                errors = self._submitted(view, answer, capture)
                if errors:
                    deadline = 0
            outcome = await self._outcome(answer, capture, deadline)
        return {**outcome, "errors": errors}

    async def close(self, *, user: str, view_id: str, wait_ms: int) -> Json:
        """Close a modal without sending it."""
        workspace = self._workspace
        self._known(user)
        stack = workspace.people[user].modals
        view = next((view for view in stack if view.id == view_id), None)
        if view is None:
            raise Refused(f"no modal {view_id} of {user}", status=404)
        stack.remove(view)
        workspace.views_changed()
        if not view.given.get("notify_on_close"):
            return {"status": 200, "acknowledged_ms": 0, "replies": [], "views": []}
        body = payloads.interaction(workspace, "view_closed", user)
        body["view"] = payloads.view_of(workspace, view)
        body["is_cleared"] = False
        with Capture(workspace, user=user, channel=workspace.direct(user)) as capture:
            deadline = self._deadline(wait_ms)
            return await self._outcome(await self._outgoing.payload(body), capture, deadline)

    async def say(
        self,
        *,
        user: str,
        channel: str,
        text: str,
        thread_ts: str | None,
        wait_ms: int,
        files: list[File] | None = None,
    ) -> Json:
        """Write a message, with files or without."""
        workspace = self._workspace
        channel = self._channel(user, channel)
        if thread_ts is not None and (channel, thread_ts) not in workspace.messages:
            raise Refused(f"no thread {thread_ts} in {channel}", status=404)
        message = Message(
            ts=workspace.new_ts(),
            channel=channel,
            user=user,
            text=payloads.escaped(text),
            via="upload" if files else "say",
            blocks=payloads.typed_blocks(text, secrets.token_urlsafe(4)) if text else [],
            thread_ts=thread_ts,
            files=[file.id for file in files or ()],
        )
        with Capture(workspace, user=user, channel=channel) as capture:
            workspace.post(message)
            deadline = self._deadline(wait_ms)
            for file in files or ():
                self._event(self._file_shared(file, message))
            body = payloads.message_of(workspace, message)
            body["client_msg_id"] = secrets.token_hex(16)
            body["channel"] = channel
            body["event_ts"] = message.ts
            body["channel_type"] = "im" if channel.startswith("D") else "channel"
            if f"<@{workspace.settings.slack_bot_user}>" in text and not channel.startswith("D"):
                self._event({**body, "type": "app_mention"})
            answer = await self._event(body)
            return await self._outcome(answer, capture, deadline)

    async def upload(
        self, *, user: str, channel: str, name: str, content: bytes, text: str, wait_ms: int
    ) -> Json:
        """Drop a file into a channel."""
        workspace = self._workspace
        channel = self._channel(user, channel)
        mimetype = mimetypes.guess_type(name)[0] or "application/octet-stream"
        file = workspace.new_file(name=name, size=len(content), user=user, mimetype=mimetype)
        workspace.fill(file, content)
        workspace.complete(file, title=None, channel=channel)
        file.ready_at = 0  # the client has waited for Slack to look at it
        return await self.say(
            user=user, channel=channel, text=text, thread_ts=None, wait_ms=wait_ms, files=[file]
        )

    async def shortcut(
        self, *, user: str, callback_id: str, message_ts: str | None, wait_ms: int
    ) -> Json:
        """Use a shortcut, on a message or from anywhere."""
        workspace = self._workspace
        self._known(user)
        message = self._message(message_ts) if message_ts is not None else None
        kind = "message_action" if message else "shortcut"
        body = payloads.interaction(workspace, kind, user)
        body |= {
            "callback_id": callback_id,
            "trigger_id": workspace.trigger(user),
            "action_ts": workspace.new_ts(),
        }
        channel = message.channel if message else workspace.direct(user)
        with Capture(workspace, user=user, channel=channel) as capture:
            if message is not None:
                url = workspace.response_url(user=user, channel=channel, message=message.ts)
                capture.key = url.rpartition("/")[2]
                body |= {
                    "message_ts": message.ts,
                    "message": payloads.message_of(workspace, message),
                    "channel": self._channel_name(channel),
                    "response_url": url,
                }
            deadline = self._deadline(wait_ms)
            return await self._outcome(await self._outgoing.payload(body), capture, deadline)

    async def open_home(self, *, user: str, wait_ms: int) -> Json:
        """Look at the app's home."""
        workspace = self._workspace
        self._known(user)
        channel = workspace.direct(user)
        body: Json = {
            "type": "app_home_opened",
            "user": user,
            "channel": channel,
            "tab": "home",
            "event_ts": workspace.new_ts(),
        }
        home = workspace.people[user].home
        if home is not None:
            body["view"] = payloads.view_of(workspace, home)
        with Capture(workspace, user=user, channel=channel) as capture:
            deadline = self._deadline(wait_ms)
            return await self._outcome(await self._event(body), capture, deadline)

    async def function(self, *, callback_id: str, inputs: Json, wait_ms: int) -> Json:
        """Let a workflow run a step of the app; the answer also has its ``function`` outcome."""
        workspace = self._workspace
        settings = workspace.settings
        execution = workspace.new_id("Fx")
        outcomes: list[Json] = []
        user = next(iter(workspace.users))

        def hear(done: str, outcome: Json) -> None:
            if done == execution:
                outcomes.append(outcome)
                capture.say()

        body: Json = {
            "type": "function_executed",
            "function": {
                "id": workspace.new_id("Fn"),
                "callback_id": callback_id,
                "title": callback_id,
                "description": "",
                "type": "app",
                "input_parameters": [],
                "output_parameters": [],
                "app_id": settings.slack_app_id,
                "date_created": 0,
                "date_updated": 0,
                "date_deleted": 0,
            },
            "inputs": inputs,
            "function_execution_id": execution,
            "workflow_execution_id": workspace.new_id("Wx"),
            "event_ts": workspace.new_ts(),
            "bot_access_token": "xwfp-" + secrets.token_hex(12),
        }
        with Capture(workspace, user=user, channel=workspace.direct(user)) as capture:
            self._api.completed.append(hear)
            try:
                deadline = self._deadline(wait_ms)
                outcome = await self._outcome(await self._event(body), capture, deadline)
            finally:
                self._api.completed.remove(hear)
        return {**outcome, "function": outcomes[0] if outcomes else None}

    # who, where

    def _known(self, user: str) -> None:
        if user not in self._workspace.users:
            raise Refused(f"no user {user}", status=404)

    def _channel(self, user: str, channel: str | None) -> str:
        self._known(user)
        if channel is None:
            return self._workspace.direct(user)
        known = self._workspace.channels.get(channel)
        if known is None or user not in known["members"]:
            raise Refused(f"no channel {channel} with {user} in it", status=404)
        return channel

    def _message(self, ts: str) -> Message:
        for (_, at), message in self._workspace.messages.items():
            if at == ts:
                return message
        raise Refused(f"no message {ts}", status=404)

    def _find(
        self, user: str, channel: str | None, message_ts: str | None, view_id: str | None
    ) -> list[Message | View]:
        """Where the person may look for an element, the likeliest place first."""
        workspace = self._workspace
        if view_id is not None:
            view = workspace.view(view_id)
            if view is None or view.user != user:
                raise Refused(f"no view {view_id} of {user}", status=404)
            return [view]
        if message_ts is not None:
            message = self._message(message_ts)
            if message.ephemeral_to not in (None, user):
                raise Refused(f"{user} does not see message {message_ts}", status=404)
            return [message]
        person = workspace.people[user]
        views = [*reversed(person.modals), *([person.home] if person.home else [])]
        messages = workspace.in_channel(self._channel(user, channel))
        visible = [m for m in reversed(messages) if m.ephemeral_to in (None, user)]
        return [*views, *visible] if channel is None else [*visible]

    def _element(
        self,
        places: list[Message | View],
        action_id: str,
        block_id: str | None,
        value: object,
    ) -> Place:
        """Return the first place that offers the element.

        Raises:
            Refused: 409 if the only place has offered it once, else 404.
        """
        for place in places:
            candidates = [
                (place, block, element)
                for block in _blocks(place)
                for element in interactive(block)
                if element.get("action_id") == action_id
                and (block_id is None or block.get("block_id") == block_id)
            ]
            if candidates:
                # Buttons of different blocks may share an id; then the value tells them apart.
                exact = [found for found in candidates if found[2].get("value") == value]
                return (exact or candidates)[0]
        lost = any(isinstance(place, Message) and action_id in place.lost for place in places)
        if lost:
            raise Refused(f"the message no longer has {action_id!r}", status=409)
        raise Refused(f"no element {action_id!r} there", status=404)

    def _state_of(self, place: Message | View) -> Json:
        if isinstance(place, View):
            return place.state
        return self._entered.setdefault((place.channel, place.ts), {})

    def _channel_name(self, channel: str) -> Json:
        return {"id": channel, "name": self._workspace.channels[channel]["name"]}

    def _of_message(self, message: Message, url: str) -> Json:
        hidden = message.ephemeral_to is not None
        container: Json = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": message.channel,
            "is_ephemeral": hidden,
        }
        if message.thread_ts is not None:
            container["thread_ts"] = message.thread_ts
        body: Json = {
            "container": container,
            "channel": self._channel_name(message.channel),
            "state": {"values": self._entered.get((message.channel, message.ts), {})},
            "response_url": url,
        }
        if not hidden:  # Slack does not send an ephemeral message back
            body["message"] = payloads.message_of(self._workspace, message)
        return body

    # what comes back

    def _deadline(self, wait_ms: int) -> float:
        return self._workspace.clock.monotonic() + wait_ms / 1000

    async def _outcome(self, answer: Answer, capture: Capture, deadline: float) -> Json:
        await capture.settled(deadline=deadline)
        return {
            "status": answer.status,
            "acknowledged_ms": answer.milliseconds,
            **capture.answers(),
        }

    def _body(
        self, answer: Answer, capture: Capture, *, user: str, channel: str, text: str
    ) -> None:
        """Show what the acknowledgement of a command itself says."""
        said = _said(answer.body)
        if said is None:
            return
        workspace = self._workspace
        if said.get("response_type") == "in_channel":
            command = f"{workspace.settings.slack_command} {text}".strip()
            workspace.post(
                Message(
                    ts=workspace.new_ts(),
                    channel=channel,
                    user=user,
                    text=payloads.escaped(command),
                    via="command",
                )
            )
        workspace.answering = capture.key
        try:
            self._api.answer(said, user=user, channel=channel, original=None, via="response")
        except SlackError as error:
            workspace.refused("response", error, said)
        finally:
            workspace.answering = None

    def _submitted(self, view: View, answer: Answer, capture: Capture) -> dict[str, str]:
        """Do what the answer to a submission asks; return the errors to show."""
        workspace = self._workspace
        stack = workspace.people[view.user].modals
        said = _said(answer.body) or {}
        try:
            match said.get("response_action"):
                case None:
                    if view in stack:
                        stack.remove(view)
                    workspace.views_changed()
                case "clear":
                    stack.clear()
                    workspace.views_changed()
                case "errors":
                    return _errors(said.get("errors"), view)
                case "update":
                    workspace.update_view(view, self._modal(said.get("view")))
                case "push":
                    pushed = workspace.new_view(
                        user=view.user, given=self._modal(said.get("view")), previous=view
                    )
                    stack.append(pushed)
                    workspace.view_changed(pushed)
                case other:
                    error = SlackError(f"invalid_response_action: {other}")
                    return self._misunderstood(error, said, capture)
        except SlackError as error:
            return self._misunderstood(error, said, capture)
        return {}

    def _misunderstood(self, error: SlackError, said: Json, capture: Capture) -> dict[str, str]:
        self._workspace.refused("view_submission", error, said)
        capture.say()
        return {"": "; ".join([error.error, *error.messages])}

    def _modal(self, given: object) -> Json:
        size = len(orjson.dumps(given))
        problem = view_problem(given, kind="modal", size=size, ready=self._workspace.ready)
        if problem is not None:
            raise SlackError(*problem)
        if not isinstance(given, dict):
            raise SlackError("invalid_arguments")
        return given

    async def _fill_in(self, user: str, view: View, values: Json) -> dict[str, str]:
        """Enter *values*, and return what Slack's own client would complain of."""
        left = dict(values)
        errors: dict[str, str] = {}
        for block in view.given["blocks"]:
            for element in interactive(block):
                action_id = element["action_id"]
                entered = view.state.setdefault(block["block_id"], {})
                if action_id in left:
                    value = left.pop(action_id)
                    options = await self._external(user, view, block, element, value)
                    entered[action_id] = entering.entered(element, value, options=options)
                if block["type"] == "input":
                    problem = _complaint(block, element, entered.get(action_id))
                    if problem is not None:
                        errors[block["block_id"]] = problem
        if left:
            raise Refused(f"no element {min(left)!r} in the modal", status=404)
        self._workspace.views_changed()
        return errors

    async def _external(
        self, user: str, place: Message | View, block: Json, element: Json, value: object
    ) -> list[Json] | None:
        """Ask the bot for the options of an external select, to pick *value* from."""
        if "external" not in element["type"] or value is None:
            return None
        found: list[Json] = []
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                found.append(part)
                continue
            answer = await self._suggestions(user, place, block, element, str(part))
            options = entering.offered(answer)
            if part not in [option.get("value") for option in options]:
                answer = await self._suggestions(user, place, block, element, "")
                options += entering.offered(answer)
            found += options
        return found

    async def _suggestions(
        self, user: str, place: Message | View, block: Json, element: Json, query: str
    ) -> Json:
        workspace = self._workspace
        body = payloads.interaction(workspace, "block_suggestion", user)
        body |= {
            "action_id": element["action_id"],
            "block_id": block["block_id"],
            "value": query,
        }
        if isinstance(place, View):
            body["container"] = {"type": "view", "view_id": place.id}
            body["view"] = payloads.view_of(workspace, place)
        else:
            body |= {
                "container": {
                    "type": "message",
                    "message_ts": place.ts,
                    "channel_id": place.channel,
                    "is_ephemeral": place.ephemeral_to is not None,
                },
                "channel": self._channel_name(place.channel),
                "message": payloads.message_of(workspace, place),
            }
        answer = await self._outgoing.payload(body)
        said = (_said(answer.body) or {}) if answer.ok else {}
        options, groups = said.get("options"), said.get("option_groups")
        if not answer.ok or (options is None) == (groups is None) or _too_many(options, groups):
            error = SlackError("invalid_options")
            workspace.refused("block_suggestion", error, {"status": answer.status, "said": said})
            raise Refused(f"the bot gave no valid options (status {answer.status})", status=502)
        return {"options": options, "option_groups": groups}

    def _event(self, body: Json) -> asyncio.Future[Answer]:
        """Send an event; the future holds the answer to the first try."""
        first: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def heard(answer: Answer) -> None:
            if not first.done():
                first.set_result(answer)

        envelope = payloads.event(
            self._workspace, body, event_id="Ev" + secrets.token_hex(5).upper()
        )
        self._outgoing.event(envelope, heard)
        return first

    def _file_shared(self, file: File, message: Message) -> Json:
        return {
            "type": "file_shared",
            "file_id": file.id,
            "user_id": message.user,
            "file": {"id": file.id},
            "channel_id": message.channel,
            "event_ts": message.ts,
        }


def _blocks(place: Message | View) -> list[Json]:
    if isinstance(place, View):
        return objects(place.given["blocks"])
    blocks = list(place.blocks)
    for attachment in place.attachments:
        blocks += objects(attachment.get("blocks"))
    return blocks


def _said(body: bytes) -> Json | None:
    """Return what an acknowledgement says: JSON, or plain text as a message; None: nothing."""
    text = body.decode(errors="replace").strip()
    if not text:
        return None
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {"text": text}
    return said or None if isinstance(said, dict) else {"text": text}


def _errors(given: object, view: View) -> dict[str, str]:
    inputs = {block["block_id"] for block in view.given["blocks"] if block["type"] == "input"}
    if not isinstance(given, dict) or not given:
        raise SlackError("invalid_errors")
    for block_id, text in given.items():
        if block_id not in inputs or not isinstance(text, str):
            raise SlackError(f"invalid_errors: {block_id}")
    return given


def _complaint(block: Json, element: Json, value: Json | None) -> str | None:
    if entering.empty(value):
        if block.get("optional") is True:
            return None
        return "Please complete this required field."
    return entering.too_long_or_short(element, value or {})


def _too_many(options: object, groups: object) -> bool:
    listed = objects(options)
    for group in objects(groups):
        listed += objects(group.get("options"))
    return len(listed) > _MOST_OPTIONS
