"""Whether one message may go to one contact now."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.consent import Act, Consent
from engine.gate import Candidate, Defer, Send, Skip, decide
from engine.ids import CampaignId
from engine.overlap import Exclude
from engine.reasons import Reason

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WILLING = Candidate(
    campaign_id=CampaignId(1),
    promotional=True,
    consent=Consent(),
    addressed=True,
    deadline_at=None,
    run="active",
    promoted_at=None,
    promoted_campaign_id=None,
    last_inbound_at=None,
    free_form=False,
    missing=False,
    opens_at=NOON,
    closes_at=None,
)


def test_what_nothing_speaks_against_goes() -> None:
    assert decide(WILLING, at=NOON, cooldown=DAY) == Send(until=None)


def test_the_last_message_of_a_drip_gone_through_is_tried_again() -> None:
    assert isinstance(
        decide(replace(WILLING, run="completed"), at=NOON, cooldown=timedelta()), Send
    )


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        pytest.param(
            replace(WILLING, consent=Consent().after(Act.OPT_OUT, NOON)),
            Reason.OPTED_OUT,
            id="said stop",
        ),
        pytest.param(replace(WILLING, run="dropped"), Reason.ENROLLMENT_ENDED, id="left the drip"),
        pytest.param(replace(WILLING, addressed=False), Reason.NO_ADDRESS, id="no address"),
        pytest.param(replace(WILLING, banned=True), Reason.COUNTRY_BANNED, id="banned country"),
        pytest.param(replace(WILLING, missing=True), Reason.MISSING_VALUE, id="no value"),
        pytest.param(replace(WILLING, deadline_at=NOON - HOUR), Reason.EXPIRED, id="too late"),
        pytest.param(replace(WILLING, free_form=True), Reason.WINDOW_CLOSED, id="never wrote"),
        pytest.param(
            replace(WILLING, free_form=True, last_inbound_at=NOON - DAY),
            Reason.WINDOW_CLOSED,
            id="wrote a day ago",
        ),
        pytest.param(
            replace(WILLING, opens_at=NOON + 2 * HOUR, deadline_at=NOON + HOUR),
            Reason.EXPIRED,
            id="too late when the hours begin",
        ),
        pytest.param(
            replace(
                WILLING,
                promoted_at=NOON - HOUR,
                promoted_campaign_id=CampaignId(2),
                deadline_at=NOON + HOUR,
            ),
            Reason.COOLDOWN,
            id="too late when the cooldown ends",
        ),
    ],
)
def test_what_will_never_go_is_left_out_with_a_reason(candidate: Candidate, reason: Reason) -> None:
    assert decide(candidate, at=NOON, cooldown=DAY) == Skip(reason=reason)


def test_outside_its_hours_a_message_waits_for_them() -> None:
    closed = replace(WILLING, opens_at=NOON + HOUR)

    assert decide(closed, at=NOON, cooldown=DAY) == Defer(until=NOON + HOUR)


def test_another_campaigns_promotion_is_waited_for() -> None:
    cooling = replace(WILLING, promoted_at=NOON - HOUR, promoted_campaign_id=CampaignId(2))

    decision = decide(cooling, at=NOON, cooldown=DAY)

    assert decision == Defer(until=NOON - HOUR + DAY, reason=Reason.COOLDOWN)


@pytest.mark.parametrize(
    "candidate",
    [
        pytest.param(replace(WILLING, promoted_campaign_id=CampaignId(1)), id="of this campaign"),
        pytest.param(replace(WILLING, promotional=False), id="to a message that is none"),
    ],
)
def test_the_cooldown_does_not_matter(candidate: Candidate) -> None:
    recent = replace(candidate, promoted_at=NOON - HOUR)

    assert decide(recent, at=NOON, cooldown=DAY) == Send(until=None)


@pytest.mark.parametrize(
    "candidate",
    [
        pytest.param(WILLING, id="that could go"),
        pytest.param(replace(WILLING, deadline_at=NOON - HOUR), id="past its deadline"),
        pytest.param(
            replace(WILLING, deadline_at=NOON + timedelta(seconds=30)), id="soon past its deadline"
        ),
        pytest.param(replace(WILLING, missing=True), id="without a value"),
        pytest.param(replace(WILLING, addressed=False), id="without an address"),
        pytest.param(replace(WILLING, free_form=True), id="outside the window"),
        pytest.param(
            replace(WILLING, exclude=Exclude.ACTIVE, elsewhere=True), id="in another drip"
        ),
    ],
)
def test_what_is_paused_is_kept_whatever_speaks_against_it(candidate: Candidate) -> None:
    decision = decide(replace(candidate, run="paused"), at=NOON, cooldown=DAY)

    assert decision == Defer(until=NOON + timedelta(minutes=1))


def test_a_call_starts_before_the_first_of_hours_deadline_and_window_ends() -> None:
    candidate = replace(
        WILLING,
        free_form=True,
        last_inbound_at=NOON - 23 * HOUR,
        closes_at=NOON + 3 * HOUR,
        deadline_at=NOON + 2 * HOUR,
    )

    assert decide(candidate, at=NOON, cooldown=DAY) == Send(until=NOON + HOUR)
