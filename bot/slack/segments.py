"""Segments: the commands about them."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from bot.slack import errand_text
from bot.slack.audience_names import NoneMeant, meant
from bot.slack.blocks import context as small_print
from bot.slack.blocks import header, message, sections
from bot.slack.campaign_lists import next_line
from bot.slack.changes import answered, told
from bot.slack.contact_pages import counted, line_of
from bot.slack.count_wanted import count_wanted
from bot.slack.desk import Desk
from bot.slack.drafting import size_of
from bot.slack.errands import begun, goes_on
from bot.slack.language.segments import (
    SegmentDelete,
    SegmentEdit,
    SegmentList,
    SegmentNew,
    SegmentPreview,
    SegmentRefresh,
    SegmentShow,
)
from bot.slack.markup import Markup, code, date, joined, literal, markup, user
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.words import as_word
from engine import names
from engine.errand import Kind
from engine.refusal import Refusal
from engine.segment import Definition, OnList
from engine.segment_parser import InvalidSegment, parse
from engine.segment_text import Known, show
from engine.size import Asked, judged
from engine.usecases.keep_segment import (
    NoSuchSegment,
    Segment,
    delete_segment,
    edit_segment,
    new_segment,
)
from storage import contacts, members, refilling, segment_names, segments
from storage.contacts import ListedContact
from storage.database import Unit
from storage.lists import Lists
from storage.segments import Segments

_SHOWN: Final = 10
_LISTED: Final = 40


class NotDefined(Refusal):
    """The definition cannot be read; the message says where and what would do."""


class NotStatic(Refusal):
    """A dynamic segment has nothing to refresh."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{as_word(name)} is dynamic, so it follows by itself;"
            f" /drip segment edit {as_word(name)} static=yes makes it a list that stays."
        )


class BeingFilled(Refusal):
    """Its list is on its way to what it was asked to be."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{as_word(name)} is being refreshed already; /drip status shows how far that is."
        )


def register(registry: Registry, desk: Desk) -> None:
    """Handle the commands."""
    _register_keeping(registry, desk)
    _register_looking(registry, desk)


def _register_keeping(registry: Registry, desk: Desk) -> None:
    @registry.command(SegmentNew)
    @refusing
    async def new(command: SegmentNew, asked: Context) -> Reply:
        return await _new(desk, asked, command)

    @registry.command(SegmentEdit)
    @refusing
    async def edit(command: SegmentEdit, asked: Context) -> Reply:
        return await _edit(desk, asked, command)

    @registry.command(SegmentRefresh)
    @refusing
    async def refresh(command: SegmentRefresh, asked: Context) -> Reply:
        return await _refresh(desk, asked, command)

    @registry.command(SegmentDelete)
    @refusing
    async def delete(command: SegmentDelete, asked: Context) -> Reply:
        return await _delete(desk, asked, command)


async def _new(desk: Desk, asked: Context, command: SegmentNew) -> Reply:
    async def work(unit: Unit) -> tuple[Segment, Known, bool]:
        known = await segment_names.known(unit)
        made = await new_segment(
            name=command.name,
            description=command.about,
            definition=_defined(desk, asked, command.definition, known),
            static=command.static,
            segments=Segments(unit, asked.user_id),
            lists=Lists(unit, asked.user_id),
        )
        return made, known, made.static and await _filled_later(unit, asked, made)

    made, known, later = await desk.database.run(asked.organization, asked.at, work)
    return await _kept(desk, asked, made, known, "created", later=later)


async def _edit(desk: Desk, asked: Context, command: SegmentEdit) -> Reply:
    async def work(unit: Unit) -> tuple[Segment, Known, bool]:
        known = await segment_names.known(unit)
        written = command.definition
        changed = await edit_segment(
            segment=meant(command.segment, known.segments, "segment"),
            name=command.name,
            description=command.about,
            definition=None if written is None else _defined(desk, asked, written, known),
            static=command.static,
            segments=Segments(unit, asked.user_id),
            lists=Lists(unit, asked.user_id),
        )
        empty = changed.static and changed.refreshed_at is None
        later = (
            empty
            and not await refilling.pending(unit, changed)
            and await _filled_later(unit, asked, changed)
        )
        return changed, known, later

    changed, known, later = await desk.database.run(asked.organization, asked.at, work)
    return await _kept(desk, asked, changed, known, "changed", later=later)


async def _filled_later(unit: Unit, asked: Context, made: Segment) -> bool:
    """Fill the list of a static segment; whether the worker does, since they are so many."""
    signed = await refilling.differing(unit, made)
    if await begun(unit, refilling.errand(made), signed, asked):
        return True
    await refilling.refill(unit, made, signed, by=asked.user_id)
    return False


async def _refresh(desk: Desk, asked: Context, command: SegmentRefresh) -> Reply:
    organization = desk.config.organizations[asked.organization]

    async def work(unit: Unit) -> tuple[Segment, int, Counter[str] | None] | Reply:
        found = await _locked(unit, asked, command.segment)
        if found.list_id is None:
            raise NotStatic(found.name)
        if await refilling.pending(unit, found):
            raise BeingFilled(found.name)
        signed = await refilling.differing(unit, found)
        if found.list_id in await segments.lists_awaited(unit):
            wanted = judged(len(signed), size_of(command, organization))
            if wanted is not None:
                return _count_wanted(wanted, found)
        await Segments(unit, asked.user_id).note("segment.refresh", found.id, contacts=len(signed))
        if await begun(unit, refilling.errand(found), signed, asked):
            return found, len(signed), None
        return found, len(signed), await refilling.refill(unit, found, signed, by=asked.user_id)

    done = await desk.database.run(asked.organization, asked.at, work)
    if isinstance(done, Reply):
        return done
    found, contacts, counts = done
    if counts is None:
        return await goes_on(desk, asked, refilling.errand(found), found.name, contacts)
    return told(
        asked,
        errand_text.done(Kind.REFRESH, found.name, counts),
        next_line(f"/drip segment show {as_word(found.name)}"),
    )


def _count_wanted(wanted: Asked, found: Segment) -> Reply:
    return count_wanted(
        wanted,
        "That would change",
        markup("of *{name}*, for which an automation waits", name=found.name),
        command=f"/drip segment refresh {as_word(found.name)}",
    )


async def _delete(desk: Desk, asked: Context, command: SegmentDelete) -> Reply:
    async def work(unit: Unit) -> Reply:
        gone = await delete_segment(
            segment=meant(command.segment, await segments.names(unit), "segment"),
            segments=Segments(unit, asked.user_id),
            lists=Lists(unit, asked.user_id),
        )
        return told(
            asked,
            markup("deleted the segment *{name}*; its contacts stay contacts.", name=gone.name),
        )

    return await desk.database.run(asked.organization, asked.at, work)


async def _kept(
    desk: Desk, asked: Context, kept: Segment, known: Known, done: str, *, later: bool
) -> Reply:
    """Tell what was done.

    Args:
        later: The worker fills its list.
    """
    async with desk.database.unit(asked.organization, asked.at) as unit:
        count = (await members.preview(unit, definition=_now(kept), limit=0)).count
    if later:
        await desk.queue.wake_job("run_errands", asked.organization)
    refreshing = (
        markup(
            "It is static: {refresh} makes its list anew.",
            refresh=code(f"/drip segment refresh {as_word(kept.name)}"),
        )
        if kept.static
        else Markup("")
    )
    return told(
        asked,
        markup("{done} the segment *{name}*: {n}.", done=done, name=kept.name, n=counted(count)),
        markup("Definition: {it}", it=code(show(kept.definition.where, known))),
        markup(
            "Its list is being filled, which goes on by itself; {status} shows how far it is.",
            status=code("/drip status"),
        )
        if later
        else Markup(""),
        refreshing,
        next_line(f"/drip segment preview {as_word(kept.name)}"),
    )


def _register_looking(registry: Registry, desk: Desk) -> None:
    @registry.command(SegmentPreview)
    @refusing
    async def preview(command: SegmentPreview, asked: Context) -> Reply:
        return await _preview(desk, asked, command)

    @registry.command(SegmentShow)
    @refusing
    async def show_it(command: SegmentShow, asked: Context) -> Reply:
        return await _show(desk, asked, command)

    @registry.command(SegmentList)
    @refusing
    async def list_them(_: SegmentList, asked: Context) -> Reply:
        async with desk.database.unit(asked.organization, asked.at) as unit:
            known = await segment_names.known(unit)
            rows = await segments.listed(unit)
        if not rows:
            new = '/drip segment new "Hot leads" tag:lead and last_reply within 30d'
            return answered(
                Markup("There are no segments."), markup("{it} makes one.", it=code(new))
            )
        title = f"{len(rows):,} segments" if len(rows) > 1 else "1 segment"
        lines = [
            markup(
                "*{name}* · {kind} · {definition}{about}",
                name=row.name,
                kind=_kind(row),
                definition=code(show(row.definition.where, known)),
                about=markup(" · {it}", it=row.description) if row.description else Markup(""),
            )
            for row in rows[:_LISTED]
        ]
        if rows[_LISTED:]:
            lines.append(markup("and {n} more", n=len(rows) - _LISTED))
        hint = markup("{show} says all about one.", show=code("/drip segment show <segment>"))
        text = joined(lines)
        return Reply(
            message=message(
                joined([literal(title), text]), header(title), *sections(text), small_print(hint)
            )
        )


async def _preview(desk: Desk, asked: Context, command: SegmentPreview) -> Reply:
    async with desk.database.unit(asked.organization, asked.at) as unit:
        known = await segment_names.known(unit)
        named = _segment_or_none(command.text, known)
        if named is None:
            title = "This definition"
            definition = _defined(desk, asked, command.text, known)
        else:
            found = await _locked(unit, asked, command.text)
            title, definition = found.name, found.definition
        seen = await members.preview(unit, definition=definition, limit=_SHOWN)
        rows = await contacts.listed(unit, contacts=seen.first)
    text = joined(
        [
            markup("*{title}* holds {n} now.", title=title, n=counted(seen.count)),
            code(show(definition.where, known)),
            *_contact_lines(rows, seen.count),
        ]
    )
    return Reply(message=message(text, *sections(text)))


async def _show(desk: Desk, asked: Context, command: SegmentShow) -> Reply:
    async with desk.database.unit(asked.organization, asked.at) as unit:
        known = await segment_names.known(unit)
        it = await _locked(unit, asked, command.segment)
        seen = await members.preview(unit, definition=_now(it), limit=_SHOWN)
        uses = await Segments(unit, asked.user_id).uses(it.id)
        rows = await contacts.listed(unit, contacts=seen.first)
    lines = [
        markup("*{name}* ({kind}): {n}", name=it.name, kind=_kind(it), n=counted(seen.count)),
        literal(it.description) if it.description else Markup(""),
        markup("Definition: {it}", it=code(show(it.definition.where, known))),
        markup("Used by {uses}.", uses=", ".join(map(str, uses))) if uses else Markup(""),
        *_contact_lines(rows, seen.count),
    ]
    made = markup("Created {at} by {who}", at=date(it.created_at), who=user(it.created_by))
    follow = next_line(f"/drip broadcast new <name> to=segment:{as_word(it.name)} template=…")
    text = joined([line for line in lines if line])
    return Reply(
        message=message(joined([text, made, follow]), *sections(text), small_print(made, follow))
    )


def _kind(segment: Segment) -> Markup:
    if not segment.static:
        return Markup("dynamic")
    if segment.refreshed_at is None:
        return Markup("static, being filled")
    return markup("static, refreshed {at}", at=date(segment.refreshed_at))


def _contact_lines(rows: Sequence[ListedContact], count: int) -> list[Markup]:
    lines = [markup("• {line}", line=line_of(each)) for each in rows]
    if count > len(rows):
        lines.append(markup("and {n} more", n=count - len(rows)))
    return lines


def _now(segment: Segment) -> Definition:
    """Return whom a segment holds: of a static one, its list, once it is filled."""
    if segment.list_id is None or segment.refreshed_at is None:
        return segment.definition
    return Definition(where=OnList(segment.list_id), zone=segment.definition.zone)


def _defined(desk: Desk, asked: Context, text: str, known: Known) -> Definition:
    zone = desk.config.organizations[asked.organization].timezone
    try:
        return Definition(where=parse(_bare(text), known), zone=zone.key)
    except InvalidSegment as error:
        raise NotDefined(str(error)) from error


def _bare(text: str) -> str:
    r"""Return a definition written all in quotes without them.

    >>> _bare('"tag:lead and city is \\"Paris\\""')
    'tag:lead and city is "Paris"'
    """
    inside = text[1:-1]
    alone = text[:1] == text[-1:] == '"' and '"' not in inside.replace('\\"', "")
    return inside.replace('\\"', '"').replace("\\\\", "\\") if alone else text


def _segment_or_none(text: str, known: Known) -> str | None:
    """Return the segment a text names; None: it is a definition."""
    match names.match_name(_bare(text), known.segments):
        case names.One(name=name):
            return name
        case names.Ambiguous():
            raise NoneMeant(f"{text} may be several segments: write more of the name.")
        case _:
            return None


async def _locked(unit: Unit, asked: Context, name: str) -> Segment:
    found = meant(_bare(name), await segments.names(unit), "segment")
    it = await Segments(unit, asked.user_id).lock(found)
    if it is None:
        raise NoSuchSegment
    return it
