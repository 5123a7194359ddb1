"""The count is asked for exactly above the threshold, and only the right one is taken."""

import hypothesis.strategies as st
from hypothesis import given

from engine.size import Asked, Size, TooLarge, judged

LIMITS = st.just(0) | st.integers(1, 50)


@given(
    recipients=st.integers(0, 60),
    large=LIMITS,
    approval=LIMITS,
    count=st.none() | st.integers(0, 60),
)
def test_the_count_is_asked_for_exactly_above_the_threshold(
    recipients: int, large: int, approval: int, count: int | None
) -> None:
    try:
        asked = judged(recipients, Size(large=large, approval=approval, count=count))
    except TooLarge:
        assert 0 < approval < recipients
        return

    assert not 0 < approval < recipients
    above = 0 < large < recipients
    assert asked == (
        Asked(recipients=recipients, given=count) if above and count != recipients else None
    )
