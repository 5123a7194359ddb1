"""Who among a workspace's people is staff, and in which role."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError

from bot.slack.markup import Markup, joined, markup, user
from bot.slack.workspace import Workspace, Workspaces, refusal
from engine.ids import OrganizationId
from engine.roles import Role, highest

_FRESH: Final = 300.0  # seconds the members of a group are believed
_RETRY: Final = 10.0  # seconds before Slack is asked again after it did not answer
_TIMEOUT: Final = 1.5  # seconds; the person waits for at most three in all

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Members:
    users: frozenset[str]
    until: float  # of the monotonic clock


class Staff:
    """The staff of all workspaces; members of user groups are remembered for five minutes."""

    def __init__(self, workspaces: Workspaces, *, monotonic: Callable[[], float]) -> None:
        self._workspaces = workspaces
        self._monotonic = monotonic
        self._known: dict[tuple[OrganizationId, str], _Members] = {}
        self._asking: dict[tuple[OrganizationId, str], asyncio.Lock] = {}

    async def role(self, workspace: Workspace, user_id: str) -> Role | None:
        """Return the highest role somebody holds, by name or through a group; None for strangers.

        A group whose members Slack does not tell counts as it was last known, else as empty.
        """
        held = [role for role in Role if user_id in workspace.listed(role)]
        named = highest(held)
        if named is Role.OWNER:
            return named
        groups = [(role, each) for role in Role for each in workspace.listed(role) if _group(each)]
        members = await asyncio.gather(*(self._members(workspace, group) for _, group in groups))
        through = [
            role for (role, _), users in zip(groups, members, strict=True) if user_id in users
        ]
        return highest([*held, *through])

    async def _members(self, workspace: Workspace, group: str) -> frozenset[str]:
        key = (workspace.organization, group)
        # One asks, the others wait for its answer.
        async with self._asking.setdefault(key, asyncio.Lock()):
            known = self._known.get(key)
            if known is not None and self._monotonic() < known.until:
                return known.users
            asked = await self._asked(workspace, group)
            if asked is None:
                stale = frozenset[str]() if known is None else known.users
                asked, lasts = stale, _RETRY
            else:
                lasts = _FRESH
            self._known[key] = _Members(users=asked, until=self._monotonic() + lasts)
            return asked

    async def _asked(self, workspace: Workspace, group: str) -> frozenset[str] | None:
        client = self._workspaces.client(workspace.organization)
        try:
            async with asyncio.timeout(_TIMEOUT):
                answer = await client.usergroups_users_list(usergroup=group)
        except SlackApiError as error:
            log.warning("slack.group_unknown", group=group, error=refusal(error))
            return None
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("slack.group_unknown", group=group, error=type(error).__name__)
            return None
        users = answer.get("users")
        return frozenset(users if isinstance(users, list) else ())


def owners(workspace: Workspace) -> Markup:
    """Return the owners as mentions, to tell a person whom to ask."""
    listed = [user(each) for each in workspace.listed(Role.OWNER)]
    return joined(listed, ", ") if listed else markup("the owner of {name}", name=workspace.name)


def _group(listed: str) -> bool:
    return listed.startswith("S")
