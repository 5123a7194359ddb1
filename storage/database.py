"""The pool, and the unit of work: one transaction of one organization, from one place."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Self, TypeVar

import asyncpg
import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from engine.ids import OrganizationId
from storage import orm
from storage.queries import Query

Result = TypeVar("Result")

BOT_ROLE = "dripline_bot"
TRIES = 4  # one, and three again after a deadlock or a serialization failure
_SAFE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FIRST_PAUSE = 0.01

CONNECTION_LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # it shuts down, crashed, or is starting
    asyncpg.TooManyConnectionsError,
    asyncpg.IdleInTransactionSessionTimeoutError,  # we stood still, see _PATIENCE_MS
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""What a lost Postgres raises; asyncpg reports some losses as errors of its own interface."""


def is_lost(error: BaseException) -> bool:
    """Whether an error says that Postgres is lost, and not that one statement took too long."""
    return isinstance(error, CONNECTION_LOST) and not isinstance(error, TimeoutError)


_REPEATED = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


class NestedUnit(Exception):
    """A unit was opened inside an open one: it would wait for itself, or cross organizations."""

    def __init__(self, open_for: OrganizationId, asked_for: OrganizationId) -> None:
        super().__init__(f"a unit of {open_for!r} is open; {asked_for!r} must wait until it ends")


class Unit:
    """One open transaction.

    Attributes:
        organization: The only one it may touch; for the bot's units row level security sees to it.
        at: Business time of everything done in it; `$at` in queries.
        connection: asyncpg's, for named SQL.
    """

    def __init__(
        self,
        connection: asyncpg.Connection,
        organization: OrganizationId,
        at: datetime,
        *,
        role: str | None = None,
    ) -> None:
        self.connection = connection
        self.organization = organization
        self.at = at
        self.role = role
        self.task = asyncio.current_task()
        self._orm: BaseDBAsyncClient | None = None

    @property
    def orm(self) -> BaseDBAsyncClient:
        """Tortoise's client on the same connection: `Model.filter(…).using_db(unit.orm)`."""
        if self._orm is None:
            self._orm = orm.client(self.connection)
        return self._orm

    async def rows(self, query: Query, **values: Any) -> list[asyncpg.Record]:  # noqa: ANN401 — SQL values
        rows: list[asyncpg.Record] = await self.connection.fetch(
            query.text, *self._bound(query, values)
        )
        return rows

    async def row(self, query: Query, **values: Any) -> asyncpg.Record | None:  # noqa: ANN401 — SQL values
        return await self.connection.fetchrow(query.text, *self._bound(query, values))

    async def value(self, query: Query, **values: Any) -> Any:  # noqa: ANN401 — SQL values
        return await self.connection.fetchval(query.text, *self._bound(query, values))

    async def run(self, query: Query, **values: Any) -> int:  # noqa: ANN401 — SQL values
        """Run *query* and return how many rows it changed."""
        status: str = await self.connection.execute(query.text, *self._bound(query, values))
        return int(status.rpartition(" ")[2])

    @asynccontextmanager
    async def as_owner(self) -> AsyncIterator[None]:
        """Read as the owner for a while, also in the bot's units; only queries run in it.

        No row level security, under which operators that are not leakproof find no index: every
        query in it names the organization. After an error the transaction is over anyway.
        """
        if self.role is None:
            yield
            return
        await self.connection.execute("select set_config('role', 'none', true)")
        yield
        await self.connection.execute(f"select set_config('role', '{self.role}', true)")

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """Undo what is done in it where it fails, and keep what this unit did before and holds."""
        await self.connection.execute("savepoint attempt")
        try:
            yield
        except Exception as failed:
            if not self.is_over(failed):
                await self.connection.execute("rollback to savepoint attempt")
            raise

    def is_over(self, failed: Exception) -> bool:
        """Whether *failed* leaves nothing to go on with: no connection, or all to be repeated."""
        return self.connection.is_closed() or is_lost(failed) or isinstance(failed, _REPEATED)

    async def notify(self, channel: str, payload: str) -> None:
        """Tell listeners once this commits. It slows commits: only for what cannot wait."""
        await self.connection.execute("select pg_notify($1, $2)", channel, payload)

    def _bound(self, query: Query, values: dict[str, Any]) -> Sequence[Any]:
        values.setdefault("organization", self.organization)
        values.setdefault("at", self.at)
        return [values[name] for name in query.parameters]


_open_unit: ContextVar[Unit | None] = ContextVar("open_unit", default=None)


class Database:
    """The pool of one process."""

    def __init__(self, pool: asyncpg.Pool, url: str) -> None:
        self.pool = pool
        self.url = url

    @classmethod
    async def open(
        cls, url: str, *, name: str, smallest: int = 1, largest: int = 10, pooled: bool = False
    ) -> Self:
        """Connect; *name* is what pg_stat_activity shows.

        Args:
            pooled: Each transaction may come to another session, so no statement is kept prepared.

        Raises:
            OSError, asyncpg.PostgresError: Nobody answers there, or not to us.
        """
        await orm.prepare()
        pool = await asyncpg.create_pool(
            url,
            min_size=smallest,
            max_size=largest,
            init=_set_codecs,
            reset=_roll_back,
            command_timeout=60,
            max_inactive_connection_lifetime=0,
            statement_cache_size=0 if pooled else 100,
            server_settings={"application_name": name, "timezone": "UTC"},
        )
        return cls(pool, url)

    async def close(self) -> None:
        try:
            await asyncio.wait_for(self.pool.close(), 10)
        except TimeoutError:
            self.pool.terminate()

    @asynccontextmanager
    async def unit(self, organization: OrganizationId, at: datetime) -> AsyncIterator[Unit]:
        """Open a transaction as the bot: it sees and changes rows of *organization* only."""
        async with self._transaction(organization, at, role=BOT_ROLE) as unit:
            yield unit

    @asynccontextmanager
    async def owner_unit(self, organization: OrganizationId, at: datetime) -> AsyncIterator[Unit]:
        """Open a transaction as the owner, for storage's and the worker's set-based SQL.

        No row level security: every query in it names the organization.
        """
        async with self._transaction(organization, at, role=None) as unit:
            yield unit

    async def run(
        self,
        organization: OrganizationId,
        at: datetime,
        work: Callable[[Unit], Awaitable[Result]],
        *,
        owner: bool = False,
        single: bool = False,
    ) -> Result:
        """Do *work* in a unit; again, up to three times, after a deadlock or a write conflict.

        Args:
            owner: As in :meth:`owner_unit`.
            single: It is one statement of the owner, which is a transaction by itself: two round
                trips less.
        """
        opened = self._single if single else self.owner_unit if owner else self.unit
        pause = _FIRST_PAUSE
        for _ in range(TRIES - 1):
            try:
                async with opened(organization, at) as unit:
                    return await work(unit)
            except _REPEATED:
                await asyncio.sleep(pause)
                pause *= 4
        async with opened(organization, at) as unit:
            return await work(unit)

    @asynccontextmanager
    async def _single(self, organization: OrganizationId, at: datetime) -> AsyncIterator[Unit]:
        _refuse_nested(organization)
        async with self.pool.acquire() as connection:
            yield Unit(connection, organization, at)

    @asynccontextmanager
    async def _transaction(
        self, organization: OrganizationId, at: datetime, *, role: str | None
    ) -> AsyncIterator[Unit]:
        _refuse_nested(organization)
        # asyncpg gives a connection back whatever happens here, and _roll_back makes it clean;
        # tortoise's own in_transaction loses it when cancelled while BEGIN is on its way.
        async with self.pool.acquire() as connection:
            unit = Unit(connection, organization, at, role=role)
            token = _open_unit.set(unit)
            try:
                await connection.execute(_begin(organization, role))
                yield unit
                await connection.execute("commit")
            except BaseException:
                await _roll_back(connection)
                raise
            finally:
                _open_unit.reset(token)


def _refuse_nested(organization: OrganizationId) -> None:
    outer = _open_unit.get()
    if outer is not None and outer.task is asyncio.current_task():
        raise NestedUnit(outer.organization, organization)


async def _set_codecs(connection: asyncpg.Connection) -> None:
    # In a transaction, because asyncpg looks the type up, which a pooler would take apart.
    await connection.execute("begin")
    # Binary, or COPY of jsonb fails. Tortoise hands over text already, so text passes as it is.
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: (
            b"\x01" + (value.encode() if isinstance(value, str) else orjson.dumps(value))
        ),
        decoder=lambda data: orjson.loads(data[1:]),
    )
    await connection.execute("commit")


async def _roll_back(connection: asyncpg.Connection) -> None:
    # Also instead of asyncpg's RESET ALL on release: all a unit can leave behind is a transaction.
    if not connection.is_closed() and connection.is_in_transaction():
        await connection.execute("rollback")


# A host that is cut off keeps its transactions open, and what they lock, such as the lease of a
# number that another host is to take. PostgreSQL itself would notice only after minutes. The
# worker's is less than a lease lasts. The bot holds no lease, and what it was asked to do nobody
# does again, so a machine that has no time for it for seconds must not undo it.
_PATIENCE_MS = 3_000
_PATIENCE_OF_BOT_MS = 10_000


def _begin(organization: OrganizationId, role: str | None) -> str:
    """Return BEGIN and the settings of the transaction as one round trip."""
    if not _SAFE_ID.fullmatch(organization):
        raise ValueError(f"not an organization id: {organization!r}")
    patience_ms = _PATIENCE_MS if role is None else _PATIENCE_OF_BOT_MS
    settings = (
        f"set_config('app.organization_id', '{organization}', true), "
        f"set_config('idle_in_transaction_session_timeout', '{patience_ms}', true)"
    )
    if role is None:
        return f"begin; select {settings}"
    return f"begin; select set_config('role', '{role}', true), {settings}"
