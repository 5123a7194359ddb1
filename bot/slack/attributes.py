"""Attributes of contacts: listing them, and changing their types."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from bot.slack import errand_text
from bot.slack.blocks import message, sections
from bot.slack.contact_pages import counted
from bot.slack.desk import Desk
from bot.slack.errands import begun, goes_on, unfit_line
from bot.slack.language.attributes import AttributeList, AttributeType
from bot.slack.markup import Markup, code, joined, markup, user
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from engine import attributes as rules
from engine import names
from engine.attributes import AttributeType as Type
from engine.attributes import Form, Retyping, ValuesUnfit
from engine.errand import Errand, Kind, at_once
from engine.ids import ContactId
from engine.names import Ambiguous, NoMatch, One
from engine.refusal import Refusal
from storage import attributes, errands, retyping
from storage.attributes import ListedAttribute
from storage.database import Unit

_SHOWN: Final = 5


class NoSuchAttribute(Refusal):
    """No attribute, or several, are called so; the message says which."""


class NotOfThatType(Refusal):
    """Some contacts have a value that the new type cannot have."""


class BeingRetyped(Refusal):
    """The attribute is on its way to another type."""


def register(registry: Registry, desk: Desk) -> None:
    """Handle the commands."""

    @registry.command(AttributeList)
    async def show(_command: AttributeList, context: Context) -> Reply:
        return await _show(desk, context)

    @registry.command(AttributeType)
    @refusing
    async def retype(command: AttributeType, context: Context) -> Reply:
        return await _retype(desk, command, context)


async def _show(desk: Desk, context: Context) -> Reply:
    listed = await desk.database.run(
        context.organization, context.at, attributes.listed, owner=True
    )
    if not listed:
        text = markup(
            "No contact has an attribute yet. {edit} gives one, and so does a file with a column of"
            " that name.",
            edit=code("/drip contact edit <contact> <attribute>=<value>"),
        )
        return Reply(message=message(text, *sections(text)))
    text = joined([_line(each) for each in listed])
    following = markup(
        "{change} changes a type; {use} in a text stands for the contact's value.",
        change=code("/drip attribute type <name> <type>"),
        use=code(f"{{{listed[0].name}}}"),
    )
    return Reply(message=message(joined([text, following]), *sections(joined([text, following]))))


def _line(attribute: ListedAttribute) -> Markup:
    return markup(
        "\N{BULLET} {name}: {type}, such as {example}; {contacts}",
        name=code(attribute.name),
        type="yes or no" if attribute.type is Type.YESNO else attribute.type,
        example=attribute.type.example,
        contacts=counted(attribute.contacts),
    )


async def _retype(desk: Desk, command: AttributeType, context: Context) -> Reply:
    """Give an attribute another type, at once or, where very many have it, by the worker."""
    form = Form.usual_in(desk.config.organizations[context.organization].country)

    async def work(unit: Unit) -> tuple[Errand, int, Counter[str]] | Reply:
        name = _meant(command.name, await attributes.known(unit))
        before = await attributes.lock(unit, name=name)
        if before is command.type:
            return _said(markup("{name} is of type {type} already.", name=code(name), type=before))
        await _check_alone(unit, name)
        errand = Errand(
            kind=Kind.CHECK, subject=str(Retyping(name=name, type=command.type, form=form))
        )
        contacts = await attributes.contacts_with(unit, name=name)
        if await begun(unit, errand, contacts, context):
            return errand, len(contacts), Counter()
        return errand, len(contacts), await _at_once(unit, errand, contacts, context)

    done = await desk.database.run(context.organization, context.at, work, owner=True)
    if isinstance(done, Reply):
        return done
    errand, contacts, counts = done
    if contacts > at_once(errand.kind):
        return await goes_on(desk, context, errand, errand.subject, contacts)
    text = markup(
        "{who} {done}",
        who=user(context.user_id),
        done=errand_text.done(Kind.RETYPE, errand.subject, counts),
    )
    return Reply(message=_said(text).message, in_channel=True)


async def _check_alone(unit: Unit, name: str) -> None:
    """Keep two from giving one attribute two types at once; the caller holds its lock."""
    for each in await errands.under_way(unit, limit=None):
        if each.errand.kind in {Kind.CHECK, Kind.RETYPE}:
            other = Retyping.parse(each.errand.subject)
            if other.name == name:
                raise BeingRetyped(
                    f"{name} is being made of type {other.type} already; /drip status shows how"
                    " far that is."
                )


async def _at_once(
    unit: Unit, errand: Errand, contacts: Sequence[ContactId], context: Context
) -> Counter[str]:
    wanted = Retyping.parse(errand.subject)
    try:
        counts = await retyping.rewrite(unit, wanted, contacts)
    except ValuesUnfit as unfit:
        why = await unfit_line(unit, wanted, unfit.count, unfit.contacts)
        raise NotOfThatType(why) from unfit
    await attributes.retype(unit, name=wanted.name, type_=wanted.type)
    await retyping.note(unit, wanted, by=context.user_id)
    return counts


def _meant(given: str, known: dict[str, Type]) -> str:
    try:
        wanted = rules.name(given)
    except (names.InvalidName, rules.ReservedName) as error:
        raise NoSuchAttribute(
            f"{given[:40]!r} is no attribute. {error} /drip attribute list shows them."
        ) from error
    match names.match_name(wanted, known):
        case One(name=name):
            return name
        case Ambiguous(names=several):
            raise NoSuchAttribute(
                f"{given[:40]!r} may be {' or '.join(several[:_SHOWN])}: write more of it."
            )
        case NoMatch(closest=closest):
            meant = f" Did you mean {closest}?" if closest else " /drip attribute list shows them."
            raise NoSuchAttribute(f"No contact has an attribute {given[:40]!r}.{meant}")


def _said(text: Markup) -> Reply:
    return Reply(message=message(text, *sections(text)))
