"""Opt out and opt in: acts of staff in a contact's name, kept in the ledger with who did them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from engine.consent import Act
from engine.ids import CampaignId, ContactId, MessageId
from engine.message import State
from engine.ports import Contacts, Messages
from engine.reasons import Reason


class StaffLedger(Protocol):
    """The consent ledger, for acts of one of the staff."""

    async def note(self, act: Act, contacts: Collection[ContactId], *, at: datetime) -> None: ...


class Runs(Messages, Protocol):
    """What a STOP ends; see `engine.ports.Inbox`."""

    async def end_runs(
        self, *, stopped: Collection[ContactId], replied: Collection[tuple[ContactId, CampaignId]]
    ) -> None: ...

    async def queued(
        self, *, stopped: Collection[ContactId], replied: Collection[tuple[ContactId, CampaignId]]
    ) -> frozenset[MessageId]: ...

    async def revoke(self, contacts: Collection[ContactId]) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentChange:
    """What it came to.

    Attributes:
        changed: Contacts whose consent is another one now.
        unchanged: Those for whom it was so before.
        cancelled: Queued messages that will not be sent.
        stopped_elsewhere: Of those opted in, who also stopped marketing in WhatsApp itself, which
            only they can take back.
    """

    changed: int = 0
    unchanged: int = 0
    cancelled: int = 0
    stopped_elsewhere: int = 0

    def __add__(self, other: "ConsentChange") -> "ConsentChange":
        return ConsentChange(
            changed=self.changed + other.changed,
            unchanged=self.unchanged + other.unchanged,
            cancelled=self.cancelled + other.cancelled,
            stopped_elsewhere=self.stopped_elsewhere + other.stopped_elsewhere,
        )


async def opt_out(
    *,
    ids: Sequence[ContactId],
    at: datetime,
    contacts: Contacts,
    ledger: StaffLedger,
    runs: Runs,
) -> ConsentChange:
    """Record that *ids* (some hundreds) want no campaign message, and end what waits for them."""
    known = await contacts.lock(identities=(), ids=ids)
    second = _second(at)
    changed = [
        replace(each, consent=after)
        for each in known.values()
        # Who has opted in since it was asked for stays so.
        if not each.consent.opted_out
        and (after := each.consent.after(Act.OPT_OUT, second)).opted_out
    ]
    stopped = {each.id for each in changed}
    if not stopped:
        return ConsentChange(unchanged=len(known))
    await contacts.save(changed)
    await ledger.note(Act.OPT_OUT, stopped, at=second)
    # Enrollments first: one that has ended does not go on when its message is cancelled.
    await runs.end_runs(stopped=stopped, replied=())
    rows = await runs.lock(await runs.queued(stopped=stopped, replied=()))
    cancelled = [
        row.message.ended(State.CANCELLED, at=at, reason=Reason.OPTED_OUT)
        for row in rows.values()
        if row.message.state is State.QUEUED
    ]
    await runs.save(cancelled)
    await runs.revoke(stopped)
    return ConsentChange(
        changed=len(changed), unchanged=len(known) - len(changed), cancelled=len(cancelled)
    )


async def opt_in(
    *, ids: Sequence[ContactId], at: datetime, contacts: Contacts, ledger: StaffLedger
) -> ConsentChange:
    """Record that *ids* (some hundreds) asked for campaign messages again; lifts their own STOP.

    What the platform or staff closed otherwise stays closed.
    """
    known = await contacts.lock(identities=(), ids=ids)
    second = _second(at)
    lifted = [
        after
        for each in known.values()
        if each.consent.opted_out
        and not (
            after := replace(each, consent=each.consent.after(Act.OPT_IN, second))
        ).consent.opted_out
    ]
    if lifted:
        await contacts.save(lifted)
        await ledger.note(Act.OPT_IN, {each.id for each in lifted}, at=second)
    stopped = [
        each for each in lifted if each.consent.against(promotional=True) is Reason.PLATFORM_STOPPED
    ]
    return ConsentChange(
        changed=len(lifted),
        unchanged=len(known) - len(lifted),
        stopped_elsewhere=len(stopped),
    )


def _second(at: datetime) -> datetime:
    """Return the full second: contacts' own acts come in those, and of two in one STOP wins."""
    return at.replace(microsecond=0)
