"""Templates, as WhatsApp approved them."""

from bot.slack import kinds
from bot.slack.declare import Command, argument, declare, option
from engine.roles import Role


@declare(
    "template sync",
    role=Role.OWNER,
    about="Fetch the templates from WhatsApp now; it happens by itself too.",
    examples=("",),
)
class TemplateSync(Command):
    pass


@declare(
    "template list",
    role=Role.SUPERVISOR,
    about="List templates with their language, category and status.",
    examples=("",),
)
class TemplateList(Command):
    pass


@declare(
    "template show",
    role=Role.SUPERVISOR,
    about="Show a template and the parameters it wants.",
    examples=("welcome", "welcome language=nl"),
)
class TemplateShow(Command):
    template: str = argument(kinds.LINE, about="Its name.", rest=True)
    language: str | None = option(
        kinds.LANGUAGE, about="One of its languages.", default=None, otherwise="all"
    )


COMMANDS = (TemplateSync, TemplateList, TemplateShow)
