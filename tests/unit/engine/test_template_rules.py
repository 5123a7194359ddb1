"""Every rule about templates is documented with its source, and can be broken."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine.content import MediaKind
from engine.template_draft import Draft, DraftButton, HeaderFile
from engine.template_rules import RULES, problems, warnings
from engine.templates import ButtonKind, Category

PAGE = Path(__file__).parents[3] / "docs" / "templates.md"
GOOD = Draft(
    name="spring",
    language="en",
    category=Category.MARKETING,
    body="Hi {{first_name}}, our sale has begun.",
    samples=(("first_name", "Ada"),),
)
LINK = DraftButton(kind=ButtonKind.URL, label="See", target="https://shop.example/{{1}}")
REPLY = DraftButton(kind=ButtonKind.QUICK_REPLY, label="Stop")
CALL = DraftButton(kind=ButtonKind.PHONE_NUMBER, label="Call", target="+31201234567")


def test_the_page_lists_the_rules_with_their_sources() -> None:
    lines = PAGE.read_text().splitlines()

    for rule in RULES:
        assert f"| {rule.says} | {rule.source} |" in lines


def test_a_good_draft_keeps_to_all() -> None:
    assert problems(GOOD) == ()


@pytest.mark.parametrize(
    ("draft", "says"),
    [
        (replace(GOOD, name="Spring!"), "small letters"),
        (replace(GOOD, category=Category.AUTHENTICATION), "marketing or utility"),
        (replace(GOOD, body="x" * 1025, samples=()), "1,025 characters"),
        (replace(GOOD, header="x" * 61), "61 characters"),
        (replace(GOOD, header="On *sale*"), "no line breaks and no *"),
        (replace(GOOD, header="Sale 🎉"), "no emoji"),
        (replace(GOOD, header=HeaderFile(name="tune", kind=MediaKind.AUDIO)), "of the kind audio"),
        (replace(GOOD, footer="Bye {{first_name}}"), "no variables"),
        (replace(GOOD, body="Hi {first_name}, our sale has begun."), "{{first_name}}"),
        (replace(GOOD, body="Hi {{2}}, our sale has begun."), "without a gap"),
        (replace(GOOD, body="Hi {{First}}, our sale has begun."), "{{First}} does not"),
        (replace(GOOD, body="{{first_name}}, our sale has begun."), "begins with"),
        (replace(GOOD, body="Our sale has begun, {{first_name}}"), "ends with"),
        (replace(GOOD, body="Hi {{first_name}}{{last}} our sale has begun."), "side by side"),
        (replace(GOOD, body="Hi {{first_name}}!"), "words around"),
        (replace(GOOD, body="Hi {{first_name}},\n\n\nour sale has begun."), "in a row"),
        (replace(GOOD, samples=()), "write first_name="),
        (replace(GOOD, samples=(("first_name", "{name}"),)), "a plain value"),
        (replace(GOOD, buttons=(REPLY, CALL, replace(REPLY, label="No"))), "stand together"),
        (replace(GOOD, buttons=(CALL, replace(CALL, label="Ring"))), "takes one"),
        (replace(GOOD, buttons=(replace(REPLY, label="x" * 26),)), "26 characters"),
        (replace(GOOD, buttons=(REPLY, REPLY)), "must differ"),
        (replace(GOOD, buttons=(replace(LINK, target="shop.example"),)), "web address"),
        (replace(GOOD, buttons=(replace(CALL, target="020"),)), "must be like +31"),
    ],
)
def test_what_breaks_a_rule_is_named(draft: Draft, says: str) -> None:
    assert any(says in each for each in problems(draft)), problems(draft)


def test_a_utility_template_that_promotes_is_warned_about() -> None:
    assert warnings(replace(GOOD, category=Category.UTILITY))
    assert not warnings(GOOD)
