"""Every kind of webhook, from the bodies in tests/payloads, and what it says."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.whatsapp.updates import MalformedBody, parse
from engine.ids import MessageId, NumberId
from engine.phone import Phone
from engine.updates import (
    AccountAlert,
    AccountUpdate,
    CallbackRef,
    Capability,
    IdentityChange,
    Inbound,
    InboundKind,
    InboundMedia,
    NumberError,
    NumberQuality,
    Person,
    Preference,
    PreferenceChoice,
    Pricing,
    QualityScore,
    Reaction,
    Referral,
    ReportedError,
    ReportedStatus,
    Restriction,
    StatusReport,
    TemplateCategory,
    TemplateComponents,
    TemplateEvent,
    TemplateQuality,
    TemplateRef,
    TemplateStatus,
    Unknown,
    Update,
)

PAYLOADS = Path(__file__).parents[2] / "payloads"
WABA = "100000000000001"
NUMBER = NumberId("200000000000001")
ANNA = Person(phone=Phone("+31610000001"), bsuid="NL.13491208655302741918")
THEN = datetime(2025, 10, 9, 8, 53, 20, tzinfo=UTC)
OURS = "wamid.HBgLMzE2MTAwMDAwMDEVAgARGBIxQUJDREVG"
FOLLOWUP = TemplateRef(id="1689556908129832", name="followup", language="en_US")


def said(name: str) -> Update:
    (update,) = parse((PAYLOADS / f"{name}.json").read_bytes()).updates
    return update


def inbound(name: str) -> Inbound:
    update = said(f"message_{name}")
    assert isinstance(update, Inbound)
    return update


def report(name: str) -> StatusReport:
    update = said(f"status_{name}")
    assert isinstance(update, StatusReport)
    return update


@pytest.mark.parametrize(
    ("name", "kind", "text", "payload"),
    [
        ("text", InboundKind.TEXT, "Hello, is the offer still on?", None),
        ("text_reply", InboundKind.TEXT, "stop.", None),
        ("text_from_ad", InboundKind.TEXT, "More about this", None),
        ("text_forwarded", InboundKind.TEXT, "Look at this", None),
        ("button", InboundKind.BUTTON, "Stop", "Stop"),
        ("button_without_context", InboundKind.BUTTON, "No more", "STOP:42"),
        ("interactive_button", InboundKind.INTERACTIVE, "Yes, please", "yes"),
        ("interactive_list", InboundKind.INTERACTIVE, "Tuesday", "slot-2"),
        ("interactive_flow", InboundKind.INTERACTIVE, "Sent", None),
        ("image", InboundKind.IMAGE, "My order", None),
        ("video", InboundKind.VIDEO, "", None),
        ("audio", InboundKind.AUDIO, "", None),
        ("document", InboundKind.DOCUMENT, "Is this right?", None),
        ("sticker", InboundKind.STICKER, "", None),
        ("reaction", InboundKind.REACTION, "", None),
        ("reaction_removed", InboundKind.REACTION, "", None),
        ("location", InboundKind.LOCATION, "Dam Square", None),
        ("contacts", InboundKind.CONTACTS, "", None),
        ("order", InboundKind.ORDER, "Two of these", None),
        ("edit", InboundKind.EDIT, "I meant Tuesday", None),
        ("revoke", InboundKind.REVOKE, "", None),
        ("unsupported", InboundKind.UNSUPPORTED, "", None),
        ("of_a_type_to_come", InboundKind.UNKNOWN, "", None),
    ],
)
def test_what_a_person_sends_is_read(
    name: str, kind: InboundKind, text: str, payload: str | None
) -> None:
    message = inbound(name)

    assert (message.kind, message.text, message.payload) == (kind, text, payload)
    assert (message.waba_id, message.number_id, message.sender) == (WABA, NUMBER, ANNA)
    assert (message.at, message.profile_name) == (THEN, "Anna de Boer")
    assert message.wamid in message.raw


@pytest.mark.parametrize(
    ("name", "context_id"),
    [("text", None), ("text_reply", OURS), ("text_forwarded", None), ("button", OURS)],
)
def test_an_answer_names_what_it_answers(name: str, context_id: str | None) -> None:
    assert inbound(name).context_id == context_id


def test_a_person_with_a_username_has_no_phone() -> None:
    assert inbound("text_without_phone").sender == Person(bsuid=ANNA.bsuid)


def test_files_keep_what_is_needed_to_fetch_them() -> None:
    assert inbound("document").media == InboundMedia(
        id="1003383421387256",
        mime_type="application/pdf",
        sha256="SfInY0gGKTsJlUWbwxC1k+FAD0FZHvzwfpvO0zX0GUI=",
        filename="invoice.pdf",
        voice=False,
    )
    assert (voice := inbound("audio").media) is not None
    assert voice.voice


@pytest.mark.parametrize(("name", "emoji"), [("reaction", "👍"), ("reaction_removed", None)])
def test_a_reaction_names_its_message(name: str, emoji: str | None) -> None:
    assert inbound(name).reaction == Reaction(wamid=OURS, emoji=emoji)


def test_the_advertisement_somebody_came_from_is_kept() -> None:
    assert inbound("text_from_ad").referral == Referral(
        source_type="ad",
        source_id="120226305854810726",
        source_url="https://fb.me/3cr4Wqqkv",
        headline="Spring sale",
        body="Chat with us",
        click_id="ARAkLkA8rmlFeiCktEJQ-QTwRiyYHAFDLMNDBH0CD3qpjd0HR4irJ6LE",
    )


def test_a_new_phone_is_a_change_of_identity() -> None:
    change = said("message_number_changed")

    assert isinstance(change, IdentityChange)
    assert change.old == ANNA
    assert change.new == Person(phone=Phone("+31610000009"), bsuid="NL.22222222222222222222")


def test_a_new_user_id_is_a_change_of_identity_even_without_any_phone() -> None:
    change = said("message_user_id_changed")

    assert isinstance(change, IdentityChange)
    assert change.old == Person(bsuid=ANNA.bsuid, parent_bsuid="NL.ENT.1")
    assert change.new == Person(bsuid="NL.22222222222222222222", parent_bsuid="NL.ENT.2")


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("sent", ReportedStatus.SENT),
        ("delivered", ReportedStatus.DELIVERED),
        ("read", ReportedStatus.READ),
        ("played", ReportedStatus.PLAYED),
        ("failed", ReportedStatus.FAILED),
        ("of_a_kind_to_come", ReportedStatus.UNKNOWN),
    ],
)
def test_a_status_names_the_attempt_it_is_about(name: str, status: ReportedStatus) -> None:
    update = report(name)

    assert update.status is status
    assert update.wamid == OURS
    assert update.callback == CallbackRef(message_id=MessageId(1889785610240000001), attempt=1)
    assert update.at == datetime(2025, 10, 9, 8, 53, 25, tzinfo=UTC)


def test_a_status_of_another_tool_has_no_mark_of_ours() -> None:
    assert report("not_of_ours").callback is None


def test_a_failure_says_why() -> None:
    assert report("failed").error == ReportedError(
        code=131026, title="Message undeliverable", details="Message Undeliverable."
    )


def test_what_a_message_is_charged_as_is_read() -> None:
    expected = Pricing(category="marketing", type="regular", billable=True)

    assert report("sent").pricing == expected
    assert report("read").pricing is None


@pytest.mark.parametrize(
    ("name", "recipient"),
    [
        ("sent", ANNA),
        ("failed", Person(phone=ANNA.phone)),
        ("without_recipient", None),
        ("in_a_group", Person(phone=Phone("+31610000002"))),
    ],
)
def test_a_status_names_whom_it_can(name: str, recipient: Person | None) -> None:
    assert report(name).recipient == recipient


@pytest.mark.parametrize("choice", ["stop", "resume", "signup"])
def test_a_preference_told_to_whatsapp_is_read(choice: str) -> None:
    preference = said(f"preference_{choice}")

    assert isinstance(preference, Preference)
    assert preference.choice is PreferenceChoice(choice)
    assert preference.person.bsuid == ANNA.bsuid
    assert (preference.category, preference.at) == ("marketing_messages", THEN)
    assert preference.signup_id == ("987654321" if choice == "signup" else None)


@pytest.mark.parametrize(
    ("name", "event", "reason", "title", "advice"),
    [
        ("approved", TemplateEvent.APPROVED, None, None, None),
        (
            "rejected",
            TemplateEvent.REJECTED,
            "INVALID_FORMAT",
            None,
            "Put text between the variables.",
        ),
        (
            "paused",
            TemplateEvent.PAUSED,
            None,
            "FIRST_PAUSE",
            "Your message template has been paused for 3 hours.",
        ),
        ("disabled", TemplateEvent.DISABLED, None, None, None),
        ("event_to_come", TemplateEvent.UNKNOWN, None, None, None),
    ],
)
def test_a_decision_about_a_template_is_read(
    name: str, event: TemplateEvent, reason: str | None, title: str | None, advice: str | None
) -> None:
    update = said(f"template_{name}")

    assert isinstance(update, TemplateStatus)
    assert (update.event, update.reason, update.title, update.advice) == (
        event,
        reason,
        title,
        advice,
    )
    assert (update.template, update.at) == (FOLLOWUP, THEN)


@pytest.mark.parametrize("name", ["template_quality", "template_quality_under_status"])
def test_quality_is_recognised_under_either_field(name: str) -> None:
    assert said(name) == TemplateQuality(
        waba_id=WABA,
        at=THEN,
        template=FOLLOWUP,
        previous=QualityScore.GREEN,
        new=QualityScore.YELLOW,
    )


def test_an_edited_template_is_named() -> None:
    update = said("template_components")

    assert isinstance(update, TemplateComponents)
    assert update.template == FOLLOWUP


def test_a_change_of_category_is_told_apart_from_its_announcement() -> None:
    announced, changed = said("template_category_announced"), said("template_category_changed")

    assert announced == TemplateCategory(
        waba_id=WABA,
        at=THEN,
        template=FOLLOWUP,
        previous="UTILITY",
        new=None,
        correct="MARKETING",
        changes_at=datetime(2025, 10, 10, 8, 53, 20, tzinfo=UTC),
    )
    assert changed == TemplateCategory(
        waba_id=WABA,
        at=THEN,
        template=FOLLOWUP,
        previous="UTILITY",
        new="MARKETING",
        correct=None,
        changes_at=None,
    )


@pytest.mark.parametrize(
    ("name", "event", "daily_users", "limit"),
    [
        ("number_onboarding", "ONBOARDING", 2000, "TIER_2K"),
        ("number_throughput", "THROUGHPUT_UPGRADE", None, "TIER_UNLIMITED"),
    ],
)
def test_a_numbers_standing_is_read(
    name: str, event: str, daily_users: int | None, limit: str
) -> None:
    assert said(name) == NumberQuality(
        waba_id=WABA,
        at=THEN,
        display_phone="15550001111",
        event=event,
        daily_users=daily_users,
        limit=limit,
    )


@pytest.mark.parametrize(
    ("name", "daily_users"),
    [("capability", 2000), ("capability_tier", 10_000), ("capability_unlimited", -1)],
)
def test_the_daily_limit_is_read_however_it_is_written(name: str, daily_users: int) -> None:
    update = said(name)

    assert isinstance(update, Capability)
    assert update.daily_users == daily_users


@pytest.mark.parametrize(
    ("name", "field", "event"),
    [
        ("account_restricted", "account_update", "ACCOUNT_RESTRICTION"),
        ("account_violation", "account_update", "ACCOUNT_VIOLATION"),
        ("account_disabled", "account_update", "DISABLED_UPDATE"),
        ("account_review", "account_review_update", "APPROVED"),
        ("number_name", "phone_number_name_update", "REJECTED"),
        ("security_pin", "security", "PIN_CHANGED"),
    ],
)
def test_what_happens_to_the_account_is_read(name: str, field: str, event: str) -> None:
    update = said(name)

    assert isinstance(update, AccountUpdate)
    assert (update.field, update.event, update.at) == (field, event, THEN)


def test_restrictions_bans_and_violations_are_read() -> None:
    restricted, disabled, violated = map(
        said, ("account_restricted", "account_disabled", "account_violation")
    )

    assert isinstance(restricted, AccountUpdate)
    assert restricted.restrictions == (
        Restriction(
            type="RESTRICTED_BIZ_INITIATED_MESSAGING",
            expires_at=datetime(2025, 10, 16, 8, 53, 20, tzinfo=UTC),
        ),
        Restriction(type="RESTRICTED_UTILITY_TEMPLATES", expires_at=None),
    )
    assert isinstance(disabled, AccountUpdate)
    assert disabled.ban_state == "SCHEDULE_FOR_DISABLE"
    assert isinstance(violated, AccountUpdate)
    assert violated.violation == "SCAM"


def test_an_alert_is_read() -> None:
    alert = said("account_alert")

    assert isinstance(alert, AccountAlert)
    assert (alert.severity, alert.type, alert.status) == ("CRITICAL", "OBA_APPROVED", "ACTIVE")


def test_an_error_of_the_number_belongs_to_no_message() -> None:
    problem = said("number_error")

    assert isinstance(problem, NumberError)
    assert (problem.number_id, problem.error.code) == (NUMBER, 130429)


@pytest.mark.parametrize(
    ("name", "field", "kind"),
    [
        ("message_identity_changed", "messages", "messages"),
        ("user_actions", "messages", "user_actions"),
        ("history", "history", "value"),
        ("app_state", "smb_app_state_sync", "value"),
        ("echoes", "smb_message_echoes", "value"),
        ("field_to_come", "holograms", "value"),
    ],
)
def test_what_is_not_understood_is_kept(name: str, field: str, kind: str) -> None:
    update = said(name)

    assert isinstance(update, Unknown)
    assert (update.waba_id, update.field, update.kind) == (WABA, field, kind)
    assert len(update.raw) > 2


def test_one_body_may_hold_many_entries_and_changes() -> None:
    updates = parse((PAYLOADS / "batch.json").read_bytes()).updates

    seen = [
        (u.waba_id, u.number_id, u.wamid) for u in updates if isinstance(u, StatusReport | Inbound)
    ]
    assert seen == [
        (WABA, NUMBER, "wamid.BATCH1"),
        (WABA, NUMBER, "wamid.BATCH2"),
        (WABA, NUMBER, "wamid.BATCH3"),
        (WABA, NUMBER, "wamid.BATCH4"),
        ("100000000000002", "200000000000002", "wamid.BATCH5"),
    ]


def test_names_and_ids_are_taken_from_the_contact_who_wrote() -> None:
    updates = parse((PAYLOADS / "batch.json").read_bytes()).updates

    writers = {u.text: (u.profile_name, u.sender) for u in updates if isinstance(u, Inbound)}
    assert writers == {
        "from Bob": ("Bob", Person(phone=Phone("+31610000002"))),
        "from Anna": ("Anna de Boer", ANNA),
    }


def test_texts_that_a_database_refuses_are_read_as_they_are() -> None:
    body = (PAYLOADS / "message_text.json").read_bytes()
    nasty = body.replace(b"Hello, is the offer still on?", rb"\u0000 and \ud83d alone")

    (message,) = parse(nasty).updates

    assert isinstance(message, Inbound)
    assert message.text == "\x00 and \ud83d alone"
    assert rb"\ud83d".decode() in message.raw


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"object": "\xff"}', id="no utf-8"),
        pytest.param(b'{"a":' * 100_000, id="a tower"),
        pytest.param(b"[" * 900 + b"]" * 900, id="a closed tower"),
    ],
)
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        parse(body)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{}", id="nothing"),
        pytest.param(b'{"object": "page", "entry": []}', id="of another product"),
        pytest.param(b'{"object": "whatsapp_business_account", "entry": {}}', id="no entries"),
        pytest.param(b'{"object": "whatsapp_business_account", "entry": [7]}', id="odd entry"),
        pytest.param(
            b'{"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{}]}]}',
            id="empty change",
        ),
    ],
)
def test_an_odd_envelope_is_kept(body: bytes) -> None:
    (update,) = parse(body).updates

    assert isinstance(update, Unknown)
