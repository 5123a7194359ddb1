"""Broadcasts: one message to an audience, frozen when it starts."""

from datetime import timedelta

from bot.slack import kinds
from bot.slack.declare import Command, argument, declare, flag, free, option
from bot.slack.kinds import Off
from engine.campaign import Rate, State, Type, UnknownPolicy
from engine.content import MediaRef
from engine.phone import Phone
from engine.roles import Role

_BROADCAST = "The broadcast; a unique beginning of its name is enough."
_AS_THE_ORGANIZATION = "as the organization has it"


@declare(
    "broadcast new",
    role=Role.OWNER,
    about="Create a broadcast, as a draft.",
    examples=(
        '"Sale" to=tag:lead template=followup',
        '"May News" to=all template=welcome first_name={first_name|there} rate=500/h',
        'Thanks to=campaign:Welcome text="Thank you, {first_name|friend}!"',
    ),
    one_of=("text", "template", "media"),
)
class BroadcastNew(Command):
    name: str = argument(kinds.NAME, about="Its name, not yet in use.")
    to: str = option(kinds.WHO, about="To whom.")
    text: str | None = option(
        kinds.TEXT,
        about="A free text; WhatsApp takes it within 24 hours of the contact's last message.",
        default=None,
    )
    template: str | None = option(kinds.TEMPLATE, about="An approved template.", default=None)
    language: str | None = option(
        kinds.LANGUAGE,
        about="The template's language.",
        default=None,
        needs="template",
        otherwise="its only one",
    )
    media: MediaRef | None = option(kinds.MEDIA, about="A file.", default=None)
    caption: str | None = option(
        kinds.TEXT, about="A text under the file.", default=None, needs="media", otherwise="none"
    )
    type: Type = option(
        kinds.choice(Type),
        about="What its message is; only promotional ones heed the cooldown.",
        default=Type.PROMOTIONAL,
    )
    number: Phone | None = option(
        kinds.OWN_NUMBER,
        about="Our number that sends.",
        default=None,
        otherwise="the contact's last, else the first",
    )
    per_day: int | None = option(
        kinds.whole(1, 10_000_000),
        about="Most contacts written to per day.",
        default=None,
        otherwise="unlimited",
    )
    hours: str | None = option(
        kinds.HOURS,
        about="When messages may go out, in the contact's time zone.",
        default=None,
        otherwise=_AS_THE_ORGANIZATION,
    )
    days: str | None = option(
        kinds.DAYS,
        about="On which days they may.",
        default=None,
        otherwise=_AS_THE_ORGANIZATION,
    )
    rate: Rate | None = option(
        kinds.RATE, about="How fast at most.", default=None, otherwise="unlimited"
    )
    priority: int = option(kinds.whole(1, 9), about="Who goes first; 9 before 1.", default=5)
    deadline: timedelta | Off | None = option(
        kinds.DURATION_OR_OFF,
        about="Later than that after its time a message is left out instead of sent.",
        default=None,
        otherwise=_AS_THE_ORGANIZATION,
    )
    unknown: UnknownPolicy | None = option(
        kinds.choice(UnknownPolicy),
        about="What becomes of a message WhatsApp never answered for.",
        default=None,
        otherwise=_AS_THE_ORGANIZATION,
    )
    parameters: tuple[tuple[str, str], ...] = free(
        shape="param",
        about="The template's parameters: by name, by number (1= 2=), header= and url=.",
        default=(),
        needs="template",
    )


@declare(
    "broadcast list",
    role=Role.SUPERVISOR,
    about="List broadcasts, the latest first.",
    examples=("", "running", "completed mine"),
)
class BroadcastList(Command):
    state: State | None = argument(
        kinds.choice(State), about="Only those in this state.", default=None
    )
    mine: bool = flag(about="Only those you created.", default=False)


@declare(
    "broadcast show",
    role=Role.SUPERVISOR,
    about="Show a broadcast: its message, its audience and how far it is.",
    examples=("Sale",),
)
class BroadcastShow(Command):
    broadcast: str = argument(kinds.NAME, about=_BROADCAST, rest=True)


@declare(
    "broadcast send",
    role=Role.OWNER,
    about="Freeze the audience and begin to send.",
    examples=("Sale", "Sale count=12431"),
)
class BroadcastSend(Command):
    broadcast: str = argument(kinds.NAME, about=_BROADCAST, rest=True)
    count: int | None = option(
        kinds.COUNT,
        about="How many recipients it has; asked for above large_campaign.",
        default=None,
        otherwise="not confirmed",
    )


@declare(
    "broadcast pause",
    role=Role.OWNER,
    about="Stop sending within a second; what waits keeps its place.",
    examples=("Sale",),
)
class BroadcastPause(Command):
    broadcast: str = argument(kinds.NAME, about=_BROADCAST, rest=True)


@declare(
    "broadcast resume",
    role=Role.OWNER,
    about="Go on exactly where it was paused.",
    examples=("Sale",),
)
class BroadcastResume(Command):
    broadcast: str = argument(kinds.NAME, about=_BROADCAST, rest=True)


@declare(
    "broadcast cancel",
    role=Role.OWNER,
    about="End it now; what has not been sent never is.",
    examples=("Sale",),
)
class BroadcastCancel(Command):
    broadcast: str = argument(kinds.NAME, about=_BROADCAST, rest=True)


COMMANDS = (
    BroadcastNew,
    BroadcastList,
    BroadcastShow,
    BroadcastSend,
    BroadcastPause,
    BroadcastResume,
    BroadcastCancel,
)
