"""What failed of a campaign: looking at it, and trying it again."""

from bot.slack import kinds
from bot.slack.declare import Command, argument, declare, flag, option
from engine.roles import Role

_CAMPAIGN = "The campaign or broadcast; a unique beginning of its name is enough."


@declare(
    "failed",
    role=Role.SUPERVISOR,
    about="List what failed for good in a campaign or broadcast, by reason and by contact.",
    examples=("Welcome", "Welcome csv"),
)
class Failed(Command):
    campaign: str = argument(kinds.NAME, about=_CAMPAIGN, rest=True)
    csv: bool = flag(about="Send an owner all of it as a file.", default=False)


@declare(
    "retry",
    role=Role.OWNER,
    about="Try again what failed for good, with three new retries; never for somebody who has it"
    " or opted out.",
    examples=("Welcome", "Welcome all", "Welcome +31612345678, +31612345679", "Welcome tag:vip"),
)
class Retry(Command):
    campaign: str = argument(kinds.NAME, about=_CAMPAIGN)
    who: str | None = argument(
        kinds.WHO,
        about="For whom: all, phones, or any other <who>; without it, only say what it would be.",
        default=None,
    )
    count: int | None = option(
        kinds.COUNT,
        about="How many contacts they are; asked for above large_campaign.",
        default=None,
        otherwise="not confirmed",
    )


COMMANDS = (Failed, Retry)
