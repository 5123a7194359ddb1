"""What the bot says because of what a person did."""

import asyncio
from typing import Self

from sandbox.slack.things import Message, View
from sandbox.slack.workspace import Workspace
from sandbox.wire import Json

_QUIET = 0.2  # seconds without another word
_LOOK = 0.01


class Capture:
    """Listens from just before the person acts until the bot has had its say.

    It takes what comes through the act's own response_url, ephemerals to the person, the
    bot's messages in the channel and in the person's direct channel, edits of those and of the
    message acted upon, and the person's views. Another channel's messages are not answers.
    """

    def __init__(
        self, workspace: Workspace, *, user: str, channel: str, acted_on: Message | None = None
    ) -> None:
        self._workspace = workspace
        self._user = user
        self._channels = {channel, workspace.direct(user)}
        self._acted_on = acted_on
        self.key: str | None = None  # of the act's response_url
        self._replies: dict[tuple[str, str], Message] = {}
        self._views: dict[str, View] = {}
        self._last: float | None = None

    def __enter__(self) -> Self:
        self._workspace.heard.append(self._hear)
        self._workspace.seen.append(self._see)
        return self

    def __exit__(self, *_: object) -> None:
        self._workspace.heard.remove(self._hear)
        self._workspace.seen.remove(self._see)

    def say(self) -> None:
        """Something was said that is neither a message nor a view."""
        self._last = self._workspace.clock.monotonic()

    async def settled(self, *, deadline: float) -> None:
        """Wait until something was said and then nothing more, at most until *deadline*."""
        clock = self._workspace.clock
        while (now := clock.monotonic()) < deadline:
            if self._last is not None and now - self._last >= _QUIET:
                return
            await asyncio.sleep(_LOOK)

    def answers(self) -> Json:
        """``{replies, views}`` as they stand now."""
        return {
            "replies": [self._workspace.shown(message) for message in self._replies.values()],
            "views": [view.as_json() for view in self._views.values()],
        }

    def _hear(self, message: Message) -> None:
        if self._is_answer(message):
            self._replies[message.channel, message.ts] = message
            self.say()

    def _is_answer(self, message: Message) -> bool:
        if self._workspace.answering is not None:
            return self._workspace.answering == self.key
        if (message.channel, message.ts) in self._replies or message is self._acted_on:
            return True
        if message.user != self._workspace.settings.slack_bot_user:
            return False
        if message.edited or message.deleted:
            return False
        if message.ephemeral_to is not None:
            return message.ephemeral_to == self._user
        return message.channel in self._channels

    def _see(self, view: View) -> None:
        if view.user == self._user:
            self._views[view.id] = view
            self.say()
