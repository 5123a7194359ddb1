"""What each type of campaign means: for consent, cooldown and the templates it may send.

A STOP ends messages of every type. What differs stands in :data:`MEANINGS` and nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.campaign import Type
from engine.templates import Category, Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a type means.

    Attributes:
        promotional: Heeds the cooldown, the frequency cap and what the platform says of marketing.
        categories: Of the templates it may send; Meta says what belongs to each.
        about: The same for staff, as the end of "transactional: …".
    """

    promotional: bool
    categories: frozenset[Category]
    about: str


# Source: Meta, "Template categorization": whatever is neither about something a person did or
# asked for nor a one-time code is marketing; a person who stopped marketing still gets the rest.
MEANINGS: Final[Mapping[Type, Meaning]] = {
    Type.PROMOTIONAL: Meaning(
        promotional=True,
        categories=frozenset(Category),
        about="heeds cooldown, frequency cap and WhatsApp's marketing stop",
    ),
    Type.TRANSACTIONAL: Meaning(
        promotional=False,
        categories=frozenset({Category.UTILITY, Category.AUTHENTICATION, Category.UNKNOWN}),
        about="what somebody did or ordered, no marketing templates",
    ),
    Type.NOTIFICATION: Meaning(
        promotional=False,
        categories=frozenset({Category.UTILITY, Category.UNKNOWN}),
        about="what somebody asked to hear, utility templates only",
    ),
    Type.SURVEY: Meaning(
        promotional=False,
        categories=frozenset({Category.MARKETING, Category.UTILITY, Category.UNKNOWN}),
        about="a question about what somebody knows, no cooldown",
    ),
}


def objection(kind: Type, template: Template) -> str | None:
    """Return why a campaign of type *kind* may not send *template*, as a sentence; None: it may."""
    if template.category in MEANINGS[kind].categories:
        return None
    fitting = [each.value for each in Type if template.category in MEANINGS[each].categories]
    return (
        f"The template {template.name} is in WhatsApp's category {template.category.lower()}, and a"
        f" campaign of type {kind} sends no such templates: choose"
        f" type={' or type='.join(fitting)}, or another template."
    )
