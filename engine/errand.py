"""An errand: what staff asked to have done to many contacts, carried out a slice at a time."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What is done to them. The value is the word of the command."""

    ENROLL = "enroll"
    UNENROLL = "unenroll"
    TAG = "tag"
    UNTAG = "untag"
    OPT_OUT = "optout"
    OPT_IN = "optin"
    LIST_ADD = "list add"
    LIST_REMOVE = "list remove"
    RETRY = "retry"
    REFRESH = "segment refresh"
    """Of a static segment: those to take off its list are meant by the negative of their ids."""
    CHECK = "attribute check"
    RETYPE = "attribute type"
    """Follows the check of the same values, once all of them fit."""


class Stop(StrEnum):
    """Why an errand ended before it was done."""

    NOT_ENROLLING = "not_enrolling"
    LIST_GONE = "list_gone"
    UNFIT = "unfit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What is to be done.

    Attributes:
        subject: The tag, or the id of the campaign or list, it is about; an attribute with its new
            type, as `engine.attributes.Retyping` writes it; empty: none.
    """

    kind: Kind
    subject: str = ""


CHANGED: Final = "changed"
UNCHANGED: Final = "unchanged"
INTERRUPTED: Final = "interrupted"
CANCELLED: Final = "cancelled"
STOPPED_ELSEWHERE: Final = "stopped_elsewhere"
CAME: Final = "came"
WENT: Final = "went"
"""What is counted; besides them what enrolling comes to."""

_CONSENTS: Final = 500  # each may end enrollments and cancel messages
_RETRIES: Final = 2_000  # each may have several messages, whose rows and statistics move
_OTHERS: Final = 10_000


def at_once(kind: Kind) -> int:
    """Return how many contacts one transaction takes; so many are done while staff wait.

    >>> at_once(Kind.OPT_OUT) < at_once(Kind.TAG)
    True
    """
    match kind:
        case Kind.OPT_OUT | Kind.OPT_IN:
            return _CONSENTS
        case Kind.RETRY:
            return _RETRIES
        case _:
            return _OTHERS
