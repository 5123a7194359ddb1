"""Few who are meant are found by few rows read, among however many contacts."""

# ruff: noqa: E501 — SQL reads better unbroken

import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.audience import Audience
from engine.campaign_ports import Reach
from engine.ids import ListId
from engine.segment import All, Condition, Definition, HasTag, Not, OnList, Some
from storage import audiences, members
from storage.queries import Query, load
from tests.database import ACME, NOON
from tests.integration.worker.test_plans import explained
from tests.integration.worker.world import NUMBER, World

CONTACTS = 60_000
FEW = 120
MOST_READ = 5_000
BIG = ("contacts", "contact_tags", "list_members", "messages")


@pytest.fixture
async def crowded(world: World) -> AsyncIterator[World]:
    """Yield a world in which nearly everybody is a lead, a few are vip and a few are on a list."""
    contacts = await world.contacts(CONTACTS)
    await world.value(
        "insert into contact_tags (organization_id, tag, contact_id, added_at)"
        " select 'acme', 'lead', c, $1::timestamptz from unnest($2::bigint[]) as c"
        " union all select 'acme', 'vip', c, $1::timestamptz from unnest($3::bigint[]) as c",
        NOON,
        contacts,
        contacts[:: CONTACTS // FEW],
    )
    await world.value(
        "insert into contact_lists (organization_id, id, name, created_at, created_by) values ('acme', 1, 'Beta', $1, 'U')",
        NOON,
    )
    await world.value(
        "insert into list_members (organization_id, list_id, contact_id, added_at)"
        " select 'acme', 1, c, $1 from unnest($2::bigint[]) as c",
        NOON,
        contacts[5 :: CONTACTS // FEW],
    )
    await world.value("analyze")
    yield world
    await world.value("truncate contacts, campaigns, contact_lists, messages cascade")
    await world.value("analyze")


async def read(world: World, query: Query, **values: Any) -> int:  # noqa: ANN401 — SQL values
    """Return how many rows of the big tables a query reads."""
    found = await explained(world, query, **values)
    return sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in found
        if str(node.get("Relation Name", "")).startswith(BIG)
    )


VIP, BETA, LEAD = HasTag("vip"), OnList(ListId(1)), HasTag("lead")


WHERES: dict[str, Condition] = {
    "a tag": VIP,
    "a tag or a list": Some((VIP, BETA)),
    "a list without a tag": All((BETA, Not(VIP))),
    "either, of many": All((Some((VIP, BETA)), LEAD)),
}


async def test_few_are_found_among_many(crowded: World) -> None:
    rows = {}
    for where, name in itertools.product(WHERES, ("members", "preview", "reach")):
        definition = Definition(where=WHERES[where], zone="UTC")
        async with crowded.database.owner_unit(ACME, NOON) as unit:
            query, values = members._filled(unit, name, definition, {}, careful=False)  # noqa: SLF001 — as it is run
        rows[name, where] = await read(crowded, query, limit=10, promotional=True, **values)

    assert {each: read for each, read in rows.items() if read > MOST_READ} == {}


async def test_a_slice_of_a_frozen_audience_reads_its_own_contacts_alone(crowded: World) -> None:
    audience = Audience(tags=("vip",))
    last = await crowded.value("select max(id) from contacts")
    campaign = await crowded.campaign(audience=audience.to_json(), contacts_up_to=last)
    async with crowded.database.owner_unit(ACME, NOON) as unit:
        reach: Reach = await audiences.reach(unit, audience=audience, promotional=True)
        await audiences.freeze(unit, campaign=campaign, audience=audience, up_to=last)
    planning = load("planning")
    chunk = {"campaign": campaign, "everyone": False, "cursor": 0, "until": last}

    zones = await read(crowded, planning["zones_in_slice"], **chunk)
    planned = await read(
        crowded,
        planning["plan_broadcast"],
        **chunk,
        step=1,
        promotional=True,
        second=int(NOON.timestamp()),
        number=None,
        numbers=[NUMBER],
        standard_number=NUMBER,
        due_at=NOON,
        zones=[],
        zone_due_ats=[],
        deadline_s=None,
    )

    assert reach.recipients == FEW
    assert zones <= MOST_READ
    assert planned <= MOST_READ
