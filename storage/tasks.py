"""What staff ask the worker to do by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.database import Unit
from storage.queries import load

_SQL = load("tasks")

SYNC_TEMPLATES = "sync_templates"
LOOK_THROUGH = "look_through"
DAILY_SUMMARY = "daily_summary"
READ_ACCOUNTS = "read_accounts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as it stands.

    Attributes:
        result: Of the last time it was done; its keys are the task's own. None: never yet.
    """

    requested_at: datetime
    done_at: datetime | None
    result: Mapping[str, Any] | None

    @property
    def done(self) -> bool:
        """Whether it was done since it was last asked for."""
        return self.done_at is not None and self.done_at >= self.requested_at


async def request(unit: Unit, *, name: str, by: str) -> None:
    """Ask for a task, also where it has just been done."""
    await unit.run(_SQL["request"], name=name, by=by)


async def get(unit: Unit, *, name: str) -> Task | None:
    """Return a task; None: nobody ever asked for it."""
    row = await unit.row(_SQL["get"], name=name)
    return None if row is None else Task(**dict(row))
