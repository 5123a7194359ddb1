"""What people write: who they are, STOP and START, replies and what they end."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

import asyncpg
import orjson
import pytest
from structlog.testing import capture_logs

from bot.whatsapp import webhook
from engine.ids import ContactId
from storage.database import Unit
from storage.inbound import about_to_start
from tests.database import ACME, NOON
from tests.integration.whatsapp.meta import NUMBER, Meta

STOPPED = "You will get no more messages from Acme. Reply START to get them again."
STARTED = "You will get messages from Acme again. Reply STOP to end them."
MINUTE = timedelta(minutes=1)


async def _contact(meta: Meta, id_: int) -> dict[str, Any]:
    (row,) = await meta.rows("select * from contacts where id = $1", id_)
    return row


async def _identities(meta: Meta, contact: int) -> dict[str, str]:
    rows = await meta.rows(
        "select kind, value from contact_identities where contact_id = $1", contact
    )
    return {row["kind"]: row["value"] for row in rows}


async def _confirmations(meta: Meta) -> list[dict[str, Any]]:
    return await meta.rows(
        "select contact_id, number_id, state, priority, due_at, body, run_id from messages"
        " where campaign_id = 0 order by id"
    )


# Who


async def test_a_stranger_becomes_a_contact_known_by_all_that_was_told(meta: Meta) -> None:
    await meta.write("hello", user="NL.123", name=" Ann\u202e ")

    (row,) = await meta.rows("select * from contacts")
    assert (row["name"], row["source"], row["timezone"]) == ("Ann", "whatsapp", "Europe/Amsterdam")
    assert (row["last_number_id"], row["reached_at"]) == (NUMBER[ACME], NOON)
    assert await _identities(meta, row["id"]) == {
        "bsuid": "NL.123",
        "wa_id": "31610000001",
        "phone": "+31610000001",
    }
    (created,) = await meta.rows("select kind, contact_id from occurrences")
    assert created == {"kind": "contact_created", "contact_id": row["id"]}
    assert await meta.value("select last_inbound_at from service_windows") == NOON


async def test_when_and_from_where_somebody_last_wrote_is_known(meta: Meta) -> None:
    known = await meta.contact("+31610000001")
    await meta.write("hello", at=NOON)
    await meta.write("an older one, late", at=NOON - MINUTE)
    await meta.write("hello", sender="4915112345678", at=NOON + MINUTE)

    rows = await meta.rows("select id, country, last_reply_at from contacts order by id")

    stranger = next(row for row in rows if row["id"] != known)
    assert (stranger["country"], stranger["last_reply_at"]) == ("DE", NOON + MINUTE)
    assert (await _contact(meta, known))["last_reply_at"] == NOON


async def test_somebody_who_gets_a_phone_is_of_its_country(meta: Meta) -> None:
    await meta.write("hello", sender=None, user="NL.123")
    assert await meta.value("select country from contacts") is None

    await meta.write("hello", user="NL.123")

    assert await meta.value("select country from contacts") == "NL"


async def test_somebody_without_a_phone_is_a_contact_too(meta: Meta) -> None:
    await meta.write("hello", sender=None, user="NL.123")

    (row,) = await meta.rows("select id from contacts")
    assert await _identities(meta, row["id"]) == {"bsuid": "NL.123"}


async def test_a_known_contact_is_found_by_phone_and_gets_the_user_id(meta: Meta) -> None:
    contact = await meta.contact("+31610000001", name="Given by staff")

    await meta.write("hello", user="NL.123", name="Ann")

    assert (await _contact(meta, contact))["name"] == "Given by staff"
    assert (await _identities(meta, contact))["bsuid"] == "NL.123"
    assert await meta.value("select count(*) from contacts") == 1
    assert await meta.value("select count(*) from occurrences") == 0


async def test_a_profile_name_fills_an_empty_one(meta: Meta) -> None:
    contact = await meta.contact("+31610000001")

    await meta.write("hello", name="Ann")

    assert (await _contact(meta, contact))["name"] == "Ann"


async def test_several_messages_of_a_stranger_at_once_are_of_one_contact(meta: Meta) -> None:
    messages = [meta.written(f"hello {place}", user="NL.1") for place in range(3)]

    await meta.send(*messages)

    assert await meta.value("select count(*) from contacts") == 1
    assert await meta.value("select count(*) from inbound_messages") == 3


async def test_strangers_writing_at_once_over_many_connections_are_one_contact_each(
    meta: Meta,
) -> None:
    messages = [
        meta.written("hello", sender=f"3161000{place % 20:04}", wamid=f"wamid.{place}")
        for place in range(100)
    ]

    assert {*await asyncio.gather(*map(meta.send, messages))} == {200}

    assert await meta.value("select count(*) from contacts") == 20
    assert await meta.value("select count(*) from inbound_messages") == 100
    assert await meta.value("select count(*) from occurrences") == 20


async def test_a_repeat_changes_nothing_at_all(meta: Meta) -> None:
    message = meta.written("STOP", wamid="wamid.once")
    await meta.send(message)
    await meta.write("START", at=NOON + MINUTE)
    before = await meta.rows("select * from contacts"), await _confirmations(meta)
    meta.clock.at = NOON + timedelta(hours=1)

    await meta.send(message)

    assert (await meta.rows("select * from contacts"), await _confirmations(meta)) == before
    assert await meta.value("select count(*) from consents") == 2


async def test_one_contact_answering_from_another_form_of_its_number_stays_one(meta: Meta) -> None:
    campaign, step = await meta.campaign()
    contact = await meta.contact("+5511987654321")
    await meta.message(campaign, step, contact, wamid="wamid.asked")

    await meta.write("STOP", sender="551187654321", reply_to="wamid.asked")

    assert (await _contact(meta, contact))["opted_out_at"] == NOON
    assert await _identities(meta, contact) == {"phone": "+5511987654321", "wa_id": "5511987654321"}
    assert await meta.value("select count(*) from contacts") == 1


# STOP and START


async def test_a_stop_ends_everything_and_is_confirmed_once(meta: Meta) -> None:
    contact = await meta.contact("+31610000001")
    drip, step = await meta.campaign("Drip")
    run = await meta.enrollment(drip, step, contact)
    waiting = await meta.message(drip, step, contact, run=run, state="queued", attempt=0)
    sale, sale_step = await meta.campaign("Sale", kind="broadcast", state="running")
    await meta.message(sale, sale_step, contact, state="queued", attempt=0)
    await meta.message(*(await meta.campaign("Past")), contact, state="delivered")

    await meta.write("stop.", wamid="wamid.stop")

    rows = await meta.rows(
        "select state, reason, count(*)::int from messages where campaign_id <> 0 group by 1, 2"
        " order by 1"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("cancelled", "opted_out", 2),
        ("delivered", None, 1),
    ]
    (enrollment,) = await meta.rows("select state, due_at, ended_at from enrollments")
    assert enrollment == {"state": "opted_out", "due_at": None, "ended_at": NOON}
    (act,) = await meta.rows("select * from consents")
    assert (act["kind"], act["at"], act["channel"]) == ("opt_out", NOON, "whatsapp")
    assert (act["text"], act["reference"], act["actor"]) == ("stop.", "wamid.stop", None)
    assert await _confirmations(meta) == [
        {
            "contact_id": contact,
            "number_id": NUMBER[ACME],
            "state": "queued",
            "priority": 1,
            "due_at": NOON,
            "body": STOPPED,
            "run_id": act["id"],
        }
    ]
    stats = await meta.rows(
        "select campaign_id, count::int from campaign_stats where metric = 'cancelled:opted_out'"
        " and count <> 0 order by 1"
    )
    assert [tuple(row.values()) for row in stats] == [(drip, 1), (sale, 1)]
    assert waiting


async def test_a_second_stop_is_noted_and_not_confirmed(meta: Meta) -> None:
    await meta.write("STOP")
    await meta.write("unsubscribe", at=NOON + MINUTE)

    assert [each["body"] for each in await _confirmations(meta)] == [STOPPED]
    assert await meta.value("select count(*) from consents") == 2


async def test_start_undoes_a_stop(meta: Meta) -> None:
    await meta.write("STOP")
    await meta.write("Start!", at=NOON + MINUTE)

    (row,) = await meta.rows("select opted_out_at, opted_in_at from contacts")
    assert row == {"opted_out_at": NOON, "opted_in_at": NOON + MINUTE}
    assert [each["body"] for each in await _confirmations(meta)] == [STOPPED, STARTED]


async def test_on_a_tie_stop_wins(meta: Meta) -> None:
    await meta.send(meta.written("STOP"), meta.written("START"))

    (row,) = await meta.rows("select opted_out_at, opted_in_at from contacts")
    assert row["opted_out_at"] == row["opted_in_at"] == NOON
    assert [each["body"] for each in await _confirmations(meta)] == [STOPPED]


async def test_a_stop_older_than_a_start_changes_the_ledger_alone(meta: Meta) -> None:
    contact = await meta.contact("+31610000001", opted_out_at=NOON - 3 * MINUTE)
    await meta.write("START", at=NOON)
    await meta.message(*(await meta.campaign()), contact, state="queued", attempt=0)

    await meta.write("STOP", at=NOON - MINUTE)

    states = await meta.rows("select state from messages where campaign_id <> 0")
    assert states == [{"state": "queued"}]
    assert [each["body"] for each in await _confirmations(meta)] == [STARTED]
    assert await meta.value("select count(*) from consents") == 2


async def test_a_stop_holds_for_every_contact_the_sender_reaches(meta: Meta) -> None:
    elder = await meta.contact("+31610000001")
    younger = await meta.contact()
    await meta.identity(younger, "bsuid", "NL.123")
    campaign, step = await meta.campaign("Sale", kind="broadcast", state="running")
    for contact in (elder, younger):
        await meta.message(campaign, step, contact, state="queued", attempt=0)

    await meta.write("STOP", user="NL.123")

    rows = await meta.rows("select opted_out_at from contacts")
    assert rows == [{"opted_out_at": NOON}] * 2
    assert [each["contact_id"] for each in await _confirmations(meta)] == [elder]
    states = await meta.rows("select state from messages where campaign_id <> 0")
    assert states == [{"state": "cancelled"}] * 2
    assert await meta.value("select contact_id from inbound_messages") == elder


async def test_a_quick_reply_with_the_payload_of_a_stop_is_one(meta: Meta) -> None:
    await meta.write("No, thanks", type="button", button={"text": "No, thanks", "payload": "STOP"})

    assert await meta.value("select opted_out_at from contacts") == NOON


@pytest.mark.parametrize("text", ["please do not stop", "stop the car", "I will start tomorrow"])
async def test_a_word_inside_a_sentence_is_a_reply(meta: Meta, text: str) -> None:
    await meta.write(text)

    (row,) = await meta.rows("select meaning from inbound_messages")
    assert row == {"meaning": None}
    assert await meta.value("select count(*) from consents") == 0


async def test_senders_are_told_of_a_stop_and_of_its_confirmation(meta: Meta) -> None:
    heard: list[tuple[str, dict[str, Any]]] = []
    contact = await meta.contact("+31610000001")
    connection = await asyncpg.connect(meta.database.url)
    for channel in ("dripline_revoke", "dripline_wake"):
        await connection.add_listener(
            channel, lambda _c, _p, channel, payload: heard.append((channel, orjson.loads(payload)))
        )

    await meta.write("STOP")
    await _until(lambda: len(heard) > 1)
    await connection.close()

    assert ("dripline_revoke", {"organization": ACME, "contacts": [contact]}) in heard
    assert ("dripline_wake", {"organization": ACME, "number": NUMBER[ACME]}) in heard


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 — it is in other tasks' hands
            await asyncio.sleep(0.01)


async def _claimed(meta: Meta, *, renewed_s_ago: float) -> int:
    contact = await meta.contact("+31610000001")
    campaign, step = await meta.campaign()
    await meta.value(
        "insert into leases values ($1, $2, 'a lane', 7, clock_timestamp() - $3 * interval '1 s')",
        ACME,
        f"lane:{NUMBER[ACME]}",
        renewed_s_ago,
    )
    return await meta.message(campaign, step, contact, state="claimed", generation=7)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Counter[asyncio.Task[Any] | None]:
    """How often each answer that waits has looked whether it still has to; it has all day."""
    looks: Counter[asyncio.Task[Any] | None] = Counter()

    async def look(unit: Unit, *, contacts: Collection[ContactId]) -> bool:
        waits = await about_to_start(unit, contacts=contacts)
        looks[asyncio.current_task()] += 1
        return waits

    monkeypatch.setattr(webhook, "about_to_start", look)
    monkeypatch.setattr(webhook, "STOP_WAIT_S", 3600)
    return looks


async def test_the_answer_to_a_stop_waits_for_what_is_claimed(
    meta: Meta, looks: Counter[asyncio.Task[Any] | None]
) -> None:
    id_ = await _claimed(meta, renewed_s_ago=-3600)

    answer = asyncio.create_task(meta.write("STOP"))
    await _until(lambda: looks.total() > 2)
    assert not answer.done()
    await meta.value("update messages set state = 'queued' where id = $1", id_)

    assert await asyncio.wait_for(answer, 30) == 200


async def test_a_repeated_stop_waits_as_well(
    meta: Meta, looks: Counter[asyncio.Task[Any] | None]
) -> None:
    await _claimed(meta, renewed_s_ago=-3600)
    stop = meta.written("STOP", wamid="wamid.stop")

    first = asyncio.create_task(meta.send(stop))
    await _until(lambda: looks.total() > 0)
    second = asyncio.create_task(meta.send(stop))
    await _until(lambda: len(looks) > 1 and min(looks.values()) > 1)
    assert not first.done()
    assert not second.done()
    await meta.value("update messages set state = 'queued'")

    assert [await asyncio.wait_for(each, 30) for each in (first, second)] == [200, 200]


async def test_the_answer_does_not_wait_for_a_lane_that_died(
    meta: Meta, looks: Counter[asyncio.Task[Any] | None]
) -> None:
    await _claimed(meta, renewed_s_ago=5)

    assert await asyncio.wait_for(meta.write("STOP"), 30) == 200

    assert looks.total() == 1


async def test_the_answer_waits_three_seconds_at_most(meta: Meta) -> None:
    await _claimed(meta, renewed_s_ago=-3600)
    begun = time.monotonic()

    with capture_logs() as lines:
        assert await asyncio.wait_for(meta.write("STOP"), 30) == 200

    assert time.monotonic() - begun > 2.9
    assert "webhook.stop_not_awaited" in {line["event"] for line in lines}


# Replies


async def test_a_reply_is_tied_by_what_it_quotes(meta: Meta) -> None:
    contact = await meta.contact("+31610000001")
    older = await meta.message(
        *(await meta.campaign("Older")), contact, wamid="wamid.older", at=NOON - timedelta(days=9)
    )
    await meta.message(*(await meta.campaign("Newer")), contact)

    await meta.write("yes", reply_to="wamid.older")

    assert await meta.value("select message_id from inbound_messages") == older
    rows = await meta.rows("select replied_at from messages order by id")
    assert [row["replied_at"] for row in rows] == [NOON, None]


async def test_a_reply_is_tied_to_the_latest_message_of_72_hours(meta: Meta) -> None:
    contact = await meta.contact("+31610000001")
    for days, name in ((4, "Too old"), (2, "Older"), (1, "Latest")):
        campaign, step = await meta.campaign(name)
        id_ = await meta.message(campaign, step, contact, at=NOON - timedelta(days=days))

    await meta.write("yes")

    (row,) = await meta.rows("select message_id, campaign_id from inbound_messages")
    assert row == {"message_id": id_, "campaign_id": campaign}


async def test_after_72_hours_it_is_nobodys_reply(meta: Meta) -> None:
    contact = await meta.contact("+31610000001")
    await meta.message(*(await meta.campaign()), contact, at=NOON - timedelta(hours=73))

    await meta.write("yes")

    assert await meta.value("select message_id from inbound_messages") is None


async def test_a_reply_counts_once_per_message(meta: Meta) -> None:
    campaign, step = await meta.campaign()
    contact = await meta.contact("+31610000001")
    await meta.message(campaign, step, contact)

    await meta.write("yes", at=NOON + MINUTE)
    await meta.write("yes, please")

    rows = await meta.rows("select count::int from campaign_stats where metric = 'replied'")
    assert rows == [{"count": 1}]
    assert await meta.value("select replied_at from messages") == NOON


async def test_a_reply_ends_a_drip_that_asks_for_it(meta: Meta) -> None:
    campaign, step = await meta.campaign()
    contact = await meta.contact("+31610000001")
    run = await meta.enrollment(campaign, step, contact)
    await meta.message(campaign, step, contact, run=run)
    next_step = await meta.value(
        "insert into steps (organization_id, campaign_id, position, after_s, content, created_at)"
        " values ($1, $2, 2, 0, '{}', $3) returning id",
        ACME,
        campaign,
        NOON,
    )
    await meta.message(campaign, next_step, contact, run=run, state="queued", attempt=0)
    other, other_step = await meta.campaign("Other")
    await meta.enrollment(other, other_step, contact)

    await meta.write("yes")

    rows = await meta.rows("select state, due_at from enrollments order by id")
    assert [row["state"] for row in rows] == ["replied", "active"]
    rows = await meta.rows("select state, reason from messages order by step_id")
    assert [tuple(row.values()) for row in rows] == [
        ("accepted", None),
        ("cancelled", "enrollment_ended"),
    ]


async def test_a_reply_goes_on_with_a_drip_that_does_not(meta: Meta) -> None:
    campaign, step = await meta.campaign(settings={"stop_on_reply": False})
    contact = await meta.contact("+31610000001")
    run = await meta.enrollment(campaign, step, contact)
    await meta.message(campaign, step, contact, run=run)

    await meta.write("yes")

    assert await meta.value("select state from enrollments") == "active"
    assert await meta.value("select replied from enrollments") == 1


async def test_staff_are_told_of_a_reply_without_its_text(meta: Meta) -> None:
    campaign, step = await meta.campaign()
    contact = await meta.contact("+31610000001")
    await meta.message(campaign, step, contact)

    await meta.write("a secret")

    inbound = await meta.value("select id from inbound_messages")
    (event,) = await meta.rows("select kind, campaign_id, content from events")
    assert event == {
        "kind": "reply",
        "campaign_id": campaign,
        "content": {"contact": str(contact), "inbound": str(inbound), "campaign": str(campaign)},
    }


@pytest.mark.parametrize(
    "piece",
    [
        {"type": "reaction", "reaction": {"message_id": "wamid.asked", "emoji": "👍"}},
        {"type": "unsupported", "errors": [{"code": 131051}]},
        {"type": "of a kind to come"},
    ],
    ids=["reaction", "unsupported", "unknown"],
)
async def test_what_nobody_would_call_an_answer_is_kept_and_no_reply(
    meta: Meta, piece: dict[str, Any]
) -> None:
    campaign, step = await meta.campaign()
    contact = await meta.contact("+31610000001")
    await meta.message(campaign, step, contact, wamid="wamid.asked")

    await meta.write("", **piece)

    assert await meta.value("select count(*) from inbound_messages") == 1
    assert await meta.value("select replied_at from messages") is None
    assert await meta.value("select count(*) from events") == 0
