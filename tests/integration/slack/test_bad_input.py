"""What no command wants is refused in a sentence that says what to do, and leaves nothing behind.

Driven by the declarations: a command added later is swept too, once `invocations` knows a value of
each of its parts that works.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import pytest

from bot.slack.declare import Argument, Option, Spec
from bot.slack.grammar import NotUnderstood
from bot.slack.help import misunderstood
from bot.slack.language import LANGUAGE
from bot.slack.markup import literal
from bot.slack.words import plain as typed
from bot.slack.words import words
from engine import names
from storage.database import Database
from tests.integration.slack.bad_values import BAD_VALUES, LONGEST_ECHO, ODD_TEXTS, WORST
from tests.integration.slack.invocations import SPECS, full, plain, sample, valued
from tests.integration.slack.swept_house import Answer, House, opened, texts_of

_LONGEST = 500  # characters of a refusal
_SAYS_HOW = re.compile(
    r"/drip |\b(?:[Dd]id you mean|[Ww]rite|[Gg]ive|[Cc]hoose|[Ll]eave|[Pp]ut|[Aa]dd|[Uu]se|say"
    r"|comes one of|expected|must be|needs|at most|at least|goes? (?:in|only)|takes exactly|like"
    r"|such as)\b"
)
_CODE = re.compile(r"`[^`]*`")
_LIVE = re.compile(
    r"<[@#]\w*EVIL|<!(?:channel|here)|<https?://|\*bold\*|_slanted_|~gone~|:tada:|```|^>",
    re.MULTILINE,
)
# New names: what has the name afterwards, as a command that shows it.
_NAMES = {
    ("campaign new", "name"): "campaign show",
    ("campaign edit", "name"): "campaign show",
    ("campaign clone", "new_name"): "campaign show",
    ("broadcast new", "name"): "broadcast show",
    ("broadcast edit", "name"): "broadcast show",
    ("broadcast clone", "new_name"): "broadcast show",
    ("list new", "name"): "list show",
    ("list rename", "name"): "list show",
    ("segment new", "name"): "segment show",
    ("segment edit", "name"): "segment show",
    ("media add", "name"): "media show",
}
# Where almost any text will do: what shows it afterwards; empty: nothing shows it as it is.
_TEXTS = {
    ("step add", "text"): "campaign show Welcome",
    ("step add", "caption"): "campaign show Welcome",
    ("step edit", "text"): "campaign show Welcome",
    ("step edit", "caption"): "campaign show Welcome",
    ("broadcast new", "text"): "broadcast show Fresh",
    ("broadcast new", "caption"): "broadcast show Fresh",
    ("broadcast edit", "text"): 'broadcast show "Sale"',
    ("broadcast edit", "caption"): 'broadcast show "Sale"',
    ("contact add", "name"): "contact show +31612345678",
    ("contact add", "first_name"): "contact show +31612345678",
    ("contact add", "company"): "contact show +31612345678",
    ("contact add", "tags"): "contact show +31612345678",
    ("contact edit", "name"): "contact show +31610000001",
    ("contact edit", "first_name"): "contact show +31610000001",
    ("contact edit", "company"): "contact show +31610000001",
    ("contact tag", "tag"): "contact show +31610000001",
    ("contact find", "text"): "",
    ("event", "name"): "",
    ("list new", "about"): "list show Fresh",
    ("list rename", "about"): "list show Beta",
    ("segment new", "about"): "segment show Fresh",
    ("segment edit", "about"): "segment show Hot",
    ("template draft", "name"): "",
    ("template draft", "language"): "",
    ("template draft", "header"): "",
    ("template draft", "body"): "",
    ("template draft", "footer"): "",
    ("template draft", "buttons"): "",
}
_EMPTY = {"of no width", "blanks", "no-break blanks", "new lines", "nothing"}
# An empty value takes away what is there.
_CLEARED = {"contact edit": {"name", "first_name", "company", "email"}}


@pytest.fixture
async def house(database: Database, postgres: tuple[str, str]) -> AsyncIterator[House]:
    async with opened(database, postgres[1]) as house:
        yield house


def _faults(answer: Answer, value: str) -> Iterator[str]:
    """Say what is wrong with an answer to *value*, whether it was taken or not."""
    if answer.broken or answer.logged:
        yield f"broke: {answer.logged}"
    if not answer.text:
        yield "says nothing"
    live = [found[0] for text in answer.texts if (found := _LIVE.search(_CODE.sub("", text)))]
    if live:
        yield f"lets markup through: {live}"
    if not answer.refused:
        return
    if answer.changed:
        yield f"is refused and changed {sorted(answer.changed)}"
    if not _SAYS_HOW.search(answer.text):
        yield "does not say what to do"
    if len(answer.text) > _LONGEST:
        yield f"is {len(answer.text)} characters long"
    written = value.strip('"')
    if len(written) > LONGEST_ECHO and any(
        written[: LONGEST_ECHO + 1] in text for text in answer.texts
    ):
        yield "repeats all of it"


async def _given(house: House, texts: Sequence[str]) -> list[Answer]:
    """Return the answers; the grammar's own are taken from it, since the rest is alike for all."""
    wrong = {
        text: read for text in texts if isinstance(read := LANGUAGE.parse(text), NotUnderstood)
    }
    rest = [text for text in texts if text not in wrong]
    said = dict(zip(rest, await house.say_all(rest), strict=True))
    return [said[text] if text in said else _misunderstood(wrong[text]) for text in texts]


def _misunderstood(wrong: NotUnderstood) -> Answer:
    shown = misunderstood(wrong)
    body = {"text": shown.text, "blocks": list(shown.blocks)}
    return Answer(texts=tuple(texts_of(body)), changed=frozenset(), logged=())


def _parts() -> Iterator[tuple[Spec, Argument | Option]]:
    for spec in SPECS:
        for part in valued(spec):
            yield spec, part


async def test_every_command_and_option_works_where_all_that_it_names_exists(house: House) -> None:
    invocations = [plain(spec) for spec in SPECS] + [full(spec, part) for spec, part in _parts()]

    answers = {text: await house.say_alone(text) for text in dict.fromkeys(map(str, invocations))}

    failed = [
        f"{text}: {answer.text}"
        for text, answer in answers.items()
        if answer.refused or answer.broken or answer.logged
    ]
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("third", [0, 1, 2])
async def test_a_bad_value_of_any_part_is_refused_and_leaves_nothing(
    house: House, third: int
) -> None:
    faults: list[str] = []
    seen: set[tuple[str, str]] = set()
    parts = sorted(_parts(), key=lambda each: (each[1].field, each[1].kind.shape, each[0].name))
    size = -(-len(parts) // 3)
    # Those of one name stay together: what reads them is the same.
    for spec, part in parts[third * size : (third + 1) * size]:
        whole, where = full(spec, part), (spec.name, part.field)
        fits = where in _NAMES or where in _TEXTS
        everything = ODD_TEXTS if fits else BAD_VALUES
        again = (part.field, part.kind.shape) in seen
        seen.add((part.field, part.kind.shape))
        bad = {what: BAD_VALUES[what] for what in (WORST if again else everything)}
        answers = await _given(house, [str(whole.given({part.field: v})) for v in bad.values()])
        for answer, (what, value) in zip(answers, bad.items(), strict=True):
            found = list(_faults(answer, value))
            cleared = part.field == "about" or part.field in _CLEARED.get(spec.name, ())
            if not (answer.refused or (cleared if what in _EMPTY else fits)):
                found.append("is taken")
            faults += [f"{spec.name}, {part.field}, {what} {f}: {answer.text}" for f in found]

    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("given", "names_of"),
    [
        pytest.param(given, names_of, id=" ".join(names_of))
        for given, names_of in (
            ({"campaign": "Wel"}, ("Welcome", "Welcoming words")),
            ({"broadcast": "Sal"}, ("Sale", "Sale of May")),
            ({"contact": "Ada"}, ("Ada Lovelace", "Ada Byron")),
            ({"list": "Bet"}, ("Beta", "Beta testers")),
            ({"segment": "Ho"}, ("Hot", "Hot leads")),
            ({"file": "men"}, ("menu", "menu card")),
        )
    ],
)
async def test_a_name_that_two_begin_with_is_asked_about(
    house: House, given: dict[str, str], names_of: tuple[str, str]
) -> None:
    (where,) = given
    asked = [plain(spec).given(given) for spec, part in _parts() if part.field == where]
    more = {
        "campaign": ('broadcast new New to=campaign:Wel text="Hi"', "segment new New read:Wel"),
        "list": ("enroll Welcome list:Bet", "segment new New list:Bet"),
        "segment": ("campaign new New trigger=segment:Ho", "enroll Welcome segment:Ho"),
    }

    texts = [*map(str, asked), *more.get(where, ())]
    answers = await house.say_all(texts)

    assert texts
    for text, answer in zip(texts, answers, strict=True):
        faults = list(_faults(answer, given[where]))
        unnamed = [name for name in names_of if name not in answer.text]
        assert (answer.refused, faults, unnamed) == (True, [], []), (text, answer.text)


async def test_what_is_missing_doubled_too_many_or_unknown_is_named(house: House) -> None:
    mistakes: list[tuple[str, str]] = []
    for spec in SPECS:
        whole = plain(spec)
        for part in valued(spec):
            if part.required:
                label = part.label if isinstance(part, Argument) else f"{part.name}="
                mistakes.append((str(whole.without(part.field)), label))
        for option in spec.options:
            twice = f"{option.name}={sample(spec, option)}"
            if not option.many:
                mistakes.append((f"{whole.with_more(twice)} {twice}", "there twice"))
            taken = any(free.needs is None for free in spec.free)
            if not taken and not any(argument.kind.equals for argument in spec.arguments):
                slip = f"{option.name}x=1"
                mistakes.append((str(whole.with_more(slip)), f"did you mean {option.name}=?"))
        if not spec.arguments:
            mistakes.append((str(whole.with_more("besides")), "besides"))
        elif spec.arguments[-1].required and not spec.arguments[-1].rest:
            mistakes.append((str(whole.with_more("one two three")), "too many"))
        mistakes.append((f"{spec.name}zz", "no command"))

    texts = list(dict.fromkeys(text for text, _ in mistakes))
    answers = dict(zip(texts, await _given(house, texts), strict=True))

    faults = [
        f"{text}, {fault}: {answers[text].text}"
        for text, wanted in mistakes
        for fault in (*_faults(answers[text], ""), *_unless(wanted, answers[text]))
    ]
    assert not faults, "\n".join(faults)


def _unless(wanted: str, answer: Answer) -> Iterator[str]:
    if not answer.refused:
        yield "is taken"
    elif wanted not in answer.text:
        yield f"does not say {wanted!r}"


async def test_an_odd_name_or_text_that_is_taken_is_shown_and_found_as_it_was_typed(
    house: House,
) -> None:
    faults: list[str] = []
    for spec, part in _parts():
        show = {**_NAMES, **_TEXTS}.get((spec.name, part.field))
        for what in _WORTH_KEEPING if show else ():
            value = BAD_VALUES[what]
            named = (spec.name, part.field) in _NAMES
            answer = await house.say(str(full(spec, part).given({part.field: value})))
            shown = await house.say(f"{show} {value}" if named else str(show))
            await house.restore(answer.changed | shown.changed)
            if answer.refused:
                continue
            kept = literal(_line(value))
            if shown.refused or shown.broken or not any(kept in text for text in shown.texts):
                faults.append(f"{spec.name}, {part.field}, {what}, {kept}: {shown.texts}")

    assert not faults, "\n".join(faults)


# They are often meant; of the others it is enough that they do no harm.
_WORTH_KEEPING = ("an emoji of several", "Arabic", "SQL", "everybody, typed", "NUL")


def _line(value: str) -> str:
    """Return what is left of a value as one line."""
    read = words(typed(value))
    assert isinstance(read, tuple)
    (word,) = read
    return names.cleaned(word.text)


@pytest.mark.parametrize(
    "disguised",
    [
        pytest.param(str.swapcase, id="case"),
        pytest.param(lambda name: name[:2] + "\u200b" + name[2:], id="zero-width space"),
        pytest.param(lambda name: name[:2] + "\u200d" + name[2:], id="joiner"),
        pytest.param(lambda name: name[:2] + "\u00ad" + name[2:], id="soft hyphen"),
        pytest.param(lambda name: name + "\ufe0f", id="variation selector"),
        pytest.param(lambda name: name + "\u3164", id="filler"),
        pytest.param(lambda name: f"\u2067{name}\u2069", id="isolated right to left"),
        pytest.param(lambda name: f" {name}\u00a0", id="blanks"),
        pytest.param(lambda name: "".join(chr(ord(c) + 0xFEE0) for c in name), id="full width"),
    ],
)
async def test_two_things_never_have_names_that_look_the_same(
    house: House, disguised: Callable[[str], str]
) -> None:
    campaign, listed, segment, file = map(disguised, ("Welcome", "Beta", "Hot", "menu"))
    commands = [
        f'campaign new "{campaign}"',
        f'broadcast new "{campaign}" to=tag:lead text="Hi"',
        f'campaign clone Resting as="{campaign}"',
        f'campaign edit Resting name="{campaign}"',
        f'broadcast clone Sale as="{campaign}"',
        f'broadcast edit Sale name="{campaign}"',
        f'list new "{listed}"',
        f'list rename "Beta testers" "{listed}"',
        f'segment new "{segment}" tag:lead',
        f'segment edit "Hot leads" name="{segment}"',
        f'media add "{file}" url=https://93.184.216.34/a.jpg',
    ]

    answers = await house.say_all(commands)

    taken = [
        f"{command}: {answer.text}"
        for command, answer in zip(commands, answers, strict=True)
        if not answer.refused or answer.changed or "already" not in answer.text
    ]
    assert not taken, "\n".join(taken)
