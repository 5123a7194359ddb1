"""Errands on their way: whom each is for, how far it has come, and what it came to so far."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from engine.errand import Errand, Kind
from engine.ids import ContactId
from storage.database import Unit
from storage.queries import load

_SQL = load("errands")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenErrand:
    """An errand that is not done.

    Attributes:
        contacts: How many it is for, as of when it was asked for.
        done: How many of them it was done to.
        counts: What that came to.
        channel: Where it was asked for, and is told.
        failures: Of its next slice, in a row.
        next_try_at: It is set aside until then; None: it is not.
    """

    id: int
    errand: Errand
    contacts: int
    done: int
    counts: Mapping[str, int] = field(default_factory=dict)
    actor: str
    channel: str
    failures: int = 0
    next_try_at: datetime | None = None
    created_at: datetime


async def begin(
    unit: Unit,
    errand: Errand,
    *,
    contacts: Sequence[int],
    actor: str,
    channel: str,
    since: datetime | None = None,
) -> None:
    """Have an errand carried out by the worker, for just these contacts.

    Args:
        since: As of when it is done; None: now.
    """
    await unit.run(
        _SQL["begin"],
        kind=errand.kind,
        subject=errand.subject,
        contacts=list(contacts),
        actor=actor,
        channel=channel,
        since=since or unit.at,
    )


async def everybody(unit: Unit, open_errand: OpenErrand) -> list[ContactId]:
    """Return all contacts of an errand."""
    contacts: list[ContactId] | None = await unit.value(
        _SQL["following"], errand=open_errand.id, done=0, limit=open_errand.contacts
    )
    return contacts or []


async def take(unit: Unit) -> OpenErrand | None:
    """Lock the errand that has waited longest for its next slice; None: there is none free."""
    row = await unit.row(_SQL["take"])
    return None if row is None else _from_row(row)


async def following(unit: Unit, open_errand: OpenErrand, *, limit: int) -> list[ContactId]:
    """Return the next contacts of an errand."""
    contacts: list[ContactId] | None = await unit.value(
        _SQL["following"], errand=open_errand.id, done=open_errand.done, limit=limit
    )
    return contacts or []


async def advance(
    unit: Unit, open_errand: OpenErrand, *, contacts: int, counts: Counter[str]
) -> None:
    """Write that it was done to *contacts* more; this unit holds its lock."""
    await unit.run(
        _SQL["advance"],
        errand=open_errand.id,
        done=open_errand.done + contacts,
        counts=dict(Counter(open_errand.counts) + counts),
    )


async def put_off(
    unit: Unit, open_errand: OpenErrand, *, failures: int, again: datetime | None
) -> None:
    """Write that its slice failed, and until when it is set aside; this unit holds its lock."""
    await unit.run(_SQL["put_off"], errand=open_errand.id, failures=failures, again=again)


async def end(unit: Unit, open_errand: OpenErrand) -> None:
    """Forget an errand that is done."""
    await unit.run(_SQL["end"], errand=open_errand.id)


async def under_way(unit: Unit, *, limit: int | None) -> list[OpenErrand]:
    """Return the errands that are not done, the oldest first; without a *limit* all."""
    return [_from_row(row) for row in await unit.rows(_SQL["under_way"], limit=limit)]


def _from_row(row: asyncpg.Record) -> OpenErrand:
    known = dict(row)
    errand = Errand(kind=Kind(known.pop("kind")), subject=known.pop("subject"))
    return OpenErrand(errand=errand, **known)
