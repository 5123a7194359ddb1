"""Change steps: what a drip says, and when, also while contacts walk through it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.attributes import AttributeType
from engine.campaign import Campaign, Kind, State, Step
from engine.campaign_ports import Affected, Attributes, Campaigns, Templates
from engine.hours import Hours
from engine.ids import CampaignId, StepId
from engine.refusal import Refusal
from engine.usecases.compose import check_approved
from engine.usecases.move_campaign import NoSuchCampaign
from engine.usecases.write_step import StepWish, check_order, write_step

MOST_STEPS = 200


class OneMessageOnly(Refusal):
    """A broadcast has the one message it was made with."""

    def __init__(self, campaign: Campaign) -> None:
        fixed = (
            "its content is fixed once it has started"
            if campaign.state not in {State.DRAFT, State.SCHEDULED}
            else "which has one message"
        )
        super().__init__(
            f"{campaign.name!r} is a broadcast, {fixed}; steps belong to campaigns made with"
            " /drip campaign new."
        )


class NoSuchStep(Refusal):
    """The campaign has fewer steps."""

    def __init__(self, campaign: Campaign, steps: int) -> None:
        there = f"has steps 1 to {steps}" if steps > 1 else f"has {steps or 'no'} step"
        super().__init__(
            f'{campaign.name!r} {there}; /drip campaign show "{campaign.name}" lists them.'
        )


class AnotherStep(Refusal):
    """The number stands for another step than the one staff were asked about."""

    def __init__(self, campaign: Campaign, number: int) -> None:
        super().__init__(
            f"Step {number} of {campaign.name!r} is not the one you were asked about: that one was"
            " removed or moved meanwhile, perhaps by this very command. Nothing has been done now;"
            " the same command without confirm= asks about the step as it is."
        )


class TooManySteps(Refusal):
    """There is no place for another one."""

    def __init__(self, campaign: Campaign) -> None:
        super().__init__(
            f"{campaign.name!r} has no place for a step there: it has {MOST_STEPS} of them, or too"
            " many were put between the same two; make a new campaign."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A step as it is now.

    Attributes:
        affected: How the change meets those under way.
        steps: All there are now; without *step* where it was removed.
        lacking: Contacts it would be left out for, by the token they have no value for.
    """

    campaign: Campaign
    step: Step
    affected: Affected
    steps: Sequence[Step]
    lacking: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unconfirmed:
    """Nothing was done: contacts are under way, and staff have to say that they mean it.

    Attributes:
        step: As it would be; the one to be removed.
        number: Where it would stand.
        lacking: Of those under way, whom it would be left out for, by the token they have no
            value for.
    """

    campaign: Campaign
    step: Step
    number: int
    affected: Affected
    lacking: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What writing a step needs to know.

    Attributes:
        window: The hours in which the campaign sends.
        types: The attributes that contacts have.
    """

    templates: Templates
    attributes: Attributes
    types: Mapping[str, AttributeType]
    window: Hours


async def add_step(
    *,
    campaign: CampaignId,
    wish: StepWish,
    campaigns: Campaigns,
    writing: Writing,
    number: int | None = None,
    confirmed: bool = True,
) -> Changed | Unconfirmed:
    """Add a step behind the others, or as the one of *number*.

    Raises:
        StepDoesNotFit, NoSuchTemplate, ManyLanguages, DoesNotFit: It cannot be sent as written.
        NotApproved: The campaign is active already, so it would be refused at once.
        NoSuchStep, TooManySteps, OneMessageOnly, NoSuchCampaign: There is no place for it.
    """
    drip = await _locked(campaign, campaigns)
    steps = await campaigns.steps(campaign)
    if len(steps) >= MOST_STEPS:
        raise TooManySteps(drip)
    if number is not None and not 1 <= number <= len(steps) + 1:
        raise NoSuchStep(drip, len(steps))
    at = len(steps) if number is None else number - 1
    draft = await write_step(
        wish=wish,
        old=None,
        before=steps[:at],
        window=writing.window,
        templates=writing.templates,
        attributes=writing.attributes,
        types=writing.types,
    )
    said = [draft.content, *filter(None, [draft.fallback])]
    if drip.state is not State.DRAFT:
        await check_approved(type=drip.type, contents=said, known=writing.templates)
    place = None if at == len(steps) else _between(drip, steps, at)
    affected = Affected()
    if place is not None:
        affected = await campaigns.affected(drip, place=place, step=None)
        if affected.anybody and not confirmed:
            return Unconfirmed(
                campaign=drip,
                step=replace(steps[at], content=draft.content, fallback=draft.fallback),
                number=at + 1,
                affected=affected,
                lacking=await campaigns.lacking(drip, said, place=place),
            )
    await campaigns.put_step(drip, draft, place=place)
    if affected.anybody:
        await campaigns.rewalk(drip)
    after = await campaigns.steps(campaign)
    await campaigns.note("step.add", drip, step=after[at].id)
    return Changed(
        campaign=drip,
        step=after[at],
        affected=affected,
        steps=after,
        lacking=await campaigns.lacking(drip, said),
    )


async def edit_step(
    *,
    campaign: CampaignId,
    number: int,
    wish: StepWish,
    campaigns: Campaigns,
    writing: Writing,
    confirmed: bool,
) -> Changed | Unconfirmed:
    """Change a step; how it was is kept. Who is before it, or has it queued, gets the new one.

    Raises:
        StepDoesNotFit, NoSuchTemplate, ManyLanguages, DoesNotFit: It cannot be sent as written.
        NotApproved: The campaign is active already, so it would be refused at once.
        NoSuchStep, OneMessageOnly, NoSuchCampaign: There is no such step.
    """
    drip = await _locked(campaign, campaigns)
    steps = await campaigns.steps(campaign)
    step = _numbered(drip, steps, number)
    draft = await write_step(
        wish=wish,
        old=step,
        before=steps[: number - 1],
        window=writing.window,
        templates=writing.templates,
        attributes=writing.attributes,
        types=writing.types,
    )
    said = [draft.content, *filter(None, [draft.fallback])]
    if drip.state is not State.DRAFT:
        await check_approved(type=drip.type, contents=said, known=writing.templates)
    affected = await campaigns.affected(drip, place=step.position, step=step)
    if (affected.before or affected.queued) and not confirmed:
        return Unconfirmed(
            campaign=drip,
            step=replace(step, content=draft.content, fallback=draft.fallback),
            number=number,
            affected=affected,
            lacking=await campaigns.lacking(drip, said, place=step.position),
        )
    await campaigns.edit_step(drip, step, draft)
    if wish.times and affected.waiting:
        await campaigns.rewalk(drip)
    if wish.hourly and drip.begun:
        await campaigns.look_again(drip)
    after = await campaigns.steps(campaign)
    await campaigns.note("step.edit", drip, step=step.id, version=after[number - 1].version)
    return Changed(
        campaign=drip,
        step=after[number - 1],
        affected=affected,
        steps=after,
        lacking=await campaigns.lacking(drip, said),
    )


async def move_step(
    *,
    campaign: CampaignId,
    number: int,
    to: int,
    campaigns: Campaigns,
    confirmed: StepId | None,
) -> Changed | Unconfirmed:
    """Put a step in another place. Nobody is sent back to it, and nobody gets it twice.

    Args:
        confirmed: The step staff were asked about and meant; None: they were asked about none.

    Raises:
        AnotherStep: That is not the one of *number* any more.
        StepDoesNotFit: A step would ask about one that no longer comes before it.
        NoSuchStep, TooManySteps, OneMessageOnly, NoSuchCampaign: There is no such step or place.
    """
    drip = await _locked(campaign, campaigns)
    steps = await campaigns.steps(campaign)
    step = _meant(drip, steps, number, confirmed)
    _numbered(drip, steps, to)
    if to == number:
        return Changed(campaign=drip, step=step, affected=Affected(), steps=steps)
    others = [each for each in steps if each.id != step.id]
    check_order([*others[: to - 1], step, *others[to - 1 :]])
    place = None if to == len(steps) else _between(drip, others, to - 1)
    beyond = steps[-1].position + 1 if place is None else place
    affected = await campaigns.affected(drip, place=beyond, step=step)
    if affected.anybody and confirmed is None:
        return Unconfirmed(campaign=drip, step=step, number=to, affected=affected)
    await campaigns.move_step(drip, step, place=place)
    if affected.anybody:
        await campaigns.rewalk(drip)
    await campaigns.note("step.move", drip, step=step.id)
    after = await campaigns.steps(campaign)
    return Changed(campaign=drip, step=after[to - 1], affected=affected, steps=after)


async def remove_step(
    *, campaign: CampaignId, number: int, campaigns: Campaigns, confirmed: StepId | None
) -> Changed | Unconfirmed:
    """Take a step out; who waits for it goes on to the next, due as if it had never been.

    Args:
        confirmed: The step staff were asked about and meant; None: they were asked about none.

    Raises:
        AnotherStep: That is not the one of *number* any more.
        StepDoesNotFit: Another step asks about it.
        NoSuchStep, OneMessageOnly, NoSuchCampaign: There is no such step to remove.
    """
    drip = await _locked(campaign, campaigns)
    steps = await campaigns.steps(campaign)
    step = _meant(drip, steps, number, confirmed)
    others = [each for each in steps if each.id != step.id]
    check_order(others)
    affected = await campaigns.affected(drip, place=step.position, step=step)
    if affected.anybody and confirmed is None:
        return Unconfirmed(campaign=drip, step=step, number=number, affected=affected)
    await campaigns.remove_step(drip, step)
    if affected.anybody:
        await campaigns.rewalk(drip)
    await campaigns.note("step.remove", drip, step=step.id)
    return Changed(campaign=drip, step=step, affected=affected, steps=others)


def _numbered(drip: Campaign, steps: Sequence[Step], number: int) -> Step:
    for step in steps:
        if step.number == number:
            return step
    raise NoSuchStep(drip, len(steps))


def _meant(drip: Campaign, steps: Sequence[Step], number: int, confirmed: StepId | None) -> Step:
    """Return the step of a number, which a command run twice would find to be another one."""
    now = next((each.id for each in steps if each.number == number), None)
    if confirmed not in (None, now):
        raise AnotherStep(drip, number)
    return _numbered(drip, steps, number)


def _between(drip: Campaign, steps: Sequence[Step], at: int) -> float:
    """Return a position before the step at index *at* and behind the one before it."""
    low = steps[at - 1].position if at else 0.0
    high = steps[at].position
    place = (low + high) / 2
    if not low < place < high:
        raise TooManySteps(drip)
    return place


async def _locked(campaign: CampaignId, campaigns: Campaigns) -> Campaign:
    found = await campaigns.lock(campaign)
    if found is None:
        raise NoSuchCampaign
    if found.kind is Kind.BROADCAST:
        raise OneMessageOnly(found)
    return found
