"""A person has another phone or user id: the contact stays, and two may turn out to be one."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from engine.consent import FIELD, Act
from engine.identity import Identity, alike, identities
from engine.ids import ContactId
from engine.message import State
from engine.ports import ConsentEntry, Contacts, KnownContact, Ledger, Messages, Platform
from engine.reasons import Reason
from engine.updates import IdentityChange


async def change_identity(
    change: IdentityChange,
    *,
    at: datetime,
    contacts: Contacts,
    ledger: Ledger,
    messages: Messages,
    platform: Platform,
) -> None:
    """Give the contact of the old identities the new ones, instead of what they replace.

    Whoever has the new ones already is the same person: the contacts become the oldest of them,
    with the stricter consent. A repeated report changes nothing, for the old phone may be somebody
    else's by then.
    """
    when = change.at or at
    old, new = identities(change.old), identities(change.new)
    known = await contacts.lock(identities=alike([*old, *new]))
    if not any(alike(old) & each.identities for each in known.values()):
        return
    noted = {"contacts": [str(id_) for id_ in sorted(known)]}
    if not await platform.keep(
        key=f"identity:{change.wamid}", kind="identity_changed", content=noted, at=when
    ):
        return
    kept = await join(
        known, at=at, reference=change.wamid, contacts=contacts, ledger=ledger, messages=messages
    )
    replaced = _replaced(kept.identities, old=old, new=new)
    await contacts.detach(replaced)
    await contacts.attach([(kept.id, each) for each in new if each not in kept.identities])


async def join(
    known: Mapping[ContactId, KnownContact],
    *,
    at: datetime,
    reference: str,
    contacts: Contacts,
    ledger: Ledger,
    messages: Messages,
) -> KnownContact:
    """Make one contact of locked ones (at least one): the oldest, with the stricter consent.

    Of two open messages of one run the younger is cancelled.

    Args:
        reference: Of the platform's word that they are one person.
    """
    kept, *others = sorted(known.values(), key=lambda each: each.id)
    if not others:
        return kept
    doubled = await contacts.merge(into=kept.id, others=[other.id for other in others])
    rows = await messages.lock(doubled)
    await messages.save(
        [row.message.ended(State.CANCELLED, at=at, reason=Reason.MERGED) for row in rows.values()]
    )
    for other in others:
        await ledger.append_new(_taken_over(kept, other, reference))
        kept = replace(
            kept,
            name=kept.name or other.name,
            consent=kept.consent.merged(other.consent),
            identities=kept.identities | other.identities,
        )
    await contacts.save([kept])
    return kept


def _replaced(
    known: Collection[Identity], *, old: Collection[Identity], new: Collection[Identity]
) -> list[Identity]:
    """Return what is no longer theirs: somebody else may get the number."""
    kinds = {each.kind for each in new}
    gone = alike(old)
    return sorted(
        each for each in known if each not in new and (each in gone or each.kind in kinds)
    )


def _taken_over(kept: KnownContact, other: KnownContact, reference: str) -> list[ConsentEntry]:
    """Return the acts of *other* that count for the one contact from now on."""
    acts: list[tuple[Act, datetime]] = []
    for act, name in FIELD.items():
        theirs, ours = getattr(other.consent, name), getattr(kept.consent, name)
        if theirs is not None and (ours is None or ours < theirs):
            acts.append((act, theirs))
    return [
        ConsentEntry(
            contact_id=kept.id,
            act=act,
            at=when,
            channel="platform",
            text=f"of contact {other.id}, who is the same person",
            reference=reference,
        )
        for act, when in acts
    ]
