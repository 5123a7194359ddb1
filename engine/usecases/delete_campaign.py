"""Delete: a draft that never sent goes without a trace but the audit entry."""

from engine.campaign import Campaign, Kind, State
from engine.campaign_ports import Campaigns
from engine.ids import CampaignId
from engine.refusal import Refusal
from engine.usecases.move_campaign import NoSuchCampaign, NotPossible


class InUse(Refusal):
    """Others name it as their audience."""

    def __init__(self, campaign: Campaign, users: list[str]) -> None:
        listed = ", ".join(map(repr, users[:5])) + (" and others" if users[5:] else "")
        super().__init__(
            f"{campaign.name!r} is in the audience of {listed}: change that with"
            f' /drip broadcast edit "{users[0]}" to=<who> first.'
        )


async def delete_campaign(*, campaign: CampaignId, campaigns: Campaigns) -> Campaign:
    """Delete a draft; return it as it was.

    Raises:
        NoSuchCampaign: It was deleted meanwhile.
        NotPossible: It is no draft; what has sent keeps its numbers and is archived.
        InUse: It is the audience of another.
    """
    found = await campaigns.lock(campaign)
    if found is None:
        raise NoSuchCampaign
    if found.state is not State.DRAFT:
        raise NotPossible(found, _instead(found))
    await campaigns.seal(campaign)
    users = await campaigns.audiences_with(campaign)
    if users:
        raise InUse(found, users)
    await campaigns.note(f"{found.word}.delete", found)
    await campaigns.delete(found)
    return found


def _instead(campaign: Campaign) -> str:
    name = campaign.name
    if campaign.state is State.ARCHIVED:
        return " already: only drafts that never sent are deleted, and its numbers stay in reports."
    if campaign.started_at is None:
        return f': take it off the schedule with /drip broadcast unschedule "{name}" first.'
    first = ""
    if campaign.kind is Kind.BROADCAST and campaign.state in {State.RUNNING, State.PAUSED}:
        first = f'/drip broadcast cancel "{name}" ends it, then '
    return (
        ", and what has sent is not deleted, so that its numbers stay in reports:"
        f' {first}/drip {campaign.word} archive "{name}" puts it away and frees its name.'
    )
