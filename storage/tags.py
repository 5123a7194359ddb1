"""Tags of contacts; every one newly put on is told to triggers where it happens."""

from collections.abc import Collection, Sequence

from engine.ids import ContactId
from storage.database import Unit
from storage.queries import load

_SQL = load("tags")


async def add(unit: Unit, *, tags: Collection[tuple[ContactId, str]], depth: int = 0) -> int:
    """Put tags on contacts whose locks this unit holds; return how many they did not have.

    Args:
        depth: How many automations led to it, one after the other.
    """
    if not tags:
        return 0
    added: int = await unit.value(
        _SQL["add_tags"],
        contacts=[contact for contact, _ in tags],
        tags=[tag for _, tag in tags],
        depth=depth,
    )
    return added


async def remove(unit: Unit, *, tag: str, contacts: Sequence[ContactId]) -> int:
    """Take a tag off contacts; return how many had it."""
    return await unit.run(_SQL["remove_tag"], tag=tag, contacts=contacts)


async def of(unit: Unit, *, contacts: Sequence[ContactId]) -> dict[ContactId, set[str]]:
    """Return the tags of contacts; those without any are absent."""
    found: dict[ContactId, set[str]] = {}
    for row in await unit.rows(_SQL["of_contacts"], contacts=contacts) if contacts else ():
        found.setdefault(row["contact_id"], set()).add(row["tag"])
    return found


async def known(unit: Unit) -> list[str]:
    """Return all tags that some contact has, sorted."""
    return [row["tag"] for row in await unit.rows(_SQL["known_tags"])]
