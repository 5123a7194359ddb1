"""Fire: a custom event happens to a contact, and automations that wait for it hear of it."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from engine import attributes, names
from engine.attributes import Form
from engine.ids import ContactId
from engine.refusal import Refusal

MOST_PROPERTIES: Final = 20
LONGEST_PROPERTY: Final = 500
"""Characters of a value at most."""


class UnusableProperty(Refusal):
    """A property, or the name it was given, cannot be kept; nothing has happened."""


class Happenings(Protocol):
    async def event(self, name: str, contact: ContactId, properties: Mapping[str, str]) -> None:
        """Tell automations of it, once."""
        ...

    async def note(self, name: str, contact: ContactId) -> None:
        """Write the audit entry."""
        ...


async def fire_event(
    *,
    name: str,
    contact: ContactId,
    said: Sequence[tuple[str, str]],
    country: str | None,
    happenings: Happenings,
) -> Mapping[str, str]:
    """Let an event happen; return its properties in the form in which they are kept.

    Args:
        name: In its one form.
        contact: To whom.
        said: Properties as written, by names as written.
        country: How numbers and dates are written; None: with decimal points, the day first.
        happenings: Where it is told.

    Raises:
        UnusableProperty: Says which and what would do.
    """
    properties = _properties(said, Form.usual_in(country))
    await happenings.event(name, contact, properties)
    await happenings.note(name, contact)
    return properties


def _properties(said: Sequence[tuple[str, str]], form: Form) -> dict[str, str]:
    if len(said) > MOST_PROPERTIES:
        raise UnusableProperty(
            f"An event has at most {MOST_PROPERTIES} properties, this one {len(said)}."
        )
    found: dict[str, str] = {}
    for key, written in said:
        try:
            name = names.attribute(key)
        except names.InvalidName as error:
            raise UnusableProperty(f"{key[:30]!r} cannot be a property. {error}") from error
        if name in found:
            raise UnusableProperty(f"The property {name} is there twice; give it once.")
        value = names.cleaned(written)
        if not value:
            raise UnusableProperty(f"The property {name} has no value; leave it out.")
        if len(value) > LONGEST_PROPERTY:
            raise UnusableProperty(
                f"The property {name} has {len(value):,} characters, at most {LONGEST_PROPERTY}."
            )
        # As an attribute of this one value would be, so that both read alike in a text.
        found[name] = attributes.read(value, attributes.type_of([value], form=form), form=form)
    return found
