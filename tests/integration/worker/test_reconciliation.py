"""Messages in doubt: silence counts only after a positive control, then the policy decides."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from engine.ids import ContactId
from storage import recount, work
from tests.database import ACME, NOON
from tests.integration.worker.platform import Behaviour, Taken
from tests.integration.worker.world import NUMBER, WELCOME, World, worker
from worker.reconciliation import reconcile

GRACE = timedelta(minutes=10)


async def reconciled(world: World) -> None:
    while await reconcile(worker(world), ACME):
        pass


async def heard_of_a_later_call(world: World) -> None:
    await world.value(
        "update messages set control_at = $1 where state = 'unknown' and control_at is null",
        world.clock.now(),
    )


async def doubtful(
    world: World, *, policy: str | None = None, contacts: list[ContactId] | None = None
) -> None:
    """One message whose answer is lost, of which WhatsApp took none."""
    campaign = await world.campaign(settings={"unknown": policy} if policy else None)
    await world.queued(campaign, contacts or await world.contacts(1))
    world.platform.behave = lambda _: "500"
    await world.run()
    world.platform.behave = lambda _: "accept"


async def test_silence_without_a_control_proves_nothing(world: World) -> None:
    await doubtful(world)
    world.clock.advance(5 * GRACE)

    await reconciled(world)

    assert await world.states() == {"unknown": 1}


async def test_after_control_and_grace_it_is_sent_again_once(world: World) -> None:
    await doubtful(world)
    await heard_of_a_later_call(world)
    world.clock.advance(GRACE - timedelta(minutes=1))
    await reconciled(world)
    assert await world.states() == {"unknown": 1}

    world.clock.advance(timedelta(minutes=2))
    await reconciled(world)
    await world.run()

    assert await world.states() == {"accepted": 1}
    assert await world.value("select resent from messages") == 1
    assert [taken.attempt for taken in world.platform.calls] == [1, 2]
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        assert await recount.differences(unit, repair=False) == []


async def test_a_resend_burns_no_try(world: World) -> None:
    await doubtful(world)
    await heard_of_a_later_call(world)
    world.clock.advance(GRACE)
    await reconciled(world)

    assert await world.value("select tries from messages") == 0


@pytest.mark.parametrize(
    ("policy", "state"),
    [("drop", "dead:unanswered"), ("ask", "unknown"), ("resend", "queued")],
)
async def test_the_campaigns_policy_decides(world: World, policy: str, state: str) -> None:
    await doubtful(world, policy=policy)
    await heard_of_a_later_call(world)
    world.clock.advance(GRACE)

    await reconciled(world)
    await reconciled(world)

    assert await world.states() == {state: 1}
    asked = await world.value("select count(*) from events where kind = 'messages_in_doubt'")
    assert asked == (policy == "ask")


async def test_after_an_hour_without_any_report_staff_are_asked_once(world: World) -> None:
    await doubtful(world)
    world.clock.advance(timedelta(minutes=61))

    await reconciled(world)
    await reconciled(world)

    rows = await world.rows(
        "select content - 'at' as content from events where kind = 'messages_in_doubt'"
    )
    assert [row["content"] for row in rows] == [{"count": 1, "why": "nothing_heard"}]
    assert await world.states() == {"unknown": 1}


async def _as_the_step_says(world: World, contacts: list[ContactId]) -> None:
    await world.queued(await world.campaign(), contacts)


async def _as_a_fallback(world: World, contacts: list[ContactId]) -> None:
    await world.queued(await world.campaign(content={"type": "text", "body": "Hi"}), contacts)
    await world.value("update steps set fallback = $1", WELCOME)


async def _tried_by_staff(world: World, contacts: list[ContactId]) -> None:
    await world.value(
        "insert into messages (organization_id, id, run_id, step_id, contact_id, number_id, state,"
        " priority, due_at, content)"
        " select $1, new_message_id(extract(epoch from $2::timestamptz)::bigint), c, 0, c, $3,"
        " 'queued', 1, $2, $5 from unnest($4::bigint[]) as c",
        ACME,
        NOON,
        NUMBER,
        contacts,
        WELCOME,
    )


@pytest.mark.parametrize("queue", [_as_the_step_says, _as_a_fallback, _tried_by_staff])
async def test_answers_held_for_quality_make_silence_count_for_nothing(
    world: World, queue: Callable[[World, list[ContactId]], Awaitable[None]]
) -> None:
    await world.value(
        "insert into templates"
        " (organization_id, id, name, language, category, status, content, synced_at)"
        " values ('acme', '1', 'welcome', 'en', 'MARKETING', 'APPROVED', '{}', $1)",
        world.clock.now(),
    )
    held, lost = await world.contacts(2)
    await queue(world, [held, lost])
    phone = await world.value("select value from contact_identities where contact_id = $1", held)

    def behave(taken: Taken) -> Behaviour:
        return "hold" if taken.to == phone else "500"

    world.platform.behave = behave
    await world.run()
    # What it said when it was called counts, whatever the step has been changed to since.
    await world.value("update steps set content = $1, fallback = null", {**WELCOME, "name": "new"})
    await heard_of_a_later_call(world)
    world.clock.advance(timedelta(hours=23))
    await reconciled(world)
    assert await world.states() == {"accepted": 1, "unknown": 1}
    held_until = await world.value("select held_at + interval '24 hours' from templates")
    async with world.database.owner_unit(ACME, world.clock.now()) as unit:
        assert (await work.idle(unit, grace=GRACE)).next_due == held_until

    world.clock.advance(timedelta(hours=2))
    await reconciled(world)
    assert await world.states() == {"accepted": 1, "queued": 1}


async def test_what_is_in_doubt_in_an_ended_campaign_is_not_sent_again(world: World) -> None:
    await doubtful(world)
    await world.value("update campaigns set state = 'cancelled'")
    await heard_of_a_later_call(world)
    world.clock.advance(GRACE)

    await reconciled(world)

    assert await world.states() == {"cancelled:campaign_ended": 1}


async def test_what_reached_us_but_not_our_answer_is_raised_by_its_status(world: World) -> None:
    await world.queued(await world.campaign(), await world.contacts(2))
    world.platform.behave = lambda _: "lose the answer"

    await world.run()

    assert await world.states() == {"unknown": 2}
    assert set(world.platform.per_message().values()) == {1}
