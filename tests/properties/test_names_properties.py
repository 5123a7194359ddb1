# ruff: noqa: RUF001 — look-alike letters are the subject

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from engine import names
from engine.names import InvalidName, One

HIDING = "\u202a\u202e\u2066\u2069\u200b\u200e\ufeff\u00ad\u0000\u0007\n\t"


@given(st.text() | st.text(HIDING + "abc é"))
def test_cleaning_is_done_after_once_and_leaves_nothing_that_hides(text: str) -> None:
    once = names.cleaned(text)

    assert names.cleaned(once) == once
    assert not {
        unicodedata.category(c) for c in once.replace("\u200c", "").replace("\u200d", "")
    } & {
        "Cc",
        "Cf",
        "Cs",
        "Zl",
        "Zp",
    }


@given(st.text(max_size=60) | st.text(HIDING + "ABßİıς é_-", max_size=20))
def test_tags_and_attributes_are_their_own_names(text: str) -> None:
    for read in (names.tag, names.attribute, names.campaign):
        try:
            name = read(text)
        except InvalidName:
            continue
        assert read(name) == name


@given(
    st.lists(st.text("abcABC ", min_size=1).filter(str.strip), min_size=1, unique_by=names.folded)
)
def test_every_name_is_found_by_itself_whatever_the_others_are(known: list[str]) -> None:
    assert [names.match_name(name, known) for name in known] == [One(name=n) for n in known]
