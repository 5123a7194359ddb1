"""Whom a broadcast or an enrollment is for, as stored: anyone reached by any of these."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from engine.ids import CampaignId
from engine.phone import Phone


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """A `<who>` with its names resolved.

    Attributes:
        drips, broadcasts: Those ever enrolled in these; those who have a message of these.
    """

    everyone: bool = False
    tags: tuple[str, ...] = ()
    phones: tuple[Phone, ...] = ()
    drips: tuple[CampaignId, ...] = ()
    broadcasts: tuple[CampaignId, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        return cls(
            everyone=content.get("everyone", False),
            tags=tuple(content.get("tags", ())),
            phones=tuple(content.get("phones", ())),
            drips=tuple(content.get("drips", ())),
            broadcasts=tuple(content.get("broadcasts", ())),
        )
