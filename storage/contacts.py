"""Contacts as staff and files bring them in, and as staff look at them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from engine.audience_person import Person
from engine.consent import FIELD, Act, Consent
from engine.ids import ContactId
from engine.message import State
from engine.phone import Phone, country_of, twins, zone_of
from engine.reasons import Reason
from storage import enrollments, tags
from storage.database import Unit
from storage.queries import load

_SQL = load("contacts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """The contact that a phone reaches."""

    id: ContactId
    opted_out: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A contact just made, and how many tags it began with."""

    id: ContactId
    tags: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """All that is known of a contact, but for what was sent to it.

    Attributes:
        identities: (kind, value), phones first.
        timezone_from: ``attribute``: somebody said it; ``phone``: its country has only one.
        source: ``slack:<user>``, ``import:<id>``, ``whatsapp``.
        file: The name of what was imported; None: nothing, or nobody knows any more.
    """

    id: ContactId
    name: str | None
    first_name: str | None
    company: str | None
    email: str | None
    attributes: Mapping[str, str]
    language: str | None
    timezone: str | None
    timezone_from: str | None
    source: str
    file: str | None
    created_at: datetime
    consent: Consent
    identities: tuple[tuple[str, str], ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerAct:
    """An act as the ledger has it, with its proof.

    Attributes:
        actor: A Slack user; None: the contact's own act, or the platform's.
    """

    act: Act
    at: datetime
    channel: str
    text: str | None
    actor: str | None
    reference: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A message to a contact.

    Attributes:
        campaign: None for what is not of a campaign, such as a confirmation.
        step: Its number, as staff count; None without a campaign, or of a removed step.
        template: Its name, where staff sent one outside of any campaign.
        at: When it was accepted, else when it ended, else when it is due.
    """

    state: State
    reason: Reason | None
    campaign: str | None
    step: int | None
    at: datetime
    template: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollmentLine:
    """An enrollment; *due_at* is of the next step, None while a message is under way."""

    campaign: str
    state: str
    reason: str | None
    due_at: datetime | None
    enrolled_at: datetime
    ended_at: datetime | None
    sent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedContact:
    """What a list shows of a contact."""

    id: ContactId
    name: str | None
    first_name: str | None
    company: str | None
    email: str | None
    phone: str | None
    opted_out: bool


async def reached(unit: Unit, *, phones: Sequence[Phone]) -> dict[Phone, Reached]:
    """Return the contacts that phones or their twins reach, also by the number WhatsApp gave."""
    alike = {phone: (phone, *twins(phone)) for phone in phones}
    wanted = sorted({each for several in alike.values() for each in several})
    rows = await unit.rows(
        _SQL["reached"], phones=wanted, wa_ids=[phone.removeprefix("+") for phone in wanted]
    )
    by_number: dict[str, Reached] = {}
    # Where the two disagree the phone counts: it is what people wrote.
    for row in sorted(rows, key=lambda row: row["kind"] == "phone"):
        number = row["value"] if row["kind"] == "phone" else f"+{row['value']}"
        by_number[number] = Reached(id=row["id"], opted_out=row["opted_out"])
    found: dict[Phone, Reached] = {}
    for phone, several in alike.items():
        contact = next((by_number[each] for each in several if each in by_number), None)
        if contact is not None:
            found[phone] = contact
    return found


async def add(
    unit: Unit, *, people: Sequence[tuple[Phone, Person]], source: str
) -> dict[Phone, Added]:
    """Make contacts of the phones that reach nobody, at most some thousands; return those made.

    Each contact and each tag is told to triggers once.
    """
    if not people:
        return {}
    zones = [(person.timezone, zone_of(phone)) for phone, person in people]
    tagged = [(phone, tag) for phone, person in people for tag in person.tags]
    rows = await unit.rows(
        _SQL["add_contacts"],
        phones=[phone for phone, _ in people],
        **_columns([person for _, person in people]),
        timezones=[said or guessed for said, guessed in zones],
        timezones_from=[
            "attribute" if said else "phone" if guessed else None for said, guessed in zones
        ],
        countries=[country_of(phone) for phone, _ in people],
        tagged_phones=[phone for phone, _ in tagged],
        tags=[tag for _, tag in tagged],
        source=source,
    )
    return {row["phone"]: Added(id=row["id"], tags=row["tags"]) for row in rows}


async def fill(unit: Unit, *, people: Sequence[tuple[ContactId, Person]]) -> int:
    """Write what is said of known contacts over what was known; return how many tags are new.

    What is not said stays, and consent stays as it is.
    """
    if not people:
        return 0
    await enrollments.lock_contacts(unit, contacts=[contact for contact, _ in people])
    await unit.run(
        _SQL["fill_contacts"],
        contacts=[contact for contact, _ in people],
        **_columns([person for _, person in people]),
        timezones=[person.timezone for _, person in people],
    )
    await enrollments.retime(unit, contacts=[contact for contact, _ in people])
    return await tags.add(
        unit, tags=[(contact, tag) for contact, person in people for tag in person.tags]
    )


async def edit(unit: Unit, *, contact: ContactId, person: Person, removed: Collection[str]) -> bool:
    """Write what is said of a contact and remove what is named; False: there is no such contact.

    A time zone that is removed becomes the one of the phone's country again, where that has one.
    """
    if not await enrollments.lock_contacts(unit, contacts=[contact]):
        return False
    zone: str | None = None
    if "timezone" in removed:
        known = await unit.rows(_SQL["identities"], contact=contact)
        phones = [Phone(row["value"]) for row in known if row["kind"] == "phone"]
        zone = next((found for each in phones if (found := zone_of(each)) is not None), None)
    await unit.run(
        _SQL["remove_facts"], contact=contact, removed=list(removed), timezone_of_phone=zone
    )
    await fill(unit, people=[(contact, person)])
    return True


async def profile(unit: Unit, *, contact: ContactId) -> Profile | None:
    row = await unit.row(_SQL["profile"], contact=contact)
    if row is None:
        return None
    known = dict(row)
    consent = Consent(**{name: known.pop(name) for name in FIELD.values()})
    identities = await unit.rows(_SQL["identities"], contact=contact)
    tagged = await unit.rows(_SQL["tags_of"], contact=contact)
    return Profile(
        **known,
        consent=consent,
        identities=tuple((each["kind"], each["value"]) for each in identities),
        tags=tuple(each["tag"] for each in tagged),
    )


async def acts(unit: Unit, *, contact: ContactId) -> list[LedgerAct]:
    """Return the last act of each kind, the latest first."""
    return [
        LedgerAct(
            act=Act(row["kind"]),
            at=row["at"],
            channel=row["channel"],
            text=row["text"],
            actor=row["actor"],
            reference=row["reference"],
        )
        for row in await unit.rows(_SQL["acts_of"], contact=contact)
    ]


async def last_messages(unit: Unit, *, contact: ContactId, limit: int) -> list[SentMessage]:
    """Return the last messages to a contact, the latest first."""
    return [
        SentMessage(
            state=State(row["state"]),
            reason=Reason(row["reason"]) if row["reason"] else None,
            campaign=row["campaign"],
            step=row["step"],
            template=row["template"],
            at=row["accepted_at"] or row["settled_at"] or row["due_at"],
        )
        for row in await unit.rows(_SQL["messages_of"], contact=contact, limit=limit)
    ]


async def last_enrollments(unit: Unit, *, contact: ContactId, limit: int) -> list[EnrollmentLine]:
    """Return the last enrollments of a contact, the latest first."""
    rows = await unit.rows(_SQL["enrollments_of"], contact=contact, limit=limit)
    return [EnrollmentLine(**dict(row)) for row in rows]


async def called(unit: Unit, *, beginning: str, limit: int) -> list[ListedContact]:
    """Return contacts whose name or first name begins so, by id. For the owner's units."""
    rows = await unit.rows(_SQL["called"], beginning=f"{_literal(beginning)}%", limit=limit)
    return [_listed(row) for row in rows]


async def with_text(unit: Unit, *, text: str, limit: int) -> tuple[list[ListedContact], int]:
    """Return contacts with *text* in name, company, address or phone, and how many there are.

    A whole phone finds its twin too.

    For the owner's units: under row level security it would read the whole table.
    """
    digits = "".join(character for character in text if character.isdecimal())
    rows = await unit.rows(
        _SQL["with_text"],
        pattern=f"%{_literal(text)}%",
        # A name with a digit or two in it is no phone.
        digits=f"%{digits.lstrip('0')}%" if len(digits) >= _FEWEST_DIGITS else "",
        twin=next((f"%{each.removeprefix('+')}" for each in twins(Phone(f"+{digits}"))), ""),
        limit=limit,
    )
    return [_listed(row) for row in rows], rows[0]["total"] if rows else 0


async def listed(unit: Unit, *, contacts: Sequence[ContactId]) -> list[ListedContact]:
    return [_listed(row) for row in await unit.rows(_SQL["listed"], contacts=contacts)]


_FEWEST_DIGITS = 3


def _literal(text: str) -> str:
    """Return *text* as a pattern of LIKE that only it fits."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _columns(people: Sequence[Person]) -> dict[str, list[Any]]:
    return {
        "names": [person.name for person in people],
        "first_names": [person.first_name for person in people],
        "companies": [person.company for person in people],
        "emails": [person.email for person in people],
        "languages": [person.language for person in people],
        "attributes": [dict(person.attributes) for person in people],
    }


def _listed(row: asyncpg.Record) -> ListedContact:
    return ListedContact(
        id=row["id"],
        name=row["name"],
        first_name=row["first_name"],
        company=row["company"],
        email=row["email"],
        phone=row["phone"],
        opted_out=row["opted_out"],
    )
