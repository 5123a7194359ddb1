"""A scheduled broadcast starts once and not before, and sends nothing once it is cancelled.

Whatever start, planning, claims, posts and sweeps come before, beside and after the cancel.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import campaigns, leases
from storage.campaigns import DueToStart
from storage.database import Database, Unit
from tests.database import ACME, NOON
from tests.examples import ON_POSTGRES
from tests.integration.slack.campaign_room import NUMBER, CampaignRoom, opened
from worker.app import prepare
from worker.calls import Result, record
from worker.claimed import Call
from worker.claims import Claims
from worker.completion import complete
from worker.planning import plan
from worker.scheduling import _start, start_due
from worker.whatsapp.client import Accepted

T = TypeVar("T")
PEOPLE = 4
STARTS_AT = datetime(2026, 11, 20, 15, tzinfo=UTC)


class Deed(Enum):
    """What the processes of the product do by themselves."""

    HOUR = auto()
    START = auto()
    START_LATE = auto()
    """Start what was found due a while ago, or by a process that thinks it was."""
    PLAN = auto()
    CLAIM = auto()
    POST = auto()
    SWEEP = auto()


DEEDS = st.sampled_from(Deed)
# The usual way, at every place of which a cancel may come.
USUAL = [Deed.HOUR] * 3 + [Deed.START, Deed.PLAN, Deed.CLAIM, Deed.POST, Deed.SWEEP]
WAYS = st.lists(DEEDS, max_size=12) | st.lists(DEEDS, max_size=4).flatmap(
    lambda more: st.permutations(more).map(lambda some: [*USUAL, *some])
)


class Product:
    """All processes of the product, each deed when the test says so."""

    def __init__(self, room: CampaignRoom) -> None:
        self.room = room
        self.claims = Claims(room.worker.rules[ACME], room.worker.rules[ACME].numbers[0])
        self.claimed: list[Call] = []
        self.posted = 0

    async def do(self, deed: Deed) -> None:
        match deed:
            case Deed.HOUR:
                self.room.room.clock.at += timedelta(hours=1)
            case Deed.START:
                await start_due(self.room.worker, ACME)
            case Deed.START_LATE:
                await self._run(self._start_late)
            case Deed.PLAN:
                await plan(self.room.worker, ACME)
            case Deed.CLAIM:
                self.claimed += await self._run(self._claim)
            case Deed.POST:
                await self._post()
            case Deed.SWEEP:
                await complete(self.room.worker, ACME)

    async def give_back(self) -> None:
        """Hear of the cancel: what was claimed and not posted goes back, as in the lane."""
        back, self.claimed = self.claimed, []
        if back:
            await self._run(lambda unit: self.claims.give_back(unit, back))

    async def rest(self) -> None:
        """Do all that is left to do, and look again the next day."""
        for _ in range(2):
            for _ in range(PEOPLE // 2):
                for deed in (Deed.START, Deed.PLAN, Deed.CLAIM, Deed.POST, Deed.SWEEP):
                    await self.do(deed)
            self.room.room.clock.at += timedelta(days=1)

    async def _run(self, work: Callable[[Unit], Awaitable[T]]) -> T:
        return await self.room.database.run(ACME, self.room.room.clock.at, work, owner=True)

    async def _start_late(self, unit: Unit) -> None:
        campaign = (await campaigns.named(unit, archived=False))["Sale"].id
        found = await campaigns.get(unit, campaign=campaign)
        assert found is not None
        due = DueToStart(id=found.id, scheduled_by="U0OWNER", settings=found.settings)
        await _start(unit, worker=self.room.worker, organization=ACME, due=due)

    async def _claim(self, unit: Unit) -> tuple[Call, ...]:
        await unit.connection.execute("delete from leases")
        lease = await leases.acquire(unit, name=f"lane:{NUMBER}", holder="us")
        assert lease is not None
        return (await self.claims.claim(unit, lease, room=2, replies=0)).calls

    async def _post(self) -> None:
        calls, self.claimed = self.claimed, []
        self.posted += len(calls)
        results = [
            Result(
                call=call,
                outcome=Accepted(wamid=f"wamid.{call.message.id}", held=False),
                at=self.room.room.clock.at,
            )
            for call in calls
        ]
        if results:
            await self._run(lambda unit: record(unit, results))


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as opened_room:
        await opened_room.contacts(PEOPLE)
        await prepare(opened_room.worker)
        yield opened_room


async def _begin(room: CampaignRoom) -> Product:
    for table in ("messages", "frozen_audiences", "campaigns", "leases"):
        await room.value(f"delete from {table}")  # noqa: S608 — of the line above
    await room.value("update contacts set promoted_at = null, promoted_campaign_id = null")
    room.room.clock.at = NOON
    said = await room.say(
        'broadcast new Sale to=tag:lead template=followup at="2026-11-20 16:00" deadline=off'
    )
    assert "scheduled" in said
    return Product(room)


@ON_POSTGRES
@given(before=WAYS, beside=DEEDS, after=st.lists(DEEDS, max_size=6))
async def test_a_cancelled_one_never_sends_whatever_the_moment_of_the_cancel(
    room: CampaignRoom, before: list[Deed], beside: Deed, after: list[Deed]
) -> None:
    product = await _begin(room)
    for deed in before:
        await product.do(deed)
    if beside is Deed.POST:  # what has left has left
        await product.do(beside)
    sent = await room.value("select count(*) from messages where state = 'accepted'")
    over = await room.value("select state from campaigns") == "completed"

    said, _ = await asyncio.gather(
        room.say("broadcast cancel Sale"),
        product.do(beside) if beside is not Deed.POST else asyncio.sleep(0),
    )
    await product.give_back()
    for deed in after:
        await product.do(deed)
    await product.rest()

    if over:
        assert "that is final" in said
        return
    assert "cancelled *" in said
    assert await room.value("select state from campaigns") == "cancelled"
    states = [state for (state,) in await room.rows("select state from messages")]
    assert states.count("accepted") == sent == product.posted
    assert set(states) <= {"accepted", "cancelled"}


@ON_POSTGRES
@given(way=WAYS)
async def test_a_scheduled_one_starts_once_and_not_before(
    room: CampaignRoom, way: list[Deed]
) -> None:
    product = await _begin(room)
    begun: datetime | None = None
    for deed in way:
        await product.do(deed)
        now = room.room.clock.at
        started = await room.value("select started_at from campaigns")
        assert (started is None) or started >= STARTS_AT
        if begun is None and deed in {Deed.START, Deed.START_LATE}:
            assert (started is not None) == (now >= STARTS_AT)
        assert begun is None or started == begun
        begun = started
        if begun is None:
            assert await room.value("select count(*) from messages") == 0
    if begun is None:
        room.room.clock.at = max(room.room.clock.at, STARTS_AT)

    await product.rest()

    assert await room.value("select state from campaigns") == "completed"
    assert product.posted == PEOPLE
    assert await room.value("select count(distinct contact_id) from messages") == PEOPLE
    assert await room.value("select count(*) from messages where state = 'accepted'") == PEOPLE
