"""How long a campaign's own limits hold back what waits, which is held against no deadline."""

from datetime import timedelta
from typing import Final

_DAY: Final = timedelta(days=1)


def held_by(taken: int, *, interval: timedelta | None, used_up: bool) -> timedelta:
    """Return for how long *taken* messages hold back all that waits behind them.

    Args:
        interval: Between two messages, by the rate; None: there is none.
        used_up: Whether with them the day's cap is used up.
    """
    held = taken * interval if interval else timedelta()
    return held + _DAY if taken and used_up else held
