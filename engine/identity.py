"""What a person is known by; any of it may be missing, and all of it may change."""

from collections.abc import Iterable
from contextlib import suppress
from enum import StrEnum
from typing import NamedTuple

from engine.phone import InvalidPhone, Phone, parse, twins
from engine.updates import Person


class IdentityKind(StrEnum):
    PHONE = "phone"
    WA_ID = "wa_id"
    BSUID = "bsuid"
    PARENT_BSUID = "parent_bsuid"


class Identity(NamedTuple):
    kind: IdentityKind
    value: str


def identities(person: Person) -> tuple[Identity, ...]:
    """Return all that *person* may be found by.

    A WhatsApp id is a phone too if it is a valid one; for Brazil and Mexico that phone may not be
    the one people dial.

    >>> [each.value for each in identities(Person(phone=parse("+31612345678", country=None)))]
    ['31612345678', '+31612345678']
    """
    found = []
    if person.bsuid is not None:
        found.append(Identity(IdentityKind.BSUID, person.bsuid))
    if person.parent_bsuid is not None:
        found.append(Identity(IdentityKind.PARENT_BSUID, person.parent_bsuid))
    if person.phone is not None:
        found.append(Identity(IdentityKind.WA_ID, person.phone.removeprefix("+")))
        with suppress(InvalidPhone):  # a test number; the WhatsApp id finds it again
            found.append(Identity(IdentityKind.PHONE, parse(person.phone, country=None)))
    return tuple(found)


def alike(its: Iterable[Identity]) -> frozenset[Identity]:
    """Return identities and those of the same person by a twin of the phone, to look up by.

    >>> sorted(each.value for each in alike([Identity(IdentityKind.WA_ID, "551187654321")]))
    ['+551187654321', '+5511987654321', '551187654321', '5511987654321']
    """
    found = set(its)
    for identity in tuple(found):
        if identity.kind in {IdentityKind.PHONE, IdentityKind.WA_ID}:
            phone = Phone(f"+{identity.value.removeprefix('+')}")
            others = twins(phone)
            for each in (phone, *others) if others else ():
                found.add(Identity(IdentityKind.PHONE, each))
                found.add(Identity(IdentityKind.WA_ID, each.removeprefix("+")))
    return frozenset(found)
