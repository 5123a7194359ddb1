"""Messages in doubt: whose call may have left, and of which nothing was heard since."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from engine.campaign import UnknownPolicy
from engine.ids import CampaignId, MessageId
from storage.database import Unit
from storage.queries import load

_SQL = load("doubts")


async def silent(
    unit: Unit,
    *,
    grace: timedelta,
    policy: UnknownPolicy,
    limit: int,
) -> Mapping[UnknownPolicy, list[MessageId]]:
    """Return messages whose silence counts, by what their campaign (else *policy*) says of them."""
    rows = await unit.rows(_SQL["silent"], grace=grace, policy=policy, limit=limit)
    by_policy: dict[UnknownPolicy, list[MessageId]] = defaultdict(list)
    for row in rows:
        by_policy[UnknownPolicy(row["policy"])].append(row["id"])
    return by_policy


async def uncontrolled(unit: Unit, *, limit: int) -> list[tuple[MessageId, CampaignId]]:
    """Return messages in doubt for an hour in which nothing was heard of their number at all."""
    rows = await unit.rows(_SQL["uncontrolled"], limit=limit)
    return [(row["id"], row["campaign_id"]) for row in rows]


async def note_resent(unit: Unit, *, ids: Sequence[MessageId]) -> None:
    await unit.run(_SQL["note_resent"], ids=ids)


async def leave_to_staff(unit: Unit, *, ids: Sequence[MessageId]) -> None:
    """Staff are asked about these; nothing more happens to them by itself."""
    await unit.run(_SQL["leave_to_staff"], ids=ids)


async def note_held(unit: Unit, *, templates: Collection[tuple[str, str]]) -> None:
    """Note that answers to *templates* (name, language) are held back to judge their quality."""
    await unit.run(
        _SQL["note_held"],
        names=[name for name, _ in sorted(templates)],
        languages=[language for _, language in sorted(templates)],
    )
