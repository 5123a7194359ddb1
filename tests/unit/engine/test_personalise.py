import pytest

from engine import personalise
from engine.personalise import InvalidText, Missing, Text, Token, UnknownToken

ADA = {"first_name": "Ada", "name": "Ada Byron", "city": "London", "blank": "  "}


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        pytest.param("Hello", "Hello", id="no token"),
        pytest.param("", "", id="empty"),
        pytest.param("Hi {first_name}!", "Hi Ada!", id="a value"),
        pytest.param("{first_name}{name}", "AdaAda Byron", id="side by side"),
        pytest.param("Hi {{first_name}}!", "Hi Ada!", id="double braces"),
        pytest.param("Hi {{company|there}}!", "Hi there!", id="double braces with a fallback"),
        pytest.param("Hi {First Name}!", "Hi Ada!", id="as a column is titled"),
        pytest.param("Hi { first_name }!", "Hi Ada!", id="spaces"),
        pytest.param("{city}", "London", id="an attribute"),
        pytest.param("Hi {company|there}", "Hi there", id="fallback"),
        pytest.param("Hi{company|}.", "Hi.", id="empty fallback"),
        pytest.param("{blank|none}", "none", id="a blank value is none"),
        pytest.param("{company|a|b}", "a|b", id="a bar in a fallback"),
        pytest.param(r"\{first_name}", "{first_name}", id="literal brace"),
        pytest.param(r"{company|\{x\}}", "{x}", id="braces in a fallback"),
        pytest.param(r"a } b \} c", "a } b } c", id="closing braces"),
        pytest.param(r"C:\temp\{x\}", r"C:\temp{x}", id="other backslashes stay"),
        pytest.param("Hi\n{first_name}\n", "Hi\nAda\n", id="lines"),
    ],
)
def test_render(text: str, rendered: str) -> None:
    assert personalise.parse(text).render(ADA) == rendered


def test_all_missing_values_are_named_once_in_order() -> None:
    text = personalise.parse("{phone} {first_name} {company} {blank} {company} {email|-}")

    assert text.render(ADA) == Missing(names=("phone", "company", "blank"))


def test_a_value_is_never_read_as_a_token() -> None:
    assert personalise.parse("{first_name}").render({"first_name": "{name} \\{"}) == "{name} \\{"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("{{1}}", "numbered place of a template", id="positional"),
        pytest.param("{1}", "numbered place of a template", id="positional in single braces"),
        pytest.param("{{ 2 | x }}", "numbered place of a template", id="with a fallback"),
        pytest.param("{first_name", "not closed", id="not closed"),
        pytest.param("{{first_name}", "not closed", id="closed once of twice"),
        pytest.param("a { b", "not closed", id="a lonely brace"),
        pytest.param("{}", "names nothing", id="empty"),
        pytest.param("{|there}", "names nothing", id="only a fallback"),
        pytest.param("{!}", "no token", id="no letter"),
        pytest.param(r"{first_name|a\}", "not closed", id="its end escaped"),
        pytest.param("{a{b}}", "not closed", id="nested"),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidText, match=reason):
        personalise.parse(text)


@pytest.mark.parametrize(
    ("token", "closest"), [("frist_name", "first_name"), ("citty", "city"), ("zzz", None)]
)
def test_an_unknown_token_names_the_closest(token: str, closest: str | None) -> None:
    with pytest.raises(UnknownToken) as refused:
        personalise.parse(f"Hi {{{token}|you}}", known={"city"})

    assert (refused.value.token, refused.value.closest) == (token, closest)


def test_built_in_tokens_are_always_known() -> None:
    text = personalise.parse("{first_name}{name}{company}{phone}{email}{city}", known=["city"])

    assert [token.name for token in text.tokens] == [*personalise.BUILT_IN, "city"]


def test_a_text_is_written_as_it_was_meant() -> None:
    text = personalise.parse(r"Hi {{First Name|you \{\}}}, \{} 1 } 2")

    assert text.parts == ("Hi ", Token(name="first_name", fallback="you {}"), ", {} 1 } 2")
    assert str(text) == r"Hi {first_name|you \{\}}, \{\} 1 \} 2"


@pytest.mark.parametrize(
    ("value", "parameter"),
    [
        pytest.param("Ada", "Ada", id="as it is"),
        pytest.param(" Main St 1\n\tUtrecht\r\n", "Main St 1 Utrecht", id="lines and tabs"),
        pytest.param("a" + " " * 9 + "b", "a b", id="many spaces"),
        pytest.param("", None, id="empty"),
        pytest.param(" \n ", None, id="blank"),
        pytest.param("\u200b", None, id="invisible"),
    ],
)
def test_clean_parameter(value: str, parameter: str | None) -> None:
    assert personalise.clean_parameter(value) == parameter


def test_a_text_may_be_compared_and_kept_in_sets() -> None:
    assert {personalise.parse("{name}"), Text(parts=(Token(name="name"),))} == {
        personalise.parse("{{name}}")
    }
