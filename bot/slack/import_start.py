"""A judged file is imported or discarded: by its buttons, or by who says how many it enrolls."""

from bot.slack.blocks import message, section
from bot.slack.contact_pages import counted
from bot.slack.count_wanted import count_wanted
from bot.slack.desk import Desk
from bot.slack.import_names import NoSuchImport, import_clicked, meant_import, recent_imports
from bot.slack.language.contacts import ImportStart
from bot.slack.markup import markup, user
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.requests import Click
from bot.slack.words import as_word
from engine.ids import ImportId
from engine.roles import Role
from engine.size import Asked, Size
from engine.usecases.start_import import StartedImport, discard_import, start_import
from storage import imports
from storage.database import Unit
from storage.imports import Import, State
from storage.staff_acts import StaffImports


def register(registry: Registry, desk: Desk) -> None:
    """Handle the command and the buttons."""

    @registry.command(ImportStart)
    @refusing
    async def start(command: ImportStart, context: Context) -> Reply:
        recent = await recent_imports(desk, context)
        found = meant_import(command.name, recent, rather={State.JUDGED})
        return await _start(desk, context, found.id, called=command.name, count=command.count)

    @registry.click("import_start", role=Role.OWNER)
    @refusing
    async def clicked(click: Click, context: Context) -> Reply:
        import_id = import_clicked(click)
        recent = await recent_imports(desk, context)
        called = next((label for label, each in recent.items() if each.id == import_id), "")
        return await _start(desk, context, import_id, called=called, count=None)

    @registry.click("import_discard", role=Role.OWNER)
    @refusing
    async def discard(click: Click, context: Context) -> Reply:
        return await _discard(desk, click, context)


async def _start(
    desk: Desk, asked: Context, import_id: ImportId, *, called: str, count: int | None
) -> Reply:
    """Have it imported, or say what is wanted first.

    Args:
        called: What it is called in a command.
    """
    sending = desk.config.organizations[asked.organization].sending
    size = Size(
        large=sending.large_campaign or 0, approval=sending.approval_above or 0, count=count
    )

    async def start(unit: Unit) -> tuple[StartedImport | Asked, Import]:
        found = await imports.find(unit, import_id=import_id)
        if found is None:
            raise NoSuchImport("There is no such import.")
        acts = StaffImports(unit, actor=asked.user_id)
        return await start_import(import_id=import_id, size=size, imports=acts), found

    started, found = await desk.database.run(asked.organization, asked.at, start)
    if isinstance(started, Asked):
        return count_wanted(
            started,
            "Importing that file would enroll",
            command=f"/drip import start {as_word(called)}",
        )
    await desk.queue.wake_job("import_contacts", asked.organization)
    text = markup(
        "{who} imports {count} from {name}.",
        who=user(asked.user_id),
        count=counted(started.rows),
        name=found.name,
    )
    return Reply(message=message(text, section(text)), in_channel=True, replace=True)


async def _discard(desk: Desk, click: Click, asked: Context) -> Reply:
    import_id = import_clicked(click)
    await desk.database.run(
        asked.organization,
        asked.at,
        lambda unit: discard_import(
            import_id=import_id, imports=StaffImports(unit, actor=asked.user_id)
        ),
    )
    text = markup("{who} discarded that file; nothing was changed.", who=user(asked.user_id))
    return Reply(message=message(text, section(text)), in_channel=True, replace=True)
