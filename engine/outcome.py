"""What a refusal or failure makes of a message, and what else follows from it."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, assert_never

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
    regain: timedelta | None = None,
    renewed: bool = False,
) -> Failed | None:
    """Decide about a failure of *attempt*, reported as of *at*.

    Returns None when it is no news: of an earlier attempt, repeated, or the message arrived.

    Args:
        error: WhatsApp's own words, kept for staff.
        country: Of the recipient's number, if known.
        regain: After which WhatsApp says that calls are allowed again, if it says so.
        renewed: Whether the file it sent gets another id than the one it was sent with.
    """
    if not message.may_fail(attempt):
        return None
    decision = failures.decide(
        code,
        attempt=message.tries + 1,
        # Calls that burned nothing: deferrals, and a few that never left us.
        deferrals=max(0, attempt - 1 - message.anew_after - message.tries),
        country=country,
        regain=regain,
        renewed=renewed,
    )
    error = _NOT_IN_A_DATABASE.sub("", error)
    message = replace(message, failed_attempt=attempt)
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


_NOT_IN_A_DATABASE: Final = re.compile(r"[\x00\ud800-\udfff]")
"""Postgres takes neither, and one such error text would keep a whole batch from being recorded."""
