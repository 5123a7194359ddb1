"""How long sending to many takes, at the rate the numbers have."""

from datetime import timedelta

from engine.campaign import Campaign
from engine.config import Organization
from engine.sending_rules import rules_of
from engine.size import lasts
from storage import numbers
from storage.database import Unit


async def length(
    unit: Unit, *, recipients: int, campaign: Campaign, organization: Organization
) -> timedelta:
    """Return about how long a campaign takes: on its own number, else on the first."""
    configured = organization.whatsapp.numbers
    number = next((each for each in configured if each.id == campaign.number_id), configured[0])
    known = (await numbers.states(unit)).get(number.id)
    reported = known.messages_per_second if known else None
    # What is configured is a ceiling on what the platform reports.
    rate = min(filter(None, (number.messages_per_second, reported)))
    rules = rules_of(unit.organization, organization)
    limits = [limit for _, limit in rules.people_limits(known.messaging_limit if known else None)]
    return lasts(
        recipients,
        per_second=rate,
        settings=campaign.settings,
        gap=(number.pace.shortest + number.pace.longest) / 2,
        per_hour=rules.messages_per_hour,
        people=min(limits, default=0),
    )
