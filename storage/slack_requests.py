"""What of Slack has been handled, so that a repeated request or a double click changes nothing."""

from datetime import UTC, datetime

from engine.ids import OrganizationId
from storage.database import Database, Unit
from storage.queries import load

_SQL = load("slack_requests")


class SlackRequests:
    """Keys of requests, kept where all processes see them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, organization: OrganizationId, key: str, at: datetime) -> bool:
        """Return whether *key* is new; of several who ask at once, one hears True."""
        async with self._database.unit(organization, at) as unit:
            return await unit.value(_SQL["claim"], key=key) is not None

    async def release(self, organization: OrganizationId, key: str) -> None:
        """Forget *key*, since what it stood for did not happen."""
        async with self._database.unit(organization, _ANY_TIME) as unit:
            await unit.run(_SQL["release"], key=key)


async def forget(unit: Unit) -> int:
    """Forget what is older than a day; return how much that was."""
    return await unit.run(_SQL["forget"])


_ANY_TIME = datetime.min.replace(tzinfo=UTC)
