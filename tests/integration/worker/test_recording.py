"""What most calls come to is recorded in one go, as it would be one by one."""

# ruff: noqa: E501 — SQL reads better unbroken

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.ids import MessageId
from storage import leases, messages
from storage.database import Unit
from tests.database import ACME, NOON
from tests.examples import ON_POSTGRES
from tests.integration.worker.played import EMPTY
from tests.integration.worker.world import NUMBER, World
from worker.calls import Result, record, taken
from worker.claimed import Call
from worker.claims import Claims
from worker.whatsapp.client import Accepted, Doubtful, NotSent, Outcome, Refused

LATER = NOON + timedelta(minutes=1)
MEANWHILE = (
    "",
    "",
    "state = 'unknown', unknown_since = now()",
    "state = 'queued'",
    "state = 'queued', attempt = 2",
    "attempt = 2",
    "failed_attempt = 1, tries = 1",
    "failed_attempt = 1, tries = 1, state = 'queued'",
    "state = 'accepted', accepted_at = '2026-11-20 11:59', wamid = 'wamid.before'",
    "state = 'sent', accepted_at = '2026-11-20 12:00:30', sent_at = '2026-11-20 12:00:30'",
    "state = 'read', accepted_at = '2026-11-20 12:02', delivered_at = '2026-11-20 12:02', read_at = '2026-11-20 12:02', wamid = 'wamid.other'",
    "state = 'dead', reason = 'failed', settled_at = '2026-11-20 12:00', failed_at = '2026-11-20 12:00'",
    "state = 'cancelled', reason = 'opted_out', settled_at = '2026-11-20 12:00'",
)
"""What else may have been written about a claimed message before its call is recorded."""
ENDINGS: tuple[Callable[[MessageId], Outcome], ...] = (
    lambda id_: Accepted(wamid=f"wamid.{id_}", held=False),
    lambda id_: Accepted(wamid=f"wamid.{id_}", held=False),
    lambda id_: Accepted(wamid=f"wamid.{id_}", held=True),
    lambda _: NotSent(reason="refused"),
    lambda _: Doubtful(reason="timeout"),
    lambda _: Refused(code=131026, title="gone", details=None, http=400, trace=None, regain=None),
)

_WRITTEN = (
    "select * from messages order by id",
    "select campaign_id, step_id, variant_id, hour, metric, count from campaign_stats where count <> 0 order by 1, 2, 3, 4, 5",
    "select * from enrollments order by id",
)


@ON_POSTGRES
@given(
    each=st.lists(
        st.tuples(st.sampled_from(MEANWHILE), st.sampled_from(ENDINGS)), min_size=1, max_size=5
    ),
    drip=st.booleans(),
)
async def test_what_was_taken_is_recorded_in_one_go_as_it_is_one_by_one(
    world: World, *, each: list[tuple[str, Callable[[MessageId], Outcome]]], drip: bool
) -> None:
    await world.value(EMPTY)
    calls = await _claimed(world, len(each), drip=drip)
    results = []
    for call, (meanwhile, ending) in zip(calls, each, strict=True):
        if meanwhile:
            await world.value(f"update messages set {meanwhile} where id = $1", call.message.id)  # noqa: S608 — the test's
        results.append(Result(call=call, outcome=ending(call.message.id), at=LATER))

    async def slowly(unit: Unit) -> None:
        await record(unit, results)

    async def in_one_go(unit: Unit) -> None:
        others = await _accepted(unit, results)
        if others:
            await record(unit, others)

    assert await _written_by(world, in_one_go) == await _written_by(world, slowly)


async def test_recording_again_changes_nothing(world: World) -> None:
    (call,) = await _claimed(world, 1, drip=True)
    result = Result(call=call, outcome=Accepted(wamid="wamid.1", held=False), at=LATER)
    async with world.database.owner_unit(ACME, LATER) as unit:
        first = await _accepted(unit, [result])
    before = [await world.rows(query) for query in _WRITTEN]

    async with world.database.owner_unit(ACME, LATER) as unit:
        again = await _accepted(unit, [result])
        await record(unit, again)

    assert (first, again) == ([], [result])
    assert [await world.rows(query) for query in _WRITTEN] == before


async def _accepted(unit: Unit, results: list[Result]) -> list[Result]:
    """Return those that are not recorded in one go."""
    most = taken(results)
    accepted = await messages.accept(unit, most) if most else frozenset()
    return [each for each in results if each.call.message.id not in accepted]


async def _claimed(world: World, count: int, *, drip: bool) -> list[Call]:
    contacts = await world.contacts(count)
    if drip:
        campaign = await world.campaign(kind="drip", state="active", steps=(0, 3600))
        runs = await world.enrolled(campaign, contacts)
        await world.value("update enrollments set due_at = null")  # as planning leaves them
        for contact, run in zip(contacts, runs, strict=True):
            await world.queued(campaign, [contact], run=run)
    else:
        await world.queued(await world.campaign(), contacts)
    claims = Claims(world.rules, world.rules.numbers[0])
    async with world.database.owner_unit(ACME, NOON) as unit:
        lease = await leases.acquire(unit, name=f"lane:{NUMBER}", holder="test")
        assert lease is not None
        claimed = await claims.claim(unit, lease, room=count, replies=0)
    assert len(claimed.calls) == count
    return list(claimed.calls)


async def _written_by(
    world: World, work: Callable[[Unit], Awaitable[None]]
) -> list[list[dict[str, Any]]]:
    async with world.database.owner_unit(ACME, LATER) as unit:
        await work(unit)
        written = [[dict(row) for row in await unit.connection.fetch(query)] for query in _WRITTEN]
        await unit.connection.execute("rollback; begin")
    return written
