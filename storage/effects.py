"""What follows from a failure beyond the message: contacts suppressed, taps closed, staff told."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self, assert_never

from engine.consent import Act
from engine.failure_codes import Action, Failure, Scope, Suppression, failure
from engine.failures import BanCountry, CloseWindow, Effect, Stop, Suppress, TellStaff
from engine.ids import CampaignId, ContactId, MessageId, NumberId
from storage import countries, messages
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


async def prepare(
    unit: Unit,
    failing: Iterable[tuple[MessageId, int | None]],
    *,
    again: Iterable[MessageId] = (),
    reached: Iterable[ContactId] = (),
) -> Mapping[CampaignId, str]:
    """Lock the campaigns and contacts that failures may change, before any message.

    Args:
        failing: Messages, each with the code it may fail by; one may come with several.
        again: Messages that may be queued again for another reason.
        reached: Contacts that are changed beside those of failures.

    Returns the states of campaigns for `messages.save`.
    """
    met = [(message, failure(code)) for message, code in failing]
    campaigns = await messages.keep_campaigns(
        unit,
        [
            *again,
            *(
                message
                for message, each in met
                if each.stops is Scope.CAMPAIGN or each.action is not Action.GIVE_UP
            ),
        ],
        # All in one way, because nobody may change what is only kept, and there is one order.
        to_change=any(each.stops is Scope.CAMPAIGN for _, each in met),
    )
    # Windows too are opened and closed by those who have the contact.
    changing = [
        message for message, each in met if each.suppresses is not None or each.closes_window
    ]
    if changing:
        await unit.rows(_SQL["lock_contacts_of"], ids=changing, contacts=list(reached))
    return campaigns


async def apply(unit: Unit, consequences: Sequence[Consequence]) -> None:
    """Apply all effects. The messages themselves are saved already, so that counts include them.

    See `prepare` for what has to be locked before the messages.
    """
    suppressed: dict[tuple[int | None, Suppression, int], list[Consequence]] = defaultdict(list)
    stops: list[tuple[Consequence, Stop]] = []
    windows: dict[NumberId, set[ContactId]] = defaultdict(set)
    banned: list[tuple[str | None, Consequence]] = []
    told: dict[tuple[CampaignId | None, int | None], Failure] = {}
    for consequence in consequences:
        row, met = consequence.row, consequence.failure
        for effect in consequence.effects:
            match effect:
                case Suppress(kind=kind, hits=hits):
                    suppressed[met.code, kind, hits].append(consequence)
                case Stop():
                    stops.append((consequence, effect))
                case CloseWindow():
                    windows[row.number_id].add(row.contact_id)
                case BanCountry(country=country):
                    banned.append((country, consequence))
                case TellStaff():
                    told[row.campaign_id, met.code] = met
                case _:
                    assert_never(effect)
    for closing, until in _closings(stops):
        await _close(unit, closing, until)
    for number, contacts in windows.items():
        await close_window(unit, number=number, contacts=sorted(contacts))
    for first in await _ban(unit, banned):
        told[first.row.campaign_id, first.failure.code] = first.failure
    for (campaign, code), failed in told.items():
        content = {"code": code, "meaning": failed.meaning}
        await tell_staff(unit, kind="failure", campaign=campaign, content=content)
    for (code, kind, hits), those in suppressed.items():
        await _suppress(unit, those, code=code, kind=kind, hits=hits)


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


async def _ban(unit: Unit, met: Sequence[tuple[str | None, Consequence]]) -> Sequence[Consequence]:
    """Let nobody of the countries be written to; return what was met by somebody of none."""
    unnamed = [each.row.contact_id for country, each in met if country is None]
    own = await countries.of(unit, contacts=unnamed) if unnamed else {}
    first: dict[str, Consequence] = {}
    nobodys: list[Consequence] = []
    for named, each in met:
        country = named or own.get(each.row.contact_id)
        if country is None:
            nobodys.append(each)
        else:
            first.setdefault(country, each)
    for country, each in sorted(first.items(), key=lambda item: item[0]):
        if await countries.ban(unit, country=country):
            content = {
                "country": country,
                "code": each.failure.code,
                "meaning": each.failure.meaning,
                # Told again also where somebody had just opened it: no two of them are one.
                "at": unit.at.isoformat(),
            }
            await tell_staff(
                unit, kind="country_banned", campaign=each.row.campaign_id, content=content
            )
    return nobodys


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Closing:
    """A tap to close, and why: of a campaign, of a number, or with neither of all numbers."""

    campaign: CampaignId | None
    number: NumberId | None
    why: str
    if_repeated: bool

    @classmethod
    def by(cls, consequence: Consequence, stop: Stop) -> Self | None:
        """Return what *stop* closes; None: the message is of no campaign that could be stopped."""
        row = consequence.row
        campaign: CampaignId | None = None
        number: NumberId | None = None
        match stop.scope:
            case Scope.CAMPAIGN:
                if row.campaign_id is None:
                    return None
                campaign = row.campaign_id
            case Scope.NUMBER:
                number = row.number_id
            case Scope.ACCOUNT:
                pass
            case _:
                assert_never(stop.scope)
        return cls(
            campaign=campaign,
            number=number,
            why=consequence.failure.meaning,
            if_repeated=stop.if_repeated,
        )

    @property
    def place(self) -> tuple[bool, str]:
        """Where it comes: all numbers at once before single ones, those by their ids."""
        return self.number is not None, self.number or ""


def _closings(
    stops: Iterable[tuple[Consequence, Stop]],
) -> list[tuple[_Closing, datetime | None]]:
    """Return each tap once, with the latest time until which it is to be closed, in order."""
    latest: dict[_Closing, datetime | None] = {}
    for consequence, stop in stops:
        closing = _Closing.by(consequence, stop)
        if closing is None:
            continue
        until = None if stop.closed_for is None else consequence.at + stop.closed_for
        known = latest.get(closing, until)
        latest[closing] = None if known is None or until is None else max(known, until)
    return sorted(latest.items(), key=lambda item: item[0].place)


async def _close(unit: Unit, closing: _Closing, until: datetime | None) -> None:
    if closing.campaign is None:
        await close_numbers(unit, number=closing.number, until=until, why=closing.why)
    elif not closing.if_repeated or await unit.value(
        _SQL["keeps_failing"], campaign=closing.campaign
    ):
        await close_campaign(unit, campaign=closing.campaign, until=until, why=closing.why)
