"""Statistics compared with the messages they count, and put right where they differ."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from engine.clock import Clock
from engine.config import Config
from engine.ids import CampaignId, OrganizationId, StepId
from storage import effects, messages, planning
from storage.database import Database, Unit
from storage.queries import load

_SQL = load("recount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A count that is wrong.

    Attributes:
        variant: 0: none.
        told: By the statistics.
        counted: In the messages.
    """

    organization: OrganizationId
    campaign: CampaignId
    step: StepId
    variant: int
    hour: datetime
    metric: str
    told: int
    counted: int

    def __str__(self) -> str:
        return (
            f"{self.organization}: campaign {self.campaign}, step {self.step},"
            f" {self.hour:%Y-%m-%d %H:%M} UTC, {self.metric}: {self.told} instead of {self.counted}"
        )


async def differences(unit: Unit, *, repair: bool) -> list[Difference]:
    """Return the counts that are wrong as of now; with *repair*, put them right.

    What is written meanwhile is neither waited for nor lost: a repair adds what is missing.
    """
    if repair and not await planning.alone(unit, task="recount"):
        return []
    found = [
        Difference(
            organization=unit.organization,
            campaign=row["campaign_id"],
            step=row["step_id"],
            variant=row["variant_id"],
            hour=row["hour"],
            metric=row["metric"],
            told=row["told"],
            counted=row["counted"],
        )
        for row in await unit.rows(_SQL["differences"])
    ]
    if repair and found:
        await messages.move_stats(
            unit,
            Counter(
                {
                    (each.campaign, each.step, each.variant, each.hour, each.metric): each.counted
                    - each.told
                    for each in found
                }
            ),
        )
        await effects.tell_staff(
            unit, kind="recount_repaired", campaign=None, content={"differences": len(found)}
        )
    return found


async def recount(database_url: str, config: Config, clock: Clock) -> list[Difference]:
    """Compare and put right the statistics of all organizations; return what was wrong."""
    database = await Database.open(
        database_url, name="dripline recount", largest=2, pooled=config.server.pooled
    )
    try:
        found: list[Difference] = []
        for organization in config.organizations:
            found += await database.run(
                organization, clock.now(), lambda unit: differences(unit, repair=True), owner=True
            )
        return found
    finally:
        await database.close()
