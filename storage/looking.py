"""What is read to look ahead: of contacts all that decides about a message, without any lock."""

from collections.abc import Collection, Sequence

from engine.consent import FIELD, Consent
from engine.foresight import Facts, Used
from engine.ids import CampaignId, ContactId, NumberId
from engine.message import hour_of
from storage import planning
from storage.database import Unit
from storage.queries import load

_SQL = load("looking")


async def facts(
    unit: Unit,
    *,
    contacts: Sequence[ContactId],
    number: NumberId | None,
    numbers: Sequence[NumberId],
    tags: Collection[str] = (),
) -> list[Facts]:
    """Return what is known of contacts, by id.

    Args:
        number: The campaign's; None: each contact's last of *numbers*, else the first of them.
        tags: Those that are asked for.
    """
    tagged = await planning.tags_asked(unit, tags=tags, contacts=contacts) if tags else {}
    rows = await unit.rows(
        _SQL["facts"],
        contacts=contacts,
        number=number if number in numbers else None,
        numbers=numbers,
        standard_number=numbers[0],
    )
    found: list[Facts] = []
    for row in rows:
        known = dict(row)
        consent = Consent(**{name: known.pop(name) for name in FIELD.values()})
        own = frozenset(tagged.get(known["contact_id"], ()))
        found.append(Facts(**known, consent=consent, tags=own))
    return found


async def used(unit: Unit, *, campaign: CampaignId) -> Used:
    """Return what is used of a campaign's caps at this moment."""
    row = await unit.row(_SQL["used"], campaign=campaign, hour=hour_of(unit.at))
    return Used() if row is None else Used(**dict(row))
