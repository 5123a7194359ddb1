"""Filling lists: contacts are put on and taken off in slices, each a transaction of its own."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from bot.slack.desk import Desk
from bot.slack.registry import Context
from engine.ids import ContactId, ListId
from engine.usecases.keep_segment import Segment
from storage import lists, members, segments
from storage.database import Unit

SLICE: Final = 10_000


async def put(desk: Desk, asked: Context, list_id: ListId, contacts: Sequence[ContactId]) -> int:
    """Put contacts on a list; return how many were not on it."""
    return await _sliced(
        desk,
        asked,
        contacts,
        lambda unit, some: lists.put(unit, list_id=list_id, contacts=some),
    )


async def take(desk: Desk, asked: Context, list_id: ListId, contacts: Sequence[ContactId]) -> int:
    """Take contacts off a list; return how many were on it."""
    return await _sliced(
        desk,
        asked,
        contacts,
        lambda unit, some: lists.take(unit, list_id=list_id, contacts=some),
    )


async def fill(desk: Desk, asked: Context, segment: Segment) -> tuple[int, int]:
    """Make the list of a static segment as its definition has it now; return who came and went.

    Broken off, the list holds some of each; filled again, nothing is lost.
    """
    list_id = segment.list_id
    if list_id is None:
        raise AssertionError("only a static segment has a list")
    async with desk.database.unit(asked.organization, asked.at) as unit:
        fits = set(await members.members(unit, definition=segment.definition))
        there = set(await lists.members(unit, list_id=list_id))
    came = await put(desk, asked, list_id, sorted(fits - there))
    went = await take(desk, asked, list_id, sorted(there - fits))
    async with desk.database.unit(asked.organization, asked.at) as unit:
        await segments.refreshed(unit, segment=segment.id)
    return came, went


async def _sliced(
    desk: Desk,
    asked: Context,
    contacts: Sequence[ContactId],
    act: Callable[[Unit, Sequence[ContactId]], Awaitable[int]],
) -> int:
    done = 0
    for start in range(0, len(contacts), SLICE):
        some = contacts[start : start + SLICE]

        async def slice_of(unit: Unit, some: Sequence[ContactId] = some) -> int:
            return await act(unit, some)

        done += await desk.database.run(asked.organization, asked.at, slice_of)
    return done
