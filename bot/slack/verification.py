"""Signed by Slack or not; no I/O."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from engine.ids import OrganizationId

_TOLERANCE: Final = 300  # seconds either way; Slack's own advice
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningSecret:
    """A Slack app's signing secret and an organization configured with it."""

    organization: OrganizationId
    secret: str


def signers(
    body: bytes,
    *,
    timestamp: str,
    signature: str,
    at: datetime,
    secrets: Iterable[SigningSecret],
) -> frozenset[OrganizationId]:
    """Return the organizations whose secret signed *body*; empty: nobody we know did.

    Several, where one Slack app serves several workspaces. A signature proves no more than
    the secret: which of them the request may touch is its team's question.

    Args:
        body: The bytes as received.
        timestamp: ``X-Slack-Request-Timestamp``, Unix seconds; anything at all is safe here.
        signature: ``X-Slack-Signature``, ``v0=<hex>``; anything at all is safe here.
        at: The machine's time of day, since that is what Slack signs with.
        secrets: All that are configured; every one is tried, so that time tells nothing.

    Source: Slack, "Verifying requests from Slack".
    """
    if not _TIMESTAMP.fullmatch(timestamp):
        return frozenset()
    if abs(at.timestamp() - int(timestamp)) > _TOLERANCE:
        return frozenset()
    # Bytes, because compare_digest raises on text that is not ASCII, and anyone may send that.
    received = signature.encode(errors="replace")
    signed = b"v0:" + timestamp.encode() + b":" + body
    return frozenset(
        each.organization
        for each in secrets
        if each.secret and hmac.compare_digest(sign(signed, secret=each.secret), received)
    )


def sign(signed: bytes, *, secret: str) -> bytes:
    """Return the signature of ``v0:<timestamp>:<body>``."""
    return b"v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()
