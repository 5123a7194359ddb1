"""Doing once what Slack asks twice: a claim held while a handler works, then done or given back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final, Protocol

import structlog

from engine.ids import OrganizationId
from storage.database import CONNECTION_LOST
from storage.slack_requests import EXPIRY_S, Claim, Taken

_RENEWED_EVERY: Final = EXPIRY_S / 3
_ASKED_EVERY: Final = 0.5  # seconds, of what somebody else is at

log = structlog.get_logger(__name__)


class Claims(Protocol):
    """What has been handled or is being handled, kept where all processes see it."""

    async def remember(self, organization: OrganizationId, key: str, at: datetime) -> bool:
        """Return whether *key* is new; it counts as done at once."""
        ...

    async def claim(self, organization: OrganizationId, key: str, at: datetime) -> Claim | Taken:
        """Take *key*, if it is new or who was at it is dead."""
        ...

    async def renew(self, claim: Claim) -> bool:
        """Say that we are still at it; False: somebody else took it up meanwhile."""
        ...

    async def finish(self, claim: Claim) -> None:
        """Note that it is done, for good."""
        ...

    async def release(self, claim: Claim) -> None:
        """Let others take it at once, since what it stood for did not happen."""
        ...


class Hold:
    """A claim while its handler works."""

    undone = False
    """Set by a handler that ended well and yet wants to be asked the same again."""


@asynccontextmanager
async def held(
    claims: Claims, claim: Claim, *, renewed_every: float = _RENEWED_EVERY
) -> AsyncIterator[Hold]:
    """Keep *claim* ours while the block runs; then it is done, or free if the block raised."""
    hold = Hold()
    renewing = asyncio.create_task(_renew(claims, claim, every=renewed_every))
    try:
        yield hold
    except BaseException:
        # Also when the process stops; Slack, or the person, asks again.
        await claims.release(claim)
        raise
    else:
        await (claims.release(claim) if hold.undone else claims.finish(claim))
    finally:
        renewing.cancel()


async def won(claims: Claims, organization: OrganizationId, key: str, at: datetime) -> Claim | None:
    """Claim *key*, once whoever is at it fails or is dead for `EXPIRY_S`; None: it is done."""
    while True:
        claim = await claims.claim(organization, key, at)
        if isinstance(claim, Claim):
            return claim
        if claim is Taken.DONE:
            return None
        await asyncio.sleep(_ASKED_EVERY)


async def _renew(claims: Claims, claim: Claim, *, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        try:
            kept = await claims.renew(claim)
        except CONNECTION_LOST as error:  # it may be back before the end
            log.warning("slack.claim_not_renewed", error=type(error).__name__)
            continue
        if not kept:
            log.warning("slack.claim_lost", key=claim.key)
            return
