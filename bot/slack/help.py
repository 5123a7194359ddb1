"""Help, and what somebody is told whose text or role does not do."""

from collections.abc import Sequence

from bot.slack.blocks import Block, Message, context, divider, header, message, section, sections
from bot.slack.declare import Spec
from bot.slack.grammar import Language, NotUnderstood
from bot.slack.manual import details, examples, roles, usage
from bot.slack.markup import Markup, code, joined, literal, markup
from bot.slack.staff import owners
from bot.slack.workspace import Workspace
from engine.roles import Role


def page(language: Language, topic: tuple[str, ...]) -> Message:
    """Return the help on a command, on a group, or on everything."""
    spec = language.specs.get(topic)
    if spec is not None:
        others = [each for each in language.under(topic) if each is not spec]
        return _command(spec, others)
    return _group(language.under(topic), topic) if topic else _overview(language)


def misunderstood(wrong: NotUnderstood) -> Message:
    """Return what is wrong with a text, an example that works, and where to read on."""
    more = code(" ".join(("/drip help", *wrong.topic)))
    shown = markup(
        ":warning: {sentence}\nFor example: {example}",
        sentence=literal(wrong.sentence, limit=1500),
        example=code(wrong.example),
    )
    return message(
        literal(wrong.sentence, limit=1500), section(shown), context(markup("More: {m}", m=more))
    )


def stranger(workspace: Workspace) -> Message:
    """Return whom to ask, for somebody who is not on the staff."""
    text = markup(
        "You are not on the staff of {name} in Dripline. Ask {owners} to add you.",
        name=workspace.name,
        owners=owners(workspace),
    )
    return message(text, section(text))


def not_yours(workspace: Workspace, *, what: str, role: Role, least: Role) -> Message:
    """Return why a member of the staff may not do something, and who may."""
    text = markup(
        "{what} is for {least}s; you are {role}. Ask {owners}.",
        what=code(what),
        least=least.value,
        role=f"an {role}" if role is Role.AGENT else f"a {role}",
        owners=owners(workspace),
    )
    return message(text, section(text))


def failed(reference: str) -> Message:
    """Return that something broke on our side, with what finds it in the log."""
    text = markup(
        ":x: Something went wrong on our side. Tell whoever runs Dripline the reference {r}.",
        r=code(reference),
    )
    return message(text, section(text))


def _overview(language: Language) -> Message:
    """Return a line for each first word: what follows it, or what it does by itself."""
    words = dict.fromkeys(path[0] for path in language.specs)
    lines = joined([_line(word, language) for word in words])
    return message(
        joined([Markup("Commands, each after /drip:"), lines]),
        header("Commands"),
        *sections(lines),
        context(
            markup(
                "Each goes after {drip}. {some} explains all that begin so, {one} one of them.",
                drip=code("/drip"),
                some=code("/drip help campaign"),
                one=code("/drip help campaign new"),
            ),
            _WRITING,
        ),
    )


def _line(word: str, language: Language) -> Markup:
    alone = language.specs.get((word,))
    more = " · ".join(
        " ".join(spec.path[1:]) for spec in language.under((word,)) if spec is not alone
    )
    if alone is None:
        return markup("{word}  {more}", word=code(word), more=more)
    line = markup("{word}  {about}", word=code(word), about=literal(alone.about))
    return markup("{line} Also: {more}", line=line, more=more) if more else line


def _group(specs: tuple[Spec, ...], topic: tuple[str, ...]) -> Message:
    """Return a line for each command of a group, and what it does."""
    title = " ".join(("Commands", *topic))
    lines = [
        markup("{usage}  {about}", usage=code(_short(spec)), about=literal(spec.about))
        for spec in specs
    ]
    text = markup("{title}: {names}.", title=title, names=", ".join(spec.name for spec in specs))
    return message(
        text,
        header(title),
        *sections(joined(lines)),
        context(
            markup("{help} says all about one.", help=code(f"/drip help {specs[0].name}")),
            _WRITING,
        ),
    )


_WRITING = Markup("Names with spaces go in quotes; a unique beginning of a name is enough.")


def _command(spec: Spec, others: Sequence[Spec]) -> Message:
    """Return all about a command, and the names of *others* that begin like it."""
    described = [
        markup("• {written}  {meaning}", written=code(written), meaning=literal(meaning, limit=600))
        for written, meaning in details(spec)
    ]
    shown: list[Block] = [
        header(f"/drip {spec.name}"),
        section(markup("{about}\n{usage}", about=literal(spec.about), usage=code(usage(spec)))),
    ]
    if described:
        shown += sections(joined(described))
    shown += [
        divider(),
        *sections(joined([Markup("*Examples*"), *map(code, examples(spec))])),
        context(markup("For {roles}.", roles=roles(spec))),
    ]
    if others:
        names = joined([code(f"/drip {each.name}") for each in others], ", ")
        shown.append(context(markup("Also: {names}", names=names)))
    text = markup("{about} {usage}", about=literal(spec.about), usage=code(usage(spec)))
    return message(text, *shown)


def _short(spec: Spec) -> str:
    wanted = [f"<{each.label}>" for each in spec.arguments if each.required]
    options = ["…"] if spec.options else []
    return " ".join((f"/drip {spec.name}", *wanted, *options))
