"""A server process that ends with us: starting, watching and stopping it."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from storage.embedded.account import Account

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_LARGEST_LOG = 10 * 1024 * 1024
_READY_WITHIN_S = 60.0
# Not ours: it holds secrets, and accounts read the environment of what they run.
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


class ServerFailed(Exception):
    """The server ended, or was not ready in time; the message ends with what it logged last."""

    def __init__(self, name: str, *, why: str, log: Path) -> None:
        written = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        super().__init__(f"{name} {why}; its log {log} ends:\n{written}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to execute, and as whom.

    Attributes:
        account: None: as ourselves.
        log: The server's output is added to it.
        stop_signal: Ends the server in order, its clients' connections cut.
    """

    argv: tuple[str, ...]
    cwd: Path
    account: Account | None
    log: Path
    stop_signal: signal.Signals


class Server(ABC):
    """One server, ours to start again when it dies.

    In a session of its own, so that Ctrl-C in the terminal reaches us alone and what drains still
    has a database; and told to end when we die, however that happens. Attributes: `url`, for
    clients.
    """

    name: str

    def __init__(self, command: Command, *, url: str) -> None:
        self.command = command
        self.url = url
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: int | None = None

    @abstractmethod
    def is_ready(self) -> bool:
        """Return whether it takes connections; quick, never waits."""

    @abstractmethod
    def prepare(self) -> None:
        """Clear away what a predecessor left that would keep this one from starting."""

    @property
    def pid(self) -> int | None:
        """None before the first start; of the last process after it ended."""
        return None if self._process is None else self._process.pid

    def poll(self) -> int | None:
        """The exit status (-n: signal n), None while it runs."""
        return None if self._process is None else self._process.poll()

    def launch(self) -> None:
        """Execute it, without waiting until it is ready."""
        self.prepare()
        self._unwatch()
        _rotate(self.command.log)
        account = self.command.account
        # The kernel ties a child to the thread that started it, so only the main one will do.
        in_main = threading.current_thread() is threading.main_thread()
        by_kernel = in_main and sys.platform == "linux"
        with self.command.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 — a program we looked up, no shell
                self.command.argv,
                cwd=self.command.cwd,
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=None if account is None else account.uid,
                group=None if account is None else account.gid,
                extra_groups=None if account is None else [],
                preexec_fn=_dying_with_parent(self.command.stop_signal) if by_kernel else None,  # noqa: PLW1509 — two system calls, no lock
            )
        if not by_kernel:
            self._watch = _watched(self._process.pid, self.command.stop_signal)

    def start(self) -> None:
        """Execute it and wait until it is ready.

        Raises:
            ServerFailed: It ended, or was not ready within a minute.
        """
        self.launch()
        deadline = time.monotonic() + _READY_WITHIN_S
        while not self.is_ready():
            if self.poll() is not None:
                raise ServerFailed(self.name, why="ended at once", log=self.command.log)
            if time.monotonic() > deadline:
                self.kill()
                raise ServerFailed(self.name, why="was not ready in time", log=self.command.log)
            time.sleep(0.01)

    def signal(self, number: int) -> None:
        """Send a signal, if it runs."""
        if self._process is not None:
            self._process.send_signal(number)

    def stop(self, *, within_s: float = 30.0) -> None:
        """End it in order and wait; kill it after *within_s* seconds."""
        if self._process is None:
            return
        self.signal(self.command.stop_signal)
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()
        self._unwatch()

    def kill(self) -> None:
        """End it as a crash would, and wait."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._unwatch()

    def restart(self) -> None:
        """Stop it and start it again; same URL."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _unwatch(self) -> None:
        if self._watch is not None:
            os.write(self._watch, b"\n")
            os.close(self._watch)
            self._watch = None


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))


def _dying_with_parent(number: signal.Signals) -> Callable[[], None]:
    parent = os.getpid()

    def tie() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # it died before the tie held
            os._exit(1)

    return tie


def _watched(pid: int, number: signal.Signals) -> int:
    """Have a shell signal *pid* when our end of a pipe closes, however we end.

    Returns:
        Our end; a line written to it first sends the shell away.
    """
    reading, writing = os.pipe()
    try:
        # It ends with us, so nobody waits for it.
        subprocess.Popen(  # noqa: S603 — a fixed program, no shell expansion of ours
            ["/bin/sh", "-c", 'read -r _ || kill -s "$1" "$0"', str(pid), number.name[3:]],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    finally:
        os.close(reading)
    return writing
