"""The automatic brake: what came of campaigns lately, and which numbers fell in quality."""

from collections.abc import Mapping

from engine.brake import WITHIN, Driven
from engine.failure_codes import COUNTRY_BANNED
from engine.ids import CampaignId, NumberId
from engine.updates import TemplateRef
from storage.database import Unit
from storage.queries import load

_SQL = load("brake")


async def driven(unit: Unit) -> Mapping[CampaignId, Driven]:
    """Return what came of campaigns that send and of which something failed or was stopped."""
    rows = await unit.rows(_SQL["driven"], since=unit.at - WITHIN, left_out=COUNTRY_BANNED)
    return {
        row["id"]: Driven(went=row["went"], failed=row["failed"], opted_out=row["opted_out"])
        for row in rows
    }


async def most_frequent(unit: Unit, *, campaign: CampaignId) -> int | None:
    """Return by which code most of what a campaign gave up last ended; None: by none."""
    row = await unit.row(_SQL["reasons"], campaign=campaign)
    return None if row is None else row["code"]


async def begin_anew(unit: Unit, *, campaign: CampaignId) -> None:
    """Count from now on, since a person lets a locked campaign go on."""
    await unit.run(_SQL["begin_anew"], campaign=campaign)


async def unsendable(unit: Unit) -> Mapping[CampaignId, tuple[TemplateRef, str]]:
    """Return campaigns that send a template the platform has paused or disabled, and that."""
    rows = await unit.rows(_SQL["unsendable"])
    return {
        row["id"]: (TemplateRef(id=None, name=row["name"], language=row["language"]), row["status"])
        for row in rows
    }


async def fallen(unit: Unit) -> list[NumberId]:
    """Return numbers whose quality became low, each once until it is another one."""
    rows = await unit.rows(_SQL["low_quality"])
    await unit.run(_SQL["note_quality"])
    return [row["id"] for row in rows]
