"""The gate: whether one message may go to one contact now, decided at the claim.

What holds for a whole campaign or number is a tap, read before; this is what differs by contact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.consent import Consent
from engine.frequency import FrequencyCap
from engine.ids import CampaignId
from engine.overlap import Exclude
from engine.reasons import Reason

SERVICE_WINDOW = timedelta(hours=24)
"""Free-form messages go only this long after a contact wrote. Source: Meta, "Service messages"."""
PAUSED_LOOK = timedelta(minutes=1)
"""What waits for a paused enrollment is looked at again after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """It may go; a call not started by *until* goes back to the queue. None: no such limit."""

    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Defer:
    until: datetime
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    reason: Reason


Decision = Send | Defer | Skip


# Not frozen: it is made for every message, and freezing takes two thirds of that.
@dataclass(slots=True, kw_only=True)
class Candidate:
    """What the gate knows of a due message and its contact.

    Attributes:
        deadline_at: Left out instead of sent after this; None: never too late.
        run: The state of its enrollment, "active" for a broadcast's.
        promoted_at: When the contact last got a promotional message, and of which campaign.
        promoted_ats: When it got the latest ones, as many as a frequency cap counts.
        last_inbound_at: When the contact last wrote to this number; None: never.
        free_form: Whether it needs an open service window.
        missing: It has a token without value and fallback.
        exclude: Whom the campaign leaves out of those who are elsewhere too.
        elsewhere: Whether it is in another drip; looked at only where *exclude* asks.
        opens_at, closes_at: The contact's sending hours; opens_at is in the past while open.
        banned: Its number is of a country WhatsApp does not let the account write to.
        restored: It was due before the database was restored, and staff leave out what was.
    """

    campaign_id: CampaignId
    promotional: bool
    consent: Consent
    addressed: bool
    deadline_at: datetime | None
    run: str
    promoted_at: datetime | None
    promoted_campaign_id: CampaignId | None
    last_inbound_at: datetime | None
    free_form: bool
    missing: bool
    opens_at: datetime
    closes_at: datetime | None
    promoted_ats: Sequence[datetime] = ()
    exclude: Exclude = Exclude.NONE
    elsewhere: bool = False
    restored: bool = False
    banned: bool = False


def decide(
    candidate: Candidate, *, at: datetime, cooldown: timedelta, cap: FrequencyCap | None = None
) -> Decision:
    """Decide about *candidate* at the instant *at*; a cooldown of zero is none."""
    against = candidate.consent.against(promotional=candidate.promotional)
    if against is not None:
        return Skip(reason=against)
    # Of a drip gone through to its end what is queued is the last of it, being tried again.
    if candidate.run not in {"active", "paused", "completed"}:
        return Skip(reason=Reason.ENROLLMENT_ENDED)
    if candidate.restored:
        # Before whatever puts it off: then it would be due after.
        return Skip(reason=Reason.RESTORED)
    if candidate.run == "paused":
        # Whatever else is the case: the time staff hold it back is held against nothing.
        return Defer(until=at + PAUSED_LOOK)
    if not candidate.addressed:
        return Skip(reason=Reason.NO_ADDRESS)
    if candidate.banned:
        return Skip(reason=Reason.COUNTRY_BANNED)
    if candidate.deadline_at is not None and candidate.deadline_at < at:
        return Skip(reason=Reason.EXPIRED)
    left_out = candidate.exclude.reason(
        elsewhere=candidate.elsewhere, lately=_lately(candidate, at, cooldown)
    )
    if left_out is not None:
        return Skip(reason=left_out)
    if candidate.missing:
        return Skip(reason=Reason.MISSING_VALUE)
    earliest, why = _earliest(candidate, at, cooldown, cap)
    if earliest > at:
        if candidate.deadline_at is not None and candidate.deadline_at < earliest:
            return Skip(reason=why or Reason.EXPIRED)
        return Defer(until=earliest, reason=why)
    if candidate.free_form and not window_open(candidate.last_inbound_at, at):
        return Skip(reason=Reason.WINDOW_CLOSED)
    return Send(until=_until(candidate))


def _lately(candidate: Candidate, at: datetime, cooldown: timedelta) -> bool:
    return (
        candidate.promoted_at is not None
        and candidate.promoted_campaign_id != candidate.campaign_id
        and candidate.promoted_at + cooldown > at
    )


def _earliest(
    candidate: Candidate, at: datetime, cooldown: timedelta, cap: FrequencyCap | None
) -> tuple[datetime, Reason | None]:
    cool_at = at
    if (
        cooldown
        and candidate.promotional
        and candidate.promoted_at is not None
        and candidate.promoted_campaign_id != candidate.campaign_id
    ):
        cool_at = candidate.promoted_at + cooldown
    why = Reason.COOLDOWN
    if candidate.promotional and cap is not None:
        free_at = cap.opens(candidate.promoted_ats, at)
        if free_at > cool_at:
            cool_at, why = free_at, Reason.FREQUENCY_CAP
    if cool_at > max(candidate.opens_at, at):
        return cool_at, why
    return candidate.opens_at, None


def window_open(last_inbound_at: datetime | None, at: datetime) -> bool:
    """Whether a free-form message may go to a contact who last wrote then; None: never."""
    return last_inbound_at is not None and at < last_inbound_at + SERVICE_WINDOW


def _until(candidate: Candidate) -> datetime | None:
    until = candidate.closes_at
    deadline_at = candidate.deadline_at
    if deadline_at is not None and (until is None or deadline_at < until):
        until = deadline_at
    if candidate.free_form and candidate.last_inbound_at is not None:
        window = candidate.last_inbound_at + SERVICE_WINDOW
        if until is None or window < until:
            until = window
    return until
