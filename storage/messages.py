"""Changing messages: rows, statistics and enrollments move together, in one order of locks."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import NamedTuple

import asyncpg

from engine.ids import CampaignId, ContactId, MessageId, NumberId, StepId
from engine.message import OPEN, Message, State
from engine.reasons import Reason
from storage.database import Unit
from storage.queries import load

_SQL = load("messages")
_SEQUENCE_BITS = 30

StatKey = tuple[int, int, int, datetime, str]
"""Campaign, step, variant (0: none), hour, metric."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A message and where it belongs.

    Attributes:
        campaign_id: None for what is not of a campaign, such as a confirmation.
        run_id: The enrollment of a drip, the campaign of a broadcast.
        enrolled: Whether there is an enrollment behind it, as far as known.
    """

    message: Message
    campaign_id: CampaignId | None
    step_id: StepId
    variant_id: int | None
    run_id: int
    contact_id: ContactId
    number_id: NumberId
    enrolled: bool = True

    def with_message(self, message: Message) -> "Row":
        # Not by replace: this happens twice for every message sent.
        return Row(
            message=message,
            campaign_id=self.campaign_id,
            step_id=self.step_id,
            variant_id=self.variant_id,
            run_id=self.run_id,
            contact_id=self.contact_id,
            number_id=self.number_id,
            enrolled=self.enrolled,
        )


def planned_at(message_id: int) -> datetime:
    """Return the second in the id, when the message was due."""
    return datetime.fromtimestamp(message_id >> _SEQUENCE_BITS, UTC)


async def keep_campaigns(
    unit: Unit, ids: Iterable[MessageId], *, to_change: bool = False
) -> Mapping[CampaignId, str]:
    """Keep the campaigns of messages *ids* as they are, for `save`; return their states.

    Before anything else is locked but leases.

    Args:
        to_change: Lock them so that this unit may change them.
    """
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    query = _SQL["lock_campaigns" if to_change else "keep_campaigns"]
    return {row["id"]: row["state"] for row in await unit.rows(query, ids=wanted)}


class Taken(NamedTuple):
    """A call that the platform took: what `accept` is told of it.

    Attributes:
        campaign_id: None for what is not of a campaign.
        run_id: Its enrollment; None: there is none behind it.
    """

    id: MessageId
    attempt: int
    campaign_id: CampaignId | None
    step_id: StepId
    run_id: int | None
    accepted_at: datetime
    wamid: str


async def accept(unit: Unit, taken: Sequence[Taken]) -> frozenset[MessageId]:
    """Note calls that were taken, where nothing else has been heard of them; return of which.

    What `Message.progressed` and `save` come to for such a message, without reading it: this
    happens for every message. The others are theirs. No other messages are locked in this unit.
    It is one statement if no enrollments are behind any.
    """
    runs = [each for each in taken if each.run_id is not None]
    if runs:
        await unit.rows(_SQL["lock_runs"], run_ids=[each.run_id for each in runs])
    ids, attempts, _, _, _, accepted_ats, wamids = zip(*taken, strict=True)
    rows = await unit.rows(
        _SQL["accept"], ids=ids, attempts=attempts, accepted_ats=accepted_ats, wamids=wamids
    )
    accepted = frozenset(row["id"] for row in rows)
    await _advance_accepted(unit, [each for each in runs if each.id in accepted])
    return accepted


async def _advance_accepted(unit: Unit, moved: Sequence[Taken]) -> None:
    if not moved:
        return
    sent = Counter(
        (each.run_id, each.campaign_id)
        for each in moved
        if each.run_id is not None and each.campaign_id is not None
    )
    await advance(
        unit,
        runs=[each.run_id for each in moved if each.run_id is not None],
        steps=[each.step_id for each in moved],
        moments=[each.accepted_at for each in moved],
    )
    await _add_to_enrollments(unit, {key: (count, 0, 0, 0) for key, count in sent.items()})


async def locked(unit: Unit, ids: Iterable[MessageId]) -> dict[MessageId, Row]:
    """Lock messages *ids*, after the enrollments behind them, and return those that exist.

    Campaigns and contacts are locked before, if at all.
    """
    wanted = sorted(set(ids))
    enrolled = {row["id"] for row in await unit.rows(_SQL["lock_enrollments"], ids=wanted)}
    records = await unit.rows(_SQL["lock_messages"], ids=wanted)
    return {
        record["id"]: _from_record(record, enrolled=record["run_id"] in enrolled)
        for record in records
    }


async def save(
    unit: Unit,
    changes: Sequence[tuple[Row, Row]],
    *,
    campaigns: Mapping[CampaignId, str] = MappingProxyType({}),
) -> None:
    """Write (before, after) pairs whose locks this unit holds; move stats and enrollments along.

    What would be called again after its campaign has ended is not: after a completion it is given
    up, and after staff ended it, cancelled.

    Args:
        campaigns: From `keep_campaigns`: those of all that is queued again. Otherwise a campaign
            could complete beside us without seeing that a row is open again.
    """
    changed = [
        (before, _unless_ended(before, after, campaigns, unit.at))
        for before, after in changes
        if before.message != after.message
    ]
    if changed:
        await _write(unit, [after.message for _, after in changed])
        await _advance_enrollments(unit, changed)
        await _count_in_enrollments(unit, changed)
    await move_stats(unit, _stat_deltas(changed))


def _unless_ended(
    before: Row, after: Row, campaigns: Mapping[CampaignId, str], at: datetime
) -> Row:
    again = after.message.state is State.QUEUED and before.message.state not in {
        State.QUEUED,
        State.DEAD,
    }
    if not again or after.campaign_id is None:
        return after
    if after.campaign_id not in campaigns:
        raise AssertionError(f"campaign {after.campaign_id} was not kept before its messages")
    end = _ENDS.get(campaigns[after.campaign_id])
    return after if end is None else _ended(after, end, at)


def _ended(row: Row, end: State, at: datetime) -> Row:
    message = row.message
    if end is State.CANCELLED:
        return row.with_message(message.ended(end, at=at, reason=Reason.CAMPAIGN_ENDED))
    return row.with_message(
        message.given_up(at=at, reason=Reason.FAILED, code=message.error_code, error=message.error)
    )


_ENDS = {"completed": State.DEAD, "cancelled": State.CANCELLED, "archived": State.CANCELLED}


async def move_stats(unit: Unit, deltas: Counter[StatKey]) -> None:
    """Add *deltas* to the campaign statistics, sorted by key so that writers never cross."""
    moved = sorted((key, count) for key, count in deltas.items() if count)
    if not moved:
        return
    campaigns, steps, variants, hours, metrics = zip(*(key for key, _ in moved), strict=True)
    await unit.run(
        _SQL["move_stats"],
        campaign_ids=campaigns,
        step_ids=steps,
        variant_ids=variants,
        hours=hours,
        metrics=metrics,
        counts=[count for _, count in moved],
    )


async def _write(unit: Unit, messages: Sequence[Message]) -> None:
    await unit.run(
        _SQL["save_messages"],
        ids=[m.id for m in messages],
        states=[m.state for m in messages],
        reasons=[m.reason for m in messages],
        attempts=[m.attempt for m in messages],
        tries=[m.tries for m in messages],
        failed_attempts=[m.failed_attempt for m in messages],
        due_ats=[m.due_at for m in messages],
        accepted_ats=[m.accepted_at for m in messages],
        sent_ats=[m.sent_at for m in messages],
        delivered_ats=[m.delivered_at for m in messages],
        read_ats=[m.read_at for m in messages],
        replied_ats=[m.replied_at for m in messages],
        failed_ats=[m.failed_at for m in messages],
        settled_ats=[m.settled_at for m in messages],
        wamids=[m.wamid for m in messages],
        error_codes=[m.error_code for m in messages],
        errors=[m.error for m in messages],
        doubled=[m.doubled for m in messages],
    )


async def _advance_enrollments(unit: Unit, changed: Sequence[tuple[Row, Row]]) -> None:
    # Delays count from when the platform accepted the step, else from when it ended otherwise.
    # Also when a failure was heard of first: whatever the order, the contact is as far.
    moved = [
        after
        for before, after in changed
        if after.campaign_id
        and after.enrolled
        and (
            (before.message.state in OPEN and after.message.state not in OPEN)
            or (before.message.accepted_at is None and after.message.accepted_at is not None)
        )
    ]
    await advance(
        unit,
        runs=[row.run_id for row in moved],
        steps=[row.step_id for row in moved],
        moments=[row.message.accepted_at or row.message.settled_at or unit.at for row in moved],
    )


async def advance(
    unit: Unit, *, runs: Sequence[int], steps: Sequence[StepId], moments: Sequence[datetime]
) -> None:
    """Let locked enrollments go on whose message of a step was accepted or ended at a moment."""
    if not runs:
        return
    await unit.run(_SQL["advance_enrollments"], run_ids=runs, step_ids=steps, moments=moments)


async def _count_in_enrollments(unit: Unit, changed: Sequence[tuple[Row, Row]]) -> None:
    counts: dict[tuple[int, int], list[int]] = {}
    for before, after in changed:
        if after.campaign_id is None or not after.enrolled:
            continue
        gained = [
            (new is not None) - (old is not None)
            for old, new in zip(
                _milestones(before.message), _milestones(after.message), strict=True
            )
        ]
        if any(gained):
            known = counts.setdefault((after.run_id, after.campaign_id), [0, 0, 0, 0])
            for place, gain in enumerate(gained):
                known[place] += gain
    await _add_to_enrollments(unit, counts)


async def _add_to_enrollments(unit: Unit, counts: Mapping[tuple[int, int], Sequence[int]]) -> None:
    """Add to locked enrollments, by run and campaign: sent, delivered, read, replied."""
    if not counts:
        return
    sent, delivered, read, replied = zip(*counts.values(), strict=True)
    await unit.run(
        _SQL["count_in_enrollments"],
        run_ids=[run for run, _ in counts],
        campaign_ids=[campaign for _, campaign in counts],
        sent=sent,
        delivered=delivered,
        read=read,
        replied=replied,
    )


def _milestones(message: Message) -> tuple[datetime | None, ...]:
    return message.accepted_at, message.delivered_at, message.read_at, message.replied_at


def _stat_deltas(changed: Iterable[tuple[Row, Row]]) -> Counter[StatKey]:
    deltas: Counter[StatKey] = Counter()
    for before, after in changed:
        if after.campaign_id is None:
            continue
        place = (after.campaign_id, after.step_id, after.variant_id or 0)
        for hour, metric in after.message.contributions():
            deltas[(*place, hour, metric)] += 1
        for hour, metric in before.message.contributions():
            deltas[(*place, hour, metric)] -= 1
    return deltas


def _from_record(record: asyncpg.Record, *, enrolled: bool) -> Row:
    return Row(
        message=Message(
            id=record["id"],
            state=State(record["state"]),
            planned_at=planned_at(record["id"]),
            attempt=record["attempt"],
            tries=record["tries"],
            anew_after=record["anew_after"],
            failed_attempt=record["failed_attempt"],
            due_at=record["due_at"],
            reason=Reason(record["reason"]) if record["reason"] else None,
            accepted_at=record["accepted_at"],
            sent_at=record["sent_at"],
            delivered_at=record["delivered_at"],
            read_at=record["read_at"],
            replied_at=record["replied_at"],
            failed_at=record["failed_at"],
            settled_at=record["settled_at"],
            wamid=record["wamid"],
            error_code=record["error_code"],
            error=record["error"],
            doubled=record["doubled"],
        ),
        campaign_id=record["campaign_id"] or None,
        step_id=record["step_id"],
        variant_id=record["variant_id"],
        run_id=record["run_id"],
        contact_id=record["contact_id"],
        number_id=record["number_id"],
        enrolled=enrolled,
    )
