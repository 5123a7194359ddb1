"""When contacts' dates next set automations off."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from engine.automation import DateReached, trigger_from_json
from engine.ids import AutomationId, ContactId
from storage.database import Unit
from storage.queries import load

_SQL = load("dates")


@dataclass(frozen=True, slots=True, kw_only=True)
class DateAutomation:
    """An automation that waits for a date.

    Attributes:
        on_since: Times that came before have passed.
        after: The last contact read; None: they are not being read.
    """

    id: AutomationId
    trigger: DateReached
    on_since: datetime
    after: ContactId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """A contact and its date.

    Attributes:
        value: As kept; None: the contact has none.
        fired: The last year in which it was acted on; 0: none.
    """

    id: ContactId
    value: str | None
    timezone: str | None
    fired: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """When the date of a contact comes next; None: never, as far as is known."""

    contact: ContactId
    due_at: datetime | None
    fired: int


async def unread(unit: Unit, *, before: datetime) -> list[DateAutomation]:
    """Return those whose contacts are still to be read, or were read before *before*."""
    return [_automation(row) for row in await unit.rows(_SQL["unread"], before=before)]


async def all_of(unit: Unit) -> list[DateAutomation]:
    return [_automation(row) for row in await unit.rows(_SQL["all"])]


async def contacts_after(unit: Unit, *, automation: DateAutomation, limit: int) -> list[Dated]:
    """Return the next contacts with the date, by id."""
    rows = await unit.rows(
        _SQL["contacts_after"],
        automation=automation.id,
        attribute=automation.trigger.attribute,
        after=automation.after or 0,
        limit=limit,
    )
    return [Dated(**dict(row)) for row in rows]


async def dates_of(
    unit: Unit, *, automation: DateAutomation, contacts: Sequence[ContactId]
) -> list[Dated]:
    rows = await unit.rows(
        _SQL["contacts"],
        automation=automation.id,
        attribute=automation.trigger.attribute,
        contacts=contacts,
    )
    return [Dated(**dict(row)) for row in rows]


async def read_up_to(unit: Unit, *, automation: AutomationId, contact: ContactId | None) -> None:
    """Note how far the contacts have been read; None: all of them are."""
    await unit.run(_SQL["read_up_to"], automation=automation, after=contact)


async def take_changed(unit: Unit, *, limit: int) -> list[ContactId]:
    """Take contacts whose dates may have changed; they come again unless this unit commits."""
    rows = await unit.rows(_SQL["take_changed"], limit=limit)
    return sorted(row["contact_id"] for row in rows)


async def keep(unit: Unit, *, automation: AutomationId, coming: Sequence[Coming]) -> None:
    if coming:
        await unit.run(
            _SQL["keep"],
            automation=automation,
            contacts=[each.contact for each in coming],
            due_ats=[each.due_at for each in coming],
            fireds=[each.fired for each in coming],
        )


async def due(unit: Unit, *, limit: int) -> list[tuple[DateAutomation, Dated, datetime]]:
    """Return dates that have come, and when, in order."""
    return [
        (
            DateAutomation(
                id=row["automation_id"],
                trigger=_trigger(row),
                on_since=row["on_since"],
                after=None,
            ),
            Dated(id=row["id"], value=row["value"], timezone=row["timezone"], fired=row["fired"]),
            row["due_at"],
        )
        for row in await unit.rows(_SQL["due"], limit=limit)
    ]


def _automation(row: asyncpg.Record) -> DateAutomation:
    return DateAutomation(
        id=row["id"],
        trigger=_trigger(row),
        on_since=row["on_since"],
        after=row["dates_after"],
    )


def _trigger(row: asyncpg.Record) -> DateReached:
    trigger = trigger_from_json(row["trigger"])
    if not isinstance(trigger, DateReached):
        raise AssertionError(f"automation waits for no date: {trigger}")  # noqa: TRY004 — a bug of ours
    return trigger
