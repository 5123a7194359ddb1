"""The media library: files brought in by address or by upload, looked at, and removed."""

from typing import Final
from urllib.parse import urlsplit

from bot.slack.alerts import Alert, Place, tells
from bot.slack.blocks import context, header, message, section, table
from bot.slack.changes import answered, in_thread, told
from bot.slack.desk import Desk
from bot.slack.files import NotGiven, about, came_with, download
from bot.slack.language.media import MediaAdd, MediaList, MediaRemove, MediaShow
from bot.slack.markup import Markup, and_more, code, joined, literal, markup, user
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.requests import Event
from bot.slack.words import as_word
from engine.content import WITH_CAPTION, MediaKind
from engine.ids import MediaId
from engine.media_file import HEAD, LARGEST, MIB, FileType
from engine.media_ports import LibraryFile
from engine.refusal import Refusal
from engine.roles import Role
from engine.usecases.keep_media import add_from_address, add_uploaded, file_named, remove_media
from storage import blobs, media
from storage.blobs import TooLarge
from storage.database import Unit
from storage.events import Event as StaffEvent
from storage.media import StaffLibrary

_WORD: Final = "media"
_LONGEST: Final = 600
_SHOWN: Final = 5


def register(registry: Registry, desk: Desk) -> None:
    """Handle the commands and the upload."""

    @registry.command(MediaAdd)
    @refusing
    async def add(command: MediaAdd, asked: Context) -> Reply:
        async def work(unit: Unit) -> MediaId:
            library = StaffLibrary(unit, asked.user_id)
            return await add_from_address(name=command.name, url=command.url, library=library)

        await desk.database.run(asked.organization, asked.at, work)
        await desk.queue.wake_job("fetch_media", asked.organization)
        return answered(
            markup("Fetching {name}; the alerts channel says when it is here.", name=command.name)
        )

    @registry.command(MediaList)
    @refusing
    async def list_them(_: MediaList, asked: Context) -> Reply:
        async with desk.database.unit(asked.organization, asked.at) as unit:
            return _list(await media.listed(unit))

    @registry.command(MediaShow)
    @refusing
    async def show(command: MediaShow, asked: Context) -> Reply:
        async with desk.database.unit(asked.organization, asked.at) as unit:
            file = await file_named(name=command.file, library=StaffLibrary(unit, asked.user_id))
            return _shown(file, await media.users(unit, name=file.name))

    @registry.command(MediaRemove)
    @refusing
    async def remove(command: MediaRemove, asked: Context) -> Reply:
        async def work(unit: Unit) -> LibraryFile:
            return await remove_media(name=command.file, library=StaffLibrary(unit, asked.user_id))

        file = await desk.database.run(asked.organization, asked.at, work)
        return told(asked, markup("removed the file *{name}*.", name=file.name))

    @registry.event("message")
    async def heard(event: Event, asked: Context) -> Reply | None:
        return await _heard(desk, event, asked)


async def _heard(desk: Desk, event: Event, asked: Context) -> Reply | None:
    """Take the file of a message that says media and a name for it."""
    payload = event.payload
    files = came_with(payload)
    ts = payload.get("ts")
    if not files or payload.get("subtype") not in {None, "file_share"} or payload.get("bot_id"):
        return None
    name = _named(str(payload.get("text") or ""), event.bot_user_id)
    if name is None or not isinstance(ts, str) or asked.channel_id is None:
        return None
    thread_ts = str(payload.get("thread_ts") or ts)
    if asked.role is None or not asked.role.covers(Role.OWNER):
        return in_thread(
            Markup("The media library is for owners, so nothing was added."), thread_ts
        )
    if not name or len(files) > 1:
        hint = markup(
            "Upload one file at a time with the text {it}, and a name for it. Nothing was added.",
            it=code("media <name>"),
        )
        return in_thread(hint, thread_ts)
    try:
        found = await _take(desk, str(files[0]["id"]), name, asked)
    except (NotGiven, Refusal) as refused:
        text = markup(
            ":warning: {why} Nothing was added.", why=literal(str(refused), limit=_LONGEST)
        )
        return in_thread(text, thread_ts)
    return in_thread(
        markup(
            "{who} added the {kind} *{name}*. Use it with {it}",
            who=user(asked.user_id),
            kind=found.kind.value,
            name=name,
            it=code(_use(name, found.kind)),
        ),
        thread_ts,
    )


def _named(text: str, bot_user_id: str | None) -> str | None:
    """Return the name after the word; empty: there is none; None: the text is about else."""
    if bot_user_id is not None:
        text = text.replace(f"<@{bot_user_id}>", " ")
    word, _, name = text.strip().partition(" ")
    return name.strip().strip("\"“”'") if word.lower() == _WORD else None


async def _take(desk: Desk, file: str, name: str, asked: Context) -> FileType:
    """Bring an uploaded file into the library.

    Raises:
        NotGiven: Slack does not hand it over.
        NotTaken, NameTaken, NoSuchFile: It cannot be in the library.
    """
    known = await about(asked.client, file)
    filename, size = str(known.get("name") or name), known.get("size")
    if isinstance(size, int) and size > LARGEST:
        raise NotGiven(_too_large(filename))
    url = known.get("url_private_download") or known.get("url_private")
    if not isinstance(url, str):
        raise NotGiven(f"Slack told no address for {filename!r}.")
    host = urlsplit(desk.config.server.slack_url).hostname or ""
    try:
        async with download(asked.client, url, slack_host=host) as content:
            blob = await blobs.write(
                desk.database,
                asked.organization,
                asked.at,
                name=filename,
                mimetype=str(known.get("mimetype") or ""),
                content=content,
                limit=LARGEST,
            )
    except TooLarge:
        raise NotGiven(_too_large(filename)) from None
    head = b""
    async for piece in blobs.read(desk.database, asked.organization, asked.at, blob=blob.id):
        head = piece[:HEAD]
        break

    async def add(unit: Unit) -> FileType:
        return await add_uploaded(
            name=name,
            filename=filename,
            declared=str(known.get("mimetype") or ""),
            head=head,
            size=blob.size,
            blob=blob.id,
            library=StaffLibrary(unit, asked.user_id),
        )

    try:
        return await desk.database.run(asked.organization, asked.at, add)
    except Refusal:
        async with desk.database.unit(asked.organization, asked.at) as unit:
            await blobs.delete(unit, blobs=[blob.id])
        raise


def _too_large(name: str) -> str:
    return f"{name!r} is larger than {LARGEST // MIB} MB, and WhatsApp takes no such file."


def _list(files: list[LibraryFile]) -> Reply:
    add = markup(
        "Upload a file with the text {upload}, or {command}.",
        upload=code("media <name>"),
        command=code("/drip media add <name> url=https://…"),
    )
    if not files:
        return answered(Markup("The media library is empty."), add)
    rows = [
        (file.name, _what(file), file.filename, f"{file.created_at:%Y-%m-%d}") for file in files
    ]
    title = markup("{n} files", n=len(files)) if len(files) > 1 else Markup("1 file")
    lines = [markup("{line}", line=" · ".join(row)) for row in rows[:60]]
    return Reply(
        message=message(
            joined([title, *lines]),
            section(title),
            *table(("name", "what", "file", "since"), rows),
            context(add),
        )
    )


def _shown(file: LibraryFile, users: list[str]) -> Reply:
    title = markup("*{name}* · {what}", name=file.name, what=_what(file))
    lines = [markup("File: {it}", it=literal(file.filename))]
    if file.source_url is not None:
        lines.append(markup("Fetched from {it}", it=code(file.source_url)))
    lines.append(
        markup("Added by {who}, {on}", who=user(file.created_by), on=f"{file.created_at:%Y-%m-%d}")
    )
    if users:
        more = and_more(len(users) - _SHOWN)
        lines.append(markup("Used by {it}{more}", it=", ".join(users[:_SHOWN]), more=more))
    else:
        lines.append(Markup("Used by nothing."))
    if file.kind is not None:
        lines.append(markup("To use it: {it}", it=code(_use(file.name, file.kind))))
    text = joined([title, *lines])
    return Reply(message=message(text, header(file.name), section(text)))


def _what(file: LibraryFile) -> str:
    if file.kind is None:
        return "being fetched"
    size = file.size or 0
    shown = f"{size / MIB:.1f} MB" if size >= MIB else f"{max(1, size // 1024):,} KB"
    return f"{file.kind.value}, {shown}"


def _use(name: str, kind: MediaKind) -> str:
    caption = ' caption="…"' if kind in WITH_CAPTION else ""
    return f"/drip step add <campaign> after=2d media={as_word(name)}{caption}"


@tells("media_added")
async def added(event: StaffEvent, _unit: Unit) -> tuple[Alert, ...]:
    told_of = event.content
    name = str(told_of["name"])
    text = markup(
        "{who} The {kind} *{name}* is in the media library. {show} says how to use it.",
        who=user(str(told_of["by"])),
        kind=str(told_of["file_kind"]),
        name=name,
        show=code(f"/drip media show {name}"),
    )
    return (Alert(place=Place.ALERTS, message=message(text, section(text))),)


@tells("media_not_added")
async def not_added(event: StaffEvent, _unit: Unit) -> tuple[Alert, ...]:
    told_of = event.content
    text = markup(
        ":warning: {who} The file *{name}* could not be fetched. {why}",
        who=user(str(told_of["by"])),
        name=str(told_of["name"]),
        why=literal(str(told_of["why"]), limit=_LONGEST),
    )
    return (Alert(place=Place.ALERTS, message=message(text, section(text))),)
