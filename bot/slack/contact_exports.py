"""Contacts as a file: asked for by an owner, written by the worker, delivered to who asked."""

import structlog

from bot.slack.alerts import Alert, Elsewhere, tells
from bot.slack.blocks import message, section
from bot.slack.contact_pages import counted
from bot.slack.conversation import alone_with
from bot.slack.desk import Desk
from bot.slack.language.contacts import ContactExport
from bot.slack.markup import markup
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from engine.audience import Audience
from engine.contact_export import Format
from engine.refusal import Refusal
from engine.setback import TRIES
from engine.usecases.resolve_audience import resolve_audience
from engine.workbook_writer import MOST_ROWS
from storage import attributes, audiences, audit, exports
from storage.campaigns import CampaignDirectory
from storage.database import Unit
from storage.events import Event
from storage.exports import ExportId

log = structlog.get_logger(__name__)


class NotExported(Refusal):
    """Nothing is exported; the message says why and what would do."""


def register(registry: Registry, desk: Desk) -> None:
    """Handle the command."""

    @registry.command(ContactExport)
    @refusing
    async def export(command: ContactExport, context: Context) -> Reply:
        return await _export(desk, command, context)


async def _export(desk: Desk, command: ContactExport, context: Context) -> Reply:
    async def look(unit: Unit) -> tuple[Audience, int]:
        audience = await resolve_audience(
            text=command.who,
            country=desk.config.organizations[context.organization].country,
            directory=CampaignDirectory(unit),
        )
        return audience, len(await audiences.contacts(unit, audience=audience))

    audience, found = await desk.database.run(context.organization, context.at, look)
    if not found:
        raise NotExported(f"{command.who[:80]} is nobody yet. Nothing was exported.")
    if command.format is Format.XLSX and found >= MOST_ROWS:
        raise NotExported(
            f"A sheet of Excel holds {MOST_ROWS - 1:,} contacts, and these are {found:,}: write"
            " as=csv, or fewer of them."
        )
    channel = await alone_with(context)

    async def begin(unit: Unit) -> None:
        export = await exports.begin(
            unit,
            audience=audience,
            named=command.who,
            format_=command.format,
            attributes=sorted(await attributes.known(unit)),
            actor=context.user_id,
            channel=channel,
        )
        await audit.note(
            unit,
            actor=context.user_id,
            action="contact.export",
            subject=f"export:{export}",
            content={"contacts": found, "format": command.format},
        )

    await desk.database.run(context.organization, context.at, begin)
    await desk.queue.wake_job("export_contacts", context.organization)
    text = markup(
        "I write {count} into a file, which comes to you alone, here in Slack.",
        count=counted(found),
    )
    return Reply(message=message(text, section(text)))


@tells("export_set_aside")
async def set_aside(event: Event, unit: Unit) -> tuple[Alert, ...]:
    """Say that it fails, and what becomes of it."""
    found = await exports.find(unit, export=ExportId(int(event.content["export"])))
    if found is None:
        return ()
    text = markup(
        "The export of {named} failed {tries} times in a row, so it is set aside and tried again"
        " later, at longer and longer pauses; the worker's log says why it fails.",
        named=found.named,
        tries=TRIES,
    )
    return (Alert(place=Elsewhere(channel=found.channel), message=message(text, section(text))),)


@tells("export_written")
async def written(event: Event, unit: Unit) -> tuple[Alert, ...]:
    """Deliver the file to who asked for it."""
    found = await exports.find(unit, export=ExportId(int(event.content["export"])))
    if found is None:
        return ()
    text = markup(
        "Here are {count} of {named}. The file holds what is known of people: keep it safe."
        " Imported again it changes nothing.",
        count=counted(found.done),
        named=found.named,
    )
    return (
        Alert(
            place=Elsewhere(channel=found.channel),
            message=message(text, section(text)),
            file=found.blob_id,
        ),
    )
