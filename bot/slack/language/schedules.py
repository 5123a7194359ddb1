"""When broadcasts start by themselves."""

from datetime import datetime

from bot.slack import kinds
from bot.slack.declare import Command, argument, declare, option
from bot.slack.language.shared import ZONE_ABOUT
from engine.roles import Role

_BROADCAST = "The broadcast; a unique beginning of its name is enough."


@declare(
    "broadcast schedule",
    role=Role.OWNER,
    about="Have a broadcast start by itself, once or again and again.",
    examples=(
        'Sale at="2026-12-01 10:00"',
        'Sale at="2026-12-01 10:00" zone=contact',
        'News at="2026-12-07 09:00" every="FREQ=WEEKLY;BYDAY=MO,TH"',
    ),
)
class BroadcastSchedule(Command):
    broadcast: str = argument(kinds.NAME, about=_BROADCAST, rest=True)
    at: datetime = option(kinds.MOMENT, about="Day and time of its start, or of the first.")
    zone: str | None = option(
        kinds.ZONE, about=ZONE_ABOUT, default=None, otherwise="the organization's"
    )
    every: str | None = option(
        kinds.EVERY,
        about="Again and again; each time it is a broadcast of its own, to whom it reaches then.",
        default=None,
        otherwise="once",
    )
    count: int | None = option(
        kinds.COUNT,
        about="How many recipients it has; asked for above large_campaign.",
        default=None,
        otherwise="not confirmed",
    )


@declare(
    "broadcast unschedule",
    role=Role.OWNER,
    about="Take a broadcast off its schedule; it is a draft again.",
    examples=("Sale",),
)
class BroadcastUnschedule(Command):
    broadcast: str = argument(kinds.NAME, about=_BROADCAST, rest=True)


COMMANDS = (BroadcastSchedule, BroadcastUnschedule)
