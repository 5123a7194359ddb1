"""Templates: what WhatsApp lists, and how a step uses them."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Final

from bot.slack.blocks import Block, context, header, message, quote, section, table
from bot.slack.changes import answered
from bot.slack.desk import Desk
from bot.slack.language.templates import TemplateList, TemplateShow, TemplateSync
from bot.slack.markup import Markup, and_more, code, joined, link, literal, markup
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.template_names import named
from bot.slack.words import as_word
from engine.ids import OrganizationId
from engine.template_ports import DraftState, KeptDraft
from engine.templates import HEADER, URL, Button, Status, Template, problems, read
from engine.usecases.compose import NoSuchTemplate
from storage import audit, tasks, template_drafts, templates
from storage.database import Unit
from storage.tasks import SYNC_TEMPLATES, Task
from storage.template_drafts import Waiting
from storage.templates import Listed

_WAIT_S: Final = 1.8  # of the three seconds Slack gives an answer
_LONGER_S: Final = 20.0  # for an answer that comes later; a process that stops waits for 25
_LOOK_EVERY_S: Final = 0.1
_LONGEST_TEXT_LIST: Final = 60
_USED_BY: Final = 8


def register(registry: Registry, desk: Desk) -> None:
    """Handle the commands."""

    @registry.command(TemplateSync)
    @refusing
    async def sync(_: TemplateSync, asked: Context) -> Reply:
        async def work(unit: Unit) -> None:
            await tasks.request(unit, name=SYNC_TEMPLATES, by=asked.user_id)
            await audit.note(unit, actor=asked.user_id, action="template.sync", subject="templates")

        await desk.database.run(asked.organization, asked.at, work)
        await desk.queue.wake_job(SYNC_TEMPLATES, asked.organization)
        done = await _awaited(desk, asked.organization, seconds=_WAIT_S)
        if done is None:
            longer = Markup("Asked WhatsApp for the templates; that takes a moment longer.")
            await asked.respond(answered(longer))
            done = await _awaited(desk, asked.organization, seconds=_LONGER_S)
        if done is None:
            return answered(
                Markup("WhatsApp has not listed all templates yet."),
                markup("{it} shows them once they are here.", it=code("/drip template list")),
            )
        async with desk.database.unit(asked.organization, desk.clock.now()) as unit:
            return _synced(done, await templates.by_status(unit))

    @registry.command(TemplateList)
    @refusing
    async def list_them(_: TemplateList, asked: Context) -> Reply:
        async with desk.database.unit(asked.organization, asked.at) as unit:
            drafts = await template_drafts.unlisted(unit)
            return _list(await templates.listed(unit), drafts, manager=_manager(desk, asked))

    @registry.command(TemplateShow)
    @refusing
    async def show(command: TemplateShow, asked: Context) -> Reply:
        async with desk.database.unit(asked.organization, asked.at) as unit:
            found = await named(unit, command.template)
            using = await template_drafts.waiting_for(unit, name=found[0].name)
        if command.language is not None:
            wanted = command.language.lower()
            there = ", ".join(template.language for template in found)
            chosen = tuple(each for each in found if each.language.lower() == wanted)
            if not chosen:
                raise NoSuchTemplate(
                    f"There is no template {found[0].name} in {command.language}: it is there"
                    f" in {there}; write language={found[0].language}."
                )
            found = chosen
        return _shown(found, using, manager=_manager(desk, asked))


def _manager(desk: Desk, asked: Context) -> str:
    """Return the page of WhatsApp Manager where the account's templates are."""
    account = desk.config.organizations[asked.organization].whatsapp.business_account_id
    return f"https://business.facebook.com/wa/manage/message-templates/?waba_id={account}"


async def _awaited(desk: Desk, organization: OrganizationId, *, seconds: float) -> Task | None:
    """Return the task once it is done; None: it takes longer than *seconds*."""
    ends = desk.clock.monotonic() + seconds
    while desk.clock.monotonic() < ends:
        async with desk.database.unit(organization, desk.clock.now()) as unit:
            task = await tasks.get(unit, name=SYNC_TEMPLATES)
        if task is not None and task.done:
            return task
        await asyncio.sleep(_LOOK_EVERY_S)
    return None


def _synced(task: Task, by_status: dict[str, int]) -> Reply:
    result = task.result or {}
    if "problem" in result:
        return answered(
            markup(
                ":warning: WhatsApp did not list the templates: {why}",
                why=literal(str(result["problem"]), limit=600),
            ),
            markup("What was known stays; try {it} again.", it=code("/drip template sync")),
        )
    listed = int(result.get("templates", 0))
    counted = ", ".join(f"{count:,} {_word(status)}" for status, count in by_status.items())
    gone = int(result.get("gone", 0))
    return answered(
        markup("WhatsApp lists {n} templates: {counted}.", n=listed, counted=counted or "none"),
        markup("{n} are no longer there.", n=gone) if gone else Markup(""),
        markup("{it} shows them.", it=code("/drip template list")),
    )


def _list(listed: list[Listed], drafts: list[KeptDraft], *, manager: str) -> Reply:
    if not listed and not drafts:
        return answered(
            Markup("No templates are known yet."),
            markup("{it} fetches them from WhatsApp.", it=code("/drip template sync")),
        )
    rows = [_columns(each) for each in listed] + [_draft_columns(each) for each in drafts]
    counts = Counter(each.template.status_name for each in listed)
    counted = ", ".join(f"{count:,} {_word(status)}" for status, count in sorted(counts.items()))
    title = markup("{n} templates: {counted}", n=len(listed), counted=counted)
    lines = [
        markup("{line}", line=" · ".join(filter(None, row))) for row in rows[:_LONGEST_TEXT_LIST]
    ]
    show = markup(
        "{it} says what it wants and who uses it. {page}",
        it=code("/drip template show <name>"),
        page=link(manager, "WhatsApp Manager"),
    )
    return Reply(
        message=message(
            joined([title, *lines]),
            section(title),
            *table(("name", "language", "category", "status", "quality", "used by"), rows),
            context(show),
        )
    )


def _draft_columns(kept: KeptDraft) -> tuple[str, ...]:
    draft = kept.draft
    state = "being submitted" if kept.state is DraftState.SUBMITTED else "draft"
    if kept.state is DraftState.REJECTED:
        state = "draft, rejected as it is"
    return (draft.name, draft.language, draft.category.value.lower(), state, "", "")


def _columns(each: Listed) -> tuple[str, ...]:
    template = each.template
    quality = template.quality.lower()
    return (
        template.name,
        template.language,
        template.category.value.lower(),
        _word(template.status_name),
        "" if quality == "unknown" else quality,
        ", ".join(each.used_by),
    )


def _shown(
    found: tuple[Template, ...], using: Mapping[str, list[Waiting]], *, manager: str
) -> Reply:
    texts: list[Markup] = []
    blocks: list[Block] = []
    for template in found:
        title = markup(
            "*{name}* ({language}) · {category} · {status}",
            name=template.name,
            language=template.language,
            category=template.category.value.lower(),
            status=_word(template.status_name),
        )
        body = read(template, {})
        usage = _usage(template, alone=len(found) == 1)
        parts = [*_parts(template), _used_by(using.get(template.language, []))]
        texts += [title, literal(body, limit=1200), *parts, usage]
        blocks += [section(title), quote(body)]
        blocks.append(section(joined(parts)))
        blocks.append(section(usage))
    blocks.append(
        context(markup("{page} has more about it.", page=link(manager, "WhatsApp Manager")))
    )
    return Reply(message=message(joined(texts), header(found[0].name), *blocks))


def _used_by(using: list[Waiting]) -> Markup:
    if not using:
        return Markup("Used by no campaign.")
    named = ", ".join(each.name for each in using[:_USED_BY])
    return markup(
        "Used by {n}: {names}{more}",
        n="1 campaign" if len(using) == 1 else f"{len(using)} campaigns",
        names=named,
        more=and_more(len(using) - _USED_BY),
    )


def _parts(template: Template) -> list[Markup]:
    """Return what is not text: a file in the header, and buttons."""
    lines = []
    if template.header_media is not None:
        lines.append(markup("Header: {kind}", kind=template.header_media.value))
    if template.buttons:
        buttons = ", ".join(map(_button, template.buttons))
        lines.append(markup("Buttons: {buttons}", buttons=literal(buttons, limit=1000)))
    return lines


def _button(button: Button) -> str:
    kind = button.kind.value.lower().replace("_", " ")
    return f"“{button.label}” ({button.url or kind})"


def _usage(template: Template, *, alone: bool) -> Markup:
    """Return the step that would use it, ready to be changed, or why none can."""
    given = {option: _example(template, option) for option in template.expected}
    objections = [problem.sentence for problem in problems(template, given)]
    if objections:
        return markup(":warning: {why}", why=literal(" ".join(objections), limit=1000))
    options = [f"template={as_word(template.name)}"]
    if not alone:
        options.append(f"language={template.language}")
    options += [f"{option}={as_word(value)}" for option, value in given.items()]
    line = markup(
        "To use it: {it}", it=code(f"/drip step add <campaign> after=2d {' '.join(options)}")
    )
    if template.status is Status.APPROVED:
        return line
    return joined([line, Markup("It can be sent once WhatsApp has approved it.")])


def _example(template: Template, option: str) -> str:
    if option == HEADER:
        return "https://example.com/file" if template.header_media else "{company|us}"
    if option == URL:
        return "welcome"
    if option in {"first_name", "name"}:
        return f"{{{option}|there}}"
    return "{first_name|there}" if option == "1" else "…"


def _word(status: str) -> str:
    return status.lower().replace("_", " ") or "unknown"
