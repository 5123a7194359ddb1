"""Past imports: listing them, and taking one back."""

from datetime import datetime
from typing import Final

from bot.slack.alerts import Alert, Elsewhere, tells
from bot.slack.blocks import actions, button, message, section, sections
from bot.slack.clicks import Value
from bot.slack.contact_pages import counted
from bot.slack.desk import Desk
from bot.slack.import_names import NoSuchImport, import_clicked, meant_import, recent_imports
from bot.slack.language.contacts import ImportList, ImportUndo
from bot.slack.markup import Markup, code, date, joined, markup, number, user
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.requests import Click
from engine import names
from engine.ids import ImportId
from engine.refusal import Refusal
from engine.roles import Role
from engine.usecases.start_import import undo_import
from storage import imports
from storage.database import Unit
from storage.events import Event
from storage.imports import UNDOABLE, Import, State
from storage.staff_acts import StaffImports

_LISTED: Final = 20


class NotUndoable(Refusal):
    """The import cannot be undone; the message says why."""


def register(registry: Registry, desk: Desk) -> None:
    """Handle the commands and the button."""

    @registry.command(ImportList)
    async def show(_command: ImportList, context: Context) -> Reply:
        return await _show(desk, context)

    @registry.command(ImportUndo)
    @refusing
    async def ask(command: ImportUndo, context: Context) -> Reply:
        return await _ask(desk, command, context)

    @registry.click("import_undo", role=Role.OWNER)
    @refusing
    async def undo(click: Click, context: Context) -> Reply | None:
        return await _undo(desk, click, context)


async def _show(desk: Desk, context: Context) -> Reply:
    recent = await recent_imports(desk, context)
    if not recent:
        text = markup("Nothing was imported yet. {how} says how to.", how=code("/drip import"))
        return Reply(message=message(text, *sections(text)))
    lines = [_line(each) for each in list(recent.values())[:_LISTED]]
    text = joined([*lines, markup("{undo} takes one back.", undo=code("/drip import undo <file>"))])
    return Reply(message=message(text, *sections(text)))


def _line(found: Import) -> Markup:
    came_to = {
        State.IMPORTED: markup(
            "{new}, {updated} updated",
            new=counted(found.done.new, "new contact"),
            updated=number(found.done.updated),
        ),
        State.UNDONE: markup(
            "undone: {gone} gone, {stays} with something that stays",
            gone=counted(found.undone.gone),
            stays=counted(found.undone.stays, "row"),
        ),
        State.JUDGED: Markup("waits for somebody to import it"),
        State.REFUSED: Markup("could not be read"),
        State.DISCARDED: Markup("discarded"),
        State.UNDOING: Markup("being undone"),
    }.get(found.state, Markup("under way"))
    return markup(
        "\N{BULLET} *{name}* {at} by {who}: {came_to}",
        name=found.name,
        at=date(found.created_at),
        who=user(found.actor),
        came_to=came_to,
    )


async def _ask(desk: Desk, command: ImportUndo, context: Context) -> Reply:
    found = meant_import(
        command.name,
        await recent_imports(desk, context),
        rather={State.IMPORTED, State.IMPORTING},
    )
    _check(found, context.at)
    text = markup(
        "Undo the import of {name}, {at}? {new} it made would go, {updated} it updated and"
        " {tags} it added would be as before. Whoever was written to, enrolled, or changed since"
        " stays, and is listed with the reason.",
        name=found.name,
        at=date(found.created_at),
        new=counted(found.done.new),
        updated=counted(found.done.updated),
        tags=counted(found.done.tags, "tag"),
    )
    undo = button(
        f"Undo {names.cleaned(found.name)[:40]}",
        action_id="import_undo",
        value=str(Value(subject=str(found.id), version=1)),
        style="danger",
    )
    return Reply(message=message(text, section(text), actions(undo)))


def _check(found: Import, at: datetime) -> None:
    """Refuse what cannot be undone.

    Raises:
        NotUndoable: Says why.
    """
    match found.state:
        case State.IMPORTED:
            if found.created_at < at - UNDOABLE:
                raise NotUndoable(
                    f"{found.name} was imported more than {UNDOABLE.days} days ago: what it did is"
                    " no longer known. Use /drip contact untag, edit and optout instead."
                )
        case State.UNDONE | State.UNDOING:
            raise NotUndoable(f"{found.name} is undone already, or being undone.")
        case State.JUDGED | State.REFUSED | State.DISCARDED:
            raise NotUndoable(f"Nothing of {found.name} was imported, so nothing is to be undone.")
        case State.UPLOADED | State.JUDGING | State.IMPORTING:
            raise NotUndoable(f"{found.name} is still under way; undo it once it is imported.")


async def _undo(desk: Desk, click: Click, context: Context) -> Reply | None:
    import_id = import_clicked(click)

    async def undo(unit: Unit) -> Import:
        found = await imports.find(unit, import_id=import_id)
        if found is None:
            raise NoSuchImport("There is no such import.")
        _check(found, context.at)
        await undo_import(import_id=import_id, imports=StaffImports(unit, actor=context.user_id))
        return found

    found = await desk.database.run(context.organization, context.at, undo)
    await desk.queue.wake_job("import_contacts", context.organization)
    text = markup(
        "{who} undoes the import of {name}; what it came to is told where the file is.",
        who=user(context.user_id),
        name=found.name,
    )
    return Reply(message=message(text, section(text)), in_channel=True, replace=True)


@tells("import_undone")
async def undone(event: Event, unit: Unit) -> tuple[Alert, ...]:
    """Say what undoing came to, with the list of what stays."""
    found = await imports.find(unit, import_id=ImportId(int(event.content["import"])))
    if found is None:
        return ()
    came_to = found.undone
    stays = (
        markup(
            " Something of {rows} stays; the list below says what and why.",
            rows=counted(came_to.stays, "row"),
        )
        if came_to.stays
        else Markup("")
    )
    text = markup(
        "The import of {name} is undone: {gone} gone, {restored} as before, {tags} taken"
        " off.{stays}",
        name=found.name,
        gone=counted(came_to.gone),
        restored=counted(came_to.restored),
        tags=counted(came_to.tags, "tag"),
        stays=stays,
    )
    return (
        Alert(
            place=Elsewhere(channel=found.channel, thread_ts=found.thread_ts),
            message=message(text, section(text)),
            file=found.stays_blob_id,
        ),
    )
