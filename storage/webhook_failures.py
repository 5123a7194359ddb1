"""Bodies that could not be applied or may not: kept as bytes, for the database's owner alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from engine.ids import OrganizationId
from storage.database import CONNECTION_LOST, Database
from storage.queries import load

_SQL = load("webhook_failures")
_NOBODY: Final = OrganizationId("nobody")  # the table is no tenant's, and a unit wants one
_AT_ONCE: Final = 100

_BAD_DATA: Final = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)


def is_outage(error: BaseException) -> bool:
    """Whether the same update may well be applied a moment later: not its data is to blame."""
    if isinstance(error, (*CONNECTION_LOST, TimeoutError)):
        return True
    return isinstance(error, asyncpg.PostgresError) and not isinstance(error, _BAD_DATA)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBody:
    """A body as it came.

    Attributes:
        organization: One of those whose secret signed it; None: signed by nobody we know.
    """

    id: int
    organization: OrganizationId | None
    body: bytes


class WebhookFailures:
    def __init__(self, database: Database) -> None:
        self.database = database

    async def keep(
        self,
        *,
        source: str,
        reason: str,
        body: bytes,
        at: datetime,
        organization: OrganizationId | None = None,
    ) -> int:
        """Keep *body* and return its id; *source* is ``whatsapp`` or ``slack``."""
        async with self.database.owner_unit(_NOBODY, at) as unit:
            id_: int = await unit.value(
                _SQL["keep"], of=organization, source=source, reason=reason, body=body
            )
        return id_

    async def waiting(
        self, *, source: str, ids: Sequence[int] | None, after: int, at: datetime
    ) -> list[KeptBody]:
        """Return up to 100 bodies after the id *after* that were not replayed; *ids* None: any."""
        async with self.database.owner_unit(_NOBODY, at) as unit:
            rows = await unit.rows(
                _SQL["waiting"], source=source, ids=ids, after=after, limit=_AT_ONCE
            )
        return [
            KeptBody(id=row["id"], organization=row["organization_id"], body=row["body"])
            for row in rows
        ]

    async def replayed(self, id_: int, *, at: datetime) -> None:
        async with self.database.owner_unit(_NOBODY, at) as unit:
            await unit.run(_SQL["replayed"], id=id_)
