"""Contacts as a table that may leave the house, and that imported again changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from engine.audience_headings import EXPORT_FACTS, EXPORT_MARK, EXPORT_ONLY
from engine.consent import Act, Consent
from engine.ids import ContactId
from engine.reasons import Reason


class Format(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastAct:
    """The last act of a contact's consent."""

    act: Act
    at: datetime
    channel: str
    actor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A contact as it leaves.

    Attributes:
        timezone: What somebody said; None where it only follows from the phone.
        identities: (kind, value), phones first.
        tags: Sorted.
        last_act: None: its consent was never recorded.
    """

    id: ContactId
    name: str | None
    first_name: str | None
    company: str | None
    email: str | None
    language: str | None
    timezone: str | None
    attributes: Mapping[str, str]
    identities: Sequence[tuple[str, str]]
    tags: Sequence[str]
    consent: Consent
    last_act: LastAct | None
    source: str
    created_at: datetime


Cell = str | int | None


def header(attributes: Sequence[str]) -> tuple[str, ...]:
    """Return the headings; the first tells an import that the file is ours."""
    return (EXPORT_MARK, "phone", *EXPORT_FACTS, *attributes, *EXPORT_ONLY)


def cells(contact: Exported, attributes: Sequence[str]) -> tuple[Cell, ...]:
    """Return a row under `header`."""
    phone, wa_id, user_id = (
        next((value for kind, value in contact.identities if kind == wanted), None)
        for wanted in ("phone", "wa_id", "bsuid")
    )
    others = [
        f"{kind}:{value}"
        for kind, value in contact.identities
        if value not in {phone, wa_id, user_id}
    ]
    return (
        contact.id,
        phone,
        contact.name,
        contact.first_name,
        contact.company,
        contact.email,
        contact.language,
        contact.timezone,
        ", ".join(contact.tags),
        *(contact.attributes.get(name) for name in attributes),
        wa_id,
        user_id,
        " ".join(others),
        *_consent(contact.consent, contact.last_act),
        contact.source,
        _time(contact.created_at),
    )


def _consent(consent: Consent, act: LastAct | None) -> tuple[str, str, str]:
    """Return whether the contact may be written to, since when, and what proves it."""
    against = consent.against(promotional=True)
    answer = "yes" if against is None else f"no: {against.sentence}"
    if against is Reason.PLATFORM_STOPPED:
        answer = f"{answer}, other messages yes"
    if act is None:
        return answer, "", ""
    by = f" by {act.actor}" if act.actor else ""
    return answer, _time(act.at), f"{act.act} in {act.channel}{by}"


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
