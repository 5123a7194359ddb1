"""Templates as the platform listed them last."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import asyncpg

from engine.content import Content, to_json
from engine.ids import ContactId, NumberId
from engine.media_ports import LibraryFile
from engine.template_items import template
from engine.templates import Status, Template
from storage import media
from storage.database import Unit
from storage.queries import load

_SQL = load("templates")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A template and the campaigns, not archived, that use it, sorted by name."""

    template: Template
    used_by: tuple[str, ...]


class KnownTemplates:
    """`engine.campaign_ports.Templates`."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit

    async def of_name(self, name: str) -> tuple[Template, ...]:
        rows = await self.unit.rows(_SQL["of_name"], name=name)
        return tuple(_from_record(row) for row in rows)

    async def names(self) -> Collection[str]:
        return [row["name"] for row in await self.unit.rows(_SQL["names"])]

    async def file(self, name: str) -> LibraryFile | None:
        return await media.file(self.unit, name=name)

    async def file_names(self) -> Collection[str]:
        return await media.names(self.unit)


async def send_to_one(
    unit: Unit, *, contact: ContactId, content: Content, numbers: Sequence[NumberId]
) -> NumberId:
    """Queue a message of no campaign from the contact's last number, or the first of *numbers*."""
    await unit.value(_SQL["attach_leaf"])
    number: NumberId = await unit.value(
        _SQL["send_to_one"],
        contact=contact,
        content=to_json(content),
        numbers=list(numbers),
        second=int(unit.at.timestamp()),
    )
    return number


async def listed(unit: Unit) -> list[Listed]:
    """Return all templates, sorted by name and language."""
    return [
        Listed(template=_from_record(row), used_by=tuple(row["used_by"]))
        for row in await unit.rows(_SQL["listed"])
    ]


async def by_status(unit: Unit) -> dict[str, int]:
    """Return how many templates there are by status, as the platform writes it."""
    return {row["status"]: row["count"] for row in await unit.rows(_SQL["by_status"])}


def _from_record(row: asyncpg.Record) -> Template:
    # Webhooks move status and quality between two listings.
    read = template(row["content"])
    known = row["status"] in Status.__members__
    return replace(
        read,
        status=Status(row["status"]) if known else Status.UNKNOWN,
        status_name=row["status"],
        quality=row["quality"],
    )
