"""Upkeep forgets what is over for long enough, and nothing else; counts stay as they were."""

# ruff: noqa: E501 — SQL reads better unbroken

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from engine.config import Sending
from engine.message import OPEN, State
from storage import blobs, recount, upkeep
from tests.database import ACME, GLOBEX, NOON
from tests.integration.worker.world import World, worker
from worker.context import Worker
from worker.planning import plan
from worker.upkeep import keep_house

DAY = timedelta(days=1)
LONG_AGO = NOON - 100 * DAY


def keeper(world: World, **sending: Any) -> Worker:  # noqa: ANN401 — as the file writes them
    made = worker(world)
    acme = made.config.organizations[ACME]
    changed = acme.model_copy(update={"sending": Sending(**sending)})
    made.config.organizations[ACME] = changed  # type: ignore[index] # a dict, in tests
    return made


async def kept(world: World, **sending: Any) -> None:  # noqa: ANN401 — as the file writes them
    at_work = keeper(world, **sending)
    while await keep_house(at_work, ACME):
        pass


async def leaf(world: World, at: datetime) -> None:
    await world.value("select attach_message_leaf($1)", at)


async def message(world: World, state: State, at: datetime, **columns: object) -> int:
    """Write a message of campaign 1 that was due at *at*, and return its id."""
    reason = "failed" if state in {State.SKIPPED, State.CANCELLED, State.DEAD} else None
    times = {
        State.SKIPPED: {"settled_at": at},
        State.CANCELLED: {"settled_at": at},
        State.DEAD: {"failed_at": at, "settled_at": at},
    }.get(state, {} if state in OPEN else {"accepted_at": at})
    values = {"state": state.value, "reason": reason, "due_at": at, **times, **columns}
    names = ", ".join(values)
    places = ", ".join(f"${place}" for place in range(3, 3 + len(values)))
    made: int = await world.value(
        f"insert into messages (organization_id, id, run_id, step_id, contact_id, campaign_id, number_id, {names})"  # noqa: S608 — the test's
        f" values ($1, new_message_id($2), nextval('message_sequence'), 1, 1, 1, 'n', {places}) returning id",
        ACME,
        int(at.timestamp()),
        *values.values(),
    )
    return made


async def ids(world: World) -> set[int]:
    return {row["id"] for row in await world.rows("select id from messages")}


@pytest.mark.parametrize("state", list(State))
async def test_open_messages_are_kept_however_old(world: World, state: State) -> None:
    await leaf(world, LONG_AGO)
    old = await message(world, state, LONG_AGO)

    await kept(world, retention="90d")

    assert await ids(world) == ({old} if state in OPEN else set())


async def test_what_happened_of_late_is_kept_whenever_it_was_due(world: World) -> None:
    await leaf(world, LONG_AGO)
    await message(world, State.READ, LONG_AGO, read_at=NOON - 91 * DAY)
    late = await message(world, State.READ, LONG_AGO, read_at=NOON - 89 * DAY)
    new = await message(world, State.DEAD, NOON - DAY)

    await kept(world, retention="90d")

    assert await ids(world) == {late, new}


async def test_for_ever_is_for_ever(world: World) -> None:
    await leaf(world, LONG_AGO)
    old = await message(world, State.READ, LONG_AGO)
    await world.value(
        "insert into events (organization_id, kind, at, relayed_at) values ($1, 'k', $2, $2)",
        ACME,
        LONG_AGO,
    )

    await kept(world, retention="off")

    assert await ids(world) == {old}
    assert await world.value("select count(*) from events") == 1


async def test_statistics_and_summaries_stay_and_recounting_finds_nothing(world: World) -> None:
    old = await world.campaign(kind="drip", state="active", steps=(0,))
    await world.enrolled(old, await world.contacts(3))
    await plan_all(world)
    await world.run()
    new = await world.campaign()
    await world.queued(new, await world.contacts(4))
    world.clock.advance(30 * DAY)
    await leaf(world, world.clock.now())
    await world.run()
    counted = await statistics(world)
    summaries = await world.rows("select id, state, sent, delivered from enrollments order by id")
    assert sum(row["sent"] for row in summaries) == 3

    await kept(world, retention="7d")

    assert await world.states(old) == {}
    assert await world.states(new) == {"accepted": 4}
    assert await statistics(world) == counted
    assert (
        await world.rows("select id, state, sent, delivered from enrollments order by id")
        == summaries
    )
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        assert await recount.differences(unit, repair=True) == []
    await world.value("update campaign_stats set count = count + 1 where metric = 'accepted'")
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        wrong = await recount.differences(unit, repair=True)
    assert [(each.campaign, each.metric, each.told, each.counted) for each in wrong] == [
        (new, "accepted", 5, 4)
    ]


async def test_what_is_kept_longer_again_is_not_taken_for_wrong(world: World) -> None:
    campaign = await world.campaign()
    await world.queued(campaign, await world.contacts(2))
    await world.run()
    world.clock.advance(30 * DAY)
    await kept(world, retention="7d")

    await kept(world, retention="90d")

    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        assert await recount.differences(unit, repair=True) == []


async def test_only_empty_leaves_of_months_gone_by_are_dropped(world: World) -> None:
    for months in (4, 5, 6):
        await leaf(world, NOON - months * 30 * DAY)
    waiting = await message(world, State.QUEUED, NOON - 150 * DAY)
    await message(world, State.READ, NOON - 180 * DAY)
    before = await leaves(world)

    await kept(world, retention="90d")

    assert await leaves(world) == before[1:]
    await world.value("delete from messages where id = $1", waiting)
    await kept(world, retention="90d")
    assert await leaves(world) == [each for each in before if each >= "messages_202608"]


async def test_a_leaf_in_use_is_left_for_the_next_round(world: World) -> None:
    await leaf(world, NOON - 200 * DAY)
    before = await leaves(world)
    async with world.database.owner_unit(ACME, NOON) as unit:
        await unit.connection.fetch("select count(*) from messages")

        # Another connection of the pool; this one holds its lock meanwhile.
        async with world.database.pool.acquire() as other:
            dropped = await other.fetchval("select drop_empty_message_leaf($1)", NOON - 90 * DAY)

    assert dropped is False
    assert await leaves(world) == before


async def test_another_organization_keeps_its_own(world: World) -> None:
    await leaf(world, LONG_AGO)
    ours = await message(world, State.READ, LONG_AGO)
    await world.value("update messages set organization_id = $1 where id = $2", GLOBEX, ours)
    await world.value(
        "insert into platform_events (organization_id, key, kind, content, at, received_at) values ($1, 'k', 'k', '{}', $2, $2)",
        GLOBEX,
        LONG_AGO,
    )

    await kept(world, retention="90d")

    assert await ids(world) == {ours}
    assert await world.value("select count(*) from platform_events") == 1


async def test_many_rows_take_several_slices(world: World) -> None:
    await leaf(world, LONG_AGO)
    await world.value(
        "insert into messages (organization_id, id, run_id, step_id, contact_id, number_id, state, due_at, accepted_at)"
        " select $1, new_message_id($2), n, 1, n, 'n', case when n % 10 = 0 then 'queued' else 'read' end, $3, $3"
        "   from generate_series(1, 3500) as n",
        ACME,
        int(LONG_AGO.timestamp()),
        LONG_AGO,
    )

    await kept(world, retention="90d")

    assert await world.states() == {"queued": 350}
    assert (await world.value("select result from tasks where name = 'keep_house'")) == {
        "forgotten": 3150
    }


async def test_a_slice_is_small(world: World) -> None:
    await leaf(world, LONG_AGO)
    await world.value(
        "insert into messages (organization_id, id, run_id, step_id, contact_id, number_id, state, due_at, accepted_at)"
        " select $1, new_message_id($2), n, 1, n, 'n', 'read', $3, $3 from generate_series(1, 20000) as n",
        ACME,
        int(LONG_AGO.timestamp()),
        LONG_AGO,
    )
    round_ = upkeep.round_at(world.clock.now(), retention=90 * DAY)
    forgotten = [0]

    while round_.chore == 0:
        async with world.database.owner_unit(ACME, world.clock.now()) as unit:
            round_ = await upkeep.tidied(unit, round_=round_)
        forgotten.append(round_.forgotten)

    assert forgotten[-1] == 20_000
    assert max(now - before for before, now in pairwise(forgotten)) <= 1_000


async def test_what_came_in_and_was_told_goes_with_the_messages(world: World) -> None:
    for at in (LONG_AGO, NOON):
        await world.value(
            "insert into inbound_messages (organization_id, wamid, number_id, contact_id, kind, content, at, received_at)"
            " values ($1, $2, 'n', 1, 'text', '{}', $3, $3)",
            ACME,
            str(at),
            at,
        )
        await world.value(
            "insert into platform_events (organization_id, key, kind, content, at, received_at) values ($1, $2, 'k', '{}', $3, $3)",
            ACME,
            str(at),
            at,
        )
    told = await event(world, relayed_at=LONG_AGO)
    recent = await event(world, relayed_at=NOON)
    untold = await event(world, relayed_at=None)
    for key in (f"event:{told}", f"event:{told}:1", f"event:{recent}", "card:1"):
        await world.value(
            "insert into slack_posts (organization_id, key, channel, ts, final, intended_at) values ($1, $2, 'C', '1', true, $3)",
            ACME,
            key,
            LONG_AGO,
        )

    await kept(world, retention="90d")

    assert await world.value("select count(*) from inbound_messages") == 1
    assert await world.value("select count(*) from platform_events") == 1
    left = await world.rows("select id from events order by id")
    assert [row["id"] for row in left] == [recent, untold]
    posts = await world.rows("select key from slack_posts order by key")
    assert [row["key"] for row in posts] == ["card:1", f"event:{recent}"]


async def test_what_is_of_no_use_after_days_goes_whatever_the_retention(world: World) -> None:
    for days in (0, 3, 8, 100):
        at = NOON - days * DAY
        await world.value(
            "insert into slack_requests (organization_id, key, at) values ($1, $2, $3)",
            ACME,
            str(days),
            at,
        )
        await world.value(
            "insert into sending_hours (organization_id, hour, count) values ($1, $2, 1)", ACME, at
        )
        for replayed_at in (None, at):
            await world.value(
                "insert into webhook_failures (source, reason, body, received_at, replayed_at)"
                " values ('slack', 'r', '', $1, $2)",
                at,
                replayed_at,
            )
        for state in ("imported", "judged"):
            await imported(world, f"{state}{days}", state=state, at=at)

    await kept(world, retention="off")

    assert await world.rows("select key from slack_requests") == [{"key": "0"}]
    assert await world.value("select count(*) from sending_hours") == 1
    failures = await world.rows(
        "select replayed_at is null as waits, count(*) as count from webhook_failures group by 1 order by 1"
    )
    assert failures == [{"waits": False, "count": 2}, {"waits": True, "count": 3}]
    rows = await world.rows(
        "select i.file_id from import_rows r join imports i on i.id = r.import_id order by i.id"
    )
    assert [row["file_id"] for row in rows] == [
        "imported0", "judged0", "imported3", "judged3", "imported8", "judged8", "judged100"
    ]  # fmt: skip


async def test_files_go_after_seven_days_unless_an_import_reads_them(world: World) -> None:
    async with world.database.unit(ACME, NOON - 8 * DAY) as unit:
        old, read, logo = [
            await blobs.create(unit, name=name, mimetype="text/csv", keep=name == "logo")
            for name in ("old", "read", "logo")
        ]
        await blobs.append(unit, old, b"content")
    await imported(world, "file", state="judging", at=NOON - 8 * DAY, blob=read)

    await kept(world, retention="off")

    left = await world.rows("select id from blobs order by id")
    assert [row["id"] for row in left] == [read, logo]
    assert await world.value("select count(*) from blob_chunks") == 0


async def imported(world: World, name: str, *, state: str, at: datetime, blob: int = 0) -> None:
    """Write an import with one row."""
    await world.value(
        "with made as (insert into imports (organization_id, file_id, blob_id, name, state, actor, channel, created_at, updated_at)"
        "              values ($1, $2, $3, $2, $4, 'U', 'C', $5, $5) returning id)"
        " insert into import_rows (organization_id, import_id, row, verdict, content) select $1, id, 1, 'new', '{}' from made",
        ACME,
        name,
        blob,
        state,
        at,
    )


async def event(world: World, *, relayed_at: datetime | None) -> int:
    made: int = await world.value(
        "insert into events (organization_id, kind, at, relayed_at) values ($1, 'k', $2, $3) returning id",
        ACME,
        LONG_AGO,
        relayed_at,
    )
    return made


async def leaves(world: World) -> list[str]:
    rows = await world.rows(
        "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'messages'::regclass order by 1"
    )
    return [row["name"] for row in rows]


async def statistics(world: World) -> list[dict[str, Any]]:
    return await world.rows(
        "select campaign_id, step_id, hour, metric, count from campaign_stats where count <> 0 order by 1, 2, 3, 4"
    )


async def plan_all(world: World) -> None:
    while await plan(worker(world), ACME):
        pass


async def test_what_exports_and_imports_held_of_people_goes_after_them(world: World) -> None:
    for place, (state, age) in enumerate(
        [("imported", 31), ("imported", 29), ("undone", 8), ("undone", 6), ("judged", 400)]
    ):
        await world.value(
            "insert into imports (organization_id, file_id, blob_id, name, state, samples, actor, channel, created_at, updated_at)"
            " values ($1, $2, 1, 'a.csv', $3, '{\"new\": [\"+31610000001\"]}', 'U', 'C', $4, $4)",
            ACME,
            f"F{place}",
            state,
            NOON - age * DAY,
        )
    for state, age in (("written", 31), ("written", 29), ("writing", 400)):
        await world.value(
            "insert into exports (organization_id, audience, named, format, attributes, state, actor, channel, created_at, updated_at)"
            " values ($1, '{}', '+31610000001', 'csv', '{}', $2, 'U', 'C', $3, $3)",
            ACME,
            state,
            NOON - age * DAY,
        )
    await world.value(
        "insert into clicks (organization_id, link_id, message_id, contact_id, campaign_id, step_id, at)"
        " select $1, 1, 1, 1, 1, 1, at from unnest($2::timestamptz[]) as at",
        ACME,
        [NOON - 91 * DAY, NOON - 89 * DAY],
    )

    await kept(world, retention="90d")

    assert [
        row["file_id"]
        for row in await world.rows("select file_id from imports where samples <> '{}' order by 1")
    ] == ["F1", "F3", "F4"]
    assert await world.value("select count(*) from imports") == 5
    assert await world.value("select array_agg(state order by id) from exports") == [
        "written",
        "writing",
    ]
    assert await world.value("select count(*) from clicks") == 1
