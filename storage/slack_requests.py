"""What of Slack is done or under way, so that a repeat or a double click changes nothing.

A process may be killed between taking a request and doing it. So a claim says first that somebody
is at it, by the database's clock, and only afterwards that it is done.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Final

from engine.ids import OrganizationId
from storage.database import Database, Unit
from storage.queries import load

_SQL = load("slack_requests")

EXPIRY_S: Final = 30.0
"""Who was not heard of for so long is dead, and what they were at may be taken up."""


class Taken(Enum):
    """Why a request is not ours to handle."""

    UNDER_WAY = auto()
    DONE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A request that is ours to handle."""

    organization: OrganizationId
    key: str
    holder: str


class SlackRequests:
    """Keys of requests, kept where all processes see them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remember(self, organization: OrganizationId, key: str, at: datetime) -> bool:
        """Return whether *key* is new; it counts as done at once, whatever becomes of it."""
        async with self._database.unit(organization, at) as unit:
            return await unit.value(_SQL["remember"], key=key) is not None

    async def claim(self, organization: OrganizationId, key: str, at: datetime) -> Claim | Taken:
        """Take *key*; of several who ask at once, one gets it. Renew it until it has ended."""
        holder = secrets.token_hex(8)
        async with self._database.unit(organization, at) as unit:
            row = await unit.row(_SQL["claim"], key=key, holder=holder, expiry_s=EXPIRY_S)
        if row is not None and row["claimed"]:
            return Claim(organization=organization, key=key, holder=holder)
        # Whoever finished or released it within these milliseconds is asked about another time.
        return Taken.DONE if row is not None and row["done"] else Taken.UNDER_WAY

    async def renew(self, claim: Claim) -> bool:
        """Say that we are still at it; False: somebody else took it up meanwhile."""
        async with self._database.unit(claim.organization, _ANY_TIME) as unit:
            return await unit.value(_SQL["renew"], key=claim.key, holder=claim.holder) is not None

    async def finish(self, claim: Claim) -> None:
        """Note that it is done, for good."""
        async with self._database.unit(claim.organization, _ANY_TIME) as unit:
            await unit.run(_SQL["finish"], key=claim.key)

    async def release(self, claim: Claim) -> None:
        """Let others take it at once, since what it stood for did not happen."""
        async with self._database.unit(claim.organization, _ANY_TIME) as unit:
            await unit.run(_SQL["release"], key=claim.key, holder=claim.holder)


async def forget(unit: Unit) -> int:
    """Forget what is older than a day; return how much that was."""
    return await unit.run(_SQL["forget"])


_ANY_TIME = datetime.min.replace(tzinfo=UTC)
