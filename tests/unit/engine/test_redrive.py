"""Who of those whose message failed for good is left out when it is tried anew."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from engine.consent import Consent
from engine.reasons import Reason
from engine.redrive import Candidate, Obstacle, obstacle

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
FAILED = Candidate(
    dead=True, reason=Reason.FAILED, run="active", elsewhere=False, consent=Consent()
)


@pytest.mark.parametrize("run", ["active", "paused", "completed"])
def test_who_did_not_get_it_and_is_in_it_gets_another_try(run: str) -> None:
    assert obstacle(replace(FAILED, run=run), promotional=True) is None


@pytest.mark.parametrize(
    ("candidate", "why"),
    [
        pytest.param(replace(FAILED, dead=False), Obstacle.HAS_IT, id="has it"),
        pytest.param(replace(FAILED, elsewhere=True), Obstacle.HAS_IT, id="by another message"),
        pytest.param(replace(FAILED, reason=Reason.UNANSWERED), Obstacle.IN_DOUBT, id="in doubt"),
        pytest.param(
            replace(FAILED, consent=Consent(opted_out_at=NOON)), Reason.OPTED_OUT, id="opted out"
        ),
        pytest.param(
            replace(FAILED, consent=Consent(platform_stopped_at=NOON)),
            Reason.PLATFORM_STOPPED,
            id="stopped marketing",
        ),
        pytest.param(replace(FAILED, banned=True), Reason.COUNTRY_BANNED, id="banned country"),
        pytest.param(replace(FAILED, run="replied"), Obstacle.LEFT, id="replied"),
        pytest.param(replace(FAILED, run="dropped"), Obstacle.LEFT, id="taken out"),
    ],
)
def test_everybody_else_is_left_out_for_a_reason(
    candidate: Candidate, why: Obstacle | Reason
) -> None:
    assert obstacle(candidate, promotional=True) is why


def test_who_stopped_marketing_still_gets_what_is_no_marketing() -> None:
    stopped = replace(FAILED, consent=Consent(platform_stopped_at=NOON))

    assert obstacle(stopped, promotional=False) is None


def test_having_it_matters_more_than_anything_else() -> None:
    everything = replace(FAILED, dead=False, run="dropped", consent=Consent(opted_out_at=NOON))

    assert obstacle(everything, promotional=True) is Obstacle.HAS_IT
