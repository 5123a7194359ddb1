"""What a refusal or failure makes of a message, and what else follows from it."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from engine import failures
from engine.failure_codes import Failure
from engine.failures import DeferFor, Effect, GiveUp, RetryIn
from engine.message import Message
from engine.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A message after a failure that was news.

    Attributes:
        effects: On contact, campaign, number and staff; the caller applies them.
    """

    message: Message
    failure: Failure
    effects: tuple[Effect, ...]


def failed(
    message: Message,
    *,
    attempt: int,
    code: int | None,
    error: str,
    at: datetime,
    country: str | None = None,
) -> Failed | None:
    """Decide about a failure of *attempt*, reported as of *at*.

    Returns None when it is no news: of an earlier attempt, repeated, or the message arrived.

    Args:
        error: WhatsApp's own words, kept for staff.
        country: Of the recipient's number, if known.
    """
    if not message.may_fail(attempt):
        return None
    decision = failures.decide(code, attempt=message.tries + 1, country=country)
    match decision:
        case RetryIn() | DeferFor():
            after = message.queued_again(
                due_at=at + decision.after,
                failed_at=at,
                code=code,
                error=error,
                burns=isinstance(decision, RetryIn),
            )
        case GiveUp():
            after = message.given_up(at=at, reason=Reason.FAILED, code=code, error=error)
        case _:
            assert_never(decision)
    return Failed(message=after, failure=decision.failure, effects=decision.effects)
