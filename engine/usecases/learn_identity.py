"""WhatsApp took a message for somebody it knows by another number: both are one person."""

from datetime import datetime

from engine.identity import IdentityKind, alike, identities
from engine.ids import ContactId
from engine.phone import Phone
from engine.ports import Contacts, Ledger, Messages
from engine.updates import Person
from engine.usecases.change_identity import join


async def learn_identity(
    *,
    contact: ContactId,
    known_as: Phone,
    wamid: str,
    at: datetime,
    contacts: Contacts,
    ledger: Ledger,
    messages: Messages,
) -> None:
    """Give a contact the WhatsApp id that the answer to a call named.

    Whoever has it already, or a twin of it, gets our messages too: they become one contact with
    the stricter consent. A contact that is gone, or has the id, stays as it is.

    Args:
        wamid: Of the message that was answered.
    """
    its = identities(Person(phone=known_as))
    known = await contacts.lock(identities=alike(its), ids=[contact])
    if contact not in known:
        return
    kept = await join(
        known, at=at, reference=wamid, contacts=contacts, ledger=ledger, messages=messages
    )
    new = next(each for each in its if each.kind is IdentityKind.WA_ID)
    if new in kept.identities:
        return
    # Of twins one is what WhatsApp calls the person; look-ups try both.
    old = alike([new]) & kept.identities
    await contacts.detach(sorted(each for each in old if each.kind is IdentityKind.WA_ID))
    await contacts.attach([(kept.id, new)])
