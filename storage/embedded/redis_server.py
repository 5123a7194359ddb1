"""An embedded Redis or Valkey."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.embedded.account import Account, account_for, require_reach
from storage.embedded.binaries import find_redis
from storage.embedded.folders import own_folder, socket_folder
from storage.embedded.server import Command, Server


class RedisServer(Server):
    """A server that keeps nothing: what is due stands in Postgres."""

    name = "redis"

    def __init__(self, command: Command, *, socket_path: Path) -> None:
        super().__init__(command, url=f"unix://{socket_path}?db=0")
        self._socket_path = socket_path

    def is_ready(self) -> bool:
        if self.poll() is not None:
            return False
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            try:
                client.connect(str(self._socket_path))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def prepare(self) -> None:
        self._socket_path.unlink(missing_ok=True)


def redis_server(
    data: Path, *, sockets: Path, account: Account | None, search_path: str | None
) -> RedisServer:
    """Return a server, not yet started, whose working folder is *data*/redis.

    Raises:
        NoRedis: This machine has none.
        AccountCannotReach: As root, the account may not run the program or enter the folder.
    """
    program = find_redis(search_path=search_path)
    require_reach(account, program)
    folder = data / "redis"
    own_folder(folder, account)
    socket_path = sockets / "redis.sock"
    settings = {
        "port": "0",  # its socket alone
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "daemonize": "no",
        "save": "",
        "appendonly": "no",
    }
    argv = [str(program)]
    for key, value in settings.items():
        argv += [f"--{key}", value]
    command = Command(
        argv=tuple(argv),
        cwd=folder,
        account=account,
        log=data / "redis.log",
        stop_signal=signal.SIGTERM,
    )
    return RedisServer(command, socket_path=socket_path)


@contextmanager
def start_redis(data: Path, *, search_path: str | None = None) -> Iterator[RedisServer]:
    """Run a server until the block ends.

    Raises:
        NoRedis: This machine has none.
        AccountCannotReach: As root, the account may not run the program or enter the folder.
        ServerFailed: It did not start.
    """
    data = data.absolute()
    account = account_for(data / "redis")
    with (
        socket_folder(account) as sockets,
        redis_server(data, sockets=sockets, account=account, search_path=search_path) as server,
    ):
        server.start()
        yield server
