"""Clone: a draft like another campaign, with its settings, its steps and its audience."""

from engine import names
from engine.campaign import Campaign
from engine.campaign_ports import Campaigns
from engine.ids import CampaignId
from engine.refusal import Refusal
from engine.usecases.create_campaign import NameTaken
from engine.usecases.keep_list import NoSuchList
from engine.usecases.keep_segment import NoSuchSegment
from engine.usecases.move_campaign import NoSuchCampaign


class AudienceGone(Refusal):
    """A draft like it would reach others than it did."""

    def __init__(self, campaign: Campaign) -> None:
        super().__init__(
            f"{campaign.name!r} went to a list or segment that has been deleted since, so a draft"
            " like it would reach others: make a new one with /drip broadcast new."
        )


async def clone_campaign(
    *, campaign: CampaignId, name: str | None, campaigns: Campaigns
) -> tuple[Campaign, Campaign]:
    """Make a draft like *campaign*, in whatever state that is; return both, the old one first.

    Neither its contacts nor its schedule come along: the draft enrolls and sends to nobody yet.

    Args:
        name: None: that of the other one, with "copy" behind it.

    Raises:
        NoSuchCampaign: It was deleted meanwhile.
        NameTaken: Another campaign has the name.
        AudienceGone: It went to a list or segment that is no more.
    """
    like = await campaigns.lock(campaign)
    if like is None:
        raise NoSuchCampaign
    if name is None:
        name = await _free_name(like.name, campaigns)
    elif await campaigns.is_taken(name):
        raise NameTaken(name)
    if like.audience is not None:
        try:
            await campaigns.hold(like.audience)
        except (NoSuchList, NoSuchSegment) as gone:
            raise AudienceGone(like) from gone
    made = await campaigns.add_like(like, name=name)
    await campaigns.note(f"{made.word}.clone", made, like=like.id)
    return like, made


async def _free_name(name: str, campaigns: Campaigns) -> str:
    number = 1
    while True:
        ending = " copy" if number == 1 else f" copy {number}"
        wanted = names.cleaned(name[: names.LONGEST_NAME - len(ending)] + ending)
        if not await campaigns.is_taken(wanted):
            return wanted
        number += 1
