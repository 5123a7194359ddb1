"""Upkeep: what is no longer needed is forgotten, in small slices; open work is never touched."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from engine.ids import MessageId
from engine.message import hour_of
from storage import blobs, places, revocations, slack_requests
from storage.database import Unit
from storage.imports import UNDOABLE
from storage.queries import load

KEEP_HOUSE: Final = "keep_house"

_SQL = load("upkeep")

_ROWS: Final = 1_000
_BLOBS: Final = 10  # of up to 20 MiB
_BODIES: Final = 50  # of up to 4 MiB
_FINISHED: Final = timedelta(days=7)
_UNREPLAYED: Final = timedelta(days=90)
_DELIVERED: Final = timedelta(days=30)
_HOURS: Final = timedelta(days=2)
# An event becomes a few posts at most, the further ones numbered.
_POSTS: Final = ("", *(f":{place}" for place in range(1, 10)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A round through all there is to tidy up, and how far it has come.

    Attributes:
        begun: Business time.
        before: What is older may be forgotten, a full hour; None: messages are kept for ever.
        chore: Which chore is next.
        after: The last message looked at; None: none yet.
        forgotten: Rows, so far.
    """

    begun: datetime
    before: datetime | None
    chore: int = 0
    after: MessageId | None = None
    forgotten: int = 0

    @property
    def done(self) -> bool:
        return self.chore >= len(_CHORES)


def round_at(at: datetime, *, retention: timedelta | None) -> Round:
    """Return a round that begins at *at*; *retention* None: messages are kept for ever."""
    # Full hours, because statistics are compared by the hour with the messages they count.
    return Round(begun=at, before=None if retention is None else hour_of(at - retention))


async def tidied(unit: Unit, *, round_: Round) -> Round:
    """Do one slice, well under 200 ms; return the round after it."""
    return await _CHORES[round_.chore](unit, round_)


async def _messages(unit: Unit, round_: Round) -> Round:
    if round_.before is None:
        return _next(round_)
    await unit.run(_SQL["keep_from"], before=round_.before)
    rows = await unit.rows(
        _SQL["messages_after"], after=round_.after or 0, before=round_.before, limit=_ROWS
    )
    over = [row["id"] for row in rows if row["over"]]
    gone = 0
    if over:
        gone = await unit.run(_SQL["forget_messages"], ids=over, before=round_.before)
    if len(rows) < _ROWS:
        return _next(round_, gone)
    return replace(round_, after=rows[-1]["id"], forgotten=round_.forgotten + gone)


async def _leaves(unit: Unit, round_: Round) -> Round:
    if round_.before is None:
        return _next(round_)
    dropped: bool = await unit.value(_SQL["drop_empty_leaf"], before=round_.before)
    return round_ if dropped else _next(round_)


async def _events(unit: Unit, round_: Round) -> Round:
    if round_.before is None:
        return _next(round_)
    row = await unit.row(
        _SQL["forget_events"], before=round_.before, further=list(_POSTS), limit=_ROWS
    )
    if row is None:
        raise AssertionError("counts without a row")
    return _after(round_, row["events"], limit=_ROWS)


async def _blobs(unit: Unit, round_: Round) -> Round:
    expired = await blobs.expired(unit, limit=_BLOBS)
    return _after(round_, await blobs.delete(unit, blobs=expired), limit=_BLOBS)


async def _import_rows(unit: Unit, round_: Round) -> Round:
    gone = await unit.run(
        _SQL["forget_import_rows"],
        before=round_.begun - _FINISHED,
        undoable=round_.begun - UNDOABLE,
        limit=_ROWS,
    )
    return _after(round_, gone, limit=_ROWS)


async def _import_samples(unit: Unit, round_: Round) -> Round:
    gone = await unit.run(
        _SQL["forget_import_samples"],
        before=round_.begun - _FINISHED,
        undoable=round_.begun - UNDOABLE,
        limit=_ROWS,
    )
    return _after(round_, gone, limit=_ROWS)


async def _exports(unit: Unit, round_: Round) -> Round:
    before = round_.begun - _DELIVERED
    gone = await unit.run(_SQL["forget_exports"], before=before, limit=_ROWS)
    return _after(round_, gone, limit=_ROWS)


async def _slack_requests(unit: Unit, round_: Round) -> Round:
    return _next(round_, await slack_requests.forget(unit))


async def _revocations(unit: Unit, round_: Round) -> Round:
    return _after(round_, await revocations.forget(unit, limit=_ROWS), limit=_ROWS)


async def _sending_hours(unit: Unit, round_: Round) -> Round:
    return _next(round_, await unit.run(_SQL["forget_sending_hours"], before=round_.begun - _HOURS))


async def _places(unit: Unit, round_: Round) -> Round:
    gone = await places.forget(unit, before=round_.begun - _HOURS, limit=_ROWS)
    return _after(round_, gone, limit=_ROWS)


async def _webhook_failures(unit: Unit, round_: Round) -> Round:
    gone = await unit.run(
        _SQL["forget_webhook_failures"],
        replayed=round_.begun - _FINISHED,
        received=round_.begun - _UNREPLAYED,
        limit=_BODIES,
    )
    return _after(round_, gone, limit=_BODIES)


def _oldest(query: str) -> "_Chore":
    """Return what forgets the oldest rows of a table."""

    async def chore(unit: Unit, round_: Round) -> Round:
        if round_.before is None:
            return _next(round_)
        gone = await unit.run(_SQL[query], before=round_.before, limit=_ROWS)
        return _after(round_, gone, limit=_ROWS)

    return chore


def _after(round_: Round, gone: int, *, limit: int) -> Round:
    """Return the round after a slice: a full one may have left more behind."""
    if gone < limit:
        return _next(round_, gone)
    return replace(round_, forgotten=round_.forgotten + gone)


def _next(round_: Round, gone: int = 0) -> Round:
    return replace(round_, chore=round_.chore + 1, forgotten=round_.forgotten + gone)


_Chore = Callable[[Unit, Round], Awaitable[Round]]
_CHORES: Final[tuple[_Chore, ...]] = (
    _messages,
    _leaves,
    _oldest("forget_inbound"),
    _oldest("forget_platform_events"),
    _oldest("forget_clicks"),
    _events,
    _blobs,
    _import_rows,
    _import_samples,
    _exports,
    _slack_requests,
    _revocations,
    _sending_hours,
    _places,
    _webhook_failures,
)
