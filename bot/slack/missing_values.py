"""Who would be left out of a campaign because a value is missing, told before it sends."""

from bot.slack.campaign_text import lacking_lines
from bot.slack.markup import Markup
from engine.campaign import Campaign
from engine.rendering import needed
from storage import campaigns
from storage.database import Unit


async def missing_lines(unit: Unit, campaign: Campaign) -> list[Markup]:
    """Return how many it is for have no value for what it says, by token; nothing: all have one."""
    steps = await campaigns.steps(unit, campaign=campaign.id)
    tokens = needed(said for step in steps for said in step.says)
    return lacking_lines(await campaigns.lacking(unit, campaign=campaign, tokens=tokens))
