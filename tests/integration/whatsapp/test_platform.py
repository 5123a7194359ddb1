"""Preferences, and what Meta says about templates, numbers and the account."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.database import ACME, NOON
from tests.integration.whatsapp.meta import NUMBER, Meta

HOUR = timedelta(hours=1)


def _preference(value: str, at: datetime = NOON) -> dict[str, Any]:
    return {
        "user_preferences": [
            {
                "wa_id": "31610000001",
                "category": "marketing_messages",
                "value": value,
                "timestamp": int(at.timestamp()),
            }
        ]
    }


async def test_a_platform_resume_never_lifts_the_contacts_own_stop(meta: Meta) -> None:
    await meta.contact("+31610000001")
    await meta.write("STOP")

    await meta.send(_preference("stop"), _preference("resume", NOON + HOUR))

    (row,) = await meta.rows("select * from contacts")
    assert row["platform_stopped_at"] == NOON
    assert row["platform_resumed_at"] == NOON + HOUR
    assert (row["opted_out_at"], row["opted_in_at"]) == (NOON, None)


async def test_a_preference_heard_again_stands_once_in_the_ledger(meta: Meta) -> None:
    await meta.contact("+31610000001")

    for _ in range(2):
        await meta.send(_preference("stop"))
    await meta.send(_preference("stop"), _preference("stop"))

    acts = await meta.rows("select kind, channel from consents")
    assert acts == [{"kind": "platform_stop", "channel": "platform"}]


async def test_preferences_of_strangers_are_kept(meta: Meta) -> None:
    await meta.send(_preference("stop"))

    assert await meta.value("select kind from platform_events") == "preference"
    assert await meta.value("select count(*) from contacts") == 0


async def _template(meta: Meta, *, synced_at: datetime = NOON - HOUR) -> None:
    await meta.value(
        "insert into templates (organization_id, id, name, language, category, status, content,"
        " synced_at) values ($1, '1', 'followup', 'en_US', 'MARKETING', 'APPROVED', '{}', $2)",
        ACME,
        synced_at,
    )


def _status(event: str) -> dict[str, Any]:
    return {
        "event": event,
        "message_template_id": 1,
        "message_template_name": "followup",
        "message_template_language": "en_US",
        "reason": "NONE",
    }


async def _set(meta: Meta, event: str, at: datetime = NOON) -> None:
    assert await meta.event("message_template_status_update", _status(event), at=at) == 200


async def test_a_template_no_longer_approved_stops_its_campaigns_until_a_person_resumes(
    meta: Meta,
) -> None:
    await _template(meta)
    campaign, _ = await meta.campaign()
    await meta.campaign("Done", state="archived")

    await _set(meta, "PAUSED")

    assert await meta.value("select status from templates") == "PAUSED"
    rows = await meta.rows(
        "select closed_until is not null as closed, closed_why from campaigns order by id"
    )
    why = "WhatsApp set template followup (en_US) to PAUSED."
    assert [tuple(row.values()) for row in rows] == [(True, why), (False, None)]
    (event,) = await meta.rows("select campaign_id, content from events where kind = $1", STOPPED)
    assert event == {"campaign_id": campaign, "content": {"why": why, "at": NOON.isoformat()}}

    await _set(meta, "APPROVED", NOON + HOUR)

    closed = await meta.rows("select closed_why from campaigns order by id")
    assert [row["closed_why"] for row in closed] == [why, None]
    told = await meta.rows(
        "select campaign_id, content from events where kind = 'campaign_may_go_on'"
    )
    assert told == [{"campaign_id": campaign, "content": {"name": "followup", "language": "en_US"}}]


@pytest.mark.parametrize("status", ["PAUSED", "DISABLED", "REJECTED"])
async def test_so_does_a_template_that_a_step_falls_back_to(meta: Meta, status: str) -> None:
    await _template(meta)
    await meta.campaign()
    await meta.value(
        'update steps set content = \'{"type": "text", "text": "Hi"}\','
        ' fallback = \'{"type": "template", "name": "followup", "language": "en_US"}\''
    )

    await _set(meta, status)

    closed = "select closed_until is not null as closed from campaigns"
    assert await meta.value(closed) is True
    assert await meta.value("select kind from events where kind = $1", STOPPED) == STOPPED

    await _set(meta, "APPROVED", NOON + HOUR)
    assert await meta.value(closed) is True
    assert await meta.value("select count(*) from events where kind = 'campaign_may_go_on'") == 1


STOPPED = "campaign_stopped"


async def test_approval_does_not_undo_a_pause_by_hand(meta: Meta) -> None:
    await _template(meta)
    await meta.campaign(state="paused")

    await _set(meta, "PAUSED")
    await _set(meta, "APPROVED", NOON + HOUR)

    assert await meta.value("select state from campaigns") == "paused"


async def test_approval_does_not_open_what_was_closed_for_another_reason(meta: Meta) -> None:
    await _template(meta)
    await meta.campaign(closed_until=NOON + 9 * HOUR, closed_why="per_day")

    await _set(meta, "APPROVED")

    assert await meta.value("select closed_why from campaigns") == "per_day"


async def test_an_event_older_than_what_we_know_is_only_kept(meta: Meta) -> None:
    await _template(meta, synced_at=NOON + HOUR)
    await meta.campaign()

    await _set(meta, "DISABLED")

    assert await meta.value("select status from templates") == "APPROVED"
    assert await meta.value("select closed_until from campaigns") is None
    assert await meta.value("select count(*) from platform_events") == 1


async def test_events_in_the_wrong_order_lead_to_the_same(meta: Meta) -> None:
    await _template(meta)
    await meta.campaign()

    await _set(meta, "APPROVED", NOON + HOUR)
    await _set(meta, "PAUSED")

    assert await meta.value("select status from templates") == "APPROVED"
    assert await meta.value("select closed_until from campaigns") is None


async def test_a_flagged_template_is_told_of_and_sent(meta: Meta) -> None:
    await _template(meta)
    await meta.campaign()

    await _set(meta, "FLAGGED")

    assert await meta.value("select status from templates") == "APPROVED"
    assert await meta.value("select closed_until from campaigns") is None
    assert await meta.value("select kind from events") == "template_changed"


async def test_category_and_quality_are_taken_over(meta: Meta) -> None:
    await _template(meta)
    named = {"message_template_name": "followup", "message_template_language": "en_US"}

    await meta.event(
        "template_category_update",
        named | {"previous_category": "MARKETING", "new_category": "UTILITY"},
    )
    await meta.event(
        "message_template_quality_update",
        named | {"previous_quality_score": "GREEN", "new_quality_score": "RED"},
    )

    (row,) = await meta.rows("select category, quality, status from templates")
    assert row == {"category": "UTILITY", "quality": "RED", "status": "APPROVED"}


async def test_a_throughput_upgrade_is_taken_over(meta: Meta) -> None:
    await meta.event(
        "phone_number_quality_update",
        {
            "display_phone_number": "15550001111",
            "event": "THROUGHPUT_UPGRADE",
            "current_limit": "TIER_UNLIMITED",
        },
    )

    (row,) = await meta.rows("select id, phone, messages_per_second, messaging_limit from numbers")
    assert row == {
        "id": NUMBER[ACME],
        "phone": "+15550001111",
        "messages_per_second": 1000,
        "messaging_limit": "TIER_UNLIMITED",
    }


async def test_a_capability_is_the_limit_of_all_numbers(meta: Meta) -> None:
    await meta.event("business_capability_update", {"max_daily_conversations_per_business": 2000})

    assert await meta.value("select messaging_limit from numbers") == "TIER_2K"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (
            "phone_number_quality_update",
            {"display_phone_number": "1", "event": "UPGRADE"},
        ),
        ("business_capability_update", {"max_daily_conversations_per_business": 2000}),
        ("account_update", {"event": "VOLUME_BASED_PRICING_TIER_UPDATE"}),
        ("account_alerts", {"alert_info": {"alert_severity": "INFORMATIONAL", "alert_type": "X"}}),
    ],
)
async def test_news_of_the_account_let_it_be_read_anew(
    meta: Meta, field: str, value: dict[str, object]
) -> None:
    await meta.event(field, value)

    assert (
        await meta.value("select requested_by from tasks where name = 'read_accounts'")
        == "platform"
    )


async def test_a_limit_that_is_raised_lets_campaigns_that_wait_for_a_place_go_on(
    meta: Meta,
) -> None:
    for why in ("messaging_limit", "per_day"):
        await meta.value(
            "insert into campaigns (organization_id, kind, name, state, type, actor, closed_until,"
            " closed_why, created_at, updated_at) values ($1, 'drip', $2, 'active', 'promotional',"
            " 'U0OWNER', $3, $2, now(), now())",
            ACME,
            why,
            NOON + timedelta(days=1),
        )

    await meta.event("business_capability_update", {"max_daily_conversations_per_business": 2000})

    closed = await meta.rows("select name from campaigns where closed_until is not null")
    assert [row["name"] for row in closed] == ["per_day"]


async def test_a_restricted_account_sends_nothing_until_a_person_lets_it(meta: Meta) -> None:
    until = datetime(2026, 12, 1, tzinfo=UTC)

    await meta.event(
        "account_update",
        {
            "event": "ACCOUNT_RESTRICTION",
            "restriction_info": [
                {
                    "restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING",
                    "expiration": int(until.timestamp()),
                },
                {"restriction_type": "RESTRICTED_UTILITY_TEMPLATES"},
            ],
        },
    )

    assert (await meta.value("select closed_until from numbers")).year == 9999
    assert await meta.value("select closed_why from numbers") == (
        "WhatsApp restricted the account until 2026-12-01 00:00 UTC:"
        " RESTRICTED_BIZ_INITIATED_MESSAGING."
    )
    kinds = await meta.rows("select kind from events order by id")
    assert [row["kind"] for row in kinds] == ["number_stopped", "account_notice"]


async def test_a_ban_lasts_until_it_is_lifted_and_a_person_lets_it_go_on(meta: Meta) -> None:
    def ban(state: str) -> dict[str, Any]:
        return {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state}}

    await meta.event("account_update", ban("DISABLE"))
    assert (await meta.value("select closed_until from numbers")).year == 9999
    await meta.event("account_update", ban("REINSTATE"), at=NOON + HOUR)

    assert (await meta.value("select closed_until from numbers")).year == 9999
    assert await meta.value("select count(*) from events where kind = 'number_may_go_on'") == 1


@pytest.mark.parametrize(
    ("severity", "told"), [("CRITICAL", 1), ("WARNING", 1), ("INFORMATIONAL", 0)]
)
async def test_staff_hear_of_alerts_that_matter(meta: Meta, severity: str, told: int) -> None:
    await meta.event(
        "account_alerts",
        {
            "entity_type": "WABA",
            "entity_id": 1,
            "alert_info": {
                "alert_severity": severity,
                "alert_type": "PAYMENT",
                "alert_description": "Pay.",
            },
        },
    )

    assert await meta.value("select count(*) from events") == told
    assert await meta.value("select count(*) from platform_events") == 1


async def test_an_event_heard_again_is_told_once(meta: Meta) -> None:
    await _template(meta)

    for _ in range(3):
        await _set(meta, "REJECTED")

    assert await meta.value("select count(*) from platform_events") == 1
    assert await meta.value("select count(*) from events") == 1


async def test_a_template_whose_text_changed_is_fetched_anew(meta: Meta) -> None:
    await _template(meta)
    changed = {
        "message_template_id": 1,
        "message_template_name": "followup",
        "message_template_language": "en_US",
        "message_template_element": "Hello again",
    }

    for _ in range(2):
        assert await meta.event("message_template_components_update", changed) == 200

    rows = await meta.rows("select name, requested_by, done_at from tasks")
    assert rows == [{"name": "sync_templates", "requested_by": "platform", "done_at": None}]


async def test_a_decision_settles_the_draft_and_tells_who_submitted_it(meta: Meta) -> None:
    await _template(meta)
    await meta.value("update templates set status = 'PENDING'")
    await meta.value(
        "insert into template_drafts (organization_id, name, language, draft, state, template_id,"
        " created_at, created_by, submitted_at, submitted_by)"
        " values ($1, 'followup', 'en_US', '{}', 'pending', '1', $2, 'U0OWNER', $2, 'U0OWNER2')",
        ACME,
        NOON - HOUR,
    )
    rejected = _status("REJECTED") | {
        "reason": "INVALID_FORMAT",
        "rejection_info": {"recommendation": "Put text between the variables."},
    }

    for _ in range(2):
        assert await meta.event("message_template_status_update", rejected, at=NOON) == 200

    (draft,) = await meta.rows("select state, reason, advice from template_drafts")
    assert draft == {
        "state": "rejected",
        "reason": "INVALID_FORMAT",
        "advice": "Put text between the variables.",
    }
    told = await meta.rows("select kind, content ->> 'by' as by from events")
    assert told == [{"kind": "template_decided", "by": "U0OWNER2"}]
