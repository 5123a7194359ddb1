"""Change steps: what a drip says, and when, also while contacts walk through it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from engine.campaign import Campaign, Kind, State, Step
from engine.campaign_ports import Attributes, Campaigns, Templates
from engine.ids import CampaignId
from engine.refusal import Refusal
from engine.usecases.compose import Wanted, check_approved, compose
from engine.usecases.move_campaign import NoSuchCampaign


class OneMessageOnly(Refusal):
    """A broadcast has the one message it was made with."""

    def __init__(self, campaign: Campaign) -> None:
        super().__init__(
            f"{campaign.name!r} is a broadcast, which has one message; steps belong to campaigns"
            " made with /drip campaign new."
        )


class NoSuchStep(Refusal):
    """The campaign has fewer steps."""

    def __init__(self, campaign: Campaign, steps: int) -> None:
        there = f"has steps 1 to {steps}" if steps > 1 else f"has {steps or 'no'} step"
        super().__init__(
            f'{campaign.name!r} {there}; /drip campaign show "{campaign.name}" lists them.'
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A step that is gone.

    Attributes:
        moved_on: Enrollments that waited for it and go on.
        left: Steps that remain.
    """

    campaign: Campaign
    step: Step
    moved_on: int
    left: int


async def add_step(
    *,
    campaign: CampaignId,
    after: timedelta,
    wanted: Wanted,
    campaigns: Campaigns,
    templates: Templates,
    attributes: Attributes,
) -> tuple[Campaign, Sequence[Step]]:
    """Add a step behind the others; return the campaign and all its steps.

    Raises:
        NoSuchTemplate, ManyLanguages, DoesNotFit: It cannot be sent as written.
        NotApproved: The campaign is active already, so it would be refused at once.
        OneMessageOnly, NoSuchCampaign: Such a campaign takes no steps.
    """
    drip = await _locked(campaign, campaigns)
    content = await compose(wanted=wanted, known=templates, attributes=attributes)
    if drip.state is not State.DRAFT:
        await check_approved(contents=[content], known=templates)
    step = await campaigns.add_step(drip, after=after, content=content)
    await campaigns.note("step.add", drip, step=step.id)
    return drip, await campaigns.steps(campaign)


async def remove_step(*, campaign: CampaignId, number: int, campaigns: Campaigns) -> Removed:
    """Take a step out; who waits for it goes on to the next, due as if it had never been.

    Raises:
        NoSuchStep, OneMessageOnly, NoSuchCampaign: There is no such step to remove.
    """
    drip = await _locked(campaign, campaigns)
    steps = await campaigns.steps(campaign)
    step = next((each for each in steps if each.number == number), None)
    if step is None:
        raise NoSuchStep(drip, len(steps))
    moved_on = await campaigns.remove_step(drip, step)
    await campaigns.note("step.remove", drip, step=step.id)
    return Removed(campaign=drip, step=step, moved_on=moved_on, left=len(steps) - 1)


async def _locked(campaign: CampaignId, campaigns: Campaigns) -> Campaign:
    found = await campaigns.lock(campaign)
    if found is None:
        raise NoSuchCampaign
    if found.kind is Kind.BROADCAST:
        raise OneMessageOnly(found)
    return found
