"""Statuses: merge what WhatsApp reports about our messages, in any order and repetition."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from engine import outcome
from engine.failure_codes import FILE_NOT_TAKEN
from engine.ids import ContactId, MessageId
from engine.message import Message, Progress, State
from engine.phone import country_of
from engine.ports import FailedMessage, Known, Reports
from engine.updates import ReportedStatus, StatusReport

_PROGRESS: Final = {
    ReportedStatus.SENT: State.SENT,
    ReportedStatus.DELIVERED: State.DELIVERED,
    ReportedStatus.READ: State.READ,
    ReportedStatus.PLAYED: State.READ,  # a voice note
}


def progress_of(statuses: Iterable[StatusReport], *, at: datetime) -> list[Progress]:
    """Return what *statuses*, heard at *at*, say of messages that only got on, one of each.

    Without those of which something else is said too, and those that do not carry our mark.
    """
    got_on: dict[MessageId, Progress] = {}
    others: set[MessageId] = set()
    for status in statuses:
        if status.callback is None:
            continue
        id_ = status.callback.message_id
        state = _PROGRESS.get(status.status)
        if state is None:
            others.add(id_)
            continue
        said = Progress.reported(
            id_,
            state,
            at=status.at or at,
            attempt=status.callback.attempt,
            number_id=status.number_id,
            wamid=status.wamid,
        )
        before = got_on.get(id_)
        if before is None:
            got_on[id_] = said
        elif said.of_call_of(before):
            got_on[id_] = before.with_(said)
        else:
            others.add(id_)
    return [each for id_, each in got_on.items() if id_ not in others]


async def record_statuses(
    statuses: Sequence[StatusReport], *, at: datetime, reports: Reports
) -> None:
    """Record *statuses*, heard at *at*; those of messages that are not ours are ignored."""
    told = [status for status in statuses if status.status is not ReportedStatus.UNKNOWN]
    ours = await _ours(told, reports)
    if not ours:
        return
    reached = _reached(ours, at)
    failing = [(known.id, _code(each)) for known, each in ours if each.status not in _PROGRESS]
    if failing:
        await reports.prepare(failing, reached=reached)
    if reached:
        await reports.reached(reached)
    ids = {known.id for known, _ in ours}
    doubted: Sequence[MessageId] = ()
    if any(known.doubts for known, _ in ours):
        doubted = await reports.doubted_before(
            {known.id for known, each in ours if _last(known, each)}
        )
    rows = await reports.lock({*ids, *doubted})
    messages = {id_: row.message for id_, row in rows.items() if id_ in ids}
    failed: list[FailedMessage] = []
    renewed = await _renewed(ours, messages, reports)
    for known, status in ours:
        before = messages.get(known.id)
        if before is None:
            continue  # left with its leaf meanwhile
        messages[known.id] = _merged(before, status, at, failed, renewed=known.id in renewed)
    await reports.save(messages.values())
    if doubted:
        await reports.control(doubted)
    if failed:
        await reports.follow(failed)


async def _ours(
    statuses: Sequence[StatusReport], reports: Reports
) -> list[tuple[Known, StatusReport]]:
    """Pair each status with its message: by our mark on the call, else by the platform's id."""
    known = await reports.known(
        ids={status.callback.message_id for status in statuses if status.callback},
        wamids={status.wamid for status in statuses if status.callback is None},
    )
    by_id = {each.id: each for each in known}
    by_wamid = {each.wamid: each for each in known}
    paired = []
    for status in statuses:
        found = (
            by_id.get(status.callback.message_id) if status.callback else by_wamid.get(status.wamid)
        )
        if found is not None and _is_ours(found, status):
            paired.append((found, status))
    return paired


def _is_ours(known: Known, status: StatusReport) -> bool:
    """Whether we made the call: another tool on the same account may mark its own in our way."""
    made = status.callback is None or status.callback.attempt <= known.attempt
    return made and known.number_id == status.number_id


def _last(known: Known, status: StatusReport) -> bool:
    """Whether *status* is about the call whose claim the row remembers."""
    return status.callback is None or status.callback.attempt == known.attempt


def _reached(
    ours: Iterable[tuple[Known, StatusReport]], at: datetime
) -> Mapping[ContactId, datetime]:
    # Only where it makes a difference: a write per status would double the work.
    reached: dict[ContactId, datetime] = {}
    for known, status in ours:
        if known.unreachable and status.status in _PROGRESS:
            when = status.at or at
            reached[known.contact_id] = max(reached.get(known.contact_id, when), when)
    return reached


def _code(status: StatusReport) -> int | None:
    return status.error.code if status.error else None


async def _renewed(
    ours: Iterable[tuple[Known, StatusReport]],
    messages: Mapping[MessageId, Message],
    reports: Reports,
) -> Collection[MessageId]:
    """Ask for new ids of the files that failed; return the messages worth another try."""
    failing = [
        known.id
        for known, status in ours
        if status.status not in _PROGRESS
        and _code(status) == FILE_NOT_TAKEN
        and (message := messages.get(known.id)) is not None
        and message.may_fail(_attempt(message, status))
    ]
    return await reports.renew_files(failing) if failing else ()


def _attempt(message: Message, status: StatusReport) -> int:
    return status.callback.attempt if status.callback else message.attempt


def _merged(
    message: Message,
    status: StatusReport,
    at: datetime,
    failed: list[FailedMessage],
    *,
    renewed: bool,
) -> Message:
    attempt = _attempt(message, status)
    when = status.at or at
    progress = _PROGRESS.get(status.status)
    if progress is not None:
        return message.progressed(progress, at=when, attempt=attempt, wamid=status.wamid)
    phone = status.recipient.phone if status.recipient else None
    error = status.error
    verdict = outcome.failed(
        message,
        attempt=attempt,
        code=_code(status),
        error=(error.details or error.title or "") if error else "",
        at=when,
        country=country_of(phone) if phone else None,
        renewed=renewed,
    )
    if verdict is None:
        return message
    failed.append(
        FailedMessage(message=message.id, failure=verdict.failure, effects=verdict.effects, at=when)
    )
    return verdict.message
