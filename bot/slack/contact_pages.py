"""How contacts are shown: one of them in full, and lists of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.slack.blocks import (
    Block,
    Message,
    context,
    divider,
    fields,
    header,
    message,
    section,
    sections,
)
from bot.slack.markup import Markup, code, date, joined, literal, markup, number, user
from engine.consent import Act, Consent
from engine.reasons import Reason
from storage.contacts import EnrollmentLine, LedgerAct, ListedContact, Profile, SentMessage

_UNNAMED: Final = "(no name)"
_KINDS: Final = {
    "phone": "phone",
    "wa_id": "WhatsApp id",
    "bsuid": "WhatsApp user id",
    "parent_bsuid": "WhatsApp user id of the group",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A contact with what was done and sent, the latest first."""

    profile: Profile
    acts: Sequence[LedgerAct]
    messages: Sequence[SentMessage]
    enrollments: Sequence[EnrollmentLine]


def page(shown: Page) -> Message:
    """Show a contact in full."""
    profile = shown.profile
    name = profile.name or profile.first_name or _UNNAMED
    phone = phone_of(profile)
    consent = consent_line(profile.consent, shown.acts)
    text = markup(
        "{name}, {phone}: {consent}", name=name, phone=phone or "no phone", consent=consent
    )
    blocks: list[Block] = [
        header(name),
        *fields(_facts(profile)),
        section(markup("*Consent*\n{consent}", consent=consent)),
    ]
    if shown.enrollments:
        listed = joined([_enrollment(each) for each in shown.enrollments])
        blocks += sections(markup("*Campaigns*\n{listed}", listed=listed))
    if shown.messages:
        listed = joined([_message(each) for each in shown.messages])
        blocks += sections(markup("*Last messages*\n{listed}", listed=listed))
    blocks += [divider(), context(_next_steps(phone, profile.consent))]
    return message(text, *blocks)


def found(contacts: Sequence[ListedContact], total: int, *, asked: str) -> Message:
    """Show the first of *total* contacts."""
    if not contacts:
        text = markup(
            "No contact fits {asked}. {add} adds one; part of a name, company, address or phone"
            " finds them.",
            asked=asked,
            add=code("/drip contact add <phone>"),
        )
        return message(text, section(text))
    head = markup(
        "{count} {noun} for {asked}",
        count=total,
        noun="contact" if total == 1 else "contacts",
        asked=asked,
    )
    lines = joined([markup("• {line}", line=line_of(each)) for each in contacts])
    hints = [markup("{show} shows one in full.", show=code("/drip contact show <phone or name>"))]
    if total > len(contacts):
        hints.insert(
            0,
            markup(
                "The first {n} of {total}; write more to narrow it down.",
                n=len(contacts),
                total=total,
            ),
        )
    whole = joined([markup("{head}:", head=head), lines])
    return message(whole, section(markup("*{head}*", head=head)), *sections(lines), context(*hints))


def phone_of(profile: Profile) -> str | None:
    """Return the phone, or what WhatsApp calls it; None: it tells none."""
    known = dict(reversed(profile.identities))
    return known.get("phone") or (f"+{known['wa_id']}" if "wa_id" in known else None)


def named(contact: ListedContact) -> Markup:
    """Return a contact's name and phone, in one line."""
    return joined(
        [literal(each) for each in (contact.name or contact.first_name, contact.phone) if each],
        ", ",
    ) or literal(_UNNAMED)


def line_of(contact: ListedContact) -> Markup:
    """Return what lists show of a contact."""
    said = [each for each in (contact.phone, contact.company, contact.email) if each]
    return markup(
        "*{name}* {said}{out}",
        name=contact.name or contact.first_name or _UNNAMED,
        said=joined([literal(each) for each in said], " · "),
        out=Markup(" · opted out") if contact.opted_out else Markup(""),
    )


def _facts(profile: Profile) -> list[tuple[str, Markup]]:
    facts = [(_KINDS[kind], code(value)) for kind, value in profile.identities if kind in _KINDS]
    plain = {
        "first name": profile.first_name,
        "company": profile.company,
        "email": profile.email,
        "language": profile.language,
    }
    facts += [(label, literal(value)) for label, value in plain.items() if value]
    if profile.timezone is not None:
        guessed = " (by the country of the phone)" if profile.timezone_from == "phone" else ""
        facts.append(("time zone", literal(f"{profile.timezone}{guessed}")))
    facts.append(("tags", literal(", ".join(profile.tags) or "none")))
    facts += [(name, literal(str(value))) for name, value in sorted(profile.attributes.items())]
    facts.append(
        (
            "since",
            markup(
                "{date}, from {source}",
                date=date(profile.created_at),
                source=_source(profile.source, profile.file),
            ),
        )
    )
    return facts


def _source(source: str, file: str | None) -> Markup:
    kind, _, what = source.partition(":")
    match kind:
        case "slack":
            return user(what) if what else literal("Slack")
        case "import":
            return literal("an import") if file is None else markup("the import of {it}", it=file)
        case "whatsapp":
            return Markup("a message in WhatsApp")
        case _:
            return literal(source)


def consent_line(consent: Consent, acts: Sequence[LedgerAct]) -> Markup:
    """Return whether the contact may be written to, since when, and what proves it."""
    reason = consent.against(promotional=True)
    if reason is None:
        proof = _proof(acts, {Act.OPT_IN})
        return markup("may be written to{proof}", proof=proof)
    since, kinds = _since(consent, reason)
    return markup(
        "{reason}{since}{proof}{but}",
        reason=reason.sentence,
        since=markup(" since {date}", date=date(since)) if since else Markup(""),
        proof=_proof(acts, kinds),
        but=Markup("; other messages than marketing still go")
        if reason is Reason.PLATFORM_STOPPED
        else Markup(""),
    )


def _since(consent: Consent, reason: Reason) -> tuple[datetime | None, set[Act]]:
    match reason:
        case Reason.OPTED_OUT:
            return consent.opted_out_at, {Act.OPT_OUT}
        case Reason.BLOCKED:
            return consent.blocked_at, {Act.BLOCK}
        case Reason.UNREACHABLE:
            return consent.unreachable_at, {Act.UNREACHABLE}
        case Reason.PLATFORM_STOPPED:
            return consent.platform_stopped_at, {Act.PLATFORM_STOP}
        case Reason.ERASED:
            return consent.erased_at, {Act.ERASED}
        case _:
            return None, set()


def _proof(acts: Sequence[LedgerAct], kinds: set[Act]) -> Markup:
    act = next((each for each in acts if each.act in kinds), None)
    if act is None:
        return Markup("")
    who = markup(" by {who}", who=user(act.actor)) if act.actor else Markup("")
    said = markup(": “{text}”", text=literal(act.text)) if act.text else Markup("")
    what = markup(": opted in {when}", when=date(act.at))
    return markup(
        "{what}, in {channel}{who}{said}",
        # What speaks against writing has said since when by itself.
        what=what if act.act is Act.OPT_IN else Markup(""),
        channel=_CHANNELS.get(act.channel, act.channel),
        who=who,
        said=said,
    )


_CHANNELS: Final = {"whatsapp": "WhatsApp", "slack": "Slack"}


def _enrollment(line: EnrollmentLine) -> Markup:
    how = line.state if line.reason is None else f"{line.state} ({line.reason})"
    coming = markup(", next step {at}", at=date(line.due_at)) if line.due_at else Markup("")
    return markup(
        "• *{campaign}* {how} since {since}, {sent} sent{coming}",
        campaign=line.campaign,
        how=how.replace("_", " "),
        since=date(line.ended_at or line.enrolled_at),
        sent=line.sent,
        coming=coming,
    )


def _message(sent: SentMessage) -> Markup:
    if sent.template:
        of = markup("test of the template {name}", name=sent.template)
    elif not sent.campaign:
        of = Markup("answer to a STOP or START")
    elif sent.step is None:
        of = markup("{campaign}, a step since removed", campaign=sent.campaign)
    else:
        of = markup("{campaign}, step {step}", campaign=sent.campaign, step=sent.step)
    why = markup(": {why}", why=sent.reason.sentence) if sent.reason else Markup("")
    return markup("• {at} {of}: {state}{why}", at=date(sent.at), of=of, state=sent.state, why=why)


def _next_steps(phone: str | None, consent: Consent) -> Markup:
    who = phone or "<phone>"
    turned = "optin" if consent.opted_out else "optout"
    return markup(
        "{tag} · {turned}",
        tag=code(f"/drip contact tag {who} <tag>"),
        turned=code(f"/drip contact {turned} {who}"),
    )


def counted(count: int, noun: str = "contact") -> str:
    """Write how many there are.

    >>> counted(1), counted(1200)
    ('1 contact', '1,200 contacts')
    """
    return f"{number(count)} {noun}" if count == 1 else f"{number(count)} {noun}s"
