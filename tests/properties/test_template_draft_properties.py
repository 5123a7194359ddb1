"""What our rules let through the platform takes, and what they name it refuses."""

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from engine import template_draft
from engine.content import MediaKind
from engine.template_draft import Draft, DraftButton, HeaderFile
from engine.template_items import template
from engine.template_rules import problems
from engine.templates import ButtonKind, Category
from sandbox.whatsapp import review
from sandbox.whatsapp.errors import GraphRefusal
from tests.examples import MORE

PIECES = (
    "Hello there ",
    "our sale begins today ",
    "a",
    " ",
    "\n",
    "\n\n\n",
    "     ",
    "{{1}}",
    "{{2}}",
    "{{3}}",
    "{{first_name}}",
    "{{ code }}",
    "{{Name}}",
    "{first_name}",
    "}",
    ".",
    "*",
    "🎉",
    "é ",
)
texts = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
lengths = st.sampled_from((1, 25, 26, 60, 61, 1024, 1025))
samples = st.dictionaries(
    st.sampled_from(("1", "2", "3", "first_name", "code", "url", "header_sample")),
    st.sampled_from(("Ada", "10%", "", " ", "x" * 50)),
    max_size=7,
)
FULL = {"1": "Ada", "2": "10%", "3": "x", "first_name": "Ada", "code": "A1", "url": "now"}
buttons = st.lists(
    st.one_of(
        st.builds(
            DraftButton,
            kind=st.just(ButtonKind.QUICK_REPLY),
            label=st.sampled_from(("Yes", "No", "Stop", "x" * 26, "{{1}}")),
        ),
        st.builds(
            DraftButton,
            kind=st.just(ButtonKind.URL),
            label=st.sampled_from(("See", "Shop", "yes")),
            target=st.sampled_from(
                (
                    "https://shop.example/",
                    "https://shop.example/{{1}}",
                    "https://shop.example/{{1}}/x",
                    "https://shop.example/{{2}}",
                    "shop.example",
                    "https://shop.example/" + "x" * 2000,
                )
            ),
        ),
        st.builds(
            DraftButton,
            kind=st.just(ButtonKind.PHONE_NUMBER),
            label=st.sampled_from(("Call", "Ring")),
            target=st.sampled_from(("+31201234567", "31", "+312012345678901234567")),
        ),
    ),
    max_size=12,
)
drafts = st.builds(
    Draft,
    name=st.sampled_from(("spring", "Spring", "x" * 513, "a_1")),
    language=st.just("en"),
    category=st.sampled_from((Category.MARKETING, Category.UTILITY)),
    body=st.one_of(texts, lengths.map(lambda n: "x" * n)),
    header=st.one_of(
        st.none(),
        texts,
        lengths.map(lambda n: "x" * n),
        st.builds(HeaderFile, name=st.just("menu"), kind=st.sampled_from(MediaKind)),
    ),
    footer=st.one_of(st.just(""), texts, lengths.map(lambda n: "x" * n)),
    buttons=buttons.map(tuple),
    samples=st.one_of(st.just(tuple(FULL.items())), samples.map(lambda d: tuple(d.items()))),
).map(Draft.without_spare_samples)


def _refusal(draft: Draft) -> str | None:
    body = {
        "name": draft.name,
        "language": draft.language,
        "category": draft.category.value,
        "parameter_format": template_draft.parameter_format(draft),
        "components": template_draft.components(draft, handle="4::aW1hZ2U"),
    }
    try:
        review.created(body, templates={})
    except GraphRefusal as refused:
        return refused.details
    return None


GOOD = Draft(
    name="spring",
    language="en",
    category=Category.MARKETING,
    body="Hello there {{first_name}}, our sale begins today.",
    header="Sale",
    buttons=(DraftButton(kind=ButtonKind.QUICK_REPLY, label="Stop"),),
    samples=(("first_name", "Ada"),),
)


UNSAMPLED = DraftButton(kind=ButtonKind.URL, label="See", target="https://shop.example/{{1}}")


@MORE
@given(drafts)
@example(GOOD)
@example(replace(GOOD, buttons=(UNSAMPLED,)))
def test_the_rules_refuse_exactly_what_the_platform_refuses(draft: Draft) -> None:
    found = problems(draft)
    refused = _refusal(draft)

    # One rule is ours: a step fills one link.
    ours = {each for each in found if each.startswith("Two links have a variable")}
    assert bool(set(found) - ours) == (refused is not None), (found, refused)


@given(drafts)
def test_a_draft_kept_and_read_is_the_same(draft: Draft) -> None:
    assert template_draft.from_json(template_draft.to_json(draft)) == draft


@given(drafts)
def test_a_draft_reads_as_the_template_it_becomes(draft: Draft) -> None:
    if problems(draft):
        return
    made = template(template_draft.item(draft, template_id="1", status="PENDING"))

    assert made.parameters == draft.body_variables
    assert made.named == (draft.named if draft.wanted_samples else made.named)
    assert (made.suffix_index is None) == ("url" not in draft.wanted_samples)


def test_a_good_draft_has_no_problem() -> None:
    assert problems(GOOD) == ()
