"""What a template asks for, whether a step gives it, and what a person reads."""

import json
from collections.abc import Mapping

import pytest

from engine.content import HeaderText, Media, MediaKind, MediaRef, TemplateMessage, UrlSuffix
from engine.template_items import UnreadableTemplate, template
from engine.templates import (
    ButtonKind,
    Category,
    Status,
    Template,
    TemplateNotFilled,
    filled,
    problems,
    read,
    values_of,
)

BODY = {"type": "BODY"}


def item(*components: Mapping[str, object], **more: object) -> dict[str, object]:
    return {
        "id": "17",
        "name": "offer",
        "language": "en_US",
        "status": "APPROVED",
        "category": "MARKETING",
        "parameter_format": "POSITIONAL",
        "components": list(components),
        **more,
    }


WELCOME = template(
    item({**BODY, "text": "Hi {{first_name}}!"}, name="welcome", parameter_format="NAMED")
)
OFFER = template(
    item(
        {"type": "HEADER", "format": "TEXT", "text": "{{1}} sale"},
        {**BODY, "text": "Dear {{1}}, {{2}} off. See you, {{1}}."},
        {"type": "FOOTER", "text": "Acme"},
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "QUICK_REPLY", "text": "Stop"},
                {"type": "URL", "text": "Shop", "url": "https://acme.example/{{1}}"},
            ],
        },
    )
)
ANNOUNCEMENT = template(item({"type": "HEADER", "format": "IMAGE"}, {**BODY, "text": "News"}))
SEASONAL = template(
    item(
        {"type": "HEADER", "format": "TEXT", "text": "{{season}} sale"},
        {**BODY, "text": "Hi {{first_name}}"},
        parameter_format="NAMED",
    )
)
OFFERED = {"header": "Spring", "1": "Anna", "2": "10%", "url": "welcome"}


def said(found: Template, **given: str) -> list[str]:
    return [problem.sentence for problem in problems(found, given)]


def test_an_item_of_metas_list_is_read() -> None:
    assert (OFFER.category, OFFER.status, OFFER.named) == (
        Category.MARKETING,
        Status.APPROVED,
        False,
    )
    assert OFFER.expected == ("header", "1", "2", "url")
    assert [button.kind for button in OFFER.buttons] == [ButtonKind.QUICK_REPLY, ButtonKind.URL]
    assert OFFER.suffix_index == 1
    assert json.loads(OFFER.raw)["name"] == "offer"


def test_what_meta_adds_is_unknown_and_not_an_error() -> None:
    odd = template(
        item(
            {"type": "HEADER", "format": "HOLOGRAM"},
            {"type": "BUTTONS", "buttons": [{"type": "LASER", "text": "x"}, 7]},
            status="SANDBOXED",
            category="SPAM",
            quality_score="?",
        )
    )

    assert (odd.status, odd.status_name, odd.category, odd.quality) == (
        Status.UNKNOWN,
        "SANDBOXED",
        Category.UNKNOWN,
        "UNKNOWN",
    )
    assert [button.kind for button in odd.buttons] == [ButtonKind.UNKNOWN]


def test_old_templates_without_a_format_are_told_by_their_variables() -> None:
    assert template(item({**BODY, "text": "{{name}} x"}, parameter_format=None)).named
    assert not template(item({**BODY, "text": "{{1}} x"}, parameter_format=None)).named


@pytest.mark.parametrize("missing", ["id", "name", "language"])
def test_an_item_without_identity_is_no_template(missing: str) -> None:
    with pytest.raises(UnreadableTemplate):
        template(item(**{missing: None}))


def test_values_that_fit_are_no_problem() -> None:
    assert said(WELCOME, first_name="{first_name|there}") == []
    assert said(OFFER, **OFFERED) == []
    assert said(ANNOUNCEMENT, header="https://acme.example/a.png") == []
    assert said(SEASONAL, season="Spring", first_name="Anna") == []


def test_everything_missing_is_named() -> None:
    assert said(OFFER) == [
        "header= is missing: the template puts it into its header.",
        "1= is missing: the template offer puts it into its text.",
        "2= is missing: the template offer puts it into its text.",
        "url= is missing: the end of the link behind its button.",
    ]


def test_an_empty_value_is_missing() -> None:
    assert said(WELCOME, first_name=" ") == [
        "first_name= is missing: the template welcome puts it into its text."
    ]


def test_an_unexpected_value_says_what_is_known() -> None:
    assert said(WELCOME, first_name="x", firstname="y") == [
        "firstname= is not known to the template welcome, which takes first_name=."
    ]
    assert said(template(item({**BODY, "text": "Hi"})), url="x") == [
        "url= is not known to the template offer, which takes no values: leave it out."
    ]


def test_values_that_make_a_text_too_long_are_named() -> None:
    assert said(OFFER, **{**OFFERED, "header": "x" * 56, "2": "x" * 2000}) == [
        "With its values the template's text has 2,031 characters, and WhatsApp allows 1,024.",
        "With its values the template's header has 61 characters, and WhatsApp allows 60.",
    ]


def test_the_length_of_a_token_is_not_judged_yet() -> None:
    assert said(OFFER, **{**OFFERED, "header": "{company}" * 9}) == []


@pytest.mark.parametrize("given", ["image.png", "http://acme.example/a.png", "ftp://x"])
def test_a_header_that_is_no_file_is_named(given: str) -> None:
    (sentence,) = said(ANNOUNCEMENT, header=given)

    assert sentence.startswith("header= is no file")
    assert given in sentence


@pytest.mark.parametrize(
    "components",
    [
        pytest.param([{"type": "HEADER", "format": "LOCATION"}], id="location"),
        pytest.param([{"type": "CAROUSEL"}], id="carousel"),
        pytest.param(
            [{"type": "BUTTONS", "buttons": [{"type": "COPY_CODE", "text": "x"}]}], id="code"
        ),
        pytest.param(
            [
                {
                    "type": "BUTTONS",
                    "buttons": [{"type": "URL", "url": "https://a.example/{{1}}"}] * 2,
                }
            ],
            id="two suffixes",
        ),
    ],
)
def test_what_a_step_cannot_fill_is_said_beforehand(components: list[dict[str, object]]) -> None:
    found = problems(template(item(*components)), {"url": "x"})

    assert found[0].option is None


def test_a_filled_template_is_complete() -> None:
    assert filled(OFFER, OFFERED) == TemplateMessage(
        name="offer",
        language="en_US",
        parameters=(("1", "Anna"), ("2", "10%")),
        header=HeaderText(name=None, value="Spring"),
        url_suffix=UrlSuffix(index=1, value="welcome"),
    )
    assert filled(SEASONAL, {"first_name": "Anna", "season": "Spring"}).header == HeaderText(
        name="season", value="Spring"
    )


@pytest.mark.parametrize(
    ("given", "ref"),
    [
        ("https://acme.example/a.png", MediaRef(link="https://acme.example/a.png")),
        ("1003383421387256", MediaRef(id="1003383421387256")),
    ],
)
def test_a_header_file_is_a_link_or_an_id(given: str, ref: MediaRef) -> None:
    assert filled(ANNOUNCEMENT, {"header": given}).header == Media(kind=MediaKind.IMAGE, ref=ref)


def test_numbered_values_are_ordered_by_number() -> None:
    turned = template(item({**BODY, "text": "{{2}} for {{1}} and {{10}}"}))

    message = filled(turned, {"10": "c", "2": "b", "1": "a"})

    assert message.parameters == (("1", "a"), ("2", "b"), ("10", "c"))


def test_a_template_that_does_not_fit_is_not_filled() -> None:
    with pytest.raises(TemplateNotFilled) as caught:
        filled(WELCOME, {})

    assert [problem.option for problem in caught.value.problems] == ["first_name"]


def test_a_person_reads_header_text_and_footer() -> None:
    assert read(OFFER, OFFERED) == "Spring sale\n\nDear Anna, 10% off. See you, Anna.\n\nAcme"
    assert read(WELCOME, {"first_name": "Anna"}) == "Hi Anna!"
    assert read(SEASONAL, {"season": "Spring", "first_name": "Anna"}) == "Spring sale\n\nHi Anna"


def test_a_missing_value_stays_visible() -> None:
    assert read(WELCOME, {}) == "Hi {{first_name}}!"
    assert read(OFFER, {"1": "Anna"}).startswith("{{1}} sale\n\nDear Anna")


@pytest.mark.parametrize("given", [OFFERED])
def test_a_filled_template_gives_its_values_back(given: Mapping[str, str]) -> None:
    assert values_of(filled(OFFER, given)) == given


def test_a_value_is_not_read_as_a_variable() -> None:
    assert read(OFFER, {**OFFERED, "1": "{{2}}"}).count("{{2}}") == 2
