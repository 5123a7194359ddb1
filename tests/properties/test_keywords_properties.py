import unicodedata
from collections.abc import Callable
from typing import Literal

from hypothesis import assume, example, given
from hypothesis import strategies as st

from engine.keyword_words import WORDS
from engine.keywords import Keywords, Meaning
from tests.examples import MORE

KEYWORDS = Keywords(start=["JA GRAAG"])
LISTED = [
    (word, meaning)
    for language in WORDS.values()
    for words, meaning in ((language.stop, Meaning.STOP), (language.start, Meaning.START))
    for word in words
] + [("JA GRAAG", Meaning.START)]

AROUND = st.text(
    st.characters(categories=("P", "Z", "So", "Sk", "Sm", "Sc", "Cf", "Cc"))
    | st.sampled_from("🛑👍🏽❤\ufe0f\u200d\u20e3🇳🇱 \t\n.!?…\"'«»„“¿¡"),
    max_size=8,
)
CASES: list[Callable[[str], str]] = [
    str,
    str.upper,
    str.lower,
    str.title,
    str.capitalize,
    str.swapcase,
    str.casefold,
]
FORMS: list[Literal["NFC", "NFD", "NFKC", "NFKD"]] = ["NFC", "NFD", "NFKC", "NFKD"]
SPACES = st.text(st.sampled_from(" \t\n\u00a0\u2003\u3000"), min_size=1, max_size=3)


@example(("STOP", Meaning.STOP), str, "NFC", "", "\u20e3")
@MORE
@given(st.sampled_from(LISTED), st.sampled_from(CASES), st.sampled_from(FORMS), AROUND, AROUND)
def test_every_word_counts_in_any_case_and_form_with_anything_around_it(
    listed: tuple[str, Meaning],
    case: Callable[[str], str],
    form: Literal["NFC", "NFD", "NFKC", "NFKD"],
    before: str,
    after: str,
) -> None:
    word, meaning = listed

    assert KEYWORDS.meaning(before + unicodedata.normalize(form, case(word)) + after) is meaning


@given(st.sampled_from(LISTED), st.data())
def test_any_spaces_may_stand_between_the_words_of_one(
    listed: tuple[str, Meaning], data: st.DataObject
) -> None:
    word, meaning = listed
    first, *rest = word.split(" ")

    assert KEYWORDS.meaning(first + "".join(data.draw(SPACES) + w for w in rest)) is meaning


@given(
    st.sampled_from(LISTED), st.integers(0, 40), st.sampled_from("\u200b\u200d\u2060\ufeff\u00ad")
)
def test_an_invisible_character_inside_changes_nothing(
    listed: tuple[str, Meaning], position: int, unseen: str
) -> None:
    word, meaning = listed

    assert KEYWORDS.meaning(word[:position] + unseen + word[position:]) is meaning


# Words that no keyword begins or ends with, so that a sentence never happens to be one.
OTHERS = st.lists(
    st.sampled_from(
        ["xylophone", "42", "жираф", "ζέβρα", "斑马", "زرافة", "शेर", "얼룩말", "kwaak"]
    ),
    max_size=4,
)


@MORE
@given(st.sampled_from(LISTED), OTHERS, OTHERS, st.sampled_from([" ", ", ", " - ", "\n", " 🛑 "]))
def test_no_word_counts_inside_a_sentence(
    listed: tuple[str, Meaning], before: list[str], after: list[str], between: str
) -> None:
    assume(before or after)

    assert KEYWORDS.meaning(between.join([*before, listed[0], *after])) is None


@MORE
@given(st.sampled_from(LISTED), st.sampled_from(["x", "42", "ж", "ω", "馬", "س", "얼"]))
def test_no_word_counts_as_part_of_a_longer_one(listed: tuple[str, Meaning], more: str) -> None:
    assert KEYWORDS.meaning(listed[0] + more) is None
    assert KEYWORDS.meaning(more + listed[0]) is None


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert KEYWORDS.meaning(text) in {None, Meaning.STOP, Meaning.START}
