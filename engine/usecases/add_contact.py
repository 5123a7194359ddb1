"""Add and edit: a contact as staff describe one, by the rules that hold for a row of a file."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from engine import attributes, names
from engine import phone as phones
from engine.attributes import AttributeType, Form
from engine.audience_headings import columns
from engine.audience_person import Person, described, typed
from engine.ids import ContactId
from engine.phone import InvalidPhone, Phone
from engine.refusal import Refusal


class NoPhone(Refusal):
    """It is no number that can be written to."""


class AlreadyContact(Refusal):
    """The phone reaches somebody."""

    def __init__(self, phone: Phone, contact: ContactId) -> None:
        super().__init__(
            f"{phone} is a contact already; see /drip contact show {phone}."
            f" /drip contact edit {phone} changes what is known of it."
        )
        self.contact = contact


class UnusableValue(Refusal):
    """A value, or the name it was given, cannot be kept."""


class ContactGone(Refusal):
    """Somebody deleted the contact meanwhile."""


class Types(Protocol):
    """The types of attributes."""

    async def types(self, guessed: Mapping[str, AttributeType]) -> Mapping[str, AttributeType]:
        """Return the types of attributes, kept until the unit ends; the new ones get the guess."""
        ...


class Book(Types, Protocol):
    """The contacts of one organization."""

    async def reached(self, phone: Phone) -> ContactId | None:
        """Return whom a phone reaches; None: nobody."""
        ...

    async def add(self, phone: Phone, person: Person, *, source: str) -> ContactId | None:
        """Make a contact, told to triggers with its tags; None: the phone reaches somebody now."""
        ...

    async def edit(self, contact: ContactId, person: Person, *, removed: Collection[str]) -> bool:
        """Write what is said of a contact, and remove fields and attributes; False: it is gone."""
        ...

    async def note(self, action: str, contact: ContactId, **content: object) -> None:
        """Write the audit entry; *content* holds ids and settings, no names and no phones."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedContact:
    id: ContactId
    phone: Phone
    person: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedContact:
    """What was said of a contact, and the names of what was removed, in the order given."""

    person: Person
    removed: tuple[str, ...]


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
        raise NoPhone(error.of(phone)) from error
    person = await _person(said, country=country, book=book, whole_name=True)
    person = replace(person, tags=tags)
    known = await book.reached(number)
    if known is not None:
        raise AlreadyContact(number, known)
    made = await book.add(number, person, source=source)
    if made is None:
        other = await book.reached(number)
        raise AlreadyContact(number, other or ContactId(0))
    await book.note("contact.add", made, tags=list(tags))
    return AddedContact(id=made, phone=number, person=person)


async def edit_contact(
    *, contact: ContactId, country: str | None, said: Sequence[tuple[str, str]], book: Book
) -> EditedContact:
    """Change what is known of a contact; an empty value removes what is there.

    Args:
        contact: Who.
        country: How numbers and dates are written; None: with decimal points, the day first.
        said: As for `add_contact`.
        book: Where contacts are.

    Raises:
        UnusableValue: Says which and what would do.
        ContactGone: There is no such contact any more.
    """
    if not said:
        raise UnusableValue("Say what to change: name=, email=, or an attribute of yours.")
    removed = tuple(_removed([heading for heading, value in said if not names.cleaned(value)]))
    person = await _person(
        [(heading, value) for heading, value in said if names.cleaned(value)],
        country=country,
        book=book,
        whole_name=False,
    )
    if not await book.edit(contact, person, removed=removed):
        raise ContactGone("That contact was deleted a moment ago.")
    changed = [name for name in _FIELDS if getattr(person, name) is not None]
    changed += [name for name, _ in person.attributes]
    await book.note("contact.edit", contact, changed=changed, removed=list(removed))
    return EditedContact(person=person, removed=removed)


_FIELDS = ("name", "first_name", "company", "email", "language", "timezone")


async def _person(
    said: Sequence[tuple[str, str]], *, country: str | None, book: Types, whole_name: bool
) -> Person:
    meaning = columns([heading for heading, _ in said])
    if meaning.has_phone:
        raise UnusableValue("A contact has one phone, which stands first.")
    if meaning.ignored:
        raise UnusableValue(
            f"{meaning.ignored[0][:30]!r} cannot be the name of an attribute, or is there twice:"
            " use letters, digits and _, with at least one letter."
        )
    for heading, value in said:
        if len(value) > attributes.LONGEST_VALUE:
            raise UnusableValue(
                f"{heading[:30]} has at most {attributes.LONGEST_VALUE:,} characters, this one has"
                f" {len(value):,}. Nothing was changed."
            )
    person, notes = described([value for _, value in said], meaning, whole_name=whole_name)
    if not notes:
        form = Form.usual_in(country)
        guessed = {name: attributes.type_of([text], form=form) for name, text in person.attributes}
        types = await book.types(guessed) if guessed else {}
        person, notes = typed(person, types=types, forms=dict.fromkeys(guessed, form))
    if notes:
        raise UnusableValue(
            f"{notes[0].replace('was left out', 'will not do')} Nothing was changed."
        )
    return person


def _removed(headings: Sequence[str]) -> list[str]:
    """Return the fields and attributes that headings name."""
    meaning = columns(headings)
    if meaning.has_phone:
        raise UnusableValue("A contact's phone cannot be removed.")
    named: list[str] = []
    for field in meaning.fields:
        if field == "tags":
            raise UnusableValue("Tags are taken off with /drip contact untag.")
        named.append(str(field))
    return [*named, *(name for name, _ in meaning.attributes)]
