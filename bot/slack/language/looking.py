"""Looking before and after: what a contact would read, what a campaign would do, and why."""

from bot.slack import kinds
from bot.slack.declare import Command, argument, declare
from engine.roles import Role

_CAMPAIGN = "The campaign or broadcast; a unique beginning of its name is enough."
_CONTACT = "A contact, by phone or name; a unique beginning is enough."


@declare(
    "campaign preview",
    role=Role.SUPERVISOR,
    about="Show exactly what one contact would read of every step, and when, if it began now.",
    examples=("Welcome +31612345678", '"Spring Sale" Ada'),
)
class CampaignPreview(Command):
    campaign: str = argument(kinds.NAME, about=_CAMPAIGN)
    contact: str = argument(kinds.PHONE, about=_CONTACT, rest=True)


@declare(
    "why",
    role=Role.SUPERVISOR,
    about="Tell one contact's story in a campaign: what came, what did not and why, what next.",
    examples=("+31612345678 Welcome", 'Ada "Spring Sale"'),
)
class Why(Command):
    contact: str = argument(kinds.PHONE, about=_CONTACT)
    campaign: str = argument(kinds.NAME, about=_CAMPAIGN, rest=True)


COMMANDS = (CampaignPreview, Why)
