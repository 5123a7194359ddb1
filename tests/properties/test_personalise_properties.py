import re

from hypothesis import given
from hypothesis import strategies as st

from engine import personalise
from engine.personalise import InvalidText, Missing, Token

NAMES = st.sampled_from(["first_name", "city", "plan_2"])
LITERALS = st.text(st.characters(categories=("L", "Zs", "P", "So")) | st.sampled_from("\\{}|\n"))


@st.composite
def sources(draw: st.DrawFn) -> tuple[str, str]:
    """A text as staff may write it, and how it reads when no value is known."""
    source, plain = [], []
    for literal, name, fallback in draw(st.lists(st.tuples(LITERALS, NAMES, LITERALS))):
        # A literal that ends in a backslash would escape the token's brace.
        kept = literal.rstrip("\\")
        token = f"{name}|{escaped(fallback)}"
        source.append(escaped(kept) + draw(st.sampled_from(["{%s}", "{{%s}}"])) % token)
        plain.append(kept + fallback)
    return "".join(source), "".join(plain)


def escaped(text: str) -> str:
    return re.sub(r"([{}])", r"\\\1", text.rstrip("\\"))


@given(st.text(st.characters() | st.sampled_from("{}\\|a1_"), max_size=30))
def test_a_text_that_is_read_is_written_and_read_back(source: str) -> None:
    try:
        text = personalise.parse(source)
    except InvalidText:
        return
    assert personalise.parse(str(text)) == text


@given(sources())
def test_fallbacks_stand_exactly_as_meant(written: tuple[str, str]) -> None:
    source, plain = written
    text = personalise.parse(source)

    assert personalise.parse(str(text)) == text
    rendered = text.render({})
    assert isinstance(rendered, str)
    assert rendered.replace("\\", "") == plain.replace("\\", "")


@given(
    st.lists(st.sampled_from(["a", "{x}", "{y}", "{z|f}"])),
    st.dictionaries(st.sampled_from("xyz"), st.text(max_size=5)),
)
def test_missing_are_exactly_the_blank_values_without_fallback(
    pieces: list[str], values: dict[str, str]
) -> None:
    rendered = personalise.parse("".join(pieces)).render(values)

    missing = {n for n in "xy" if f"{{{n}}}" in pieces and not values.get(n, "").strip()}
    assert (set(rendered.names) if isinstance(rendered, Missing) else set()) == missing


@given(st.text(st.characters() | st.sampled_from(" \n\t\u200b")))
def test_a_parameter_is_what_templates_take(value: str) -> None:
    parameter = personalise.clean_parameter(value)

    assert parameter is None or (parameter.strip() and not re.search(r"[\n\r\t]| {5,}", parameter))


@given(st.text())
def test_every_value_stands_unchanged(value: str) -> None:
    text = personalise.Text(parts=("<", Token(name="x", fallback=""), ">"))

    assert text.render({"x": value}) == f"<{value if value.strip() else ''}>"
