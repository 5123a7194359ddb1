"""No sliding second ever holds more calls than the number's capacity."""

from hypothesis import given
from hypothesis import strategies as st

from engine.rate_window import RateWindow

LIMITS = st.integers(1, 120)
# Gaps between moments at which somebody looks whether a call may start, and how many want to.
MOMENTS = st.lists(
    st.tuples(
        st.sampled_from((0.0, 0.001, 0.01, 0.1, 0.333, 0.999, 1.0, 1.5)),
        st.integers(0, 60),
        st.booleans(),
    ),
    max_size=40,
)


def starts(limit: int, moments: list[tuple[float, int, bool]]) -> list[tuple[float, bool]]:
    """Start what may start, and wait as told for what may not."""
    window = RateWindow(limit=limit)
    now = 1000.0
    started: list[tuple[float, bool]] = []
    for gap, wanted, priority in moments:
        now += gap
        for _ in range(wanted):
            now += window.delay(now, priority=priority)
            if window.delay(now, priority=priority) > 0:
                continue  # a rounding error of the sum; the next look will do
            window.started(now)
            window.ended(now, began=now)
            started.append((now, priority))
    return started


@given(LIMITS, MOMENTS)
def test_no_second_holds_more_than_the_capacity(
    limit: int, moments: list[tuple[float, int, bool]]
) -> None:
    times = [at for at, _ in starts(limit, moments)]
    capacity = max(1, int(0.95 * limit))

    for place, at in enumerate(times):
        assert sum(1 for other in times[place:] if other < at + 1.0 - 1e-9) <= capacity


@given(LIMITS, MOMENTS)
def test_bulk_alone_leaves_a_tenth(limit: int, moments: list[tuple[float, int, bool]]) -> None:
    times = [at for at, _ in starts(limit, [(gap, wanted, False) for gap, wanted, _ in moments])]
    allowed = max(1, int(0.9 * max(1, int(0.95 * limit))))

    for place, at in enumerate(times):
        assert sum(1 for other in times[place:] if other < at + 1.0 - 1e-9) <= allowed


@given(LIMITS, st.integers(1, 200))
def test_waiting_as_told_is_enough(limit: int, wanted: int) -> None:
    """Nothing waits for ever: so many seconds are as many capacities."""
    started = starts(limit, [(0.0, wanted, True)])

    capacity = max(1, int(0.95 * limit))
    assert len(started) >= wanted - 1
    assert started[-1][0] - started[0][0] <= (wanted - 1) // capacity + 1e-6 if started else True
