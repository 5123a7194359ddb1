"""Results of calls, recorded in bulk: rows, stats, enrollments, and what failures lead to."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, assert_never

from engine.ids import MessageId
from engine.message import State
from engine.outcome import Failed, failed
from engine.phone import country_of
from storage import doubts, effects, media, messages
from storage.database import Unit
from storage.effects import Consequence
from storage.messages import Row, Taken
from worker.claimed import Call
from worker.whatsapp.client import Accepted, Doubtful, NotSent, Outcome, Refused

RETRY_NOT_SENT = timedelta(seconds=2)

_FILE_UNKNOWN = frozenset({131009, 131053})
"""What WhatsApp says of a file's id it has forgotten. Source: Meta, "Error codes"."""


class Result(NamedTuple):
    """How one call ended, at the business time *at*."""

    call: Call
    outcome: Outcome
    at: datetime


def taken(results: Iterable[Result]) -> list[Taken]:
    """Return those of *results* that went as most do."""
    return [
        Taken(
            id=call.message.id,
            attempt=call.message.attempt,
            campaign_id=call.message.campaign_id,
            step_id=call.message.step_id,
            run_id=call.message.run_id if call.message.enrolled else None,
            accepted_at=at,
            wamid=outcome.wamid,
        )
        for call, outcome, at in results
        if isinstance(outcome, Accepted) and not outcome.held
    ]


async def record(unit: Unit, results: Sequence[Result]) -> None:
    """Record how calls ended, whatever became of the lease under which they were made.

    A status webhook may have been faster, or the row taken for lost: both are merged. Recording a
    result twice changes nothing.
    """
    held = {
        result.call.template
        for result in results
        if isinstance(result.outcome, Accepted) and result.outcome.held and result.call.template
    }
    if held:
        # First: whoever closes a campaign for its template has the template before the campaign.
        await doubts.note_held(unit, templates=held)
    campaigns = await effects.prepare(unit, _failing(results), again=_not_sent(results))
    rows = await messages.locked(unit, (result.call.message.id for result in results))
    retired = await _retired(unit, results)
    changes: list[tuple[Row, Row]] = []
    consequences: list[Consequence] = []
    for result in results:
        before = rows.get(result.call.message.id)
        if before is None:
            continue
        after, consequence = _merged(before, result, retired)
        changes.append((before, after))
        if consequence is not None:
            consequences.append(consequence)
    await messages.save(unit, changes, campaigns=campaigns)
    await effects.apply(unit, consequences)


def _failing(results: Sequence[Result]) -> list[tuple[MessageId, int | None]]:
    return [
        (result.call.message.id, result.outcome.code)
        for result in results
        if isinstance(result.outcome, Refused)
    ]


def _not_sent(results: Sequence[Result]) -> list[MessageId]:
    return [result.call.message.id for result in results if isinstance(result.outcome, NotSent)]


async def _retired(unit: Unit, results: Sequence[Result]) -> frozenset[str]:
    """Ask for new ids of files the platform no longer knows; return the old ones.

    An id refused soon after its upload is none of them: then the file itself is not taken.
    """
    suspects = {
        (result.call.message.number_id, result.call.file_id)
        for result in results
        if isinstance(result.outcome, Refused)
        and result.outcome.code in _FILE_UNKNOWN
        and result.call.file_id is not None
    }
    return frozenset(
        [
            file_id
            for number, file_id in sorted(suspects)
            if await media.retire(unit, number=number, platform_id=file_id)
        ]
    )


def _merged(row: Row, result: Result, retired: Collection[str]) -> tuple[Row, Consequence | None]:
    message = row.message
    attempt = result.call.message.attempt
    # Unknown: a later holder of the lane took the call for lost.
    undecided = message.state in {State.CLAIMED, State.UNKNOWN} and message.attempt == attempt
    match result.outcome:
        case Accepted(wamid=wamid):
            accepted = message.progressed(
                State.ACCEPTED, at=result.at, attempt=attempt, wamid=wamid
            )
            return row.with_message(accepted), None
        case Refused(details=details, title=title, code=code) if result.call.file_id in retired:
            if not undecided:
                return row, None
            again = message.queued_again(
                due_at=result.at + RETRY_NOT_SENT,
                failed_at=result.at,
                code=code,
                error=details or title or "The file's id was no longer known.",
                burns=False,
            )
            return row.with_message(again), None
        case Refused() as refused:
            return _refused(row, refused, result)
        case NotSent(reason=reason):
            if not undecided:
                return row, None
            again = message.queued_again(
                due_at=result.at + RETRY_NOT_SENT,
                failed_at=result.at,
                code=None,
                error=reason,
                burns=False,
            )
            return row.with_message(again), None
        case Doubtful():
            return row.with_message(message.doubtful()) if undecided else row, None
        case _:
            assert_never(result.outcome)


def _refused(row: Row, refused: Refused, result: Result) -> tuple[Row, Consequence | None]:
    phone = result.call.phone
    verdict = failed(
        row.message,
        attempt=result.call.message.attempt,
        code=refused.code,
        error=refused.details or refused.title or f"HTTP {refused.http}",
        at=result.at,
        country=country_of(phone) if phone else None,
        regain=refused.regain,
    )
    match verdict:
        case None:
            return row, None
        case Failed(message=message, failure=failure, effects=following):
            consequence = Consequence(row=row, failure=failure, effects=following, at=result.at)
            return row.with_message(message), consequence
