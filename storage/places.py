"""Places under the limits on unique contacts: counted, taken in a claim, given back with it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from engine.ids import CampaignId, ContactId, MessageId, OrganizationId
from engine.places import Cap, Places, Span
from storage.database import Unit
from storage.queries import load

_SQL = load("places")


async def lock(unit: Unit, *, home: OrganizationId, cap: Cap) -> None:
    """Keep everybody else from counting under *cap* until this commits.

    Args:
        home: In whose rows it is counted: the first organization of a portfolio, else its own.
    """
    await unit.run(_SQL["lock"], organization=home, cap=cap)


async def counted(unit: Unit, *, home: OrganizationId, cap: Cap, limit: int, span: Span) -> Places:
    """Return what is taken of *limit*; nobody's place is known yet."""
    rows = await unit.rows(_SQL["counts"], organization=home, cap=cap, since=span.since)
    counts = {row["bucket"]: row["count"] for row in rows}
    return Places(cap=cap, limit=limit, span=span, counts=counts)


async def holders(
    unit: Unit, *, places: Places, contacts: Collection[ContactId]
) -> dict[ContactId, datetime]:
    """Return those of *contacts* that have a place, with its bucket."""
    rows = await unit.rows(
        _SQL["holders"], cap=places.cap, contacts=sorted(contacts), since=places.span.since
    )
    return {row["contact_id"]: row["bucket"] for row in rows}


async def take(unit: Unit, *, home: OrganizationId, places: Places) -> None:
    """Write down what a claim took, under the lock."""
    if not places.taken:
        return
    contacts = sorted(places.taken)
    await unit.run(
        _SQL["take"],
        cap=places.cap,
        bucket=places.span.bucket,
        contacts=contacts,
        uses=[places.taken[each] for each in contacts],
    )
    await _count(unit, home=home, cap=places.cap, changes=places.changes())


async def give_back(
    unit: Unit,
    *,
    home: OrganizationId,
    cap: Cap,
    span: Span,
    uses: Mapping[ContactId, int],
) -> None:
    """Take back what a claim counted in the bucket of *span*, under the lock.

    Args:
        uses: By contact, how many messages.
    """
    contacts = sorted(uses)
    rows = await unit.rows(
        _SQL["give_back"],
        cap=cap,
        bucket=span.bucket,
        since=span.since,
        contacts=contacts,
        uses=[uses[each] for each in contacts],
    )
    changes = {row["bucket"]: row["change"] for row in rows if row["change"]}
    await _count(unit, home=home, cap=cap, changes=changes)


async def _count(
    unit: Unit, *, home: OrganizationId, cap: Cap, changes: Mapping[datetime, int]
) -> None:
    if changes:
        await unit.run(
            _SQL["count"],
            organization=home,
            cap=cap,
            buckets=list(changes),
            changes=list(changes.values()),
        )


async def hold(unit: Unit, *, campaigns: Collection[CampaignId], until: datetime, why: Cap) -> None:
    """Close the taps of campaigns, which are locked, until there may be a place."""
    await unit.run(_SQL["hold"], ids=sorted(campaigns), until=until, why=why)


async def put_off(unit: Unit, *, messages: Collection[MessageId], until: datetime) -> None:
    """Let messages, which are locked, wait until there may be a place."""
    await unit.run(_SQL["put_off"], ids=sorted(messages), until=until)


async def lock_held(unit: Unit, *, whys: Sequence[Cap], messages: Collection[MessageId]) -> None:
    """Lock what :func:`open_held` opens, with the campaigns of *messages* that have a daily cap."""
    await unit.rows(_SQL["lock_held"], whys=list(whys), ids=sorted(messages))


async def open_held(unit: Unit, *, whys: Sequence[Cap]) -> None:
    """Open the taps of campaigns that wait for a place: the next claim looks again."""
    await unit.run(_SQL["open_held"], whys=list(whys))


async def forget(unit: Unit, *, before: datetime, limit: int) -> int:
    """Forget places of before *before*; return how many."""
    gone: int = await unit.value(_SQL["forget"], before=before, limit=limit)
    return gone
