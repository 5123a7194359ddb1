"""Whether Slack lets the bot in, and what to enter at the platforms."""

from collections.abc import Iterator

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from engine.config import Config, Organization
from engine.findings import Finding

# What the bot's calls and events need. Source: Slack, "Scopes", at each method and event used.
SCOPES = frozenset(
    {
        "channels:history",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "im:history",
        "im:write",
        "usergroups:read",
        "users:read",
    }
)
_TIMEOUT_S = 10


async def slack(config: Config, *, key: str, organization: Organization) -> tuple[Finding, ...]:
    """Return whether the token is one of the configured workspace and may do what the bot does."""
    subject = f"{key}: Slack"
    client = AsyncWebClient(
        token=organization.slack.bot_token.get_secret_value(),
        base_url=f"{config.server.slack_url}/",
        timeout=_TIMEOUT_S,
        retry_handlers=[],
    )
    try:
        answer = await client.auth_test()
    except SlackApiError as error:
        said = f"refuses the token: {error.response.get('error')}."
        remedy = f"Install the app anew and correct organizations.{key}.slack.bot_token."
        return (Finding(subject=subject, said=said, remedy=remedy),)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        said = f"does not answer ({type(error).__name__})."
        remedy = "Is server.slack_url right, and does this machine reach the internet?"
        return (Finding(subject=subject, said=said, remedy=remedy),)
    team = str(answer.get("team_id"))
    found = [_team(subject, key, organization.slack.team_id, team, str(answer.get("team")))]
    scopes = _scopes(answer.headers)
    if scopes is not None:
        found.append(_granted(subject, scopes))
    return tuple(found)


def addresses(config: Config) -> Iterator[str]:
    """Return lines that say what to enter at Slack and at Meta."""
    url = config.server.public_url
    yield f"Slack, every Request URL and the Options Load URL: {url}/slack/events"
    yield f"Meta, the webhook's Callback URL: {url}/webhooks/whatsapp"
    if url.startswith("http://"):
        yield "Real platforms call https only: set server.public_url to an address that has it."


def _team(subject: str, key: str, wanted: str, found: str, name: str) -> Finding:
    if found == wanted:
        return Finding(subject=subject, said=f"lets us into the workspace {name}.")
    return Finding(
        subject=subject,
        said=f"says the token is one of the workspace {name} ({found}), not of {wanted}.",
        remedy=f"Correct organizations.{key}.slack.team_id or bot_token.",
    )


def _scopes(headers: dict[str, str]) -> frozenset[str] | None:
    """Return what the token may do; None where Slack does not tell."""
    told = {name.lower(): value for name, value in headers.items()}.get("x-oauth-scopes")
    return None if told is None else frozenset(scope.strip() for scope in told.split(","))


def _granted(subject: str, scopes: frozenset[str]) -> Finding:
    missing = SCOPES - scopes
    if not missing:
        return Finding(subject=subject, said="grants every scope the bot needs.")
    return Finding(
        subject=subject,
        said=f"does not grant {', '.join(sorted(missing))}.",
        remedy="Add them under OAuth & Permissions of the Slack app, and install it anew.",
    )
