"""Leases: who may send on a number, or post for an organization. Their time is the database's."""

from dataclasses import dataclass
from datetime import datetime

from engine.ids import OrganizationId
from storage.database import Unit
from storage.queries import load

_SQL = load("leases")

EXPIRY_S = 4.0
"""A lease is free this long after its last renewal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A lease held.

    Attributes:
        generation: Grows with every change of hands; work done under an older one is void.
        last_call_age_s: How long ago the holder before us started its last call; None: never.
    """

    organization: OrganizationId
    name: str
    holder: str
    generation: int
    last_call_age_s: float | None


async def acquire(unit: Unit, *, name: str, holder: str) -> Lease | None:
    """Take the lease *name*, or return None while somebody else has it."""
    row = await unit.row(_SQL["acquire"], name=name, holder=holder, expiry_s=EXPIRY_S)
    if row is None:
        return None
    return Lease(
        organization=unit.organization,
        name=name,
        holder=holder,
        generation=row["generation"],
        last_call_age_s=row["last_call_age_s"],
    )


async def renew(unit: Unit, lease: Lease, *, call_age_s: float | None) -> bool:
    """Keep *lease*; False: it has moved, or ended, which others may have relied on.

    Args:
        call_age_s: Seconds since our last call start; None: no call.
    """
    kept = await unit.value(_SQL["renew"], **named(lease), call_age_s=call_age_s, expiry_s=EXPIRY_S)
    return kept is not None


async def release(unit: Unit, lease: Lease, *, call_age_s: float | None) -> None:
    await unit.run(_SQL["release"], **named(lease), call_age_s=call_age_s)


async def pace(unit: Unit, lease: Lease, *, until: datetime) -> None:
    """Let no campaign message go before *until*, whoever holds the lease; held in this unit."""
    await unit.run(_SQL["pace"], name=lease.name, until=until)


async def unpace(unit: Unit, *, name: str, until: datetime) -> None:
    """Let campaign messages go at once again, if *until* is what they wait for."""
    await unit.run(_SQL["unpace"], name=name, until=until)


def named(lease: Lease) -> dict[str, str | int]:
    """Return what a query tells *lease* by."""
    return {"name": lease.name, "holder": lease.holder, "generation": lease.generation}


async def beat(unit: Unit, *, process: str, holder: str) -> None:
    """Tell that a process of the kind *process* ("lanes", "jobs") is alive."""
    await unit.run(_SQL["beat"], name=f"process:{process}", holder=holder)


async def alive(unit: Unit) -> frozenset[str]:
    """Return the kinds of worker processes heard of within the expiry of a lease."""
    rows = await unit.rows(_SQL["alive"], expiry_s=EXPIRY_S)
    return frozenset(row["name"].removeprefix("process:") for row in rows)
