"""Contacts: who they are, their tags, their consent, and bringing them in."""

from bot.slack import kinds
from bot.slack.declare import Command, argument, declare, free, option
from engine.contact_export import Format
from engine.roles import Role

_WHO = "Whom."
_HOW_MANY = "How many they are; asked for above large_campaign."
_CONTACT = "A phone or a name; a unique beginning of it is enough."


@declare(
    "contact add",
    role=Role.OWNER,
    about="Add a contact.",
    examples=(
        '+31612345678 name="Ada Lovelace" tags=lead,vip',
        "+31612345678 first_name=Ada city=London",
    ),
)
class ContactAdd(Command):
    phone: str = argument(kinds.PHONE, about="The number, with + and the country code.")
    name: str | None = option(kinds.LINE, about="The whole name.", default=None)
    first_name: str | None = option(kinds.LINE, about="What messages call them.", default=None)
    email: str | None = option(kinds.EMAIL, about="An e-mail address.", default=None)
    company: str | None = option(kinds.LINE, about="Where they work.", default=None)
    tags: tuple[str, ...] = option(kinds.TAGS, about="Tags to begin with.", default=())
    attributes: tuple[tuple[str, str], ...] = free(
        shape="attribute", about="Anything else worth keeping, by a name of yours.", default=()
    )


@declare(
    "contact edit",
    role=Role.OWNER,
    about="Change what is known of a contact; an empty value removes what is there.",
    examples=(
        '+31612345678 name="Ada Lovelace" renewal=2026-12-01',
        "Ada company= city=Utrecht",
    ),
)
class ContactEdit(Command):
    contact: str = argument(kinds.LINE, about=_CONTACT, rest=True)
    name: str | None = option(kinds.or_nothing(kinds.LINE), about="The whole name.", default=None)
    first_name: str | None = option(
        kinds.or_nothing(kinds.LINE), about="What messages call them.", default=None
    )
    email: str | None = option(
        kinds.or_nothing(kinds.EMAIL), about="An e-mail address.", default=None
    )
    company: str | None = option(
        kinds.or_nothing(kinds.LINE), about="Where they work.", default=None
    )
    attributes: tuple[tuple[str, str], ...] = free(
        shape="attribute",
        about="An attribute, language= or timezone=; a new one takes its type from the value.",
        default=(),
    )


@declare(
    "contact show",
    role=Role.SUPERVISOR,
    about="Show a contact: data, tags, consent and campaigns.",
    examples=("+31612345678", "Ada"),
)
class ContactShow(Command):
    contact: str = argument(kinds.LINE, about=_CONTACT, rest=True)


@declare(
    "contact find",
    role=Role.SUPERVISOR,
    about="List contacts by part of a name, company, address or phone, or by who they are.",
    examples=("lovelace", "tag:vip"),
)
class ContactFind(Command):
    text: str = argument(kinds.WHO, about="A text, or any <who>.", rest=True)


@declare(
    "contact tag",
    role=Role.OWNER,
    about="Put a tag on contacts; triggers for it fire.",
    examples=("+31612345678 vip", 'tag:lead "to call"'),
)
class ContactTag(Command):
    who: str = argument(kinds.WHO, about=_WHO)
    tag: str = argument(kinds.TAG, about="The tag.", rest=True)
    count: int | None = option(
        kinds.COUNT, about=_HOW_MANY, default=None, otherwise="not confirmed"
    )


@declare(
    "contact untag",
    role=Role.OWNER,
    about="Take a tag off contacts.",
    examples=("+31612345678 vip",),
)
class ContactUntag(Command):
    who: str = argument(kinds.WHO, about=_WHO)
    tag: str = argument(kinds.TAG, about="The tag.", rest=True)
    count: int | None = option(
        kinds.COUNT, about=_HOW_MANY, default=None, otherwise="not confirmed"
    )


@declare(
    "contact optout",
    role=Role.OWNER,
    about="Record that contacts want no campaign messages; what waits for them is not sent.",
    examples=("+31612345678", "tag:complained"),
)
class ContactOptout(Command):
    who: str = argument(kinds.WHO, about=_WHO, rest=True)
    count: int | None = option(
        kinds.COUNT, about=_HOW_MANY, default=None, otherwise="not confirmed"
    )


@declare(
    "contact optin",
    role=Role.OWNER,
    about="Record that contacts asked for campaign messages again.",
    examples=("+31612345678",),
)
class ContactOptin(Command):
    who: str = argument(kinds.WHO, about=_WHO, rest=True)
    count: int | None = option(
        kinds.COUNT, about=_HOW_MANY, default=None, otherwise="not confirmed"
    )


@declare(
    "contact export",
    role=Role.OWNER,
    about="Write contacts into a file that comes to you alone; imported again it changes nothing.",
    examples=("tag:vip", "all as=xlsx"),
)
class ContactExport(Command):
    who: str = argument(kinds.WHO, about=_WHO, rest=True)
    format: Format = option(
        kinds.choice(Format), name="as", about="What kind of file.", default=Format.CSV
    )


@declare(
    "import",
    role=Role.OWNER,
    about='Say how to import contacts: upload a CSV file or workbook with the text "import".',
    examples=("",),
)
class Import(Command):
    pass


@declare(
    "import start",
    role=Role.OWNER,
    about="Import a file whose rows were judged, as its button does; wanted where it enrolls many.",
    examples=('"leads.csv" count=12000',),
)
class ImportStart(Command):
    name: str = argument(
        kinds.LINE, about="A file as import list shows it, or a unique beginning.", rest=True
    )
    count: int | None = option(
        kinds.COUNT,
        about="How many it enrolls; wanted above sending.large_campaign.",
        default=None,
        otherwise="not confirmed",
    )


@declare(
    "import list",
    role=Role.SUPERVISOR,
    about="List the last imports, by file and time.",
    examples=("",),
)
class ImportList(Command):
    pass


@declare(
    "import undo",
    role=Role.OWNER,
    about="Take a whole import back, as far as nothing has happened since; asks first.",
    examples=('"leads.csv"', '"leads.csv 2026-11-21 13:05"'),
)
class ImportUndo(Command):
    name: str = argument(
        kinds.LINE, about="A file as import list shows it, or a unique beginning.", rest=True
    )


COMMANDS = (
    ContactAdd,
    ContactEdit,
    ContactShow,
    ContactFind,
    ContactTag,
    ContactUntag,
    ContactOptout,
    ContactOptin,
    ContactExport,
    Import,
    ImportStart,
    ImportList,
    ImportUndo,
)
