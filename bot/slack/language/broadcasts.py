"""Broadcasts: one message to an audience, frozen when it starts."""

from datetime import datetime

from bot.slack import kinds
from bot.slack.declare import Command, argument, declare, flag, option
from bot.slack.language.shared import CONTENTS, EXCLUDE_ABOUT, ZONE_ABOUT, Content, Sending
from engine.campaign import State
from engine.overlap import Exclude
from engine.roles import Role

_BROADCAST = "The broadcast; a unique beginning of its name is enough."


@declare(
    "broadcast new",
    role=Role.OWNER,
    about="Create a broadcast, as a draft.",
    examples=(
        '"Sale" to=tag:lead template=followup',
        '"May News" to=all template=welcome first_name={first_name|there} rate=500/h',
        'Thanks to=campaign:Welcome text="Thank you, {first_name|friend}!"',
        'News to=all template=followup at="2026-12-07 09:00" zone=contact every=week',
    ),
    one_of=CONTENTS,
)
class BroadcastNew(Sending, Content):
    name: str = argument(kinds.NAME, about="Its name, not yet in use.")
    to: str = option(kinds.WHO, about="To whom.")
    exclude: Exclude = option(kinds.choice(Exclude), about=EXCLUDE_ABOUT, default=Exclude.NONE)
    at: datetime | None = option(
        kinds.MOMENT,
        about="Day and time at which it starts by itself.",
        default=None,
        otherwise="it stays a draft",
    )
    zone: str | None = option(
        kinds.ZONE, about=ZONE_ABOUT, default=None, needs="at", otherwise="the organization's"
    )
    every: str | None = option(
        kinds.EVERY,
        about="Again and again, each time as a broadcast of its own.",
        default=None,
        needs="at",
        otherwise="once",
    )
    count: int | None = option(
        kinds.COUNT,
        about="How many recipients it has; with at=, asked for above large_campaign.",
        default=None,
        needs="at",
        otherwise="not confirmed",
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
