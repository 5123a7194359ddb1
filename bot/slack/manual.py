"""The language described from its declarations: usage lines and the reference in ``docs/``."""

from collections.abc import Iterator

from bot.slack.declare import Argument, Free, Option, Spec
from bot.slack.grammar import Language


def usage(spec: Spec) -> str:
    """Return how the command is written, optional parts in brackets.

    >>> from bot.slack.language.steps import StepRemove
    >>> usage(StepRemove.spec)
    '/drip step remove <campaign> <step>'
    """
    chosen = [option for option in spec.options if option.name in spec.one_of]
    parts = [_bracketed(f"<{each.label}>", required=each.required) for each in spec.arguments]
    parts += [f"[{flag.word}]" for flag in spec.flags]
    parts += [_written(option) for option in spec.options if option.required]
    if chosen:
        parts.append(" | ".join(_written(option) for option in chosen))
    parts += [
        f"[{_written(option)}]"
        for option in spec.options
        if not option.required and option not in chosen
    ]
    parts += [f"[{_free(free)}…]" for free in reversed(spec.free)]
    return " ".join((f"/drip {spec.name}", *parts))


def details(spec: Spec) -> tuple[tuple[str, str], ...]:
    """Return each argument and option with what it means and what holds without it."""
    listed = [(f"<{each.label}>", _argument(each)) for each in spec.arguments]
    listed += [(flag.word, flag.about) for flag in spec.flags]
    listed += [(_written(option), _option(option, spec)) for option in spec.options]
    for free in reversed(spec.free):
        needs = f" Goes only with {free.needs}=." if free.needs else ""
        listed.append((_free(free), free.about + needs))
    return tuple(listed)


def _free(free: Free) -> str:
    return f"{free.prefix}<{free.shape}>=<value>"


def examples(spec: Spec) -> tuple[str, ...]:
    """Return whole commands that work."""
    return tuple(f"/drip {spec.name} {each}".rstrip() for each in spec.examples)


def reference(language: Language) -> str:
    """Return the whole language as Markdown, the content of ``docs/commands.md``."""
    return "\n".join(_reference(language)) + "\n"


def _reference(language: Language) -> Iterator[str]:
    yield "# Commands"
    yield ""
    yield "Made from the declarations in `bot/slack/language/`; a test compares them."
    yield ""
    yield (
        "Names with spaces go in quotes; a unique beginning of a name is enough; campaign commands"
        " accept broadcasts. `<who>` is a phone (`+31612345678`), `tag:vip`, `list:beta`,"
        " `segment:hot`, `campaign:Welcome`, `all`, or several joined by commas. Every command"
        " answers `help`."
    )
    for spec in language.specs.values():
        yield from ("", f"## {spec.name}", "", f"{spec.about} For: {roles(spec)}.", "", "```")
        yield usage(spec)
        yield from ("```", "")
        described = details(spec)
        if described:
            yield from ("| | |", "|---|---|")
            for written, meaning in described:
                cell = f"`{written}`".replace("|", "\\|")
                yield f"| {cell} | {_cell(meaning)} |"
            yield ""
        yield "Examples:"
        yield ""
        yield "```"
        yield from examples(spec)
        yield "```"


def roles(spec: Spec) -> str:
    """Return who may use it, in words."""
    return (
        "everybody on the staff"
        if spec.role == "agent"
        else f"{spec.role}s" + (" and owners" if spec.role == "supervisor" else "")
    )


def _cell(text: str) -> str:
    return text.replace("<", "&lt;").replace("|", "\\|")


def _argument(argument: Argument) -> str:
    optional = "" if argument.required else " May be left out."
    shape = f" One of: {argument.kind.shape}." if "|" in argument.kind.shape else ""
    return argument.about + shape + optional


def _option(option: Option, spec: Spec) -> str:
    parts = [option.about]
    if option.needs is not None:
        parts.append(f"Goes only with {option.needs}=.")
    if option.required:
        parts.append("Needed.")
    elif option.name in spec.one_of:
        parts.append(f"Exactly one of {', '.join(f'{each}=' for each in spec.one_of)} is needed.")
    elif option.otherwise is not None:
        parts.append(f"Without it: {option.otherwise}.")
    elif option.default not in (None, ()):
        parts.append(f"Without it: {option.kind.show(option.default)}.")
    return " ".join(parts)


def _written(option: Option) -> str:
    shape = option.kind.shape
    plain = not shape.replace(" ", "").isalpha()  # 48h|off shows itself; a name is for a name
    return f"{option.name}={shape}" if plain else f"{option.name}=<{shape}>"


def _bracketed(text: str, *, required: bool) -> str:
    return text if required else f"[{text}]"
