"""How campaigns and broadcasts are changed, copied and deleted."""

from bot.slack import kinds
from bot.slack.declare import Command, argument, declare, option
from bot.slack.language.shared import CONTENTS, EXCLUDE_ABOUT, Content, SendingChanges
from engine.campaign import Mode, Reentry
from engine.overlap import Exclude
from engine.roles import Role

_CAMPAIGN = "The campaign or broadcast; a unique beginning of its name is enough."
_DRIP = "The campaign; a unique beginning of its name is enough."
_BROADCAST = "The broadcast; a unique beginning of its name is enough."
_AS_IT_IS = "as it is"
_COPY = 'its name with "copy" behind it'


@declare(
    "campaign edit",
    role=Role.OWNER,
    about="Change a campaign, also while it runs; what sends already does so at once.",
    examples=(
        "Welcome rate=300/min hours=09:00-18:00",
        'Welcome name="Welcome 2027"',
        "Welcome per_day=default priority=9",
    ),
)
class CampaignEdit(SendingChanges):
    campaign: str = argument(kinds.NAME, about=_DRIP, rest=True)
    trigger: str | None = option(
        kinds.TRIGGER,
        about="What enrolls contacts by itself.",
        default=None,
        otherwise=_AS_IT_IS,
    )
    stop_on_reply: bool | None = option(
        kinds.YES_NO,
        about="Whether a contact who replies leaves the campaign.",
        default=None,
        otherwise=_AS_IT_IS,
    )
    reentry: Reentry | None = option(
        kinds.choice(Reentry),
        about="Whether a contact may enroll again: after the earlier one ended, or always.",
        default=None,
        otherwise=_AS_IT_IS,
    )
    mode: Mode | None = option(
        kinds.choice(Mode),
        about="Contacts in another drip: passive enrolls them, skip leaves them out,"
        " interrupt ends the other.",
        default=None,
        otherwise=_AS_IT_IS,
    )


@declare(
    "campaign clone",
    role=Role.OWNER,
    about="Make a draft like a campaign, with its settings and steps but without its contacts.",
    examples=("Welcome", 'Welcome as="Welcome 2027"'),
)
class CampaignClone(Command):
    campaign: str = argument(kinds.NAME, about=_CAMPAIGN, rest=True)
    new_name: str | None = option(
        kinds.NAME, name="as", about="The name of the copy.", default=None, otherwise=_COPY
    )


@declare(
    "campaign delete",
    role=Role.OWNER,
    about="Delete a draft that never sent; what has sent is archived instead.",
    examples=("Welcome",),
)
class CampaignDelete(Command):
    campaign: str = argument(kinds.NAME, about=_CAMPAIGN, rest=True)


@declare(
    "broadcast edit",
    role=Role.OWNER,
    about="Change a broadcast; once it has begun, only how fast, when and how urgent it sends.",
    examples=(
        "Sale to=tag:vip",
        'Sale text="Hi {first_name|there}, the sale begins!"',
        "Sale rate=300/min priority=9",
    ),
)
class BroadcastEdit(SendingChanges, Content):
    broadcast: str = argument(kinds.NAME, about=_BROADCAST, rest=True)
    to: str | None = option(kinds.WHO, about="To whom.", default=None, otherwise=_AS_IT_IS)
    exclude: Exclude | None = option(
        kinds.choice(Exclude), about=EXCLUDE_ABOUT, default=None, otherwise=_AS_IT_IS
    )
    count: int | None = option(
        kinds.COUNT,
        about="How many recipients it has; asked for above large_campaign.",
        default=None,
        otherwise="not confirmed",
    )

    def objection(self) -> str | None:
        if sum(getattr(self, name) is not None for name in CONTENTS) > 1:
            return "A broadcast says one thing: give one of text=, template= and media=."
        return None


@declare(
    "broadcast clone",
    role=Role.OWNER,
    about="Make a draft like a broadcast, with its message and its audience.",
    examples=("Sale", 'Sale as="May Sale"'),
)
class BroadcastClone(Command):
    broadcast: str = argument(kinds.NAME, about=_BROADCAST, rest=True)
    new_name: str | None = option(
        kinds.NAME, name="as", about="The name of the copy.", default=None, otherwise=_COPY
    )


@declare(
    "broadcast delete",
    role=Role.OWNER,
    about="Delete a draft that never sent; what has sent is archived instead.",
    examples=("Sale",),
)
class BroadcastDelete(Command):
    broadcast: str = argument(kinds.NAME, about=_BROADCAST, rest=True)


COMMANDS = (
    CampaignEdit,
    CampaignClone,
    CampaignDelete,
    BroadcastEdit,
    BroadcastClone,
    BroadcastDelete,
)
