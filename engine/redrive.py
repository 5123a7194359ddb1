"""Trying failed messages anew: who of those staff chose is left out of it, and why."""

from dataclasses import dataclass
from enum import StrEnum

from engine.consent import Consent
from engine.reasons import Reason


class Obstacle(StrEnum):
    """Why a message that ended dead is not tried anew, beside the reasons of consent."""

    HAS_IT = "has_it"
    IN_DOUBT = "in_doubt"
    LEFT = "left"
    OVER = "over"

    @property
    def sentence(self) -> str:
        """What follows a number of messages."""
        return _SENTENCES[self]


_SENTENCES = {
    Obstacle.HAS_IT: "reached the person meanwhile, or are under way to them",
    Obstacle.IN_DOUBT: "may have arrived: WhatsApp never said",
    Obstacle.LEFT: "are for people who left the campaign",
    Obstacle.OVER: "are of a campaign that is over",
}

_IN_IT = frozenset({"active", "paused", "completed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A message that may be tried anew, and its person.

    Attributes:
        dead: Whether it still is.
        reason: Why it ended; None: it has not.
        run: The state of its enrollment, "active" for a broadcast's.
        elsewhere: Whether the person has the same step by another message, or will have.
        banned: Whether it would be left out at once for its country, and so be lost to a later try.
    """

    dead: bool
    reason: Reason | None
    run: str
    elsewhere: bool
    consent: Consent
    banned: bool = False


def obstacle(candidate: Candidate, *, promotional: bool) -> Obstacle | Reason | None:
    """Return why it is not tried anew; None: it is.

    Whoever has it, or may have it, comes first: nothing else matters then.
    """
    if not candidate.dead or candidate.elsewhere:
        return Obstacle.HAS_IT
    if candidate.reason is Reason.UNANSWERED:
        return Obstacle.IN_DOUBT
    against = candidate.consent.against(promotional=promotional)
    if against is not None:
        return against
    if candidate.banned:
        return Reason.COUNTRY_BANNED
    if candidate.run not in _IN_IT:
        return Obstacle.LEFT
    return None
