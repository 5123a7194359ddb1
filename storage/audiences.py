"""Who is in an audience now, and who of them may be written to."""

from collections.abc import Collection, Sequence
from typing import Any

from engine.audience import Audience
from engine.campaign_ports import Reach
from engine.ids import ContactId
from engine.phone import Phone, twins
from engine.reasons import Reason
from storage.database import Unit
from storage.queries import load

_SQL = load("audiences")


async def contacts(unit: Unit, *, audience: Audience) -> list[ContactId]:
    """Return the contacts of an audience, sorted."""
    rows = await unit.rows(_SQL["contacts"], **_members(audience))
    return [row["id"] for row in rows]


async def reach(unit: Unit, *, audience: Audience, promotional: bool) -> Reach:
    """Return whom an audience reaches, by the consent of this moment."""
    last: ContactId | None = await unit.value(_SQL["last_contact"])
    rows = await unit.rows(_SQL["reach"], **_members(audience), promotional=promotional)
    counts = {row["reason"]: row["count"] for row in rows}
    return Reach(
        recipients=counts.pop("", 0),
        left_out={Reason(reason): counts[reason] for reason in sorted(counts)},
        last_contact=last,
        strangers=await strangers(unit, phones=audience.phones),
    )


def _members(audience: Audience) -> dict[str, Any]:
    return {
        "everyone": audience.everyone,
        "tags": audience.tags,
        "phones": with_twins(audience.phones),
        "drips": audience.drips,
        "broadcasts": audience.broadcasts,
    }


async def strangers(unit: Unit, *, phones: Sequence[Phone]) -> tuple[Phone, ...]:
    """Return those of *phones* that no contact has."""
    if not phones:
        return ()
    known = await unit.rows(_SQL["known_phones"], phones=with_twins(phones))
    reached = {row["value"] for row in known}
    return tuple(phone for phone in phones if not reached & {phone, *twins(phone)})


def with_twins(phones: Sequence[Phone]) -> list[Phone]:
    """Return phones and the other numbers that reach the same people."""
    return list(dict.fromkeys(each for phone in phones for each in (phone, *twins(phone))))


class ContactAttributes:
    """`engine.campaign_ports.Attributes`."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit

    async def names(self) -> Collection[str]:
        return [row["name"] for row in await self.unit.rows(_SQL["attributes"])]
