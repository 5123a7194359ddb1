"""Templates drafted in Slack, and what WhatsApp made of them."""

from typing import Final

from bot.slack.alerts import Alert, Place, tells
from bot.slack.blocks import Block, context, header, message, quote, section
from bot.slack.changes import told
from bot.slack.desk import Desk
from bot.slack.kinds import Off
from bot.slack.language.templates import TemplateDiscard, TemplateDraft, TemplateSubmit
from bot.slack.markup import Markup, code, joined, literal, markup, user
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.words import as_word
from engine import template_draft
from engine.template_draft import DraftButton, HeaderFile
from engine.template_items import template
from engine.template_verdicts import what_to_change
from engine.templates import Status, read
from engine.usecases import draft_template as drafting
from engine.usecases.draft_template import Drafted, Wanted, draft_template
from engine.usecases.keep_media import file_named
from engine.usecases.submit_template import NotReady, discard_template, submit_template
from storage import template_drafts
from storage.database import Unit
from storage.events import Event
from storage.media import StaffLibrary
from storage.template_drafts import StaffDrafts, Waiting

_LONGEST: Final = 600
_LISTED: Final = 5
_MEDIA: Final = "media:"


def register(registry: Registry, desk: Desk) -> None:
    """Handle the commands."""
    _register_discarding(registry, desk)

    @registry.command(TemplateDraft)
    @refusing
    async def draft(command: TemplateDraft, asked: Context) -> Reply:
        async def work(unit: Unit) -> tuple[Drafted, list[Waiting]]:
            library = StaffLibrary(unit, asked.user_id)
            header = await _header(command.header, library)
            drafted = await draft_template(
                wanted=_wanted(command, header), drafts=StaffDrafts(unit, asked.user_id)
            )
            it = drafted.draft
            return drafted, await template_drafts.waiting(unit, name=it.name, language=it.language)

        drafted, using = await desk.database.run(asked.organization, asked.at, work)
        return _drafted(drafted, using)

    @registry.command(TemplateSubmit)
    @refusing
    async def submit(command: TemplateSubmit, asked: Context) -> Reply:
        kept = await desk.database.run(
            asked.organization,
            asked.at,
            lambda unit: submit_template(
                name=command.name,
                language=command.language,
                at=unit.at,
                drafts=StaffDrafts(unit, asked.user_id),
            ),
        )
        await desk.queue.wake_job("submit_templates", asked.organization)
        return told(
            asked,
            markup(
                "submitted the template *{name}* ({language}) to WhatsApp.",
                name=kept.draft.name,
                language=kept.draft.language,
            ),
            Markup("Its review takes minutes to a day; the outcome comes into the alerts channel."),
        )


def _register_discarding(registry: Registry, desk: Desk) -> None:
    @registry.command(TemplateDiscard)
    @refusing
    async def discard(command: TemplateDiscard, asked: Context) -> Reply:
        kept = await desk.database.run(
            asked.organization,
            asked.at,
            lambda unit: discard_template(
                name=command.name,
                language=command.language,
                drafts=StaffDrafts(unit, asked.user_id),
            ),
        )
        return told(
            asked,
            markup(
                "threw the draft *{name}* ({language}) away.",
                name=kept.draft.name,
                language=kept.draft.language,
            ),
        )


async def _header(
    written: str | Off | None, library: StaffLibrary
) -> str | HeaderFile | drafting.Off | None:
    """Return the header staff mean: a text, or media:<name> for a file of the library.

    Raises:
        NoSuchFile, NotReady: The library has no such file, or has not fetched it yet.
    """
    if not isinstance(written, str) or not written.lower().startswith(_MEDIA):
        return _off(written)
    file = await file_named(name=written[len(_MEDIA) :].strip(), library=library)
    if file.kind is None:
        raise NotReady(f"The file {file.name} is still being fetched: try again in a moment.")
    return HeaderFile(name=file.name, kind=file.kind)


def _wanted(command: TemplateDraft, header: str | HeaderFile | drafting.Off | None) -> Wanted:
    buttons = tuple(each for each in command.buttons if isinstance(each, DraftButton))
    return Wanted(
        name=command.name,
        language=command.language,
        category=command.category,
        header=header,
        body=command.body,
        footer=_off(command.footer),
        buttons=drafting.Off.OFF if Off.OFF in command.buttons else buttons,
        samples=command.samples,
    )


def _off(text: str | Off | None) -> str | drafting.Off | None:
    return drafting.Off.OFF if isinstance(text, Off) else text


def _drafted(drafted: Drafted, using: list[Waiting]) -> Reply:
    draft = drafted.draft
    title = markup(
        "*{name}* ({language}) · {category} · draft",
        name=draft.name,
        language=draft.language,
        category=draft.category.value.lower(),
    )
    shown = template(template_draft.item(draft, template_id="draft", status="DRAFT"))
    samples = dict(draft.samples)
    if not draft.named and template_draft.HEADER_SAMPLE in samples:
        samples["header"] = samples[template_draft.HEADER_SAMPLE]
    text = read(shown, samples)
    lines: list[Markup] = []
    if isinstance(draft.header, HeaderFile):
        lines.append(
            markup("Header: {kind} {name}", kind=draft.header.kind.value, name=draft.header.name)
        )
    if draft.buttons:
        labels = ", ".join(
            f"“{each.label}”" + (f" ({each.target})" if each.target else "")
            for each in draft.buttons
        )
        lines.append(markup("Buttons: {labels}", labels=literal(labels, limit=1000)))
    lines += [markup(":warning: {it}", it=literal(each)) for each in drafted.problems]
    lines += [markup(":bulb: {it}", it=literal(each)) for each in drafted.warnings]
    if drafted.listed is not None:
        lines.append(_change_line(drafted.listed.status, using))
    submit = f"/drip template submit {draft.name}"
    if draft.language != drafting.STANDARD_LANGUAGE:
        submit += f" language={draft.language}"
    following = (
        markup(
            "Change it with {it} and what is to be different; then submit it.",
            it=code(f"/drip template draft {as_word(draft.name)}"),
        )
        if drafted.problems
        else markup("Next: {it}", it=code(submit))
    )
    blocks: list[Block] = [section(title), quote(text)]
    if lines:
        blocks.append(section(joined(lines)))
    blocks.append(context(following))
    whole = joined([title, literal(text, limit=1200), *lines, following])
    return Reply(message=message(whole, header(draft.name), *blocks))


def _change_line(status: Status, using: list[Waiting]) -> Markup:
    if status is not Status.APPROVED or not using:
        return Markup("It changes the template WhatsApp has.")
    return markup(
        "It changes an approved template: {campaigns} would wait until WhatsApp has approved the"
        " change.",
        campaigns=_named(using),
    )


def _named(using: list[Waiting]) -> str:
    more = len(using) - _LISTED
    return ", ".join(each.name for each in using[:_LISTED]) + (
        f" and {more} more" if more > 0 else ""
    )


@tells(template_drafts.DECIDED)
async def decided(event: Event, unit: Unit) -> tuple[Alert, ...]:
    """Say what WhatsApp decided, why, and what to change, to who submitted it and who waits."""
    told_of = event.content
    name, language = str(told_of["name"]), str(told_of["language"])
    using = await template_drafts.waiting(unit, name=name, language=language)
    by = str(told_of["by"])
    lines = []
    if told_of["state"] == "approved":
        head = markup(
            ":white_check_mark: {who} WhatsApp approved the template *{name}* ({language}).",
            who=user(by),
            name=name,
            language=language,
        )
        following = markup(
            "Use it in a step or broadcast: {it} shows how.",
            it=code(f"/drip template show {name}"),
        )
    else:
        head = markup(
            ":x: {who} WhatsApp rejected the template *{name}* ({language}): {reason}",
            who=user(by),
            name=name,
            language=language,
            reason=literal(_reason(told_of["reason"]), limit=_LONGEST),
        )
        advice = what_to_change(_text(told_of["reason"]), _text(told_of["advice"]))
        lines.append(markup("What to change: {it}", it=literal(advice, limit=2 * _LONGEST)))
        following = markup(
            "Then {draft} and {submit}.",
            draft=code(f"/drip template draft {name} language={language} …"),
            submit=code(f"/drip template submit {name} language={language}"),
        )
    if using:
        others = [user(each) for each in dict.fromkeys(w.actor for w in using) if each != by]
        lines.append(
            markup(
                "{waits} for it: {campaigns} {others}",
                waits=Markup(
                    "This was waited" if told_of["state"] == "approved" else "Still waiting"
                ),
                campaigns=_named(using),
                others=joined(others, " "),
            )
        )
    text = joined([head, *lines, following])
    return (
        Alert(
            place=Place.ALERTS,
            message=message(text, section(joined([head, *lines])), context(following)),
        ),
    )


@tells(template_drafts.REFUSED)
async def refused(event: Event, _unit: Unit) -> tuple[Alert, ...]:
    """Say why WhatsApp did not even take a draft."""
    told_of = event.content
    name, language = str(told_of["name"]), str(told_of["language"])
    text = markup(
        ":warning: {who} WhatsApp did not take the template *{name}* ({language}): {why}",
        who=user(str(told_of["by"])),
        name=name,
        language=language,
        why=literal(str(told_of["why"]), limit=_LONGEST),
    )
    following = markup(
        "It is a draft again: change it with {it}, and submit it once more.",
        it=code(f"/drip template draft {name} language={language} …"),
    )
    whole = joined([text, following])
    return (Alert(place=Place.ALERTS, message=message(whole, section(text), context(following))),)


def _reason(reason: object) -> str:
    return str(reason).lower().replace("_", " ") if reason else "it gave no reason"


def _text(value: object) -> str | None:
    return None if value is None else str(value)
