"""What is said back to a person, and by which of Slack's ways it gets there."""

from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError

from bot.slack.blocks import Message
from bot.slack.workspace import Workspaces, refusal
from engine.ids import OrganizationId

_TIMEOUT: Final = aiohttp.ClientTimeout(total=15)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer to a request.

    Attributes:
        message: What it shows.
        in_channel: Whether all in the channel see it; else only who asked.
        thread_ts: The thread it goes into; None for none.
        replace: Whether it takes the place of the message that was clicked.
        undone: Whether nothing was done, so that the same click means something again.
    """

    message: Message
    in_channel: bool = False
    thread_ts: str | None = None
    replace: bool = False
    undone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where answers to one request can go.

    Attributes:
        channel_id: None where there is no channel; the person's own conversation with us then.
        response_url: The shortest way, where there is one; good for 30 minutes.
    """

    organization: OrganizationId
    user_id: str | None
    channel_id: str | None
    response_url: str | None


def body_of(reply: Reply) -> dict[str, Any]:
    """Return the reply as the body of an answer to a command, or of a post to a response_url."""
    body: dict[str, Any] = {
        "response_type": "in_channel" if reply.in_channel else "ephemeral",
        "text": reply.message.text,
    }
    if reply.message.blocks:
        body["blocks"] = list(reply.message.blocks)
    return body


async def deliver(reply: Reply, *, to: Address, workspaces: Workspaces) -> bool:
    """Say it; return whether Slack took it. What it refuses is logged, never raised.

    Nothing is tried twice: a reply whose answer was lost may have been shown.
    """
    try:
        url = to.response_url
        if url is not None and reply.thread_ts is None and workspaces.may_answer_at(url):
            return await _by_response_url(reply, url=url, session=workspaces.session)
        return await _by_web_api(reply, to=to, workspaces=workspaces)
    except SlackApiError as error:
        log.warning("slack.reply_refused", error=refusal(error))
    except (TimeoutError, aiohttp.ClientError) as error:
        log.warning("slack.reply_lost", error=type(error).__name__)
    return False


def posted_to(reply: Reply, *, to: Address) -> str | None:
    """Return the channel in which all may read the reply; None: it is for one person there.

    In a conversation with us nobody else is listening, and ephemeral messages get lost.
    """
    where = to.channel_id or to.user_id
    alone = to.channel_id is None or to.channel_id.startswith("D")
    return where if reply.in_channel or alone or to.user_id is None else None


async def _by_response_url(reply: Reply, *, url: str, session: aiohttp.ClientSession) -> bool:
    body = body_of(reply) | {"replace_original": reply.replace}
    async with session.post(url, json=body, timeout=_TIMEOUT, allow_redirects=False) as response:
        await response.read()
        if response.status == 200:  # noqa: PLR2004 — the only good answer there is
            return True
    log.warning("slack.reply_refused", status=response.status)
    return False


async def _by_web_api(reply: Reply, *, to: Address, workspaces: Workspaces) -> bool:
    client = workspaces.client(to.organization)
    where = to.channel_id or to.user_id
    if where is None:
        log.warning("slack.reply_without_address")
        return False
    content: dict[str, Any] = {"channel": where, "text": reply.message.text}
    if reply.message.blocks:
        content["blocks"] = list(reply.message.blocks)
    if reply.thread_ts is not None:
        content["thread_ts"] = reply.thread_ts
    if to.user_id is None or posted_to(reply, to=to) is not None:
        await client.chat_postMessage(**content, unfurl_links=False, unfurl_media=False)
    else:
        await client.chat_postEphemeral(**content, user=to.user_id)
    return True
