"""Contacts to try things out with, as the sandbox has them."""

from collections.abc import Sequence
from datetime import datetime

from engine.audience_person import Person
from engine.ids import OrganizationId
from engine.phone import Phone
from storage import contacts
from storage.database import Database
from storage.template_sync import know_organization

_SLICE = 500


async def seed(
    database_url: str,
    *,
    organization: OrganizationId,
    phones: Sequence[Phone],
    tag: str,
    at: datetime,
) -> int:
    """Make a contact with *tag* of each phone that has none; return how many were made.

    May be done again at any time: who is there stays as they are.
    """
    database = await Database.open(database_url, name="dripline seed", largest=1)
    made = 0
    try:
        async with database.owner_unit(organization, at) as unit:
            await know_organization(unit)
        for start in range(0, len(phones), _SLICE):
            async with database.owner_unit(organization, at) as unit:
                added = await contacts.add(
                    unit,
                    people=[
                        (phone, Person(tags=(tag,))) for phone in phones[start : start + _SLICE]
                    ],
                    source="demo",
                )
                made += len(added)
    finally:
        await database.close()
    return made
