"""Create: a campaign or broadcast begins as a draft that nobody gets."""

from datetime import timedelta

from engine.campaign import Campaign
from engine.campaign_ports import Campaigns, Draft
from engine.content import Content
from engine.refusal import Refusal


class NameTaken(Refusal):
    """Another campaign or broadcast that is not archived has the name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is a campaign or broadcast {name!r} already: choose another name, or archive"
            f' that one with /drip campaign archive "{name}".'
        )


async def create_campaign(
    *, draft: Draft, content: Content | None, campaigns: Campaigns
) -> Campaign:
    """Create *draft*; *content* is a broadcast's only message, None for a drip.

    Raises:
        NameTaken: Its name is in use.
        NoSuchList, NoSuchSegment: One that its audience names was deleted meanwhile.
    """
    if await campaigns.is_taken(draft.name):
        raise NameTaken(draft.name)
    if draft.audience is not None:
        await campaigns.hold(draft.audience)
    campaign = await campaigns.add(draft)
    if content is not None:
        await campaigns.add_step(campaign, after=timedelta(0), content=content)
    await campaigns.note(
        "campaign.new" if content is None else "broadcast.new", campaign, type=draft.type
    )
    # Its step has moved the version, which buttons about it carry.
    return await campaigns.lock(campaign.id) or campaign
