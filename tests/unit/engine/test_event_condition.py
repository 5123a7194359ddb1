"""Conditions on the properties of an event: what is read, what is fulfilled, what is refused."""

import re

import pytest

from engine.event_condition import InvalidCondition, fulfils, parse, show

PROPERTIES = {"total": "99.5", "plan": "Pro", "due": "2026-12-01", "gift": "yes", "not": "x"}


@pytest.mark.parametrize(
    "text",
    [
        "total > 99",
        "total <= 99.5 and plan is pro",
        "Total = 99.50",
        "total is not 3",
        'event.plan begins with "PR"',
        "due after 2026-11-30",
        "due is 2026-12-01",
        "gift is true",
        "coupon is not set",
        "coupon != 5",
        "not (total < 5 or coupon is set)",
        "event.not is x",
    ],
)
def test_what_an_event_fulfils(text: str) -> None:
    assert fulfils(PROPERTIES, parse(text))
    assert parse(show(parse(text))) == parse(text)


@pytest.mark.parametrize(
    "text",
    ["total > 99.5", "plan > 3", "coupon < 5", "plan is set and gift is no", "total on 2026-12-01"],
)
def test_what_it_does_not(text: str) -> None:
    assert not fulfils(PROPERTIES, parse(text))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Nothing says which events are meant"),
        ("total", "contains, begins with"),
        ("total >> 5", "expected a number"),
        ("total >= many", "expected a number"),
        ("total >= 5 total < 9", "expected and, or"),
        ("and total = 5", "a condition such as"),
        ("due before tomorrow", "a day such as 2026-12-31"),
        ('plan is "pro', "closed"),
        ("€ = 5", "the name of a property"),
        ("a = 5 and " * 100, "at most 500 characters"),
    ],
)
def test_what_is_none_is_refused_with_a_sentence(text: str, why: str) -> None:
    with pytest.raises(InvalidCondition, match=re.escape(why)):
        parse(text)
