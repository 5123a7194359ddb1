"""What is read to report on a campaign: itself and its numbers."""

from dataclasses import dataclass
from datetime import datetime

from engine.campaign import Kind, State
from engine.ids import CampaignId
from engine.message import hour_of
from engine.report import SILENT_AFTER, Again, Counts, Enrollments, Report, Step
from storage.database import Unit
from storage.queries import load

_SQL = load("reports")

_NAMED = 10
_FOR_EVER = 9999  # the year of what Postgres calls infinity, as a datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """Why a campaign sends nothing for now.

    Attributes:
        until: None: until somebody resumes it.
    """

    why: str
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A campaign as cards, alerts and reports show it.

    Attributes:
        version: Moves with every change staff make; buttons carry it.
        closed: None while its tap is open.
        looked_at: Share of the audience that planning has looked at, by contact id, 0 to 1;
            None: it is not planning.
        started_by: Staff id; None: it never started, or started by itself.
    """

    id: CampaignId
    kind: Kind
    name: str
    state: State
    version: int
    trigger: str
    closed: Tap | None
    looked_at: float | None
    started_at: datetime | None
    started_by: str | None
    paused_by: str | None
    ended_at: datetime | None
    ended_by: str | None


async def campaign(unit: Unit, *, campaign: CampaignId) -> Campaign | None:
    """Return a campaign; None: there is none of that id, any more or here."""
    row = await unit.row(_SQL["campaign"], campaign=campaign)
    if row is None:
        return None
    return Campaign(
        id=row["id"],
        kind=Kind(row["kind"]),
        name=row["name"],
        state=State(row["state"]),
        version=row["version"],
        trigger=row["trigger"],
        closed=_tap(row["closed_until"], row["closed_why"]),
        looked_at=_looked_at(row["planning_cursor"], row["first"], row["last"]),
        started_at=row["started_at"],
        started_by=row["started_by"],
        paused_by=row["paused_by"],
        ended_at=row["ended_at"],
        ended_by=row["ended_by"],
    )


async def report(unit: Unit, *, campaign: Campaign) -> Report:
    """Return a campaign's numbers, from its statistics and its enrollments as of this moment."""
    return Report(
        enrollments=await _enrollments(unit, campaign) if campaign.kind is Kind.DRIP else None,
        steps=await _steps(unit, campaign.id),
        again=await _again(unit, campaign.id),
    )


async def _again(unit: Unit, campaign: CampaignId) -> Again:
    row = await unit.row(_SQL["again"], campaign=campaign, limit=_NAMED)
    if row is None:
        raise AssertionError("counts without a row")
    return Again(resent=row["resent"], doubled=row["doubled"], twice=tuple(row["twice"]))


async def _enrollments(unit: Unit, campaign: Campaign) -> Enrollments:
    rows = await unit.rows(_SQL["enrollment_states"], campaign=campaign.id)
    return Enrollments(**{row["state"]: row["count"] for row in rows})


async def _steps(unit: Unit, campaign: CampaignId) -> tuple[Step, ...]:
    metrics: dict[int, dict[str, int]] = {}
    removed: dict[int, bool] = {}
    for row in await unit.rows(
        _SQL["step_metrics"], campaign=campaign, silent_before=hour_of(unit.at - SILENT_AFTER)
    ):
        counted = metrics.setdefault(row["id"], {})
        removed[row["id"]] = row["removed"]
        if row["metric"] is not None:
            counted[row["metric"]] = row["count"]
    steps: list[Step] = []
    number = 0
    for step, counted in metrics.items():
        if not removed[step]:
            number += 1
            steps.append(Step(number=number, counts=Counts.of(counted)))
        elif counted:
            steps.append(Step(number=None, counts=Counts.of(counted)))
    return tuple(steps)


def _tap(until: datetime | None, why: str | None) -> Tap | None:
    if until is None:
        return None
    return Tap(why=why or "", until=None if until.year == _FOR_EVER else until)


def _looked_at(cursor: int | None, first: int | None, last: int | None) -> float | None:
    """Return how far planning is; ids are of all organizations, so that one's begin anywhere."""
    if first is None or last is None:
        return None
    return max(0, min((cursor or 0) - first + 1, last - first + 1)) / (last - first + 1)
