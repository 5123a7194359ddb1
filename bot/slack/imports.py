"""Importing contacts: a file heard of, its verdicts shown, and told what it came to."""

import re
from typing import Final
from urllib.parse import urlsplit

import structlog

from bot.slack.alerts import Alert, Elsewhere, tells
from bot.slack.blocks import Block, actions, button, context, message, section
from bot.slack.changes import in_thread
from bot.slack.clicks import Value
from bot.slack.contact_pages import counted
from bot.slack.desk import Desk
from bot.slack.files import NotGiven, about, came_with, download
from bot.slack.language.contacts import Import as ImportHelp
from bot.slack.markup import Markup, and_more, code, joined, literal, markup, number, user
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.requests import Event
from engine import names
from engine.audience_verdict import Verdict
from engine.ids import BlobId, ImportId
from engine.names import Ambiguous, NoMatch, One
from engine.roles import Role
from engine.setback import TRIES
from storage import audit, automations, blobs, import_deeds, imports
from storage.blobs import TooLarge
from storage.database import Unit
from storage.events import Event as StaffEvent
from storage.imports import Import, Sample

LARGEST: Final = 20 * 1024 * 1024
"""Bytes of a file at most."""

_WORD: Final = "import"
_VERSION: Final = 1  # a file is judged once, so its button has no second version

log = structlog.get_logger(__name__)


def register(registry: Registry, desk: Desk) -> None:
    """Handle the command and the upload."""

    @registry.command(ImportHelp)
    async def explain(_command: ImportHelp, _context: Context) -> Reply:
        return _explanation()

    @registry.event("message")
    async def heard(event: Event, context: Context) -> Reply | None:
        return await _heard(desk, event, context)


def _explanation() -> Reply:
    text = markup(
        "To import contacts, upload a CSV file or an Excel workbook to a channel I am in, or to me,"
        " with the text {word}, or {listed} to put everybody on a list too. I read every row and"
        " say what would become of it; nothing changes before somebody presses the button.",
        word=code(_WORD),
        listed=code(f"{_WORD} list:<list>"),
    )
    columns = markup(
        "One column is called {phone} or mobile. {known} and others are understood too, in many"
        " languages, and so are exports of Google Contacts, HubSpot and Shopify; every other column"
        " becomes an attribute. At most 20 MB. {undo} takes an import back.",
        undo=code("/drip import undo"),
        phone=code("phone"),
        known=code("name, first_name, company, email, tags, language, timezone"),
    )
    return Reply(message=message(joined([text, columns]), section(text), context(columns)))


async def _heard(desk: Desk, event: Event, asked: Context) -> Reply | None:
    """Take the files of a message that says import; several are several imports."""
    payload = event.payload
    files = came_with(payload)
    ts = payload.get("ts")
    if not files or payload.get("subtype") not in {None, "file_share"} or payload.get("bot_id"):
        return None
    asked_for = _import_of_text(str(payload.get("text") or ""), event.bot_user_id)
    if asked_for is None:
        return None
    if not isinstance(ts, str) or asked.channel_id is None:
        return None
    thread_ts = str(payload.get("thread_ts") or ts)
    if asked.role is None or not asked.role.covers(Role.OWNER):
        return in_thread(_not_yours(desk, asked), thread_ts)
    list_id: int | None = None
    if asked_for:
        try:
            list_id = await _list(desk, asked, asked_for)
        except NoSuchList as refused:
            return in_thread(markup(":warning: {why}", why=str(refused)), thread_ts)
    for file in files:
        await _take(desk, str(file["id"]), asked, thread_ts=thread_ts, list_id=list_id)
    await desk.queue.wake_job("import_contacts", asked.organization)
    return None


class NoSuchList(Exception):
    """No list, or several, are called so; the message says what would do."""


def _import_of_text(text: str, bot_user_id: str | None) -> str | None:
    """Return the list that a message which says import names, "" for none; None: it says other."""
    if bot_user_id is not None:
        text = text.replace(f"<@{bot_user_id}>", " ")
    found = _ASKS.fullmatch(text.strip())
    if found is None:
        return None
    return (
        (found["list"] or "")
        .strip()
        .strip('"\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}')
    )


_ASKS: Final = re.compile(
    rf"{_WORD}\s*[.!:]?\s*(?:list\s*:\s*(?P<list>.+))?", re.IGNORECASE | re.DOTALL
)


async def _list(desk: Desk, asked: Context, given: str) -> int:
    """Return the list of a name, or of its unique beginning.

    Raises:
        NoSuchList: Nothing is imported.
    """
    known = await desk.database.run(asked.organization, asked.at, import_deeds.lists)
    match names.match_name(given, known):
        case One(name=name):
            return known[name]
        case Ambiguous(names=several):
            raise NoSuchList(
                f"{given[:80]!r} may be the list {' or '.join(map(repr, several[:5]))}: write more"
                " of it and upload the file again. Nothing was imported."
            )
        case NoMatch(closest=closest):
            meant = f" Did you mean {closest!r}?" if closest else ""
            raise NoSuchList(
                f"There is no list {given[:80]!r}.{meant} Make it with /drip list new and upload"
                " the file again, or without list: to put nobody on a list. Nothing was imported."
            )


async def _take(
    desk: Desk, file: str, asked: Context, *, thread_ts: str, list_id: int | None
) -> None:
    """Bring one file into an import that waits for the worker, and say so in the thread."""
    organization, at = asked.organization, asked.at

    async def has_file(unit: Unit) -> bool:
        return await imports.has_file(unit, file=file)

    if await desk.database.run(organization, at, has_file):
        return
    try:
        name, blob = await _fetched(desk, file, asked, thread_ts=thread_ts)
    except NotGiven as refused:
        text = markup(":warning: {why} Nothing was imported.", why=str(refused))
        await asked.respond(in_thread(text, thread_ts))
        return

    async def begin(unit: Unit) -> None:
        new = await imports.begin(
            unit,
            file=file,
            blob=blob,
            name=name,
            actor=asked.user_id,
            channel=asked.channel_id or "",
            thread_ts=thread_ts,
            list_id=list_id,
        )
        if new is None:
            # The same file came in another message meanwhile.
            await blobs.delete(unit, blobs=[blob])
            return
        await audit.note(unit, actor=asked.user_id, action="import.upload", subject=f"import:{new}")

    await desk.database.run(organization, at, begin)


async def _fetched(desk: Desk, file: str, asked: Context, *, thread_ts: str) -> tuple[str, BlobId]:
    """Return the name of a file and where its bytes are now.

    Raises:
        NotGiven: Says why not, and what would help.
    """
    known = await about(asked.client, file)
    name = str(known.get("name") or "contacts.csv")
    size = known.get("size")
    if isinstance(size, int) and size > LARGEST:
        raise NotGiven(_too_large(name))
    reading = markup("I read {name}; the verdict on every row comes here.", name=name)
    await asked.respond(in_thread(reading, thread_ts))
    url = known.get("url_private_download") or known.get("url_private")
    if not isinstance(url, str):
        raise NotGiven(f"Slack told no address for {name!r}.")
    slack_host = urlsplit(desk.config.server.slack_url).hostname or ""
    try:
        async with download(asked.client, url, slack_host=slack_host) as content:
            blob = await blobs.write(
                desk.database,
                asked.organization,
                asked.at,
                name=name,
                mimetype="application/octet-stream",
                content=content,
                limit=LARGEST,
            )
    except TooLarge:
        raise NotGiven(_too_large(name)) from None
    return name, blob.id


def _too_large(name: str) -> str:
    return f"{name!r} is larger than 20 MB: split it into several files."


def _not_yours(desk: Desk, asked: Context) -> Markup:
    owners = desk.config.organizations[asked.organization].staff.owner
    named = joined([user(each) for each in owners if not each.startswith("+")], ", ")
    if asked.role is None:
        return markup(
            "You are not on the staff in Dripline, so nothing was imported. Ask {owners}.",
            owners=named,
        )
    return markup(
        "Importing contacts is for owners, so nothing was imported. Ask {owners}.", owners=named
    )


@tells("import_judged")
async def judged(event: StaffEvent, unit: Unit) -> tuple[Alert, ...]:
    """Say how many rows have which verdict, with the first of each, the list and the button."""
    found = await _import_of(event, unit)
    if found is None:
        return ()
    rows = sum(found.verdicts.values())
    head = markup(
        "{name}: {rows} read, {count} of them would be imported.",
        name=found.name,
        rows=counted(rows, "row"),
        count=number(found.importable),
    )
    lines = [
        _verdict_line(verdict, found.verdicts[verdict], found.samples.get(verdict))
        for verdict in Verdict
        if verdict in found.verdicts
    ]
    if (enrolls := await _enrolls(found, unit)) is not None:
        lines.append(enrolls)
    blocks: list[Block] = [section(markup("*{head}*", head=head))]
    blocks += [section(line) for line in lines]
    if (how := _how_read(found)) is not None:
        blocks.append(context(how))
    if found.verdicts_blob_id is not None:
        blocks.append(context(Markup("The verdict on every row is in the list below.")))
    value = str(Value(subject=str(found.id), version=_VERSION))
    buttons = [button("Discard", action_id="import_discard", value=value)]
    if found.importable:
        buttons.insert(
            0,
            button(
                f"Import {number(found.importable)}",
                action_id="import_start",
                value=value,
                style="primary",
            ),
        )
    blocks.append(actions(*buttons))
    return (
        Alert(
            place=_thread(found),
            message=message(joined([head, *lines]), *blocks),
            file=found.verdicts_blob_id,
        ),
    )


@tells("import_refused")
async def refused(event: StaffEvent, unit: Unit) -> tuple[Alert, ...]:
    """Say why the file as a whole cannot be used."""
    found = await _import_of(event, unit)
    if found is None:
        return ()
    text = markup(
        ":warning: {name} cannot be used. {why} Nothing was imported.",
        name=found.name,
        why=literal(found.problem or "", limit=600),
    )
    return (Alert(place=_thread(found), message=message(text, section(text))),)


@tells("import_set_aside")
async def set_aside(event: StaffEvent, unit: Unit) -> tuple[Alert, ...]:
    """Say that it fails, and what becomes of it."""
    found = await _import_of(event, unit)
    if found is None:
        return ()
    text = markup(
        ":warning: {name} failed {tries} times in a row, so it is set aside and tried again later,"
        " at longer and longer pauses; the worker's log says why it fails.",
        name=found.name,
        tries=TRIES,
    )
    return (Alert(place=_thread(found), message=message(text, section(text))),)


@tells("import_done")
async def done(event: StaffEvent, unit: Unit) -> tuple[Alert, ...]:
    """Say what importing came to."""
    found = await _import_of(event, unit)
    if found is None:
        return ()
    came_to = found.done
    text = markup(
        "{name} is imported: {new}, {updated} updated, {tags} added, {skipped} skipped.",
        name=found.name,
        new=counted(came_to.new, "new contact"),
        updated=number(came_to.updated),
        tags=counted(came_to.tags, "tag"),
        skipped=counted(came_to.skipped, "row"),
    )
    shown = section(markup(":white_check_mark: {text}", text=text))
    following = markup(
        "Next: {drip} or {broadcast}",
        drip=code("/drip campaign new <name>"),
        broadcast=code("/drip broadcast new <name> to=<who> template=<name>"),
    )
    return (Alert(place=_thread(found), message=message(text, shown, context(following))),)


async def _enrolls(found: Import, unit: Unit) -> Markup | None:
    """Return what automations would do about the file; None: they would enroll nobody."""
    if not found.enrolls:
        return None
    names = await automations.called(unit, campaigns=found.enrolls)
    listed = [
        markup("{n} in {name}", n=number(count), name=names.get(campaign, "a campaign now gone"))
        for campaign, count in sorted(found.enrolls.items())
    ]
    asking = any(each.segment_id is not None for each in await automations.all_of(unit))
    if asking:
        return markup(
            "Automations would enroll at most {listed}: some of them ask for a segment, and who is"
            " in it shows only then.",
            listed=joined(listed, ", "),
        )
    return markup("Automations would enroll {listed}.", listed=joined(listed, ", "))


async def _import_of(event: StaffEvent, unit: Unit) -> Import | None:
    return await imports.find(unit, import_id=ImportId(int(event.content["import"])))


def _how_read(found: Import) -> Markup | None:
    """Return how the file was read, the attributes it would begin, and what of it is left out."""
    if not found.reading.about:
        return None
    parts = [markup("Read as {about}.", about=found.reading.about)]
    if found.list_name is not None:
        parts.append(markup("Everybody goes on the list {name}.", name=found.list_name))
    if found.reading.guesses:
        shown = list(found.reading.guesses.items())
        listed = ", ".join(f"{name} ({type_})" for name, type_ in shown[:_ATTRIBUTES])
        parts.append(
            markup(
                "Attributes: {listed}{more}.",
                listed=listed,
                more=and_more(len(shown) - _ATTRIBUTES),
            )
        )
    if found.reading.ignored:
        parts.append(
            markup(
                "Left out, since they cannot be attributes: {columns}.",
                columns=", ".join(each[:30] for each in found.reading.ignored[:_ATTRIBUTES]),
            )
        )
    return joined(parts, " ")


_ATTRIBUTES: Final = 12


def _thread(found: Import) -> Elsewhere:
    return Elsewhere(channel=found.channel, thread_ts=found.thread_ts)


def _verdict_line(verdict: Verdict, count: int, sample: Sample | None) -> Markup:
    words = _WORDS[verdict]
    head = markup("*{count} {verdict}*", count=number(count), verdict=words[count != 1])
    if sample is None:
        return head
    shown = joined(
        [literal(each, limit=120) for each in (sample.written, sample.name) if each], ", "
    )
    remark = markup(": {why}", why=literal(sample.remark)) if sample.remark else Markup("")
    return markup(
        "{head}, the first in row {row}: {shown}{remark}",
        head=head,
        row=str(sample.row),
        shown=shown or literal("(empty)"),
        remark=remark,
    )


_WORDS: Final = {
    Verdict.NEW: ("new contact", "new contacts"),
    Verdict.UPDATE: ("known, to be updated", "known, to be updated"),
    Verdict.OPTED_OUT: (
        "opted out: to be updated, and staying opted out",
        "opted out: to be updated, and staying opted out",
    ),
    Verdict.DUPLICATE: ("duplicate", "duplicates"),
    Verdict.INVALID: ("invalid row", "invalid rows"),
}
