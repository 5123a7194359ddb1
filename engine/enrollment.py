"""An enrollment: one contact's way through one drip, how it stands and why it ended."""

from enum import StrEnum
from typing import Final


class State(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    DROPPED = "dropped"
    OPTED_OUT = "opted_out"
    REPLIED = "replied"

    @property
    def sentence(self) -> str:
        return _STATES[self]


class EndReason(StrEnum):
    """Why an enrollment was dropped before its last step."""

    UNENROLLED = "unenrolled"
    ENDED = "ended"
    INTERRUPTED = "interrupted"
    CONDITION = "condition"
    ARCHIVED = "archived"
    MERGED = "merged"
    AUTOMATION = "automation"

    @property
    def sentence(self) -> str:
        return _ENDS[self]


def why(state: str, reason: str | None) -> str:
    """Return how an enrollment stands in words, with the reason where there is one.

    >>> why("dropped", "interrupted"), why("active", None)
    ('dropped: another campaign took over (mode=interrupt)', 'active')
    """
    said = state.replace("_", " ")
    if reason is None:
        return said
    known = EndReason(reason).sentence if reason in set(EndReason) else reason.replace("_", " ")
    return f"{said}: {known}"


_STATES: Final = {
    State.ACTIVE: "is under way",
    State.PAUSED: "was paused by staff, and gets nothing until somebody resumes it",
    State.COMPLETED: "had the last step",
    State.DROPPED: "left before the last step",
    State.OPTED_OUT: "said STOP, or was opted out",
    State.REPLIED: "replied, and the campaign stops on a reply",
}
_ENDS: Final = {
    EndReason.UNENROLLED: "taken out by staff",
    EndReason.ENDED: "ended by staff",
    EndReason.INTERRUPTED: "another campaign took over (mode=interrupt)",
    EndReason.CONDITION: "a step's condition did not hold (else=end)",
    EndReason.ARCHIVED: "the campaign was archived",
    EndReason.MERGED: "is the same person as another contact",
    EndReason.AUTOMATION: "an automation took it out",
}
