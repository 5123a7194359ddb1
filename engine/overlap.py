"""Who is in another campaign, or heard of one lately; and which of them a campaign leaves out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from engine.ids import CampaignId
from engine.reasons import Reason


class Exclude(StrEnum):
    """Whom staff leave out: those in another campaign, those who heard of one lately, or both."""

    NONE = "none"
    ACTIVE = "active"
    RECENT = "recent"
    BOTH = "both"

    @property
    def active(self) -> bool:
        return self in {Exclude.ACTIVE, Exclude.BOTH}

    @property
    def recent(self) -> bool:
        return self in {Exclude.RECENT, Exclude.BOTH}

    def to_json(self) -> dict[str, Any]:
        """Return it for the excluded column."""
        return {} if self is Exclude.NONE else {"who": self.value}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        return cls(content.get("who", "none"))

    def reason(self, *, elsewhere: bool, lately: bool) -> Reason | None:
        """Return why a contact is left out; None: it is not.

        Args:
            elsewhere: It has an enrollment in another drip that has not ended.
            lately: It had a promotional message of another campaign within the cooldown.
        """
        if self is Exclude.NONE:
            return None
        if self.active and elsewhere:
            return Reason.IN_ANOTHER
        if self.recent and lately:
            return Reason.COOLDOWN
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """How many who may be written to are also elsewhere.

    Attributes:
        active: By drip, how many are in it; somebody may be in several.
        recent: By campaign, how many had its promotional message within the cooldown.
        elsewhere: How many are in any other.
        lately: How many had such a message.
        either: How many are one or the other.
    """

    active: Mapping[CampaignId, int] = field(default_factory=dict)
    recent: Mapping[CampaignId, int] = field(default_factory=dict)
    elsewhere: int = 0
    lately: int = 0
    either: int = 0

    def left_out(self, exclude: Exclude) -> dict[Reason, int]:
        """Return how many *exclude* leaves out, by reason; none of them zero."""
        counts = {
            Reason.IN_ANOTHER: self.elsewhere if exclude.active else 0,
            Reason.COOLDOWN: {
                Exclude.RECENT: self.lately,
                Exclude.BOTH: self.either - self.elsewhere,
            }.get(exclude, 0),
        }
        return {reason: count for reason, count in counts.items() if count}
