"""Migrations: pairs of SQL files, `<name>.up.sql` and `<name>.down.sql`, planned by tortoise."""

from pathlib import Path

from tortoise.migrations.operations import RunSQL

_FOLDER = Path(__file__).parent
NAMES = tuple(sorted(path.name.removesuffix(".up.sql") for path in _FOLDER.glob("*.up.sql")))
"""Every migration, oldest first."""


def from_files(name: str) -> RunSQL:
    """Return the operation that runs *name*'s way up, and its way back."""
    up, down = (_FOLDER / f"{name}.{way}.sql" for way in ("up", "down"))
    return RunSQL(up.read_text(), down.read_text())
