"""The audit log: who changed what, by ids alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from storage.database import Unit
from storage.models import AuditEntry


async def note(
    unit: Unit,
    *,
    actor: str,
    action: str,
    subject: str,
    content: Mapping[str, object] | None = None,
) -> None:
    """Append an entry; the worker seals it.

    Args:
        actor: The Slack user.
        action: ``campaign.activate``, ``contact.tag``, …
        subject: ``campaign:17``; ids only, as everywhere in an entry: no names, no phones.
        content: JSON.
    """
    await AuditEntry.create(
        organization_id=unit.organization,
        at=unit.at,
        actor=actor,
        action=action,
        subject=subject,
        content=dict(content or {}),
        using_db=unit.orm,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something somebody did."""

    at: datetime
    actor: str
    action: str


async def latest(unit: Unit, *, subject: str, limit: int) -> list[Act]:
    """Return what was done last to a subject, the oldest of it first."""
    entries = (
        await AuditEntry.filter(organization_id=unit.organization, subject=subject)
        .order_by("-id")
        .limit(limit)
        .using_db(unit.orm)
    )
    return [Act(at=each.at, actor=each.actor, action=each.action) for each in reversed(entries)]
