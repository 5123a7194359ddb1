"""Segments: contacts by what is known of them."""

from bot.slack import kinds
from bot.slack.declare import Command, argument, declare, option
from engine.roles import Role

_SEGMENT = "The segment; a unique beginning of its name is enough."
_DEFINITION = (
    "Conditions joined by and, or, not and brackets: tag:vip, list:<list>, segment:<segment>;"
    " enrolled:, finished:, replied:, read: or clicked: with a campaign; a text is, is not,"
    ' contains, begins with "…"; a number =, !=, <, <=, >, >=; a day before, after, on 2026-12-31,'
    " within 30d, older than 90d, within the next 2w; anything is set, is not set; an attribute by"
    " its name, and name, first_name, company, email, language, timezone, country, source, status,"
    " conversations, rating, created, last_message, last_reply; consent is reachable."
)
_STATIC = "yes: a list made from it, which stays until refreshed; no: whoever fits at the moment."


@declare(
    "segment new",
    role=Role.OWNER,
    about="Create a segment: all contacts that fit a definition.",
    examples=(
        '"Hot leads" tag:lead and not tag:customer and last_reply within 30d',
        "Quiet last_reply older than 90d and consent is reachable static=yes",
        "Readers (read:Welcome or clicked:Welcome) and not replied:Welcome",
    ),
)
class SegmentNew(Command):
    name: str = argument(kinds.NAME, about="Its name, not yet in use.")
    definition: str = argument(kinds.DEFINITION, about=_DEFINITION, rest=True)
    about: str = option(kinds.ABOUT, about="What it is for.", default="", otherwise="nothing")
    static: bool = option(kinds.YES_NO, about=_STATIC, default=False)


@declare(
    "segment edit",
    role=Role.OWNER,
    about="Change a segment; a static one keeps its members until it is refreshed.",
    examples=(
        'Hot tag:lead and last_reply within 14d about="Wrote this fortnight"',
        'Hot name="Hot leads" static=yes',
    ),
)
class SegmentEdit(Command):
    segment: str = argument(kinds.NAME, about=_SEGMENT)
    definition: str | None = argument(
        kinds.DEFINITION, about="Its new definition; see segment new.", default=None, rest=True
    )
    name: str | None = option(
        kinds.NAME, about="Its new name.", default=None, otherwise="what it was"
    )
    about: str | None = option(
        kinds.ABOUT, about="What it is for.", default=None, otherwise="what it was"
    )
    static: bool | None = option(kinds.YES_NO, about=_STATIC, default=None, otherwise="what it was")

    def objection(self) -> str | None:
        if (self.definition, self.name, self.about, self.static) == (None, None, None, None):
            return "Nothing would change: give a definition, name=, about= or static=."
        return None


@declare(
    "segment preview",
    role=Role.SUPERVISOR,
    about="Show who is in a segment now, or would be by a definition; nothing is kept.",
    examples=("Hot", "tag:lead and last_reply within 30d"),
)
class SegmentPreview(Command):
    text: str = argument(
        kinds.DEFINITION, about="A segment, or a definition; see segment new.", rest=True
    )


@declare(
    "segment refresh",
    role=Role.OWNER,
    about="Make the list of a static segment anew.",
    examples=("Quiet",),
)
class SegmentRefresh(Command):
    segment: str = argument(kinds.NAME, about=_SEGMENT, rest=True)
    count: int | None = option(
        kinds.COUNT,
        about="How many would come and go; asked for above large_campaign where an automation waits"
        " for its list.",
        default=None,
        otherwise="not confirmed",
    )


@declare(
    "segment show",
    role=Role.SUPERVISOR,
    about="Show a segment: its definition, how many are in it, and what uses it.",
    examples=("Hot",),
)
class SegmentShow(Command):
    segment: str = argument(kinds.NAME, about=_SEGMENT, rest=True)


@declare(
    "segment list",
    role=Role.SUPERVISOR,
    about="List the segments.",
    examples=("",),
)
class SegmentList(Command):
    pass


@declare(
    "segment delete",
    role=Role.OWNER,
    about="Delete a segment that nothing uses; its contacts stay contacts.",
    examples=("Hot",),
)
class SegmentDelete(Command):
    segment: str = argument(kinds.NAME, about=_SEGMENT, rest=True)


COMMANDS = (
    SegmentNew,
    SegmentEdit,
    SegmentPreview,
    SegmentRefresh,
    SegmentShow,
    SegmentList,
    SegmentDelete,
)
