"""A verified request on its way to its handler, and the answer on its way back.

slack-bolt carries it, with one listener per kind that hands over to our registry: whatever a
handler does, Slack gets its answer in three seconds and the person is told how it ended.
"""

import asyncio
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import structlog
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import help as told
from bot.slack.answers import Answers
from bot.slack.background import Background
from bot.slack.blocks import plain_text
from bot.slack.clicks import Value
from bot.slack.grammar import HelpWanted, Language, NotUnderstood
from bot.slack.language.general import Help
from bot.slack.once import Claims, held, won
from bot.slack.registry import Choice, Context, FieldErrors, Registry, ShowView
from bot.slack.replies import Address, Reply, body_of, deliver, posted_to
from bot.slack.requests import (
    Click,
    Event,
    OptionsQuery,
    Other,
    Request,
    Shortcut,
    Slash,
    Submission,
)
from bot.slack.staff import Staff
from bot.slack.workspace import Workspace, Workspaces
from engine.clock import Clock
from engine.roles import Role
from storage.slack_requests import Claim, Taken

_PATIENCE: Final = 2.0  # seconds a handler may take to answer in the response; Slack waits 3
_ANYTHING: Final = re.compile(".*", re.DOTALL)
_ARRIVAL: Final = "dripline_arrival"
_OPTIONS: Final = 100
_OPTION: Final = 75
_OPTION_VALUE: Final = 150

Ack = Callable[..., Awaitable[BoltResponse]]
T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request whose workspace is known.

    Attributes:
        handled: Says whether an event is done, by us now or by anybody before; False: it failed, or
            another process is at it.
    """

    request: Request
    workspace: Workspace
    handled: "asyncio.Future[bool]"


class Dispatcher:
    """Brings requests to their handlers."""

    def __init__(
        self,
        *,
        registry: Registry,
        language: Language,
        workspaces: Workspaces,
        staff: Staff,
        claims: Claims,
        answers: Answers,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._language = language
        self._workspaces = workspaces
        self._staff = staff
        self._claims = claims
        self._answers = answers
        self._clock = clock
        self._background = Background()
        self._bolt = self._listening()

    async def dispatch(self, arrival: Arrival) -> BoltResponse:
        """Return what Slack is to be answered; handlers that take longer go on behind it."""
        return await self._bolt.async_dispatch(
            AsyncBoltRequest(
                # Only what bolt needs to route: it trips over shapes that it does not expect.
                body=_envelope(arrival),
                mode="socket_mode",
                context={_ARRIVAL: arrival},
            )
        )

    async def drain(self, seconds: float) -> None:
        """Let handlers that are under way end."""
        await self._background.drain(seconds)

    def _listening(self) -> AsyncApp:
        client = AsyncWebClient(retry_handlers=[])
        client.proxy = None
        app = AsyncApp(
            name="dripline",
            logger=logging.getLogger("dripline.bolt"),
            client=client,
            # Never read: the door has verified already. Absent, bolt looks into the environment.
            signing_secret="verified-by-the-door",  # noqa: S106 — no secret
            authorize=_authorize,
            request_verification_enabled=False,
            ssl_check_enabled=False,
            url_verification_enabled=False,
            attaching_function_token_enabled=False,
        )
        app.command(_ANYTHING)(self._on_command)
        app.event(_ANYTHING)(self._on_event)
        app.action(_ANYTHING)(self._on_click)
        app.view(_ANYTHING)(self._on_submission)
        app.options(_ANYTHING)(self._on_options)
        app.shortcut(_ANYTHING)(self._on_shortcut)
        return app

    async def _on_command(self, ack: Ack, context: Mapping[str, Any]) -> None:
        arrival: Arrival = context[_ARRIVAL]
        answer = self._background.start(self._answered(arrival, self._command(arrival)))
        await asyncio.wait({answer}, timeout=_PATIENCE)
        reply = answer.result() if answer.done() else None
        if reply is None or reply.thread_ts is not None:
            await ack()
            self._background.start(self._said_later(arrival, answer))
        else:
            await ack(**body_of(reply))

    async def _on_event(self, context: Mapping[str, Any]) -> None:
        arrival: Arrival = context[_ARRIVAL]
        self._background.start(self._event(arrival))

    async def _on_click(self, ack: Ack, context: Mapping[str, Any]) -> None:
        arrival: Arrival = context[_ARRIVAL]
        await ack()
        answer = self._background.start(self._answered(arrival, self._click(arrival)))
        self._background.start(self._said_later(arrival, answer))

    async def _on_shortcut(self, ack: Ack, context: Mapping[str, Any]) -> None:
        arrival: Arrival = context[_ARRIVAL]
        await ack()
        answer = self._background.start(self._answered(arrival, self._shortcut(arrival)))
        self._background.start(self._said_later(arrival, answer))

    async def _on_submission(self, ack: Ack, context: Mapping[str, Any]) -> None:
        arrival: Arrival = context[_ARRIVAL]
        submission = arrival.request
        if not isinstance(submission, Submission):
            await ack()
            return
        answer = self._background.start(self._submitted(arrival, submission))
        await asyncio.wait({answer}, timeout=_PATIENCE)
        result = answer.result() if answer.done() else None
        match result:
            case FieldErrors(by_action=errors):
                known = {submission.blocks.get(each, each): text for each, text in errors.items()}
                await ack(response_action="errors", errors=known)
            case ShowView(view=view):
                await ack(response_action="update", view=dict(view))
            case _:
                # Slow or done, the modal closes; what is left to say comes as a message.
                await ack()
                self._background.start(self._said_later(arrival, answer))

    async def _on_options(self, ack: Ack, context: Mapping[str, Any]) -> None:
        arrival: Arrival = context[_ARRIVAL]
        answer = self._background.start(self._choices(arrival))
        await asyncio.wait({answer}, timeout=_PATIENCE)
        choices = answer.result() if answer.done() else ()
        await ack(options=[_option(each) for each in choices[:_OPTIONS]])

    async def _command(self, arrival: Arrival) -> Reply:
        slash = arrival.request
        assert isinstance(slash, Slash)  # noqa: S101 — bolt routes by the kind we gave it
        workspace = arrival.workspace
        role = await self._role(arrival)
        if role is None:
            return Reply(message=told.stranger(workspace))
        parsed = self._language.parse(slash.text)
        if isinstance(parsed, Help):
            topic = self._language.topic(parsed.command or "")
            parsed = HelpWanted(topic=topic) if isinstance(topic, tuple) else topic
        if isinstance(parsed, HelpWanted):
            return Reply(message=told.page(self._language, parsed.topic))
        if isinstance(parsed, NotUnderstood):
            return Reply(message=told.misunderstood(parsed))
        least = parsed.spec.role
        if not role.covers(least):
            what = f"/drip {parsed.spec.name}"
            return Reply(message=told.not_yours(workspace, what=what, role=role, least=least))
        handler = self._registry.commands[type(parsed)]
        return await handler(parsed, self._context(arrival, role))

    async def _click(self, arrival: Arrival) -> Reply | None:
        click = arrival.request
        assert isinstance(click, Click)  # noqa: S101 — bolt routes by the kind we gave it
        handled = self._registry.clicks.get(click.action_id)
        if handled is None:
            return None  # a button that opens an address is reported as well
        least, handler = handled
        role = await self._role(arrival)
        refusal = self._refusal(arrival, role=role, least=least, what="That")
        if refusal is not None:
            return refusal
        context, key = self._context(arrival, role), _click_key(click)
        if key is None or click.action_id in self._registry.repeatable:
            return await handler(click, context)
        claim = await self._won(arrival, key)
        if claim is None:
            return None
        async with held(self._claims, claim) as hold:
            reply = await handler(click, context)
            # What did not happen may be clicked again.
            hold.undone = reply is not None and reply.undone
            return reply

    async def _shortcut(self, arrival: Arrival) -> Reply | None:
        shortcut = arrival.request
        assert isinstance(shortcut, Shortcut)  # noqa: S101 — bolt routes by the kind we gave it
        handled = self._registry.shortcuts.get(shortcut.callback_id)
        if handled is None:
            return None
        least, handler = handled
        role = await self._role(arrival)
        refusal = self._refusal(arrival, role=role, least=least, what="That")
        return refusal or await handler(shortcut, self._context(arrival, role))

    async def _submitted(
        self, arrival: Arrival, submission: Submission
    ) -> Reply | FieldErrors | ShowView | None:
        handled = self._registry.submissions.get(submission.callback_id)
        if handled is None:
            return None
        least, handler = handled
        try:
            role = await self._role(arrival)
            refusal = self._refusal(arrival, role=role, least=least, what="That")
            if refusal is not None:
                return refusal
            claim = await self._won(arrival, f"submit:{submission.view_id}:{submission.view_hash}")
            if claim is None:
                return None
            async with held(self._claims, claim) as hold:
                result = await handler(submission, self._context(arrival, role))
                # The same modal comes again, corrected.
                hold.undone = isinstance(result, FieldErrors)
                return result
        except Exception as error:  # noqa: BLE001 — the boundary: what a handler raises ends here
            return self._apology(arrival, error)

    async def _choices(self, arrival: Arrival) -> tuple[Choice, ...]:
        query = arrival.request
        if not isinstance(query, OptionsQuery) or query.action_id not in self._registry.queries:
            return ()
        least, handler = self._registry.queries[query.action_id]
        try:
            role = await self._role(arrival)
            if role is None or not role.covers(least):
                return ()
            return await handler(query, self._context(arrival, role))
        except Exception as error:  # noqa: BLE001 — the boundary: a menu that breaks is empty
            self._apology(arrival, error)
            return ()

    async def _event(self, arrival: Arrival) -> None:
        event = arrival.request
        assert isinstance(event, Event)  # noqa: S101 — bolt routes by the kind we gave it
        done = False
        try:
            done = await self._heard(arrival, event)
        except Exception as error:  # noqa: BLE001 — the boundary: Slack repeats an event that failed
            self._apology(arrival, error)
        finally:
            _settle(arrival.handled, done=done)

    async def _heard(self, arrival: Arrival, event: Event) -> bool:
        """Let every handler hear of it, unless they did; return whether that is done."""
        handlers = self._registry.events.get(event.type)
        if not handlers:
            return True
        organization = arrival.workspace.organization
        key = f"event:{event.event_id}"
        claim = await self._claims.claim(organization, key, self._clock.now())
        if isinstance(claim, Taken):
            log.info("slack.repeated", organization=organization, standing=claim.name.lower())
            return claim is Taken.DONE
        async with held(self._claims, claim):
            role = await self._role(arrival)
            for handler in handlers:
                reply = await handler(event, self._context(arrival, role))
                if reply is not None:
                    await self._say(arrival, reply)
        return True

    async def _answered(self, arrival: Arrival, answering: Awaitable[Reply | None]) -> Reply | None:
        try:
            return await answering
        except Exception as error:  # noqa: BLE001 — the boundary: what a handler raises ends here
            return self._apology(arrival, error)

    def _apology(self, arrival: Arrival, error: Exception) -> Reply:
        """Log what a handler raised; return what the person is told of it."""
        reference = secrets.token_hex(4)
        log.error(
            "slack.handler_failed",
            exc_info=error,
            reference=reference,
            organization=arrival.workspace.organization,
            request=type(arrival.request).__name__,
        )
        return Reply(message=told.failed(reference))

    async def _said_later(self, arrival: Arrival, answer: "asyncio.Task[Any]") -> None:
        reply = await answer
        match reply:
            case Reply():
                await self._say(arrival, reply)
            case FieldErrors(by_action=errors):
                # The modal closed before we knew; the texts are all that can still be said.
                sentence = " ".join(errors.values())
                wrong = NotUnderstood(sentence=sentence, example="/drip help", topic=())
                await self._say(arrival, Reply(message=told.misunderstood(wrong)))
            case _:
                pass

    async def _say(self, arrival: Arrival, reply: Reply) -> bool:
        origin = arrival.request.origin
        address = Address(
            organization=arrival.workspace.organization,
            user_id=origin.user_id,
            channel_id=origin.channel_id,
            response_url=origin.response_url,
        )
        channel = posted_to(reply, to=address)
        if isinstance(arrival.request, Event) and channel is not None:
            await self._answers.keep(address.organization, channel=channel, reply=reply)
            return True
        return await deliver(reply, to=address, workspaces=self._workspaces)

    async def _won(self, arrival: Arrival, key: str) -> Claim | None:
        return await won(self._claims, arrival.workspace.organization, key, self._clock.now())

    async def _role(self, arrival: Arrival) -> Role | None:
        user_id = arrival.request.origin.user_id
        return None if user_id is None else await self._staff.role(arrival.workspace, user_id)

    def _refusal(
        self, arrival: Arrival, *, role: Role | None, least: Role, what: str
    ) -> Reply | None:
        if role is None:
            return Reply(message=told.stranger(arrival.workspace))
        if role.covers(least):
            return None
        refused = told.not_yours(arrival.workspace, what=what, role=role, least=least)
        return Reply(message=refused)

    def _context(self, arrival: Arrival, role: Role | None) -> Context:
        origin = arrival.request.origin

        async def respond(reply: Reply) -> bool:
            return await self._say(arrival, reply)

        return Context(
            organization=arrival.workspace.organization,
            user_id=origin.user_id or "",
            role=role,
            channel_id=origin.channel_id,
            at=self._clock.now(),
            trigger_id=origin.trigger_id,
            client=self._workspaces.client(arrival.workspace.organization),
            respond=respond,
        )


def _settle(handled: "asyncio.Future[bool]", *, done: bool) -> None:
    # Whoever waited may have been cancelled with the request.
    if not handled.done():
        handled.set_result(done)


async def _authorize(context: Mapping[str, Any]) -> AuthorizeResult:
    arrival: Arrival = context[_ARRIVAL]
    request = arrival.request
    return AuthorizeResult(
        enterprise_id=None,
        team_id=arrival.workspace.team_id,
        bot_token=arrival.workspace.bot_token,
        # By this bolt leaves out what we said ourselves.
        bot_user_id=request.bot_user_id if isinstance(request, Event) else None,
    )


def _envelope(arrival: Arrival) -> dict[str, Any]:
    """Return the least of Slack's own form by which bolt finds the listener."""
    request, team = arrival.request, {"id": arrival.workspace.team_id}
    user = {"id": request.origin.user_id}
    match request:
        case Slash():
            return {"command": request.command, "team_id": team["id"], "user_id": user["id"]}
        case Event():
            event = {"type": request.type, "user": user["id"]}
            return {"type": "event_callback", "team_id": team["id"], "event": event}
        case Click():
            action = {"type": "button", "action_id": request.action_id, "block_id": ""}
            return {"type": "block_actions", "actions": [action], "team": team, "user": user}
        case Submission():
            view = {"type": "modal", "callback_id": request.callback_id}
            return {"type": "view_submission", "view": view, "team": team, "user": user}
        case OptionsQuery():
            asked = {"action_id": request.action_id, "block_id": "", "value": ""}
            return {"type": "block_suggestion", "team": team, "user": user} | asked
        case Shortcut():
            called = {"callback_id": request.callback_id}
            return {"type": "shortcut", "team": team, "user": user} | called
        case Other():
            raise ValueError("nobody listens to other requests")


def _click_key(click: Click) -> str | None:
    """Return what makes a second click the same; None for those that carry no version."""
    if Value.parse(click.value) is None:
        return None
    return f"click:{click.origin.user_id}:{click.action_id}:{click.value}"


def _option(choice: Choice) -> dict[str, Any]:
    option: dict[str, Any] = {
        "text": plain_text(choice.label, _OPTION),
        "value": choice.value[:_OPTION_VALUE],
    }
    if choice.description:
        option["description"] = plain_text(choice.description, _OPTION)
    return option
