"""Giving an attribute another type: all its values checked, then written anew, then its type."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from engine import attributes as rules
from engine.attributes import Retyping, ValuesUnfit
from engine.errand import CHANGED, UNCHANGED
from engine.ids import ContactId
from storage import attributes, audit
from storage.database import Unit

LATE: Final = 2_000
"""Values written meanwhile that one transaction looks at while nobody may write others."""

_SLACK: Final = timedelta(minutes=5)  # a command may wait so long between its time and its writing
_NAMED: Final = 5


async def check(unit: Unit, wanted: Retyping, contacts: Sequence[ContactId]) -> Counter[str]:
    """Look whether the values of *contacts* fit.

    Raises:
        ValuesUnfit: Some do not.
    """
    _changes(await attributes.values_of(unit, name=wanted.name, contacts=contacts), wanted)
    return Counter({UNCHANGED: len(contacts)})


async def rewrite(unit: Unit, wanted: Retyping, contacts: Sequence[ContactId]) -> Counter[str]:
    """Write the values of *contacts* in the form of the new type.

    In this order a process that dies leaves texts, which any value is, and never a value that is
    not of its attribute's type.

    Raises:
        ValuesUnfit: One was written since it was checked that does not fit.
    """
    values = await attributes.values_of(unit, name=wanted.name, contacts=contacts)
    changes = _changes(values, wanted)
    await attributes.rewrite(unit, name=wanted.name, changes=changes)
    return Counter({CHANGED: len(changes), UNCHANGED: len(contacts) - len(changes)})


async def finish(
    unit: Unit, wanted: Retyping, *, since: datetime, by: str
) -> list[ContactId] | None:
    """Give the attribute its type, once also what was written from *since* on fits.

    Returns:
        Contacts whose values have to be checked and written first; None: it has the type.

    Raises:
        ValuesUnfit: Some of those do not fit.
    """
    await attributes.lock(unit, name=wanted.name)
    late = await attributes.values_after(
        unit, name=wanted.name, after=ContactId(0), limit=LATE, since=since - _SLACK
    )
    if len(late) == LATE:
        return await attributes.contacts_with(unit, name=wanted.name, since=since - _SLACK)
    await attributes.rewrite(unit, name=wanted.name, changes=_changes(late, wanted))
    await attributes.retype(unit, name=wanted.name, type_=wanted.type)
    await note(unit, wanted, by=by)
    return None


async def note(unit: Unit, wanted: Retyping, *, by: str) -> None:
    """Write the audit entry."""
    await audit.note(
        unit,
        actor=by,
        action="attribute.type",
        subject=f"attribute:{wanted.name}",
        content={"type": wanted.type},
    )


def _changes(
    values: Sequence[tuple[ContactId, str]], wanted: Retyping
) -> list[tuple[ContactId, str, str]]:
    """Return (contact, old, new) of values that change."""
    counts = Counter(value for _, value in values)
    become, unfit = rules.retyped(counts, wanted.type, form=wanted.form)
    if unfit:
        whose = [contact for contact, value in values if value in unfit]
        raise ValuesUnfit(len(whose), whose[:_NAMED])
    return [
        (contact, value, become[value])
        for contact, value in values
        if become.get(value, value) != value
    ]
