"""Attributes: what is known of contacts beyond what every contact has, and of which type it is."""

from bot.slack import kinds
from bot.slack.declare import Command, argument, declare
from engine.attributes import AttributeType as Type
from engine.roles import Role


@declare(
    "attribute list",
    role=Role.SUPERVISOR,
    about="List the attributes of contacts, their types and how many contacts have them.",
    examples=("",),
)
class AttributeList(Command):
    pass


@declare(
    "attribute type",
    role=Role.OWNER,
    about="Change the type of an attribute, where all its values fit the new one.",
    examples=("renewal date", "city text"),
)
class AttributeType(Command):
    name: str = argument(kinds.LINE, about="The attribute, as attribute list shows it.")
    type: Type = argument(kinds.choice(Type), about="What its values are.")


COMMANDS = (AttributeList, AttributeType)
