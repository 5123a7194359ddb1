"""Whether a webhook comes from Meta, and by which of several app secrets."""

import hmac
from collections.abc import Mapping
from typing import Final, TypeVar

Owner = TypeVar("Owner")

_SCHEME: Final = "sha256="


def signer(body: bytes, header: str, secrets: Mapping[bytes, Owner]) -> Owner | None:
    """Return who owns the secret that signed *body*; None when no secret here did.

    >>> signer(b"{}", signature(b"{}", b"ours"), {b"theirs": "B", b"ours": "A"})
    'A'

    Args:
        body: The bytes as received; re-encoded JSON has another signature.
        header: The value of ``X-Hub-Signature-256``, empty if it is missing; any text is safe.
        secrets: By app secret (not a token), so that organizations sharing one are found together.

    Source: developers.facebook.com, Webhooks, "Validating payloads".
    """
    # Bytes, because compare_digest raises on text that is not ASCII, and anyone may send that.
    received = header.encode(errors="surrogateescape")
    for secret, owner in secrets.items():
        if hmac.compare_digest(received, signature(body, secret).encode()):
            return owner
    return None


def signature(body: bytes, secret: bytes) -> str:
    """Return the header Meta sends with *body*: ``sha256=<hex>``."""
    return _SCHEME + hmac.digest(secret, body, "sha256").hex()
