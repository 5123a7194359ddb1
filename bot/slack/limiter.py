"""How fast one workspace may be written to: per channel, and all edits together.

Time is the machine's monotonic clock in seconds, given by the caller; nothing here waits.

Source: Slack, "Rate limits": about one chat.postMessage a second to a channel, and more in short
bursts; several hundred a minute to a workspace; 50 calls of chat.update a minute to a workspace,
shared by all messages.
"""

from collections import deque
from typing import Final

EDITS_PER_MINUTE: Final = 40
"""Of chat.update; ten less than Slack allows, for edits made elsewhere in this product."""

_MINUTE: Final = 60.0
_POSTS_PER_MINUTE: Final = 200
_POST_EVERY: Final = 1.1  # seconds, to a channel; the rest is left to answers, which never wait
_POSTS_AT_ONCE: Final = 3  # to a channel that had none for as long as these take
_CARD_EVERY: Final = 3.0


class Limiter:
    """The posts and edits of one workspace. Each `…_wait` is 0 when the call may be made now."""

    def __init__(self) -> None:
        self._posts: deque[float] = deque()
        self._edits: deque[float] = deque()
        self._channels: dict[str, float] = {}
        """Until when the posts made to a channel last at this pace."""
        self._channel_rests_until: dict[str, float] = {}
        self._edits_rest_until = 0.0

    def post_wait(self, channel: str, *, now: float) -> float:
        """Return seconds until *channel* may be posted to; when 0, the post is counted."""
        posted_until = max(self._channels.get(channel, now), now)
        wait = max(
            self._channel_rests_until.get(channel, 0.0) - now,
            posted_until - now - (_POSTS_AT_ONCE - 1) * _POST_EVERY,
            _room(self._posts, most=_POSTS_PER_MINUTE, span=_MINUTE, now=now),
        )
        if wait > 0:
            return wait
        self._channels[channel] = posted_until + _POST_EVERY
        self._posts.append(now)
        return 0.0

    def edit_wait(self, *, now: float) -> float:
        """Return seconds until a message may be edited; when 0, the edit is counted."""
        wait = max(
            self._edits_rest_until - now,
            _room(self._edits, most=EDITS_PER_MINUTE, span=_MINUTE, now=now),
        )
        if wait > 0:
            return wait
        self._edits.append(now)
        return 0.0

    def rest_channel(self, channel: str, *, until: float) -> None:
        """Post nothing to *channel* for as long as Slack asked."""
        self._channel_rests_until[channel] = max(self._channel_rests_until.get(channel, 0), until)

    def rest_edits(self, *, until: float) -> None:
        """Edit nothing for as long as Slack asked."""
        self._edits_rest_until = max(self._edits_rest_until, until)


def card_interval(cards: int) -> float:
    """Return seconds between two edits of one card while *cards* are live.

    >>> card_interval(1), card_interval(10)
    (3.0, 15.0)
    """
    return max(_CARD_EVERY, cards * _MINUTE / EDITS_PER_MINUTE)


def _room(calls: deque[float], *, most: int, span: float, now: float) -> float:
    """Return seconds until fewer than *most* calls lie within the last *span* seconds."""
    _forget(calls, before=now - span)
    return calls[-most] + span - now if len(calls) >= most else 0.0


def _forget(calls: deque[float], *, before: float) -> None:
    while calls and calls[0] <= before:
        calls.popleft()
