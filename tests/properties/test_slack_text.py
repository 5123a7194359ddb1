"""Text from outside is never markup, and no message goes over Slack's limits."""

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.slack import blocks
from bot.slack.markup import Markup, clean, code, cut_markup, escape, literal, markup

_HOSTILE = st.one_of(
    st.sampled_from(["<!channel>", "<!here>", "<@U1>", "<#C1>", "<!subteam^S1>", "<http://e|b>"]),
    st.sampled_from(["*", "_", "~", "`", "```", ":tada:", ":+1:", ">", "\n>", "\r\n> x"]),
    st.sampled_from(["&lt;", "&", "<", "|", "\n", " ", "a", "é", "漢", "1", ".", "😀"]),
    st.sampled_from(["\u202e", "\u2066", "\x00", "\u200b"]),
)
_outside = st.one_of(st.text(max_size=300), st.lists(_HOSTILE, max_size=40).map("".join))

# A judge of its own: what Slack would act on in a text, as its documentation tells it.
_CONTROL = re.compile(r"<[^<>]*>|[<>]")
_STYLE = re.compile(r"(?:^|[^\w])([*_~])(?=\S)(?:[^\n]*?\S)?\1(?:$|[^\w])|`[^`\n]+`", re.MULTILINE)
_EMOJI = re.compile(r":[\w+'-]+:")
_QUOTE = re.compile(r"^\s*&gt;", re.MULTILINE)


def acted_on(text: str) -> list[str]:
    return [
        found.group()
        for judge in (_CONTROL, _STYLE, _EMOJI, _QUOTE)
        for found in judge.finditer(text)
    ]


@pytest.mark.parametrize(
    "live",
    ["<!channel>", "a *b* c", "_b_", "~a b~", "`a`", ":tada:", "&gt; quoted", "a\n&gt; b", "(*b*)"],
)
def test_the_judge_sees_markup(live: str) -> None:
    assert acted_on(live)


@given(_outside)
@example("*a*_b_~c~`d`")
@example("> quoted")
@example("::a::b::")
def test_text_from_outside_is_never_markup(text: str) -> None:
    shown = literal(text)

    assert acted_on(shown) == []
    assert shown.strip()
    assert acted_on(markup("*{name}*", name=text)[1:-1]) == []


@given(_outside)
def test_escaped_text_controls_nothing(text: str) -> None:
    assert _CONTROL.search(escape(text)) is None
    assert _CONTROL.search(code(text)) is None
    assert code(text).count("`") == 2


@given(_outside, st.integers(min_value=5, max_value=100))
def test_cutting_leaves_entities_and_limits_whole(text: str, limit: int) -> None:
    shown = escape(text, limit=limit)
    again = cut_markup(Markup(escape(text) + "<@U1>"), limit)

    for each in (shown, again):
        assert len(each) <= limit
        assert re.sub(r"&(?:amp|lt|gt);|<@U1>", "", each).count("&") == 0
        assert re.sub(r"<@U1>", "", each).count("<") == 0


@given(_outside)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    ordinary = "".join(c for c in text if c.isalnum() or c in " .,@-/")

    assert literal(ordinary) == clean(ordinary)


@given(_outside, st.integers(min_value=0, max_value=200))
def test_every_block_keeps_within_its_limits(text: str, times: int) -> None:
    long = text * times
    outside = literal(long, limit=50_000)

    every = [
        blocks.header(long),
        blocks.section(outside),
        *blocks.sections(outside),
        *blocks.fields([(long, outside)] * 23),
        blocks.context(*[outside] * 12),
        blocks.actions(*[blocks.button(long, action_id="a", value="1@1")] * 30),
        blocks.quote(long),
        blocks.preformatted(long),
        *blocks.table([long, "b"], [[long, long, long], []] * 80),
        blocks.actions(
            blocks.button(
                long,
                action_id="a",
                value="1",
                confirm=blocks.confirmation(title=long, text=long, confirm=long, deny=long),
            )
        ),
    ]

    for block in every:
        _judge(block)
    whole = blocks.message(outside, *every, *every)
    assert len(whole.blocks) <= 50
    assert 0 < len(whole.text.encode()) <= 4000


@given(_outside)
def test_paging_loses_nothing_but_line_ends(text: str) -> None:
    long = Markup("\n".join([literal(text)] * 60))

    pages = [each["text"]["text"] for each in blocks.sections(long)]

    assert "".join("".join(pages).split()) == "".join(long.split())


_TEXTS = {"header": 150, "section": 3000, "context": 3000}
_ELEMENTS = {"actions": 25, "context": 10}


def _judge(block: dict[str, Any]) -> None:
    kind = block["type"]
    for text in _texts(block):
        assert text["text"].strip()
        if text["type"] == "mrkdwn":
            assert text["verbatim"] is True
    if kind in _TEXTS and "text" in block:
        assert len(block["text"]["text"]) <= _TEXTS[kind]
    if kind in _ELEMENTS:
        assert 1 <= len(block["elements"]) <= _ELEMENTS[kind]
    for field in block.get("fields", []):
        assert len(block["fields"]) <= 10
        assert len(field["text"]) <= 2000
    if kind == "actions":
        for button in block["elements"]:
            assert len(button["text"]["text"]) <= 75
            for part, limit in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
                assert len(button.get("confirm", {}).get(part, {"text": ""})["text"]) <= limit
    if kind == "table":
        cells = [cell["text"] for row in block["rows"] for cell in row]
        assert len(block["rows"]) <= 100
        assert {len(row) for row in block["rows"]} == {2}
        assert sum(map(len, cells)) <= 10_000


def _texts(value: object) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    if not isinstance(value, dict):
        return []
    own = [value] if value.get("type") in {"mrkdwn", "plain_text", "raw_text", "text"} else []
    return own + [text for each in value.values() for text in _texts(each)]
