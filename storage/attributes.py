"""The types of attributes, and the values contacts have of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.attributes import AttributeType
from engine.ids import ContactId
from storage.database import Unit
from storage.queries import load

_SQL = load("attributes")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAttribute:
    """An attribute; *contacts* is how many have a value of it."""

    name: str
    type: AttributeType
    contacts: int


async def known(unit: Unit) -> dict[str, AttributeType]:
    """Return all attributes, by name."""
    return {row["name"]: AttributeType(row["type"]) for row in await unit.rows(_SQL["known"])}


async def settled(unit: Unit, *, guessed: Mapping[str, AttributeType]) -> dict[str, AttributeType]:
    """Return the types of attributes and keep them until this unit ends; new ones get the guess."""
    if not guessed:
        return {}
    await unit.run(_SQL["begin"], names=list(guessed), types=list(guessed.values()))
    rows = await unit.rows(_SQL["hold"], names=list(guessed))
    return {row["name"]: AttributeType(row["type"]) for row in rows}


async def listed(unit: Unit) -> list[ListedAttribute]:
    """Return all attributes with how many contacts have them, by name. For the owner's units."""
    return [
        ListedAttribute(name=row["name"], type=AttributeType(row["type"]), contacts=row["contacts"])
        for row in await unit.rows(_SQL["listed"])
    ]


async def lock(unit: Unit, *, name: str) -> AttributeType | None:
    """Keep values of an attribute from being written until this unit ends; None: no such one."""
    found: str | None = await unit.value(_SQL["lock"], name=name)
    return None if found is None else AttributeType(found)


async def values_after(
    unit: Unit, *, name: str, after: ContactId, limit: int, since: datetime | None = None
) -> list[tuple[ContactId, str]]:
    """Return the next *limit* contacts that have the attribute, with its value, by id.

    For the owner's units. *since*: only of contacts changed then or later.
    """
    rows = await unit.rows(_SQL["values_after"], name=name, after=after, limit=limit, since=since)
    return [(row["id"], row["value"]) for row in rows]


async def values_of(
    unit: Unit, *, name: str, contacts: Sequence[ContactId]
) -> list[tuple[ContactId, str]]:
    """Return the values of those of *contacts* that have the attribute, by id."""
    rows = await unit.rows(_SQL["values_of"], name=name, contacts=contacts)
    return [(row["id"], row["value"]) for row in rows]


async def contacts_with(unit: Unit, *, name: str, since: datetime | None = None) -> list[ContactId]:
    """Return the contacts that have the attribute, sorted. For the owner's units.

    Args:
        since: Only those changed then or later.
    """
    rows = await unit.rows(_SQL["contacts_with"], name=name, since=since)
    return [row["id"] for row in rows]


async def rewrite(unit: Unit, *, name: str, changes: Sequence[tuple[ContactId, str, str]]) -> None:
    """Write (contact, old value, new value), where the old one is still there."""
    if changes:
        await unit.run(
            _SQL["rewrite"],
            name=name,
            contacts=[contact for contact, _, _ in changes],
            olds=[old for _, old, _ in changes],
            news=[new for _, _, new in changes],
        )


async def retype(unit: Unit, *, name: str, type_: AttributeType) -> None:
    await unit.run(_SQL["retype"], name=name, type=type_)
