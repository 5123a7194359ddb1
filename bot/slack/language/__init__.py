"""Every command there is, one module per feature; to add one, declare it in its module."""

from bot.slack.grammar import Language
from bot.slack.language import (
    attributes,
    automations,
    broadcasts,
    campaign_life,
    campaigns,
    contacts,
    countries,
    failed,
    general,
    lists,
    looking,
    media,
    numbers,
    reports,
    schedules,
    segments,
    steering,
    steps,
    templates,
)

COMMANDS = (
    *general.COMMANDS,
    *campaigns.COMMANDS,
    *steps.COMMANDS,
    *steering.COMMANDS,
    *broadcasts.COMMANDS,
    *schedules.COMMANDS,
    *campaign_life.COMMANDS,
    *contacts.COMMANDS,
    *attributes.COMMANDS,
    *automations.COMMANDS,
    *lists.COMMANDS,
    *segments.COMMANDS,
    *templates.COMMANDS,
    *media.COMMANDS,
    *reports.COMMANDS,
    *failed.COMMANDS,
    *numbers.COMMANDS,
    *countries.COMMANDS,
    *looking.COMMANDS,
)

LANGUAGE = Language(COMMANDS)
