"""Send: a broadcast's audience freezes, and planning begins."""

from dataclasses import dataclass

from engine.campaign import Campaign, Kind, State
from engine.campaign_ports import Campaigns, Reach, Templates
from engine.content import Content
from engine.ids import CampaignId
from engine.reasons import Reason
from engine.refusal import Refusal
from engine.size import Asked, Size, judged
from engine.usecases.compose import check_approved
from engine.usecases.move_campaign import NoSuchCampaign, NotPossible


class NobodyToReach(Refusal):
    """The audience is empty, or none of it may be written to."""

    def __init__(self, campaign: Campaign, reach: Reach) -> None:
        super().__init__(
            f"{campaign.name!r} would reach nobody: {why_nobody(reach)}. Choose others with"
            f' /drip broadcast edit "{campaign.name}" to=<who>{_or_a_template(reach)}.'
        )


def why_nobody(reach: Reach) -> str:
    """Return why an audience without recipients has none, as the end of a sentence."""
    out = ", ".join(f"{count:,} {reason.sentence}" for reason, count in reach.left_out.items())
    return f"all of its audience is left out ({out})" if out else "its audience is empty"


def _or_a_template(reach: Reach) -> str:
    return ", or say it by a template=<name>" if Reason.WINDOW_CLOSED in reach.left_out else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """It runs."""

    campaign: Campaign
    content: Content
    reach: Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Unconfirmed:
    """Nothing was done; staff have to give the count first."""

    campaign: Campaign
    content: Content
    reach: Reach
    asked: Asked


async def send_broadcast(
    *,
    campaign: CampaignId,
    size: Size,
    channel: str | None,
    campaigns: Campaigns,
    templates: Templates,
) -> Started | Unconfirmed:
    """Start a broadcast; or, where *size* asks for the count first, change nothing and ask.

    Raises:
        NobodyToReach: There is no recipient.
        NotPossible: It has been sent, or is a drip.
        NoSuchTemplate, NotApproved, WrongCategory, DoesNotFit: It could not be sent.
        TooLarge: See :func:`engine.size.judged`.
    """
    draft = await campaigns.lock(campaign)
    if draft is None:
        raise NoSuchCampaign
    if draft.kind is Kind.DRIP:
        raise NotPossible(draft, f': a drip starts with /drip campaign activate "{draft.name}".')
    if draft.begun or not draft.may_become(State.RUNNING):
        raise NotPossible(draft, _already(draft))
    if draft.recurs:
        raise NotPossible(
            draft,
            f' and recurs: /drip broadcast clone "{draft.name}" makes one that can be sent now.',
        )
    steps = await campaigns.steps(campaign)
    contents = [step.content for step in steps]
    await check_approved(type=draft.type, contents=contents, known=templates)
    reach = await campaigns.reach(draft, contents[0])
    if reach.recipients == 0 or reach.last_contact is None:
        raise NobodyToReach(draft, reach)
    asked = judged(reach.recipients, size)
    if asked is not None:
        return Unconfirmed(campaign=draft, content=contents[0], reach=reach, asked=asked)
    if draft.schedule is not None:
        draft = await campaigns.unschedule(draft)
    running = await campaigns.move(
        draft, State.RUNNING, channel=channel, contacts_up_to=reach.last_contact
    )
    await campaigns.note("broadcast.send", running, recipients=reach.recipients)
    return Started(campaign=running, content=contents[0], reach=reach)


def _already(campaign: Campaign) -> str:
    if campaign.state is State.PAUSED:
        return f': /drip broadcast resume "{campaign.name}" goes on with it.'
    return " already: a broadcast is sent once. Make a new one with /drip broadcast new."
