"""The conversation between us and one person, for what nobody else is to see."""

import aiohttp
from slack_sdk.errors import SlackApiError

from bot.slack.registry import Context
from bot.slack.workspace import refusal
from engine.refusal import Refusal


class NotOpened(Refusal):
    """Slack does not open it."""


async def alone_with(asked: Context) -> str:
    """Return the channel that only who asks and we read.

    Raises:
        NotOpened: Slack does not open one; nothing was done yet.
    """
    try:
        answer = await asked.client.conversations_open(users=asked.user_id)
    except SlackApiError as error:
        raise NotOpened(
            f"Slack did not let me write to you ({refusal(error)}): give the app the scope im:write"
            " and install it again. Nothing was exported."
        ) from None
    except (aiohttp.ClientError, TimeoutError):
        raise NotOpened("Slack could not be reached: try again. Nothing was exported.") from None
    return str((answer.get("channel") or {}).get("id") or asked.user_id)
