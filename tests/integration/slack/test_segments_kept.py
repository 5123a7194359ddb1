"""Segments and lists are kept as staff made them; who is in them changes as their kind says."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import names
from engine.errand import CAME, WENT
from engine.ids import ContactId
from engine.segment import Condition, Definition
from engine.segment_facts import Facts, holds
from engine.segment_parser import parse
from engine.segment_text import show
from engine.usecases.keep_list import new_list
from engine.usecases.keep_segment import Segment, new_segment
from storage import lists, members, refilling, segments
from storage.database import Database
from tests.database import ACME, NOON
from tests.examples import ON_POSTGRES
from tests.integration.segment_people import become, keep, people
from tests.integration.slack.contacts_room import Room, opened_room
from tests.properties.segment_strategies import KNOWN, SEGMENTS, conditions

FIRST, SECOND = SEGMENTS.values()
ZONES = st.sampled_from(("Europe/Amsterdam", "America/Sao_Paulo", "UTC"))
PLAIN = st.builds(Definition, where=conditions(()), zone=ZONES)
NAMES = st.text(max_size=70).map(names.cleaned).filter(bool)
FEW = people().map(lambda several: several[:4])
ASKED = conditions(most=10)


@pytest.fixture
async def room(database: Database) -> AsyncIterator[Room]:
    async with opened_room(database) as room:
        yield room


async def _who(room: Room, segment: Segment) -> list[ContactId]:
    """Who is in it, as everything finds them that names it."""
    async with room.database.unit(ACME, NOON) as unit:
        meaning = (await segments.definitions(unit))[segment.id]
        return await members.members(unit, definition=meaning)


async def _filled(room: Room, segment: Segment) -> tuple[int, int]:
    """Make the list of a static segment; return how many came and went."""
    async with room.database.unit(ACME, NOON) as unit:
        signed = await refilling.differing(unit, segment)
        counts = await refilling.refill(unit, segment, signed, by="U")
    return counts[CAME], counts[WENT]


@ON_POSTGRES
@given(before=FEW, after=FEW, inner=PLAIN, asked=ASKED, zone=ZONES)
async def test_a_static_segment_stays_when_contacts_change_and_a_dynamic_one_follows(
    room: Room,
    before: list[Facts],
    after: list[Facts],
    inner: Definition,
    asked: Condition,
    zone: str,
) -> None:
    known = {FIRST: inner, SECOND: inner}
    definition = Definition(where=asked, zone=zone)
    # As many as there are; a phone is one contact's.
    after = [*after, *(replace(each, phones=frozenset()) for each in before)][: len(before)]
    contacts = await keep(room.database, before, known)
    async with room.database.unit(ACME, NOON) as unit:
        still, moving = [
            await new_segment(
                name=name,
                description="",
                definition=Definition(where=parse(show(asked, KNOWN), KNOWN), zone=zone),
                static=name == "Still",
                segments=segments.Segments(unit, "U"),
                lists=lists.Lists(unit, "U"),
            )
            for name in ("Still", "Moving")
        ]
    await _filled(room, still)
    first = [
        contact
        for contact, each in zip(contacts, before, strict=True)
        if holds(definition, each, at=NOON, segments=known)
    ]
    assert await _who(room, still) == await _who(room, moving) == first

    await become(room.database, contacts, after)

    then = [
        contact
        for contact, each in zip(contacts, after, strict=True)
        if holds(definition, each, at=NOON, segments=known)
    ]
    assert await _who(room, still) == first
    assert await _who(room, moving) == then
    came, went = await _filled(room, still)
    assert await _who(room, still) == then
    assert (came, went) == (len(set(then) - set(first)), len(set(first) - set(then)))


@ON_POSTGRES
@given(name=NAMES, about=NAMES | st.just(""), asked=ASKED, zone=ZONES, static=st.booleans())
async def test_segments_and_lists_are_read_as_they_were_kept(
    database: Database, name: str, about: str, asked: Condition, zone: str, *, static: bool
) -> None:
    named = Definition(where=parse("tag:vip", KNOWN), zone="UTC")
    await keep(database, [], {FIRST: named, SECOND: named})
    definition = Definition(where=asked, zone=zone)
    async with database.unit(ACME, NOON) as unit:
        made = await new_segment(
            name=name,
            description=about,
            definition=definition,
            static=static,
            segments=segments.Segments(unit, "U"),
            lists=lists.Lists(unit, "U"),
        )
        other = f"{name[:50]} 2"
        listed = await new_list(name=other, description=about, lists=lists.Lists(unit, "U"))

    async with database.unit(ACME, NOON) as unit:
        (kept,) = [each for each in await segments.listed(unit) if each.id == made.id]
        found = {each.id: each for each in await lists.listed(unit)}
    assert kept == made
    assert (kept.name, kept.description, kept.definition) == (name, about, definition)
    assert kept.static is static
    assert (found[listed.id].name, found[listed.id].description) == (other, about)
    if kept.list_id is not None:
        assert (found[kept.list_id].name, found[kept.list_id].segment) == (name, name)
