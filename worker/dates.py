"""Dates of contacts: when they come next is known beforehand, and when they come it is told."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from engine.anniversary import comes, day_began, following, of_text
from engine.automation import Kind
from engine.ids import AutomationId, OrganizationId
from engine.sending_rules import SendingRules
from storage import dates, occurrences, planning
from storage.database import Unit
from storage.dates import Coming, DateAutomation, Dated
from worker.context import Worker

SLICE_S: Final = 0.2
_CONTACTS: Final = 1_000
_TASK: Final = "follow_dates"
_READ_EVERY: Final = timedelta(days=1)  # as zones, and the organization's own, may change
_LATEST: Final = timedelta(days=1)  # what came longer ago waits for its next year


async def follow_dates(worker: Worker, organization: OrganizationId) -> bool:
    """Read and act on dates for about SLICE_S seconds; return whether there is more."""
    rules = worker.rules[organization]
    ends = worker.clock.monotonic() + SLICE_S
    while True:
        more = await worker.database.run(
            organization, worker.now(), lambda unit: _slice(unit, rules), owner=True
        )
        if not more or worker.clock.monotonic() >= ends:
            return more


async def _slice(unit: Unit, rules: SendingRules) -> bool:
    """Do the next piece; return whether there may be more."""
    if not await planning.alone(unit, task=_TASK):
        return False
    return await _read_changed(unit, rules) or await _tell(unit, rules) or await _read(unit, rules)


async def _read_changed(unit: Unit, rules: SendingRules) -> bool:
    changed = await dates.take_changed(unit, limit=_CONTACTS)
    if not changed:
        return False
    for automation in await dates.all_of(unit):
        there = await dates.dates_of(unit, automation=automation, contacts=changed)
        await _keep(unit, automation, there, rules)
    return True


async def _tell(unit: Unit, rules: SendingRules) -> bool:
    """Tell of dates that have come, each once in a year, and note when they come again."""
    came = await dates.due(unit, limit=_CONTACTS)
    by_automation: dict[AutomationId, list[Coming]] = defaultdict(list)
    happened: list[occurrences.New] = []
    for automation, dated, due_at in came:
        late = unit.at - due_at > _LATEST or due_at <= automation.on_since
        year = None if late else _year(automation, dated, due_at, rules)
        if year is None:
            # It came before the automation was on, is long past, or is another one by now.
            by_automation[automation.id].append(_coming(automation, dated, rules, unit.at))
            continue
        happened.append(
            occurrences.New(kind=Kind.DATE, contact_id=dated.id, value=str(automation.id))
        )
        fired = Dated(id=dated.id, value=dated.value, timezone=dated.timezone, fired=year)
        by_automation[automation.id].append(_coming(automation, fired, rules, unit.at))
    for id_, coming in sorted(by_automation.items()):
        await dates.keep(unit, automation=id_, coming=coming)
    if happened:
        await occurrences.note(unit, happened=happened)
    return bool(came)


async def _read(unit: Unit, rules: SendingRules) -> bool:
    """Read the dates of further contacts for an automation that has not read them all."""
    for automation in await dates.unread(unit, before=unit.at - _READ_EVERY):
        there = await dates.contacts_after(unit, automation=automation, limit=_CONTACTS)
        await _keep(unit, automation, there, rules)
        more = len(there) == _CONTACTS
        last = there[-1].id if more else None
        await dates.read_up_to(unit, automation=automation.id, contact=last)
        return True
    return False


async def _keep(
    unit: Unit, automation: DateAutomation, there: Iterable[Dated], rules: SendingRules
) -> None:
    coming = [_coming(automation, each, rules, unit.at) for each in there]
    await dates.keep(unit, automation=automation.id, coming=coming)


def _coming(automation: DateAutomation, dated: Dated, rules: SendingRules, at: datetime) -> Coming:
    """Return when a date comes next: still today, where its time of today has passed unnoticed."""
    day = of_text(dated.value)
    if day is None:
        return Coming(contact=dated.id, due_at=None, fired=dated.fired)
    zone = rules.zone_of(dated.timezone)
    due_at = following(
        day,
        minute=automation.trigger.minute,
        zone=zone,
        after=max(automation.on_since, day_began(at, zone)),
        fired=dated.fired,
    )
    return Coming(contact=dated.id, due_at=due_at, fired=dated.fired)


def _year(
    automation: DateAutomation, dated: Dated, due_at: datetime, rules: SendingRules
) -> int | None:
    """Return the year of a date that came at *due_at*; None: it is another one by now."""
    day = of_text(dated.value)
    if day is None:
        return None
    zone = rules.zone_of(dated.timezone)
    year = due_at.astimezone(zone).year
    expected = comes(day, year=year, minute=automation.trigger.minute, zone=zone)
    return year if expected == due_at and year > dated.fired else None
