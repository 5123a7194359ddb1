"""Posting once: intent, post, ts; and looking up what a crash left in doubt.

Slack has no key that makes a post happen once. So the intent is committed before the call, the
message carries our key as metadata, and an intent without a ts is looked for in the channel before
it is posted again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeVar

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.blocks import Message
from bot.slack.files import uploaded
from bot.slack.limiter import Limiter
from bot.slack.workspace import refusal
from engine.clock import Clock
from engine.ids import BlobId, OrganizationId
from storage import blobs, slack_posts
from storage.database import Database, Unit
from storage.slack_posts import Post

T = TypeVar("T")

EVENT_TYPE: Final = "dripline"
_BETWEEN: Final = " "  # keys in the metadata of a message that stands for several

_LOOK_BACK: Final = timedelta(minutes=5)  # Slack's clock and ours may differ
_PAGES: Final = 10
_PAGE: Final = 200
_SERVER_ERROR: Final = 500
_TOO_MANY: Final = 429
_REST: Final = 5.0  # seconds, where Slack does not say how long
_SHORT: Final = 1.0
_LONG: Final = 30.0

# Not about this message: the same call may succeed later.
_PASSING: Final = frozenset(
    {
        "accesslimited",
        "fatal_error",
        "internal_error",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)
# Not about this message: somebody has to mend the connection to the workspace first.
_UNCONNECTED: Final = frozenset(
    {
        "account_inactive",
        "invalid_auth",
        "missing_scope",
        "not_authed",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    }
)
_GONE: Final = frozenset({"message_not_found"})
# Older clients and workspaces do not know every block; the text says the same.
_BLOCKS_REFUSED: Final = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "only_one_table_allowed"}
)
_ADVICE: Final = {
    "channel_not_found": "Invite the bot to the channel, or correct its id in the configuration.",
    "not_in_channel": "Invite the bot to the channel.",
    "is_archived": "Unarchive the channel, or name another one in the configuration.",
    "missing_scope": "Add the scopes of the app's manifest, and install the app again.",
}
_GENERAL_ADVICE: Final = "Look up Slack's word for it under chat.postMessage, “Errors”."

log = structlog.get_logger(__name__)


class SlackAway(Exception):
    """Slack cannot be reached or does not want us now; the same may be tried after a while.

    Attributes:
        seconds: How long to wait before that.
        in_doubt: Whether Slack may have done what it was asked.
    """

    def __init__(self, why: str, *, seconds: float, in_doubt: bool = True) -> None:
        super().__init__(why)
        self.seconds = seconds
        self.in_doubt = in_doubt


class Stopped(Exception):
    """The process is stopping, or another one posts for this organization now."""


class Refused(Exception):
    """Slack does not take this message, now or later."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class Gone(Exception):
    """Somebody deleted the message that was to be edited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Poster:
    """Posts and edits for one organization while this process holds its relay.

    Attributes:
        may_call: Waits until the lease is known to be ours; False: it will not be any more, or the
            process stops.
        pause: Waits so many seconds, less when the process stops.
        unposted: Keys of intents that Slack has surely not posted, so that nobody looks for them.
        turns: By channel: held by whoever posts to it next.
    """

    organization: OrganizationId
    client: AsyncWebClient
    database: Database
    clock: Clock
    limiter: Limiter
    may_call: Callable[[], Awaitable[bool]]
    pause: Callable[[float], Awaitable[None]]
    unposted: set[str] = field(default_factory=set)
    turns: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def post(
        self,
        *,
        key: str,
        channel: str,
        thread_ts: str | None,
        message: Message,
        together: Sequence[str] = (),
        digest: str | None = None,
        final: bool = False,
    ) -> str:
        """Post *message* once under *key* and return its ts; the ts there is, if it was posted.

        Args:
            together: Further keys that the message stands for, of which none was tried before.

        Raises:
            Refused: Slack does not take it; the reason is kept with the post.
            SlackAway: Nothing, or nobody knows what, happened; try again after a while.
            Stopped: Nothing happened.
        """
        known = await self.run(lambda unit: slack_posts.find(unit, key=key))
        if known is not None and known.ts is not None:
            return known.ts
        if known is not None and known.error is None and key not in self.unposted:
            found = await self._look_up(known)
            if found is not None:
                log.info("slack.post_found", organization=self.organization, key=key)
                await self._record([key], known.channel, found, digest=digest, final=final)
                return found
        await self._turn(channel)
        keys = [key, *together]
        await self.run(
            lambda unit: slack_posts.intend(unit, keys=keys, channel=channel, thread_ts=thread_ts)
        )
        # From here on in doubt, whatever was known of an earlier try.
        self.unposted.difference_update(keys)
        content = _content(channel, message, keys=keys)
        if thread_ts is not None:
            content["thread_ts"] = thread_ts
        try:
            answer = await self._call(
                self.client.chat_postMessage,
                content | {"unfurl_links": False, "unfurl_media": False},
                rest=lambda until: self.limiter.rest_channel(channel, until=until),
            )
        except Refused as refused:
            error = refused.error
            await self.run(lambda unit: slack_posts.refused(unit, keys=keys, error=error))
            raise
        except SlackAway as away:
            if not away.in_doubt:
                self.unposted.update(keys)
            raise
        ts, where = str(answer["ts"]), str(answer.get("channel") or channel)
        await self._record(keys, where, ts, digest=digest, final=final)
        return ts

    async def untried(self, keys: Sequence[str]) -> frozenset[str]:
        """Return those of *keys* that are surely not posted."""
        tried = await self.run(lambda unit: slack_posts.intended(unit, keys=keys))
        return frozenset(keys) - (tried - self.unposted)

    async def share(self, *, key: str, channel: str, thread_ts: str | None, blob: BlobId) -> None:
        """Share a file under *key*; one that is gone is left out.

        After a crash in the middle it may be there twice: a share carries no key of ours.

        Raises:
            Refused, SlackAway, Stopped: See `post`.
        """
        if await self.run(lambda unit: slack_posts.find(unit, key=key)) is not None:
            return
        file = await self.run(lambda unit: blobs.find(unit, blob=blob))
        if file is None or file.size == 0:
            return
        # A file takes no turn: posts of a channel are counted by chat.postMessage alone.
        announced = await self._call(
            self.client.files_getUploadURLExternal,
            {"filename": file.name, "length": file.size},
            rest=lambda _: None,
        )
        content = blobs.read(self.database, self.organization, self.clock.now(), blob=blob)
        try:
            await uploaded(self.client, announced["upload_url"], content, size=file.size)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SlackAway(type(error).__name__, seconds=_SHORT) from error
        shared: dict[str, Any] = {
            "files": [{"id": announced["file_id"], "title": file.name}],
            "channel_id": channel,
        }
        if thread_ts is not None:
            shared["thread_ts"] = thread_ts
        await self._call(
            self.client.files_completeUploadExternal,
            shared,
            rest=lambda until: self.limiter.rest_channel(channel, until=until),
        )
        await self.run(
            lambda unit: slack_posts.intend(unit, keys=[key], channel=channel, thread_ts=thread_ts)
        )
        await self._record([key], channel, str(announced["file_id"]), digest=None, final=False)

    async def edit(self, post: Post, message: Message, *, digest: str, final: bool) -> bool:
        """Show *message* in the place of *post*; False: too many edits were made, try later.

        Raises:
            Gone, Refused, SlackAway, Stopped: See there.
        """
        if self.limiter.edit_wait(now=self.clock.monotonic()) > 0:
            return False
        content = _content(post.channel, message, keys=[post.key]) | {"ts": post.ts}
        try:
            await self._call(
                self.client.chat_update,
                content,
                rest=lambda until: self.limiter.rest_edits(until=until),
            )
        except Refused as refused:
            if refused.error in _GONE:
                raise Gone from None
            error = refused.error
            await self.run(lambda unit: slack_posts.refused(unit, keys=[post.key], error=error))
            raise
        await self.run(
            lambda unit: slack_posts.shown(unit, key=post.key, digest=digest, final=final)
        )
        return True

    async def _call(
        self,
        method: Callable[..., Awaitable[Any]],
        content: dict[str, Any],
        *,
        rest: Callable[[float], None],
    ) -> Any:  # noqa: ANN401 — the SDK's response, read by the caller
        """Call Slack, with the text alone where it refuses the blocks."""
        if not await self.may_call():
            raise Stopped
        try:
            return await method(**content)
        except SlackApiError as error:
            why = refusal(error)
            if why in _BLOCKS_REFUSED and "blocks" in content:
                log.warning("slack.blocks_refused", organization=self.organization, error=why)
                # An empty list takes away the blocks an edited message had.
                return await self._call(method, content | {"blocks": []}, rest=rest)
            raise self._translated(error, why, rest) from None
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            # ValueError: what answered was not JSON, so not Slack.
            raise SlackAway(type(error).__name__, seconds=_SHORT) from error

    def _translated(
        self, error: SlackApiError, why: str, rest: Callable[[float], None]
    ) -> SlackAway | Refused:
        status = getattr(error.response, "status_code", 0)
        if status == _TOO_MANY or why == "ratelimited":
            seconds = _retry_after(error)
            rest(self.clock.monotonic() + seconds)
            log.warning("slack.slowed_down", organization=self.organization, seconds=seconds)
            return SlackAway(why, seconds=seconds, in_doubt=False)
        if status >= _SERVER_ERROR or why in _PASSING or why.startswith("HTTP "):
            return SlackAway(why, seconds=_SHORT)
        if why in _UNCONNECTED:
            advice = _ADVICE.get(why, "Correct the bot token of the organization.")
            log.error("slack.unconnected", organization=self.organization, error=why, advice=advice)
            return SlackAway(why, seconds=_LONG, in_doubt=False)
        return Refused(why)

    async def _look_up(self, intent: Post) -> str | None:
        """Return the ts of the message that carries the intent's key; None: there is none."""
        asked: dict[str, Any] = {
            "channel": intent.channel,
            "oldest": f"{(intent.intended_at - _LOOK_BACK).timestamp():.6f}",
            "include_all_metadata": True,
            "limit": _PAGE,
        }
        method: Callable[..., Awaitable[Any]] = self.client.conversations_history
        if intent.thread_ts is not None:
            method = self.client.conversations_replies
            asked |= {"ts": intent.thread_ts}
        for _ in range(_PAGES):
            try:
                answer = await self._call(method, asked, rest=lambda _: None)
            except Refused as refused:
                # The channel itself is the trouble, and posting will say so; nothing was posted.
                log.warning("slack.look_up_refused", error=refused.error, key=intent.key)
                return None
            for each in answer.get("messages") or ():
                if intent.key in _keys_of(each):
                    return str(each["ts"])
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
            asked["cursor"] = cursor
        return None

    async def _turn(self, channel: str) -> None:
        """Wait until *channel* may be posted to."""
        # Whoever asks first is served first: of two lines of a channel, by turns.
        async with self.turns[channel]:
            while (seconds := self.limiter.post_wait(channel, now=self.clock.monotonic())) > 0:
                await self.pause(seconds)
                if not await self.may_call():
                    raise Stopped

    async def _record(
        self, keys: Sequence[str], channel: str, ts: str, *, digest: str | None, final: bool
    ) -> None:
        await self.run(
            lambda unit: slack_posts.posted(
                unit, keys=keys, channel=channel, ts=ts, digest=digest, final=final
            )
        )

    async def run(self, work: Callable[[Unit], Awaitable[T]]) -> T:
        """Do *work* in a unit of the organization, as of now."""
        return await self.database.run(self.organization, self.clock.now(), work)


def advice(error: str) -> str:
    """Return what to do about Slack's refusal."""
    return _ADVICE.get(error, _GENERAL_ADVICE)


def _content(channel: str, message: Message, *, keys: Sequence[str]) -> dict[str, Any]:
    content: dict[str, Any] = {
        "channel": channel,
        "text": message.text,
        "metadata": {"event_type": EVENT_TYPE, "event_payload": {"event_id": _BETWEEN.join(keys)}},
    }
    if message.blocks:
        content["blocks"] = list(message.blocks)
    return content


def _keys_of(message: dict[str, Any]) -> list[str]:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return []
    return str((metadata.get("event_payload") or {}).get("event_id")).split(_BETWEEN)


def _retry_after(error: SlackApiError) -> float:
    headers = getattr(error.response, "headers", None) or {}
    given = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return float(given) if str(given).isdigit() else _REST
