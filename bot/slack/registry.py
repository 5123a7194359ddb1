"""Who handles what: features register their handlers here, by the type of what they handle.

::

    @registry.command(CampaignPause)
    async def pause(command: CampaignPause, context: Context) -> Reply: ...
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.declare import Command
from bot.slack.replies import Reply
from bot.slack.requests import Click, Event, OptionsQuery, Shortcut, Submission
from engine.ids import OrganizationId
from engine.roles import Role

C = TypeVar("C", bound=Command)
H = TypeVar("H", bound=Callable[..., Awaitable[object]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Who asked, where and when.

    Attributes:
        user_id: Empty for an event that nobody caused.
        role: None for strangers, whom only handlers of events ever see.
        channel_id: None in modals and on the home tab.
        at: Business time.
        trigger_id: Opens one modal, within 3 s of the request; None where there is none.
        client: The Web API of the organization's workspace; it never repeats a call by itself.
        respond: Says more than the handler returns; tells whether Slack took it.
    """

    organization: OrganizationId
    user_id: str
    role: Role | None
    channel_id: str | None
    at: datetime
    trigger_id: str | None
    client: AsyncWebClient
    respond: Callable[[Reply], Awaitable[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldErrors:
    """What is wrong with a modal, by the action id of the input; it stays open."""

    by_action: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowView:
    """The modal becomes another one."""

    view: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An option of a select: what is shown, what it stands for, and small print (may be empty)."""

    label: str
    value: str
    description: str = ""


Submitted = Reply | FieldErrors | ShowView | None
CommandHandler = Callable[[Any, Context], Awaitable[Reply]]
ClickHandler = Callable[[Click, Context], Awaitable[Reply | None]]
SubmissionHandler = Callable[[Submission, Context], Awaitable[Submitted]]
OptionsHandler = Callable[[OptionsQuery, Context], Awaitable[tuple[Choice, ...]]]
ShortcutHandler = Callable[[Shortcut, Context], Awaitable[Reply | None]]
EventHandler = Callable[[Event, Context], Awaitable[Reply | None]]


class AlreadyHandled(Exception):
    """Two handlers want the same; one of them would never run."""


class Registry:
    """The handlers there are. All but those of events are one per kind, and name a role."""

    def __init__(self) -> None:
        self.commands: dict[type[Command], CommandHandler] = {}
        self.clicks: dict[str, tuple[Role, ClickHandler]] = {}
        self.repeatable: set[str] = set()
        self.submissions: dict[str, tuple[Role, SubmissionHandler]] = {}
        self.queries: dict[str, tuple[Role, OptionsHandler]] = {}
        self.shortcuts: dict[str, tuple[Role, ShortcutHandler]] = {}
        self.events: dict[str, list[EventHandler]] = {}

    def without_handler(self, commands: Iterable[type[Command]]) -> tuple[str, ...]:
        """Return the names of commands nobody handles; composing the process checks for none."""
        return tuple(each.spec.name for each in commands if each not in self.commands)

    def command(
        self, command: type[C]
    ) -> Callable[
        [Callable[[C, Context], Awaitable[Reply]]], Callable[[C, Context], Awaitable[Reply]]
    ]:
        """Handle a command; its declaration names the role."""

        def register(
            handler: Callable[[C, Context], Awaitable[Reply]],
        ) -> Callable[[C, Context], Awaitable[Reply]]:
            _once(self.commands, command, handler)
            return handler

        return register

    def click(self, action_id: str, *, role: Role, once: bool = True) -> Callable[[H], H]:
        """Handle a button, select or picker; what it carries is no right, so *role* is asked.

        Args:
            once: Whether the same person's click on the same version does nothing more; not for
                what only shows something.
        """
        if not once:
            self.repeatable.add(action_id)
        return self._entry(self.clicks, action_id, role)

    def submission(self, callback_id: str, *, role: Role) -> Callable[[H], H]:
        """Handle a submitted modal."""
        return self._entry(self.submissions, callback_id, role)

    def options(self, action_id: str, *, role: Role) -> Callable[[H], H]:
        """Fill a select while somebody types."""
        return self._entry(self.queries, action_id, role)

    def shortcut(self, callback_id: str, *, role: Role) -> Callable[[H], H]:
        """Handle a shortcut."""
        return self._entry(self.shortcuts, callback_id, role)

    def event(self, kind: str) -> Callable[[EventHandler], EventHandler]:
        """Hear of every event of a kind, besides others; anybody may have caused it."""

        def register(handler: EventHandler) -> EventHandler:
            self.events.setdefault(kind, []).append(handler)
            return handler

        return register

    def _entry(self, handlers: dict[str, Any], key: str, role: Role) -> Callable[[H], H]:
        def register(handler: H) -> H:
            _once(handlers, key, (role, handler))
            return handler

        return register


def _once(handlers: dict[Any, Any], key: object, handler: object) -> None:
    if key in handlers:
        raise AlreadyHandled(f"{key!r} has a handler already")
    handlers[key] = handler
