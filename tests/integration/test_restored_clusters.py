"""Whether the database is another one, asked of real clusters: restarted, restored, promoted."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from storage import restores
from storage.database import Database
from storage.embedded import start_postgres
from storage.embedded.account import account_for
from storage.embedded.binaries import find_postgres
from storage.embedded.folders import socket_folder
from storage.embedded.postgres import PostgresServer, postgres_server
from storage.migrate import migrate
from storage.template_sync import know_organization
from tests.database import ACME, NOON


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = await Database.open(url, name="tests", largest=2)
    try:
        yield database
    finally:
        await database.close()


async def first_start(url: str) -> None:
    await migrate(url)
    async with opened(url) as database, database.owner_unit(ACME, NOON) as unit:
        await know_organization(unit)
        assert not await restores.moved(unit)


async def found(url: str) -> tuple[bool, bool | None]:
    """Return whether it is another one, and whether it was promoted, after a look by the tick."""
    async with opened(url) as database, database.owner_unit(ACME, NOON) as unit:
        await know_organization(unit)
        await restores.notice(unit)
        held = await restores.held(unit)
        return await restores.moved(unit), None if held is None else held.promoted


def programs(*names: str) -> list[Path]:
    """Return the server's own programs, or skip what this machine has no programs for."""
    folder = find_postgres(data_major=None, search_path=None).postgres.resolve().parent
    paths = [folder / name for name in names]
    for path in paths:
        if not path.exists():
            pytest.skip(f"{path.name} is not installed beside postgres")
    return paths


def dump(program: Path, url: str) -> bytes:
    return subprocess.run(
        [program, "--no-owner", f"--dbname={url.replace('postgres://', 'postgresql://')}"],
        check=True,
        capture_output=True,
        env={"LANG": "C", "PATH": os.defpath},
    ).stdout


def load(program: Path, url: str, dumped: bytes) -> None:
    subprocess.run(
        [
            program,
            "--quiet",
            "--no-psqlrc",
            "--set=ON_ERROR_STOP=1",
            f"--dbname={url.replace('postgres://', 'postgresql://')}",
        ],
        input=dumped,
        check=True,
        capture_output=True,
        env={"LANG": "C", "PATH": os.defpath},
    )


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def test_a_restart_changes_nothing(open_folder: Path) -> None:
    with start_postgres(open_folder, fast=True) as server:
        await first_start(server.url)
    with start_postgres(open_folder, fast=True) as server:
        assert await found(server.url) == (False, None)
        server.kill()
        server.start()
        assert await found(server.url) == (False, None)


async def test_a_dump_loaded_into_another_cluster_is_another_one(open_folder: Path) -> None:
    pg_dump, psql = programs("pg_dump", "psql")
    first, second = open_folder / "first", open_folder / "second"
    with start_postgres(first, fast=True) as old, start_postgres(second, fast=True) as new:
        await first_start(old.url)
        await execute(new.url, "create role dripline_bot nologin")
        load(psql, new.url, dump(pg_dump, old.url))

        assert await found(new.url) == (True, False)
        assert await found(old.url) == (False, None)


async def test_a_dump_loaded_again_into_the_same_cluster_is_another_one(open_folder: Path) -> None:
    pg_dump, psql = programs("pg_dump", "psql")
    with start_postgres(open_folder, fast=True) as server:
        await first_start(server.url)
        dumped = dump(pg_dump, server.url)
        # As `pg_restore --clean` does it: the database stays, all that is in it is made anew.
        superuser = server.url_as("postgres", database="dripline")
        await execute(superuser, "drop schema public cascade")
        await execute(superuser, "create schema public authorization dripline")
        load(psql, server.url, dumped.replace(b"CREATE SCHEMA public;", b""))

        assert await found(server.url) == (True, False)


async def test_a_backup_recovered_to_its_end_is_another_one(open_folder: Path) -> None:
    first, second = open_folder / "first", open_folder / "second"
    with start_postgres(first, fast=True) as server:
        await first_start(server.url)
    copied(first, second)
    with (second / "postgres" / "postgresql.auto.conf").open("a") as settings:
        settings.write("restore_command = 'false'\n")
    (second / "postgres" / "recovery.signal").touch()

    with start_postgres(second, fast=True) as server:
        connection = await patiently(server)
        async with asyncio.timeout(30):
            while await connection.fetchval("select pg_is_in_recovery()"):  # noqa: ASYNC110 — no event tells it
                await asyncio.sleep(0.02)
        await connection.close()

        assert await found(server.url) == (True, True)


async def test_a_replica_is_another_one_once_it_is_promoted(open_folder: Path) -> None:
    first, second = open_folder / "first", open_folder / "second"
    with start_postgres(first, fast=True) as server:
        await first_start(server.url)
    copied(first, second)
    (second / "postgres" / "standby.signal").touch()
    account = account_for(second / "postgres")
    with (
        socket_folder(account) as sockets,
        postgres_server(
            second, sockets=sockets, account=account, fast=True, search_path=None
        ) as server,
    ):
        server.launch()
        connection = await patiently(server)
        assert await connection.fetchval("select pg_is_in_recovery()")
        assert await connection.fetchval("select pg_promote()")
        await connection.close()

        assert await found(server.url) == (True, True)


def copied(first: Path, second: Path) -> None:
    """Copy the data of a server that has stopped, with its owners."""
    second.mkdir()
    second.chmod(0o711)
    subprocess.run(["cp", "-a", first / "postgres", second / "postgres"], check=True)
    shutil.rmtree(second / "sockets", ignore_errors=True)


async def patiently(server: PostgresServer) -> asyncpg.Connection:
    """Connect to a server that is not "ready", because it only reads."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await asyncpg.connect(server.superuser_url)
            except (OSError, asyncpg.CannotConnectNowError):
                await asyncio.sleep(0.05)
