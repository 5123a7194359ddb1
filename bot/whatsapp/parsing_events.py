"""The webhook fields beside ``messages``: templates, numbers, the account, preferences."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from bot.whatsapp.parsing import (
    Piece,
    ident,
    instant,
    members,
    nested,
    number,
    person,
    raw,
    text,
)
from engine.ids import NumberId
from engine.places import tier_users
from engine.updates import (
    AccountAlert,
    AccountUpdate,
    Capability,
    NumberQuality,
    Preference,
    PreferenceChoice,
    QualityScore,
    Restriction,
    TemplateCategory,
    TemplateComponents,
    TemplateEvent,
    TemplateQuality,
    TemplateRef,
    TemplateStatus,
    Unknown,
    Update,
)

_CHOICES: Final = {choice.value: choice for choice in PreferenceChoice}
_EVENTS: Final = {event.value: event for event in TemplateEvent}
_SCORES: Final = {score.value: score for score in QualityScore}
_DAILY_USERS: Final = ("max_daily_conversations_per_business", "max_daily_conversation_per_phone")


def event(value: Piece, *, field: str, waba_id: str, at: datetime | None) -> Update:
    """Return what one change of *field* says; Unknown when the field or its essence is missing."""
    read = _READERS.get(field)
    # Meta's page shows quality updates under the field of status updates: the keys tell them apart.
    if "new_quality_score" in value:
        read = _template_quality
    known = read(value, field, waba_id, at) if read else None
    if known is not None:
        return known
    return Unknown(
        waba_id=waba_id, number_id=None, at=at, field=field, kind="value", raw=raw(value)
    )


def preference(piece: Piece, *, waba_id: str, number_id: NumberId) -> Preference | None:
    """Return who wants marketing messages from now on or does not; None if nobody is named."""
    who = person(text(piece, "wa_id"), text(piece, "user_id"), text(piece, "parent_user_id"))
    if who is None:
        return None
    return Preference(
        waba_id=waba_id,
        number_id=number_id,
        person=who,
        at=instant(piece, "timestamp"),
        category=text(piece, "category"),
        choice=_CHOICES.get(text(piece, "value") or "", PreferenceChoice.UNKNOWN),
        detail=text(piece, "detail"),
        signup_id=ident(piece, "signup_id"),
    )


def _template(value: Piece) -> TemplateRef | None:
    name, language = (
        text(value, "message_template_name"),
        text(value, "message_template_language"),
    )
    if name is None or language is None:
        return None
    return TemplateRef(id=ident(value, "message_template_id"), name=name, language=language)


def _template_status(
    value: Piece, _field: str, waba_id: str, at: datetime | None
) -> TemplateStatus | None:
    template, name = _template(value), text(value, "event")
    if template is None or name is None:
        return None
    other, rejection = nested(value, "other_info"), nested(value, "rejection_info")
    reason = text(value, "reason")
    return TemplateStatus(
        waba_id=waba_id,
        at=at,
        template=template,
        event=_EVENTS.get(name, TemplateEvent.UNKNOWN),
        event_name=name,
        category=text(value, "message_template_category"),
        reason=None if reason == "NONE" else reason,
        title=text(other, "title"),
        advice=text(rejection, "recommendation") or text(other, "description"),
    )


def _template_quality(
    value: Piece, _field: str, waba_id: str, at: datetime | None
) -> TemplateQuality | None:
    template = _template(value)
    if template is None:
        return None
    return TemplateQuality(
        waba_id=waba_id,
        at=at,
        template=template,
        previous=_score(value, "previous_quality_score"),
        new=_score(value, "new_quality_score"),
    )


def _score(value: Piece, key: str) -> QualityScore:
    return _SCORES.get(text(value, key) or "", QualityScore.UNKNOWN)


def _template_category(
    value: Piece, _field: str, waba_id: str, at: datetime | None
) -> TemplateCategory | None:
    template = _template(value)
    new, correct = text(value, "new_category"), text(value, "correct_category")
    if template is None or (new is None and correct is None):
        return None
    announced = correct is not None and text(value, "previous_category") is None
    return TemplateCategory(
        waba_id=waba_id,
        at=at,
        template=template,
        # An announcement names today's category as new_category.
        previous=new if announced else text(value, "previous_category"),
        new=None if announced else new,
        correct=correct,
        changes_at=instant(value, "category_update_timestamp"),
    )


def _template_components(
    value: Piece, _field: str, waba_id: str, at: datetime | None
) -> TemplateComponents | None:
    template = _template(value)
    if template is None:
        return None
    return TemplateComponents(waba_id=waba_id, at=at, template=template, raw=raw(value))


def _number_quality(
    value: Piece, _field: str, waba_id: str, at: datetime | None
) -> NumberQuality | None:
    name = text(value, "event")
    if name is None:
        return None
    limit = next(
        filter(None, (ident(value, key) for key in ("current_limit", *_DAILY_USERS))), None
    )
    return NumberQuality(
        waba_id=waba_id,
        at=at,
        display_phone=text(value, "display_phone_number"),
        event=name,
        daily_users=_daily_users(value),
        limit=limit,
    )


def _capability(value: Piece, _field: str, waba_id: str, at: datetime | None) -> Capability:
    return Capability(waba_id=waba_id, at=at, daily_users=_daily_users(value), raw=raw(value))


def _daily_users(value: Piece) -> int | None:
    """Return the limit; documented as ``TIER_2K``, seen as 2000, -1 for unlimited.

    The key per portfolio wins over the one per phone, which Meta is withdrawing.
    """
    for key in _DAILY_USERS:
        found = number(value, key)
        if found is not None:
            return found
        tier = text(value, key)
        if tier is not None and (users := tier_users(tier)) is not None:
            return users
    return None


def _account(value: Piece, field: str, waba_id: str, at: datetime | None) -> AccountUpdate | None:
    name = text(value, "event") or text(value, "decision")
    if name is None:
        return None
    restrictions = tuple(
        Restriction(type=kind, expires_at=instant(piece, "expiration"))
        for piece in members(value, "restriction_info")
        if (kind := text(piece, "restriction_type")) is not None
    )
    phone = text(value, "display_phone_number") or text(value, "phone_number")
    return AccountUpdate(
        waba_id=waba_id,
        at=at,
        field=field,
        event=name,
        display_phone=phone,
        ban_state=text(nested(value, "ban_info"), "waba_ban_state"),
        violation=text(nested(value, "violation_info"), "violation_type"),
        restrictions=restrictions,
        raw=raw(value),
    )


def _alert(value: Piece, _field: str, waba_id: str, at: datetime | None) -> AccountAlert | None:
    alert = nested(value, "alert_info") or value  # older versions have no alert_info
    kind = text(alert, "alert_type")
    if kind is None:
        return None
    return AccountAlert(
        waba_id=waba_id,
        at=at,
        entity_type=text(value, "entity_type"),
        entity_id=ident(value, "entity_id"),
        severity=text(alert, "alert_severity"),
        status=text(alert, "alert_status"),
        type=kind,
        description=text(alert, "alert_description"),
        raw=raw(value),
    )


_READERS: Final[dict[str, Callable[[Piece, str, str, datetime | None], Update | None]]] = {
    "message_template_status_update": _template_status,
    "message_template_quality_update": _template_quality,
    "message_template_components_update": _template_components,
    "template_category_update": _template_category,
    "phone_number_quality_update": _number_quality,
    "business_capability_update": _capability,
    "account_update": _account,
    "account_review_update": _account,
    "phone_number_name_update": _account,
    "security": _account,
    "account_alerts": _alert,
}
