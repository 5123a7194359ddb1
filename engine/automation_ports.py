"""What the use cases about automations need of storage; a unit of work is behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.automation import Action, Automation, State, Trigger
from engine.automation_text import Directory
from engine.campaign import Kind, Reentry
from engine.ids import AutomationId, CampaignId, SegmentId, StepId


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCampaign:
    """A campaign that is not archived."""

    id: CampaignId
    kind: Kind
    reentry: Reentry


class Automations(Protocol):
    """The automations of one organization, changed by one person."""

    async def lock(self) -> None:
        """Let nobody else add one until the unit ends: two could be a loop together."""
        ...

    async def all(self) -> Sequence[Automation]:
        """Return them, the oldest first."""
        ...

    async def directory(self) -> Directory:
        """Return what the ids in them are called."""
        ...

    async def campaigns(self) -> Mapping[str, KnownCampaign]: ...

    async def step(self, campaign: CampaignId, number: int) -> StepId | None:
        """Return a step by its number as staff count; None: it has none of that number."""
        ...

    async def segments(self) -> Mapping[str, SegmentId]: ...

    async def hold(self, segment: SegmentId) -> None:
        """Keep a segment from being deleted until the unit ends.

        Raises:
            NoSuchSegment: It is gone already.
        """
        ...

    async def date_attributes(self) -> Mapping[str, bool]:
        """Return every attribute, and whether its values are dates."""
        ...

    async def add(
        self,
        *,
        trigger: Trigger,
        segment: SegmentId | None,
        action: Action,
        campaign: CampaignId | None,
    ) -> Automation:
        """Add one that is on from now on; a campaign's own takes the place of its former one."""
        ...

    async def end_of(self, campaign: CampaignId) -> None:
        """Remove the one behind a campaign's trigger, if there is one."""
        ...

    async def remove(self, automation: AutomationId) -> None: ...

    async def set_state(self, automation: AutomationId, state: State) -> None:
        """Turn it on (from now on) or off."""
        ...

    async def note(self, action: str, automation: Automation) -> None:
        """Write the audit entry."""
        ...
