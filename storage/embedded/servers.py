"""Both servers of one data folder."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from storage.embedded.account import account_for
from storage.embedded.folders import in_use, replace_link, socket_folder
from storage.embedded.postgres import PostgresServer, postgres_server, url_at
from storage.embedded.redis_server import RedisServer, redis_server


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedServers:
    """What `dripline sandbox` and `dripline up` keep running.

    Attributes:
        postgres: None: `DATABASE_URL` names one that runs elsewhere.
        redis: None: `REDIS_URL` names one that runs elsewhere.
    """

    postgres: PostgresServer | None
    redis: RedisServer | None


@contextmanager
def embedded_servers(
    data: Path,
    *,
    postgres: bool = True,
    redis: bool = True,
    fast: bool = False,
    search_path: str | None = None,
) -> Iterator[EmbeddedServers]:
    """Prepare servers with their data below *data*: the caller starts them, the end stops them.

    Redis is stopped first, and neither before the block ends, so that what drains has both.

    Raises:
        DataInUse: Another process uses the folder.
        NoPostgres: This machine has none.
        NoRedis: This machine has none.
        NoAccount: As root, there is no account for them to run as.
        AccountCannotReach: As root, the account may not run the programs or enter the folder.
        DataOwnedByAnother: The data is not ours.
    """
    data = data.absolute()
    with ExitStack() as stack:
        stack.enter_context(in_use(data))
        account = account_for(data / "postgres")
        sockets = stack.enter_context(socket_folder(account))
        database = (
            stack.enter_context(
                postgres_server(
                    data, sockets=sockets, account=account, fast=fast, search_path=search_path
                )
            )
            if postgres
            else None
        )
        waker = (
            stack.enter_context(
                redis_server(data, sockets=sockets, account=account, search_path=search_path)
            )
            if redis
            else None
        )
        replace_link(data, sockets)
        yield EmbeddedServers(postgres=database, redis=waker)


def running_postgres(data: Path) -> str | None:
    """The URL of the PostgreSQL that another process runs with its data below *data*.

    None: none runs. For commands that a person gives beside `dripline up`.
    """
    link = data.absolute() / "sockets"
    if not link.is_symlink():
        return None
    sockets = link.readlink()
    # Connected to, because a server that was killed leaves its socket standing.
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(sockets / ".s.PGSQL.5432"))
        except OSError:
            return None
    return url_at(sockets)
