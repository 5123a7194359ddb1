# ruff: noqa: ANN401 — columns are of any type
"""What reports of our messages change: rows, statistics, contacts, taps."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.database import ACME, NOON
from tests.integration.whatsapp.meta import NUMBER, Meta, status

SECOND = timedelta(seconds=1)


async def _one(meta: Meta, **columns: Any) -> tuple[int, int, int]:
    """Return campaign, contact and message."""
    campaign, step = await meta.campaign()
    contact = await meta.contact("+31610000001")
    return campaign, contact, await meta.message(campaign, step, contact, **columns)


async def _row(meta: Meta, id_: int) -> dict[str, Any]:
    (row,) = await meta.rows("select * from messages where id = $1", id_)
    return row


async def _stats(meta: Meta) -> dict[str, int]:
    rows = await meta.rows(
        "select metric, sum(count)::int as count from campaign_stats where count <> 0 group by 1"
    )
    return {row["metric"]: row["count"] for row in rows}


async def test_a_report_is_found_by_our_mark_on_the_call(meta: Meta) -> None:
    _, _, id_ = await _one(meta, state="claimed")

    await meta.send(status("delivered", message=id_, wamid="wamid.first heard of now"))

    row = await _row(meta, id_)
    assert (row["state"], row["delivered_at"]) == ("delivered", NOON)
    assert row["wamid"] == "wamid.first heard of now"
    assert await _stats(meta) == {"planned": 1, "accepted": 1, "sent": 1, "delivered": 1}


async def test_a_report_without_a_mark_is_found_by_wamid(meta: Meta) -> None:
    _, _, id_ = await _one(meta, wamid="wamid.known")

    await meta.send(status("read", wamid="wamid.known"))

    assert (await _row(meta, id_))["state"] == "read"


@pytest.mark.parametrize("number", ["299999999999999", NUMBER[ACME]])
async def test_a_mark_that_is_not_ours_is_ignored_quietly(meta: Meta, number: str) -> None:
    _, _, id_ = await _one(meta, state="claimed")
    await meta.value("update messages set number_id = $1 where id = $2", number + "0", id_)

    assert await meta.send(status("sent", message=id_), status("sent", message=12345)) == 200

    assert (await _row(meta, id_))["state"] == "claimed"
    assert await meta.value("select count(*) from platform_events") == 0


async def test_a_call_we_never_made_is_not_ours(meta: Meta) -> None:
    _, _, id_ = await _one(meta, attempt=1)

    await meta.send(status("read", message=id_, attempt=2))

    assert (await _row(meta, id_))["state"] == "accepted"


async def test_a_failure_is_tried_again_later(meta: Meta) -> None:
    _, _, id_ = await _one(meta)

    await meta.send(status("failed", message=id_, code=131000))

    row = await _row(meta, id_)
    assert (row["state"], row["tries"], row["error_code"]) == ("queued", 1, 131000)
    assert row["due_at"] == NOON + timedelta(minutes=1)


async def test_the_same_failure_again_burns_nothing(meta: Meta) -> None:
    _, _, id_ = await _one(meta)

    for _ in range(3):
        await meta.send(status("failed", message=id_, code=131000))

    assert (await _row(meta, id_))["tries"] == 1


async def test_a_failure_of_an_earlier_attempt_is_no_news(meta: Meta) -> None:
    _, _, id_ = await _one(meta, attempt=2)

    await meta.send(status("failed", message=id_, attempt=1, code=131000))

    assert (await _row(meta, id_))["state"] == "accepted"


async def test_a_late_sent_does_not_revive_a_call_that_failed(meta: Meta) -> None:
    _, _, id_ = await _one(meta)

    await meta.send(status("failed", message=id_, at=NOON + SECOND, code=131000))
    await meta.send(status("sent", message=id_))

    row = await _row(meta, id_)
    assert (row["state"], row["sent_at"]) == ("queued", NOON)


async def test_a_late_delivered_raises_what_was_given_up(meta: Meta) -> None:
    _, _, id_ = await _one(meta)

    await meta.send(status("failed", message=id_, code=131051))
    assert (await _row(meta, id_))["state"] == "dead"
    await meta.send(status("delivered", message=id_))

    row = await _row(meta, id_)
    assert (row["state"], row["reason"], row["error_code"]) == ("delivered", None, None)
    assert "dead" not in await _stats(meta)


async def test_two_calls_that_both_arrived_count_as_doubled_once(meta: Meta) -> None:
    _, _, id_ = await _one(meta, attempt=2, wamid="wamid.second")

    for _ in range(2):
        await meta.send(status("delivered", message=id_, attempt=1, wamid="wamid.first"))

    row = await _row(meta, id_)
    assert (row["doubled"], row["wamid"]) == (1, "wamid.second")


async def test_a_later_call_heard_of_is_the_control_of_messages_in_doubt(meta: Meta) -> None:
    campaign, step = await meta.campaign()
    doubtful, later, heard = [await meta.contact(f"+3161000000{place}") for place in range(3)]
    before = await meta.message(
        campaign, step, doubtful, state="unknown", claimed_at=NOON - 3 * SECOND
    )
    after = await meta.message(campaign, step, later, state="unknown", claimed_at=NOON)
    id_ = await meta.message(campaign, step, heard, claimed_at=NOON - 2 * SECOND)
    meta.clock.at = NOON + timedelta(minutes=1)

    await meta.send(status("sent", message=id_))

    assert (await _row(meta, before))["control_at"] == NOON + timedelta(minutes=1)
    assert (await _row(meta, after))["control_at"] is None


async def test_the_control_is_the_first_one(meta: Meta) -> None:
    campaign, step = await meta.campaign()
    doubtful, heard = await meta.contact("+31610000001"), await meta.contact("+31610000002")
    before = await meta.message(campaign, step, doubtful, state="unknown", claimed_at=NOON)
    id_ = await meta.message(campaign, step, heard, claimed_at=NOON)

    await meta.send(status("sent", message=id_))
    meta.clock.at = NOON + timedelta(minutes=5)
    await meta.send(status("delivered", message=id_))

    assert (await _row(meta, before))["control_at"] == NOON


async def test_another_number_is_no_control(meta: Meta) -> None:
    campaign, step = await meta.campaign()
    doubtful, heard = await meta.contact("+31610000001"), await meta.contact("+31610000002")
    before = await meta.message(campaign, step, doubtful, state="unknown", claimed_at=NOON)
    await meta.value("update messages set number_id = 'another' where id = $1", before)
    id_ = await meta.message(campaign, step, heard, claimed_at=NOON)

    await meta.send(status("sent", message=id_))

    assert (await _row(meta, before))["control_at"] is None


async def test_a_doubtful_message_that_is_reported_is_no_longer_in_doubt(meta: Meta) -> None:
    _, _, id_ = await _one(meta, state="unknown")

    await meta.send(status("sent", message=id_))

    row = await _row(meta, id_)
    assert (row["state"], row["unknown_since"], row["control_at"]) == ("sent", None, None)


async def test_a_platform_stop_met_while_sending_stops_promotional_messages(meta: Meta) -> None:
    _, contact, id_ = await _one(meta)

    await meta.send(status("failed", message=id_, code=131050))

    (row,) = await meta.rows("select * from contacts where id = $1", contact)
    assert row["platform_stopped_at"] == NOON
    (act,) = await meta.rows("select kind, at, channel from consents")
    assert act == {"kind": "platform_stop", "at": NOON, "channel": "platform"}


@pytest.mark.parametrize("delivered_first", [True, False])
async def test_unreachable_takes_two_failures_and_ends_with_a_delivery(
    meta: Meta, *, delivered_first: bool
) -> None:
    contact = await meta.contact("+31610000001")
    ids = []
    for name in ("One", "Two", "Three"):
        campaign, step = await meta.campaign(name)
        ids.append(await meta.message(campaign, step, contact))
    reports = [
        status("failed", message=ids[0], code=131026),
        status("failed", message=ids[1], code=131026, at=NOON + SECOND),
        status("delivered", message=ids[2], at=NOON + 2 * SECOND),
    ]

    for report in reports[::-1] if delivered_first else reports:
        await meta.send(report)

    (row,) = await meta.rows("select * from contacts where id = $1", contact)
    assert row["unreachable_at"] is not None
    assert row["reached_at"] == NOON + 2 * SECOND


async def test_an_unusable_template_stops_the_campaign_and_tells_staff(meta: Meta) -> None:
    campaign, _, id_ = await _one(meta)

    await meta.send(status("failed", message=id_, code=132001))

    (row,) = await meta.rows("select closed_until, closed_why from campaigns")
    assert row["closed_until"].year == 9999
    assert "template does not exist" in row["closed_why"]
    kinds = await meta.rows("select kind, campaign_id from events order by id")
    assert {"kind": "campaign_stopped", "campaign_id": campaign} in kinds


@pytest.mark.parametrize("recipient", ["31610000001", None], ids=["named", "not named"])
async def test_a_country_that_may_not_be_written_to_is_banned(
    meta: Meta, recipient: str | None
) -> None:
    _, _, id_ = await _one(meta)
    await meta.value("update contacts set country = 'NL'")

    report = status("failed", message=id_, code=130497)
    _named(report, recipient)
    await meta.send(report)

    assert (await _row(meta, id_))["state"] == "dead"
    assert await meta.rows("select country from country_bans") == [{"country": "NL"}]
    assert await meta.rows("select kind, content ->> 'country' as country from events") == [
        {"kind": "country_banned", "country": "NL"}
    ]


def _named(report: dict[str, Any], recipient: str | None) -> None:
    """Let WhatsApp name whom the message was to, or not."""
    (piece,) = report["statuses"]
    del piece["recipient_id"]
    if recipient is not None:
        piece["recipient_id"] = recipient


async def test_a_ban_on_somebody_whose_country_nobody_knows_is_told(meta: Meta) -> None:
    _, _, id_ = await _one(meta)
    report = status("failed", message=id_, code=130497)
    _named(report, None)

    await meta.send(report)

    assert await meta.rows("select kind from events") == [{"kind": "failure"}]
    assert await meta.value("select count(*) from country_bans") == 0


async def test_a_closed_window_is_noted(meta: Meta) -> None:
    _, _, id_ = await _one(meta)
    await meta.write("hello")

    await meta.send(status("failed", message=id_, code=131047))

    assert await meta.value("select count(*) from service_windows") == 0


async def test_the_last_step_arriving_completes_the_enrollment(meta: Meta) -> None:
    campaign, step = await meta.campaign()
    contact = await meta.contact("+31610000001")
    run = await meta.enrollment(campaign, step, contact)
    id_ = await meta.message(campaign, step, contact, run=run, state="claimed")

    await meta.send(status("delivered", message=id_))

    (row,) = await meta.rows("select state, sent, delivered, read from enrollments")
    assert row == {"state": "completed", "sent": 1, "delivered": 1, "read": 0}


async def _with_file(meta: Meta, *, uploaded_at: datetime) -> int:
    """Return a message accepted at NOON with a file of the library."""
    _, _, id_ = await _one(meta)
    await meta.value("update messages set claimed_at = $1", NOON)
    await meta.value(
        'update steps set content = \'{"type": "media", "kind": "image", "media": "poster"}\''
    )
    await meta.value(
        "with m as (insert into media (organization_id, name, kind, mimetype, size, filename,"
        "   blob_id, created_at, created_by)"
        " values ($1, 'poster', 'image', 'image/png', 1, 'a.png', 1, $3, 'U0OWNER') returning id)"
        " insert into media_ids (organization_id, media_id, number_id, platform_id, uploaded_at)"
        " select $1, id, $2, 'old', $3 from m",
        ACME,
        NUMBER[ACME],
        uploaded_at,
    )
    return id_


async def test_a_file_whatsapp_no_longer_knows_is_uploaded_anew_and_sent_once_more(
    meta: Meta,
) -> None:
    id_ = await _with_file(meta, uploaded_at=NOON - timedelta(days=1))

    for _ in range(2):
        await meta.send(status("failed", message=id_, code=131053))

    rows = await meta.rows("select platform_id, wanted_at is not null as wanted from media_ids")
    assert rows == [{"platform_id": None, "wanted": True}]
    row = await _row(meta, id_)
    assert (row["state"], row["tries"], row["error_code"]) == ("queued", 1, 131053)
    assert row["due_at"] == NOON + timedelta(minutes=1)
    assert await meta.rows("select closed_why from campaigns") == [{"closed_why": None}]

    # It is uploaded, sent again, and refused again: the file itself is not taken.
    await meta.value(
        "update media_ids set platform_id = 'new', uploaded_at = $1, wanted_at = null",
        NOON + timedelta(seconds=20),
    )
    await meta.value(
        "update messages set state = 'accepted', attempt = 2, claimed_at = $1, accepted_at = $1",
        NOON + timedelta(minutes=1),
    )
    meta.clock.at = NOON + timedelta(hours=5)
    await meta.send(status("failed", message=id_, attempt=2, code=131053))

    row = await _row(meta, id_)
    assert (row["state"], row["error_code"]) == ("dead", 131053)
    assert await meta.rows("select platform_id from media_ids") == [{"platform_id": "new"}]
    (campaign,) = await meta.rows("select closed_why from campaigns")
    assert campaign["closed_why"]


async def test_messages_with_a_file_that_has_got_a_new_id_since_are_sent_once_more(
    meta: Meta,
) -> None:
    id_ = await _with_file(meta, uploaded_at=NOON + timedelta(seconds=5))

    await meta.send(status("failed", message=id_, code=131053))

    assert (await _row(meta, id_))["state"] == "queued"
    rows = await meta.rows("select platform_id, wanted_at is not null as wanted from media_ids")
    assert rows == [{"platform_id": "old", "wanted": False}]


async def test_a_file_refused_soon_after_its_upload_is_not_sent_again(meta: Meta) -> None:
    id_ = await _with_file(meta, uploaded_at=NOON - timedelta(minutes=5))

    await meta.send(status("failed", message=id_, code=131053))

    assert (await _row(meta, id_))["state"] == "dead"
