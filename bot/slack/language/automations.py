"""Automations, and the custom events that set them off."""

from bot.slack import kinds
from bot.slack.declare import Command, argument, declare, free, option
from engine.automation_text import WrittenAction, WrittenTrigger
from engine.roles import Role
from engine.segment import Condition

_WHICH = "Its number, or the beginning of its sentence."


@declare(
    "automation new",
    role=Role.OWNER,
    about="When something happens to a contact, and perhaps only in a segment, do something.",
    examples=(
        "when=tag:vip then=enroll:Welcome",
        "when=keyword:menu then=tag:hungry",
        'when="replied:Spring Sale" in="Big spenders" then=tell:#C0SALES "{name} answered"',
        "when=event:order_paid then=unenroll:Cart",
        "when=event:order_paid if=total >= 100 and currency is EUR then=tag:big_spender",
    ),
)
class AutomationNew(Command):
    when: WrittenTrigger = option(
        kinds.WHEN,
        about="What happens. replied, delivered, read and clicked may name a campaign and a step:"
        " replied:Welcome#2. A date fires at 09:00 of the contact's zone, or date:birthday@08:30."
        " A keyword is all of a message, or stands in it as a word.",
    )
    where: Condition | None = option(
        kinds.PROPERTIES,
        name="if",
        about='Only events whose properties fulfil it: total >= 100, plan is "pro", coupon is set,'
        " due before 2026-12-31; joined with and, or, not.",
        default=None,
        otherwise="every such event",
    )
    segment: str | None = option(
        kinds.NAME,
        name="in",
        about="Only contacts in this segment.",
        default=None,
        otherwise="all contacts",
    )
    then: WrittenAction = option(
        kinds.THEN, about="What is done; the text told may have tokens such as {name}."
    )


@declare(
    "automation list",
    role=Role.SUPERVISOR,
    about="List automations, each as a sentence, with its number and who made it.",
    examples=("",),
)
class AutomationList(Command):
    pass


@declare(
    "automation pause",
    role=Role.OWNER,
    about="Turn an automation off; what happens meanwhile is not made up for.",
    examples=("3",),
)
class AutomationPause(Command):
    automation: str = argument(kinds.LINE, about=_WHICH, rest=True)


@declare(
    "automation resume",
    role=Role.OWNER,
    about="Turn an automation on again, for what happens from now on.",
    examples=("3",),
)
class AutomationResume(Command):
    automation: str = argument(kinds.LINE, about=_WHICH, rest=True)


@declare(
    "automation remove",
    role=Role.OWNER,
    about="Remove an automation; what it did stays done.",
    examples=("3", '"When a contact gets the tag vip"'),
)
class AutomationRemove(Command):
    automation: str = argument(kinds.LINE, about=_WHICH, rest=True)


@declare(
    "event",
    role=Role.OWNER,
    about="Let a custom event happen to a contact; automations waiting for it act.",
    examples=(
        "order_paid +31612345678 order_id=A17 total=12.50",
        "cart_left Ada",
    ),
)
class FireEvent(Command):
    name: str = argument(kinds.EVENT, about="The event's name, as in when=event:<name>.")
    contact: str = argument(
        kinds.PHONE, about="A phone or a name; a unique beginning of it is enough.", rest=True
    )
    properties: tuple[tuple[str, str], ...] = free(
        shape="property",
        about="What is known of it; a campaign it enrolls into says {event.<property>}.",
        default=(),
    )


COMMANDS = (
    AutomationNew,
    AutomationList,
    AutomationPause,
    AutomationResume,
    AutomationRemove,
    FireEvent,
)
