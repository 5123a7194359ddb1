"""Who is in another campaign too, or heard of one lately; the same as `engine.overlap` says."""

from collections.abc import Sequence
from datetime import timedelta

from engine.ids import CampaignId, ContactId
from engine.overlap import Exclude, Overlap
from storage.database import Unit
from storage.queries import load

_SQL = load("overlaps")


async def overlap(
    unit: Unit,
    *,
    contacts: Sequence[ContactId] | None,
    campaign: CampaignId | None,
    promotional: bool,
    cooldown: timedelta,
) -> Overlap:
    """Return how many of *contacts* are elsewhere too.

    Args:
        contacts: None: all there are.
        campaign: The one they would get; None: it is none of those there are.
        promotional: Whether what they would get is: others may not be written to with it.
    """
    rows = await unit.rows(
        _SQL["overlap"],
        contacts=contacts,
        campaign=campaign,
        promotional=promotional,
        since=unit.at - cooldown,
    )
    by_what: dict[str, dict[CampaignId | None, int]] = {}
    for row in rows:
        by_what.setdefault(row["what"], {})[row["campaign_id"]] = row["count"]
    return Overlap(
        active={each: n for each, n in by_what.get("active", {}).items() if each is not None},
        recent={each: n for each, n in by_what.get("recent", {}).items() if each is not None},
        elsewhere=by_what["elsewhere"][None],
        lately=by_what["lately"][None],
        either=by_what["either"][None],
    )


async def elsewhere(
    unit: Unit, *, contacts: Sequence[ContactId], campaign: CampaignId
) -> frozenset[ContactId]:
    """Return those of *contacts* who are in another drip than *campaign*."""
    rows = await unit.rows(_SQL["elsewhere"], contacts=contacts, campaign=campaign)
    return frozenset(row["contact_id"] for row in rows)


async def kept(
    unit: Unit,
    *,
    contacts: Sequence[ContactId],
    campaign: CampaignId,
    exclude: Exclude,
    cooldown: timedelta,
) -> list[ContactId]:
    """Return *contacts* without those that *exclude* leaves out, in their order."""
    gone: set[ContactId] = set()
    if exclude.active:
        gone |= await elsewhere(unit, contacts=contacts, campaign=campaign)
    if exclude.recent:
        rows = await unit.rows(
            _SQL["lately"], contacts=contacts, campaign=campaign, since=unit.at - cooldown
        )
        gone |= {row["id"] for row in rows}
    return [each for each in contacts if each not in gone]
