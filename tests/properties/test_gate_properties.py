"""The gate lets nothing through that a promise speaks against, whatever else is the case."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.consent import Act, Consent
from engine.gate import SERVICE_WINDOW, Candidate, Defer, Send, Skip, decide
from engine.ids import CampaignId

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TIMES = st.integers(-180, 180).map(lambda minutes: NOON + timedelta(minutes=10 * minutes))
COOLDOWNS = st.sampled_from((timedelta(), timedelta(hours=1), timedelta(hours=24)))
CONSENTS = st.lists(st.tuples(st.sampled_from(Act), TIMES), max_size=3)


@st.composite
def candidates(draw: st.DrawFn) -> Candidate:
    consent = Consent()
    for act, at in draw(CONSENTS):
        consent = consent.after(act, at)
    opens_at = max(NOON, draw(TIMES))
    return Candidate(
        campaign_id=CampaignId(1),
        promotional=draw(st.booleans()),
        consent=consent,
        addressed=draw(st.sampled_from((True, True, False))),
        deadline_at=draw(st.none() | TIMES),
        run=draw(st.sampled_from(("active", "active", "paused", "dropped", "completed"))),
        promoted_at=draw(st.none() | TIMES),
        promoted_campaign_id=draw(st.sampled_from((CampaignId(1), CampaignId(2)))),
        last_inbound_at=draw(st.none() | TIMES),
        free_form=draw(st.booleans()),
        missing=draw(st.sampled_from((False, False, True))),
        opens_at=opens_at,
        closes_at=draw(st.none() | st.just(opens_at + timedelta(hours=4))),
    )


@given(candidates(), COOLDOWNS)
def test_nothing_goes_that_may_not(candidate: Candidate, cooldown: timedelta) -> None:
    decision = decide(candidate, at=NOON, cooldown=cooldown)

    if not isinstance(decision, Send):
        return
    assert candidate.consent.against(promotional=candidate.promotional) is None
    assert candidate.run == "active"
    assert candidate.addressed
    assert not candidate.missing
    assert candidate.opens_at <= NOON
    assert candidate.deadline_at is None or candidate.deadline_at >= NOON
    if candidate.free_form:
        assert candidate.last_inbound_at is not None
        assert candidate.last_inbound_at + SERVICE_WINDOW > NOON
    if candidate.promotional and candidate.promoted_campaign_id != candidate.campaign_id:
        assert candidate.promoted_at is None or candidate.promoted_at + cooldown <= NOON


@given(candidates(), COOLDOWNS)
def test_a_call_may_start_only_while_everything_still_holds(
    candidate: Candidate, cooldown: timedelta
) -> None:
    decision = decide(candidate, at=NOON, cooldown=cooldown)

    if not isinstance(decision, Send):
        return
    for limit in (candidate.closes_at, candidate.deadline_at):
        assert limit is None or (decision.until is not None and decision.until <= limit)
    if candidate.free_form and candidate.last_inbound_at is not None:
        assert decision.until is not None
        assert decision.until <= candidate.last_inbound_at + SERVICE_WINDOW


@given(candidates(), COOLDOWNS)
def test_what_waits_waits_for_the_future_and_not_beyond_its_deadline(
    candidate: Candidate, cooldown: timedelta
) -> None:
    decision = decide(candidate, at=NOON, cooldown=cooldown)

    if isinstance(decision, Defer):
        assert decision.until > NOON
        assert candidate.deadline_at is None or decision.until <= candidate.deadline_at


@given(candidates(), COOLDOWNS)
def test_consent_speaks_first(candidate: Candidate, cooldown: timedelta) -> None:
    against = candidate.consent.against(promotional=candidate.promotional)

    decision = decide(candidate, at=NOON, cooldown=cooldown)

    if against is not None:
        assert decision == Skip(reason=against)
