"""Where the people of a campaign stand, a slice at a time, for looking ahead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from engine.conditions import Evidence
from engine.crowd import TURNS, Waiting
from engine.foresight import Standpoint
from engine.ids import CampaignId, ContactId, StepId
from engine.message import State
from storage.database import Unit
from storage.queries import load

_SQL = load("looking")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one contact stands.

    Attributes:
        id: Of the enrollment or message; slices go by it.
        properties: Of the event that enrolled it.
    """

    id: int
    contact_id: ContactId
    standpoint: Standpoint
    properties: Mapping[str, Any] = field(default_factory=dict)


async def of_drip(unit: Unit, *, campaign: CampaignId, after: int, limit: int) -> list[Standing]:
    """Return the next *limit* active enrollments, by id; none: that was all.

    One whose message is just under way stands as if it were due at once.
    """
    rows = await unit.rows(_SQL["standings"], campaign=campaign, after=after, limit=limit)
    evidence = await _evidence(unit, campaign, rows)
    return [
        Standing(
            id=row["id"],
            contact_id=row["contact_id"],
            properties=row["properties"] or {},
            standpoint=Standpoint(
                step_id=row["step_id"],
                due_at=row["due_at"] or unit.at,
                place=row["place"],
                since_at=row["since_at"],
                timed=row["timed"],
                queued=_waiting(row, prefix="message_") if row["message_id"] else None,
                evidence=tuple(evidence.get(row["id"], ())),
            ),
        )
        for row in rows
    ]


async def of_broadcast(
    unit: Unit, *, campaign: CampaignId, after: int, limit: int
) -> list[Standing]:
    """Return the next *limit* contacts whose message waits, by message; none: that was all."""
    rows = await unit.rows(_SQL["queued_of_broadcast"], campaign=campaign, after=after, limit=limit)
    return [
        Standing(
            id=row["id"],
            contact_id=row["contact_id"],
            standpoint=Standpoint(
                step_id=row["step_id"], due_at=row["due_at"], queued=_waiting(row, prefix="")
            ),
        )
        for row in rows
    ]


def _waiting(row: asyncpg.Record, *, prefix: str) -> Waiting:
    return Waiting(
        step_id=row[f"{prefix}step_id"],
        due_at=row[f"{prefix}due_at"],
        deadline_at=row["deadline_at"],
        second=row[f"{prefix}id"] // TURNS,
        turn=row[f"{prefix}id"] % TURNS,
    )


async def _evidence(
    unit: Unit, campaign: CampaignId, rows: Sequence[asyncpg.Record]
) -> dict[int, list[tuple[StepId, Evidence]]]:
    found: dict[int, list[tuple[StepId, Evidence]]] = {}
    for row in await unit.rows(
        _SQL["standing_evidence"],
        campaign=campaign,
        runs=[row["id"] for row in rows],
        contacts=[row["contact_id"] for row in rows],
    ):
        evidence = Evidence(
            state=State(row["state"]),
            accepted_at=row["accepted_at"],
            delivered_at=row["delivered_at"],
            read_at=row["read_at"],
            replied_at=row["replied_at"],
            clicked_at=row["clicked_at"],
        )
        found.setdefault(row["run_id"], []).append((row["step_id"], evidence))
    return found
