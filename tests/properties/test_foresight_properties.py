"""What a file is said to enroll is what it enrolls."""

import itertools
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine import automation as rules
from engine.audience_file import Row
from engine.audience_person import Person
from engine.audience_verdict import Known, judge
from engine.automation import (
    Action,
    AddTag,
    Automation,
    ContactCreated,
    Enroll,
    RemoveTag,
    TagAdded,
    Trigger,
)
from engine.automation import Unenroll as TakeOut
from engine.automation_foresight import Drip, Standing, foresee
from engine.campaign import Mode, Reentry
from engine.ids import AutomationId, CampaignId, SegmentId
from engine.phone import Phone
from storage import contacts
from storage.database import Database, Unit
from tests.database import ACME, NOON, database, migrated, postgres, superuser
from tests.examples import ON_POSTGRES
from worker.foresight import foreseen
from worker.triggers import _slice

__all__ = ["database", "migrated", "postgres", "superuser"]

TAGS = ("a", "b", "c")
LATER = NOON + timedelta(minutes=1)


@dataclass(frozen=True)
class Story:
    """Three drips, by reentry and mode; automations, whose campaigns are places; people."""

    drips: tuple[tuple[str, str], ...]
    automations: tuple[tuple[Trigger, Action], ...]
    known: tuple[tuple[frozenset[str], frozenset[int], bool], ...]
    gets: tuple[tuple[str, ...], ...]


_places = st.integers(0, 2).map(CampaignId)
_tags = st.lists(st.sampled_from(TAGS), unique=True).map(tuple)
stories = st.builds(
    Story,
    st.tuples(
        *[
            st.tuples(
                st.sampled_from(["never", "after", "always"]),
                st.sampled_from(["passive", "skip", "interrupt"]),
            )
        ]
        * 3
    ),
    st.lists(
        st.tuples(
            st.one_of(st.builds(ContactCreated), st.builds(TagAdded, st.sampled_from(TAGS))),
            st.one_of(
                st.builds(Enroll, _places),
                st.builds(Enroll, _places),
                st.builds(TakeOut, _places),
                st.builds(AddTag, st.sampled_from(TAGS)),
                st.builds(RemoveTag, st.sampled_from(TAGS)),
            ),
        ),
        max_size=6,
    ).map(tuple),
    st.lists(
        st.tuples(
            st.frozensets(st.sampled_from(TAGS)),
            st.frozensets(st.integers(0, 2), max_size=1),
            st.booleans(),
        ),
        max_size=3,
    ).map(tuple),
    st.lists(_tags, min_size=1, max_size=5).map(tuple),
)


@ON_POSTGRES
@given(story=stories)
async def test_what_is_foreseen_is_what_happens(database: Database, story: Story) -> None:
    campaigns = await _begun(database, story)
    rows = [
        Row(
            number=place,
            written="",
            phone=Phone(f"+3161000{place:04}"),
            person=Person(tags=tags),
        )
        for place, tags in enumerate(story.gets)
    ]

    async def imported(unit: Unit) -> Counter[CampaignId]:
        phones = [row.phone for row in rows if row.phone is not None]
        there = await contacts.reached(unit, phones=phones)
        known = {phone: Known(opted_out=each.opted_out) for phone, each in there.items()}
        judged = judge(rows, seen={}, known=known)
        ids = {phone: each.id for phone, each in there.items()}
        told = await foreseen(unit, judged, ids)
        new = [(p, row.person) for row in rows if (p := row.phone) is not None and p not in ids]
        await contacts.add(unit, people=new, source="test")
        await contacts.fill(
            unit, people=[(ids[p], row.person) for row in rows if (p := row.phone) in ids and p]
        )
        return told

    told = await database.run(ACME, LATER, imported, owner=True)
    while await database.run(ACME, LATER, _slice, owner=True):
        pass

    enrolled = await database.pool.fetch(
        "select campaign_id, count(*) as count from enrollments where enrolled_by <> 'before'"
        " group by 1"
    )
    stopped = await database.pool.fetchval(
        "select count(*) from automations where state = 'stopped'"
    )
    # Where a loop had to be stopped, the one that was stopped says no more how far it would go.
    if not stopped:
        assert told == {row["campaign_id"]: row["count"] for row in enrolled}, campaigns


@given(
    chains=st.lists(
        st.tuples(
            st.one_of(st.builds(ContactCreated), st.builds(TagAdded, st.sampled_from(TAGS))),
            st.one_of(
                st.builds(Enroll, _places),
                st.builds(TakeOut, _places),
                st.builds(AddTag, st.sampled_from(TAGS)),
                st.builds(RemoveTag, st.sampled_from(TAGS)),
            ),
            st.booleans(),
        ),
        max_size=5,
    ),
    drips=st.dictionaries(
        _places,
        st.builds(Drip, reentry=st.sampled_from(Reentry), mode=st.sampled_from(Mode)),
    ),
    created=st.booleans(),
    gets=_tags,
    tags=_tags,
    running=st.sets(_places, max_size=2),
)
def test_whoever_enrolls_whatever_the_segments_hold_is_counted(
    chains: list[tuple[Trigger, Action, bool]],
    drips: dict[CampaignId, Drip],
    created: bool,  # noqa: FBT001 — hypothesis gives it by name
    gets: tuple[str, ...],
    tags: tuple[str, ...],
    running: set[CampaignId],
) -> None:
    standing = Standing() if created else Standing(tags=tags, been=running, running=running)

    def told(segments: list[int | None]) -> Counter[CampaignId]:
        automations = [
            Automation(
                id=AutomationId(place),
                trigger=trigger,
                segment_id=None if segment is None else SegmentId(segment),
                action=action,
                on_since=NOON,
                created_at=NOON,
                created_by="U",
            )
            for place, ((trigger, action, _), segment) in enumerate(
                zip(chains, segments, strict=True)
            )
            if segment != _LEFT_OUT
        ]
        return foresee(
            created=created,
            gets=gets,
            standing=standing,
            at=LATER,
            automations=automations,
            drips=drips,
        )

    most = told([1 if asks else None for _, _, asks in chains])

    for held in itertools.product([None, _LEFT_OUT], repeat=sum(asks for _, _, asks in chains)):
        each = iter(held)
        happens = told([next(each) if asks else None for _, _, asks in chains])
        assert set(happens) <= set(most)
    if not any(asks for _, _, asks in chains):
        assert most == told([None] * len(chains))


_LEFT_OUT = 2


async def _begun(database: Database, story: Story) -> list[int]:
    async with database.owner_unit(ACME, NOON) as unit:
        for table in ("enrollments", "occurrences", "automations", "campaigns", "contacts"):
            await unit.connection.execute(f"delete from {table}")  # noqa: S608 — of three lines up
        campaigns = [
            await unit.connection.fetchval(
                "with made as (insert into campaigns (organization_id, kind, name, state, type,"
                " settings, actor, created_at, updated_at, started_at) values ($1, 'drip', $2,"
                " 'active', 'promotional', $3, 'U', $4, $4, $4) returning id)"
                " insert into steps (organization_id, campaign_id, position, after_s, content,"
                " created_at) select $1, id, 1, 0, '{}', $4 from made returning campaign_id",
                ACME,
                f"Drip {place}",
                {"reentry": reentry, "mode": mode},
                NOON,
            )
            for place, (reentry, mode) in enumerate(story.drips)
        ]
        for trigger, written in story.automations:
            action = written
            if isinstance(written, Enroll | TakeOut):
                action = replace(written, campaign=CampaignId(campaigns[written.campaign]))
            await unit.connection.execute(
                "insert into automations (organization_id, trigger, action, state, created_at,"
                " on_since, created_by) values ($1, $2, $3, 'on', $4, $4, 'U')",
                ACME,
                rules.trigger_to_json(trigger),
                rules.action_to_json(action),
                NOON,
            )
        people = [
            (Phone(f"+3161000{place:04}"), Person(tags=tuple(sorted(tags))))
            for place, (tags, _, _) in enumerate(story.known)
        ]
        made = await contacts.add(unit, people=people, source="test")
        for (phone, _), (_, within, out) in zip(people, story.known, strict=True):
            if out:
                await unit.connection.execute(
                    "update contacts set opted_out_at = $1 where id = $2", NOON, made[phone].id
                )
            for place in within:
                await unit.connection.execute(
                    "insert into enrollments (organization_id, campaign_id, contact_id, state,"
                    " enrolled_at, enrolled_by) values ($1, $2, $3, 'active', $4, 'before')",
                    ACME,
                    campaigns[place],
                    made[phone].id,
                    NOON,
                )
        await unit.connection.execute("delete from occurrences")
    return campaigns
