"""`report <campaign>`: the numbers of the rows, in words and in a table."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from bot.slack.desk import Desk
from bot.slack.language.reports import Report as Asked
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.reports import register
from engine.message import hour_of
from engine.report import Counts
from engine.roles import Role
from storage import reports
from storage.database import Database
from storage.queue import Queue
from tests.database import ACME, GLOBEX, NOON
from tests.integration.slack.posting_slack import World, config, world_of


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with world_of(database) as world:
        yield world


async def ask(world: World, name: str, *, at: datetime | None = None) -> Reply:
    """Ask as somebody in Slack does, through the handler."""
    registry = Registry()
    queue = Queue.open("redis://127.0.0.1:1")  # never asked
    register(
        registry, Desk(config=config(), clock=world.clock, database=world.database, queue=queue)
    )

    async def respond(_reply: Reply) -> bool:
        return True

    return await registry.commands[Asked](
        Asked(campaign=name),
        Context(
            organization=ACME,
            user_id="U0SUPER",
            role=Role.SUPERVISOR,
            channel_id="C0ALERTS",
            at=at or world.clock.now(),
            trigger_id=None,
            client=world.workspaces.client(ACME),
            respond=respond,
        ),
    )


async def test_a_drip_is_reported_by_people_and_steps(world: World) -> None:
    welcome = await world.campaign("Welcome", kind="drip", state="active")
    await world.enroll(welcome, completed=193, replied=1, opted_out=1)
    await world.step(
        welcome, 1, planned=195, accepted=195, sent=195, delivered=195, read=117, replied=1
    )
    await world.step(welcome, 2, removed=True, planned=2, skipped__step_removed=2)
    await world.step(welcome, 3, planned=195, accepted=195, returned=1, dead=1, delivered=190)
    await world.step(welcome, 4, removed=True)

    text = (await ask(world, "wel")).message.text

    assert (
        text
        == """\
Report on Welcome (drip, active)
Enrolled 195: active 0, paused 0, completed 193, replied 1, opted out 1, dropped 0
Step 1: planned 195, sent 195, delivered 195, read 117, replied 1, failed 0, left out 0, open 0
Removed step: planned 2, sent 0, delivered 0, read 0, replied 0, failed 0, left out 2, open 0
Step 2: planned 195, sent 195, delivered 190, read 0, replied 0, failed 1, left out 0, open 0
All steps: planned 392, sent 390, delivered 385, read 117, replied 1, failed 1, left out 2, open 0
Rates: delivered 99 % of sent, read 30 % of delivered, replied &lt;1 % of sent
Left out of removed step: 2 the step was removed"""
    )


async def test_hours_and_variants_add_up(world: World) -> None:
    sale = await world.campaign()
    step = await world.step(sale, planned=2, accepted=1, skipped__opted_out=1)
    await world.count(sale, step, planned=1, cancelled__campaign_ended=1)
    await world.database.pool.execute(
        "insert into campaign_stats (organization_id, campaign_id, step_id, variant_id, hour,"
        " metric, count) select organization_id, campaign_id, step_id, 7, hour + '1 hour', metric,"
        " count from campaign_stats where campaign_id = $1",
        sale,
    )

    async with world.database.unit(ACME, world.clock.now()) as unit:
        found = await reports.campaign(unit, campaign=sale)
        assert found is not None
        whole = (await reports.report(unit, campaign=found)).total

    assert (whole.planned, whole.sent, whole.left_out_in_all, whole.open) == (6, 2, 4, 0)


async def test_a_campaign_without_steps_is_reported_too(world: World) -> None:
    await world.campaign("Empty", kind="drip", state="draft", started_at=None)

    text = (await ask(world, "Empty")).message.text

    assert text.splitlines() == [
        "Report on Empty (drip, draft)",
        "Enrolled 0: active 0, paused 0, completed 0, replied 0, opted out 0, dropped 0",
    ]


async def test_what_whatsapp_says_nothing_of_for_a_day_has_no_report(world: World) -> None:
    sale = await world.campaign("Sale")
    await world.step(sale, planned=12, accepted=10, sent=6, returned=2, unsent=1, dead=2)
    await world.step(sale, 2, planned=5, accepted=5, sent=5)

    a_day_later = hour_of(NOON) + timedelta(hours=25)
    before = await ask(world, "Sale", at=a_day_later - timedelta(seconds=1))
    assert "No report" not in before.message.text
    after = await ask(world, "Sale", at=a_day_later)
    assert "No report: 3;" in after.message.text


async def test_who_was_sent_to_again_is_counted_and_who_got_it_twice_is_named(
    world: World,
) -> None:
    sale = await world.campaign("Sale")
    await world.step(sale, planned=5, accepted=5, sent=5)
    assert "Sent again" not in (await ask(world, "Sale")).message.text
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        await unit.connection.execute(
            "with made as (insert into contacts (organization_id, source, created_at, updated_at)"
            "              select 'acme', 'test', $1, $1 from generate_series(1, 12) returning id)"
            " insert into contact_identities (organization_id, kind, value, contact_id, created_at)"
            " select 'acme', 'phone', '+316' || (10000000 + row_number() over (order by id)), id,"
            "        $1 from made",
            NOON,
        )
        await unit.connection.execute(
            "insert into messages (organization_id, id, run_id, step_id, contact_id, campaign_id,"
            "   number_id, state, due_at, resent, doubled)"
            " select 'acme', new_message_id(extract(epoch from $2::timestamptz)::bigint), 1, 1,"
            "        contact_id, $1, 'n', 'sent', $2, 1,"
            "        (row_number() over (order by value) <> 1)::int"
            "   from contact_identities order by value",
            sale,
            NOON,
        )

    text = (await ask(world, "Sale")).message.text

    assert "Sent again after silence: 12. Reached twice: 11 (+31610000002, " in text
    assert "+31610000011, 1 more)." in text


async def test_names_are_matched_and_what_fits_nothing_is_answered(world: World) -> None:
    await world.campaign("Spring Sale")
    await world.campaign("Spring Cleaning")

    assert "Report on Spring Sale" in (await ask(world, "spring s")).message.text
    assert '"Spring Cleaning"' in (await ask(world, "spring")).message.text
    assert '"Spring Sale"' in (await ask(world, "Spring Slae")).message.text
    assert "There is no campaign" in (await ask(world, "<!channel>")).message.text
    assert "<!channel>" not in (await ask(world, "<!channel>")).message.text


async def test_other_organizations_are_not_seen(world: World) -> None:
    sale = await world.campaign()
    await world.step(sale, planned=5)

    async with world.database.unit(GLOBEX, world.clock.now()) as unit:
        assert await reports.campaign(unit, campaign=sale) is None


async def test_many_steps_fit_into_what_slack_takes(world: World) -> None:
    long = await world.campaign("Long", kind="drip", state="active")
    for position in range(1, 121):
        await world.step(long, position, planned=10**6, accepted=10**6, skipped__cooldown=3)

    message = (await ask(world, "Long")).message

    assert len(message.text.encode()) <= 4000
    assert sum(block["type"] == "table" for block in message.blocks) == 1
    (table,) = (block for block in message.blocks if block["type"] == "table")
    assert len(table["rows"]) <= 100
    for block in message.blocks:
        if block["type"] == "section":
            assert len(block["text"]["text"]) <= 3000


def test_counts_without_metrics_are_none() -> None:
    assert Counts.of({}) == Counts()
