"""The life of a message: what moves it, and what it counts for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.ids import MessageId
from engine.message import OPEN, PROGRESS, TRANSITIONS, Message, State, callback_data, hour_of
from engine.outcome import failed
from engine.reasons import Reason

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def row(state: State = State.CLAIMED, *, attempt: int = 1) -> Message:
    return Message(id=MessageId(7), state=state, planned_at=NOON, attempt=attempt, due_at=NOON)


def refused(message: Message, *, attempt: int = 1, code: int | None = 131016) -> Message:
    verdict = failed(message, attempt=attempt, code=code, error="no", at=NOON + SECOND)
    assert verdict is not None
    return verdict.message


def test_callback_data_names_message_and_attempt() -> None:
    assert callback_data(MessageId(7), 2) == "d:7:2"


def test_every_state_but_the_passing_one_has_its_followers() -> None:
    assert set(TRANSITIONS) == set(State) - {State.FAILED}


def test_nothing_comes_back_from_having_been_read() -> None:
    assert not TRANSITIONS[State.READ]
    assert TRANSITIONS[State.DELIVERED] == {State.READ}


def test_a_status_may_be_faster_than_the_answer_to_the_call() -> None:
    faster = row().progressed(State.SENT, at=NOON, attempt=1, wamid="w")

    answered = faster.progressed(State.ACCEPTED, at=NOON + SECOND, attempt=1, wamid="w")

    assert answered.state is State.SENT
    assert answered.accepted_at == NOON
    assert answered.doubled == 0


def test_read_implies_delivered() -> None:
    read = row().progressed(State.READ, at=NOON, attempt=1, wamid="w")

    assert (read.delivered_at, read.sent_at, read.accepted_at) == (NOON, NOON, NOON)


def test_a_status_resolves_a_message_in_doubt() -> None:
    sent = row(State.UNKNOWN).progressed(State.SENT, at=NOON, attempt=1, wamid="w")

    assert sent.state is State.SENT


@pytest.mark.parametrize(
    "given_up",
    [
        pytest.param(
            row(State.QUEUED).ended(State.CANCELLED, at=NOON, reason=Reason.OPTED_OUT),
            id="cancelled",
        ),
        pytest.param(
            row(State.QUEUED).ended(State.SKIPPED, at=NOON, reason=Reason.EXPIRED), id="skipped"
        ),
        pytest.param(
            row(State.UNKNOWN).given_up(at=NOON, reason=Reason.UNANSWERED, code=None, error=None),
            id="dead",
        ),
        pytest.param(
            row(State.UNKNOWN).queued_again(
                due_at=NOON, failed_at=NOON, code=None, error="silence", burns=False
            ),
            id="to be sent again",
        ),
    ],
)
def test_a_late_status_raises_what_was_taken_for_lost(given_up: Message) -> None:
    raised = given_up.progressed(State.SENT, at=NOON, attempt=1, wamid="w")

    assert raised.state is State.SENT
    assert raised.reason is None
    assert raised.settled_at is None


def test_a_second_accepted_call_after_doubt_is_told_as_doubled() -> None:
    again = row(attempt=2).progressed(State.ACCEPTED, at=NOON, attempt=2, wamid="second")

    both = again.progressed(State.SENT, at=NOON, attempt=1, wamid="first")

    assert both.doubled == 1
    assert both.wamid == "second"


def test_a_retry_after_a_failure_is_not_doubled() -> None:
    accepted = row().progressed(State.ACCEPTED, at=NOON, attempt=1, wamid="first")
    retried = refused(accepted).claimed(2)

    again = retried.progressed(State.ACCEPTED, at=NOON, attempt=2, wamid="second")
    late = again.progressed(State.SENT, at=NOON, attempt=1, wamid="first")

    assert again.state is State.ACCEPTED
    assert late.doubled == 0


def test_a_late_sent_does_not_raise_what_failed() -> None:
    retried = refused(row())

    assert retried.progressed(State.SENT, at=NOON, attempt=1, wamid="w").state is State.QUEUED


def test_a_late_delivered_raises_even_what_failed() -> None:
    given_up = refused(row(), code=131026)

    raised = given_up.progressed(State.DELIVERED, at=NOON, attempt=1, wamid="w")

    assert given_up.state is State.DEAD
    assert raised.state is State.DELIVERED
    assert (raised.error_code, raised.failed_at) == (None, None)


def test_a_failure_of_an_earlier_attempt_is_no_news() -> None:
    message = row(attempt=2)

    assert not message.may_fail(1)
    assert message.may_fail(2)
    assert failed(message, attempt=1, code=131016, error="", at=NOON) is None


def test_the_same_failure_twice_is_no_news() -> None:
    retried = refused(row())

    assert failed(retried, attempt=1, code=131016, error="", at=NOON) is None


def test_a_row_counts_where_it_is_and_was() -> None:
    later = NOON + timedelta(hours=2)
    message = row().progressed(State.DELIVERED, at=later, attempt=1, wamid="w")

    counted = list(message.contributions())

    assert counted == [
        (NOON, "planned"),
        (later, "accepted"),
        (later, "sent"),
        (later, "delivered"),
    ]


def test_what_was_accepted_and_failed_counts_as_returned() -> None:
    message = refused(row().progressed(State.ACCEPTED, at=NOON, attempt=1), code=131026)

    assert [metric for _, metric in message.contributions()] == [
        "planned",
        "accepted",
        "returned",
        "unsent",
        "dead",
    ]


def test_what_was_left_out_counts_by_reason() -> None:
    message = row(State.QUEUED).ended(State.SKIPPED, at=NOON, reason=Reason.OPTED_OUT)

    assert [metric for _, metric in message.contributions()] == ["planned", "skipped:opted_out"]


def test_open_is_what_may_still_be_called() -> None:
    assert not OPEN & set(PROGRESS)
    assert {State.QUEUED, State.CLAIMED, State.UNKNOWN} <= OPEN


def test_an_hour_begins_on_the_hour() -> None:
    assert hour_of(NOON + timedelta(minutes=59, seconds=59.9)) == NOON


def test_claiming_counts_the_attempt() -> None:
    assert row(State.QUEUED, attempt=0).claimed(1) == replace(row(), attempt=1)
