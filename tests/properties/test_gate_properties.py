"""The gate lets nothing through that a promise speaks against, whatever else is the case."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from engine.consent import Act, Consent
from engine.frequency import FrequencyCap
from engine.gate import SERVICE_WINDOW, Candidate, Defer, Send, Skip, decide
from engine.ids import CampaignId
from engine.overlap import Exclude

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TIMES = st.integers(-180, 180).map(lambda minutes: NOON + timedelta(minutes=10 * minutes))
COOLDOWNS = st.sampled_from((timedelta(), timedelta(hours=1), timedelta(hours=24)))
CAPS = st.none() | st.builds(
    FrequencyCap,
    count=st.integers(1, 3),
    span=st.sampled_from((timedelta(hours=2), timedelta(days=1))),
)
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
        promoted_ats=draw(st.lists(TIMES.filter(lambda at: at <= NOON), max_size=4)),
        banned=draw(st.sampled_from((False, False, True))),
    )


@given(candidates(), COOLDOWNS, CAPS)
def test_nothing_goes_that_may_not(
    candidate: Candidate, cooldown: timedelta, cap: FrequencyCap | None
) -> None:
    decision = decide(candidate, at=NOON, cooldown=cooldown, cap=cap)

    if not isinstance(decision, Send):
        return
    assert candidate.consent.against(promotional=candidate.promotional) is None
    assert candidate.run in {"active", "completed"}
    assert candidate.addressed
    assert not candidate.banned
    assert not candidate.missing
    assert candidate.opens_at <= NOON
    assert candidate.deadline_at is None or candidate.deadline_at >= NOON
    if candidate.free_form:
        assert candidate.last_inbound_at is not None
        assert candidate.last_inbound_at + SERVICE_WINDOW > NOON
    other = candidate.promoted_campaign_id != candidate.campaign_id
    if cooldown and candidate.promotional and other:
        assert candidate.promoted_at is None or candidate.promoted_at + cooldown <= NOON
    if candidate.promotional and cap is not None:
        within = [at for at in candidate.promoted_ats if at > NOON - cap.span]
        assert len(within) < cap.count


@given(candidates(), COOLDOWNS, CAPS)
def test_a_call_may_start_only_while_everything_still_holds(
    candidate: Candidate, cooldown: timedelta, cap: FrequencyCap | None
) -> None:
    decision = decide(candidate, at=NOON, cooldown=cooldown, cap=cap)

    if not isinstance(decision, Send):
        return
    for limit in (candidate.closes_at, candidate.deadline_at):
        assert limit is None or (decision.until is not None and decision.until <= limit)
    if candidate.free_form and candidate.last_inbound_at is not None:
        assert decision.until is not None
        assert decision.until <= candidate.last_inbound_at + SERVICE_WINDOW


@given(candidates(), COOLDOWNS, CAPS)
def test_what_waits_waits_for_the_future_and_unless_paused_not_beyond_its_deadline(
    candidate: Candidate, cooldown: timedelta, cap: FrequencyCap | None
) -> None:
    decision = decide(candidate, at=NOON, cooldown=cooldown, cap=cap)

    if isinstance(decision, Defer):
        assert decision.until > NOON
        paused = candidate.run == "paused"
        assert paused or candidate.deadline_at is None or decision.until <= candidate.deadline_at


@given(candidates(), COOLDOWNS, CAPS)
def test_consent_speaks_first(
    candidate: Candidate, cooldown: timedelta, cap: FrequencyCap | None
) -> None:
    against = candidate.consent.against(promotional=candidate.promotional)

    decision = decide(candidate, at=NOON, cooldown=cooldown, cap=cap)

    if against is not None:
        assert decision == Skip(reason=against)


@dataclass
class Contact:
    """What the gate knows of one contact, and what it got."""

    at: datetime | None = None
    of: CampaignId | None = None
    times: list[datetime] = field(default_factory=list)
    got: list[tuple[datetime, CampaignId]] = field(default_factory=list)


def _asked(contact: Contact, campaign: CampaignId, at: datetime) -> Candidate:
    return Candidate(
        campaign_id=campaign,
        promotional=True,
        consent=Consent(),
        addressed=True,
        deadline_at=None,
        run="active",
        promoted_at=contact.at,
        promoted_campaign_id=contact.of,
        last_inbound_at=None,
        free_form=False,
        missing=False,
        opens_at=at,
        closes_at=None,
        promoted_ats=contact.times,
    )


@given(
    due=st.lists(st.tuples(st.integers(0, 600), st.integers(1, 4)), min_size=1, max_size=30),
    cooldown=COOLDOWNS,
    cap=CAPS,
    given_back=st.sets(st.integers(0, 40), max_size=6),
)
def test_whatever_is_due_when_no_contact_gets_more_than_cooldown_and_cap_allow(
    due: list[tuple[int, int]], cooldown: timedelta, cap: FrequencyCap | None, given_back: set[int]
) -> None:
    contact = Contact()
    waiting = [(NOON + timedelta(minutes=10 * when), CampaignId(of)) for when, of in due]
    for turn in range(2_000):
        if not waiting:
            break
        at, campaign = min(waiting)
        waiting.remove((at, campaign))
        decision = decide(_asked(contact, campaign, at), at=at, cooldown=cooldown, cap=cap)
        if isinstance(decision, Defer):
            assert decision.until > at
            waiting.append((decision.until, campaign))
            continue
        assert isinstance(decision, Send)
        if turn in given_back:  # the call never started; the claim's note is undone
            waiting.append((at + timedelta(seconds=1), campaign))
            continue
        kept = contact.times[-cap.count + 1 :] if cap and cap.count > 1 else []
        contact.at, contact.of, contact.times = at, campaign, [*kept, at] if cap else []
        contact.got.append((at, campaign))

    assert len(contact.got) == len(due)
    for first, second in pairwise(contact.got):
        if first[1] != second[1]:
            assert second[0] - first[0] >= cooldown
    if cap is not None:
        for earlier, later in zip(contact.got, contact.got[cap.count :], strict=False):
            assert later[0] - earlier[0] >= cap.span


@given(
    candidate=candidates(),
    cooldown=COOLDOWNS,
    exclude=st.sampled_from(Exclude),
    elsewhere=st.booleans(),
)
def test_who_is_excluded_is_left_out_and_never_waits(
    candidate: Candidate, cooldown: timedelta, exclude: Exclude, *, elsewhere: bool
) -> None:
    asked = replace(candidate, exclude=exclude, elsewhere=elsewhere)
    lately = (
        candidate.promoted_at is not None
        and candidate.promoted_campaign_id != candidate.campaign_id
        and candidate.promoted_at + cooldown > NOON
    )
    plain = decide(candidate, at=NOON, cooldown=cooldown)
    decision = decide(asked, at=NOON, cooldown=cooldown)

    reason = exclude.reason(elsewhere=elsewhere, lately=lately)
    if reason is None or candidate.run == "paused":  # judged once it goes on
        assert decision == plain
    else:
        assert isinstance(decision, Skip)
