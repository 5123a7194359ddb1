"""Move: activate, pause, resume, archive and cancel what staff have made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Final

from engine.automation_ports import Automations
from engine.campaign import SENDING, Campaign, Kind, State
from engine.campaign_ports import Campaigns, Templates
from engine.ids import CampaignId
from engine.refusal import Refusal
from engine.usecases.automate import begin_trigger
from engine.usecases.compose import check_approved
from engine.usecases.upcoming_start import upcoming_after


class NoSuchCampaign(Refusal):
    """It was deleted meanwhile."""

    def __init__(self) -> None:
        super().__init__("That campaign is no longer there; /drip campaign list shows what is.")


class NotPossible(Refusal):
    """The state the campaign is in does not allow it.

    Attributes:
        campaign: As it stands.
    """

    def __init__(self, campaign: Campaign, fix: str) -> None:
        super().__init__(f"{campaign.name!r} is {_STATES[campaign.state]}{fix}")
        self.campaign = campaign


class NoSteps(Refusal):
    """There would be nothing to send."""

    def __init__(self, campaign: Campaign) -> None:
        super().__init__(
            f"{campaign.name!r} has no step yet: add one with"
            f' /drip step add "{campaign.name}" after=0m template=<name>.'
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What became of it.

    Attributes:
        changed: False: it was so already, and nothing was done.
        opened: Why its tap had been closed, which is open now; None: it was not.
        lacking: Of an activated drip: contacts it may leave out, by the token they have no value
            for.
    """

    campaign: Campaign
    changed: bool
    opened: str | None = None
    lacking: Mapping[str, int] = field(default_factory=dict)


async def activate(
    *,
    campaign: CampaignId,
    channel: str | None,
    campaigns: Campaigns,
    templates: Templates,
    automations: Automations,
) -> Moved:
    """Start a drip: it may enroll and send from now on, and so does its trigger.

    Raises:
        NoSuchName, Loops: Its trigger names what is not there, or would enroll for ever.
        NoSteps: It has none.
        NotPossible: It is no draft, or is a broadcast.
        NoSuchTemplate, NotApproved, WrongCategory, DoesNotFit: A step could not be sent.
    """
    before = await _locked(campaign, campaigns)
    if before.kind is Kind.BROADCAST:
        raise NotPossible(before, f': broadcasts start with /drip broadcast send "{before.name}".')
    if before.state is State.ACTIVE:
        return Moved(campaign=before, changed=False)
    if before.state is State.PAUSED:
        raise NotPossible(before, f': /drip campaign resume "{before.name}" goes on with it.')
    if not before.may_become(State.ACTIVE):
        raise NotPossible(before, _OVER)
    steps = await campaigns.steps(campaign)
    if not steps:
        raise NoSteps(before)
    contents = [said for step in steps for said in step.says]
    await check_approved(type=before.type, contents=contents, known=templates)
    await begin_trigger(campaign=before, automations=automations)
    after = await campaigns.move(before, State.ACTIVE, channel=channel)
    await campaigns.note("campaign.activate", after)
    lacking = await campaigns.lacking(after, contents)
    return Moved(campaign=after, changed=True, lacking=lacking)


async def pause(*, campaign: CampaignId, campaigns: Campaigns) -> Moved:
    """Stop sending; what waits keeps its place.

    Raises:
        NotPossible: It has not started, or is over.
    """
    before = await _locked(campaign, campaigns)
    if before.state is State.PAUSED:
        return Moved(campaign=before, changed=False)
    if not before.may_become(State.PAUSED):
        raise NotPossible(before, _unstarted(before))
    after = await campaigns.move(before, State.PAUSED)
    await campaigns.revoke(campaign)
    await campaigns.tell(after, "campaign_paused")
    await campaigns.note(f"{_word(after)}.pause", after)
    return Moved(campaign=after, changed=True)


async def resume(
    *, campaign: CampaignId, at: datetime, standard: tzinfo, campaigns: Campaigns
) -> Moved:
    """Go on where it was paused, or open the tap that keeps it from sending.

    What was paused before it began goes back on its schedule; a series goes on with the first
    occurrence that is still to come.

    Args:
        standard: The organization's time zone.

    Raises:
        NotPossible: It has not started, or is over, or its time has passed.
    """
    before = await _locked(campaign, campaigns)
    if before.state is State.SCHEDULED:
        return Moved(campaign=before, changed=False)
    if before.state is State.PAUSED and before.kind is Kind.BROADCAST and not before.begun:
        return await _back_on_schedule(before, at, standard, campaigns)
    sending = SENDING[before.kind]
    closed = before.stopped(at)
    if before.state is sending and not closed:
        return Moved(campaign=before, changed=False)
    if before.state is not sending and before.state is not State.PAUSED:
        raise NotPossible(before, _unstarted(before))
    after = await campaigns.move(before, sending)
    await campaigns.tell(after, "campaign_resumed")
    await campaigns.note(f"{_word(after)}.resume", after)
    return Moved(campaign=after, changed=True, opened=before.closed_why if closed else None)


async def _back_on_schedule(
    before: Campaign, at: datetime, standard: tzinfo, campaigns: Campaigns
) -> Moved:
    schedule, starts_at = await upcoming_after(before, at, standard, campaigns)
    if schedule is None or starts_at is None:
        raise NotPossible(
            before,
            ", and its time has passed: schedule it anew with"
            f' /drip broadcast schedule "{before.name}" at="<day> <time>".',
        )
    after = await campaigns.schedule(before, schedule, starts_at=starts_at)
    await campaigns.note("broadcast.resume", after)
    return Moved(campaign=after, changed=True)


async def archive(*, campaign: CampaignId, campaigns: Campaigns, automations: Automations) -> Moved:
    """Put it away for good; what has not been sent never is, and its name becomes free.

    Whoever calls ends its enrollments in further units.

    Raises:
        NotPossible: A broadcast that is running or paused is cancelled first.
    """
    before = await _locked(campaign, campaigns)
    if before.state is State.ARCHIVED:
        return Moved(campaign=before, changed=False)
    if not before.may_become(State.ARCHIVED):
        raise NotPossible(before, f': first end it with /drip broadcast cancel "{before.name}".')
    await automations.end_of(campaign)
    after = await campaigns.move(before, State.ARCHIVED)
    await campaigns.revoke(campaign)
    await campaigns.tell(after, "campaign_archived")
    await campaigns.note(f"{_word(after)}.archive", after)
    return Moved(campaign=after, changed=True)


async def cancel(*, campaign: CampaignId, campaigns: Campaigns) -> Moved:
    """End a broadcast; what has not been sent never is.

    Raises:
        NotPossible: It is a drip, has not started, or is over.
    """
    before = await _locked(campaign, campaigns)
    if before.state is State.CANCELLED:
        return Moved(campaign=before, changed=False)
    if before.kind is Kind.DRIP:
        raise NotPossible(before, f': a drip is ended with /drip campaign archive "{before.name}".')
    if not before.may_become(State.CANCELLED):
        raise NotPossible(before, _unstarted(before))
    after = await campaigns.move(before, State.CANCELLED)
    await campaigns.revoke(campaign)
    await campaigns.tell(after, "campaign_cancelled")
    await campaigns.note("broadcast.cancel", after)
    return Moved(campaign=after, changed=True)


async def _locked(campaign: CampaignId, campaigns: Campaigns) -> Campaign:
    found = await campaigns.lock(campaign)
    if found is None:
        raise NoSuchCampaign
    return found


def _word(campaign: Campaign) -> str:
    return "campaign" if campaign.kind is Kind.DRIP else "broadcast"


def _unstarted(campaign: Campaign) -> str:
    if campaign.state is State.SCHEDULED:
        return f': /drip broadcast send "{campaign.name}" starts it now.'
    if campaign.state is not State.DRAFT:
        return _OVER
    if campaign.kind is Kind.DRIP:
        return f': /drip campaign activate "{campaign.name}" starts it.'
    return f': /drip broadcast send "{campaign.name}" starts it.'


_OVER: Final = ", and that is final."
_STATES: Final = {
    State.DRAFT: "a draft",
    State.SCHEDULED: "scheduled",
    State.ACTIVE: "active",
    State.RUNNING: "running",
    State.PAUSED: "paused",
    State.COMPLETED: "completed",
    State.CANCELLED: "cancelled",
    State.ARCHIVED: "archived",
}
