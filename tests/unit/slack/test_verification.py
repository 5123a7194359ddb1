"""Signed by Slack or not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import SignatureVerifier

from bot.slack.verification import SigningSecret, signers
from engine.ids import OrganizationId

ACME, GLOBEX, INITECH = map(OrganizationId, ("acme", "globex", "initech"))
SECRETS = (
    SigningSecret(organization=ACME, secret="shared"),
    SigningSecret(organization=GLOBEX, secret="shared"),
    SigningSecret(organization=INITECH, secret="own"),
)
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
STAMP = str(int(AT.timestamp()))
BODY = b"team_id=T1&text=%E2%82%AC"


def _signed(secret: str, *, stamp: str = STAMP) -> str:
    """Sign as Slack's own library does."""
    made = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=BODY)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("secret", "organizations"),
    [("shared", {ACME, GLOBEX}), ("own", {INITECH}), ("unknown", set())],
)
def test_a_signature_names_all_who_share_the_secret(
    secret: str, organizations: set[OrganizationId]
) -> None:
    found = signers(BODY, timestamp=STAMP, signature=_signed(secret), at=AT, secrets=SECRETS)

    assert found == organizations


@pytest.mark.parametrize(
    ("seconds", "good"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)]
)
def test_a_signature_is_good_for_five_minutes_either_way(seconds: int, *, good: bool) -> None:
    found = signers(
        BODY,
        timestamp=STAMP,
        signature=_signed("own"),
        at=AT + timedelta(seconds=seconds),
        secrets=SECRETS,
    )

    assert bool(found) is good


def test_another_body_or_time_is_not_what_was_signed() -> None:
    other = str(int(STAMP) + 1)

    for body, stamp in ((BODY + b" ", STAMP), (BODY, other)):
        assert not signers(body, timestamp=stamp, signature=_signed("own"), at=AT, secrets=SECRETS)


def test_an_organization_without_a_secret_signs_nothing() -> None:
    nobody = (SigningSecret(organization=ACME, secret=""),)

    assert not signers(BODY, timestamp=STAMP, signature=_signed("x"), at=AT, secrets=nobody)


@given(st.text(), st.text(), st.binary())
def test_headers_of_any_kind_raise_nothing(timestamp: str, signature: str, body: bytes) -> None:
    assert not signers(body, timestamp=timestamp, signature=signature, at=AT, secrets=SECRETS)
    assert not signers(body, timestamp=STAMP, signature=signature, at=AT, secrets=SECRETS)
    assert not signers(body, timestamp=timestamp, signature="v0=\udcff", at=AT, secrets=SECRETS)
