"""Who fulfils a condition, in one statement whatever it is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

from engine.ids import CampaignId, ContactId, ListId, SegmentId
from engine.phone import Phone
from engine.reasons import Reason
from engine.segment import Definition, InSegment, segments_in
from storage import segments
from storage.database import Unit
from storage.queries import Query, load
from storage.segment_sql import predicate

_SQL = load("members")
_MEANT: Final = "true /* meant */"
CHUNK: Final = 20_000
"""Contacts of a chunk of a frozen audience, which planning plans in one slice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """How many, and the first of them by age."""

    count: int
    first: tuple[ContactId, ...]


async def members(unit: Unit, *, definition: Definition) -> list[ContactId]:
    """Return the contacts that are meant, sorted."""
    return [row["id"] for row in await _asked(unit, "members", definition)]


async def differing(unit: Unit, *, definition: Definition, list_id: ListId) -> list[int]:
    """Return those meant who are not on a list, and as negative ids those only on the list."""
    rows = await _asked(unit, "differing", definition, list=list_id)
    return [row["id"] for row in rows]


async def preview(unit: Unit, *, definition: Definition, limit: int) -> Preview:
    """Return how many contacts are meant, and the first *limit* of them."""
    (row,) = await _asked(unit, "preview", definition, limit=limit)
    return Preview(count=row["count"], first=tuple(row["first"]))


async def among(
    unit: Unit, *, definition: Definition, contacts: Sequence[ContactId]
) -> list[ContactId]:
    """Return those of *contacts* (at most some thousands) that are meant, sorted."""
    return [row["id"] for row in await _asked(unit, "among", definition, contacts=contacts)]


async def reach(
    unit: Unit, *, definition: Definition, promotional: bool
) -> dict[Reason | None, int]:
    """Return how many are meant by why they may not be written to; None: they may."""
    rows = await _asked(unit, "reach", definition, promotional=promotional)
    return {Reason(row["reason"]) if row["reason"] else None: row["count"] for row in rows}


async def unsaid(
    unit: Unit,
    *,
    definition: Definition,
    **values: Any,  # noqa: ANN401 — as `storage.audiences.unsaid` has them
) -> dict[Reason, int]:
    """Return to how many of those meant something cannot be said, by why; none of them zero."""
    rows = await _asked(unit, "unsaid", definition, **values)
    return {Reason(row["reason"]): row["count"] for row in rows}


async def lacking(unit: Unit, *, definition: Definition, tokens: Sequence[str]) -> dict[str, int]:
    """Return how many are meant who have no value for each of *tokens*; none of them zero."""
    if not tokens:
        return {}
    rows = await _asked(unit, "lacking", definition, tokens=tokens)
    return {row["name"]: row["count"] for row in rows}


async def lacking_under_way(
    unit: Unit, *, campaign: CampaignId, place: float, tokens: Sequence[str]
) -> dict[str, int]:
    """Return the same of those under way in a drip who have not come to a place of its order."""
    if not tokens:
        return {}
    rows = await unit.rows(_SQL["lacking_under_way"], campaign=campaign, place=place, tokens=tokens)
    return {row["name"]: row["count"] for row in rows}


async def freeze(
    unit: Unit, *, campaign: CampaignId, definition: Definition, up_to: ContactId
) -> None:
    """Keep whom a broadcast is for as of now; who is made after contact *up_to* is not in it."""
    await _asked(unit, "freeze", definition, campaign=campaign, up_to=up_to, size=CHUNK)


async def thaw(unit: Unit, *, campaign: CampaignId) -> None:
    """Forget what :func:`freeze` kept."""
    async with unit.as_owner():
        await unit.run(_SQL["thaw"], campaign=campaign)


async def follow(
    unit: Unit,
    *,
    segment: SegmentId,
    after: ContactId,
    until: ContactId,
    tell: bool,
    since: datetime,
) -> None:
    """Note who of a range of contacts came into a segment or left it. For the owner's units.

    Args:
        tell: Whether automations hear of who came; else only of those made contacts since *since*.
    """
    await _asked(
        unit,
        "follow",
        Definition(where=InSegment(segment), zone="UTC"),
        segment=segment,
        after=after,
        until=until,
        tell=tell,
        since=since,
    )


async def last_contact(unit: Unit) -> ContactId | None:
    """Return the highest contact there is; None: there is none."""
    last: ContactId | None = await unit.value(_SQL["last_contact"])
    return last


async def known_phones(unit: Unit, *, phones: Sequence[Phone]) -> set[str]:
    """Return those of *phones* that some contact has."""
    return {row["value"] for row in await unit.rows(_SQL["known_phones"], phones=phones)}


async def _asked(
    unit: Unit,
    name: str,
    definition: Definition,
    **values: Any,  # noqa: ANN401 — SQL values
) -> list[asyncpg.Record]:
    """Run a query of members.sql with the predicate of a definition in its place.

    Values that are no numbers where there should be some are left behind only by an attribute whose
    type has changed; the statement is run with a look at each then.
    """
    async with unit.as_owner():
        # Sets of a million fit into a hash, and every plan knows the tags and lists it is for.
        await unit.connection.execute(
            "select set_config('work_mem', '64MB', true),"
            " set_config('plan_cache_mode', 'force_custom_plan', true)"
        )
        known = await segments.definitions(unit) if segments_in(definition.where) else {}
        query, meant = _filled(unit, name, definition, known, careful=False)
        careful, _ = _filled(unit, name, definition, known, careful=True)
        if query == careful:
            return await unit.rows(query, **values, **meant)
        await unit.connection.execute("savepoint asked")
        try:
            return await unit.rows(query, **values, **meant)
        except asyncpg.InvalidTextRepresentationError:
            await unit.connection.execute("rollback to savepoint asked")
            return await unit.rows(careful, **values, **meant)


def _filled(
    unit: Unit,
    name: str,
    definition: Definition,
    known: Mapping[SegmentId, Definition],
    *,
    careful: bool,
) -> tuple[Query, dict[str, Any]]:
    """Return a query of members.sql with a predicate in its place, and the predicate's values."""
    query = _SQL[name]
    meant = predicate(
        definition, at=unit.at, segments=known, parameters=query.parameters, careful=careful
    )
    places = tuple(f"meant_{place}" for place in range(len(meant.values)))
    filled = Query(name, query.text.replace(_MEANT, meant.text), query.parameters + places)
    return filled, dict(zip(places, meant.values, strict=True))
