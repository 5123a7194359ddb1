"""Making the list of a static segment as its definition has it now."""

from collections import Counter
from collections.abc import Sequence

from engine.errand import Errand, Kind
from engine.ids import ContactId, ListId
from engine.usecases.keep_segment import Segment
from storage import errands, members
from storage.database import Unit
from storage.errand_acts import carry_out, finish


def errand(segment: Segment) -> Errand:
    """Return what has the worker do it, for whom :func:`differing` says."""
    return Errand(kind=Kind.REFRESH, subject=str(_list(segment)))


async def differing(unit: Unit, segment: Segment) -> list[int]:
    """Return who is to come onto the list, and by the negative of their ids who is to go."""
    return await members.differing(unit, definition=segment.definition, list_id=_list(segment))


async def refill(unit: Unit, segment: Segment, signed: Sequence[int], *, by: str) -> Counter[str]:
    """Do it now; return how many came and went."""
    wanted = errand(segment)
    ids = [ContactId(each) for each in signed]
    counts = await carry_out(unit, wanted, ids, by=by, asked_at=unit.at)
    await finish(unit, wanted, by=by, since=unit.at)
    return counts


async def pending(unit: Unit, segment: Segment) -> bool:
    """Whether the worker is at it; the caller holds the segment's lock."""
    wanted = errand(segment)
    return any(each.errand == wanted for each in await errands.under_way(unit, limit=None))


def _list(segment: Segment) -> ListId:
    if segment.list_id is None:
        raise AssertionError("only a static segment has a list")
    return segment.list_id
