"""An embedded PostgreSQL: its data, its settings, its roles."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from storage.embedded.account import Account, account_for, require_reach
from storage.embedded.binaries import PostgresBinaries, find_postgres
from storage.embedded.folders import DataInUse, DataOwnedByAnother, own_folder, socket_folder
from storage.embedded.server import ENVIRONMENT, Command, Server, ServerFailed

_PORT = 5432  # names the socket; there is no TCP
_SUPERUSER = "postgres"
_BUILTIN_LOCALE_SINCE = 17
_PREDECESSOR_ENDS_WITHIN_S = 15.0
_LINE_OF_STATUS = 8  # of postmaster.pid

# The product's role can make roles (row level security needs a second one) and owns its database,
# but is no superuser: what works here works on a hosted server.
_BOOTSTRAP = b"""\
create role dripline login createrole;
create database dripline owner dripline;
"""

# For many small transactions on a small machine. Durability is PostgreSQL's default: on.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "wal_buffers": "16MB",
    "min_wal_size": "256MB",
    "max_wal_size": "2GB",  # a checkpoint each few hundred thousand messages, not each minute
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "synchronous_commit": "on",
    "random_page_cost": "1.1",
    "jit": "off",  # compiling costs more than our queries take
    "autovacuum": "on",
    "autovacuum_naptime": "15s",  # queued rows change state within seconds
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.05",
    "autovacuum_vacuum_cost_limit": "2000",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
# Only for data that nobody misses.
_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "min_wal_size": "64MB",
    "wal_buffers": "4MB",
}


class PostgresServer(Server):
    """A server with the database `dripline`, owned by the role `dripline`; `url` names both."""

    name = "postgres"

    def __init__(self, command: Command, *, folder: Path, sockets: Path) -> None:
        self._folder = folder
        self._sockets = sockets
        super().__init__(command, url=url_at(sockets))

    def url_as(self, role: str, *, database: str) -> str:
        """The URL for another role or database."""
        return url_at(self._sockets, role=role, database=database)

    @property
    def superuser_url(self) -> str:
        """For making databases and roles in tests; the product has no use for it."""
        return self.url_as(_SUPERUSER, database="postgres")

    def is_ready(self) -> bool:
        # As pg_ctl does it: the last line of its pid file says so. A server killed before left
        # the line standing, hence the look at the first.
        try:
            lines = (self._folder / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return (
            self.poll() is None
            and len(lines) >= _LINE_OF_STATUS
            and lines[0] == str(self.pid)
            and lines[_LINE_OF_STATUS - 1].strip() == "ready"
        )

    def prepare(self) -> None:
        """Remove the pid file of a dead server.

        PostgreSQL itself takes a zombie, or any process with the number of its own after the
        machine started anew, for a server that runs.
        """
        pid = _noted_pid(self._folder)
        if pid is not None and not _runs(pid):
            (self._folder / "postmaster.pid").unlink(missing_ok=True)


def url_at(sockets: Path, *, role: str = "dripline", database: str = "dripline") -> str:
    """The URL of a server with its socket in that folder."""
    return f"postgres://{quote(role)}@/{quote(database)}?host={quote(str(sockets))}&port={_PORT}"


def postgres_server(
    data: Path,
    *,
    sockets: Path,
    account: Account | None,
    fast: bool,
    search_path: str | None,
) -> PostgresServer:
    """Return a server, not yet started, with its data in *data*/postgres, made if need be.

    With *fast*, which is for tests, a crash of the machine loses the data. *search_path* are
    folders in the manner of PATH; None: PATH itself.

    Raises:
        NoPostgres: This machine has none, or none that can read the data.
        AccountCannotReach: As root, the account may not run the programs or enter the folder.
        DataOwnedByAnother: The data is not ours.
        DataInUse: Another server runs with the data.
        ServerFailed: The data could not be made.
    """
    folder = data / "postgres"
    binaries = _initialised(data, account=account, fast=fast, search_path=search_path)
    _wait_for_predecessor(folder)
    settings = _SETTINGS | (_FAST if fast else {})
    argv = [str(binaries.postgres), "-D", str(folder), "-k", str(sockets), "-p", str(_PORT)]
    for key, value in settings.items():
        argv += ["-c", f"{key}={value}"]
    command = Command(
        argv=tuple(argv),
        cwd=folder,
        account=account,
        log=data / "postgres.log",
        stop_signal=signal.SIGINT,  # "fast": cut the connections, write a checkpoint, end
    )
    return PostgresServer(command, folder=folder, sockets=sockets)


@contextmanager
def start_postgres(
    data: Path, *, fast: bool = False, search_path: str | None = None
) -> Iterator[PostgresServer]:
    """Run a server until the block ends; arguments and errors as `postgres_server` has them."""
    data = data.absolute()
    account = account_for(data / "postgres")
    with (
        socket_folder(account) as sockets,
        postgres_server(
            data, sockets=sockets, account=account, fast=fast, search_path=search_path
        ) as server,
    ):
        server.start()
        yield server


def _initialised(
    data: Path, *, account: Account | None, fast: bool, search_path: str | None
) -> PostgresBinaries:
    """Make *data*/postgres, if it is not there, and return the programs that fit it.

    All or nothing: the folder takes its name when role and database are in it.
    """
    folder = data / "postgres"
    binaries = find_postgres(data_major=_data_major(folder), search_path=search_path)
    require_reach(account, binaries.postgres)
    if folder.exists():
        own_folder(folder, account)
        return binaries
    data.mkdir(parents=True, exist_ok=True)
    unfinished = data / "postgres.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    own_folder(unfinished, account)
    log = data / "postgres.log"
    _initdb(binaries, unfinished, account=account, fast=fast, log=log)
    # Nobody gets in but through the socket, whose folder is the account's alone.
    (unfinished / "pg_hba.conf").write_text("local all all trust\n")
    single: list[str | Path] = [binaries.postgres, "--single", "-D", unfinished]
    single += ["-c", "exit_on_error=on", *(["-F"] if fast else []), "postgres"]
    if not _ran(single, unfinished, account, log, _BOOTSTRAP):
        raise ServerFailed("postgres", why="could not make role and database", log=log)
    unfinished.rename(folder)
    return binaries


def _initdb(
    binaries: PostgresBinaries, folder: Path, *, account: Account | None, fast: bool, log: Path
) -> None:
    command: list[str | Path] = [
        binaries.initdb,
        "-D",
        folder,
        "-U",
        _SUPERUSER,
        "-A",
        "trust",
        "-E",
        "UTF8",
    ]
    command += ["--no-instructions", *(["--no-sync"] if fast else [])]
    # Code point order, and upper and lower case of all of Unicode, on every machine alike. Before
    # 17 that takes a locale that not every system has; C, which they all have, knows case in
    # ASCII only.
    locales: list[list[str]] = (
        [["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]]
        if binaries.major >= _BUILTIN_LOCALE_SINCE
        else [["--locale=C.UTF-8"], ["--locale=C"]]
    )
    if not any(_ran([*command, *locale], folder, account, log) for locale in locales):
        raise ServerFailed("initdb", why="could not make the data folder", log=log)


def _ran(
    command: list[str | Path], cwd: Path, account: Account | None, log: Path, said: bytes = b""
) -> bool:
    """Whether the program, run as the account with *said* as its input, ended well."""
    with log.open("ab") as output:
        return (
            subprocess.run(  # noqa: S603 — a program we looked up, no shell
                command,
                cwd=cwd,
                env=ENVIRONMENT,
                input=said,
                stdout=output,
                stderr=output,
                user=None if account is None else account.uid,
                group=None if account is None else account.gid,
                extra_groups=None if account is None else [],
                check=False,
            ).returncode
            == 0
        )


def _data_major(folder: Path) -> int | None:
    try:
        return int((folder / "PG_VERSION").read_text())
    except FileNotFoundError:
        return None
    except PermissionError as refusal:
        raise DataOwnedByAnother(folder) from refusal


def _wait_for_predecessor(folder: Path) -> None:
    """Give the server of a parent that died a moment ago the time to end."""
    deadline = time.monotonic() + _PREDECESSOR_ENDS_WITHIN_S
    while (pid := _noted_pid(folder)) is not None and _runs(pid):
        if time.monotonic() > deadline:
            raise DataInUse(folder)
        time.sleep(0.05)


def _noted_pid(folder: Path) -> int | None:
    try:
        return int((folder / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _runs(pid: int) -> bool:
    """Whether *pid* is a PostgreSQL that is alive; where the system does not tell, any process."""
    try:
        # "4711 (postgres) S …": the name, then the state.
        name, state = Path(f"/proc/{pid}/stat").read_text().split("(", 1)[1].rsplit(")", 1)
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return False
    else:
        return name == "postgres" and state.split()[0] not in {"Z", "X"}
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
