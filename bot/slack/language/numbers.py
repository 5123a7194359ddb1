"""Our own numbers: letting one that was stopped go on."""

from bot.slack import kinds
from bot.slack.declare import Command, argument, declare
from engine.phone import Phone
from engine.roles import Role


@declare(
    "number open",
    role=Role.OWNER,
    about="Let a number send again that was stopped, such as for its quality or its account.",
    examples=("+15550001111",),
)
class NumberOpen(Command):
    number: Phone = argument(kinds.OWN_NUMBER, about="One of our numbers; /drip status lists them.")


COMMANDS = (NumberOpen,)
