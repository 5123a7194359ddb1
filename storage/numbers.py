"""Our own WhatsApp numbers as they stand, and the messages of those we no longer have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from engine.ids import NumberId
from engine.phone import Phone
from engine.places import Cap
from storage import effects, places, template_sync
from storage.database import Unit
from storage.leases import EXPIRY_S
from storage.listener import WAKE
from storage.queries import load

AVAILABLE = "AVAILABLE"
"""Of a number whose sending nothing limits."""

_SQL = load("numbers")


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberState:
    """A number.

    Attributes:
        messages_per_second: What the platform reports; None: nothing yet.
        closed_until: Its tap is closed until then, year 9999: until a person opens it; None: open.
        can_send: What the platform says of its health, such as AVAILABLE; None: nothing yet.
        reasons: Why it is limited or blocked, in the platform's words.
    """

    id: NumberId
    phone: str
    messages_per_second: int | None
    quality: str
    messaging_limit: str | None
    verified_name: str | None
    closed_until: datetime | None
    closed_why: str | None
    can_send: str | None
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationTap:
    """Why no number of the organization sends for now."""

    until: datetime
    why: str | None


async def states(unit: Unit) -> dict[NumberId, NumberState]:
    """Return the numbers the platform has been asked about, also those no longer configured."""
    return {row["id"]: NumberState(**dict(row)) for row in await unit.rows(_SQL["states"])}


async def save_account(
    unit: Unit,
    *,
    number: NumberId,
    phone: Phone,
    messages_per_second: int | None,
    quality: str | None,
    messaging_limit: str | None,
    verified_name: str | None,
    can_send: str | None,
    reasons: Sequence[str],
) -> None:
    """Take over what the platform says of a number now, and tell staff of its health.

    Campaigns that wait for a place look again where the messaging limit is another. What the
    platform leaves out (None) is as before.
    """
    before = await unit.row(_SQL["account"], number=number)
    if messaging_limit is not None and (before is None or before["limit"] != messaging_limit):
        await places.open_held(unit, whys=[Cap.MESSAGING_LIMIT])
    await template_sync.save_number(
        unit,
        number=number,
        phone=phone,
        messages_per_second=messages_per_second,
        quality=quality,
        messaging_limit=messaging_limit,
        verified_name=verified_name,
        account={"can_send": can_send, "reasons": list(reasons)},
    )
    await wake(unit, number=number)
    known = before["can_send"] if before else None
    if can_send is not None and can_send != (known or AVAILABLE):
        await effects.tell_staff(
            unit,
            kind="number_health",
            campaign=None,
            content={"number": number, "can_send": can_send, "reasons": list(reasons)},
        )


async def wake(unit: Unit, *, number: NumberId) -> None:
    """Let the lane of *number* look at once: it reads how fast it may go before it claims."""
    payload = {"organization": unit.organization, "number": number}
    await unit.notify(WAKE, orjson.dumps(payload).decode())


async def organization_tap(unit: Unit) -> OrganizationTap | None:
    """Return the closed tap of the organization; None: it is open."""
    row = await unit.row(_SQL["organization_tap"])
    if row is None:
        return None
    return OrganizationTap(until=row["closed_until"], why=row["closed_why"])


async def know(unit: Unit, *, phones: Mapping[NumberId, str]) -> None:
    """Note the configured numbers with their phones (E.164); none is ever forgotten."""
    await unit.run(_SQL["know"], ids=list(phones), phones=list(phones.values()))


async def strays(unit: Unit, *, configured: Sequence[NumberId]) -> list[NumberId]:
    """Return numbers no longer configured, on which nobody sends, with messages waiting."""
    rows = await unit.rows(_SQL["strays"], configured=configured, expiry_s=EXPIRY_S)
    return [row["id"] for row in rows]


async def move(unit: Unit, *, number: NumberId, configured: Sequence[NumberId], limit: int) -> int:
    """Let messages queued for *number* wait for a configured one; return how many.

    Args:
        configured: In the order of the configuration; the first takes what no campaign and no
            contact has a number for.
    """
    return await unit.run(
        _SQL["move"],
        number=number,
        configured=configured,
        standard=configured[0],
        limit=limit,
    )
