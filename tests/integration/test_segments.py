"""Segments on a real database: the one statement means what the words mean."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from engine.audience import Audience
from engine.ids import ContactId, SegmentId
from engine.segment import Definition, InSegment
from engine.segment_facts import Facts, holds
from storage import audiences, members
from storage.database import Database
from tests.database import ACME, NOON
from tests.examples import ON_POSTGRES
from tests.integration.segment_people import keep, people
from tests.properties.segment_strategies import SEGMENTS, conditions

FIRST, SECOND = SEGMENTS.values()
_zones = st.sampled_from(("Europe/Amsterdam", "America/Sao_Paulo", "Pacific/Kiritimati"))
_plain = st.builds(Definition, where=conditions(()), zone=_zones)
# The second may be made of the first, and what is asked for of both.
_nested = st.builds(Definition, where=conditions((FIRST,)), zone=_zones)
_asked = st.builds(Definition, where=conditions(most=10), zone=_zones)


@ON_POSTGRES
@given(people(), _plain, _nested, _asked)
async def test_a_preview_is_what_the_facts_say(
    database: Database,
    several: list[Facts],
    first: Definition,
    second: Definition,
    asked: Definition,
) -> None:
    segments = {FIRST: first, SECOND: second}
    contacts = await keep(database, several, segments)
    expected = _expected(contacts, several, asked, segments)

    async with database.unit(ACME, NOON) as unit:
        preview = await members.preview(unit, definition=asked, limit=3)
        everybody = await members.members(unit, definition=asked)
        some = await members.among(unit, definition=asked, contacts=contacts[::2])

    assert preview.count == len(expected)
    assert list(preview.first) == expected[:3]
    assert everybody == expected
    assert some == [contact for contact in expected if contact in contacts[::2]]


@ON_POSTGRES
@given(people(), _plain, _nested, st.booleans())
async def test_a_broadcast_to_a_segment_has_as_many_recipients_as_the_segment(
    database: Database,
    several: list[Facts],
    first: Definition,
    second: Definition,
    promotional: bool,  # noqa: FBT001 — drawn
) -> None:
    segments = {FIRST: first, SECOND: second}
    contacts = await keep(database, several, segments)
    inside = Definition(where=InSegment(SECOND), zone="UTC")
    expected = _expected(contacts, several, inside, segments)
    consents = dict(zip(contacts, (each.consent for each in several), strict=True))

    async with database.unit(ACME, NOON) as unit:
        reach = await audiences.reach(
            unit, audience=Audience(segments=(SECOND,)), promotional=promotional
        )

    assert reach.recipients + sum(reach.left_out.values()) == len(expected)
    assert reach.recipients == sum(
        consents[contact].against(promotional=promotional) is None for contact in expected
    )


def _expected(
    contacts: list[ContactId],
    several: list[Facts],
    asked: Definition,
    segments: Mapping[SegmentId, Definition],
) -> list[ContactId]:
    return [
        contact
        for contact, each in zip(contacts, several, strict=True)
        if holds(asked, each, at=NOON, segments=segments)
    ]
