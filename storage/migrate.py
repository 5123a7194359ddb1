"""Migrations up and down, safe to start from several processes at once."""

import asyncio

import asyncpg
from tortoise.context import TortoiseContext
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget, PlanStep
from tortoise.migrations.recorder import MigrationRecorder
from tortoise.migrations.schema_editor import AsyncpgSchemaEditor
from tortoise.migrations.schema_generator.state import State
from tortoise.migrations.schema_generator.state_apps import StateApps

from storage import orm
from storage.migrations import NAMES

_LOCK = 0x64726970  # "drip"


class SchemaOutdated(Exception):
    """The database lacks migrations this version needs; `dripline migrate` brings them."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__(
            f"the database lacks {', '.join(missing)}: run `dripline migrate` before starting"
        )
        self.missing = missing


class UnknownVersion(Exception):
    """`--to` names no migration."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no migration {name!r}; there are {', '.join((*NAMES, 'zero'))}")


async def migrate(database_url: str, *, to: str | None = None) -> list[str]:
    """Bring the database to the newest version, or up or down to *to* ("zero": before all).

    Returns the names run, in order; empty when there was nothing to do.

    Raises:
        UnknownVersion: *to* is no migration.
    """
    if to is not None and to not in (*NAMES, "zero"):
        raise UnknownVersion(to)
    lock = await asyncpg.connect(database_url)
    try:
        # Polling: a session waiting inside pg_advisory_lock holds a snapshot that
        # CREATE INDEX CONCURRENTLY in a migration would wait for, for ever.
        while not await _taken(lock):  # noqa: ASYNC110 — it waits for another process
            await asyncio.sleep(0.1)
        return await _run(database_url, to)
    finally:
        await lock.close()


async def missing(connection: asyncpg.Connection) -> tuple[str, ...]:
    """Return the migrations this version knows and the database has not seen, oldest first."""
    if await connection.fetchval("select to_regclass('tortoise_migrations')") is None:
        return NAMES
    rows = await connection.fetch("select name from tortoise_migrations where app = $1", orm.APP)
    applied = {row["name"] for row in rows}
    return tuple(name for name in NAMES if name not in applied)


async def check(database_url: str) -> None:
    """Make sure the schema is as new as this version; newer is fine.

    Raises:
        SchemaOutdated: It is older.
    """
    # No statement is kept, and all is one transaction: a pooler may lie between.
    connection = await asyncpg.connect(database_url, statement_cache_size=0)
    try:
        async with connection.transaction(readonly=True):
            absent = await missing(connection)
    finally:
        await connection.close()
    if absent:
        raise SchemaOutdated(absent)


async def _taken(lock: asyncpg.Connection) -> bool:
    taken: bool = await lock.fetchval("select pg_try_advisory_lock($1)", _LOCK)
    return taken


async def _run(database_url: str, to: str | None) -> list[str]:
    pool = await asyncpg.create_pool(database_url, min_size=1, max_size=1)
    try:
        async with TortoiseContext() as context:
            await context.init(config=orm.settings("asyncpg://nowhere/nothing"))
            client = orm.pooled_client(pool)
            executor = MigrationExecutor(client, orm.settings("")["apps"])
            await executor.recorder.ensure_schema(AsyncpgSchemaEditor(client, atomic=False))
            target = MigrationTarget(orm.APP, _target(to))
            plan = await executor.plan([target])
            for step in plan:
                await _take(step, pool)
            return [step.migration.name for step in plan]
    finally:
        await pool.close()


def _target(to: str | None) -> str:
    match to:
        case None:
            return "__latest__"
        case "zero":
            return "__first__"
        case name:
            return name


async def _take(step: PlanStep, pool: asyncpg.Pool) -> None:
    # Not by tortoise's executor: it records a migration outside the transaction that ran it,
    # and a process that dies between the two leaves a database no migration fits.
    async with pool.acquire() as connection, connection.transaction():
        client = orm.client(connection)
        editor = AsyncpgSchemaEditor(client, atomic=False)
        recorder = MigrationRecorder(client)
        state = State(models={}, apps=StateApps())
        migration = step.migration
        if step.backward:
            for operation in reversed(migration.operations):
                await operation.database_backward(orm.APP, state, state, editor)
            await recorder.record_unapplied(migration.app_label, migration.name)
        else:
            for operation in migration.operations:
                await operation.database_forward(orm.APP, state, state, editor)
            await recorder.record_applied(migration.app_label, migration.name)
