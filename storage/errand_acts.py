"""Doing an errand to some contacts: the same whether staff wait for it or the worker goes on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from engine.attributes import Retyping
from engine.enrollment import EndReason
from engine.errand import (
    CAME,
    CANCELLED,
    CHANGED,
    INTERRUPTED,
    STOPPED_ELSEWHERE,
    UNCHANGED,
    WENT,
    Errand,
    Kind,
)
from engine.ids import CampaignId, ContactId, ListId
from engine.usecases.change_consent import ConsentChange, opt_in, opt_out
from engine.usecases.tag_contacts import tag_contacts, untag_contacts
from storage import audit, enrollments, lists, redriving, retyping, segments
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
        NoSuchList: It was deleted meanwhile; the same.
        ValuesUnfit: Some values are not of the new type; the same.
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
        case Kind.REFRESH:
            return await _refresh(unit, ListId(int(errand.subject)), contacts)
        case Kind.CHECK:
            return await retyping.check(unit, Retyping.parse(errand.subject), contacts)
        case Kind.RETYPE:
            return await retyping.rewrite(unit, Retyping.parse(errand.subject), contacts)
        case other:
            assert_never(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """What is to be done after an errand, instead of telling that it is done.

    Attributes:
        contacts: To whom; None: to the same.
        since: As of when.
    """

    errand: Errand
    contacts: Sequence[ContactId] | None
    since: datetime


async def finish(unit: Unit, errand: Errand, *, by: str, since: datetime) -> Follow | None:
    """Do what is done once an errand was carried out to everybody; None: nothing follows.

    Args:
        since: As of when it is done.

    Raises:
        ValuesUnfit: It cannot be done.
    """
    match errand.kind:
        case Kind.REFRESH:
            await segments.refreshed(unit, list_id=ListId(int(errand.subject)))
        case Kind.CHECK:
            return Follow(
                errand=Errand(kind=Kind.RETYPE, subject=errand.subject), contacts=None, since=since
            )
        case Kind.RETYPE:
            wanted = Retyping.parse(errand.subject)
            late = await retyping.finish(unit, wanted, since=since, by=by)
            if late is not None:
                again = Errand(kind=Kind.CHECK, subject=errand.subject)
                return Follow(errand=again, contacts=late, since=unit.at)
        case _:
            pass
    return None


async def _refresh(unit: Unit, list_id: ListId, signed: Sequence[int]) -> Counter[str]:
    """Put contacts on the list of a static segment, or, by the negative of their ids, take off."""
    # It is locked before its list, wherever both are.
    await segments.lock_static(unit, list_id=list_id)
    came = await lists.put(unit, list_id=list_id, contacts=[ContactId(n) for n in signed if n > 0])
    gone = [ContactId(-n) for n in signed if n < 0]
    return Counter({CAME: came, WENT: await lists.take(unit, list_id=list_id, contacts=gone)})


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
