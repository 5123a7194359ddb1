"""What storage promises whatever it holds: migrations, tenancy, units, queries that fit."""

import asyncio

import asyncpg
import pytest
from tortoise.context import get_current_context

from engine.ids import OrganizationId
from storage import orm, queries
from storage.database import Database, NestedUnit, Unit
from storage.migrate import migrate, missing
from storage.migrations import NAMES
from storage.models import Campaign
from tests.database import ACME, GLOBEX, NOON

TABLES = """
select c.oid::regclass::text as name, c.relispartition as leaf from pg_class c
 where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
"""


async def _campaign(database: Database, organization: OrganizationId, name: str) -> None:
    async with database.unit(organization, NOON) as unit:
        await Campaign.create(
            organization_id=organization,
            kind="drip",
            name=name,
            state="draft",
            type="promotional",
            actor="U0OWNER",
            created_at=NOON,
            updated_at=NOON,
            using_db=unit.orm,
        )


async def test_every_query_fits_the_schema(database: Database) -> None:
    """Postgres itself checks tables, columns and parameter types."""
    async with database.pool.acquire() as connection:
        for aggregate in queries.aggregates():
            for query in queries.load(aggregate).values():
                await connection.prepare(query.text)


async def test_models_know_the_columns_there_are(database: Database) -> None:
    await orm.prepare()
    context = get_current_context()
    assert context is not None
    assert context.apps is not None
    for model in context.apps[orm.APP].values():
        meta = model._meta  # noqa: SLF001 — tortoise keeps there what a model knows of its table
        columns = await database.pool.fetch(
            "select column_name, is_nullable = 'YES' as nullable from information_schema.columns"
            " where table_name = $1 and table_schema = 'public'",
            meta.db_table,
        )
        known = {field.source_field or name: field.null for name, field in meta.fields_map.items()}
        assert known == {row["column_name"]: row["nullable"] for row in columns}


async def test_without_a_tenant_the_bot_sees_nothing_in_any_table(database: Database) -> None:
    """Also in tables that later migrations add, since they are read from the catalogue."""
    await _campaign(database, ACME, "Welcome")
    names = await database.pool.fetch(TABLES)
    assert len(names) > len(NAMES)
    for row in names:
        async with database.pool.acquire() as connection, connection.transaction():
            await connection.execute("select set_config('role', 'dripline_bot', true)")
            try:
                seen = await connection.fetchval(f"select count(*) from {row['name']}")  # noqa: S608 — a table's name
            except asyncpg.InsufficientPrivilegeError:
                continue
            assert not row["leaf"], f"the bot may read the leaf {row['name']}"
            assert seen == 0, row["name"]


async def test_every_tenant_table_has_row_level_security(database: Database) -> None:
    unprotected = await database.pool.fetch(
        "select relname from pg_class where relnamespace = 'public'::regnamespace"
        " and relkind in ('r', 'p') and not relrowsecurity and relname <> 'tortoise_migrations'"
    )
    assert unprotected == []


async def test_a_tenant_sees_and_changes_only_its_own(database: Database) -> None:
    await _campaign(database, ACME, "Welcome")

    async with database.unit(GLOBEX, NOON) as unit:
        seen = await Campaign.all().using_db(unit.orm).count()
        changed = await unit.connection.execute("update campaigns set name = 'Mine'")

    assert seen == 0
    assert changed == "UPDATE 0"


async def test_a_tenant_cannot_write_for_another(database: Database) -> None:
    async with database.unit(GLOBEX, NOON) as unit:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await unit.connection.execute(
                "insert into organizations (organization_id, created_at) values ('acme2', $1)", NOON
            )


async def test_a_unit_leaves_neither_role_nor_tenant_behind(database: Database) -> None:
    for _ in range(30):
        async with database.unit(ACME, NOON):
            pass
    async with database.pool.acquire() as connection:
        role, tenant = await connection.fetchrow(
            "select current_user, current_setting('app.organization_id', true)"
        )
    assert role == "dripline"
    assert not tenant


async def test_a_cancelled_unit_gives_its_connection_back(database: Database) -> None:
    """At whatever moment: before BEGIN has been answered, inside, or while it commits."""

    async def work() -> None:
        async with database.unit(ACME, NOON) as unit:
            await unit.connection.execute("select pg_sleep(0.001)")

    for delay in range(60):
        task = asyncio.create_task(work())
        await asyncio.sleep(delay * 0.0001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    await asyncio.wait_for(asyncio.gather(*(work() for _ in range(20))), 5)
    assert database.pool.get_idle_size() == database.pool.get_size()


async def test_units_do_not_nest(database: Database) -> None:
    async with database.unit(ACME, NOON):
        with pytest.raises(NestedUnit):
            async with database.unit(GLOBEX, NOON):
                pass


async def test_a_single_statement_does_not_nest_either(database: Database) -> None:
    """It would wait for locks of the unit around it, and nobody would notice."""

    async def nothing(_: Unit) -> None:
        pass

    async with database.unit(ACME, NOON):
        with pytest.raises(NestedUnit):
            await database.run(ACME, NOON, nothing, owner=True, single=True)


async def test_units_of_two_tasks_run_beside_each_other(database: Database) -> None:
    async def name_of(organization: OrganizationId) -> str:
        async with database.unit(organization, NOON) as unit:
            await asyncio.sleep(0.01)
            tenant: str = await unit.connection.fetchval(
                "select current_setting('app.organization_id', true)"
            )
            return tenant

    async with database.unit(ACME, NOON):
        seen = await asyncio.gather(*(name_of(each) for each in (ACME, GLOBEX) * 5))

    assert seen == [ACME, GLOBEX] * 5


async def test_migrations_go_up_and_down_and_up_on_a_database_with_rows(database: Database) -> None:
    await _campaign(database, ACME, "Welcome")

    for name in reversed(("zero", *NAMES[:-1])):
        await migrate(database.url, to=name)
    async with database.pool.acquire() as connection:
        assert await missing(connection) == NAMES
        left = await connection.fetch(TABLES)
    await migrate(database.url)

    assert [row["name"] for row in left] == ["tortoise_migrations"]
    async with database.pool.acquire() as connection:
        assert await missing(connection) == ()


async def test_steps_put_between_others_keep_their_order_on_the_way_down(
    database: Database,
) -> None:
    await _campaign(database, ACME, "Welcome")
    await database.pool.execute(
        "insert into steps (organization_id, campaign_id, position, after_s, content, created_at)"
        " select 'acme', min(c.id), place, 0, '{}', $1"
        "   from campaigns c, unnest(array[1, 1.25, 1.5, 4]) as place"
        "  group by place order by place",
        NOON,
    )
    await database.pool.execute(
        "insert into enrollments (organization_id, campaign_id, contact_id, state, position,"
        " enrolled_at, enrolled_by)"
        " select 'acme', min(id), 1, 'active', 1.5, $1, 'U' from campaigns",
        NOON,
    )

    await migrate(database.url, to=NAMES[0])

    async with database.pool.acquire() as connection:
        steps = await connection.fetch("select position from steps order by id")
        place = await connection.fetchval("select position from enrollments")
    assert [row["position"] for row in steps] == [1, 2, 3, 4]
    assert place == 3
    await migrate(database.url)


async def test_migrations_may_be_started_by_several_at_once(database: Database) -> None:
    await migrate(database.url, to="zero")

    ran = await asyncio.gather(*(migrate(database.url) for _ in range(3)))

    assert sorted(ran) == [[], [], list(NAMES)]
