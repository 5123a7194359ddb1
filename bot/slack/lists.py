"""Lists: the commands about them."""

from typing import Final

from bot.slack import errand_text
from bot.slack.audience_names import meant
from bot.slack.blocks import context as small_print
from bot.slack.blocks import header, message, sections
from bot.slack.campaign_lists import next_line
from bot.slack.campaign_text import strangers_line
from bot.slack.changes import answered, told
from bot.slack.contact_pages import counted, line_of
from bot.slack.count_wanted import count_wanted
from bot.slack.desk import Desk
from bot.slack.drafting import size_of
from bot.slack.errands import at_once_done, begun, goes_on
from bot.slack.language.lists import (
    ListAdd,
    ListDelete,
    ListList,
    ListNew,
    ListRemove,
    ListRename,
    ListShow,
)
from bot.slack.markup import Markup, code, date, joined, literal, markup, user
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.words import as_word
from engine.errand import Errand, Kind
from engine.ids import ContactId
from engine.size import Asked, judged
from engine.usecases.enroll_contacts import NobodyThere
from engine.usecases.keep_list import (
    ContactList,
    Use,
    delete_list,
    fillable,
    new_list,
    rename_list,
)
from engine.usecases.resolve_audience import resolve_audience
from storage import audiences, contacts, lists, segments
from storage.campaigns import CampaignDirectory
from storage.contacts import ListedContact
from storage.database import Unit
from storage.lists import Listed, Lists

_SHOWN: Final = 10
_LISTED: Final = 40


def register(registry: Registry, desk: Desk) -> None:
    """Handle the commands."""
    _register_keeping(registry, desk)
    _register_filling(registry, desk)
    _register_looking(registry, desk)


def _register_keeping(registry: Registry, desk: Desk) -> None:
    @registry.command(ListNew)
    @refusing
    async def new(command: ListNew, asked: Context) -> Reply:
        async def work(unit: Unit) -> Reply:
            made = await new_list(
                name=command.name,
                description=command.about,
                lists=Lists(unit, asked.user_id),
            )
            return told(
                asked,
                markup("created the list *{name}*; nobody is on it yet.", name=made.name),
                next_line(f"/drip list add {as_word(made.name)} tag:<tag>"),
            )

        return await desk.database.run(asked.organization, asked.at, work)

    @registry.command(ListRename)
    @refusing
    async def rename(command: ListRename, asked: Context) -> Reply:
        async def work(unit: Unit) -> Reply:
            changed = await rename_list(
                list_id=meant(command.list, await lists.names(unit), "list"),
                name=command.name,
                description=command.about,
                lists=Lists(unit, asked.user_id),
            )
            return told(
                asked,
                markup("changed the list *{name}*.", name=changed.name),
                literal(changed.description) if changed.description else Markup(""),
            )

        return await desk.database.run(asked.organization, asked.at, work)

    @registry.command(ListDelete)
    @refusing
    async def delete(command: ListDelete, asked: Context) -> Reply:
        async def work(unit: Unit) -> Reply:
            gone = await delete_list(
                list_id=meant(command.list, await lists.names(unit), "list"),
                lists=Lists(unit, asked.user_id),
            )
            return told(
                asked,
                markup("deleted the list *{name}*; its contacts stay contacts.", name=gone.name),
            )

        return await desk.database.run(asked.organization, asked.at, work)


def _register_filling(registry: Registry, desk: Desk) -> None:
    @registry.command(ListAdd)
    @refusing
    async def add(command: ListAdd, asked: Context) -> Reply:
        return await _changed(desk, asked, command)

    @registry.command(ListRemove)
    @refusing
    async def remove(command: ListRemove, asked: Context) -> Reply:
        return await _changed(desk, asked, command)


async def _changed(desk: Desk, asked: Context, command: ListAdd | ListRemove) -> Reply:
    """Put contacts on a list or take them off, at once or by the worker."""
    prepared = await _prepared(desk, asked, command)
    if isinstance(prepared, Reply):
        return prepared
    found, ids, strangers, later = prepared
    errand = _errand(command, found)
    if later:
        return await goes_on(desk, asked, errand, found.name, len(ids), strangers)
    counts = await at_once_done(desk, asked, errand, ids)
    adds = errand.kind is Kind.LIST_ADD
    following = next_line(f"/drip list show {as_word(found.name)}") if adds else Markup("")
    return told(asked, errand_text.done(errand.kind, found.name, counts), strangers, following)


def _errand(command: ListAdd | ListRemove, found: ContactList) -> Errand:
    kind = Kind.LIST_ADD if isinstance(command, ListAdd) else Kind.LIST_REMOVE
    return Errand(kind=kind, subject=str(found.id))


async def _prepared(
    desk: Desk, asked: Context, command: ListAdd | ListRemove
) -> Reply | tuple[ContactList, list[ContactId], Markup, bool]:
    """Return a list, whom to put on it or take off, phones of nobody, if the worker does it.

    What sets automations off is held to the same sizes as sending; the answer asks for the count.

    Raises:
        NobodyThere, NobodyMeant, NoneMeant, FilledBySegment, TooLarge: Nothing is changed.
    """
    organization = desk.config.organizations[asked.organization]

    async def work(unit: Unit) -> Reply | tuple[ContactList, list[ContactId], Markup, bool]:
        mine = Lists(unit, asked.user_id)
        found = await fillable(
            list_id=meant(command.list, await lists.names(unit), "list"),
            lists=mine,
        )
        audience = await resolve_audience(
            text=command.who, country=organization.country, directory=CampaignDirectory(unit)
        )
        ids = await audiences.contacts(unit, audience=audience)
        if not ids:
            raise NobodyThere
        if found.id in await segments.lists_awaited(unit):
            wanted = judged(len(ids), size_of(command, organization))
            if wanted is not None:
                return _count_wanted(wanted, command, found)
        strangers = await audiences.strangers(unit, phones=audience.phones)
        await mine.note(command.spec.name.replace(" ", "."), found.id, contacts=len(ids))
        line = strangers_line(strangers) if strangers else Markup("")
        return found, ids, line, await begun(unit, _errand(command, found), ids, asked)

    return await desk.database.run(asked.organization, asked.at, work)


def _count_wanted(wanted: Asked, command: ListAdd | ListRemove, found: ContactList) -> Reply:
    adds = isinstance(command, ListAdd)
    return count_wanted(
        wanted,
        f"That would {'put' if adds else 'take'}",
        markup(
            "{on} *{name}*, for which an automation waits",
            on="on" if adds else "off",
            name=found.name,
        ),
        command=f"/drip {command.spec.name} {as_word(found.name)} {command.who}",
    )


def _register_looking(registry: Registry, desk: Desk) -> None:
    @registry.command(ListShow)
    @refusing
    async def show(command: ListShow, asked: Context) -> Reply:
        async with desk.database.unit(asked.organization, asked.at) as unit:
            known = {each.name: each for each in await lists.listed(unit)}
            it = meant(command.list, known, "list")
            ids = await lists.first_by_name(unit, list_id=it.id, limit=_SHOWN)
            rows = {each.id: each for each in await contacts.listed(unit, contacts=ids)}
            uses = await Lists(unit, asked.user_id).uses(it.id)
        return _shown(it, [rows[each] for each in ids if each in rows], uses)

    @registry.command(ListList)
    @refusing
    async def list_them(_: ListList, asked: Context) -> Reply:
        async with desk.database.unit(asked.organization, asked.at) as unit:
            rows = await lists.listed(unit)
        if not rows:
            return answered(
                Markup("There are no lists."),
                markup("{new} makes one.", new=code('/drip list new "Beta testers"')),
            )
        title = f"{len(rows):,} lists" if len(rows) > 1 else "1 list"
        lines = [_line(row) for row in rows[:_LISTED]]
        if rows[_LISTED:]:
            lines.append(markup("and {n} more", n=len(rows) - _LISTED))
        hint = markup("{show} says all about one.", show=code("/drip list show <list>"))
        text = joined(lines)
        return Reply(
            message=message(
                joined([literal(title), text]), header(title), *sections(text), small_print(hint)
            )
        )


def _line(row: Listed) -> Markup:
    return markup(
        "*{name}* · {n}{filled}{about}",
        name=row.name,
        n=counted(row.count),
        filled=markup(" · filled by the segment {it}", it=row.segment)
        if row.segment
        else Markup(""),
        about=markup(" · {it}", it=row.description) if row.description else Markup(""),
    )


def _shown(it: Listed, first: list[ListedContact], uses: list[Use]) -> Reply:
    lines = [markup("*{name}*: {n}", name=it.name, n=counted(it.count))]
    if it.description:
        lines.append(literal(it.description))
    if it.segment is not None:
        lines.append(
            markup(
                "Filled by the static segment {name}, refreshed {at}.",
                name=it.segment,
                at=date(it.refreshed_at) if it.refreshed_at else "never",
            )
        )
    if uses:
        lines.append(markup("Used by {uses}.", uses=", ".join(map(str, uses))))
    lines += [markup("• {line}", line=line_of(each)) for each in first]
    if it.count > len(first):
        lines.append(markup("and {n} more", n=it.count - len(first)))
    made = markup("Created {at} by {who}", at=date(it.created_at), who=user(it.created_by))
    follow = next_line(
        f"/drip list add {as_word(it.name)} <who>"
        if it.segment is None
        else f"/drip segment refresh {as_word(it.segment)}"
    )
    text = joined(lines)
    return Reply(
        message=message(joined([text, made, follow]), *sections(text), small_print(made, follow))
    )
