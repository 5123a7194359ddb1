"""Lists: contacts that staff put together by hand."""

from bot.slack import kinds
from bot.slack.declare import Command, argument, declare, option
from engine.roles import Role

_LIST = "The list; a unique beginning of its name is enough."
_HOW_MANY = (
    "How many they are; wanted above sending.large_campaign when an automation waits for a segment"
    " over the list."
)


@declare(
    "list new",
    role=Role.OWNER,
    about="Create a list, with nobody on it yet.",
    examples=('"Beta testers" about="Try new things first"', "Beta"),
)
class ListNew(Command):
    name: str = argument(kinds.NAME, about="Its name, not yet in use.", rest=True)
    about: str = option(kinds.ABOUT, about="What it is for.", default="", otherwise="nothing")


@declare(
    "list add",
    role=Role.OWNER,
    about="Put contacts on a list; who is on it already stays once.",
    examples=('"Beta testers" tag:vip', "Beta +31612345678,segment:Hot"),
)
class ListAdd(Command):
    list: str = argument(kinds.NAME, about=_LIST)
    who: str = argument(kinds.WHO, about="Whom.", rest=True)
    count: int | None = option(
        kinds.COUNT, about=_HOW_MANY, default=None, otherwise="not confirmed"
    )


@declare(
    "list remove",
    role=Role.OWNER,
    about="Take contacts off a list.",
    examples=("Beta +31612345678",),
)
class ListRemove(Command):
    list: str = argument(kinds.NAME, about=_LIST)
    who: str = argument(kinds.WHO, about="Whom.", rest=True)
    count: int | None = option(
        kinds.COUNT, about=_HOW_MANY, default=None, otherwise="not confirmed"
    )


@declare(
    "list rename",
    role=Role.OWNER,
    about="Give a list another name, or another description.",
    examples=('Beta "Beta testers"', 'Beta about="Try new things first"'),
)
class ListRename(Command):
    list: str = argument(kinds.NAME, about=_LIST)
    name: str | None = argument(
        kinds.NAME, about="Its new name; the old one stays without.", default=None, rest=True
    )
    about: str | None = option(
        kinds.ABOUT, about="What it is for.", default=None, otherwise="what it was"
    )

    def objection(self) -> str | None:
        if self.name is None and self.about is None:
            return "Nothing would change: give a new name, or about=."
        return None


@declare(
    "list show",
    role=Role.SUPERVISOR,
    about="Show a list: what it is for, how many are on it, and the first of them.",
    examples=("Beta",),
)
class ListShow(Command):
    list: str = argument(kinds.NAME, about=_LIST, rest=True)


@declare(
    "list list",
    role=Role.SUPERVISOR,
    about="List the lists.",
    examples=("",),
)
class ListList(Command):
    pass


@declare(
    "list delete",
    role=Role.OWNER,
    about="Delete a list that nothing uses; its contacts stay contacts.",
    examples=("Beta",),
)
class ListDelete(Command):
    list: str = argument(kinds.NAME, about=_LIST, rest=True)


COMMANDS = (ListNew, ListAdd, ListRemove, ListRename, ListShow, ListList, ListDelete)
