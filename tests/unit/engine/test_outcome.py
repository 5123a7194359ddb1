"""What a failure makes of a message."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.failures import Stop, Suppress, TellStaff
from engine.ids import MessageId
from engine.message import Message, State
from engine.outcome import Failed, failed
from engine.reasons import Reason

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def claimed(*, attempt: int = 1, tries: int = 0) -> Message:
    return Message(
        id=MessageId(1),
        state=State.CLAIMED,
        planned_at=NOON,
        attempt=attempt,
        tries=tries,
        due_at=NOON,
    )


def decided(message: Message, code: int | None, *, error: str = "no") -> Failed:
    verdict = failed(message, attempt=message.attempt, code=code, error=error, at=NOON)
    assert verdict is not None
    return verdict


def test_retries_come_after_one_two_and_four_minutes_and_then_it_is_dead() -> None:
    message = claimed()
    waits: list[timedelta] = []
    while True:
        message = decided(message, 131016).message
        if message.state is State.DEAD:
            break
        waits.append(message.due_at - NOON)
        message = message.claimed(message.attempt + 1)

    assert waits == [MINUTE, 2 * MINUTE, 4 * MINUTE]
    assert message.attempt == 4
    assert message.reason is Reason.FAILED


def test_deferrals_burn_nothing_and_wait_longer_each_time() -> None:
    message = claimed()
    waits: list[float] = []
    for _ in range(7):
        message = decided(message, 131056).message
        waits.append((message.due_at - NOON).total_seconds())
        assert message.tries == 0
        message = message.claimed(message.attempt + 1)

    assert waits == [1, 4, 16, 64, 256, 1024, 1024]


def test_what_is_tried_anew_waits_for_a_limit_as_if_for_the_first_time() -> None:
    message = claimed()
    for _ in range(5):
        message = decided(message, 131056).message
        message = message.claimed(message.attempt + 1)
    given_up = decided(message, 131051).message

    anew = given_up.tried_anew(at=NOON)
    waits: list[float] = []
    for _ in range(3):
        anew = anew.claimed(anew.attempt + 1)
        anew = decided(anew, 131056).message
        waits.append((anew.due_at - NOON).total_seconds())

    assert waits == [1, 4, 16]
    assert anew.attempt == 9  # reports of earlier calls stay theirs


def test_whatsapp_says_itself_when_calls_are_allowed_again() -> None:
    verdict = failed(claimed(), attempt=1, code=4, error="", at=NOON, regain=timedelta(minutes=42))

    assert verdict is not None
    assert verdict.message.due_at == NOON + timedelta(minutes=42)
    assert [e.closed_for for e in verdict.effects if isinstance(e, Stop)] == [timedelta(minutes=42)]


def test_effects_are_handed_out_once() -> None:
    first = decided(claimed(), 131050)

    assert [type(effect) for effect in first.effects] == [Suppress]
    assert failed(first.message, attempt=1, code=131050, error="", at=NOON) is None


def test_staff_hear_of_what_was_given_up() -> None:
    assert decided(claimed(tries=3), 131016).effects == (TellStaff(),)


@pytest.mark.parametrize("error", ["a\x00b", "a\ud800b"], ids=["nul", "half a character"])
def test_an_error_text_no_database_takes_is_cleaned(error: str) -> None:
    assert decided(claimed(), 131026, error=error).message.error == "ab"


def test_marketing_is_never_retried_to_a_number_of_the_united_states() -> None:
    verdict = failed(claimed(), attempt=1, code=131049, error="", at=NOON, country="US")

    assert verdict is not None
    assert verdict.message.state is State.DEAD
