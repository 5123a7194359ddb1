"""Once a day: statistics put right, orphans found, and yesterday summed up."""

# ruff: noqa: E501 — SQL reads better unbroken

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.slack import platform_alerts  # noqa: F401 — it says what is told
from bot.slack.alerts import ALERTS
from storage import tasks, work
from storage.checks import orphans
from storage.events import Event, EventId
from tests.database import ACME, NOON
from tests.integration.worker.test_recount import differences
from tests.integration.worker.world import NUMBER, World, worker
from worker import nightly
from worker.context import Worker

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


async def looked(at_work: Worker) -> dict[str, Any]:
    while await nightly.look_through(at_work, ACME):
        pass
    async with at_work.database.owner_unit(ACME, at_work.now()) as unit:
        task = await tasks.get(unit, name=tasks.LOOK_THROUGH)
    assert task is not None
    assert task.result is not None
    return dict(task.result)


async def events(world: World, kind: str) -> list[dict[str, Any]]:
    return await world.rows(
        "select campaign_id, content from events where kind = $1 order by id", kind
    )


async def told(world: World, kind: str) -> str:
    (event,) = await events(world, kind)
    async with world.database.unit(ACME, world.clock.now()) as unit:
        given = Event(
            id=EventId(1),
            kind=kind,
            campaign_id=event["campaign_id"],
            content=event["content"],
            at=NOON,
        )
        (alert,) = await ALERTS[kind](given, unit)
    return str(alert.message.text)


async def sent(world: World, count: int = 5, name: str = "Sale") -> int:
    campaign = await world.campaign(name=name)
    await world.queued(campaign, await world.contacts(count))
    await world.run()
    return campaign


async def test_what_is_right_is_left_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "_AT_ONCE", 2)
    await sent(world)
    assert (await looked(worker(world)))["differences"] == 0
    assert await world.rows("select kind from events where kind <> 'campaign_completed'") == []


async def test_what_differs_is_put_right_and_told_with_the_campaign(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "_AT_ONCE", 2)
    campaign = await sent(world)
    right = await sent(world, name="Right")
    await world.value(
        "update campaign_stats set count = count + 7 where campaign_id = $1 and metric = 'accepted'",
        campaign,
    )
    await world.value(
        "insert into campaign_stats (organization_id, campaign_id, step_id, hour, metric, count)"
        " values ($1, $2, 1, date_trunc('hour', $3::timestamptz), 'dead', 2)",
        ACME,
        campaign,
        NOON,
    )

    result = await looked(worker(world))

    assert result["differences"] == 2
    assert await differences(world) == []
    assert [each["campaign_id"] for each in await events(world, "recount_repaired")] == [campaign]
    assert right != campaign
    assert "The statistics of Sale differed" in await told(world, "recount_repaired")


async def test_what_changes_between_two_slices_is_no_difference(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "_AT_ONCE", 2)
    monkeypatch.setattr(nightly, "SLICE_S", 0.0)
    at_work = worker(world)
    campaign = await world.campaign()
    await world.queued(campaign, await world.contacts(5))
    assert await nightly.look_through(at_work, ACME)
    await world.run()

    assert (await looked(at_work))["differences"] == 0
    assert await events(world, "recount_repaired") == []


async def test_messages_that_name_what_is_gone_are_told_and_checked(world: World) -> None:
    await sent(world, 3)
    other = await sent(world, 2, name="Gone")
    assert (await looked(worker(world)))["orphans"] == {}
    (finding,) = await orphans(world.database.url, ACME)
    assert finding.remedy is None
    await world.value("delete from steps where campaign_id = $1", other)
    await world.value("delete from campaigns where id = $1", other)
    await world.value("delete from contacts where id = (select min(contact_id) from messages)")

    assert (await looked(worker(world)))["orphans"] == {"campaign": 2, "step": 2, "contact": 1}

    assert "1 without their contact" in await told(world, "orphans_found")
    (finding,) = await orphans(world.database.url, ACME)
    assert finding.remedy is not None
    assert "2 messages name a campaign that is not there" in finding.said


async def test_nobody_has_looked_yet(world: World) -> None:
    (finding,) = await orphans(world.database.url, ACME)
    assert "nobody has looked yet" in finding.said
    assert finding.remedy is None


async def test_yesterday_is_summed_up_once(world: World) -> None:
    at_work = worker(world)
    await sent(world, 4)
    await world.value(
        "insert into consents (organization_id, contact_id, kind, at, channel, recorded_at)"
        " values ($1, 1, 'opt_out', $2, 'whatsapp', $2)",
        ACME,
        NOON,
    )
    world.clock.advance(timedelta(hours=20))

    await nightly.sum_up(at_work, ACME)
    await nightly.sum_up(at_work, ACME)

    assert await told(world, "daily_summary") == (
        ":calendar: Friday 20 November: 4 sent · 0 delivered · 0 read · 0 replied to · 0 failed · 1 opted out"
    )


async def test_of_a_quiet_day_nothing_is_said(world: World) -> None:
    await sent(world, 4)
    world.clock.advance(timedelta(days=2))
    await nightly.sum_up(worker(world), ACME)
    assert await events(world, "daily_summary") == []


@pytest.mark.parametrize(
    ("now", "since"),
    [
        (datetime(2026, 11, 20, 1, 59, tzinfo=UTC), datetime(2026, 11, 19, 2, 0, tzinfo=UTC)),
        (datetime(2026, 11, 20, 2, 0, tzinfo=UTC), datetime(2026, 11, 20, 2, 0, tzinfo=UTC)),
        # The night in which clocks go forward has no 2:30, and that in which they go back has two.
        (datetime(2026, 3, 29, 12, 0, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
    ],
)
def test_a_day_begins_by_the_organizations_clock(now: datetime, since: datetime) -> None:
    assert nightly.latest(time(3), zone=AMSTERDAM, now=now) == since


async def test_both_are_wanted_once_a_day(world: World) -> None:
    async def wanted(summary_at: time | None = time(8)) -> set[str]:
        async with world.database.owner_unit(ACME, world.clock.now()) as unit:
            await nightly.want_nightly(unit, zone=UTC, summary_at=summary_at)
            return set(await work.jobs(unit, numbers=[NUMBER])) & {"look_through", "daily_summary"}

    at_work = worker(world)
    assert await wanted(None) == {"look_through"}
    assert await wanted() == {"look_through", "daily_summary"}
    await looked(at_work)
    await nightly.sum_up(at_work, ACME)
    assert await wanted() == set()
    world.clock.advance(timedelta(hours=16))  # 4 o'clock
    assert await wanted() == {"look_through"}
