"""Messages in doubt: silence counts only after a positive control, then the policy decides."""

from collections.abc import Sequence

from engine.campaign import UnknownPolicy
from engine.ids import MessageId, OrganizationId
from engine.message import Message, State
from engine.reasons import Reason
from storage import doubts, effects, messages, planning
from storage.database import Unit
from worker.context import Worker
from worker.rules import SendingRules

_AT_ONCE = 500


async def reconcile(worker: Worker, organization: OrganizationId) -> bool:
    """Settle messages whose silence counts; return whether more are waiting."""
    rules = worker.rules[organization]
    return await worker.database.run(
        organization, worker.now(), lambda unit: _reconcile(unit, rules), owner=True
    )


async def _reconcile(unit: Unit, rules: SendingRules) -> bool:
    if not await planning.alone(unit, task="reconcile"):
        return False
    silent = await doubts.silent(
        unit,
        numbers=rules.number_ids,
        grace=rules.unknown_grace,
        policy=rules.unknown_policy,
        limit=_AT_ONCE,
    )
    await _resend(unit, silent.get(UnknownPolicy.RESEND, ()))
    await _drop(unit, silent.get(UnknownPolicy.DROP, ()))
    await _ask(unit, silent.get(UnknownPolicy.ASK, ()), why="silence")
    uncontrolled = await doubts.uncontrolled(unit, numbers=rules.number_ids, limit=_AT_ONCE)
    await _ask(unit, [message for message, _ in uncontrolled], why="nothing_heard")
    return sum(map(len, silent.values())) >= _AT_ONCE


async def _resend(unit: Unit, ids: Sequence[MessageId]) -> None:
    if not ids:
        return
    rows = (await messages.locked(unit, ids)).values()
    doubtful = [row for row in rows if row.message.state is State.UNKNOWN]
    await messages.save(
        unit, [(row, row.with_message(_again(row.message, unit))) for row in doubtful]
    )
    await doubts.note_resent(unit, ids=[row.message.id for row in doubtful])


def _again(message: Message, unit: Unit) -> Message:
    return message.queued_again(
        due_at=unit.at,
        failed_at=unit.at,
        code=None,
        error="no answer, and silence after a later call was heard of",
        burns=False,
    )


async def _drop(unit: Unit, ids: Sequence[MessageId]) -> None:
    if not ids:
        return
    rows = (await messages.locked(unit, ids)).values()
    await messages.save(
        unit,
        [
            (
                row,
                row.with_message(
                    row.message.given_up(
                        at=unit.at, reason=Reason.UNANSWERED, code=None, error=None
                    )
                ),
            )
            for row in rows
            if row.message.state is State.UNKNOWN
        ],
    )


async def _ask(unit: Unit, ids: Sequence[MessageId], *, why: str) -> None:
    """Leave messages to staff, and tell them how many there are of each campaign."""
    if not ids:
        return
    rows = (await messages.locked(unit, ids)).values()
    await doubts.leave_to_staff(unit, ids=ids)
    for campaign in {row.campaign_id for row in rows}:
        count = sum(row.campaign_id == campaign for row in rows)
        await effects.tell_staff(
            unit, kind="messages_in_doubt", campaign=campaign, content={"count": count, "why": why}
        )
