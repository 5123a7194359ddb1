"""Whether a contact may be written to: a pair of times per reason, the latest of each counts.

Every act carries its own time, so acts may arrive in any order and any number of times. A reason
holds while its time is not older than that of its counterpart: on a tie the stricter one wins,
because WhatsApp stamps whole seconds.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

from engine.reasons import Reason


class Act(StrEnum):
    """What the ledger keeps. The value is the ledger's word."""

    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    PLATFORM_STOP = "platform_stop"
    PLATFORM_RESUME = "platform_resume"
    BLOCK = "block"
    UNBLOCK = "unblock"
    UNREACHABLE = "unreachable"
    REACHED = "reached"
    ERASED = "erased"


FIELD = {
    Act.OPT_OUT: "opted_out_at",
    Act.OPT_IN: "opted_in_at",
    Act.PLATFORM_STOP: "platform_stopped_at",
    Act.PLATFORM_RESUME: "platform_resumed_at",
    Act.BLOCK: "blocked_at",
    Act.UNBLOCK: "unblocked_at",
    Act.UNREACHABLE: "unreachable_at",
    Act.REACHED: "reached_at",
    Act.ERASED: "erased_at",
}


def _holds(since: datetime | None, until: datetime | None) -> bool:
    return since is not None and (until is None or since >= until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    opted_out_at: datetime | None = None
    opted_in_at: datetime | None = None
    platform_stopped_at: datetime | None = None
    platform_resumed_at: datetime | None = None
    blocked_at: datetime | None = None
    unblocked_at: datetime | None = None
    unreachable_at: datetime | None = None
    reached_at: datetime | None = None
    erased_at: datetime | None = None

    @property
    def opted_out(self) -> bool:
        return _holds(self.opted_out_at, self.opted_in_at)

    def after(self, act: Act, at: datetime) -> Self:
        """Return the state once *act* of time *at* is known; an older act changes nothing."""
        return self.merged(type(self)(**{FIELD[act]: at}))

    def merged(self, other: "Consent") -> Self:
        """Return the state of one person known as two contacts: the latest of every time."""
        return type(self)(
            **{
                field.name: max(
                    filter(None, (getattr(self, field.name), getattr(other, field.name))),
                    default=None,
                )
                for field in fields(self)
            }
        )

    def against(self, *, promotional: bool) -> Reason | None:
        """Return why this contact gets no campaign message, or None if it may.

        A STOP ends campaign messages of every type; what the platform says ends promotional ones.
        """
        if self is UNSAID:  # nearly everybody
            return None
        if self.erased_at is not None:
            return Reason.ERASED
        if self.opted_out:
            return Reason.OPTED_OUT
        if _holds(self.blocked_at, self.unblocked_at):
            return Reason.BLOCKED
        if _holds(self.unreachable_at, self.reached_at):
            return Reason.UNREACHABLE
        if promotional and _holds(self.platform_stopped_at, self.platform_resumed_at):
            return Reason.PLATFORM_STOPPED
        return None


UNSAID: Final = Consent()
"""Of who has said nothing, and of whom nothing is said."""
