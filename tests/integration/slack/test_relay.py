"""Events become messages, each once, whatever fails; cards stay true."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.slack import imports  # noqa: F401 — it says what is told of imports
from bot.slack.answers import StoredAnswers
from bot.slack.blocks import divider, message
from bot.slack.desk import Desk
from bot.slack.markup import markup
from bot.slack.platform_alerts import register
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.requests import Click, Origin
from engine.roles import Role
from storage import events, slack_posts
from storage.database import Database
from storage.queue import Queue
from storage.slack_posts import card_key
from tests.database import ACME, NOON
from tests.integration.slack.posting_slack import (
    ALERTS,
    ANSWER,
    INBOX,
    LOSE_ANSWER,
    Refusal,
    World,
    config,
    world_of,
    write_event,
)

NUMBER = "106540352242922"


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with world_of(database) as world:
        yield world


async def intend(world: World, *keys: str) -> None:
    await world.run(
        lambda unit: slack_posts.intend(unit, keys=keys, channel=ALERTS, thread_ts=None)
    )


async def inbound(world: World, text: str) -> int:
    """Write a reply of somebody unknown and its event; return the event."""
    message: int = await world.database.pool.fetchval(
        "insert into inbound_messages (organization_id, wamid, number_id, contact_id, kind, text,"
        " content, at, received_at) values ($1, $2, 'n', 1, 'text', $2, '{}', $3, $3)"
        " returning id",
        ACME,
        text,
        NOON,
    )
    return await world.event("reply", {"contact": "1", "inbound": str(message)})


async def failure(world: World, meaning: str) -> int:
    return await world.event("failure", {"code": 131026, "meaning": meaning})


def failures(world: World) -> list[str]:
    """The meanings told in the channel of alerts, in order."""
    begins, ends = "WhatsApp refused messages: ", " (error 131026)"
    return [
        text.removeprefix(begins).removesuffix(ends)
        for text in world.slack.texts()
        if text.startswith(begins)
    ]


async def test_events_are_told_in_order_each_once(world: World) -> None:
    async with world.relaying():
        await world.until(lambda: True)
        for meaning in ("one", "two", "three"):
            await failure(world, meaning)
        await world.until_told()
        await asyncio.sleep(0.6)

    assert failures(world) == ["one", "two", "three"]
    assert world.slack.count("chat.postMessage") == 3
    assert world.slack.count("conversations.history") == 0


async def test_an_answer_in_a_busy_channel_is_said_once_all_the_same(world: World) -> None:
    world.slack.next_answers["chat.postMessage"].append(
        Refusal("ratelimited", status=429, retry_after=1)
    )
    answers = StoredAnswers(world.database, world.clock)
    said = Reply(message=message(markup("I read it."), divider()), thread_ts="1.2")
    for _ in range(2):  # the event is heard again
        await answers.keep(ACME, channel="D1", reply=said)
    async with world.relaying():
        await world.until_told()

    (told,) = world.slack.messages("D1", thread_ts="1.2")
    assert told["text"] == "I read it."
    assert told["blocks"] == [divider()]


async def test_what_was_told_is_not_told_again_by_the_next_process(world: World) -> None:
    await failure(world, "one")
    async with world.relaying():
        await world.until_told()
    async with world.relaying():
        await failure(world, "two")
        await world.until_told()

    assert failures(world) == ["one", "two"]


async def test_an_event_that_commits_late_is_not_passed_over(world: World) -> None:
    async with world.relaying():
        async with world.database.unit(ACME, NOON) as late:
            await write_event(late, "failure", {"code": 131026, "meaning": "early"})
            async with asyncio.timeout(30):
                # Another task, because a unit within a unit is refused.
                await asyncio.create_task(failure(world, "later"))
            await asyncio.sleep(0.8)
            assert failures(world) == []
        await world.until_told()

    assert failures(world) == ["early", "later"]


async def test_a_post_whose_ts_a_crash_lost_is_found_and_not_made_again(world: World) -> None:
    event = await failure(world, "one")
    key = f"event:{event}"
    await intend(world, key)
    posted = world.slack.keep(
        ALERTS,
        {
            "text": "WhatsApp refused messages: one (error 131026)",
            "metadata": {"event_type": "dripline", "event_payload": {"event_id": key}},
        },
    )

    async with world.relaying():
        await world.until_told()

    assert failures(world) == ["one"]
    assert world.slack.count("chat.postMessage") == 0
    post = await world.run(lambda unit: slack_posts.find(unit, key=key))
    assert post.ts == posted["ts"]


async def test_an_intent_that_never_left_is_posted(world: World) -> None:
    event = await failure(world, "one")
    await intend(world, f"event:{event}")

    async with world.relaying():
        await world.until_told()

    assert failures(world) == ["one"]
    assert world.slack.count("conversations.history") == 1


async def test_a_post_whose_answer_got_lost_is_made_once(world: World) -> None:
    world.slack.next_answers["chat.postMessage"].append(LOSE_ANSWER)
    async with world.relaying():
        await failure(world, "one")
        await world.until_told()

    assert failures(world) == ["one"]
    assert world.slack.count("chat.postMessage") == 1


async def test_a_note_in_a_thread_whose_answer_got_lost_is_made_once(world: World) -> None:
    sale = await world.campaign(state="paused", paused_by="U0OWNER")
    async with world.relaying():
        await world.until(lambda: bool(world.slack.messages()))
        world.slack.next_answers["chat.postMessage"].append(LOSE_ANSWER)
        await world.event("campaign_paused", {"by": "U0OWNER"}, campaign=sale)
        await world.until_told()
    (card,) = world.slack.messages()

    assert world.slack.texts(thread_ts=card["ts"]) == ["Paused by <@U0OWNER>."]


async def test_of_two_relays_one_posts_and_the_other_goes_on_at_once(world: World) -> None:
    both = [world.relay(), world.relay()]
    stopping = [asyncio.Event(), asyncio.Event()]
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(relay.run(stop)) for relay, stop in zip(both, stopping, strict=True)
        ]
        for meaning in ("one", "two", "three"):
            await failure(world, meaning)
        await world.until_told()
        generations = await world.database.pool.fetch(
            "select holder, generation from leases where name = 'relay'"
        )
        assert len(generations) == 1
        assert generations[0]["generation"] == 1

        # Whoever has the lease stops; we cannot know which, so one after the other does.
        stopping[0].set()
        await tasks[0]
        await failure(world, "four")
        await world.until_told()
        stopping[1].set()

    assert failures(world) == ["one", "two", "three", "four"]
    holder = await world.database.pool.fetchval("select holder from leases where name = 'relay'")
    assert holder is None


async def test_a_relay_whose_lease_was_taken_stops_posting(world: World) -> None:
    async with world.relaying():
        await failure(world, "one")
        await world.until_told()
        await world.database.pool.execute(
            "update leases set holder = 'another', generation = generation + 1,"
            " renewed_at = clock_timestamp() + interval '1 minute' where name = 'relay'"
        )
        await asyncio.sleep(1.3)
        await failure(world, "two")
        await asyncio.sleep(1)

        assert failures(world) == ["one"]


async def test_slack_is_left_alone_for_as_long_as_it_asks(world: World) -> None:
    world.slack.next_answers["chat.postMessage"].append(
        Refusal("ratelimited", status=429, retry_after=2)
    )
    async with world.relaying():
        await failure(world, "one")
        await failure(world, "two")
        await world.until_told()

    times = [at for method, _, at in world.slack.calls if method == "chat.postMessage"]
    assert failures(world) == ["one", "two"]
    assert times[1] - times[0] >= 1.9
    assert world.slack.count("conversations.history") == 0


async def test_slack_out_of_order_delays_and_loses_nothing(world: World) -> None:
    world.slack.next_answers["chat.postMessage"].extend(
        [Refusal("internal_error"), Refusal("fatal_error", status=503)]
    )
    async with world.relaying():
        await failure(world, "one")
        await world.until_told()

    assert failures(world) == ["one"]


async def test_a_channel_that_refuses_holds_up_no_other(world: World) -> None:
    world.slack.refusals[INBOX] = Refusal("channel_not_found")
    async with world.relaying():
        reply = await inbound(world, "Hello")
        await failure(world, "one")
        await world.until_told()

    assert failures(world) == ["one"]
    assert await world.settled(reply) == (True, "channel_not_found")
    assert world.slack.channels[INBOX] == []


async def test_an_automation_whose_channel_takes_nothing_is_stopped_and_told_of(
    world: World,
) -> None:
    world.slack.refusals[INBOX] = Refusal("channel_not_found")
    automation = await world.database.pool.fetchval(
        "insert into automations (organization_id, trigger, action, state, created_at, on_since,"
        """ created_by) values ($1, '{"on": "event", "name": "x"}', $2, 'on', $3, $3, 'U0OWNER')"""
        " returning id",
        ACME,
        {"do": "tell", "channel": INBOX, "text": "Call {name|them}"},
        NOON,
    )
    contact = await world.database.pool.fetchval(
        "insert into contacts (organization_id, source, created_at, updated_at)"
        " values ($1, 'test', $2, $2) returning id",
        ACME,
        NOON,
    )
    content = {"automation": automation, "contact": contact, "properties": {}, "others": 0}
    async with world.relaying():
        for _ in range(2):
            await world.event("automation_tells", content)
        await world.until_told()

    (told,) = [each for each in world.slack.channels[ALERTS] if "has stopped" in str(each)]
    assert "Invite the bot" in str(told)
    assert await world.database.pool.fetchval("select state from automations") == "stopped"


async def test_a_message_whose_blocks_are_refused_is_told_in_words(world: World) -> None:
    world.slack.next_answers["chat.postMessage"].append(Refusal("invalid_blocks"))
    async with world.relaying():
        await failure(world, "one")
        await world.until_told()

    (message,) = world.slack.messages()
    assert failures(world) == ["one"]
    assert message["blocks"] == []


async def test_unknown_and_unreadable_events_hold_up_nothing(world: World) -> None:
    async with world.relaying():
        unknown = await world.event("of_a_kind_to_come", {})
        unreadable = await world.event("failure", {"no": "meaning"})
        await failure(world, "one")
        await world.until_told()

    assert failures(world) == ["one"]
    assert await world.settled(unknown) == (True, "unknown kind")
    assert await world.settled(unreadable) == (True, "unreadable")


async def test_a_lost_postgres_is_survived(world: World) -> None:
    async with world.relaying():
        await failure(world, "one")
        await world.until_told()
        await world.database.pool.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'tests' and pid <> pg_backend_pid()"
        )
        await failure(world, "two")
        await world.until_told()

    assert failures(world) == ["one", "two"]


async def test_a_reply_is_quoted_as_it_was_written(world: World) -> None:
    contact = await world.database.pool.fetchval(
        "insert into contacts (organization_id, name, source, created_at, updated_at)"
        " values ($1, '<!channel> Ada', 'test', $2, $2) returning id",
        ACME,
        NOON,
    )
    sale = await world.campaign("<!here>")
    inbound = await world.database.pool.fetchval(
        "insert into inbound_messages (organization_id, wamid, number_id, contact_id, campaign_id,"
        " kind, text, content, at, received_at)"
        " values ($1, 'w', 'n', $2, $3, 'text', '<!channel> *yes*', '{}', $4, $4) returning id",
        ACME,
        contact,
        sale,
        NOON,
    )
    async with world.relaying():
        await world.event("reply", {"contact": str(contact), "inbound": str(inbound)})
        await world.until_told()

    (message,) = world.slack.messages(INBOX)
    assert message["text"].startswith("&lt;!channel&gt; Ada answered &lt;!here&gt;: ")
    assert "<!" not in message["text"]
    (words,) = message["blocks"][1]["elements"][0]["elements"]
    assert words == {"type": "text", "text": "<!channel> *yes*"}


async def test_many_replies_share_messages_and_each_is_told_once(world: World) -> None:
    for count in range(25):
        await inbound(world, f"<!here> reply {count}")
    world.slack.next_answers["chat.postMessage"].extend([ANSWER, LOSE_ANSWER])
    async with world.relaying():
        await world.until_told()

    told = "\n".join([*world.slack.texts(INBOX), ""])
    assert [told.count(f"reply {count}\n") for count in range(25)] == [1] * 25
    # How many share one depends on what commits beside them; one each would be no sharing.
    assert len(world.slack.messages(INBOX)) < 25
    assert "<!here>" not in told
    kept = await world.database.pool.fetchval("select count(*) from slack_posts where ts <> ''")
    assert kept == 25


async def refused_import(world: World, *, channel: str, thread_ts: str) -> int:
    """Write an import whose file cannot be used, and its event; return the event."""
    kept: int = await world.database.pool.fetchval(
        "insert into imports (organization_id, file_id, blob_id, name, state, problem, actor,"
        " channel, thread_ts, created_at, updated_at)"
        " values ($1, 'F1', 1, 'leads.csv', 'refused', 'No phones.', 'U0OWNER', $2, $3, $4, $4)"
        " returning id",
        ACME,
        channel,
        thread_ts,
        NOON,
    )
    return await world.event("import_refused", {"import": kept})


async def stopped_numbers(world: World, count: int) -> None:
    """Write alerts of which each is told by itself."""
    for place in range(count):
        await world.event("number_stopped", {"number": f"n{place}", "why": "blocked"})


async def test_what_somebody_waits_for_in_a_thread_overtakes_the_alerts_of_its_channel(
    world: World,
) -> None:
    await stopped_numbers(world, 20)
    await refused_import(world, channel=ALERTS, thread_ts="1.1")
    async with world.relaying():
        await world.until(lambda: bool(world.slack.messages(thread_ts="1.1")))
        alerts = world.slack.texts()

    assert len(alerts) < 15
    told = [f"Nothing is sent from n{place} for now: blocked" for place in range(20)]
    assert alerts == told[: len(alerts)]


async def test_what_somebody_waits_for_elsewhere_waits_for_no_alert(world: World) -> None:
    await stopped_numbers(world, 20)
    await refused_import(world, channel="D0OWNER", thread_ts="1.1")
    async with world.relaying():
        await world.until(lambda: bool(world.slack.messages("D0OWNER", thread_ts="1.1")))

    assert len(world.slack.messages()) < 15


async def test_thousands_of_replies_keep_nothing_else_from_being_told(world: World) -> None:
    await world.database.pool.execute(
        "with written as (insert into inbound_messages (organization_id, wamid, number_id,"
        " contact_id, kind, text, content, at, received_at)"
        " select $1, n::text, 'n', 1, 'text', 'Hi', '{}', $2, $2 from generate_series(1, 1200) n"
        " returning id)"
        " insert into events (organization_id, kind, content, at)"
        " select $1, 'reply', jsonb_build_object('inbound', id), $2 from written",
        ACME,
        NOON,
    )
    await failure(world, "one")
    async with world.relaying():
        await world.until(lambda: failures(world) == ["one"])

    told = await world.database.pool.fetchval(
        "select count(*) from events where kind = 'reply' and relayed_at is not null"
    )
    # Of so many a thousand wait at a time; the others are read as those are told.
    assert told < 200


async def test_a_thread_has_its_notes_in_order_while_alerts_wait(world: World) -> None:
    sale = await world.campaign(state="running", started_by="U0OWNER")
    async with world.relaying():
        await world.until(lambda: bool(world.slack.messages()))
        await stopped_numbers(world, 20)
        await world.event("campaign_stopped", {"why": "Refused."}, campaign=sale)
        await world.event("campaign_resumed", {"by": "U0OWNER"}, campaign=sale)
        (card, *_) = world.slack.messages()
        await world.until(lambda: len(world.slack.messages(thread_ts=card["ts"])) == 2)

    assert world.slack.texts(thread_ts=card["ts"]) == [
        "Stopped: Refused.",
        "Resumed by <@U0OWNER>.",
    ]


async def test_cards_move_while_others_wait_to_be_posted(world: World) -> None:
    moving = await world.campaign("Moving", planned_at=NOON)
    step = await world.step(moving, planned=100)
    async with world.relaying():
        await world.until(lambda: bool(world.slack.messages()))
        for place in range(8):
            await world.campaign(f"New {place}")
        await world.change(moving, state="paused", paused_by="U0OWNER")
        await world.count(moving, step, accepted=50)
        await world.until(lambda: len(world.slack.messages()) == 9)

    methods = [method for method, _, _ in world.slack.calls]
    last_post = len(methods) - methods[::-1].index("chat.postMessage")
    assert "chat.update" in methods[:last_post]


async def test_many_warnings_share_a_message(world: World) -> None:
    for place in range(8):
        await failure(world, f"number {place}")
    async with world.relaying():
        await world.until_told()

    told = "\n".join([*world.slack.texts(), ""])
    assert [told.count(f"number {place} (error") for place in range(8)] == [1] * 8
    assert world.slack.count("chat.postMessage") < 8


async def test_a_try_after_a_refused_one_is_as_doubtful_as_the_first(world: World) -> None:
    world.slack.next_answers["chat.postMessage"].extend(
        [Refusal("ratelimited", status=429, retry_after=1), LOSE_ANSWER]
    )
    async with world.relaying():
        await failure(world, "one")
        await world.until_told()

    assert failures(world) == ["one"]


async def test_a_card_lives_as_long_as_its_campaign(world: World) -> None:
    sale = await world.campaign("<!channel> Sale", planned_at=NOON)
    step = await world.step(sale, planned=100, accepted=10)
    async with world.relaying():
        await world.until(lambda: bool(world.slack.messages()))
        (card,) = world.slack.messages()
        assert "by <@U0OWNER>" in card["blocks"][-1]["elements"][0]["text"]
        assert "10 % (10 of 100)" in card["blocks"][0]["text"]["text"]
        assert "<!channel>" not in card["blocks"][0]["text"]["text"] + card["text"]

        await world.count(sale, step, accepted=40)
        await world.until(lambda: "50 %" in str(card["blocks"]))
        await world.change(sale, state="paused", paused_by="U0OWNER")
        await world.event("campaign_paused", {"by": "U0OWNER"}, campaign=sale)
        await world.until(lambda: "campaign_resume" in str(card["blocks"]))
        await world.count(sale, step, accepted=49, dead=1)
        await world.change(sale, state="completed", ended_at=NOON, completed_at=NOON)
        await world.event("campaign_completed", {"at": NOON.isoformat()}, campaign=sale)
        await world.until_told()

    assert "campaign_" not in str(card["blocks"])
    assert "sent 99" in card["text"]
    assert world.slack.texts()[0] == card["text"]
    completed = "&lt;!channel&gt; Sale is completed. 99 of 100 messages sent"
    assert world.slack.texts()[1].startswith(completed)
    # What the card itself shows to the end, its start and its ending, is not said again below it.
    assert world.slack.texts(thread_ts=card["ts"]) == ["Paused by <@U0OWNER>."]
    assert "started" in card["blocks"][-1]["elements"][0]["text"]


async def test_an_unchanged_card_is_not_edited_and_a_changing_one_at_most_every_three_seconds(
    world: World,
) -> None:
    still = await world.campaign("Still", kind="drip", state="active")
    moving = await world.campaign("Moving", planned_at=NOON)
    step = await world.step(moving, planned=1000)
    async with world.relaying():
        for _ in range(35):
            await world.count(moving, step, accepted=1)
            await asyncio.sleep(0.2)

    edits = [(given, at) for method, given, at in world.slack.calls if method == "chat.update"]
    keys = {given["metadata"]["event_payload"]["event_id"] for given, _ in edits}
    assert keys == {card_key(moving)}
    assert card_key(still) not in keys
    times = [at for _, at in edits]
    assert len(times) == 2
    assert times[1] - times[0] >= 3


async def test_a_deleted_card_is_posted_anew(world: World) -> None:
    sale = await world.campaign(planned_at=NOON)
    step = await world.step(sale, planned=100)
    async with world.relaying():
        await world.until(lambda: bool(world.slack.messages()))
        world.slack.channels[ALERTS].clear()
        await world.count(sale, step, accepted=1)
        await world.until(lambda: bool(world.slack.messages()))

    assert "1 of 100" in str(world.slack.messages())


async def test_a_campaign_over_before_its_card_was_posted_gets_its_last_card(world: World) -> None:
    await world.campaign(state="cancelled", ended_at=NOON, ended_by="U0OWNER")
    await world.campaign("Never started", kind="drip", state="archived", started_at=None)
    assert await world.run(events.unrelayed) == 1

    async with world.relaying():
        await world.until_told()
        await asyncio.sleep(0.6)

    (card,) = world.slack.messages()
    assert "cancelled by <@U0OWNER>" in str(card["blocks"])


async def test_a_card_that_slack_refuses_keeps_nobody_waiting(world: World) -> None:
    world.slack.refusals[ALERTS] = Refusal("is_archived")
    sale = await world.campaign(state="cancelled")
    async with world.relaying():
        note = await world.event("campaign_cancelled", {"by": "U0OWNER"}, campaign=sale)
        await world.until_told()

    assert world.slack.messages() == []
    assert await world.settled(note) == (True, None)


async def test_a_stopped_campaign_says_why_and_offers_to_resume(world: World) -> None:
    why = "WhatsApp paused the template. Improve it, then resume."
    until = NOON + timedelta(hours=3)
    sale = await world.campaign(planned_at=NOON, closed_until=until, closed_why=why)
    async with world.relaying():
        await world.event("campaign_stopped", {"why": why}, campaign=sale)
        await world.until_told()

    alert = next(each for each in world.slack.messages() if "has stopped" in each["text"])
    assert why in alert["text"]
    assert "campaign_resume" in str(alert["blocks"])


async def test_a_stopped_number_is_resumed_by_a_click(world: World) -> None:
    await world.database.pool.execute(
        "insert into numbers (organization_id, id, phone, closed_until, closed_why, updated_at)"
        " values ($1, $2, '+15550001111', 'infinity', 'Banned.', $3)",
        ACME,
        NUMBER,
        NOON,
    )
    async with world.relaying():
        await world.event("number_stopped", {"number": NUMBER, "why": "Banned."})
        await world.until_told()
    (alert,) = world.slack.messages()
    (resume,) = alert["blocks"][1]["elements"]

    assert alert["text"] == (
        "Nothing is sent from +15550001111 for now: Banned. What waits keeps its place;"
        " `/drip number open +15550001111` lets it go on."
    )
    assert resume["action_id"] == "number_resume"
    registry = Registry()
    queue = Queue.open("redis://127.0.0.1:1")  # never asked
    register(
        registry, Desk(config=config(), clock=world.clock, database=world.database, queue=queue)
    )
    role, handler = registry.clicks["number_resume"]
    assert role is Role.OWNER

    first, again = [await handler(clicked(resume["value"]), context(world)) for _ in range(2)]

    assert first is not None
    assert first.message.text == "<@U0OWNER> resumed +15550001111."
    assert again is not None
    assert again.message.text == "That number is sending already."
    open_again = "select closed_until is null from numbers where id = $1"
    assert await world.database.pool.fetchval(open_again, NUMBER)


async def test_staff_read_why_whatsapp_limits_a_number(world: World) -> None:
    content = {"number": NUMBER, "can_send": "LIMITED", "reasons": ["<!here> Name not approved."]}
    async with world.relaying():
        await world.event("number_health", content)
        await world.event("number_health", {**content, "can_send": "AVAILABLE", "reasons": []})
        await world.until_told()

    limited, again = world.slack.texts()
    assert f"WhatsApp says that sending from {NUMBER} is LIMITED: " in limited
    assert "Name not approved." in limited
    assert "<!" not in limited
    assert again.endswith(f"WhatsApp no longer limits number {NUMBER}.")


async def test_what_a_platform_says_is_inert(world: World) -> None:
    async with world.relaying():
        await world.event(
            "template_changed",
            {"name": "offer", "language": "en", "status": "PAUSED", "reason": "<!channel> & *x*"},
        )
        await world.event("account_notice", {"field": "f", "event": "<!here>", "details": None})
        await world.until_told()

    assert "<!" not in str(world.slack.texts())
    template, account = world.slack.texts()
    assert template.startswith(
        "WhatsApp reports on template offer (en): status PAUSED, reason &lt;!channel&gt; &amp; "
    )
    assert account == "WhatsApp reports on the account: &lt;!here&gt;"


async def test_the_progress_of_a_large_import_is_one_message_that_is_edited(world: World) -> None:
    pool = world.database.pool
    made = await pool.fetchval(
        "insert into imports (organization_id, file_id, blob_id, name, state, rows, position,"
        " actor, channel, thread_ts, created_at, updated_at)"
        " values ($1, 'F1', 1, 'leads.csv', 'judging', 100000, 20000, 'U', $2, '1.0', $3, $3)"
        " returning id",
        ACME,
        ALERTS,
        NOON,
    )

    def told() -> list[str]:
        return world.slack.texts(thread_ts="1.0")

    async with world.relaying():
        await world.until(lambda: any("20,000 of 100,000" in t for t in told()))
        await pool.execute("update imports set state = 'imported' where id = $1", made)
        await world.until(lambda: any("leads.csv: every row is imported." in t for t in told()))

    assert world.slack.count("chat.postMessage") == 1


def clicked(value: str) -> Click:
    return Click(
        origin=Origin(teams=("T0ACME",), user_id="U0OWNER", channel_id=ALERTS),
        action_id="number_resume",
        block_id="b",
        values=(value,),
        message_ts="1.1",
        thread_ts=None,
        view_id=None,
        view_hash=None,
        inputs={},
    )


def context(world: World) -> Context:
    async def respond(_reply: Reply) -> bool:
        return True

    return Context(
        organization=ACME,
        user_id="U0OWNER",
        role=Role.OWNER,
        channel_id=ALERTS,
        at=world.clock.now(),
        trigger_id=None,
        client=world.workspaces.client(ACME),
        respond=respond,
    )
