"""What is read to look ahead: of contacts all that decides about a message, without any lock."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.consent import FIELD, Consent
from engine.foresight import Facts, Used
from engine.ids import CampaignId, ContactId, EnrollmentId, NumberId, StepId
from engine.message import State, hour_of
from engine.places import Cap, PeopleLimit
from engine.reasons import Reason
from engine.sending_rules import SendingRules
from storage import countries, overlaps, places, planning
from storage.database import Unit
from storage.queries import load

_SQL = load("looking")


async def facts(
    unit: Unit,
    *,
    contacts: Sequence[ContactId],
    number: NumberId | None,
    numbers: Sequence[NumberId],
    tags: Collection[str] = (),
    beside: CampaignId | None = None,
) -> list[Facts]:
    """Return what is known of contacts, by id.

    Args:
        number: The campaign's; None: each contact's last of *numbers*, else the first of them.
        tags: Those that are asked for.
        beside: Who is in another drip than this is marked; None: nobody is.
    """
    tagged = await planning.tags_asked(unit, tags=tags, contacts=contacts) if tags else {}
    rows = await unit.rows(
        _SQL["facts"],
        contacts=contacts,
        number=number if number in numbers else None,
        numbers=numbers,
        standard_number=numbers[0],
    )
    others: Collection[ContactId] = ()
    if beside is not None:
        others = await overlaps.elsewhere(unit, contacts=contacts, campaign=beside)
    banned = await countries.banned(unit)
    found: list[Facts] = []
    for row in rows:
        known = dict(row)
        consent = Consent(**{name: known.pop(name) for name in FIELD.values()})
        own = frozenset(tagged.get(known["contact_id"], ()))
        found.append(
            Facts(
                **known,
                consent=consent,
                tags=own,
                elsewhere=known["contact_id"] in others,
                banned=banned.reaches(known["phone"]),
            )
        )
    return found


async def used(unit: Unit, *, campaign: CampaignId, rules: SendingRules) -> Used:
    """Return what is used of a campaign's caps, and of those of all, at this moment."""
    row = await unit.row(
        _SQL["used"], campaign=campaign, hour=hour_of(unit.at), standard_number=rules.number_ids[0]
    )
    if row is None:
        return Used()
    known = dict(row)
    messaging_limit = known.pop("messaging_limit")
    return Used(**known, people=await _people(unit, rules, messaging_limit))


async def _people(
    unit: Unit, rules: SendingRules, messaging_limit: str | None
) -> tuple[PeopleLimit, ...]:
    found: list[PeopleLimit] = []
    for cap, limit in rules.people_limits(messaging_limit):
        home = rules.portfolio_home if cap is Cap.MESSAGING_LIMIT else unit.organization
        span = rules.people_span(cap, unit.at)
        # The first organization of the portfolio counts for all, which the bot may not look into.
        async with unit.as_owner():
            taken = await places.counted(unit, home=home, cap=cap, limit=limit, span=span)
        found.append(PeopleLimit(cap=cap, limit=limit, counts=dict(taken.counts)))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """An enrollment with all that says where it stands; see `engine.journey.Standing`.

    Attributes:
        step_id: The step it waits for, or whose message is under way; None once it has ended.
    """

    id: EnrollmentId
    state: str
    reason: str | None
    step_id: StepId | None
    place: float
    since_at: datetime | None
    due_at: datetime | None
    timed: bool
    awaits_delivery: bool
    enrolled_at: datetime
    enrolled_by: str
    ended_at: datetime | None
    properties: Mapping[str, Any]
    sent: int
    delivered: int
    read: int
    replied: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message of a campaign, with all that became of it.

    Attributes:
        control_at: In doubt: when a later call was heard of; far in the future: staff are asked.
        resent: How often it was sent again after silence; *doubled*: arrived more than once.
    """

    id: int
    run_id: int
    step_id: StepId
    state: State
    reason: Reason | None
    due_at: datetime
    deadline_at: datetime | None
    number_id: NumberId
    attempt: int
    tries: int
    accepted_at: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    replied_at: datetime | None
    clicked_at: datetime | None
    failed_at: datetime | None
    settled_at: datetime | None
    unknown_since: datetime | None
    control_at: datetime | None
    error_code: int | None
    error: str | None
    resent: int
    doubled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """A closed tap above a campaign; no number: it is the organization's."""

    number_id: NumberId | None
    closed_until: datetime
    closed_why: str | None


async def runs(unit: Unit, *, campaign: CampaignId, contact: ContactId, limit: int) -> list[Run]:
    """Return the latest enrollments of a contact in a campaign, the latest first."""
    rows = await unit.rows(_SQL["runs"], campaign=campaign, contact=contact, limit=limit)
    return [Run(**dict(row)) for row in rows]


async def told(unit: Unit, *, campaign: CampaignId, contact: ContactId, limit: int) -> list[Told]:
    """Return the messages of a campaign to a contact, in the order of planning."""
    rows = await unit.rows(_SQL["told"], campaign=campaign, contact=contact, limit=limit)
    return [
        Told(
            **{
                **dict(row),
                "state": State(row["state"]),
                "reason": Reason(row["reason"]) if row["reason"] else None,
            }
        )
        for row in rows
    ]


async def forgotten_before(unit: Unit) -> datetime | None:
    """Return before when messages may have been forgotten; None: none has been."""
    before: datetime | None = await unit.value(_SQL["forgotten_before"])
    return before


async def is_frozen(unit: Unit, *, campaign: CampaignId, contact: ContactId) -> bool | None:
    """Whether a contact is in the audience kept when a broadcast started; None: none is kept."""
    kept: bool | None = await unit.value(_SQL["is_frozen"], campaign=campaign, contact=contact)
    return kept


async def closed_taps(unit: Unit) -> list[Tap]:
    return [Tap(**dict(row)) for row in await unit.rows(_SQL["taps"])]
