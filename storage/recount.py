"""Statistics compared with the messages they count, and put right where they differ."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import asyncpg

from engine.clock import Clock
from engine.config import Config
from engine.ids import CampaignId, MessageId, OrganizationId, StepId
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


async def differences(
    unit: Unit, *, repair: bool, campaign: CampaignId | None = None
) -> list[Difference]:
    """Return the counts of *campaign* (None: of all) that are wrong; with *repair*, mend them.

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
        for row in await unit.rows(_SQL["differences"], campaign=campaign)
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
            unit, kind="recount_repaired", campaign=campaign, content={"differences": len(found)}
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


@dataclass(slots=True, kw_only=True)
class Looking:
    """A look through all messages, a slice at a time, and what it found so far.

    What changes between two slices makes counts look wrong that are not; `differences` says which.

    Attributes:
        begun: Business time.
        after: The last message looked at; None: none yet.
        counted: As the statistics have it, summed over the messages.
        orphans: Messages that name what is not there, by what: campaign, step, contact.
    """

    begun: datetime
    after: MessageId | None = None
    counted: Counter[messages.StatKey] = field(default_factory=Counter)
    orphans: Counter[str] = field(default_factory=Counter)


async def look_on(unit: Unit, looking: Looking, *, limit: int) -> bool:
    """Look at the next *limit* messages; False: there are none left."""
    until = await unit.value(_SQL["window"], after=looking.after or 0, limit=limit)
    if until is None:
        return False
    between = {"after": looking.after or 0, "until": until}
    for row in await unit.rows(_SQL["counted_between"], **between):
        looking.counted[_key(row)] += row["count"]
    orphans = await unit.row(_SQL["orphans"], **between)
    looking.orphans.update({} if orphans is None else dict(orphans))
    looking.after = until
    return True


async def suspects(unit: Unit, looking: Looking) -> list[CampaignId]:
    """Return the campaigns whose statistics may differ from what was counted."""
    since: datetime | None = await unit.value(_SQL["since"])
    told: Counter[messages.StatKey] = Counter()
    after = 0
    while rows := await unit.rows(_SQL["told"], after=after, limit=_CAMPAIGNS, since=since):
        told.update({_key(row): row["count"] for row in rows})
        after = max(row["campaign_id"] for row in rows)
    counted = {
        key: count for key, count in looking.counted.items() if since is None or key[3] >= since
    }
    differing = {key[0] for key in {*told, *counted} if told[key] != counted.get(key, 0)}
    return [CampaignId(each) for each in sorted(differing)]


def _key(row: asyncpg.Record) -> messages.StatKey:
    return (
        row["campaign_id"],
        row["step_id"],
        row["variant_id"],
        row["hour"],
        row["metric"],
    )


_CAMPAIGNS: Final = 200
