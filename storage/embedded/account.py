"""The account that the servers run as when we are root, and what it can reach."""

import grp
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

_OWN = "dripline"
_KNOWN = (_OWN, "postgres", "pgserver")


class NoAccount(Exception):
    """We are root, PostgreSQL refuses to run as root, and no other account could be made."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"PostgreSQL does not run as root, and the account {_OWN!r} could not be made ({why}). "
            f"Make it (useradd --system {_OWN}), run as an ordinary user, or set DATABASE_URL "
            "and REDIS_URL to servers that run elsewhere."
        )


class AccountCannotReach(Exception):
    """The account lacks the right to enter a folder on the way to what it needs."""

    def __init__(self, account: str, *, needed: Path, closed: Path) -> None:
        mode = stat.filemode(closed.stat().st_mode)
        super().__init__(
            f"as root, the servers run as the account {account!r}, which needs {needed} but may "
            f"not enter {closed} ({mode}). Keep project and data where it may (under /srv or "
            f"/opt, say; DATA=<folder> for the sandbox's data), run as an ordinary user, allow "
            f"passing through with `chmod o+x {closed}`, or set DATABASE_URL and REDIS_URL to "
            "servers that run elsewhere."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An unprivileged account of this machine."""

    name: str
    uid: int
    gid: int


def account_for(data: Path) -> Account | None:
    """Return whom the servers with their data below *data* run as; None: as ourselves.

    As root that is the account to which the data belongs already, else one that exists, else a new
    one.

    Raises:
        NoAccount: There is none, and none could be made.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat().st_uid) != 0:
        return _account(pwd.getpwuid(owner))
    for name in _KNOWN:
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    return _made()


def require_reach(account: Account | None, needed: Path) -> None:
    """Return when the account may enter the folder, or run the program, *needed*.

    Raises:
        AccountCannotReach: It may not; a virtual environment or a checkout below /root is the
            usual case.
    """
    if account is None or _reaches(account, needed):
        return
    way = [*reversed(needed.parents), needed]
    closed = next(place for place in way if not _reaches(account, place))
    raise AccountCannotReach(account.name, needed=needed, closed=closed)


def _reaches(account: Account, place: Path) -> bool:
    # Asked of the system, since groups and access lists decide with the permission bits.
    return (
        subprocess.run(  # noqa: S603 — a fixed program, no shell
            ["/bin/sh", "-c", 'test -x "$0"', place],
            cwd="/",
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            check=False,
        ).returncode
        == 0
    )


def _made() -> Account:
    # An ordinary PATH may lack the folders of the system's own programs.
    useradd = shutil.which("useradd") or shutil.which("useradd", path="/usr/sbin:/sbin")
    if useradd is None:
        raise NoAccount("no useradd")
    done = subprocess.run(  # noqa: S603 — a program we looked up, no shell
        [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/bin/false", _OWN],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise NoAccount(done.stderr.strip())
    return _account(pwd.getpwnam(_OWN))


def _account(entry: pwd.struct_passwd) -> Account:
    group = grp.getgrgid(entry.pw_gid)
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=group.gr_gid)
