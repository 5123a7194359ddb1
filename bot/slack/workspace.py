"""An organization's Slack workspace, and calling Slack for it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.verification import SigningSecret
from engine.ids import OrganizationId
from engine.roles import Role

_TIMEOUT: Final = 15  # seconds for a whole call


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """What the configuration says of one.

    Attributes:
        name: What the organization is called.
        staff: Per role, Slack users (``U…``, ``W…``) and user groups (``S…``); anything else,
            such as a phone number, is of no use here and passed over.
    """

    organization: OrganizationId
    name: str
    team_id: str
    bot_token: str = field(repr=False)
    signing_secret: str = field(repr=False)
    staff: tuple[tuple[Role, tuple[str, ...]], ...]

    def listed(self, role: Role) -> tuple[str, ...]:
        """Return the users and user groups of a role, as configured."""
        return tuple(
            each
            for held, ids in self.staff
            if held is role
            for each in ids
            if _USER_OR_GROUP.fullmatch(each)
        )


_USER_OR_GROUP: Final = re.compile(r"[USW][A-Z0-9]{2,30}")


class Workspaces:
    """All that are configured, with a client for each over one shared session."""

    def __init__(
        self, workspaces: Iterable[Workspace], *, session: aiohttp.ClientSession, slack_url: str
    ) -> None:
        """Take what is configured.

        Args:
            workspaces: At most one per team.
            session: Closed by whoever opened it.
            slack_url: The Web API's address, with or without a slash at its end.
        """
        self._by_team = {each.team_id: each for each in workspaces}
        self._host = urlsplit(slack_url).hostname or ""
        self.session = session
        self._clients = {
            each.organization: _client(each.bot_token, session=session, slack_url=slack_url)
            for each in self._by_team.values()
        }

    @property
    def secrets(self) -> tuple[SigningSecret, ...]:
        return tuple(
            SigningSecret(organization=each.organization, secret=each.signing_secret)
            for each in self._by_team.values()
        )

    def among(
        self, teams: Iterable[str], *, signed_by: frozenset[OrganizationId]
    ) -> Workspace | None:
        """Return the first of *teams* that is ours and whose own secret signed; None if none."""
        found = (self._by_team.get(team) for team in teams)
        return next((each for each in found if each and each.organization in signed_by), None)

    def client(self, organization: OrganizationId) -> AsyncWebClient:
        """Return the Web API of an organization; it never repeats a call by itself."""
        return self._clients[organization]

    def may_answer_at(self, url: str) -> bool:
        """Return whether *url* is an address of the Slack we talk to.

        Who holds one organization's secret must not make us call any address at all.
        """
        try:
            host = urlsplit(url).hostname or ""
        except ValueError:
            return False
        return bool(self._host) and host in (self._host, f"hooks.{self._host}")


def refusal(error: SlackApiError) -> str:
    """Return Slack's own word for why it refused; its status where it sent no JSON."""
    data = getattr(error.response, "data", None)
    if isinstance(data, dict) and isinstance(data.get("error"), str):
        return str(data["error"])
    return f"HTTP {getattr(error.response, 'status_code', 'unknown')}"


def _client(token: str, *, session: aiohttp.ClientSession, slack_url: str) -> AsyncWebClient:
    client = AsyncWebClient(
        token=token,
        base_url=slack_url,
        session=session,
        timeout=_TIMEOUT,
        # The SDK repeats a POST whose answer was lost, and the message would be there twice.
        retry_handlers=[],
    )
    # The SDK takes a proxy from the environment, which only the entry point reads.
    client.proxy = None
    return client
