"""Campaigns, their steps and who is in them."""

from bot.slack import kinds
from bot.slack.declare import Command, argument, declare, flag, option
from bot.slack.language.shared import EXCLUDE_ABOUT, Sending
from engine.campaign import Mode, Reentry, State
from engine.overlap import Exclude
from engine.roles import Role

_CAMPAIGN = "The campaign or broadcast; a unique beginning of its name is enough."
_DRIP = "The campaign; a unique beginning of its name is enough."


@declare(
    "campaign new",
    role=Role.OWNER,
    about="Create a drip campaign, as a draft without steps.",
    examples=(
        '"Welcome" trigger=tag:lead stop_on_reply=yes',
        "Receipts type=transactional hours=off",
        '"Spring Sale" per_day=500 hours=09:00-18:00 days=mon-fri rate=300/min',
    ),
)
class CampaignNew(Sending):
    name: str = argument(kinds.NAME, about="Its name, not yet in use.")
    trigger: str = option(kinds.TRIGGER, about="What enrolls contacts by itself.", default="manual")
    stop_on_reply: bool = option(
        kinds.YES_NO, about="Whether a contact who replies leaves the campaign.", default=True
    )
    reentry: Reentry = option(
        kinds.choice(Reentry),
        about="Whether a contact may enroll again: after the earlier one ended, or always.",
        default=Reentry.NEVER,
    )
    mode: Mode = option(
        kinds.choice(Mode),
        about="Contacts in another drip: passive enrolls them, skip leaves them out,"
        " interrupt ends the other.",
        default=Mode.PASSIVE,
    )


@declare(
    "campaign list",
    role=Role.SUPERVISOR,
    about="List campaigns, the latest first.",
    examples=("", "active", "paused mine"),
)
class CampaignList(Command):
    state: State | None = argument(
        kinds.choice(State), about="Only those in this state.", default=None
    )
    mine: bool = flag(about="Only those you created.", default=False)


@declare(
    "campaign show",
    role=Role.SUPERVISOR,
    about="Show a campaign, its settings and its steps.",
    examples=("Welcome",),
)
class CampaignShow(Command):
    campaign: str = argument(kinds.NAME, about=_CAMPAIGN, rest=True)


@declare(
    "campaign activate",
    role=Role.OWNER,
    about="Start a drip: its trigger and its steps take effect.",
    examples=("Welcome",),
)
class CampaignActivate(Command):
    campaign: str = argument(kinds.NAME, about=_DRIP, rest=True)


@declare(
    "campaign pause",
    role=Role.OWNER,
    about="Stop sending within a second; what waits keeps its place.",
    examples=("Welcome",),
)
class CampaignPause(Command):
    campaign: str = argument(kinds.NAME, about=_CAMPAIGN, rest=True)


@declare(
    "campaign resume",
    role=Role.OWNER,
    about="Go on exactly where it was paused.",
    examples=("Welcome",),
)
class CampaignResume(Command):
    campaign: str = argument(kinds.NAME, about=_CAMPAIGN, rest=True)


@declare(
    "campaign archive",
    role=Role.OWNER,
    about="End it for good and put it away; its name becomes free.",
    examples=("Welcome",),
)
class CampaignArchive(Command):
    campaign: str = argument(kinds.NAME, about=_CAMPAIGN, rest=True)


@declare(
    "enroll",
    role=Role.OWNER,
    about="Put contacts into a campaign.",
    examples=(
        "Welcome tag:lead",
        "Welcome +31612345678",
        "Welcome tag:lead check",
        "Welcome all exclude=both count=12431",
    ),
)
class Enroll(Command):
    campaign: str = argument(kinds.NAME, about=_DRIP)
    who: str = argument(kinds.WHO, about="Whom.")
    exclude: Exclude = option(kinds.choice(Exclude), about=EXCLUDE_ABOUT, default=Exclude.NONE)
    check: bool = flag(about="Only say what it would come to; nobody is enrolled.", default=False)
    count: int | None = option(
        kinds.COUNT,
        about="How many they are; asked for above large_campaign.",
        default=None,
        otherwise="not confirmed",
    )


@declare(
    "unenroll",
    role=Role.OWNER,
    about="Take contacts out of a campaign; what waits for them is not sent.",
    examples=("Welcome tag:customer", "Welcome +31612345678"),
)
class Unenroll(Command):
    campaign: str = argument(kinds.NAME, about=_DRIP)
    who: str = argument(kinds.WHO, about="Whom.")
    count: int | None = option(
        kinds.COUNT,
        about="How many they are; asked for above large_campaign.",
        default=None,
        otherwise="not confirmed",
    )


@declare(
    "enrollments",
    role=Role.SUPERVISOR,
    about="List who is in a campaign, and how far.",
    examples=("Welcome", "Welcome opted_out"),
)
class Enrollments(Command):
    campaign: str = argument(kinds.NAME, about=_DRIP)
    state: str | None = argument(
        kinds.word_of("active", "paused", "completed", "dropped", "opted_out", "replied"),
        about="Only those in this state.",
        default=None,
    )


COMMANDS = (
    CampaignNew,
    CampaignList,
    CampaignShow,
    CampaignActivate,
    CampaignPause,
    CampaignResume,
    CampaignArchive,
    Enroll,
    Unenroll,
    Enrollments,
)
