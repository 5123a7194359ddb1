"""What something begins to name, or to start, is not deleted under it, whoever is first."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from bot.slack import automations
from engine.audience import Audience
from engine.automation_text import WrittenAction, WrittenTrigger
from engine.campaign import Kind, Settings, Type
from engine.campaign_ports import Draft
from engine.ids import CampaignId, ListId, SegmentId
from engine.segment import Definition, InSegment, OnList
from engine.usecases.automate import make_automation
from engine.usecases.create_campaign import create_campaign
from engine.usecases.delete_campaign import delete_campaign
from engine.usecases.keep_list import delete_list
from engine.usecases.keep_segment import delete_segment, new_segment
from engine.usecases.move_campaign import activate
from storage import audiences
from storage.automations import StoredAutomations
from storage.campaigns import Campaigns
from storage.database import Database, Unit
from storage.lists import Lists
from storage.segments import Segments
from storage.templates import KnownTemplates
from tests.database import ACME, NOON
from tests.integration.slack.campaign_room import CampaignRoom, opened

WHO = "U0OWNER"
BETA = ListId(1)
HOT = SegmentId(1)


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as room:
        automations.register(room.room.registry, room.room.desk)
        await room.say("list new Beta")
        await room.contacts(1)
        await room.say("segment new Hot tag:lead")
        await room.value("update contact_lists set id = $1", BETA)
        await room.value("update segments set id = $1", HOT)
        yield room


async def _broadcast(unit: Unit) -> None:
    audience = Audience(lists=(BETA,), segments=(HOT,))
    await create_campaign(
        draft=Draft(
            kind=Kind.BROADCAST,
            name="Sale",
            type=Type.PROMOTIONAL,
            settings=Settings(),
            audience=audience,
        ),
        content=None,
        campaigns=Campaigns(unit, WHO),
    )


async def _segment(unit: Unit, where: OnList | InSegment) -> None:
    await new_segment(
        name="Wider",
        description="",
        definition=Definition(where=where, zone="UTC"),
        static=False,
        segments=Segments(unit, WHO),
        lists=Lists(unit, WHO),
    )


async def _automation(unit: Unit, when: WrittenTrigger, segment: str | None) -> None:
    await make_automation(
        when=when,
        where=None,
        segment=segment,
        then=WrittenAction("tag", "x"),
        automations=StoredAutomations(unit, WHO),
        attributes=audiences.ContactAttributes(unit),
    )


_WAITING = (
    "select count(*) from pg_stat_activity"
    " where datname = current_database() and wait_event_type = 'Lock'"
)
Work = Callable[[Unit], Awaitable[object]]
DELETES: dict[str, Work] = {
    "list": lambda unit: delete_list(list_id=BETA, lists=Lists(unit, WHO)),
    "segment": lambda unit: delete_segment(
        segment=HOT, segments=Segments(unit, WHO), lists=Lists(unit, WHO)
    ),
}
CASES: list[tuple[str, Work, str]] = [
    ("list", _broadcast, "broadcast new Sale to=list:Beta template=followup"),
    ("segment", _broadcast, "broadcast edit Old to=segment:Hot"),
    ("list", lambda unit: _segment(unit, OnList(BETA)), "segment new Wider list:Beta"),
    ("segment", lambda unit: _segment(unit, InSegment(HOT)), "segment new Wider segment:Hot"),
    (
        "segment",
        lambda unit: _automation(unit, WrittenTrigger("tag", "a"), "Hot"),
        "automation new when=tag:a in=Hot then=tag:x",
    ),
    (
        "segment",
        lambda unit: _automation(unit, WrittenTrigger("segment", "Hot"), None),
        "automation new when=segment:Hot then=tag:x",
    ),
]


async def _waits(room: CampaignRoom) -> None:
    """Return when somebody waits for a lock."""
    async with asyncio.timeout(20):
        while not await room.value(_WAITING):  # noqa: ASYNC110 — another connection knows it
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("what", "use", "_command"), CASES)
async def test_what_was_named_first_is_not_deleted(
    room: CampaignRoom, what: str, use: Work, _command: str
) -> None:
    name = "Beta" if what == "list" else "Hot"

    async with room.database.unit(ACME, NOON) as unit:
        await use(unit)
        deleting = asyncio.create_task(room.say(f"{what} delete {name}"))
        await _waits(room)

    assert "is used by" in await deleting
    assert await room.value("select count(*) from contact_lists") == 1
    assert await room.value("select count(*) from segments where name = 'Hot'") == 1


@pytest.mark.parametrize(("what", "_use", "command"), CASES)
async def test_what_was_deleted_first_is_not_named(
    room: CampaignRoom, what: str, _use: Work, command: str
) -> None:
    await room.say("broadcast new Old to=tag:lead template=followup")
    before = await room.value("select count(*) from campaigns")

    async with room.database.unit(ACME, NOON) as unit:
        await DELETES[what](unit)
        naming = asyncio.create_task(room.say(command))
        await _waits(room)

    assert f"That {what} was deleted a moment ago" in await naming
    assert await room.value("select count(*) from campaigns") == before
    assert await room.value("select count(*) from automations") == 0
    assert await room.value("select count(*) from segments where name = 'Wider'") == 0


async def test_a_draft_like_one_whose_list_is_gone_is_refused(room: CampaignRoom) -> None:
    await room.say("broadcast new Old to=list:Beta template=followup")
    await room.value("update campaigns set state = 'completed'")
    assert "deleted" in await room.say("list delete Beta")

    assert "went to a list or segment that has been deleted" in await room.say(
        "broadcast clone Old"
    )


async def _draft(room: CampaignRoom) -> CampaignId:
    await room.say("campaign new Draft trigger=tag:x")
    await room.say("step add Draft after=0m template=followup")
    return CampaignId(await room.value("select id from campaigns where name = 'Draft'"))


async def _for(unit: Unit, campaign: CampaignId) -> None:
    await create_campaign(
        draft=Draft(
            kind=Kind.BROADCAST,
            name="Sale",
            type=Type.PROMOTIONAL,
            settings=Settings(),
            audience=Audience(drips=(campaign,)),
        ),
        content=None,
        campaigns=Campaigns(unit, WHO),
    )


async def _activate(unit: Unit, campaign: CampaignId) -> None:
    await activate(
        campaign=campaign,
        channel=None,
        campaigns=Campaigns(unit, WHO),
        templates=KnownTemplates(unit),
        automations=StoredAutomations(unit, WHO),
    )


@pytest.mark.parametrize(
    ("use", "says"), [(_for, "is in the audience of 'Sale'"), (_activate, "is active")]
)
async def test_a_draft_that_was_named_or_activated_first_is_not_deleted(
    room: CampaignRoom, use: Callable[[Unit, CampaignId], Awaitable[None]], says: str
) -> None:
    draft = await _draft(room)

    async with room.database.unit(ACME, NOON) as unit:
        await use(unit, draft)
        deleting = asyncio.create_task(room.say("campaign delete Draft"))
        await _waits(room)

    assert says in await deleting
    assert await room.value("select count(*) from campaigns where name = 'Draft'") == 1


@pytest.mark.parametrize(
    "command",
    [
        "broadcast new Sale to=campaign:Draft template=followup",
        "campaign activate Draft",
        "step add Draft after=1d template=followup",
    ],
)
async def test_a_draft_that_was_deleted_first_is_neither_named_nor_activated(
    room: CampaignRoom, command: str
) -> None:
    draft = await _draft(room)

    async with room.database.unit(ACME, NOON) as unit:
        await delete_campaign(campaign=draft, campaigns=Campaigns(unit, WHO))
        using = asyncio.create_task(room.say(command))
        await _waits(room)

    assert "That campaign is no longer there" in await using
    for table in ("campaigns", "steps", "automations"):
        assert await room.value(f"select count(*) from {table}") == 0  # noqa: S608 — of the test
