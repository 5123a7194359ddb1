"""Contacts: adding, looking up, tagging, and consent as staff record it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.slack import contact_pages, errand_text
from bot.slack.blocks import message, section
from bot.slack.contact_pages import Page, counted
from bot.slack.desk import Desk
from bot.slack.errands import at_once_done, begun, goes_on
from bot.slack.language.contacts import (
    ContactAdd,
    ContactEdit,
    ContactFind,
    ContactOptin,
    ContactOptout,
    ContactShow,
    ContactTag,
    ContactUntag,
)
from bot.slack.markup import Markup, code, joined, literal, markup, user
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.words import quoted
from engine import names, who
from engine import phone as phones
from engine.audience import Audience
from engine.errand import Errand, Kind
from engine.ids import ContactId, OrganizationId
from engine.phone import InvalidPhone, Phone
from engine.refusal import Refusal
from engine.size import Asked, Size, judged
from engine.usecases.add_contact import add_contact, edit_contact
from engine.usecases.resolve_audience import resolve_audience
from storage import audiences, audit, contacts, tags
from storage.campaigns import CampaignDirectory
from storage.contacts import ListedContact
from storage.database import Unit
from storage.staff_acts import StaffBook

_LISTED: Final = 10
_SHOWN: Final = 5
_STRANGERS: Final = 5
_KIND: Final = re.compile(r"\s*(?:tag|list|segment|campaign|phone)\s*:", re.IGNORECASE)


def register(registry: Registry, desk: Desk) -> None:
    """Handle the commands."""

    @registry.command(ContactAdd)
    @refusing
    async def add(command: ContactAdd, context: Context) -> Reply:
        return await _add(desk, command, context)

    @registry.command(ContactEdit)
    @refusing
    async def edit(command: ContactEdit, context: Context) -> Reply:
        return await _edit(desk, command, context)

    @registry.command(ContactShow)
    @refusing
    async def show(command: ContactShow, context: Context) -> Reply:
        return await _show(desk, command, context)

    @registry.command(ContactFind)
    @refusing
    async def find(command: ContactFind, context: Context) -> Reply:
        return await _find(desk, command, context)

    @registry.command(ContactTag)
    @refusing
    async def tag(command: ContactTag, context: Context) -> Reply:
        return await _tag(desk, command, context)

    @registry.command(ContactUntag)
    @refusing
    async def untag(command: ContactUntag, context: Context) -> Reply:
        return await _untag(desk, command, context)

    @registry.command(ContactOptout)
    @refusing
    async def optout(command: ContactOptout, context: Context) -> Reply:
        return await _consent(desk, command, context)

    @registry.command(ContactOptin)
    @refusing
    async def optin(command: ContactOptin, context: Context) -> Reply:
        return await _consent(desk, command, context)


class NoSuchTag(Refusal):
    """No contact has the tag that is to be taken off."""


class NoSuchContact(Refusal):
    """Nobody is called so, or several are; the message says which."""


async def _add(desk: Desk, command: ContactAdd, context: Context) -> Reply:
    named = (
        ("name", command.name),
        ("first_name", command.first_name),
        ("email", command.email),
        ("company", command.company),
    )
    said = [(heading, value) for heading, value in named if value is not None]
    added = await desk.database.run(
        context.organization,
        context.at,
        lambda unit: add_contact(
            phone=command.phone,
            country=_country(desk, context.organization),
            said=[*said, *command.attributes],
            tags=command.tags,
            source=f"slack:{context.user_id}",
            book=StaffBook(unit, actor=context.user_id),
        ),
    )
    # Its triggers wait as occurrences, which the worker finds by itself within a second.
    await desk.queue.wake_job("enroll_triggered", context.organization)
    text = markup(
        "{who} added {name}{tags}. {show} shows all about them.",
        who=user(context.user_id),
        name=joined(
            [literal(each) for each in (added.person.name, added.phone) if each is not None], ", "
        ),
        tags=_tagged(added.person.tags),
        show=code(f"/drip contact show {added.phone}"),
    )
    return Reply(message=message(text, section(text)), in_channel=True)


async def _edit(desk: Desk, command: ContactEdit, context: Context) -> Reply:
    contact = await one_contact(desk, context, command.contact)
    named = (
        ("name", command.name),
        ("first_name", command.first_name),
        ("email", command.email),
        ("company", command.company),
    )
    said = [(heading, value) for heading, value in named if value is not None]
    edited = await desk.database.run(
        context.organization,
        context.at,
        lambda unit: edit_contact(
            contact=contact,
            country=_country(desk, context.organization),
            said=[*said, *command.attributes],
            book=StaffBook(unit, actor=context.user_id),
        ),
    )
    facts = [(label, getattr(edited.person, label)) for label in _EDITABLE]
    facts += edited.person.attributes
    changes = [
        markup("{label} is now {value}", label=label, value=value)
        for label, value in facts
        if value is not None
    ]
    changes += [markup("{label} is removed", label=label) for label in edited.removed]
    text = markup(
        "{who} changed {contact}: {changes}.",
        who=user(context.user_id),
        contact=literal(command.contact, limit=_LONGEST_NAME),
        changes=joined(changes, "; "),
    )
    return Reply(message=message(text, section(text)), in_channel=True)


_EDITABLE: Final = ("name", "first_name", "company", "email", "language", "timezone")
_LONGEST_NAME: Final = 80


async def _show(desk: Desk, command: ContactShow, context: Context) -> Reply:
    contact = await one_contact(desk, context, command.contact)

    async def look(unit: Unit) -> Page:
        profile = await contacts.profile(unit, contact=contact)
        if profile is None:
            raise NoSuchContact("That contact was deleted a moment ago.")
        return Page(
            profile=profile,
            acts=await contacts.acts(unit, contact=contact),
            messages=await contacts.last_messages(unit, contact=contact, limit=_SHOWN),
            enrollments=await contacts.last_enrollments(unit, contact=contact, limit=_SHOWN),
        )

    page = await desk.database.run(context.organization, context.at, look)
    return Reply(message=contact_pages.page(page))


async def _find(desk: Desk, command: ContactFind, context: Context) -> Reply:
    country = _country(desk, context.organization)
    by_who = _is_who(command.text, country)

    async def members(unit: Unit) -> tuple[list[ListedContact], int]:
        audience = await _audience(unit, command.text, country)
        ids = await audiences.contacts(unit, audience=audience)
        return await contacts.listed(unit, contacts=ids[:_LISTED]), len(ids)

    async def with_text(unit: Unit) -> tuple[list[ListedContact], int]:
        plain = names.cleaned(command.text.replace('"', ""))
        return await contacts.with_text(unit, text=plain, limit=_LISTED)

    listed, total = await desk.database.run(
        context.organization,
        context.at,
        members if by_who else with_text,
        owner=not by_who,
    )
    return Reply(message=contact_pages.found(listed, total, asked=names.echoed(command.text)))


async def _tag(desk: Desk, command: ContactTag, context: Context) -> Reply:
    reply = await _changed(
        desk,
        context,
        command.who,
        Errand(kind=Kind.TAG, subject=command.tag),
        count=command.count,
        command=f"contact tag {command.who} {quoted(command.tag)}",
        would="would be tagged",
    )
    await desk.queue.wake_job("enroll_triggered", context.organization)
    return reply


async def _must_be_there(desk: Desk, context: Context, tag: str) -> None:
    async with desk.database.unit(context.organization, context.at) as unit:
        known = await tags.known(unit)
    if tag not in known:
        closest = names.closest(tag, known)
        hint = (
            f"Did you mean {quoted(closest)}?"
            if closest
            else "/drip contact show <contact> shows the tags of one."
        )
        raise NoSuchTag(f"No contact has the tag {quoted(tag)}. {hint}")


async def _untag(desk: Desk, command: ContactUntag, context: Context) -> Reply:
    await _must_be_there(desk, context, command.tag)
    return await _changed(
        desk,
        context,
        command.who,
        Errand(kind=Kind.UNTAG, subject=command.tag),
        count=command.count,
        command=f"contact untag {command.who} {quoted(command.tag)}",
        would="would lose the tag",
    )


async def _consent(desk: Desk, command: ContactOptout | ContactOptin, context: Context) -> Reply:
    out = isinstance(command, ContactOptout)
    return await _changed(
        desk,
        context,
        command.who,
        Errand(kind=Kind.OPT_OUT if out else Kind.OPT_IN),
        count=command.count,
        command=f"{command.spec.name} {command.who}",
        would=f"would be opted {'out' if out else 'in'}",
    )


async def _changed(
    desk: Desk,
    context: Context,
    who: str,
    errand: Errand,
    *,
    count: int | None,
    command: str,
    would: str,
) -> Reply:
    """Do it to whom *who* means, at once or, where they are many, by the worker.

    Raises:
        NobodyMeant, TooLarge, NoSuchContact: Nothing is changed.
    """
    whom = await _whom(desk, context, who, errand, count=count)
    if isinstance(whom, Asked):
        return _confirm(whom, command, would)
    strangers = _strangers(whom.strangers)
    if whom.later:
        return await goes_on(desk, context, errand, errand.subject, len(whom.ids), strangers)
    counts = await at_once_done(desk, context, errand, whom.ids)
    said = [
        errand_text.done(errand.kind, errand.subject, counts),
        *errand_text.besides(errand.kind, counts),
    ]
    text = markup(
        "{who} {said}{strangers}",
        who=user(context.user_id),
        said=joined(said, " "),
        strangers=strangers,
    )
    return Reply(message=message(text, section(text)), in_channel=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whom:
    """The contacts a command is about, and the phones in it that are nobody's.

    Attributes:
        later: Whether the worker does it to them.
    """

    ids: Sequence[ContactId]
    strangers: Sequence[Phone]
    later: bool


async def _whom(
    desk: Desk, context: Context, text: str, errand: Errand, *, count: int | None
) -> _Whom | Asked:
    """Find whom a change is about, and write its audit entry unless the count is asked for first.

    Raises:
        NobodyMeant, TooLarge, NoSuchContact: Nothing is changed.
    """
    sending = desk.config.organizations[context.organization].sending
    # Tags set off triggers, so what holds for sending holds for them.
    starts_campaigns = errand.kind is Kind.TAG
    size = Size(
        large=sending.large_campaign or 0,
        approval=(sending.approval_above or 0) if starts_campaigns else 0,
        count=count,
    )
    content = {"tag": errand.subject} if errand.subject else {}

    async def find(unit: Unit) -> _Whom | Asked:
        audience = await _audience(unit, text, _country(desk, context.organization))
        ids = await audiences.contacts(unit, audience=audience)
        strangers = await audiences.strangers(unit, phones=audience.phones)
        if not ids:
            raise NoSuchContact(f"{text} is nobody yet. Nothing was changed.")
        asked = judged(len(ids), size)
        if asked is not None:
            return asked
        await audit.note(
            unit,
            actor=context.user_id,
            action=f"contact.{errand.kind}",
            subject=f"contact:{ids[0]}" if len(ids) == 1 else "contacts",
            content={**content, "contacts": len(ids)},
        )
        later = await begun(unit, errand, ids, context)
        return _Whom(ids=ids, strangers=strangers, later=later)

    return await desk.database.run(context.organization, context.at, find)


async def _audience(unit: Unit, text: str, country: str | None) -> Audience:
    return await resolve_audience(text=text, country=country, directory=CampaignDirectory(unit))


_WRITTEN_AS_PHONE: Final = re.compile(r"\+[\d\s().-]{3,40}")


async def one_contact(desk: Desk, context: Context, text: str) -> ContactId:
    """Return whom a phone, or the unique beginning of a name, means.

    Raises:
        NoSuchContact: Nobody, or several.
    """
    try:
        number = phones.parse(text, country=_country(desk, context.organization))
    except InvalidPhone as error:
        if _WRITTEN_AS_PHONE.fullmatch(text.strip()):
            raise NoSuchContact(f"{text.strip()!r} is no phone. {error.reason}") from error
        # Under row level security a pattern would be tried on every row of the table.
        return await desk.database.run(
            context.organization, context.at, lambda unit: _called(unit, text), owner=True
        )
    reached = await desk.database.run(
        context.organization, context.at, lambda unit: contacts.reached(unit, phones=[number])
    )
    found = reached.get(number)
    if found is None:
        raise NoSuchContact(f"{number} is no contact; /drip contact add {number} makes it one.")
    return found.id


async def _called(unit: Unit, text: str) -> ContactId:
    beginning = await contacts.called(unit, beginning=text, limit=_LISTED)
    exact = [
        each
        for each in beginning
        if names.folded(text)
        in {names.folded(name) for name in (each.name, each.first_name) if name}
    ]
    candidates = exact or beginning
    match candidates:
        case [only]:
            return only.id
        case []:
            raise NoSuchContact(
                f"No contact's name begins with {names.echoed(text)!r}. /drip contact find looks"
                " inside names, companies, addresses and phones."
            )
        case several:
            listed = "; ".join(
                ", ".join(part for part in (each.name or each.first_name, each.phone) if part)
                for each in several
            )
            raise NoSuchContact(f"{names.echoed(text)!r} may be {listed}. Write the phone.")


def _is_who(text: str, country: str | None) -> bool:
    """Whether a search is for a `<who>` rather than for a text."""
    if _KIND.match(text):
        return True
    try:
        who.parse(text, country=country)
    except who.InvalidWho:
        return False
    return True


def _country(desk: Desk, organization: OrganizationId) -> str | None:
    return desk.config.organizations[organization].country


def _confirm(asked: Asked, command: str, what: str) -> Reply:
    wrong = (
        markup(" You wrote {given}.", given=asked.given) if asked.given is not None else Markup("")
    )
    text = markup(
        "{count} {what}.{wrong} Nothing was changed. To do it, say how many: {command}",
        count=counted(asked.recipients),
        what=what,
        wrong=wrong,
        command=code(f"/drip {command} count={asked.recipients}"),
    )
    return Reply(message=message(text, section(text)))


def _tagged(tags: Sequence[str]) -> Markup:
    return markup(", tagged {tags}", tags=", ".join(tags)) if tags else Markup("")


def _others(count: int, what: str) -> Markup:
    return markup(" ({count} {what})", count=count, what=what) if count else Markup("")


def _strangers(strangers: Sequence[Phone]) -> Markup:
    if not strangers:
        return Markup("")
    more = len(strangers) - _STRANGERS
    return markup(
        " No contact: {listed}{more}.",
        listed=", ".join(strangers[:_STRANGERS]),
        more=markup(" and {n} more", n=more) if more > 0 else Markup(""),
    )
