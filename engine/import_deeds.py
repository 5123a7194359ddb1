"""What importing a row did to a contact, kept so that it can be undone."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Self

from engine.audience_person import Person

FIELDS: Final = ("name", "first_name", "company", "email", "language", "timezone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a contact that a file can change.

    Attributes:
        timezone_from: ``attribute``, ``phone`` or None, as in the table.
        tags: All of them.
    """

    name: str | None = None
    first_name: str | None = None
    company: str | None = None
    email: str | None = None
    language: str | None = None
    timezone: str | None = None
    timezone_from: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()

    def filled(self, person: Person) -> Self:
        """Return what is known once a file has said *person* of the contact."""
        said = {name: value for name in FIELDS if (value := getattr(person, name)) is not None}
        return replace(
            self,
            **said,
            timezone_from="attribute" if person.timezone is not None else self.timezone_from,
            attributes={**self.attributes, **dict(person.attributes)},
            tags=self.tags | set(person.tags),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What importing one row did.

    Attributes:
        new: It made the contact.
        fields: Old and new values of fields; ``timezone_from`` among them.
        attributes: Old and new values of attributes; old None: there was none.
        tags: Those it put on.
        listed: It put the contact on the import's list.
    """

    new: bool = False
    fields: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    attributes: Mapping[str, tuple[str | None, str]] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    listed: bool = False

    @property
    def nothing(self) -> bool:
        return not (self.new or self.fields or self.attributes or self.tags or self.listed)

    def to_json(self) -> dict[str, Any]:
        written = {
            "new": self.new,
            "fields": dict(self.fields),
            "attributes": dict(self.attributes),
            "tags": list(self.tags),
            "listed": self.listed,
        }
        return {name: value for name, value in written.items() if value}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        return cls(
            new=content.get("new", False),
            fields={name: (old, new) for name, (old, new) in content.get("fields", {}).items()},
            attributes={
                name: (old, new) for name, (old, new) in content.get("attributes", {}).items()
            },
            tags=tuple(content.get("tags", ())),
            listed=content.get("listed", False),
        )


def change(before: Facts, after: Facts) -> Deed:
    """Return what turned *before* into *after*."""
    return Deed(
        fields={
            name: (getattr(before, name), getattr(after, name))
            for name in (*FIELDS, "timezone_from")
            if getattr(before, name) != getattr(after, name)
        },
        attributes={
            name: (before.attributes.get(name), value)
            for name, value in after.attributes.items()
            if before.attributes.get(name) != value
        },
        tags=tuple(sorted(after.tags - before.tags)),
    )


def undone(deed: Deed, now: Facts) -> tuple[Facts, tuple[str, ...]]:
    """Return what is known once *deed* is taken back, and what of it stays, by name.

    Whatever somebody changed since stays as they made it.
    """
    stays: list[str] = []
    fields: dict[str, Any] = {}
    for name, (old, new) in deed.fields.items():
        if getattr(now, name) == new:
            fields[name] = old
        elif name != "timezone_from":
            stays.append(name)
    attributes = dict(now.attributes)
    for name, (old, new) in deed.attributes.items():
        if attributes.get(name) != new:
            stays.append(name)
        elif old is None:
            del attributes[name]
        else:
            attributes[name] = old
    restored = replace(now, **fields, attributes=attributes, tags=now.tags - set(deed.tags))
    return restored, tuple(stays)


class Stays(StrEnum):
    """Why a contact that an import made does not go with it; the value ends "because ..."."""

    MESSAGES = "messages went to it"
    ENROLLED = "it was enrolled in a campaign"
    WROTE = "it wrote to us"
    CONSENT = "its consent was recorded"
    CONVERSATION = "there is a conversation with it"
    CHANGED = "it was changed since"
    TAGGED = "it was tagged since"
    LISTED = "it was put on a list since"
    IDENTITY = "WhatsApp told more of who it is"
