"""How many calls a number may start in a second."""

import pytest

from engine.rate_window import RateWindow


def admitted(window: RateWindow, *, until: float, priority: bool = False) -> int:
    """Start as many calls as may start between 10 s and *until*."""
    count = 0
    now = 10.0
    while (now := now + window.delay(now, priority=priority)) < until - 1e-9:
        window.started(now)
        count += 1
    return count


@pytest.mark.parametrize(
    ("limit", "capacity"), [(80, 76), (1000, 950), (2, 1), (1, 1), (20, 19)], ids=str
)
def test_five_percent_are_left_but_one_may_always_go(limit: int, capacity: int) -> None:
    assert RateWindow(limit=limit).capacity == capacity


def test_bulk_leaves_a_tenth_to_replies() -> None:
    window = RateWindow(limit=80)

    assert admitted(window, until=11.0) == 68
    window = RateWindow(limit=80)
    assert admitted(window, until=11.0, priority=True) == 76


def test_bulk_is_spread_over_the_second() -> None:
    assert admitted(RateWindow(limit=80), until=10.001) <= 4
    assert admitted(RateWindow(limit=80), until=10.5) <= 38
    assert admitted(RateWindow(limit=80), until=10.001, priority=True) == 76


def test_bulk_may_use_the_only_one() -> None:
    assert admitted(RateWindow(limit=1), until=11.0) == 1


def test_the_second_slides() -> None:
    window = RateWindow(limit=2)
    window.started(10.0)

    assert window.delay(10.25, priority=True) == 0.75
    assert window.delay(11.0, priority=True) == 0


def test_what_contacts_write_counts_against_the_limit() -> None:
    window = RateWindow(limit=80)
    window.inbound = 26

    assert window.capacity == 50
    window.inbound = 500
    assert window.capacity == 1


def test_without_a_limit_everything_goes() -> None:
    window = RateWindow(limit=None)
    for _ in range(10_000):
        window.started(1.0)

    assert window.capacity is None
    assert window.delay(1.0, priority=False) == 0
