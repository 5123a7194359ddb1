"""What Slack and phones do to text is undone."""

import pytest

from bot.slack.words import Unreadable, as_word, plain, words


@pytest.mark.parametrize(
    ("delivered", "typed"),
    [
        pytest.param("<@U1|ada>", "@U1", id="user"),
        pytest.param("<@U1>", "@U1", id="user without label"),
        pytest.param("<#C1|general>", "#C1", id="channel"),
        pytest.param("<!subteam^S1|@leads>", "@S1", id="user group"),
        pytest.param("<!channel>", "@channel", id="everybody"),
        pytest.param("<!date^1^{date}|May>", "May", id="date"),
        pytest.param("<tel:+31612345678|+31 6 123>", "+31612345678", id="telephone"),
        pytest.param("<mailto:a@b.nl|a@b.nl>", "a@b.nl", id="mail"),
        pytest.param("<http://acme.com|acme.com>", "acme.com", id="address Slack completed"),
        pytest.param("<https://acme.com/a?b=1&amp;c=2>", "https://acme.com/a?b=1&c=2", id="link"),
        pytest.param("<https://acme.com|click>", "https://acme.com", id="masked link"),
        pytest.param("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c", id="entities once"),
        pytest.param("<b> & 1 < 2", "<b> & 1 < 2", id="what Slack did not escape"),
        pytest.param("a\x00b\x07", "ab", id="control characters"),
    ],
)
def test_typed_text_comes_back(delivered: str, typed: str) -> None:
    assert plain(delivered) == typed


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        pytest.param('a "b c" d', [(None, "a"), (None, "b c"), (None, "d")], id="quotes"),
        pytest.param("“b c”", [(None, "b c")], id="typographic"),
        pytest.param("„b c“ »d e«", [(None, "b c"), (None, "d e")], id="of other countries"),
        pytest.param('“b c"', [(None, "b c")], id="mixed"),
        pytest.param('"b “c” d"', [(None, "b “c” d")], id="typographic inside straight"),
        pytest.param("k=v", [("k", "v")], id="option"),
        pytest.param('k="v w" x', [("k", "v w"), (None, "x")], id="quoted option"),
        pytest.param("k=“v w”", [("k", "v w")], id="typographic option"),
        pytest.param('"k=v"', [(None, "k=v")], id="quotes keep an equals sign"),
        pytest.param("url=a?b=c", [("url", "a?b=c")], id="the first equals sign counts"),
        pytest.param("k=", [("k", "")], id="an option of nothing"),
        pytest.param("=v", [(None, "=v")], id="no name, no option"),
        pytest.param('k=""', [("k", "")], id="empty quotes"),
        pytest.param(
            "1={first_name|there} 2=10%", [("1", "{first_name|there}"), ("2", "10%")], id="tokens"
        ),
        pytest.param("k={a|dear friend}", [("k", "{a|dear friend}")], id="space in a token"),
        pytest.param("k={a b", [("k", "{a"), (None, "b")], id="a brace alone"),
        pytest.param(r'"a \"b\" \\ \{c}"', [(None, r'a "b" \ \{c}')], id="escapes in quotes"),
        pytest.param(r"k=\{c}", [("k", r"\{c}")], id="outside of quotes a backslash stays"),
        pytest.param(r'"a\nb"', [(None, "a\nb")], id="new line"),
        pytest.param("a\u00a0b\u2003c\u3000d\ne", [(None, x) for x in "abcde"], id="any space"),
        pytest.param("\u200bwel\u200dcome\ufeff", [(None, "welcome")], id="invisible"),
        pytest.param("👨\u200d👩", [(None, "👨\u200d👩")], id="a family stays together"),
        pytest.param("\u200b \u2060", [], id="nothing to see"),
        pytest.param(
            "O'Brien 6\" Ada", [(None, "O'Brien"), (None, '6"'), (None, "Ada")], id="inches"
        ),
    ],
)
def test_words_are_cut(text: str, cut: list[tuple[str | None, str]]) -> None:
    read = words(text)

    assert isinstance(read, tuple)
    assert [(word.key, word.text) for word in read] == cut


def test_brackets_may_stand_right_beside_quotes() -> None:
    read = words('(city is “New York”) or ("x")')

    assert isinstance(read, tuple)
    assert [word.raw for word in read] == ["(city", "is", '"New York")', "or", '("x")']


def test_what_was_quoted_within_a_word_stays_quoted_in_its_raw_form() -> None:
    read = words('tag:“very important”,list:"b c"')

    assert isinstance(read, tuple)
    assert [word.raw for word in read] == ['tag:"very important",list:"b c"']


@pytest.mark.parametrize("text", ['"open', "a “open", 'k="open', '"a"b', '"He said "hi" to me"'])
def test_quotes_that_do_not_pair_are_told(text: str) -> None:
    read = words(text)

    assert isinstance(read, Unreadable)
    assert read.sentence.endswith(".")


@pytest.mark.parametrize(
    ("value", "written"),
    [("Sale", "Sale"), ("Big Sale", '"Big Sale"'), ("a=b", '"a=b"'), ('"', '"\\""'), ("", '""')],
)
def test_a_value_is_written_with_quotes_only_where_it_needs_them(value: str, written: str) -> None:
    assert as_word(value) == written
