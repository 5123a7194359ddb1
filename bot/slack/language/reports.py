"""Reports."""

from bot.slack import kinds
from bot.slack.declare import Command, argument, declare
from engine.roles import Role


@declare(
    "report",
    role=Role.SUPERVISOR,
    about="Show how a campaign or broadcast went: people, steps, rates and who was left out.",
    examples=("Welcome",),
)
class Report(Command):
    campaign: str = argument(
        kinds.NAME,
        about="The campaign or broadcast; a unique beginning of its name is enough.",
        rest=True,
    )


COMMANDS = (Report,)
