"""Whatever is typed is a command or a clear answer, and what is written is read back."""

from hypothesis import given
from hypothesis import strategies as st

from bot.slack.declare import Command
from bot.slack.grammar import HelpWanted, NotUnderstood
from bot.slack.language import LANGUAGE
from bot.slack.language.steps import StepAdd
from bot.slack.words import as_word, plain, quoted, words
from engine import names

_PIECES = st.one_of(
    st.sampled_from(["campaign", "new", "step", "add", "help", "after=", "text=", "tag:", "1d"]),
    st.sampled_from(['"', "“", "”", "\\", "{", "}", "=", ",", " ", "\u200b", "\u00a0", "|"]),
    st.sampled_from(["<@U1|a>", "<", ">", "&amp;", "+31"]),
)
_anything = st.one_of(
    st.text(max_size=200),
    st.lists(_PIECES, max_size=20).map("".join),
    st.lists(_PIECES).map(" ".join),
)
# What Postgres and WhatsApp can hold; control characters are taken out at the door.
_value = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60)


@given(_anything)
def test_any_text_gets_an_answer(text: str) -> None:
    answer = LANGUAGE.parse(text)

    match answer:
        case NotUnderstood(sentence=sentence, example=example, topic=topic):
            assert sentence.strip().endswith((".", "?"))
            assert example.startswith("/drip ")
            assert LANGUAGE.under(topic)
        case HelpWanted(topic=topic):
            assert LANGUAGE.under(topic)
        case _:
            assert isinstance(answer, Command)


@given(st.text(max_size=200))
def test_undoing_what_slack_did_twice_never_happens(text: str) -> None:
    shown = "".join(c for c in text if c.isprintable())
    escaped = shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    assert plain(escaped) == shown


@given(_value)
def test_a_quoted_value_is_read_back_exactly(value: str) -> None:
    read = words(quoted(value))

    assert isinstance(read, tuple)
    assert [word.text for word in read] == [value]


@given(_value)
def test_a_value_is_one_word_however_it_is_written(value: str) -> None:
    read = words(as_word(value))

    assert isinstance(read, tuple)
    assert [(word.key, word.text) for word in read] == [(None, value)]


@given(
    st.sampled_from(["“{}”", "„{}“", "»{}«", '"{}"', '“{}"']),
    st.from_regex(r"\w[\w .!?]{0,40}", fullmatch=True),
)
def test_any_pair_of_quotes_does(pair: str, value: str) -> None:
    read = words(pair.format(value))

    assert isinstance(read, tuple)
    assert [word.text for word in read] == [value]


@given(
    _value.filter(lambda text: names.cleaned(text) and "{" not in text),
    st.dictionaries(st.from_regex(r"[a-z]{2}[0-9]{2}", fullmatch=True), _value),
)
def test_texts_and_parameters_arrive_as_written(text: str, parameters: dict[str, str]) -> None:
    given_parameters = " ".join(f"{key}={quoted(value)}" for key, value in parameters.items())

    with_text = LANGUAGE.parse(f"step add Welcome after=1d text={_slacked(quoted(text))}")
    with_template = LANGUAGE.parse(
        f"step add Welcome after=1d template=offer {_slacked(given_parameters)}"
    )

    assert isinstance(with_text, StepAdd)
    assert with_text.text == text
    assert isinstance(with_template, StepAdd)
    assert dict(with_template.parameters) == parameters


@given(st.permutations(["after=1d", "text=hello", "Welcome"]))
def test_options_may_stand_anywhere(parts: list[str]) -> None:
    assert LANGUAGE.parse(f"step add {' '.join(parts)}") == LANGUAGE.parse(
        "step add Welcome after=1d text=hello"
    )


def _slacked(text: str) -> str:
    """Return text as Slack delivers it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
