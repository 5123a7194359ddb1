"""What types mean, in the one place that says so."""

import pytest

from engine.campaign import Type
from engine.campaign_types import MEANINGS, objection
from engine.template_items import template
from engine.templates import Category


def test_every_type_has_a_meaning_and_only_promotional_ones_are_marketing() -> None:
    assert set(MEANINGS) == set(Type)
    assert [each for each in Type if MEANINGS[each].promotional] == [Type.PROMOTIONAL]


@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize("kind", Type)
def test_a_template_is_refused_with_what_would_do(kind: Type, category: Category) -> None:
    item = {"id": "1", "name": "t", "language": "en", "category": category, "status": "APPROVED"}
    said = objection(kind, template({**item, "components": [{"type": "BODY", "text": "x"}]}))

    assert (said is None) == (category in MEANINGS[kind].categories)
    if said is not None:
        assert "type=promotional" in said
        assert f"type={kind.value}" not in said
