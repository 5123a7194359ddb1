"""Consent is the same whatever order it is heard in, and merging two contacts never loosens it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.consent import Act, Consent

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
# Few instants, so that ties happen.
TIMES = st.integers(0, 4).map(lambda seconds: NOON + timedelta(seconds=seconds))
ACTS = st.lists(st.tuples(st.sampled_from(Act), TIMES), max_size=12)
_BACK = {
    Act.OPT_OUT: Act.OPT_IN,
    Act.BLOCK: Act.UNBLOCK,
    Act.UNREACHABLE: Act.REACHED,
    Act.PLATFORM_STOP: Act.PLATFORM_RESUME,
}


def after(acts: list[tuple[Act, datetime]]) -> Consent:
    consent = Consent()
    for act, at in acts:
        consent = consent.after(act, at)
    return consent


@given(ACTS, st.data())
def test_acts_in_any_order_and_repetition(
    acts: list[tuple[Act, datetime]], data: st.DataObject
) -> None:
    repeated = [*acts, *data.draw(st.lists(st.sampled_from(acts)))] if acts else []

    assert after(data.draw(st.permutations(repeated))) == after(acts)


@given(ACTS, ACTS, ACTS)
def test_merging_is_a_join(
    one: list[tuple[Act, datetime]],
    two: list[tuple[Act, datetime]],
    three: list[tuple[Act, datetime]],
) -> None:
    a, b, c = after(one), after(two), after(three)

    assert a.merged(b) == b.merged(a) == after([*one, *two])
    assert a.merged(b).merged(c) == a.merged(b.merged(c))
    assert a.merged(a) == a


@given(ACTS, st.booleans())
def test_whoever_said_it_last_decides_and_strictness_wins_ties(
    acts: list[tuple[Act, datetime]],
    promotional: bool,  # noqa: FBT001 — drawn
) -> None:
    reasons = [act for act in _BACK if promotional or act is not Act.PLATFORM_STOP]
    last = {act: max((at for one, at in acts if one is act), default=None) for act in Act}

    holding = [
        act
        for act in reasons
        if (since := last[act]) is not None
        and ((until := last[_BACK[act]]) is None or since >= until)
    ]

    allowed = not holding and last[Act.ERASED] is None
    assert (after(acts).against(promotional=promotional) is None) == allowed
