"""Looking before and after: what a contact would read, what a campaign would do, and why."""

from bot.slack import kinds
from bot.slack.declare import Command, argument, declare, flag, option
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


@declare(
    "campaign simulate",
    role=Role.SUPERVISOR,
    about="Play a campaign through in pretended time: who gets what and when, and who does not."
    " Nothing is sent, nothing changes.",
    examples=("Welcome", "Welcome who=tag:lead replies=10", '"Spring Sale" reads=60 csv'),
)
class CampaignSimulate(Command):
    campaign: str = argument(kinds.NAME, about=_CAMPAIGN)
    csv: bool = flag(about="Send an owner the whole list as a file.", default=False)
    who: str | None = option(
        kinds.WHO,
        about="Whom, as if they were enrolled now.",
        default=None,
        otherwise="who is in it, else those with the tag of its trigger, else its audience",
    )
    reads: int = option(
        kinds.whole(0, 100), about="How many of a hundred read each message.", default=100
    )
    replies: int = option(
        kinds.whole(0, 100), about="How many of a hundred reply to each message.", default=0
    )


COMMANDS = (CampaignPreview, CampaignSimulate, Why)
