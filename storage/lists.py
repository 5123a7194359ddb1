"""Lists of contacts: what they are called, who is on them, and what uses them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from engine.ids import ContactId, ListId
from engine.names import folded, is_among
from engine.segment import lists_in
from engine.usecases.keep_list import ContactList, ListNameTaken, NoSuchList, Use
from storage import audit, segments
from storage.database import Unit
from storage.queries import load

_SQL = load("lists")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A list as the overview shows it.

    Attributes:
        segment: The static segment that fills it, and when it last did; None: staff do.
    """

    id: ListId
    name: str
    description: str
    count: int
    segment: str | None
    refreshed_at: datetime | None
    created_at: datetime
    created_by: str


class Lists:
    """`engine.usecases.keep_list.Lists`, of what *actor* does."""

    def __init__(self, unit: Unit, actor: str) -> None:
        self.unit = unit
        self.actor = actor

    async def lock(self, list_id: ListId) -> ContactList | None:
        row = await self.unit.row(_SQL["lock"], list=list_id)
        return None if row is None else ContactList(**dict(row))

    async def is_taken(self, name: str, *, but: ListId | None = None) -> bool:
        there = await names(self.unit)
        return is_among(name, [each for each, id_ in there.items() if id_ != but])

    async def add(self, *, name: str, description: str) -> ContactList:
        added: ListId | None = await self.unit.value(
            _SQL["add"],
            name=name,
            name_key=folded(name),
            description=description,
            actor=self.actor,
        )
        if added is None:
            raise ListNameTaken(name)
        made = await self.lock(added)
        if made is None:
            raise AssertionError("a list vanished in the transaction that made it")
        return made

    async def save(self, changed: ContactList) -> None:
        try:
            await self.unit.run(
                _SQL["save"],
                list=changed.id,
                name=changed.name,
                name_key=folded(changed.name),
                description=changed.description,
            )
        except asyncpg.UniqueViolationError as error:
            raise ListNameTaken(changed.name) from error

    async def delete(self, list_id: ListId) -> None:
        await self.unit.run(_SQL["delete"], list=list_id)

    async def seal(self, list_id: ListId) -> None:
        await self.unit.value(_SQL["seal"], list=list_id)

    async def uses(self, list_id: ListId) -> list[Use]:
        naming = [
            Use(what="segment", name=each.name)
            for each in await segments.listed(self.unit)
            if list_id in lists_in(each.definition.where)
        ]
        broadcasts = await segments.broadcasts_with(self.unit, part="lists", id_=list_id)
        return [*naming, *(Use(what="broadcast", name=name) for name in broadcasts)]

    async def note(self, action: str, list_id: ListId, **content: object) -> None:
        await audit.note(
            self.unit,
            actor=self.actor,
            action=action,
            subject=f"list:{list_id}",
            content=content,
        )


async def names(unit: Unit) -> dict[str, ListId]:
    return {row["name"]: row["id"] for row in await unit.rows(_SQL["names"])}


async def listed(unit: Unit) -> list[Listed]:
    """Return all lists, by name."""
    return [Listed(**dict(row)) for row in await unit.rows(_SQL["listed"])]


async def put(unit: Unit, *, list_id: ListId, contacts: Sequence[ContactId]) -> int:
    """Put contacts (at most some thousands) on a list; return how many were not on it.

    Whoever is gone is left out.

    Raises:
        NoSuchList: It is gone.
    """
    await _keep(unit, list_id)
    return await unit.run(_SQL["put"], list=list_id, contacts=contacts)


async def take(unit: Unit, *, list_id: ListId, contacts: Sequence[ContactId]) -> int:
    """Take contacts (at most some thousands) off a list; return how many were on it.

    Raises:
        NoSuchList: It is gone.
    """
    await _keep(unit, list_id)
    return await unit.run(_SQL["take"], list=list_id, contacts=contacts)


async def _keep(unit: Unit, list_id: ListId) -> None:
    if await unit.value(_SQL["keep"], list=list_id) is None:
        raise NoSuchList


async def members(unit: Unit, *, list_id: ListId) -> list[ContactId]:
    """Return the contacts on a list, sorted."""
    return [row["id"] for row in await unit.rows(_SQL["members"], list=list_id)]


async def first_by_name(unit: Unit, *, list_id: ListId, limit: int) -> list[ContactId]:
    """Return the first *limit* contacts of a list by name; those without one are last."""
    rows = await unit.rows(_SQL["first_by_name"], list=list_id, limit=limit)
    return [row["id"] for row in rows]
