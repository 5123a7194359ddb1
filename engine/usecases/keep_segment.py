"""Keep segments: made, changed and deleted by staff; a static one has a list made from it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from engine.ids import ListId, SegmentId
from engine.refusal import Refusal
from engine.segment import Definition, segments_in
from engine.usecases.keep_list import InUse, ListNameTaken, Lists, Use


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Contacts by what is known of them.

    Attributes:
        list_id: Static: the list made from it; None: it holds whoever fits at the moment.
        refreshed_at: When that list was last made; None: it is being made.
        created_by: A Slack user.
    """

    id: SegmentId
    name: str
    description: str
    definition: Definition
    list_id: ListId | None
    refreshed_at: datetime | None
    created_at: datetime
    created_by: str

    @property
    def static(self) -> bool:
        return self.list_id is not None


class Segments(Protocol):
    """The segments of one organization, changed by one person."""

    async def lock(self, segment: SegmentId) -> Segment | None:
        """Keep it from changing until the unit ends; None: there is none of that id."""
        ...

    async def lock_all(self) -> Mapping[SegmentId, Segment]:
        """Keep all from changing until the unit ends."""
        ...

    async def is_taken(self, name: str, *, but: SegmentId | None = None) -> bool:
        """Whether a segment, other than *but*, has the name, or one that counts as the same."""
        ...

    async def add(
        self, *, name: str, description: str, definition: Definition, list_id: ListId | None
    ) -> Segment:
        """Make a segment.

        Raises:
            SegmentNameTaken: Somebody else was faster.
        """
        ...

    async def save(self, changed: Segment) -> None:
        """Write it.

        Raises:
            SegmentNameTaken: Somebody else was faster.
        """
        ...

    async def delete(self, segment: SegmentId) -> None: ...

    async def hold(self, definition: Definition) -> None:
        """Keep the lists and segments it names from being deleted until the unit ends.

        Raises:
            NoSuchList, NoSuchSegment: One is gone already.
        """
        ...

    async def seal(self, segment: SegmentId) -> None:
        """Wait for whoever begins to name it, and let nobody else begin, until the unit ends."""
        ...

    async def uses(self, segment: SegmentId) -> Collection[Use]:
        """Return what names it: segments, automations, and broadcasts that are not over."""
        ...

    async def note(self, action: str, segment: SegmentId, **content: object) -> None:
        """Write the audit entry; *content* holds ids and settings, no names and no phones."""
        ...


class SegmentNameTaken(Refusal):
    """Another segment has the name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is a segment {name!r} already: choose another name, or change that one with"
            f' /drip segment edit "{name}" <definition>.'
        )


class NoSuchSegment(Refusal):
    """It was deleted a moment ago."""

    def __init__(self) -> None:
        super().__init__(
            "That segment was deleted a moment ago; /drip segment list shows what there is."
        )


class Circular(Refusal):
    """A segment would be made of itself."""

    def __init__(self, path: tuple[str, ...]) -> None:
        super().__init__(
            f"A segment cannot be made of itself, and this one would be: {' → '.join(path)}."
            " Leave one of these out."
        )


async def new_segment(
    *,
    name: str,
    description: str,
    definition: Definition,
    static: bool,
    segments: Segments,
    lists: Lists,
) -> Segment:
    """Make a segment; the list of a static one begins empty, and is for its caller to fill.

    Raises:
        SegmentNameTaken, ListNameTaken: Nothing is made.
        NoSuchSegment, NoSuchList: What it names was deleted meanwhile.
    """
    if await segments.is_taken(name):
        raise SegmentNameTaken(name)
    await segments.hold(definition)
    list_id = await _list(name, description, lists) if static else None
    made = await segments.add(
        name=name, description=description, definition=definition, list_id=list_id
    )
    await segments.note("segment.new", made.id, static=static)
    return made


async def edit_segment(
    *,
    segment: SegmentId,
    name: str | None,
    description: str | None,
    definition: Definition | None,
    static: bool | None,
    segments: Segments,
    lists: Lists,
) -> Segment:
    """Change a segment; None keeps what it has.

    A static one keeps its members until it is refreshed, also under another definition.

    Raises:
        NoSuchSegment, SegmentNameTaken, ListNameTaken, Circular: Nothing is changed.
        NoSuchList: Its new definition names one that was deleted meanwhile.
        InUse: It shall be static no longer, and something names its list.
    """
    everyone = await segments.lock_all()
    found = everyone.get(segment)
    if found is None:
        raise NoSuchSegment
    changed = replace(
        found,
        name=found.name if name is None else name,
        description=found.description if description is None else description,
        definition=found.definition if definition is None else definition,
    )
    if name is not None and await segments.is_taken(name, but=segment):
        raise SegmentNameTaken(name)
    if definition is not None:
        path = _circle(changed, everyone)
        if path:
            raise Circular(path)
        await segments.hold(definition)
    if static is False and found.list_id is not None:
        await _drop_list(found, found.list_id, lists)
        changed = replace(changed, list_id=None, refreshed_at=None)
    elif static and found.list_id is None:
        list_id = await _list(changed.name, changed.description, lists)
        changed = replace(changed, list_id=list_id)
    elif found.list_id is not None:
        await _rename_list(changed, found.list_id, lists)
    await segments.save(changed)
    if changed.list_id is None and found.list_id is not None:
        await lists.delete(found.list_id)
    await segments.note("segment.edit", segment, static=changed.static)
    return changed


async def delete_segment(*, segment: SegmentId, segments: Segments, lists: Lists) -> Segment:
    """Delete a segment, and the list of a static one; its contacts stay contacts.

    Raises:
        NoSuchSegment, InUse: Nothing is deleted.
    """
    found = await segments.lock(segment)
    if found is None:
        raise NoSuchSegment
    await segments.seal(segment)
    uses = await segments.uses(segment)
    if uses:
        raise InUse("segment", found.name, uses)
    if found.list_id is not None:
        await _drop_list(found, found.list_id, lists)
    await segments.delete(segment)
    if found.list_id is not None:
        await lists.delete(found.list_id)
    await segments.note("segment.delete", segment)
    return found


async def _list(name: str, description: str, lists: Lists) -> ListId:
    if await lists.is_taken(name):
        raise ListNameTaken(name)
    return (await lists.add(name=name, description=description)).id


async def _rename_list(changed: Segment, list_id: ListId, lists: Lists) -> None:
    found = await lists.lock(list_id)
    if found is None:
        raise AssertionError("a static segment has lost its list")
    if await lists.is_taken(changed.name, but=list_id):
        raise ListNameTaken(changed.name)
    await lists.save(replace(found, name=changed.name, description=changed.description))


async def _drop_list(found: Segment, list_id: ListId, lists: Lists) -> None:
    """Make sure nothing needs the list of a static segment."""
    await lists.seal(list_id)
    uses = await lists.uses(list_id)
    if uses:
        raise InUse("list", found.name, uses)


def _circle(changed: Segment, everyone: Mapping[SegmentId, Segment]) -> tuple[str, ...]:
    """Return the names on the way from a segment back to itself; empty: there is no such way."""
    ways: list[tuple[tuple[str, ...], Definition]] = [((changed.name,), changed.definition)]
    seen: set[SegmentId] = set()
    while ways:
        path, definition = ways.pop()
        for named in segments_in(definition.where):
            if named == changed.id:
                return (*path, changed.name)
            inner = everyone.get(named)
            if inner is not None and named not in seen:
                seen.add(named)
                ways.append(((*path, inner.name), inner.definition))
    return ()
