"""A template as one contact reads it: shown, or sent to them on purpose."""

from collections.abc import Collection, Iterator, Mapping

from bot.slack.blocks import Block, context, header, message, quote, section
from bot.slack.changes import told
from bot.slack.contacts import NoSuchContact, one_contact
from bot.slack.desk import Desk
from bot.slack.language.templates import TemplatePreview, TemplateTest
from bot.slack.markup import Markup, code, joined, literal, markup
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.template_names import in_language, named
from engine import personalise, reading, templates
from engine.personalise import InvalidText, Missing
from engine.reading import Reading
from engine.refusal import Refusal
from engine.rendering import Rendering, values_of
from engine.templates import Category, Template
from engine.usecases.compose import Wanted, check_approved, compose
from storage import audiences, audit, contacts
from storage.contacts import Profile
from storage.database import Unit
from storage.templates import KnownTemplates, send_to_one


class NothingToRead(Refusal):
    """The contact would be left out: a value is missing and has no fallback."""


def register(registry: Registry, desk: Desk) -> None:
    """Handle the commands."""

    @registry.command(TemplatePreview)
    @refusing
    async def preview(command: TemplatePreview, asked: Context) -> Reply:
        contact = (
            None if command.contact is None else await one_contact(desk, asked, command.contact)
        )

        async def work(unit: Unit) -> Reply:
            template = in_language(
                command.template, await named(unit, command.template), command.language
            )
            profile = None if contact is None else await contacts.profile(unit, contact=contact)
            attributes = await audiences.ContactAttributes(unit).names()
            return _previewed(template, dict(command.parameters), profile, attributes)

        return await desk.database.run(asked.organization, asked.at, work)

    @registry.command(TemplateTest)
    @refusing
    async def test(command: TemplateTest, asked: Context) -> Reply:
        return await _tested(desk, asked, command)


async def _tested(desk: Desk, asked: Context, command: TemplateTest) -> Reply:
    contact = await one_contact(desk, asked, command.phone)
    ours = [each.id for each in desk.config.organizations[asked.organization].whatsapp.numbers]

    async def work(unit: Unit) -> Reply:
        template = in_language(
            command.template, await named(unit, command.template), command.language
        )
        profile = await contacts.profile(unit, contact=contact)
        if profile is None:
            raise NoSuchContact("That contact was deleted a moment ago.")
        against = profile.consent.against(promotional=template.category is not Category.UTILITY)
        if against is not None:
            raise NothingToRead(f"{_name(profile)} {against.sentence}: nothing was sent.")
        known = KnownTemplates(unit)
        content = await compose(
            wanted=Wanted(
                template=template.name,
                language=template.language,
                parameters=command.parameters,
            ),
            known=known,
            attributes=audiences.ContactAttributes(unit),
        )
        await check_approved(type=None, contents=[content], known=known)
        filled = Rendering.of(content).filled(_values(profile))
        if isinstance(filled, Missing):
            raise NothingToRead(_missing(profile, filled))
        await send_to_one(unit, contact=contact, content=filled, numbers=ours)
        await audit.note(
            unit,
            actor=asked.user_id,
            action="template.test",
            subject=f"contact:{contact}",
            content={"template": template.id},
        )
        return _sent(asked, template, profile)

    reply = await desk.database.run(asked.organization, asked.at, work)
    for number in ours:
        await desk.queue.wake_lane(asked.organization, number)
    return reply


def _sent(asked: Context, template: Template, profile: Profile) -> Reply:
    return told(
        asked,
        markup(
            "sends the template *{name}* ({language}) to {who}, outside of any campaign.",
            name=template.name,
            language=template.language,
            who=literal(_name(profile)),
        ),
        markup(
            "{it} says what became of it.",
            it=code(f"/drip contact show {_phone(profile)}"),
        ),
    )


def _previewed(
    template: Template,
    given: Mapping[str, str],
    profile: Profile | None,
    attributes: Collection[str],
) -> Reply:
    _refuse_unknown(template, given)
    written = {
        option: given.get(option) or _by_itself(option, attributes) for option in template.expected
    }
    values = {} if profile is None else _values(profile)
    shown: dict[str, str] = {}
    for option, text in written.items():
        if text is not None:
            shown[option] = _filled(option, text, values, attributes, profile)
    open_ = [option for option in template.expected if option not in shown]
    who = "anybody" if profile is None else _name(profile)
    title = markup(
        "*{name}* ({language}) as {who} would read it",
        name=template.name,
        language=template.language,
        who=literal(who),
    )
    seen = reading.of_template(template, shown)
    lines = list(beside(seen))
    if open_:
        options = " ".join(f"{option}=…" for option in open_)
        lines.append(markup("Not given: {it}", it=code(options)))
    blocks: list[Block] = [section(title), quote(seen.text)]
    if lines:
        blocks.append(section(joined(lines)))
    if profile is not None:
        blocks.append(
            context(
                markup(
                    "{it} sends it to them.",
                    it=code(f"/drip template test {template.name} {_phone(profile)} …"),
                )
            )
        )
    whole = joined([title, literal(seen.text, limit=2000), *lines])
    return Reply(message=message(whole, header(template.name), *blocks))


def beside(seen: Reading) -> Iterator[Markup]:
    """Yield what there is to see beside the text: a file and buttons."""
    if seen.file is not None:
        kind, where = seen.file
        yield markup("File: {kind} {file}", kind=kind.value, file=literal(where))
    for button in seen.buttons:
        yield markup("Button: {it}", it=literal(button, limit=500))


def _refuse_unknown(template: Template, given: Mapping[str, str]) -> None:
    wrong = [
        problem.sentence
        for problem in templates.problems(template, given)
        if problem.option is None
        or given.get(problem.option, "").strip()
        or problem.option not in template.expected
    ]
    if wrong:
        raise NothingToRead(" ".join(wrong))


def _by_itself(option: str, attributes: Collection[str]) -> str | None:
    """Return what stands for a parameter named like a token, where staff gave nothing."""
    if option in {"first_name", "name"}:
        return f"{{{option}|there}}"
    if option in personalise.BUILT_IN or option in attributes:
        return f"{{{option}}}"
    return None


def _filled(
    option: str,
    text: str,
    values: Mapping[str, str],
    attributes: Collection[str],
    profile: Profile | None,
) -> str:
    try:
        parsed = personalise.parse(text, known=attributes)
    except InvalidText as error:
        raise NothingToRead(f"{option}= will not do: {error}") from error
    rendered = parsed.render(values)
    if isinstance(rendered, Missing):
        if profile is None:
            return str(parsed)
        raise NothingToRead(_missing(profile, rendered))
    return personalise.clean_parameter(rendered) or ""


def _missing(profile: Profile, missing: Missing) -> str:
    tokens = " and ".join(f"{{{name}}}" for name in missing.names)
    first = missing.names[0]
    return (
        f"{_name(profile)} has no value for {tokens}, and would be left out: write a fallback, like"
        f" {{{first}|there}}."
    )


def _values(profile: Profile) -> dict[str, str]:
    return values_of(
        name=profile.name,
        first_name=profile.first_name,
        company=profile.company,
        email=profile.email,
        phone=next((value for kind, value in profile.identities if kind == "phone"), None),
        attributes=profile.attributes,
    )


def _name(profile: Profile) -> str:
    return profile.name or profile.first_name or _phone(profile)


def _phone(profile: Profile) -> str:
    return next((value for kind, value in profile.identities if kind == "phone"), "this contact")
