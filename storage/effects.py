"""What follows from a failure beyond the message: contacts suppressed, taps closed, staff told."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from engine.consent import Act
from engine.failure_codes import Failure, Scope, Suppression, failure
from engine.failures import CloseWindow, Effect, SlowDown, Stop, Suppress, TellStaff
from engine.ids import CampaignId, ContactId, MessageId, NumberId
from storage.database import Unit
from storage.messages import Row
from storage.queries import load

_SQL = load("effects")

_ACTS = {
    Suppression.UNREACHABLE: Act.UNREACHABLE,
    Suppression.MARKETING_STOPPED: Act.PLATFORM_STOP,
    Suppression.BLOCKED: Act.BLOCK,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """A failure's effects and the message that met it, as of *at*."""

    row: Row
    failure: Failure
    effects: tuple[Effect, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """An act for the consent ledger; see the table for what the proof consists of."""

    contact_id: ContactId
    act: Act
    at: datetime
    channel: str
    text: str | None = None
    actor: str | None = None
    reference: str | None = None


async def prepare(unit: Unit, codes: Mapping[MessageId, int | None]) -> None:
    """Lock the campaigns and contacts that failures by *codes* may change, before any message."""
    met = {message: failure(code) for message, code in codes.items()}
    stopping = [message for message, each in met.items() if each.stops is Scope.CAMPAIGN]
    if stopping:
        await unit.rows(_SQL["lock_campaigns_of"], ids=stopping)
    suppressing = [message for message, each in met.items() if each.suppresses is not None]
    if suppressing:
        await unit.rows(_SQL["lock_contacts_of"], ids=suppressing)


async def apply(unit: Unit, consequences: Sequence[Consequence]) -> None:
    """Apply all effects. The messages themselves are saved already, so that counts include them.

    See `prepare` for what has to be locked before the messages.
    """
    suppressed: dict[tuple[int | None, Suppression, int], list[Consequence]] = defaultdict(list)
    for consequence in consequences:
        for effect in consequence.effects:
            match effect:
                case Suppress(kind=kind, hits=hits):
                    suppressed[consequence.failure.code, kind, hits].append(consequence)
                case Stop():
                    await _stop(unit, consequence, effect)
                case CloseWindow():
                    await close_window(
                        unit,
                        number=consequence.row.number_id,
                        contacts=[consequence.row.contact_id],
                    )
                case TellStaff():
                    await _tell(unit, consequence)
                case SlowDown():
                    pass  # the lane does, at once and by itself
                case _:
                    assert_never(effect)
    for (code, kind, hits), met in suppressed.items():
        await _suppress(unit, met, code=code, kind=kind, hits=hits)


async def note_consents(unit: Unit, entries: Iterable[LedgerEntry]) -> None:
    noted = list(entries)
    await unit.run(
        _SQL["note_consents"],
        contacts=[entry.contact_id for entry in noted],
        kinds=[entry.act for entry in noted],
        ats=[entry.at for entry in noted],
        channels=[entry.channel for entry in noted],
        texts=[entry.text for entry in noted],
        actors=[entry.actor for entry in noted],
        references=[entry.reference for entry in noted],
    )


async def close_window(unit: Unit, *, number: NumberId, contacts: Sequence[ContactId]) -> None:
    await unit.run(_SQL["close_window"], number=number, contacts=contacts)


async def tell_staff(
    unit: Unit, *, kind: str, campaign: CampaignId | None, content: Mapping[str, object]
) -> None:
    """Write an event for staff, unless the same was told within the hour."""
    told = {"kind": kind, "campaign": campaign, "content": content}
    # In a statement of its own, so that the next one sees what others told before.
    if await unit.value(_SQL["try_telling"], **told):
        await unit.run(_SQL["tell_staff"], **told)


async def close_campaign(
    unit: Unit, *, campaign: CampaignId, until: datetime | None, why: str
) -> bool:
    """Close the campaign's tap (until None: a person opens it); False: it was closed already."""
    closed = await unit.row(_SQL["close_campaign"], campaign=campaign, until=until, why=why)
    if closed is None or not closed["was_open"]:
        return False
    content = {"why": why, "at": unit.at.isoformat()}
    await tell_staff(unit, kind="campaign_stopped", campaign=campaign, content=content)
    return True


async def close_numbers(
    unit: Unit, *, number: NumberId | None, until: datetime | None, why: str
) -> bool:
    """Close the tap of *number*, None: of all; False: they were closed already."""
    closed = await unit.rows(_SQL["close_numbers"], number=number, until=until, why=why)
    stopped = [row["id"] for row in closed if row["was_open"]]
    for each in stopped:
        content = {"number": each, "why": why, "at": unit.at.isoformat()}
        await tell_staff(unit, kind="number_stopped", campaign=None, content=content)
    return bool(stopped)


async def _suppress(
    unit: Unit, met: Sequence[Consequence], *, code: int | None, kind: Suppression, hits: int
) -> None:
    at = {consequence.row.contact_id: consequence.at for consequence in met}
    if hits > 1:
        counts = await unit.rows(_SQL["times_met"], contacts=list(at), code=code)
        often = {row["contact_id"] for row in counts if row["count"] >= hits}
        at = {contact: when for contact, when in at.items() if contact in often}
    if not at:
        return
    act = _ACTS[kind]
    contacts = sorted(at)
    await unit.run(
        _SQL["suppress_contacts"],
        contacts=contacts,
        kinds=[act] * len(contacts),
        ats=[at[contact] for contact in contacts],
    )
    await note_consents(
        unit,
        (
            LedgerEntry(
                contact_id=contact,
                act=act,
                at=at[contact],
                channel="platform",
                reference=f"error {code}",
            )
            for contact in contacts
        ),
    )


async def _stop(unit: Unit, consequence: Consequence, stop: Stop) -> None:
    row = consequence.row
    if stop.if_repeated and (
        row.campaign_id is None
        or not await unit.value(_SQL["keeps_failing"], campaign=row.campaign_id)
    ):
        return
    until = _until(consequence.at, stop.closed_for)
    why = consequence.failure.meaning
    match stop.scope:
        case Scope.CAMPAIGN:
            if row.campaign_id is not None:
                await close_campaign(unit, campaign=row.campaign_id, until=until, why=why)
        case Scope.NUMBER:
            await close_numbers(unit, number=row.number_id, until=until, why=why)
        case Scope.ACCOUNT:
            await close_numbers(unit, number=None, until=until, why=why)
        case _:
            assert_never(stop.scope)


def _until(at: datetime, closed_for: timedelta | None) -> datetime | None:
    return None if closed_for is None else at + closed_for


async def _tell(unit: Unit, consequence: Consequence) -> None:
    await tell_staff(
        unit,
        kind="failure",
        campaign=consequence.row.campaign_id,
        content={"code": consequence.failure.code, "meaning": consequence.failure.meaning},
    )
