"""Segments survive being saved and read, and being written and read."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from engine.segment import Condition, Definition
from engine.segment_json import from_json, to_json
from engine.segment_parser import InvalidSegment, parse
from engine.segment_text import show
from tests.examples import MORE
from tests.properties.segment_strategies import KNOWN, conditions


@given(conditions())
def test_what_is_written_reads_as_the_same(condition: Condition) -> None:
    assert parse(show(condition, KNOWN), KNOWN) == condition


@given(conditions())
def test_what_is_saved_reads_as_the_same(condition: Condition) -> None:
    definition = Definition(where=condition, zone="Europe/Amsterdam")

    saved = orjson.loads(orjson.dumps(to_json(definition)))

    assert from_json(saved) == definition


WORDS = (
    "tag:vip", "tag:", "list:Beta", "and", "or", "not", "(", ")", "is", "set", "city", "orders",
    "renewal", "within", "older", "than", "30d", "the", "next", "in", "last_reply", "contains",
    '"x y"', '"', ">=", "!=", "=", "3", "2026-12-31", "2026-02-30", "all", "consent", "reachable",
    "attribute:or", "read:Welcome", "newsletter", "yes", "\u200b", "\u202e", "👍", "on", "before",
    "segment:Hot", "nobody:x", "phone:+31612345678", "phone:12", "\x00",
)  # fmt: skip


@MORE
@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join) | st.text(max_size=40))
def test_whatever_is_written_is_a_segment_or_a_sentence_that_says_what_would_be(text: str) -> None:
    try:
        condition = parse(text, KNOWN)
    except InvalidSegment as error:
        refusal = str(error)
    else:
        assert parse(show(condition, KNOWN), KNOWN) == condition
        return
    assert refusal[-1] in ".?"
    assert len(refusal) < 600
