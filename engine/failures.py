"""What to do when WhatsApp refuses or fails a message: decided by its error code and the try.

Codes come in the answer to a call, in a status webhook, or in both. As Meta asks, nothing is
decided by HTTP status, title or subcode. The codes are in ``engine.failure_codes``.

Source: Meta, "Error codes"; the actions are ours.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from engine.failure_codes import (
    FILE_NOT_TAKEN,
    RETRIES,
    Action,
    Failure,
    Scope,
    Suppression,
    Tell,
    failure,
)

_UNITED_STATES: Final = "US"
_NOT_DELIVERED: Final = 131049


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppress:
    """Stop writing to this contact, once this many of our messages met the failure."""

    kind: Suppression
    hits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Close the tap of a campaign, number or account (all its numbers); the queue is kept.

    Attributes:
        closed_for: None until staff open it again.
        if_repeated: Only when the campaign's messages keep meeting it: one bad value is no reason.
    """

    scope: Scope
    closed_for: timedelta | None
    if_repeated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseWindow:
    """The customer service window of this contact and number is closed, whatever we thought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BanCountry:
    """Everybody of a country (``NL``) is left out until staff let it be written to; tells staff.

    Attributes:
        country: None: the contact's, which was not named.
    """

    country: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TellStaff:
    """An alert with the failure's meaning; once per code and campaign or number is enough."""


Effect = Suppress | Stop | CloseWindow | BanCountry | TellStaff


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryIn:
    """Call again after this long; the try counts against the retries."""

    failure: Failure
    after: timedelta
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeferFor:
    """Call again after this long; the try does not count, for the message is not to blame."""

    failure: Failure
    after: timedelta
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """The message ends here, unless staff send it again; ``failure.meaning`` says why."""

    failure: Failure
    effects: tuple[Effect, ...]


Decision = RetryIn | DeferFor | GiveUp


def decide(
    code: int | None,
    *,
    attempt: int,
    deferrals: int = 0,
    country: str | None = None,
    regain: timedelta | None = None,
    renewed: bool = False,
) -> Decision:
    """Return what becomes of a message that met *code*.

    Args:
        code: None when the platform refused without naming one.
        attempt: Which try that counts this was, 1 for the first (``Message.tries + 1``).
        deferrals: How often in a row the message was deferred for this code before.
        country: Of the recipient's number (``NL``), None if unknown.
        regain: After which Meta says that calls are allowed again, if it says so.
        renewed: Whether the file it sent gets another id than the one it was sent with.
    """
    found = failure(code)
    if renewed and code == FILE_NOT_TAKEN and attempt <= len(RETRIES):
        return RetryIn(failure=found, after=RETRIES[attempt - 1], effects=())
    match found.action:
        case Action.RETRY if not _is_pointless(found, country) and attempt <= len(found.delays):
            return RetryIn(
                failure=found, after=found.delays[attempt - 1], effects=_effects(found, ended=False)
            )
        case Action.DEFER:
            after = regain or found.delays[min(deferrals, len(found.delays) - 1)]
            return DeferFor(
                failure=found, after=after, effects=_effects(found, ended=False, regain=regain)
            )
        case Action.RETRY | Action.GIVE_UP:
            return GiveUp(failure=found, effects=_effects(found, ended=True, country=country))


def _is_pointless(found: Failure, country: str | None) -> bool:
    """Whether Meta will say the same for ever: no marketing template reaches a number of the US."""
    return found.code == _NOT_DELIVERED and country == _UNITED_STATES


def _effects(
    found: Failure, *, ended: bool, regain: timedelta | None = None, country: str | None = None
) -> tuple[Effect, ...]:
    effects: list[Effect] = []
    if found.suppresses is not None and ended:
        effects.append(Suppress(kind=found.suppresses, hits=found.hits))
    if found.stops is not None:
        effects.append(
            Stop(
                scope=found.stops,
                closed_for=regain or found.closed_for,
                if_repeated=found.if_repeated,
            )
        )
    if found.closes_window:
        effects.append(CloseWindow())
    if found.bans_country:
        effects.append(BanCountry(country=country))
    elif found.tell is Tell.ALWAYS or (found.tell is Tell.GIVEN_UP and ended):
        effects.append(TellStaff())
    return tuple(effects)
