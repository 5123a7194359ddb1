from hypothesis import given
from hypothesis import strategies as st

from engine import names, who
from engine.phone import Phone
from engine.who import Everybody, InCampaign, InSegment, InvalidWho, Number, OnList, Tagged, Who

WORDS = st.text(
    st.characters(categories=("L", "N", "P", "Zs")) | st.sampled_from(' ,"\\:'), max_size=20
)


def named(text: str) -> str:
    try:
        return names.campaign(text)
    except names.InvalidName:
        return "x"


def tagged(text: str) -> str:
    try:
        return names.tag(text)
    except names.InvalidName:
        return "x"


PARTS = st.one_of(
    st.builds(Number, st.sampled_from([Phone("+31612345678"), Phone("+12125550123")])),
    st.builds(Tagged, WORDS.map(tagged)),
    st.builds(OnList, WORDS.map(named)),
    st.builds(InSegment, WORDS.map(named)),
    st.builds(InCampaign, WORDS.map(named)),
)


@given(st.lists(PARTS, min_size=1, unique=True) | st.just([Everybody()]))
def test_whoever_is_written_is_read_back(parts: list[who.Part]) -> None:
    written = Who(parts=tuple(parts))

    assert who.parse(str(written), country=None) == written


@given(st.text(st.sampled_from('tag:lis,"\\ +0612345678all') | st.characters(), max_size=20))
def test_any_text_is_somebody_or_refused_with_a_sentence(text: str) -> None:
    try:
        read = who.parse(text, country="NL")
    except InvalidWho as error:
        sentence = str(error)
    else:
        assert who.parse(str(read), country=None) == read
        return
    assert sentence.endswith((".", "?"))
