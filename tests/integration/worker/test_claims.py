"""What a claim takes and what it leaves: shares, caps, hours, what speaks against a contact."""

# ruff: noqa: E501 — SQL reads better unbroken

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from engine.hours import Hours, parse
from storage import leases
from storage.database import CONNECTION_LOST
from tests.database import ACME, NOON
from tests.integration.worker.world import NUMBER, World, worker
from worker.claimed import Claimed
from worker.claims import Claims
from worker.planning import plan

HOUR = timedelta(hours=1)
AGAINST = ("opted_out_at", "platform_stopped_at", "blocked_at", "unreachable_at", "erased_at")


async def claim(
    world: World,
    claims: Claims | None = None,
    *,
    room: int = 100,
    replies: int = 100,
    at: datetime = NOON,
) -> Claimed:
    """Claim once, under a lease that is taken for it."""
    claims = claims or Claims(world.rules, world.rules.numbers[0])
    async with world.database.owner_unit(ACME, at) as unit:
        await world.value("delete from leases where name = $1", f"lane:{NUMBER}")
        lease = await leases.acquire(unit, name=f"lane:{NUMBER}", holder="test")
        assert lease is not None
        return await claims.claim(unit, lease, room=room, replies=replies)


async def taken_of(world: World) -> dict[int, int]:
    rows = await world.rows(
        "select campaign_id, count(*) as count from messages where state = 'claimed' group by 1"
    )
    return {row["campaign_id"]: row["count"] for row in rows}


async def test_campaigns_share_by_priority(world: World) -> None:
    contacts = await world.contacts(100)
    urgent = await world.campaign(priority=9)
    idle = await world.campaign(priority=1)
    for campaign in (urgent, idle):
        await world.queued(campaign, contacts)

    await claim(world, room=100)

    assert await taken_of(world) == {urgent: 90, idle: 10}


async def test_even_one_place_at_a_time_is_shared_by_priority(world: World) -> None:
    contacts = await world.contacts(40)
    urgent = await world.campaign(priority=9)
    idle = await world.campaign(priority=1)
    for campaign in (urgent, idle):
        await world.queued(campaign, contacts)
    claims = Claims(world.rules, world.rules.numbers[0])

    for _ in range(20):
        await claim(world, claims, room=1)

    assert await taken_of(world) == {urgent: 18, idle: 2}


async def test_many_campaigns_all_move(world: World) -> None:
    contacts = await world.contacts(10)
    campaigns = [await world.campaign() for _ in range(12)]
    for campaign in campaigns:
        await world.queued(campaign, contacts)
    claims = Claims(world.rules, world.rules.numbers[0])

    for _ in range(6):
        await claim(world, claims, room=4)

    taken = await taken_of(world)
    assert sum(taken.values()) == 24
    assert set(taken) == set(campaigns)
    assert max(taken.values()) <= 3


async def test_a_place_one_campaign_leaves_another_gets_next(world: World) -> None:
    contacts = await world.contacts(50)
    small, large = await world.campaign(priority=9), await world.campaign(priority=1)
    await world.queued(small, contacts[:3])
    await world.queued(large, contacts)
    claims = Claims(world.rules, world.rules.numbers[0])

    await claim(world, claims, room=40)
    await claim(world, claims, room=40)

    assert await taken_of(world) == {small: 3, large: 44}


async def test_replies_have_places_of_their_own(world: World) -> None:
    contacts = await world.contacts(5)
    await world.queued(await world.campaign(), contacts)
    await world.reply(contacts[0], "Thank you.")

    claimed = await claim(world, room=0, replies=5)

    assert [call.priority for call in claimed.calls] == [True]


@pytest.mark.parametrize("state", ["paused", "draft", "completed", "cancelled", "archived"])
async def test_only_what_runs_is_claimed(world: World, state: str) -> None:
    campaign = await world.campaign()
    await world.queued(campaign, await world.contacts(3))
    await world.set_state(campaign, state)

    assert (await claim(world)).calls == ()


@pytest.mark.parametrize(
    "tap",
    [
        pytest.param("update campaigns set closed_until = 'infinity'", id="of the campaign"),
        pytest.param("update numbers set closed_until = 'infinity'", id="of the number"),
        pytest.param("update organizations set closed_until = 'infinity'", id="of all numbers"),
    ],
)
async def test_a_closed_tap_holds_the_queue(world: World, tap: str) -> None:
    await world.queued(await world.campaign(), await world.contacts(3))
    await world.value(tap)

    assert (await claim(world)).calls == ()
    assert await world.states() == {"queued": 3}


@pytest.mark.parametrize("settings", [{}, {"per_day": 5}, {"rate": "5/s"}])
async def test_a_claim_that_waited_for_a_pause_takes_nothing(
    world: World, settings: dict[str, Any]
) -> None:
    await world.queued(await world.campaign(settings=settings), await world.contacts(3))
    async with world.database.owner_unit(ACME, NOON) as pausing:
        await pausing.connection.execute("update campaigns set state = 'paused'")
        claiming = asyncio.create_task(claim(world))
        await world.until(lambda: _waits_for_a_lock(world))

    assert (await claiming).calls == ()
    assert await world.states() == {"queued": 3}


async def _waits_for_a_lock(world: World) -> bool:
    return bool(
        await world.value(
            "select exists (select from pg_stat_activity"
            " where datname = current_database() and wait_event_type = 'Lock')"
        )
    )


async def test_a_day_has_so_many_contacts(world: World) -> None:
    await world.queued(await world.campaign(settings={"per_day": 5}), await world.contacts(20))

    first = await claim(world, at=NOON)
    same_day = await claim(world, at=NOON + 11 * HOUR)
    next_day = await claim(world, at=NOON + 12 * HOUR)

    assert [len(each.calls) for each in (first, same_day, next_day)] == [5, 0, 5]
    assert await world.value("select closed_why from campaigns") == "per_day"


async def test_a_tap_opened_by_hand_does_not_lift_the_cap(world: World) -> None:
    await world.queued(await world.campaign(settings={"per_day": 5}), await world.contacts(20))
    await claim(world)
    await world.value("update campaigns set closed_until = null, closed_why = null")

    assert (await claim(world, at=NOON + HOUR)).calls == ()
    assert await world.value("select closed_until from campaigns") == datetime(
        2026, 11, 21, tzinfo=UTC
    )


async def test_an_hour_has_so_many_messages(world: World) -> None:
    world.with_rules(messages_per_hour=5)
    contacts = await world.contacts(20)
    await world.queued(await world.campaign(), contacts)

    first = await claim(world, at=NOON + timedelta(minutes=10))
    same_hour = await claim(world, at=NOON + timedelta(minutes=59))
    await world.reply(contacts[0], "Thank you.")
    reply = await claim(world, at=NOON + timedelta(minutes=59))
    next_hour = await claim(world, at=NOON + HOUR)

    assert [len(each.calls) for each in (first, same_hour, reply, next_hour)] == [5, 0, 1, 5]


async def test_what_is_given_back_may_go_again_in_the_same_hour_and_day(world: World) -> None:
    world.with_rules(messages_per_hour=5, cooldown=24 * HOUR)
    await world.queued(await world.campaign(settings={"per_day": 5}), await world.contacts(20))
    claims = Claims(world.rules, world.rules.numbers[0])
    claimed = await claim(world, claims)
    await claim(world, claims)  # closes both taps

    async with world.database.owner_unit(ACME, NOON) as unit:
        await claims.give_back(unit, claimed.calls)

    assert await world.states() == {"queued": 20}
    assert await world.value("select count(promoted_at) from contacts") == 0
    assert await world.value("select sum(count) from sending_hours") == 0
    assert len((await claim(world, claims, at=NOON + timedelta(minutes=1))).calls) == 5


async def test_when_a_contact_was_last_written_to_is_known_and_taken_back_with_the_message(
    world: World,
) -> None:
    before, never = await world.contacts(2)
    await world.value("update contacts set last_message_at = $1 where id = $2", NOON - HOUR, before)
    survey = await world.campaign(type="survey")
    promotion = await world.campaign()
    await world.queued(survey, [before])
    await world.queued(promotion, [never])
    look = "select last_message_at, promoted_at from contacts order by id"
    claims = Claims(world.rules, world.rules.numbers[0])

    claimed = await claim(world, claims)
    noted = await world.rows(look)
    async with world.database.owner_unit(ACME, NOON) as unit:
        await claims.give_back(unit, claimed.calls)
    taken_back = await world.rows(look)

    assert noted == [
        {"last_message_at": NOON, "promoted_at": None},
        {"last_message_at": NOON, "promoted_at": NOON},
    ]
    assert taken_back == [
        {"last_message_at": NOON - HOUR, "promoted_at": None},
        {"last_message_at": None, "promoted_at": None},
    ]


async def test_a_rate_spreads_its_messages(world: World) -> None:
    await world.queued(await world.campaign(settings={"rate": "5/s"}), await world.contacts(100))

    first = await claim(world)
    at_once = await claim(world, at=NOON + timedelta(milliseconds=1))
    later = await claim(world, at=NOON + timedelta(seconds=1))

    starts = [call.starts_at for claimed in (first, at_once, later) for call in claimed.calls]
    assert len(at_once.calls) == 0
    assert len(starts) >= 15
    assert {after - before for before, after in pairwise(starts)} == {timedelta(milliseconds=200)}


async def test_a_lane_keeps_a_campaigns_rate_and_its_pace(world: World) -> None:
    slow = await world.campaign(settings={"rate": "10/s"})
    fast = await world.campaign(kind="broadcast")
    contacts = await world.contacts(60)
    await world.queued(slow, contacts[:25])
    await world.queued(fast, contacts)
    ids = {
        row["id"]
        for row in await world.rows("select id from messages where campaign_id = $1", slow)
    }

    begun = asyncio.get_running_loop().time()
    await world.run()

    times = sorted(taken.at for taken in world.platform.calls if taken.message in ids)
    assert len(times) == 25
    assert times[-1] - begun >= 2.4
    # What has no rate is not held up by what has one.
    assert max(taken.at for taken in world.platform.calls if taken.message not in ids) < times[-1]


@pytest.mark.parametrize(
    ("timezone", "sent"),
    [
        pytest.param("Europe/Amsterdam", True, id="13 o'clock there"),
        pytest.param("America/New_York", False, id="7 o'clock there"),
        pytest.param(None, False, id="as in the organization, 12 o'clock"),
        pytest.param("Moon/Base", False, id="no zone anybody knows"),
    ],
)
async def test_hours_are_those_where_the_contact_is(
    world: World, timezone: str | None, *, sent: bool
) -> None:
    world.with_rules(hours=parse("12:30-14:00"))
    await world.queued(await world.campaign(), await world.contacts(1, timezone=timezone))

    claimed = await claim(world)

    assert len(claimed.calls) == sent
    if not sent:
        due_at = await world.value("select due_at from messages")
        assert due_at > NOON
        assert len((await claim(world, at=due_at)).calls) == 1


async def test_a_campaign_has_hours_and_days_of_its_own(world: World) -> None:
    world.with_rules(hours=Hours(start=0, end=60))
    await world.queued(
        await world.campaign(settings={"hours": "off", "days": "fri"}), await world.contacts(1)
    )

    assert len((await claim(world)).calls) == 1  # NOON is on a Friday


async def test_a_call_does_not_start_after_its_hours(world: World) -> None:
    world.with_rules(hours=parse("11:00-12:30"))
    await world.queued(await world.campaign(), await world.contacts(1))

    claimed = await claim(world)

    assert claimed.calls[0].until == NOON + HOUR / 2


async def test_what_is_too_late_is_left_out(world: World) -> None:
    campaign = await world.campaign()
    await world.queued(campaign, await world.contacts(2), deadline_at=NOON + HOUR)

    claimed = await claim(world, at=NOON + 2 * HOUR)

    assert claimed == Claimed(calls=(), settled=2)
    assert await world.states() == {"skipped:expired": 2}


@pytest.mark.parametrize(
    "settings",
    [pytest.param({"per_day": 1}, id="a day"), pytest.param({"rate": "1/h"}, id="an hour")],
)
async def test_what_waits_for_its_campaigns_own_limit_is_not_left_out_for_its_deadline(
    world: World, settings: dict[str, Any]
) -> None:
    people = await world.contacts(5)
    campaign = await world.campaign(settings=settings)
    await world.queued(campaign, people, deadline_at=NOON + HOUR)

    for days in range(5):
        await claim(
            world, at=NOON + days * 24 * HOUR if "per_day" in settings else NOON + days * HOUR
        )

    assert await world.states() == {"claimed": 5}


async def test_other_time_than_that_counts_against_the_deadline(world: World) -> None:
    campaign = await world.campaign(settings={"per_day": 2})
    await world.queued(campaign, await world.contacts(5), deadline_at=NOON + HOUR)

    for hours in (0, 24, 50):  # and an outage of a good hour on the last day
        await claim(world, at=NOON + hours * HOUR)

    assert await world.states() == {"claimed": 4, "skipped:expired": 1}


async def test_a_place_given_back_holds_nobody_back(world: World) -> None:
    campaign = await world.campaign(settings={"per_day": 1})
    await world.queued(campaign, await world.contacts(1), deadline_at=NOON + HOUR)
    claims = Claims(world.rules, world.rules.numbers[0])

    taken = await claim(world, claims)
    async with world.database.owner_unit(ACME, NOON) as unit:
        await claims.give_back(unit, taken.calls)

    assert await world.value("select held_s from campaigns") == 0


async def test_what_is_paused_is_not_left_out_for_the_deadline_that_passes_meanwhile(
    world: World,
) -> None:
    world.with_rules(deadline=48 * HOUR)
    campaign = await world.campaign(kind="drip", state="active", steps=(0, 86400))
    await world.enrolled(campaign, await world.contacts(1))
    await plan(worker(world), ACME)
    await world.value("update enrollments set state = 'paused', paused_at = $1", NOON)

    await claim(world, at=NOON + 49 * HOUR)

    assert await world.states() == {"queued": 1}


async def test_the_cooldown_holds_between_campaigns_even_in_one_claim(world: World) -> None:
    world.with_rules(cooldown=24 * HOUR)
    contacts = await world.contacts(1)
    one, other = await world.campaign(), await world.campaign()
    for campaign in (one, other):
        await world.queued(campaign, contacts)

    first = await claim(world)
    again = await claim(world, at=NOON + timedelta(seconds=2))
    after = await claim(world, at=NOON + 24 * HOUR)

    assert [len(each.calls) for each in (first, again, after)] == [1, 0, 1]


async def test_a_message_that_is_no_promotion_does_not_cool_down(world: World) -> None:
    world.with_rules(cooldown=24 * HOUR)
    contacts = await world.contacts(1)
    for kind in ("promotional", "transactional", "survey"):
        await world.queued(await world.campaign(type=kind), contacts)

    assert len((await claim(world)).calls) == 3


async def test_free_text_needs_an_open_window(world: World) -> None:
    never, recent, long_ago = await world.contacts(3)
    await world.queued(
        await world.campaign(content={"type": "text", "body": "Hello"}), [never, recent, long_ago]
    )
    for contact, age in ((recent, HOUR), (long_ago, 25 * HOUR)):
        await world.value(
            "insert into service_windows values ($1, $2, $3, $4)", ACME, NUMBER, contact, NOON - age
        )

    claimed = await claim(world)

    assert [call.message.contact_id for call in claimed.calls] == [recent]
    assert claimed.calls[0].until == NOON + 23 * HOUR
    assert await world.states() == {"claimed": 1, "skipped:window_closed": 2}


async def test_a_fallback_template_stands_in_while_the_window_is_closed(world: World) -> None:
    never, recent = await world.contacts(2)
    campaign = await world.campaign(content={"type": "text", "body": "Hello {first_name}"})
    await world.value(
        "update steps set fallback = $1",
        {
            "type": "template",
            "name": "welcome",
            "language": "en",
            "parameters": [["first_name", "{company}"]],
        },
    )
    (nameless,) = await world.contacts(1, company="Acme")
    await world.value("update contacts set company = 'Acme' where id = $1", never)
    await world.queued(campaign, [never, recent, nameless])
    await world.value(
        "insert into service_windows values ($1, $2, $3, $4)", ACME, NUMBER, recent, NOON - HOUR
    )

    claimed = await claim(world)

    assert {call.message.contact_id: call.template for call in claimed.calls} == {
        never: ("welcome", "en"),
        recent: None,
        nameless: ("welcome", "en"),
    }
    bodies = {call.message.contact_id: call.body for call in claimed.calls}
    assert b"Acme" in bodies[never]
    assert b"Hello Ada" in bodies[recent]


async def test_a_fallback_needs_its_own_values(world: World) -> None:
    contacts = await world.contacts(1)
    campaign = await world.campaign(content={"type": "text", "body": "Hello"})
    await world.value(
        "update steps set fallback = $1",
        {
            "type": "template",
            "name": "welcome",
            "language": "en",
            "parameters": [["first_name", "{company}"]],
        },
    )
    await world.queued(campaign, contacts)

    assert await claim(world) == Claimed(settled=1)
    assert await world.states() == {"skipped:missing_value": 1}


async def test_a_step_keeps_its_own_hours_at_the_claim(world: World) -> None:
    contacts = await world.contacts(1)
    campaign = await world.campaign(settings={"hours": "09:00-20:00"})
    await world.value("""update steps set settings = '{"hours": "15:00-16:00"}'""")
    await world.queued(campaign, contacts)

    early = await claim(world)
    inside = await claim(world, at=NOON.replace(hour=15))

    assert early.calls == ()
    assert [call.until for call in inside.calls] == [NOON.replace(hour=16)]


async def test_a_missing_value_leaves_out_and_a_fallback_does_not(world: World) -> None:
    contacts = await world.contacts(2)
    await world.value("update contacts set first_name = null")
    template: dict[str, Any] = {"type": "template", "name": "welcome", "language": "en"}
    await world.queued(
        await world.campaign(content={**template, "parameters": [["1", "{first_name}"]]}), contacts
    )
    await world.queued(
        await world.campaign(content={**template, "parameters": [["1", "{first_name|friend}"]]}),
        contacts,
    )

    claimed = await claim(world)

    assert len(claimed.calls) == 2
    assert all(b"friend" in call.body for call in claimed.calls)
    assert await world.states() == {"claimed": 2, "skipped:missing_value": 2}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({"type": "carrier pigeon"}, id="of an unknown type"),
        pytest.param(
            {"type": "template", "name": "w", "language": "en", "parameters": [["1", "{{1}}"]]},
            id="with a token no contact can fill",
        ),
    ],
)
async def test_a_step_that_cannot_be_read_does_not_stop_the_others(
    world: World, content: dict[str, Any]
) -> None:
    contacts = await world.contacts(2)
    await world.queued(await world.campaign(content=content), contacts)
    await world.queued(await world.campaign(), contacts)

    await world.run()

    assert await world.states() == {"accepted": 2, "skipped:template_unusable": 2}


async def test_a_contact_without_an_address_is_left_out(world: World) -> None:
    contacts = await world.contacts(2)
    await world.value("delete from contact_identities where contact_id = $1", contacts[0])
    await world.queued(await world.campaign(), contacts)

    await claim(world)

    assert await world.states() == {"claimed": 1, "skipped:no_address": 1}


@pytest.mark.parametrize("column", AGAINST)
async def test_consent_taken_back_after_planning_is_heeded(world: World, column: str) -> None:
    contacts = await world.contacts(2)
    await world.queued(await world.campaign(), contacts)
    await world.value(f"update contacts set {column} = $1 where id = $2", NOON, contacts[0])  # noqa: S608 — a column

    claimed = await claim(world)

    assert [call.message.contact_id for call in claimed.calls] == [contacts[1]]


async def test_a_stop_that_commits_during_the_claim_is_not_overtaken(world: World) -> None:
    """Its transaction holds the contact, so the claim passes it over."""
    contacts = await world.contacts(3)
    await world.queued(await world.campaign(), contacts)
    async with world.database.unit(ACME, NOON) as stop:
        await stop.connection.execute(
            "update contacts set opted_out_at = $1 where id = $2", NOON, contacts[0]
        )
        claimed = await asyncio.create_task(claim(world))

    assert {call.message.contact_id for call in claimed.calls} == set(contacts[1:])
    assert (await claim(world)).settled == 1
    assert await world.states() == {"claimed": 2, "skipped:opted_out": 1}


async def test_leaving_out_does_not_wait_for_an_enrollment_somebody_holds(world: World) -> None:
    campaign = await world.campaign(kind="drip", state="active")
    contact = (await world.contacts(1, opted_out_at=NOON))[0]
    enrollment = await world.value(
        "insert into enrollments (organization_id, campaign_id, contact_id, state, step_id, enrolled_at, enrolled_by)"
        " select $1, $2, $3, 'active', id, $4, 'U0OWNER' from steps where campaign_id = $2 returning id",
        ACME, campaign, contact, NOON,
    )  # fmt: skip
    await world.queued(campaign, [contact])
    await world.value("update messages set run_id = $1", enrollment)
    async with world.database.owner_unit(ACME, NOON) as busy:
        await busy.connection.execute(
            "select 1 from enrollments where id = $1 for update", enrollment
        )
        blocked = await asyncio.wait_for(asyncio.create_task(claim(world)), 30)

    assert blocked.settled == 0
    assert (await claim(world)).settled == 1
    assert await world.value("select state from enrollments") == "completed"


async def test_attributes_and_names_are_filled_in(world: World) -> None:
    contacts = await world.contacts(1, attributes={"city": "Oslo"})
    content = {
        "type": "template",
        "name": "welcome",
        "language": "en",
        "parameters": [["1", "{first_name} of {city}"]],
    }
    await world.queued(await world.campaign(content=content), contacts)

    assert b"Ada of Oslo" in (await claim(world)).calls[0].body


async def test_nobody_is_left_out_because_a_connection_was_lost_as_the_steps_were_read(
    world: World,
) -> None:
    """The claim fails and is repeated by the same lane, which keeps what campaigns say."""
    await world.queued(await world.campaign(), await world.contacts(3))
    claims = Claims(world.rules, world.rules.numbers[0])
    async with world.database.pool.acquire() as other, other.transaction():
        await other.execute("lock table steps in access exclusive mode")
        claiming = asyncio.create_task(claim(world, claims))
        while not await world.value(_CUT_WHO_WAITS):  # noqa: ASYNC110 — another process waits
            await asyncio.sleep(0.01)
        with pytest.raises(CONNECTION_LOST):
            await claiming

    assert len((await claim(world, claims)).calls) == 3
    assert await taken_of(world)


_CUT_WHO_WAITS = """
select pg_terminate_backend(pid) from pg_stat_activity
 where datname = current_database() and wait_event_type = 'Lock'
"""
