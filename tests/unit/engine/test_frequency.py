"""How many promotional messages a contact gets in a span of time."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.frequency import FrequencyCap, InvalidCap

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_cap_is_read_as_it_is_written() -> None:
    cap = FrequencyCap.parse(" 3 / 7d ")

    assert cap == FrequencyCap(count=3, span=timedelta(days=7))
    assert FrequencyCap.parse(str(cap)) == cap or str(cap) == "3/1w"
    assert FrequencyCap.parse("off") is None


@pytest.mark.parametrize(
    "text", ["", "3", "0/7d", "3/0s", "-1/7d", "3/week", "100/7d", "\u0663/7d"]
)
def test_what_is_no_cap_is_refused(text: str) -> None:
    with pytest.raises(InvalidCap):
        FrequencyCap.parse(text)


@pytest.mark.parametrize(
    ("ago", "waits"),
    [
        pytest.param([], 0, id="none yet"),
        pytest.param([1], 0, id="one of two"),
        pytest.param([1, 3], 4, id="both, until the older is a week old"),
        pytest.param([1, 3, 5], 4, id="more than the cap, set lower since"),
        pytest.param([1, 7], 0, id="one is a week old"),
    ],
)
def test_the_next_one_waits_until_there_is_room(ago: list[int], waits: int) -> None:
    cap = FrequencyCap(count=2, span=7 * DAY)

    assert cap.opens([NOON - days * DAY for days in ago], NOON) == NOON + waits * DAY
