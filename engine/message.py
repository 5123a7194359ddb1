"""The life of one outbound message: states, what moves it, and what it counts for.

An *attempt* is one call to WhatsApp. Within an attempt states only move forward; reports may come
late, repeated and in any order, and lead to the same row.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Self

from engine.ids import MessageId, NumberId
from engine.reasons import Reason


class State(StrEnum):
    QUEUED = "queued"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    DEAD = "dead"


OPEN = frozenset({State.QUEUED, State.CLAIMED, State.UNKNOWN, State.FAILED})
PROGRESS = (State.ACCEPTED, State.SENT, State.DELIVERED, State.READ)
_RANK = {state: rank for rank, state in enumerate(PROGRESS, start=1)}
GOT_IT = frozenset({State.DELIVERED, State.READ})
_UNDECIDED = frozenset({State.ACCEPTED, State.SENT})

TRANSITIONS: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.CLAIMED, State.SKIPPED, State.CANCELLED, State.DEAD, *PROGRESS}),
    State.CLAIMED: frozenset(
        {State.QUEUED, State.UNKNOWN, State.DEAD, State.SKIPPED, State.CANCELLED, *PROGRESS}
    ),
    State.UNKNOWN: frozenset({State.QUEUED, State.DEAD, State.SKIPPED, State.CANCELLED, *PROGRESS}),
    State.ACCEPTED: frozenset(
        {State.SENT, State.DELIVERED, State.READ, State.QUEUED, State.DEAD, State.CANCELLED}
    ),
    State.SENT: frozenset({State.DELIVERED, State.READ, State.QUEUED, State.DEAD, State.CANCELLED}),
    State.DELIVERED: frozenset({State.READ}),
    State.READ: frozenset(),
    State.SKIPPED: frozenset(PROGRESS),
    State.CANCELLED: frozenset(PROGRESS),
    State.DEAD: frozenset({State.QUEUED, *PROGRESS}),
}
"""Which state may follow which. Late reports raise even what was given up. A failure is decided at
once, so no row is ever seen in `failed`."""


def callback_data(message: MessageId, attempt: int) -> str:
    """Return what WhatsApp echoes in every status of this attempt.

    >>> callback_data(MessageId(7), 2)
    'd:7:2'
    """
    return f"d:{message}:{attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What changes about a message after it was planned. Times are business time, UTC.

    Attributes:
        attempt: 0 before the first call; the number of the call under way or last made.
        tries: Calls that failed and count against the retries; deferrals do not.
        anew_after: How many attempts there were when staff last had it tried anew; 0: they did not.
        failed_attempt: The last attempt known to have failed; 0: none.
        planned_at: The second in its id, when it was due.
    """

    id: MessageId
    state: State
    planned_at: datetime
    attempt: int
    tries: int = 0
    anew_after: int = 0
    failed_attempt: int = 0
    due_at: datetime
    reason: Reason | None = None
    accepted_at: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    replied_at: datetime | None = None
    failed_at: datetime | None = None
    settled_at: datetime | None = None
    wamid: str | None = None
    error_code: int | None = None
    error: str | None = None
    doubled: int = 0

    def progressed(
        self, state: State, *, at: datetime, attempt: int, wamid: str | None = None
    ) -> Self:
        """Return the row once *state* (one of PROGRESS) of *attempt* was reported as of *at*.

        Raises what was queued again, given up, skipped or cancelled meanwhile: the person has it.
        """
        reached = _RANK[state]
        got_it = state in GOT_IT
        # Of an attempt that failed, only that it arrived after all tells more than the failure.
        outranked = attempt <= self.failed_attempt and not got_it
        # A second call for the same message was accepted too: two messages reached one person.
        again = self.state in PROGRESS and None is not wamid != self.wamid is not None
        ahead = self.state if _RANK.get(self.state, 0) >= reached else state
        raised = replace(
            self,
            state=self.state if outranked else ahead,
            reason=self.reason if outranked else None,
            settled_at=self.settled_at if outranked else None,
            attempt=max(self.attempt, attempt),
            accepted_at=_earliest(self.accepted_at, at),
            sent_at=_earliest(self.sent_at, at) if reached > 1 else self.sent_at,
            # The id of the last call, so that it does not depend on what was heard first.
            wamid=wamid if wamid and attempt >= self.attempt else self.wamid or wamid,
            doubled=max(self.doubled, int(again and not outranked)),
        )
        if not got_it:
            return raised
        return replace(
            raised,
            delivered_at=_earliest(self.delivered_at, at),
            read_at=_earliest(self.read_at, at) if state is State.READ else self.read_at,
            # As if the failure had never been heard of: had it come later, it would not have been.
            tries=0,
            failed_attempt=min(self.failed_attempt, attempt - 1),
            failed_at=None,
            error_code=None,
            error=None,
        )

    def may_fail(self, attempt: int) -> bool:
        """Whether a failure of *attempt* is news: it is of the last call, and nothing arrived."""
        return (
            attempt == self.attempt
            and attempt > self.failed_attempt
            and self.state in {State.QUEUED, State.CLAIMED, State.UNKNOWN, *_UNDECIDED}
        )

    def claimed(self, attempt: int) -> Self:
        return replace(self, state=State.CLAIMED, attempt=attempt)

    def ended(self, state: State, *, at: datetime, reason: Reason) -> Self:
        """Return the row skipped or cancelled: it was not sent, and will not be."""
        return replace(self, state=state, reason=reason, settled_at=at)

    def doubtful(self) -> Self:
        """Return the row whose call may have left without an answer."""
        return replace(self, state=State.UNKNOWN)

    def queued_again(
        self, *, due_at: datetime, failed_at: datetime, code: int | None, error: str, burns: bool
    ) -> Self:
        """Return the row queued for another call; the claim counts the attempt up.

        Args:
            code: Of the failure of the last call; see `failed` for one that has none.
            burns: Whether the call counts against the retries.
        """
        return replace(
            self,
            state=State.QUEUED,
            reason=None,
            due_at=due_at,
            tries=self.tries + burns,
            failed_at=_earliest(self.failed_at, failed_at),
            error_code=code,
            error=error,
        )

    def tried_anew(self, *, at: datetime) -> Self:
        """Return the row that was given up, queued with all its retries before it again.

        The attempt goes on counting, so that reports of earlier calls stay theirs.
        """
        return replace(
            self,
            state=State.QUEUED,
            reason=None,
            due_at=at,
            tries=0,
            anew_after=self.attempt,
            settled_at=None,
        )

    def given_up(
        self, *, at: datetime, reason: Reason, code: int | None, error: str | None
    ) -> Self:
        return replace(
            self,
            state=State.DEAD,
            reason=reason,
            failed_at=_earliest(self.failed_at, at),
            settled_at=at,
            error_code=code,
            error=error,
        )

    def contributions(self) -> Iterator[tuple[datetime, str]]:
        """Yield (hour, metric) for all this row counts for in the campaign's statistics."""
        planned = hour_of(self.planned_at)
        hour = hour_of(self.accepted_at) if self.accepted_at else planned
        yield planned, "planned"
        if self.accepted_at:
            yield hour, "accepted"
        if self.sent_at:
            yield hour, "sent"
        if self.delivered_at:
            yield hour, "delivered"
        if self.read_at:
            yield hour, "read"
        if self.replied_at:
            yield hour, "replied"
        if self.accepted_at and self.state not in PROGRESS:
            # Accepted and failed after all: without it nobody could tell from counts what is open.
            yield hour, "returned"
            if not self.sent_at:
                # Without it nobody could tell from counts what WhatsApp never spoke of.
                yield hour, "unsent"
        if self.state is State.DEAD:
            yield hour, "dead"
        elif self.state in {State.SKIPPED, State.CANCELLED}:
            yield hour, f"{self.state}:{self.reason}"


class Progress(NamedTuple):
    """What several reports of one attempt come to together: how far it got, and since when.

    Attributes:
        number_id: That it was sent from.
        state: SENT, DELIVERED or READ.
    """

    id: MessageId
    attempt: int
    number_id: NumberId
    wamid: str
    state: State
    sent_at: datetime
    delivered_at: datetime | None = None
    read_at: datetime | None = None

    @classmethod
    def reported(
        cls,
        id_: MessageId,
        state: State,
        *,
        at: datetime,
        attempt: int,
        number_id: NumberId,
        wamid: str,
    ) -> Self:
        """Return what one report says; *state* as in :class:`Progress`."""
        got_it, read = state in GOT_IT, state is State.READ
        return cls(
            id=id_,
            attempt=attempt,
            number_id=number_id,
            wamid=wamid,
            state=state,
            sent_at=at,
            delivered_at=at if got_it else None,
            read_at=at if read else None,
        )

    def of_call_of(self, other: Self) -> bool:
        """Whether both speak of one call."""
        return self[:4] == other[:4]

    def with_(self, other: Self) -> Self:
        """Return what both say of the same call, whichever was heard first."""
        return self._replace(
            state=max(self.state, other.state, key=_RANK.__getitem__),
            sent_at=min(self.sent_at, other.sent_at),
            delivered_at=_first(self.delivered_at, other.delivered_at),
            read_at=_first(self.read_at, other.read_at),
        )


def _first(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(filter(None, (one, other)), default=None)


def hour_of(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _earliest(known: datetime | None, reported: datetime) -> datetime:
    return reported if known is None else min(known, reported)


SETTLING = timedelta(seconds=10)
"""A broadcast is completed this long after its last open row settled."""
