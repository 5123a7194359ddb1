"""Segments: what they are called, whom they hold, and what uses them."""

from collections.abc import Mapping

import asyncpg

from engine.ids import ListId, SegmentId
from engine.names import folded, is_among
from engine.segment import Definition, OnList, lists_behind, lists_in, segments_in, tags_behind
from engine.segment_json import from_json, to_json
from engine.usecases.keep_list import Use
from engine.usecases.keep_segment import Segment, SegmentNameTaken
from storage import audit, references
from storage.database import Unit
from storage.queries import load

_SQL = load("segments")


class Segments:
    """`engine.usecases.keep_segment.Segments`, of what *actor* does."""

    def __init__(self, unit: Unit, actor: str) -> None:
        self.unit = unit
        self.actor = actor

    async def lock(self, segment: SegmentId) -> Segment | None:
        row = await self.unit.row(_SQL["lock"], segment=segment)
        return None if row is None else _from_record(row)

    async def lock_all(self) -> Mapping[SegmentId, Segment]:
        await self.unit.rows(_SQL["lock_all"])
        return {each.id: each for each in await listed(self.unit)}

    async def is_taken(self, name: str, *, but: SegmentId | None = None) -> bool:
        there = await names(self.unit)
        return is_among(name, [each for each, id_ in there.items() if id_ != but])

    async def add(
        self, *, name: str, description: str, definition: Definition, list_id: ListId | None
    ) -> Segment:
        added: SegmentId | None = await self.unit.value(
            _SQL["add"],
            name=name,
            name_key=folded(name),
            description=description,
            definition=to_json(definition),
            list=list_id,
            actor=self.actor,
        )
        if added is None:
            raise SegmentNameTaken(name)
        made = await self.lock(added)
        if made is None:
            raise AssertionError("a segment vanished in the transaction that made it")
        return made

    async def save(self, changed: Segment) -> None:
        try:
            await self.unit.run(
                _SQL["save"],
                segment=changed.id,
                name=changed.name,
                name_key=folded(changed.name),
                description=changed.description,
                definition=to_json(changed.definition),
                list=changed.list_id,
                refreshed_at=changed.refreshed_at,
            )
        except asyncpg.UniqueViolationError as error:
            raise SegmentNameTaken(changed.name) from error

    async def delete(self, segment: SegmentId) -> None:
        await self.unit.run(_SQL["delete"], segment=segment)

    async def hold(self, definition: Definition) -> None:
        await references.hold(
            self.unit, lists=lists_in(definition.where), segments=segments_in(definition.where)
        )

    async def seal(self, segment: SegmentId) -> None:
        await self.unit.value(_SQL["seal"], segment=segment)

    async def uses(self, segment: SegmentId) -> list[Use]:
        naming = [
            Use(what="segment", name=each.name)
            for each in await listed(self.unit)
            if segment in segments_in(each.definition.where)
        ]
        broadcasts = await broadcasts_with(self.unit, part="segments", id_=segment)
        automations = await self.unit.rows(_SQL["automations_with"], segment=segment)
        return [
            *naming,
            *(Use(what="broadcast", name=name) for name in broadcasts),
            *(
                Use(what="campaign", name=row["campaign"])
                if row["campaign"]
                else Use(what=f"automation {row['id']}", name="")
                for row in automations
            ),
        ]

    async def note(self, action: str, segment: SegmentId, **content: object) -> None:
        await audit.note(
            self.unit,
            actor=self.actor,
            action=action,
            subject=f"segment:{segment}",
            content=content,
        )


async def definitions(unit: Unit) -> dict[SegmentId, Definition]:
    """Return whom each segment holds; of a static one that is its list, once it is filled."""
    found: dict[SegmentId, Definition] = {}
    for row in await unit.rows(_SQL["definitions"]):
        definition = from_json(row["definition"])
        if row["list_id"] is not None and row["filled"]:
            definition = Definition(where=OnList(row["list_id"]), zone=definition.zone)
        found[row["id"]] = definition
    return found


async def lists_awaited(unit: Unit) -> set[ListId]:
    """Return the lists that decide who is in a segment that some automation waits for."""
    awaited = [row["id"] for row in await unit.rows(_SQL["awaited"])]
    return lists_behind(awaited, await definitions(unit)) if awaited else set()


async def tags_awaited(unit: Unit) -> set[str]:
    """Return the tags that decide who is in a segment that some automation waits for."""
    awaited = [row["id"] for row in await unit.rows(_SQL["awaited"])]
    return tags_behind(awaited, await definitions(unit)) if awaited else set()


async def listed(unit: Unit) -> list[Segment]:
    """Return all segments, by name."""
    return [_from_record(row) for row in await unit.rows(_SQL["listed"])]


async def names(unit: Unit) -> dict[str, SegmentId]:
    return {row["name"]: row["id"] for row in await unit.rows(_SQL["names"])}


async def lock_static(unit: Unit, *, list_id: ListId) -> None:
    """Keep the static segment that fills a list from changing until this unit ends."""
    await unit.value(_SQL["lock_static"], list=list_id)


async def refreshed(unit: Unit, *, list_id: ListId) -> None:
    """Remember that the list of a static segment was made now."""
    await unit.run(_SQL["refreshed"], list=list_id)


async def broadcasts_with(unit: Unit, *, part: str, id_: int) -> list[str]:
    """Return the names of broadcasts not over whose audience has a list or segment.

    Args:
        part: ``lists`` or ``segments``.
    """
    return [row["name"] for row in await unit.rows(_SQL["broadcasts_with"], part=part, id=id_)]


def _from_record(row: asyncpg.Record) -> Segment:
    return Segment(**{**dict(row), "definition": from_json(row["definition"])})
