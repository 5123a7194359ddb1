"""A real Postgres for tests: one embedded server a worker process, emptied before each test."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from engine.ids import OrganizationId
from storage.database import Database
from storage.embedded import start_postgres
from storage.migrate import migrate
from storage.planning import attach_leaf
from storage.template_sync import know_organization

ACME = OrganizationId("acme")
GLOBEX = OrganizationId("globex")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
"""A business time that tests may take as now."""

_EMPTY = """
do $$
declare tenant_table text;
begin
  set local session_replication_role = replica;
  for tenant_table in
    select format('%I', c.relname) from pg_class c
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
       and not c.relispartition
       and c.relname <> 'tortoise_migrations'
  loop
    execute 'delete from ' || tenant_table;
  end loop;
end $$
"""


@pytest.fixture(scope="session")
def postgres() -> Iterator[tuple[str, str]]:
    """Start a server; yield the product's URL and the superuser's."""
    with tempfile.TemporaryDirectory(prefix="dripline-tests-") as folder:
        data = Path(folder)
        # The unprivileged account that runs Postgres under root must get through.
        data.chmod(0o755)
        with start_postgres(data, fast=True) as server:
            yield server.url, server.url_as("postgres", database="dripline")


@pytest.fixture(scope="session")
async def migrated(postgres: tuple[str, str]) -> str:
    url, _ = postgres
    await migrate(url)
    return url


@pytest.fixture(scope="session")
async def superuser(postgres: tuple[str, str]) -> AsyncIterator[asyncpg.Pool]:
    """Yield one connection, kept because a new one reads the whole catalogue first."""
    _, url = postgres
    async with asyncpg.create_pool(url, min_size=0, max_size=1) as pool:
        yield pool


@pytest.fixture
async def database(migrated: str, superuser: asyncpg.Pool) -> AsyncIterator[Database]:
    """Yield the migrated database with nothing but the organizations acme and globex in it."""
    await superuser.execute(_EMPTY)
    async with opened(migrated) as database:
        for organization in (ACME, GLOBEX):
            async with database.owner_unit(organization, NOON) as unit:
                await know_organization(unit)
                await attach_leaf(unit, month=NOON)
        yield database


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = await Database.open(url, name="tests", largest=20)
    try:
        yield database
    finally:
        await database.close()
