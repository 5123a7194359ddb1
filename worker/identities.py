"""What answers to calls say of who people are."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import structlog

from engine.ids import ContactId, OrganizationId
from engine.phone import Phone
from engine.usecases.learn_identity import learn_identity
from storage import identities
from storage.consents import ConsentLedger
from storage.database import Database, Unit
from storage.identities import IdentifiedContacts
from storage.statuses import LockedMessages
from worker.calls import Result
from worker.whatsapp.client import Accepted

log = structlog.get_logger()


async def learn(
    database: Database, organization: OrganizationId, results: Sequence[Result], *, at: datetime
) -> None:
    """Note under which other number WhatsApp knows whom it took messages for.

    What is lost with the process is said again by the next answer.
    """
    said = {
        (result.call.message.contact_id, result.outcome.known_as): result.outcome.wamid
        for result in results
        if isinstance(result.outcome, Accepted) and result.outcome.known_as is not None
    }
    if not said:
        return
    news = await database.run(
        organization,
        at,
        lambda unit: identities.unknown_ids(unit, said=list(said)),
        owner=True,
    )
    for contact, known_as in news:
        work = partial(_learn, contact=contact, known_as=known_as, wamid=said[contact, known_as])
        await database.run(organization, at, work, owner=True)
        log.info("contact.known_otherwise", contact=contact)


async def _learn(unit: Unit, *, contact: ContactId, known_as: str, wamid: str) -> None:
    await learn_identity(
        contact=contact,
        known_as=Phone(f"+{known_as}"),
        wamid=wamid,
        at=unit.at,
        contacts=IdentifiedContacts(unit),
        ledger=ConsentLedger(unit),
        messages=LockedMessages(unit),
    )
