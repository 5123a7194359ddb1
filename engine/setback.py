"""Work that fails again and again: tried at once at first, then set aside for longer and longer."""

from datetime import timedelta
from typing import Final

TRIES: Final = 3
"""Failures in a row after which work is set aside, so that it holds up no other."""

_FIRST: Final = timedelta(minutes=1)
_FACTOR: Final = 4
_LONGEST: Final = timedelta(hours=12)


def pause(failures: int) -> timedelta:
    """Return how long to wait after so many failures in a row; none at first.

    >>> [str(pause(n)) for n in (1, 2, 3, 4, 5, 99)]
    ['0:00:00', '0:00:00', '0:01:00', '0:04:00', '0:16:00', '12:00:00']
    """
    if failures < TRIES:
        return timedelta()
    # Bounded before it is multiplied: nobody counts on how often it failed.
    return min(_LONGEST, _FIRST * int(_FACTOR ** min(failures - TRIES, 10)))
