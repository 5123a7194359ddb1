"""Add: a contact as staff describe one, by the rules that hold for a row of a file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from engine import phone as phones
from engine.audience_headings import columns
from engine.audience_person import Person, described
from engine.ids import ContactId
from engine.phone import InvalidPhone, Phone
from engine.refusal import Refusal


class NoPhone(Refusal):
    """It is no number that can be written to."""


class AlreadyContact(Refusal):
    """The phone reaches somebody."""

    def __init__(self, phone: Phone, contact: ContactId) -> None:
        super().__init__(
            f"{phone} is a contact already; see /drip contact show {phone}. A file with that row,"
            " imported, changes what is known of it."
        )
        self.contact = contact


class UnusableValue(Refusal):
    """A value, or the name it was given, cannot be kept."""


class Book(Protocol):
    """The contacts of one organization."""

    async def reached(self, phone: Phone) -> ContactId | None:
        """Return whom a phone reaches; None: nobody."""
        ...

    async def add(self, phone: Phone, person: Person, *, source: str) -> ContactId | None:
        """Make a contact, told to triggers with its tags; None: the phone reaches somebody now."""
        ...

    async def note(self, action: str, contact: ContactId, **content: object) -> None:
        """Write the audit entry; *content* holds ids and settings, no names and no phones."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedContact:
    id: ContactId
    phone: Phone
    person: Person


async def add_contact(
    *,
    phone: str,
    country: str | None,
    said: Sequence[tuple[str, str]],
    tags: tuple[str, ...],
    source: str,
    book: Book,
) -> AddedContact:
    """Make a contact.

    Args:
        phone: As written.
        country: Region of a phone without a country code; None refuses those.
        said: What is known of the person, under headings as a file may have them.
        tags: As tags are kept.
        source: Where it comes from, ``slack:<user>``.

    Raises:
        NoPhone, UnusableValue: Says which and what would do.
        AlreadyContact: Nothing is changed about who is there.
    """
    try:
        number = phones.parse(phone, country=country)
    except InvalidPhone as error:
        raise NoPhone(f"{phone[:30]!r} is no phone. {error.reason}") from error
    person = replace(_person(said), tags=tags)
    known = await book.reached(number)
    if known is not None:
        raise AlreadyContact(number, known)
    made = await book.add(number, person, source=source)
    if made is None:
        other = await book.reached(number)
        raise AlreadyContact(number, other or ContactId(0))
    await book.note("contact.add", made, tags=list(tags))
    return AddedContact(id=made, phone=number, person=person)


def _person(said: Sequence[tuple[str, str]]) -> Person:
    meaning = columns([heading for heading, _ in said])
    if meaning.has_phone:
        raise UnusableValue("A contact has one phone, which stands first.")
    if meaning.ignored:
        raise UnusableValue(
            f"{meaning.ignored[0][:30]!r} cannot be the name of an attribute, or is there twice:"
            " use letters, digits and _, with at least one letter."
        )
    person, notes = described([value for _, value in said], meaning)
    if notes:
        raise UnusableValue(f"{notes[0]} Nothing was added.")
    return person
