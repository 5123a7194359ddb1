"""Which of several app secrets signed a webhook."""

import pytest

from bot.whatsapp.signature import signature, signer

BODY = b'{"entry":[]}'
SECRETS = {b"acme's": "acme", b"beta's": "beta"}


@pytest.mark.parametrize(("secret", "owner"), SECRETS.items())
def test_the_owner_of_the_signing_secret_is_found(secret: bytes, owner: str) -> None:
    assert signer(BODY, signature(BODY, secret), SECRETS) == owner


def test_the_signature_is_the_one_meta_documents() -> None:
    # From RFC 4231, test case 2, which is HMAC-SHA256 as Meta uses it.
    known = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"

    assert signature(b"what do ya want for nothing?", b"Jefe") == f"sha256={known}"


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("", id="absent"),
        pytest.param(signature(b"another body", b"acme's"), id="of another body"),
        pytest.param(signature(BODY, b"somebody's"), id="by another secret"),
        pytest.param(signature(BODY, b"acme's").removeprefix("sha256="), id="without its scheme"),
        pytest.param(signature(BODY, b"acme's") + "0", id="longer"),
        pytest.param("sha256=é", id="not ascii"),
        pytest.param("sha256=\udcff", id="bytes that are no utf-8"),
    ],
)
def test_a_signature_by_nobody_here_has_no_owner(header: str) -> None:
    assert signer(BODY, header, SECRETS) is None


def test_without_secrets_nobody_signed() -> None:
    assert signer(BODY, signature(BODY, b""), {}) is None
