"""Doing an errand to some contacts: the same whether staff wait for it or the worker goes on."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from engine.enrollment import EndReason
from engine.errand import (
    CANCELLED,
    CHANGED,
    INTERRUPTED,
    STOPPED_ELSEWHERE,
    UNCHANGED,
    Errand,
    Kind,
)
from engine.ids import CampaignId, ContactId, ListId
from engine.usecases.change_consent import ConsentChange, opt_in, opt_out
from engine.usecases.tag_contacts import tag_contacts, untag_contacts
from storage import audit, enrollments, lists, redriving
from storage.database import Unit
from storage.identities import IdentifiedContacts
from storage.inbound import InboundMessages
from storage.staff_acts import StaffLedger, StaffTagging


async def carry_out(
    unit: Unit, errand: Errand, contacts: Sequence[ContactId], *, by: str, asked_at: datetime
) -> Counter[str]:
    """Do it to *contacts* (as many as `engine.errand.at_once`); return what it came to, counted.

    Args:
        by: Who asked.
        asked_at: When: consent goes by that, whatever happened until it was carried out.

    Raises:
        NotEnrolling: The campaign takes nobody in; nothing was done.
    """
    match errand.kind:
        case Kind.ENROLL:
            return await _enroll(unit, CampaignId(int(errand.subject)), contacts, by=by)
        case Kind.UNENROLL:
            ended = await _unenroll(unit, CampaignId(int(errand.subject)), contacts, by=by)
            return _changed(ended, of=contacts)
        case Kind.TAG:
            changed = await tag_contacts(
                tag=errand.subject, contacts=contacts, tagging=StaffTagging(unit)
            )
            return _changed(changed, of=contacts)
        case Kind.UNTAG:
            changed = await untag_contacts(
                tag=errand.subject, contacts=contacts, tagging=StaffTagging(unit)
            )
            return _changed(changed, of=contacts)
        case Kind.OPT_OUT:
            return _consents(
                await opt_out(
                    ids=contacts,
                    at=asked_at,
                    contacts=IdentifiedContacts(unit),
                    ledger=StaffLedger(unit, actor=by),
                    runs=InboundMessages(unit),
                )
            )
        case Kind.OPT_IN:
            return _consents(
                await opt_in(
                    ids=contacts,
                    at=asked_at,
                    contacts=IdentifiedContacts(unit),
                    ledger=StaffLedger(unit, actor=by),
                )
            )
        case Kind.LIST_ADD:
            list_id = ListId(int(errand.subject))
            return _changed(await lists.put(unit, list_id=list_id, contacts=contacts), of=contacts)
        case Kind.LIST_REMOVE:
            list_id = ListId(int(errand.subject))
            return _changed(await lists.take(unit, list_id=list_id, contacts=contacts), of=contacts)
        case Kind.RETRY:
            campaign = CampaignId(int(errand.subject))
            return await redriving.redrive(unit, campaign=campaign, contacts=contacts, by=by)
        case other:
            assert_never(other)


async def _enroll(
    unit: Unit, campaign: CampaignId, contacts: Sequence[ContactId], *, by: str
) -> Counter[str]:
    done = await enrollments.enroll(unit, campaign=campaign, contacts=contacts, by=by)
    counts = Counter({outcome.value: n for outcome, n in done.counts.items()})
    await audit.note(
        unit, actor=by, action="enroll", subject=f"drip:{campaign}", content=dict(counts)
    )
    counts[INTERRUPTED] += len(done.interrupted)
    return counts


async def _unenroll(
    unit: Unit, campaign: CampaignId, contacts: Sequence[ContactId], *, by: str
) -> int:
    await enrollments.lock_contacts(unit, contacts=contacts)
    there = await enrollments.running(unit, campaign=campaign, contacts=contacts)
    if not there:
        return 0
    await enrollments.drop(unit, enrollments=there, reason=EndReason.UNENROLLED)
    await audit.note(
        unit,
        actor=by,
        action="unenroll",
        subject=f"drip:{campaign}",
        content={"enrollments": len(there)},
    )
    return len({each.contact_id for each in there})


def _changed(changed: int, *, of: Sequence[ContactId]) -> Counter[str]:
    return Counter({CHANGED: changed, UNCHANGED: len(of) - changed})


def _consents(change: ConsentChange) -> Counter[str]:
    return Counter(
        {
            CHANGED: change.changed,
            UNCHANGED: change.unchanged,
            CANCELLED: change.cancelled,
            STOPPED_ELSEWHERE: change.stopped_elsewhere,
        }
    )
