"""Keep lists: made, renamed and deleted by staff; a static segment fills one of its own."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from engine.ids import ListId
from engine.refusal import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactList:
    """A list of contacts.

    Attributes:
        segment: The name of the static segment that fills it; None: staff do.
        created_by: A Slack user.
    """

    id: ListId
    name: str
    description: str
    segment: str | None
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What would lose its meaning without a list or a segment.

    Attributes:
        what: ``segment``, ``broadcast``, ``campaign`` (by its trigger) or ``automation 3``.
        name: Of that segment, broadcast or campaign; empty for an automation.
    """

    what: str
    name: str

    def __str__(self) -> str:
        return f"the {self.what} {self.name!r}" if self.name else self.what


class Lists(Protocol):
    """The lists of one organization, changed by one person."""

    async def lock(self, list_id: ListId) -> ContactList | None:
        """Keep it from changing until the unit ends; None: there is none of that id."""
        ...

    async def is_taken(self, name: str, *, but: ListId | None = None) -> bool:
        """Whether a list, other than *but*, has the name, or one that counts as the same."""
        ...

    async def add(self, *, name: str, description: str) -> ContactList:
        """Make an empty list.

        Raises:
            ListNameTaken: Somebody else was faster.
        """
        ...

    async def save(self, changed: ContactList) -> None:
        """Write it.

        Raises:
            ListNameTaken: Somebody else was faster.
        """
        ...

    async def delete(self, list_id: ListId) -> None:
        """Delete it with its members."""
        ...

    async def seal(self, list_id: ListId) -> None:
        """Wait for whoever begins to name it, and let nobody else begin, until the unit ends."""
        ...

    async def uses(self, list_id: ListId) -> Collection[Use]:
        """Return what names it: segments, and broadcasts that are not over."""
        ...

    async def note(self, action: str, list_id: ListId, **content: object) -> None:
        """Write the audit entry; *content* holds ids and settings, no names and no phones."""
        ...


class ListNameTaken(Refusal):
    """Another list has the name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is a list {name!r} already: choose another name, or rename that one with"
            f' /drip list rename "{name}" "<name>".'
        )


class NoSuchList(Refusal):
    """It was deleted a moment ago."""

    def __init__(self) -> None:
        super().__init__("That list was deleted a moment ago; /drip list list shows what there is.")


class FilledBySegment(Refusal):
    """Who is on it is for a static segment to say."""

    def __init__(self, found: ContactList) -> None:
        super().__init__(
            f"The list {found.name!r} is filled by the static segment {found.segment!r}:"
            f' /drip segment refresh "{found.segment}" fills it anew, and /drip segment edit,'
            " rename with name=, or delete changes it."
        )


class InUse(Refusal):
    """Something names it."""

    def __init__(self, what: str, name: str, uses: Collection[Use]) -> None:
        several = sorted(set(map(str, uses)))
        listed = ", ".join(several[:_SHOWN])
        more = f" and {len(several) - _SHOWN} more" if several[_SHOWN:] else ""
        super().__init__(
            f"The {what} {name!r} is used by {listed}{more}, and cannot be deleted before that"
            " is changed or over."
        )


_SHOWN = 5


async def new_list(*, name: str, description: str, lists: Lists) -> ContactList:
    """Make an empty list.

    Raises:
        ListNameTaken: Nothing is made.
    """
    if await lists.is_taken(name):
        raise ListNameTaken(name)
    made = await lists.add(name=name, description=description)
    await lists.note("list.new", made.id)
    return made


async def rename_list(
    *, list_id: ListId, name: str | None, description: str | None, lists: Lists
) -> ContactList:
    """Give a list another name or description; None keeps what it has.

    Raises:
        NoSuchList, FilledBySegment, ListNameTaken: Nothing is changed.
    """
    found = await fillable(list_id=list_id, lists=lists)
    if name is not None and await lists.is_taken(name, but=list_id):
        raise ListNameTaken(name)
    changed = replace(
        found,
        name=found.name if name is None else name,
        description=found.description if description is None else description,
    )
    await lists.save(changed)
    await lists.note("list.rename", list_id)
    return changed


async def delete_list(*, list_id: ListId, lists: Lists) -> ContactList:
    """Delete a list; its contacts stay contacts.

    Raises:
        NoSuchList, FilledBySegment, InUse: Nothing is deleted.
    """
    found = await fillable(list_id=list_id, lists=lists)
    await lists.seal(list_id)
    uses = await lists.uses(list_id)
    if uses:
        raise InUse("list", found.name, uses)
    await lists.delete(list_id)
    await lists.note("list.delete", list_id)
    return found


async def fillable(*, list_id: ListId, lists: Lists) -> ContactList:
    """Return a list, locked, that staff may fill themselves.

    Raises:
        NoSuchList, FilledBySegment: They may not.
    """
    found = await lists.lock(list_id)
    if found is None:
        raise NoSuchList
    if found.segment is not None:
        raise FilledBySegment(found)
    return found
