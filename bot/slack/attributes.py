"""Attributes of contacts: listing them, and changing their types."""

from collections import Counter
from typing import Final

from bot.slack.blocks import message, sections
from bot.slack.contact_pages import counted
from bot.slack.desk import Desk
from bot.slack.language.attributes import AttributeList, AttributeType
from bot.slack.markup import Markup, code, joined, markup, user
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from engine import attributes as rules
from engine import names
from engine.attributes import AttributeType as Type
from engine.attributes import Form
from engine.ids import ContactId
from engine.names import Ambiguous, NoMatch, One
from engine.refusal import Refusal
from storage import attributes, audit
from storage.attributes import ListedAttribute
from storage.database import Unit

_SLICE: Final = 2_000
_SHOWN: Final = 5
_LONGEST_SHOWN: Final = 60


class NoSuchAttribute(Refusal):
    """No attribute, or several, are called so; the message says which."""


class ValuesUnfit(Refusal):
    """Some contacts have a value that the new type cannot have."""


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
    """Check all values, write them in the new type's form, and only then change the type.

    In this order a process that dies leaves texts, which any value is, and never a value that is
    not of its attribute's type.
    """
    known = await desk.database.run(context.organization, context.at, attributes.known)
    name = _meant(command.name, known)
    if known[name] is command.type:
        return _said(markup("{name} is of type {type} already.", name=code(name), type=known[name]))
    form = Form.usual_in(desk.config.organizations[context.organization].country)
    await _check(desk, context, name, command.type, form)
    changed = await _rewrite(desk, context, name, command.type, form)

    async def finish(unit: Unit) -> None:
        await attributes.lock(unit, name=name)
        # Written while the others were looked at.
        late = await attributes.values_after(
            unit, name=name, after=ContactId(0), limit=_SLICE, since=context.at
        )
        changes, unfit = _sorted(late, command.type, form)
        if unfit:
            raise _refusal(name, command.type, unfit)
        await attributes.rewrite(unit, name=name, changes=changes)
        await attributes.retype(unit, name=name, type_=command.type)
        await audit.note(
            unit,
            actor=context.user_id,
            action="attribute.type",
            subject=f"attribute:{name}",
            content={"type": command.type},
        )

    await desk.database.run(context.organization, context.at, finish, owner=True)
    return Reply(
        message=_said(
            markup(
                "{who} made {name} of type {type}{written}.",
                who=user(context.user_id),
                name=code(name),
                type=command.type,
                written=markup("; {n} were written anew", n=counted(changed, "value"))
                if changed
                else Markup(""),
            )
        ).message,
        in_channel=True,
    )


async def _check(desk: Desk, context: Context, name: str, type_: Type, form: Form) -> None:
    unfit: Counter[str] = Counter()
    after = ContactId(0)
    while values := await _values(desk, context, name, after):
        unfit.update(_sorted(values, type_, form)[1])
        after = values[-1][0]
    if unfit:
        raise _refusal(name, type_, unfit)


async def _rewrite(desk: Desk, context: Context, name: str, type_: Type, form: Form) -> int:
    changed = 0
    after = ContactId(0)
    while values := await _values(desk, context, name, after):
        changes, _ = _sorted(values, type_, form)
        after = values[-1][0]
        changed += len(changes)

        async def write(unit: Unit, changes: list[tuple[ContactId, str, str]] = changes) -> None:
            await attributes.rewrite(unit, name=name, changes=changes)

        await desk.database.run(context.organization, context.at, write, owner=True)
    return changed


async def _values(
    desk: Desk, context: Context, name: str, after: ContactId
) -> list[tuple[ContactId, str]]:
    return await desk.database.run(
        context.organization,
        context.at,
        lambda unit: attributes.values_after(unit, name=name, after=after, limit=_SLICE),
        owner=True,
    )


def _sorted(
    values: list[tuple[ContactId, str]], type_: Type, form: Form
) -> tuple[list[tuple[ContactId, str, str]], Counter[str]]:
    """Return (contact, old, new) of values that change, and the values that do not fit."""
    counts = Counter(value for _, value in values)
    become, unfit = rules.retyped(counts, type_, form=form)
    changes = [
        (contact, value, become[value])
        for contact, value in values
        if become.get(value, value) != value
    ]
    return changes, Counter(unfit)


def _refusal(name: str, type_: Type, unfit: Counter[str]) -> ValuesUnfit:
    shown = ", ".join(repr(value[:_LONGEST_SHOWN]) for value in list(unfit)[:_SHOWN])
    count = counted(unfit.total())
    return ValuesUnfit(
        f"{count} {'has' if unfit.total() == 1 else 'have'} a value of {name} that is not"
        f" {type_.must_be}, such as {type_.example}: {shown}. Nothing was changed; correct"
        f" them with /drip contact edit <contact> {name}=<value>, or by a file."
    )


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
