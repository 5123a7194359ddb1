# ruff: noqa: RUF001 — look-alike letters are the subject

import pytest

from engine import names
from engine.names import Ambiguous, InvalidName, NoMatch, One


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Spring Sale", "Spring Sale", id="as it is"),
        pytest.param("  Spring\t \nSale ", "Spring Sale", id="white space"),
        pytest.param("Spring\N{NO-BREAK SPACE}Sale", "Spring Sale", id="space of word processors"),
        pytest.param("Sale\u202eexe.fdp", "Saleexe.fdp", id="right-to-left override"),
        pytest.param("Sa\u200bl\u2060e\ufeff", "Sale", id="zero width"),
        pytest.param("Sale\u0000\u0007", "Sale", id="control"),
        pytest.param("Cafe\u0301", "Caf\u00e9", id="composed"),
        pytest.param("👩\u200d👧 club", "👩\u200d👧 club", id="joined emoji stay whole"),
        pytest.param("\u200dSale\u200d", "Sale", id="joiners at the edges go"),
        pytest.param("می\u200cخواهم", "می\u200cخواهم", id="Persian keeps its joiner"),
        pytest.param("Wel\u200dco\u200cme", "Welcome", id="joiners between Latin letters go"),
        pytest.param("क्\u200dष", "क्\u200dष", id="Hindi keeps its joiner"),
        pytest.param("Sale\ufe0f 1\ufe0f", "Sale 1", id="a selector that changes nothing goes"),
        pytest.param("❤\ufe0f 1\ufe0f\u20e3", "❤\ufe0f 1\ufe0f\u20e3", id="of an emoji it stays"),
        pytest.param(
            "🏳\ufe0f\u200d🌈 👩🏽\u200d💻", "🏳\ufe0f\u200d🌈 👩🏽\u200d💻", id="a flag, a skin"
        ),
        pytest.param("Cafe\u200b\u0301", "Caf\u00e9", id="composed once nothing is between"),
        pytest.param("\u3164", "", id="a filler is nothing"),
        pytest.param("<!channel> =1+1", "<!channel> =1+1", id="markup is a matter of output"),
    ],
)
def test_cleaned(text: str, expected: str) -> None:
    assert names.cleaned(text) == expected


@pytest.mark.parametrize("text", ["", "  ", "\u200b", "\u202e\u0000", "..."])
def test_a_name_is_not_empty(text: str) -> None:
    with pytest.raises(InvalidName, match="at least one letter"):
        names.campaign(text)


def test_a_name_has_eighty_characters_at_most() -> None:
    assert names.campaign("x" * 80) == "x" * 80
    with pytest.raises(InvalidName, match=r"at most 80 characters, this one has 81"):
        names.campaign("x" * 81)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("VIP", "vip", id="case"),
        pytest.param("Straße", "strasse", id="sharp s"),
        pytest.param("ＶＩＰ", "vip", id="full-width"),
        pytest.param(" hot   lead ", "hot lead", id="two words"),
        pytest.param("⭐", "⭐", id="emoji"),
    ],
)
def test_a_tag_is_the_same_however_it_is_typed(text: str, expected: str) -> None:
    assert names.tag(text) == expected


@pytest.mark.parametrize("text", ["a,b", "a;b", "a|b", 'a"b'])
def test_a_tag_holds_no_separator(text: str) -> None:
    with pytest.raises(InvalidName, match="no comma"):
        names.tag(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Last order", "last_order", id="space"),
        pytest.param("last-order (€)", "last_order", id="punctuation"),
        pytest.param("__Last  Order__", "last_order", id="edges"),
        pytest.param("Größe", "grösse", id="letters of other languages"),
        pytest.param("शहर का नाम", "शहर_का_नाम", id="vowels that are marks"),
        pytest.param("plan2", "plan2", id="digits"),
    ],
)
def test_an_attribute_is_one_word_of_small_letters(text: str, expected: str) -> None:
    assert names.attribute(text) == expected


@pytest.mark.parametrize("text", ["", "€", "1", "12", "_", "x" * 51])
def test_what_is_no_attribute(text: str) -> None:
    with pytest.raises(InvalidName):
        names.attribute(text)


@pytest.mark.parametrize(
    ("word", "expected"),
    [("frist_name", "first_name"), ("EMAIL", "email"), ("xyzzy", None), ("", None)],
)
def test_closest(word: str, expected: str | None) -> None:
    assert names.closest(word, ["first_name", "email"]) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param("Welcome", One(name="Welcome"), id="the name"),
        pytest.param("welcome", One(name="Welcome"), id="in another case"),
        pytest.param("Welcome 2", One(name="Welcome 2"), id="begins with another's name"),
        pytest.param("wel", Ambiguous(names=("Welcome", "Welcome 2")), id="begins two"),
        pytest.param("sp", One(name="Spring Sale"), id="begins one"),
        pytest.param("spring  sale", One(name="Spring Sale"), id="spaces"),
        pytest.param("vip", Ambiguous(names=("VIP", "Vip")), id="two that differ in case only"),
        pytest.param("VIP", One(name="VIP"), id="one of these, exactly"),
        pytest.param("Welcom3", NoMatch(closest="Welcome"), id="a slip"),
        pytest.param("nothing", NoMatch(closest=None), id="unlike any"),
        pytest.param("", NoMatch(closest=None), id="empty begins nothing"),
    ],
)
def test_match_name(given: str, expected: One | Ambiguous | NoMatch) -> None:
    assert (
        names.match_name(given, ["Welcome", "Welcome 2", "Spring Sale", "VIP", "Vip"]) == expected
    )
