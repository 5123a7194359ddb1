"""What there is to do: for the tick, and for whoever asks whether the product is idle."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.ids import NumberId
from engine.message import SETTLING
from storage.database import Unit
from storage.leases import EXPIRY_S
from storage.media import RENEWED_AFTER
from storage.queries import load
from storage.sending import AHEAD

_SQL = load("work")


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """Counts of one organization.

    Attributes:
        due: What could be done now: messages no tap holds, enrollments, imports, completions.
        claimed: Messages on their way.
        next_due: The earliest business time at which something happens by itself; None: never.
    """

    due: int
    claimed: int
    next_due: datetime | None


async def lanes(unit: Unit, *, numbers: Sequence[NumberId]) -> list[NumberId]:
    """Return the numbers whose lane nobody runs and should."""
    rows = await unit.rows(_SQL["lanes"], numbers=numbers, expiry_s=EXPIRY_S, ahead=unit.at + AHEAD)
    return [row["id"] for row in rows]


async def jobs(unit: Unit, *, numbers: Sequence[NumberId]) -> list[str]:
    """Return the names of the jobs that have something to do; *numbers* are the configured ones."""
    row = await unit.row(_SQL["jobs"], numbers=numbers, renew_before=unit.at - RENEWED_AFTER)
    return [] if row is None else [name for name, wanted in row.items() if wanted]


async def idle(unit: Unit, *, grace: timedelta) -> Idle:
    row = await unit.row(_SQL["idle"], grace=grace, settling=SETTLING, renewed_after=RENEWED_AFTER)
    if row is None:
        raise AssertionError("a count without a row")
    return Idle(due=row["due"], claimed=row["claimed"], next_due=row["next_due"])
