"""Bytes of files: those that somebody uploaded to Slack, and those we upload."""

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.requests import Json
from bot.slack.workspace import refusal

_TIMEOUT: Final = aiohttp.ClientTimeout(total=120, sock_read=15)
_PIECE: Final = 64 * 1024
_FORBIDDEN: Final = frozenset({401, 403})


class NotGiven(Exception):
    """Slack did not hand the file over; the message is for who uploaded it."""


def came_with(message: Json) -> list[Json]:
    """Return the files a message came with, as Slack tells of them; each has an id."""
    files = message.get("files")
    told = [each for each in files if isinstance(each, dict)] if isinstance(files, list) else []
    return [each for each in told if isinstance(each.get("id"), str)]


async def about(client: AsyncWebClient, file: str) -> Json:
    """Return what Slack knows of a file.

    Raises:
        NotGiven: It does not say.
    """
    try:
        answer = await client.files_info(file=file)
    except SlackApiError as error:
        why = refusal(error)
        hint = (
            "give the app the scope files:read and install it again"
            if why in {"missing_scope", "not_allowed_token_type"}
            else "upload it again"
        )
        raise NotGiven(f"Slack did not show me the file ({why}): {hint}.") from None
    except (aiohttp.ClientError, TimeoutError):
        raise NotGiven("Slack could not be reached for the file: upload it again.") from None
    about = answer.get("file")
    return about if isinstance(about, dict) else {}


@asynccontextmanager
async def download(
    client: AsyncWebClient, url: str, *, slack_host: str
) -> AsyncIterator[AsyncIterator[bytes]]:
    """Open a file at its private address; yields its pieces.

    Without the scope files:read, and with a wrong token, Slack answers 200 with a page to sign in.

    Args:
        url: ``url_private_download`` of files.info.
        slack_host: Of the Web API; the token goes to it and its subdomains alone.

    Raises:
        NotGiven: Says what would help. Also while the pieces are read.

    Source: Slack, "Working with files", and reports on it (bolt-js issue 2585).
    """
    if not _is_slacks(url, slack_host):
        raise NotGiven("The file is kept outside of Slack, where I cannot read it.")
    if client.session is None:
        raise AssertionError("the client comes with a session")
    headers = {"Authorization": f"Bearer {client.token}"}
    try:
        async with client.session.get(url, headers=headers, timeout=_TIMEOUT) as answer:
            if answer.status in _FORBIDDEN or answer.content_type == "text/html":
                raise NotGiven(
                    "Slack showed me a page to sign in instead of the file: give the app the scope"
                    " files:read and install it again."
                )
            if not answer.ok:
                raise NotGiven(
                    f"Slack did not give me the file (status {answer.status}): upload it again."
                )
            yield answer.content.iter_chunked(_PIECE)
    except (aiohttp.ClientError, TimeoutError):
        raise NotGiven("The connection to Slack broke: upload the file again.") from None


async def uploaded(
    client: AsyncWebClient, url: str, content: AsyncIterable[bytes], *, size: int
) -> None:
    """Put *size* bytes to the address that files.getUploadURLExternal gave.

    Raises:
        aiohttp.ClientError, TimeoutError: Slack did not take them.
    """
    if client.session is None:
        raise AssertionError("the client comes with a session")
    headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
    async with client.session.post(url, data=content, headers=headers, timeout=_TIMEOUT) as answer:
        answer.raise_for_status()


def _is_slacks(url: str, slack_host: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return bool(slack_host) and (host == slack_host or host.endswith(f".{slack_host}"))
