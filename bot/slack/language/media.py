"""The media library: files with names of their own, for steps and headers."""

from bot.slack import kinds
from bot.slack.declare import Command, argument, declare, option
from engine.roles import Role

_FILE = "The file; a unique beginning of its name is enough."


@declare(
    "media add",
    role=Role.OWNER,
    about="Add a file from the web; or upload one to Slack with the text: media <name>.",
    examples=("menu url=https://example.com/menu.pdf",),
)
class MediaAdd(Command):
    name: str = argument(kinds.NAME, about="Its name, not yet in use.")
    url: str = option(kinds.ADDRESS, about="A public https:// address of the file itself.")


@declare(
    "media list",
    role=Role.SUPERVISOR,
    about="List the files of the media library.",
    examples=("",),
)
class MediaList(Command):
    pass


@declare(
    "media show",
    role=Role.SUPERVISOR,
    about="Show a file, how to use it, and what uses it.",
    examples=("menu",),
)
class MediaShow(Command):
    file: str = argument(kinds.NAME, about=_FILE, rest=True)


@declare(
    "media remove",
    role=Role.OWNER,
    about="Remove a file that nothing uses any longer.",
    examples=("menu",),
)
class MediaRemove(Command):
    file: str = argument(kinds.NAME, about=_FILE, rest=True)


COMMANDS = (MediaAdd, MediaList, MediaShow, MediaRemove)
