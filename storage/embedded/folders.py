"""The folders of the servers: who owns them, who uses them, how long their names are."""

import fcntl
import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.embedded.account import Account, require_reach

# The name of a socket has at most 103 bytes on macOS and 107 on Linux, of which the folder's and
# the socket's own name take 40 here.
_LONGEST_TEMPORARY = 60
_PREFIX = "dripline-"


class DataInUse(Exception):
    """Another process runs servers with this data."""

    def __init__(self, data: Path) -> None:
        super().__init__(f"the data in {data} is in use: another dripline runs its servers on it")
        self.data = data


class DataOwnedByAnother(Exception):
    """The data belongs to another account of this machine."""

    def __init__(self, data: Path) -> None:
        owner = data.stat().st_uid
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = str(owner)
        super().__init__(
            f"the data in {data} belongs to the account {name!r}; run as it (or as root), or "
            "choose another folder"
        )


def own_folder(folder: Path, account: Account | None) -> None:
    """Make *folder* if need be, open to the account alone and reachable by it.

    Raises:
        DataOwnedByAnother: It is there and neither ours nor the account's.
        AccountCannotReach: The account may not enter a folder above it.
    """
    if not folder.exists():
        folder.mkdir(parents=True, mode=0o700)
    wanted = os.geteuid() if account is None else account.uid
    if folder.stat().st_uid != wanted:
        if account is None:
            raise DataOwnedByAnother(folder)
        os.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)
    require_reach(account, folder)


@contextmanager
def in_use(data: Path) -> Iterator[None]:
    """Hold the data for this process; the system lets go of it however the process ends.

    Raises:
        DataInUse: Another process holds it.
    """
    data.mkdir(parents=True, exist_ok=True)
    with (data / ".lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as refusal:
            raise DataInUse(data) from refusal
        yield


def replace_link(data: Path, sockets: Path) -> None:
    """Make *data*/sockets lead to the folder of the sockets; what it led to is removed.

    A process that is killed leaves its folder behind; the next one finds it by this link. The
    caller holds the data, so nobody listens there.
    """
    link = data / "sockets"
    if link.is_symlink():
        left_behind = link.readlink()
        if left_behind.name.startswith(_PREFIX):
            shutil.rmtree(left_behind, ignore_errors=True)
        link.unlink()
    link.symlink_to(sockets)


@contextmanager
def socket_folder(account: Account | None) -> Iterator[Path]:
    """A new folder for sockets, with a short name, that only the account (and root) may enter.

    The servers ask for no password on their sockets: this folder is what keeps others out.
    """
    temporary = tempfile.gettempdir()
    if len(temporary.encode()) > _LONGEST_TEMPORARY:
        temporary = "/tmp"  # noqa: S108 — mkdtemp below makes a name of its own in it
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=temporary))
    try:
        own_folder(folder, account)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
