"""Who somebody is: the contacts that any of their identities reaches."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.consent import Consent
from engine.identity import Identity, IdentityKind, alike, identities
from engine.ids import ContactId
from engine.names import cleaned
from engine.phone import Phone, country_of, zone_of
from engine.ports import Contacts, KnownContact, NewContact
from engine.updates import Person

# A contact is written to at one phone; what WhatsApp calls the same person may differ by a digit.
_ONE_EACH = frozenset({IdentityKind.PHONE, IdentityKind.WA_ID})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Somebody to recognise.

    Attributes:
        answers: The contact to whom the message went that this one answers, None if it answers
            none: the same person, whatever the identities say.
        stranger: Become a contact if none is reached.
    """

    person: Person
    name: str | None = None
    answers: ContactId | None = None
    stranger: bool = True


@dataclass(slots=True)
class People:
    """The contacts of one unit of work, locked; strangers have ids below zero until created."""

    by_id: dict[ContactId, KnownContact]
    reached: list[tuple[ContactId, ...]] = field(default_factory=list)
    links: list[tuple[ContactId, Identity]] = field(default_factory=list)

    def strangers(self) -> list[ContactId]:
        return sorted((id_ for id_ in self.by_id if id_ < 0), reverse=True)


async def recognise(senders: Sequence[Sender], *, contacts: Contacts) -> People:
    """Lock the contacts of *senders*; `reached` has them for each sender, the oldest first.

    Nothing is written: strangers and new identities are in the answer, for `remember`.
    """
    wanted = [identities(sender.person) for sender in senders]
    known = await contacts.lock(
        identities=alike(identity for each in wanted for identity in each),
        ids={sender.answers for sender in senders if sender.answers is not None},
    )
    owner = {identity: each.id for each in known.values() for identity in each.identities}
    people = People(by_id=dict(known))
    for sender, its in zip(senders, wanted, strict=True):
        found = {owner[identity] for identity in alike(its) if identity in owner}
        if sender.answers in known and sender.answers is not None:
            found.add(sender.answers)
        if not found and sender.stranger:
            found = {_stranger(people, sender)}
        # Those who are new come after all that were there.
        reached = tuple(sorted(found, key=lambda id_: (id_ < 0, abs(id_))))
        people.reached.append(reached)
        if reached:
            _link(people, reached[0], its, owner)
    return people


async def remember(people: People, *, contacts: Contacts) -> Mapping[ContactId, ContactId]:
    """Write the contacts of *people* as they are now; return the ids strangers got."""
    strangers = people.strangers()
    created = await contacts.create([_new(people.by_id[id_]) for id_ in strangers])
    named = dict(zip(strangers, created, strict=True))
    await contacts.attach([link for link in people.links if link[0] not in named])
    return named


def _stranger(people: People, sender: Sender) -> ContactId:
    id_ = ContactId(-1 - len(people.strangers()))
    name = cleaned(sender.name) if sender.name else ""
    people.by_id[id_] = KnownContact(
        id=id_, name=name or None, consent=Consent(), last_number_id=None
    )
    return id_


def _link(
    people: People,
    contact: ContactId,
    its: Collection[Identity],
    owner: dict[Identity, ContactId],
) -> None:
    known = people.by_id[contact]
    for identity in its:
        has = {each.kind for each in known.identities}
        if identity in owner or (identity.kind in _ONE_EACH and identity.kind in has):
            continue
        owner[identity] = contact
        people.links.append((contact, identity))
        known = replace(known, identities=known.identities | {identity})
    people.by_id[contact] = known


def _new(contact: KnownContact) -> NewContact:
    phone = next(
        (each.value for each in contact.identities if each.kind is IdentityKind.PHONE), None
    )
    return NewContact(
        name=contact.name,
        timezone=zone_of(Phone(phone)) if phone else None,
        country=country_of(Phone(phone)) if phone else None,
        last_reply_at=contact.last_reply_at,
        consent=contact.consent,
        last_number_id=contact.last_number_id,
        identities=tuple(sorted(contact.identities)),
    )
