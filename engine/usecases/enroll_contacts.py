"""Enroll: whom a command would enroll, and whether staff have to confirm how many they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.audience import Audience
from engine.ids import CampaignId, ContactId
from engine.refusal import Refusal
from engine.size import Asked, Size, judged

ENROLLED = "enrolled"


class NobodyThere(Refusal):
    """The audience has no contact."""

    def __init__(self) -> None:
        super().__init__(
            "That is nobody: no contact matches. /drip contact find looks one up,"
            " /drip contact add and a file with the text import bring them in."
        )


class Enrolling(Protocol):
    """What enrolling needs to know before it begins."""

    async def contacts(self, audience: Audience) -> Sequence[ContactId]:
        """Return the contacts of the audience, sorted."""
        ...

    async def outcomes(
        self, campaign: CampaignId, contacts: Sequence[ContactId]
    ) -> Mapping[str, int]:
        """Return what enrolling them would come to, by outcome; it changes nothing.

        Raises:
            NotEnrolling: The campaign takes nobody in.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """They may be enrolled at once."""

    contacts: Sequence[ContactId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unconfirmed:
    """Nothing was done; staff have to give the count first.

    Attributes:
        outcomes: What enrolling would come to.
    """

    outcomes: Mapping[str, int]
    asked: Asked


async def enroll_contacts(
    *, campaign: CampaignId, audience: Audience, size: Size, enrolling: Enrolling
) -> Ready | Unconfirmed:
    """Find whom to enroll.

    Raises:
        NobodyThere: The audience is empty.
        TooLarge: See :func:`engine.size.judged`.
    """
    contacts = await enrolling.contacts(audience)
    if not contacts:
        raise NobodyThere
    # Whoever is left out makes it fewer, so a small audience needs no second look.
    limits = [limit for limit in (size.large, size.approval) if limit > 0]
    if all(len(contacts) <= limit for limit in limits):
        return Ready(contacts=contacts)
    outcomes = await enrolling.outcomes(campaign, contacts)
    asked = judged(outcomes.get(ENROLLED, 0), size)
    return (
        Ready(contacts=contacts) if asked is None else Unconfirmed(outcomes=outcomes, asked=asked)
    )
