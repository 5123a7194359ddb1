"""A report says of messages, from counts alone, what somebody counting the rows would say."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.ids import MessageId
from engine.message import OPEN, PROGRESS, Message, State
from engine.reasons import Reason
from engine.report import Counts, total

PLANNED = datetime(2026, 11, 20, 12, tzinfo=UTC)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """A message after any number of calls, reports of them in any order, and an ending."""
    message = Message(
        id=MessageId(1), state=State.QUEUED, planned_at=PLANNED, attempt=0, due_at=PLANNED
    )
    at = PLANNED
    for _ in range(draw(st.integers(0, 5))):
        at += timedelta(minutes=draw(st.integers(0, 90)))
        match draw(st.sampled_from(["call", "report", "retry", "give up", "leave out"])):
            case "call" if message.state is State.QUEUED:
                message = message.claimed(message.attempt + 1)
            case "report" if message.attempt:
                message = message.progressed(
                    draw(st.sampled_from(PROGRESS)), at=at, attempt=message.attempt
                )
            case "retry" if message.may_fail(message.attempt):
                message = message.queued_again(
                    due_at=at, failed_at=at, code=131026, error="no", burns=True
                )
            case "give up" if message.may_fail(message.attempt):
                message = message.given_up(at=at, reason=Reason.FAILED, code=131026, error="no")
            case "leave out" if message.state is State.QUEUED:
                state = draw(st.sampled_from([State.SKIPPED, State.CANCELLED]))
                message = message.ended(state, at=at, reason=draw(st.sampled_from(list(Reason))))
            case _:
                pass
    return message


def counted(rows: list[Message]) -> Counts:
    return Counts.of(Counter(metric for row in rows for _, metric in row.contributions()))


@given(st.lists(messages(), max_size=20))
def test_counts_agree_with_the_rows(rows: list[Message]) -> None:
    counts = counted(rows)
    left_out = Counter(row.reason for row in rows if row.state in {State.SKIPPED, State.CANCELLED})

    assert counts.planned == len(rows)
    assert counts.open == sum(row.state in OPEN for row in rows)
    assert counts.settled == sum(row.state not in OPEN for row in rows)
    assert counts.sent == sum(row.accepted_at is not None for row in rows)
    assert counts.delivered == sum(row.delivered_at is not None for row in rows)
    assert counts.read == sum(row.read_at is not None for row in rows)
    assert counts.failed == sum(row.state is State.DEAD for row in rows)
    assert dict(counts.left_out) == left_out
    assert counts.left_out_in_all == left_out.total()


@given(st.lists(messages(), max_size=20))
def test_delivery_and_read_rates_lie_between_none_and_all(rows: list[Message]) -> None:
    counts = counted(rows)

    for share in (counts.delivery_rate, counts.read_rate):
        assert 0 <= share.part <= share.whole


@given(st.lists(st.lists(messages(), max_size=8), max_size=4))
def test_steps_add_up_to_the_whole(steps: list[list[Message]]) -> None:
    whole = counted([row for step in steps for row in step])

    assert total(counted(step) for step in steps) == whole
