"""How many calls a number may start in a second."""

import pytest

from engine.rate_window import RateWindow


def admitted(window: RateWindow, *, until: float, priority: bool = False) -> int:
    """Start as many calls as may start between 10 s and *until*."""
    count = 0
    now = 10.0
    while (now := now + window.delay(now, priority=priority)) < until - 1e-9:
        window.started(now)
        window.ended(now, began=now)
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
    window.ended(10.0, began=10.0)

    assert window.delay(10.25, priority=True) == 0.75
    assert window.delay(11.0, priority=True) == 0


def test_what_contacts_write_counts_against_the_limit() -> None:
    window = RateWindow(limit=80)
    window.inbound = 26

    assert window.capacity == 50
    window.inbound = 500
    assert window.capacity == 1


def test_a_slow_call_counts_until_a_second_after_it_may_have_arrived() -> None:
    window = RateWindow(limit=2)
    window.started(9.0)
    window.ended(9.25, began=9.0)
    window.started(10.5)

    assert window.delay(13.0, priority=True) > 0
    window.ended(13.25, began=10.5)
    assert window.delay(13.5, priority=True) == 0.5
    assert window.delay(14.0, priority=True) == 0


def test_calls_that_all_take_as_long_cost_no_rate() -> None:
    window = RateWindow(limit=80)
    answers: list[float] = []
    now, count = 10.0, 0
    while now < 12.0:
        while answers and answers[0] + 0.25 <= now:
            began = answers.pop(0)
            window.ended(began + 0.25, began=began)
        if (wait := window.delay(now, priority=True)) == 0:
            window.started(now)
            answers.append(now)
            count += 1
        else:
            now += min(wait, 0.01)

    assert count == 2 * 76


def test_a_limit_set_while_calls_are_under_way_counts_them() -> None:
    window = RateWindow(limit=None)
    window.started(10.0)
    window.limit = 1
    assert window.delay(12.0, priority=True) > 0
    window.ended(12.0, began=10.0)
    assert window.delay(13.0, priority=True) == 0


def test_without_a_limit_everything_goes() -> None:
    window = RateWindow(limit=None)
    for _ in range(10_000):
        window.started(1.0)

    assert window.capacity is None
    assert window.delay(1.0, priority=False) == 0
