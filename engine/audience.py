"""Whom a broadcast or an enrollment is for, as stored: anyone reached by any of these."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Self

from engine.ids import CampaignId, ListId, SegmentId
from engine.phone import Phone
from engine.segment import (
    Condition,
    Did,
    Everybody,
    HasPhone,
    HasTag,
    InSegment,
    Not,
    OnList,
    Some,
    Took,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """A `<who>` with its names resolved.

    Attributes:
        drips, broadcasts: Those ever enrolled in these; those who have a message of these.
    """

    everyone: bool = False
    tags: tuple[str, ...] = ()
    phones: tuple[Phone, ...] = ()
    lists: tuple[ListId, ...] = ()
    segments: tuple[SegmentId, ...] = ()
    drips: tuple[CampaignId, ...] = ()
    broadcasts: tuple[CampaignId, ...] = ()

    @property
    def condition(self) -> Condition:
        """Who is meant, as a segment says it."""
        if self.everyone:
            return Everybody()
        match tuple(self._parts()):
            case ():
                return Not(Everybody())
            case (only,):
                return only
            case several:
                return Some(several)

    def _parts(self) -> Iterator[Condition]:
        yield from map(HasTag, self.tags)
        yield from map(HasPhone, self.phones)
        yield from map(OnList, self.lists)
        yield from map(InSegment, self.segments)
        yield from (Took(Did.ENROLLED, each, broadcast=False) for each in self.drips)
        yield from (Took(Did.ENROLLED, each, broadcast=True) for each in self.broadcasts)

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        return cls(
            everyone=content.get("everyone", False),
            tags=tuple(content.get("tags", ())),
            phones=tuple(content.get("phones", ())),
            lists=tuple(content.get("lists", ())),
            segments=tuple(content.get("segments", ())),
            drips=tuple(content.get("drips", ())),
            broadcasts=tuple(content.get("broadcasts", ())),
        )
