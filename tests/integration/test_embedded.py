"""Embedded servers: real ones, from PATH and from the wheels."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp

import asyncpg
import psutil
import pytest
import redis.asyncio

from storage.embedded import (
    AccountCannotReach,
    DataInUse,
    NoPostgres,
    NoRedis,
    PostgresServer,
    ServerFailed,
    embedded_servers,
    running_postgres,
    start_postgres,
    start_redis,
)
from storage.embedded.account import account_for
from storage.embedded.binaries import find_postgres, find_redis

ROOT = Path(__file__).parents[2]
# A search path without programs leaves the wheels.
WHEEL = pytest.param("", id="wheel")
ON_PATH = pytest.param(None, id="on PATH")
POSTGRES = [WHEEL, *([ON_PATH] if shutil.which("initdb") and shutil.which("postgres") else [])]
REDIS = [
    WHEEL,
    *([ON_PATH] if shutil.which("valkey-server") or shutil.which("redis-server") else []),
]
AS_ROOT = os.geteuid() == 0


@pytest.fixture
def postgres(open_folder: Path) -> Iterator[PostgresServer]:
    with start_postgres(open_folder, fast=True, search_path="") as server:
        yield server


async def value(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def execute(url: str, query: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(query)
    finally:
        await connection.close()


def alive(pid: int) -> bool:
    """Whether it runs; a zombie, whose parent does not ask, does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def all_end(pids: list[int], *, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while any(alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize("search_path", POSTGRES)
async def test_postgres_keeps_what_it_was_told(open_folder: Path, search_path: str | None) -> None:
    with start_postgres(open_folder, search_path=search_path) as server:
        await execute(server.url, "create table kept as select 7 as n")
        server.kill()
        server.start()
        assert await value(server.url, "select n from kept") == 7
        server.restart()
        assert await value(server.url, "select n from kept") == 7
    with start_postgres(open_folder, search_path=search_path) as server:
        assert await value(server.url, "select n from kept") == 7


@pytest.mark.parametrize("search_path", POSTGRES)
@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("select rolsuper from pg_roles where rolname = current_user", False),
        ("select rolcreaterole from pg_roles where rolname = current_user", True),
        ("select rolbypassrls from pg_roles where rolname = current_user", False),
        ("select current_user::text", "dripline"),
        ("select pg_get_userbyid(datdba) from pg_database where datname = 'dripline'", "dripline"),
        ("show server_encoding", "UTF8"),
        ("show timezone", "UTC"),
        ("select upper('é')", "É"),
        ("select array_agg(x order by x) = '{B,a}' from unnest('{a,B}'::text[]) as x", True),
        ("show listen_addresses", ""),
        ("show fsync", "on"),
        ("show synchronous_commit", "on"),
        ("show full_page_writes", "on"),
        ("show autovacuum", "on"),
    ],
)
async def test_the_product_finds_a_durable_utf8_database_of_its_own(
    durable: dict[str, str], search_path: str | None, setting: str, expected: object
) -> None:
    assert await value(durable["wheel" if search_path == "" else "path"], setting) == expected


@pytest.fixture(scope="module")
def durable() -> Iterator[dict[str, str]]:
    """URLs of servers that are not `fast`, by where their programs are from."""
    folder = Path(mkdtemp(prefix="dripline-test-"))
    folder.chmod(0o711)
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(start_postgres(folder / name, search_path=search_path)).url
            for name, search_path in (("wheel", ""), ("path", None))
        }
    shutil.rmtree(folder, ignore_errors=True)


async def test_fast_gives_up_durability(postgres: PostgresServer) -> None:
    assert await value(postgres.url, "show fsync") == "off"


async def test_the_role_can_make_a_second_role_and_step_into_it(postgres: PostgresServer) -> None:
    await execute(
        postgres.url, "create role second nologin; grant second to dripline; set role second"
    )


async def test_superuser_url_may_make_databases(postgres: PostgresServer) -> None:
    await execute(postgres.superuser_url, "create database another owner dripline")

    url = postgres.url_as("dripline", database="another")
    assert await value(url, "select current_database()::text") == "another"


def test_a_server_has_a_session_of_its_own(postgres: PostgresServer) -> None:
    assert postgres.pid is not None
    assert os.getsid(postgres.pid) == postgres.pid


def test_nobody_else_may_enter_the_folder_of_the_sockets(postgres: PostgresServer) -> None:
    folder = Path(postgres.url.split("host=")[1].split("&")[0])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (folder / ".s.PGSQL.5432").is_socket()


def test_a_long_data_folder_does_not_make_the_sockets_name_too_long(open_folder: Path) -> None:
    deep = open_folder / ("d" * 120) / ("e" * 120)
    deep.mkdir(parents=True)
    with embedded_servers(deep, fast=True) as servers:
        assert servers.postgres
        assert servers.redis
        servers.postgres.start()
        servers.redis.start()
        assert servers.postgres.is_ready()
        assert servers.redis.is_ready()


def test_our_environment_stays_ours(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_WA_TOKEN", "secret")
    with start_postgres(open_folder, fast=True) as server:
        seen = psutil.Process(server.pid).environ()
        assert seen["LC_ALL"] == "C"
        assert "ACME_WA_TOKEN" not in seen


@pytest.mark.parametrize("search_path", REDIS)
async def test_redis_answers_and_forgets(open_folder: Path, search_path: str | None) -> None:
    with start_redis(open_folder, search_path=search_path) as server:
        client = redis.asyncio.Redis.from_url(server.url)
        await client.set("key", "value")
        await client.aclose()
        server.restart()
        client = redis.asyncio.Redis.from_url(server.url)
        assert await client.get("key") is None
        await client.aclose()


def test_the_end_of_the_block_ends_both(open_folder: Path) -> None:
    with embedded_servers(open_folder, fast=True) as servers:
        started = [server for server in (servers.postgres, servers.redis) if server]
        for server in started:
            server.start()
        pids = [server.pid for server in started if server.pid]
    assert len(pids) == 2
    assert not any(alive(pid) for pid in pids)


def test_only_what_is_asked_for_is_prepared(open_folder: Path) -> None:
    with embedded_servers(open_folder, postgres=False) as servers:
        assert servers.postgres is None
        assert servers.redis
    assert not (open_folder / "postgres").exists()


PARENT = """
import sys, threading, time
from pathlib import Path
from storage.embedded import embedded_servers

with embedded_servers(Path(sys.argv[1]), fast=True) as servers:
    def start():
        servers.postgres.start()
        servers.redis.start()
    if sys.argv[2] == "in a thread":
        thread = threading.Thread(target=start)
        thread.start()
        thread.join()
    else:
        start()
    time.sleep(0.2)
    assert servers.postgres.poll() is None and servers.redis.poll() is None
    print(servers.postgres.pid, servers.redis.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("where", ["in the main thread", "in a thread"])
def test_servers_end_with_a_parent_that_is_killed(open_folder: Path, where: str) -> None:
    """A thread's end is not the parent's; the parent's is, however it comes."""
    command = [sys.executable, "-c", PARENT, str(open_folder), where]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        parent.send_signal(signal.SIGKILL)

    assert all_end(pids, within_s=10)


def test_a_successor_waits_for_the_servers_of_a_killed_parent(open_folder: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(open_folder), "in the main thread"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        parent.stdout.readline()
        parent.send_signal(signal.SIGKILL)

    with embedded_servers(open_folder, fast=True) as servers:
        assert servers.postgres
        servers.postgres.start()
        assert servers.postgres.is_ready()


def test_a_killed_parent_leaves_no_folder_of_sockets_for_ever(open_folder: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(open_folder), "in the main thread"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        parent.stdout.readline()
        left_behind = (open_folder / "sockets").readlink()
        parent.send_signal(signal.SIGKILL)
    assert left_behind.is_dir()

    with embedded_servers(open_folder, fast=True):
        assert not left_behind.exists()


async def test_another_process_finds_the_server_that_runs(open_folder: Path) -> None:
    assert running_postgres(open_folder) is None
    with embedded_servers(open_folder, fast=True, redis=False) as servers:
        assert servers.postgres
        servers.postgres.start()
        url = running_postgres(open_folder)
        assert url
        assert await value(url, "select 1") == 1
        servers.postgres.kill()
        assert running_postgres(open_folder) is None


def test_one_folder_serves_one_parent(open_folder: Path) -> None:
    with (
        embedded_servers(open_folder, fast=True),
        pytest.raises(DataInUse, match=str(open_folder)),
        embedded_servers(open_folder, fast=True),
    ):
        pass


def test_a_pid_file_that_names_another_process_does_not_keep_postgres_down(
    open_folder: Path,
) -> None:
    """After the machine started anew, any process may have the number."""
    with start_postgres(open_folder, fast=True) as server:
        server.kill()
        noted = open_folder / "postgres" / "postmaster.pid"
        own = str(os.getpid())
        noted.write_text("\n".join([own, *noted.read_text().splitlines()[1:]]))
        server.start()
        assert server.is_ready()


def test_a_server_that_cannot_start_shows_its_log(open_folder: Path) -> None:
    with start_postgres(open_folder, fast=True) as server:
        server.stop()
        (open_folder / "postgres" / "postgresql.conf").write_text("no_such_setting = on\n")
        with pytest.raises(ServerFailed, match="no_such_setting"):
            server.start()


def test_unfinished_data_is_made_again(open_folder: Path) -> None:
    (open_folder / "postgres.new").mkdir()
    (open_folder / "postgres.new" / "PG_VERSION").write_text("18\n")
    with start_postgres(open_folder, fast=True) as server:
        assert server.is_ready()


def test_data_is_opened_only_by_its_own_version(open_folder: Path) -> None:
    (open_folder / "postgres").mkdir()
    (open_folder / "postgres" / "PG_VERSION").write_text("13\n")
    with pytest.raises(NoPostgres, match="no PostgreSQL 13 to start"), start_postgres(open_folder):
        pass


def program(folder: Path, name: str, *, version: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\necho '{version}'\n")
    (folder / name).chmod(0o755)


def test_what_is_too_old_on_path_gives_way_to_the_wheels(tmp_path: Path) -> None:
    program(tmp_path, "initdb", version="initdb (PostgreSQL) 13.9")
    program(tmp_path, "postgres", version="postgres (PostgreSQL) 13.9")
    program(tmp_path, "redis-server", version="Redis server v=6.0.16 sha=00000000:0")

    assert find_postgres(data_major=None, search_path=str(tmp_path)).major >= 14
    assert tmp_path not in find_redis(search_path=str(tmp_path)).parents


def test_what_is_on_path_goes_first(tmp_path: Path) -> None:
    program(tmp_path, "initdb", version="initdb (PostgreSQL) 14.1")
    program(tmp_path, "postgres", version="postgres (PostgreSQL) 14.1")
    program(tmp_path, "valkey-server", version="Valkey server v=8.0.1 sha=00000000:0")

    found = find_postgres(data_major=None, search_path=str(tmp_path))
    assert (found.major, found.postgres.parent) == (14, tmp_path.resolve())
    assert find_redis(search_path=str(tmp_path)).parent == tmp_path.resolve()


def test_programs_of_two_versions_are_no_installation(tmp_path: Path) -> None:
    program(tmp_path, "initdb", version="initdb (PostgreSQL) 15.1")
    program(tmp_path, "postgres", version="postgres (PostgreSQL) 16.1")

    assert find_postgres(data_major=None, search_path=str(tmp_path)).postgres.parent != tmp_path


@pytest.mark.parametrize(
    ("call", "refusal", "variable", "line"),
    [
        (
            "find_postgres(data_major=None, search_path='')",
            NoPostgres,
            "DATABASE_URL=postgres://",
            "docker run",
        ),
        ("find_redis(search_path='')", NoRedis, "REDIS_URL=redis://", "docker run"),
    ],
)
def test_a_machine_without_servers_is_told_what_to_set(
    call: str, refusal: type[Exception], variable: str, line: str
) -> None:
    """`-S` leaves the wheels out."""
    script = f"from storage.embedded.binaries import find_postgres, find_redis; {call}"
    said = subprocess.run(
        [sys.executable, "-S", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    ).stderr
    assert refusal.__name__ in said
    assert variable in said
    assert line in said


if AS_ROOT:

    def test_as_root_servers_run_as_another_account(postgres: PostgresServer) -> None:
        assert psutil.Process(postgres.pid).uids().real != 0

    def test_as_root_a_folder_that_the_account_may_not_enter_is_named(open_folder: Path) -> None:
        closed = open_folder / "closed"
        closed.mkdir(mode=0o700)
        with (
            pytest.raises(AccountCannotReach, match=f"not enter {closed} ") as refusal,
            embedded_servers(closed / "data"),
        ):
            pass
        assert "DATABASE_URL" in str(refusal.value)
        assert f"chmod o+x {closed}" in str(refusal.value)

    def test_as_root_programs_that_the_account_may_not_enter_are_named(open_folder: Path) -> None:
        closed = open_folder / "venv"
        closed.mkdir(mode=0o700)
        program(closed, "valkey-server", version="Valkey server v=8.0.1")
        with (
            pytest.raises(AccountCannotReach, match=f"not enter {closed} "),
            start_redis(open_folder, search_path=str(closed)),
        ):
            pass

    def test_as_root_data_stays_with_its_account(open_folder: Path) -> None:
        os.chown(open_folder, 1, 1)
        account = account_for(open_folder)
        assert account
        assert account.uid == 1

else:

    def test_as_a_plain_user_servers_run_as_ourselves(open_folder: Path) -> None:
        assert account_for(open_folder) is None


def test_threads_do_not_matter_to_stop(postgres: PostgresServer) -> None:
    thread = threading.Thread(target=postgres.stop)
    thread.start()
    thread.join()
    assert postgres.poll() == 0
