"""What imports do to contacts, and taking it back; for the owner's units."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.ids import ContactId, ImportId
from engine.import_deeds import Deed, Facts, Stays
from engine.phone import Phone
from storage import tags
from storage.database import Unit
from storage.queries import load

_SQL = load("imports")


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneRow:
    """A row whose import can be undone."""

    row: int
    contact: ContactId
    phone: Phone | None
    deed: Deed


async def facts(unit: Unit, *, contacts: Collection[ContactId]) -> dict[ContactId, Facts]:
    """Return what is known of contacts whose locks this unit holds."""
    return {
        row["id"]: Facts(
            name=row["name"],
            first_name=row["first_name"],
            company=row["company"],
            email=row["email"],
            language=row["language"],
            timezone=row["timezone"],
            timezone_from=row["timezone_from"],
            attributes=row["attributes"],
            tags=frozenset(row["tags"]),
        )
        for row in await unit.rows(_SQL["facts"], contacts=list(contacts))
    }


async def write(
    unit: Unit, *, before: Mapping[ContactId, Facts], after: Mapping[ContactId, Facts]
) -> tuple[int, int]:
    """Write what differs; return how many tags were put on and how many taken off.

    A contact of whom nothing differs is left alone, so that it counts as untouched.
    """
    changed = [
        id_ for id_, each in after.items() if _besides_tags(each) != _besides_tags(before[id_])
    ]
    known = [after[id_] for id_ in changed]
    if changed:
        await unit.run(
            _SQL["write_facts"],
            contacts=changed,
            names=[each.name for each in known],
            first_names=[each.first_name for each in known],
            companies=[each.company for each in known],
            emails=[each.email for each in known],
            languages=[each.language for each in known],
            timezones=[each.timezone for each in known],
            timezones_from=[each.timezone_from for each in known],
            attributes=[dict(each.attributes) for each in known],
        )
    added = [
        (id_, tag) for id_, each in after.items() for tag in sorted(each.tags - before[id_].tags)
    ]
    removed = [
        (id_, tag) for id_, each in after.items() for tag in sorted(before[id_].tags - each.tags)
    ]
    put_on = await tags.add(unit, tags=added)
    taken_off = 0
    if removed:
        taken_off = await unit.run(
            _SQL["remove_tags"],
            contacts=[id_ for id_, _ in removed],
            tags=[tag for _, tag in removed],
        )
    return put_on, taken_off


async def lists(unit: Unit) -> dict[str, int]:
    """Return the lists there are, by name."""
    return {row["name"]: row["id"] for row in await unit.rows(_SQL["list_called"])}


async def put_on_list(
    unit: Unit, *, list_id: int, contacts: Sequence[ContactId]
) -> frozenset[ContactId]:
    """Put contacts on a list, if it is still there; return those who were not on it."""
    if await unit.value(_SQL["lock_list"], list=list_id) is None:
        return frozenset()
    rows = await unit.rows(_SQL["put_on_list"], list=list_id, contacts=contacts)
    return frozenset(row["contact_id"] for row in rows)


async def take_off_list(unit: Unit, *, list_id: int, contacts: Sequence[ContactId]) -> None:
    await unit.run(_SQL["take_off_list"], list=list_id, contacts=contacts)


async def deeds_after(unit: Unit, *, import_id: ImportId, after: int, limit: int) -> list[DoneRow]:
    rows = await unit.rows(_SQL["deeds_after"], **{"import": import_id}, after=after, limit=limit)
    return [
        DoneRow(
            row=row["row"],
            contact=row["contact_id"],
            phone=row["phone"],
            deed=Deed.from_json(row["did"]),
        )
        for row in rows
    ]


async def forget(unit: Unit, *, import_id: ImportId, rows: Sequence[int]) -> None:
    """Note that what importing rows did is undone."""
    await unit.run(_SQL["forget_deeds"], **{"import": import_id}, rows=rows)


async def lock(unit: Unit, *, contacts: Sequence[ContactId]) -> frozenset[ContactId]:
    """Lock contacts that may be deleted, once nothing is being planned; return those there are."""
    await unit.rows(_SQL["hold_planning"])
    rows = await unit.rows(_SQL["lock_to_delete"], contacts=contacts)
    return frozenset(row["id"] for row in rows)


async def happened(
    unit: Unit, *, contacts: Sequence[ContactId], list_id: int | None
) -> dict[ContactId, Stays]:
    """Return those of new contacts to which something has happened, with the weightiest of it."""
    rows = await unit.rows(_SQL["happened"], contacts=contacts, list=list_id)
    found: dict[ContactId, Stays] = {}
    for row in rows:
        why = next((stays for column, stays in _HAPPENED.items() if row[column]), None)
        if why is not None:
            found[row["id"]] = why
    return found


async def delete(unit: Unit, *, contacts: Sequence[ContactId]) -> int:
    """Delete contacts to which nothing has happened; return how many there were."""
    return await unit.run(_SQL["delete_contacts"], contacts=contacts)


_HAPPENED: Final = {
    "messages": Stays.MESSAGES,
    "enrolled": Stays.ENROLLED,
    "wrote": Stays.WROTE,
    "consent": Stays.CONSENT,
    "conversation": Stays.CONVERSATION,
    "identity": Stays.IDENTITY,
    "tagged": Stays.TAGGED,
    "listed": Stays.LISTED,
    "changed": Stays.CHANGED,
}
"""In the order in which they are told."""


def _besides_tags(known: Facts) -> tuple[object, ...]:
    return (
        known.name,
        known.first_name,
        known.company,
        known.email,
        known.language,
        known.timezone,
        known.timezone_from,
        dict(known.attributes),
    )
