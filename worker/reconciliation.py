"""Messages in doubt: silence counts only after a positive control, then the policy decides."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain

from engine.campaign import UnknownPolicy
from engine.ids import OrganizationId
from engine.message import Message, State
from engine.reasons import Reason
from engine.sending_rules import SendingRules
from storage import doubts, effects, messages, planning, restores
from storage.database import Unit
from storage.messages import Row
from worker.context import Worker

_AT_ONCE = 500


async def reconcile(worker: Worker, organization: OrganizationId) -> bool:
    """Settle messages whose silence counts; return whether more are waiting."""
    rules = worker.rules[organization]
    return await worker.database.run(
        organization, worker.now(), lambda unit: _reconcile(unit, rules), owner=True
    )


async def _reconcile(unit: Unit, rules: SendingRules) -> bool:
    if await restores.moved(unit) or not await planning.alone(unit, task="reconcile"):
        return False
    silent = await doubts.silent(
        unit,
        grace=rules.unknown_grace,
        policy=rules.unknown_policy,
        limit=_AT_ONCE,
    )
    uncontrolled = await doubts.uncontrolled(unit, limit=_AT_ONCE)
    asked = {
        **dict.fromkeys((message for message, _ in uncontrolled), "nothing_heard"),
        **dict.fromkeys(silent.get(UnknownPolicy.ASK, ()), "silence"),
    }
    again = silent.get(UnknownPolicy.RESEND, ())
    campaigns = await messages.keep_campaigns(unit, again)
    # All at once, because locks are taken in the order of keys, and messages before statistics.
    rows = {
        message: row
        for message, row in (
            await messages.locked(unit, {*chain.from_iterable(silent.values()), *asked})
        ).items()
        if row.message.state is State.UNKNOWN
    }
    resent = [rows[each] for each in again if each in rows]
    dropped = [rows[each] for each in silent.get(UnknownPolicy.DROP, ()) if each in rows]
    await messages.save(
        unit,
        [
            *((row, row.with_message(_again(row.message, unit))) for row in resent),
            *((row, row.with_message(_given_up(row.message, unit))) for row in dropped),
        ],
        campaigns=campaigns,
    )
    await doubts.note_resent(unit, ids=[row.message.id for row in resent])
    await _ask(unit, [(rows[each], why) for each, why in asked.items() if each in rows])
    return sum(map(len, silent.values())) >= _AT_ONCE


def _again(message: Message, unit: Unit) -> Message:
    return message.queued_again(
        due_at=unit.at,
        failed_at=unit.at,
        code=None,
        error="no answer, and silence after a later call was heard of",
        burns=False,
    )


def _given_up(message: Message, unit: Unit) -> Message:
    return message.given_up(at=unit.at, reason=Reason.UNANSWERED, code=None, error=None)


async def _ask(unit: Unit, asked: Sequence[tuple[Row, str]]) -> None:
    """Leave messages to staff, and tell them how many there are of each campaign."""
    if not asked:
        return
    await doubts.leave_to_staff(unit, ids=[row.message.id for row, _ in asked])
    counts = Counter((row.campaign_id, why) for row, why in asked)
    for (campaign, why), count in sorted(counts.items(), key=str):
        content = {"count": count, "why": why, "at": unit.at.isoformat()}
        await effects.tell_staff(unit, kind="messages_in_doubt", campaign=campaign, content=content)
