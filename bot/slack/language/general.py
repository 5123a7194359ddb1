"""The commands about the product itself."""

from bot.slack import kinds
from bot.slack.declare import Command, argument, declare
from engine.roles import Role


@declare(
    "help",
    role=Role.AGENT,
    about="List the commands, or say all about one.",
    examples=("", "campaign new", "step"),
)
class Help(Command):
    command: str | None = argument(
        kinds.LINE, about="A command, or the first word of several.", default=None, rest=True
    )


@declare(
    "status",
    role=Role.SUPERVISOR,
    about="Show what is running, what waits and what needs attention.",
    examples=("",),
)
class Status(Command):
    pass


COMMANDS = (Help, Status)
