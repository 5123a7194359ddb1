"""What Meta says about templates, numbers and the account: kept, applied, and told to staff."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from enum import Enum
from typing import Final, assert_never

from engine import failures
from engine.failure_codes import Scope
from engine.failures import Stop
from engine.ports import Notice, OwnNumber, Platform
from engine.updates import (
    AccountAlert,
    AccountUpdate,
    Capability,
    NumberError,
    NumberQuality,
    QualityScore,
    TemplateCategory,
    TemplateComponents,
    TemplateEvent,
    TemplateQuality,
    TemplateRef,
    TemplateStatus,
    Unknown,
)

PlatformEvent = (
    TemplateStatus
    | TemplateQuality
    | TemplateCategory
    | TemplateComponents
    | NumberQuality
    | Capability
    | AccountUpdate
    | AccountAlert
    | NumberError
    | Unknown
)

UPGRADED_PER_SECOND: Final = 1000
"""Source: Meta, "Throughput"."""

_APPROVED: Final = frozenset(
    {TemplateEvent.APPROVED, TemplateEvent.REINSTATED, TemplateEvent.UNARCHIVED}
)
# A flagged template is at risk and still sent; what an unknown event means, nobody knows.
_AS_BEFORE: Final = frozenset({TemplateEvent.FLAGGED, TemplateEvent.UNKNOWN})
_RESTRICTED: Final = "WhatsApp restricted the account"
_NO_SENDING: Final = "INITIATED_MESSAGING"
_GONE: Final = frozenset({"ACCOUNT_DELETED", "ACCOUNT_OFFBOARDED"})
_BACK: Final = frozenset({"ACCOUNT_RECONNECTED"})


def stopped_because(template: TemplateRef) -> str:
    """Return how the reason begins for which campaigns of *template* are stopped."""
    return f"WhatsApp set template {template.name} ({template.language}) to "


async def apply_platform_event(
    event: PlatformEvent, *, at: datetime, numbers: Sequence[OwnNumber], platform: Platform
) -> None:
    """Apply *event*, heard at *at*, to an organization with *numbers*; a repeat does nothing."""
    when = event.at or at
    kind, content = _kind(event), _content(event)
    text = content if isinstance(content, str) else json.dumps(content, sort_keys=True)
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    stamp = f"{event.at.timestamp():.0f}" if event.at else f"heard {at.date()}"
    if not await platform.keep(key=f"{kind}:{stamp}:{digest}", kind=kind, content=content, at=when):
        return
    match event:
        case TemplateStatus():
            await _template_status(event, when, platform)
        case TemplateQuality():
            await _template_quality(event, when, platform)
        case TemplateCategory():
            await _template_category(event, when, platform)
        case NumberQuality():
            await _number_quality(event, numbers, platform)
            await platform.read_accounts()
        case Capability():
            if event.daily_users is not None:
                await platform.set_numbers(numbers, messaging_limit=_tier(event.daily_users))
            await platform.read_accounts()
        case AccountUpdate():
            await _account(event, numbers, platform)
            await platform.read_accounts()
        case AccountAlert():
            await platform.read_accounts()
            if event.severity != "INFORMATIONAL":
                await platform.tell(_account_notice(event.type, event.description))
        case NumberError():
            await _number_error(event, when, numbers, platform)
        case TemplateComponents():
            # The event brings the text without its samples and buttons' kinds; the list has all.
            await platform.fetch_templates()
        case Unknown():
            pass  # what we do not understand is only kept
        case _:
            assert_never(event)


async def _template_status(event: TemplateStatus, when: datetime, platform: Platform) -> None:
    if event.event not in _AS_BEFORE:
        approved = event.event in _APPROVED
        status = TemplateEvent.APPROVED.value if approved else event.event.value
        if not await platform.set_template(event.template, at=when, status=status):
            return  # older than what we know
        if approved:
            await platform.approved_again(event.template)
            # It may be news to us, or have been approved with another text.
            await platform.fetch_templates()
        else:
            why = f"{stopped_because(event.template)}{status}."
            await platform.close_campaigns(event.template, why=why)
        if await platform.decide_draft(event.template, reason=event.reason, advice=event.advice):
            return  # told to who submitted it, and better
    await platform.tell(
        _template_notice(
            event.template, status=event.event_name, reason=event.reason, advice=event.advice
        )
    )


async def _template_quality(event: TemplateQuality, when: datetime, platform: Platform) -> None:
    await platform.set_template(event.template, at=when, quality=event.new)
    if event.new is QualityScore.RED:
        await platform.tell(_template_notice(event.template, quality=event.new.value))


async def _template_category(event: TemplateCategory, when: datetime, platform: Platform) -> None:
    if event.new is not None:
        await platform.set_template(event.template, at=when, category=event.new)
    await platform.tell(
        _template_notice(
            event.template,
            category=event.new or event.correct,
            changes_at=event.changes_at.isoformat() if event.changes_at else None,
        )
    )


async def _number_quality(
    event: NumberQuality, numbers: Sequence[OwnNumber], platform: Platform
) -> None:
    meant = [each for each in numbers if _digits(each.phone) == _digits(event.display_phone or "")]
    limit = event.limit
    if event.daily_users is not None and not (limit or "").startswith("TIER_"):
        limit = _tier(event.daily_users)
    upgraded = event.event == "THROUGHPUT_UPGRADE"
    await platform.set_numbers(
        meant,
        messages_per_second=UPGRADED_PER_SECOND if upgraded else None,
        messaging_limit=limit,
    )
    for number in meant:
        await platform.tell(
            Notice(
                kind="number_changed",
                content={"number": number.id, "event": event.event, "limit": limit},
            )
        )


async def _account(event: AccountUpdate, numbers: Sequence[OwnNumber], platform: Platform) -> None:
    stops = [each for each in event.restrictions if _NO_SENDING in each.type]
    if stops:
        # Until a person lets it go on, also where it ends by itself: what led to it may not have.
        ends = [each.expires_at for each in stops if each.expires_at is not None]
        until = f" until {max(ends):%Y-%m-%d %H:%M} UTC" if len(ends) == len(stops) else ""
        await platform.close_numbers(
            numbers,
            until=None,
            why=f"{_RESTRICTED}{until}: {', '.join(each.type for each in stops)}.",
        )
    elif event.ban_state == "DISABLE" or event.event in _GONE:
        await platform.close_numbers(
            numbers, until=None, why=f"{_RESTRICTED}: {event.ban_state or event.event}."
        )
    elif event.ban_state == "REINSTATE" or event.event in _BACK:
        await platform.allowed_again(numbers, why=_RESTRICTED)
    await platform.tell(
        _account_notice(event.event, event.ban_state or event.violation, field=event.field)
    )


async def _number_error(
    event: NumberError, when: datetime, numbers: Sequence[OwnNumber], platform: Platform
) -> None:
    decision = failures.decide(event.error.code, attempt=1)
    for effect in decision.effects:
        if not isinstance(effect, Stop) or effect.scope is Scope.CAMPAIGN or effect.if_repeated:
            continue
        meant = [
            each for each in numbers if effect.scope is Scope.ACCOUNT or each.id == event.number_id
        ]
        until = None if effect.closed_for is None else when + effect.closed_for
        await platform.close_numbers(meant, until=until, why=decision.failure.meaning)
    await platform.tell(
        Notice(
            kind="number_error",
            content={
                "number": event.number_id,
                "code": event.error.code,
                "meaning": decision.failure.meaning,
            },
        )
    )


def _template_notice(template: TemplateRef, **facts: str | None) -> Notice:
    told = {key: fact for key, fact in facts.items() if fact is not None}
    return Notice(
        kind="template_changed",
        content={"name": template.name, "language": template.language, **told},
    )


def _account_notice(event: str, details: str | None, *, field: str = "account_alerts") -> Notice:
    return Notice(
        kind="account_notice", content={"field": field, "event": event, "details": details}
    )


def _tier(daily_users: int) -> str:
    """Return a limit as Meta's API names it.

    >>> _tier(250), _tier(2000), _tier(-1)
    ('TIER_250', 'TIER_2K', 'TIER_UNLIMITED')
    """
    if daily_users < 0:
        return "TIER_UNLIMITED"
    thousands, rest = divmod(daily_users, 1000)
    return f"TIER_{daily_users}" if rest or not thousands else f"TIER_{thousands}K"


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))


def _kind(event: PlatformEvent) -> str:
    return {
        TemplateStatus: "template_status",
        TemplateQuality: "template_quality",
        TemplateCategory: "template_category",
        TemplateComponents: "template_components",
        NumberQuality: "number_quality",
        Capability: "capability",
        AccountUpdate: "account_update",
        AccountAlert: "account_alert",
        NumberError: "number_error",
        Unknown: "unknown",
    }[type(event)]


def _content(event: PlatformEvent) -> Mapping[str, object] | str:
    """Return what is kept: the JSON as it came where there is some, else our own words."""
    match event:
        case TemplateComponents(raw=raw) | Capability(raw=raw) | AccountUpdate(raw=raw):
            return raw
        case AccountAlert(raw=raw) | Unknown(raw=raw):
            return raw
        case _:
            return {key: _plain(value) for key, value in asdict(event).items()}


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case Enum():
            return value.value
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case _:
            return value
