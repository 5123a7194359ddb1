"""How often each method may be called, per app and workspace.

Source: docs.slack.dev, "Rate limits" and the page of each method.
"""

from collections import defaultdict, deque
from math import ceil

_TIERS = {1: 1, 2: 20, 3: 50, 4: 100}  # calls in a minute
_METHODS = {
    "chat.update": 3,
    "chat.delete": 3,
    "chat.postEphemeral": 4,
    "chat.getPermalink": 4,
    "views.open": 4,
    "views.push": 4,
    "views.update": 4,
    "views.publish": 4,
    "files.getUploadURLExternal": 4,
    "files.completeUploadExternal": 4,
    "files.info": 4,
    "files.delete": 3,
    "reactions.add": 3,
    "reactions.remove": 2,
    "conversations.open": 3,
    "conversations.replies": 3,
    "conversations.history": 3,
    "conversations.info": 3,
    "conversations.join": 3,
    "conversations.list": 2,
    "conversations.members": 4,
    "users.info": 4,
    "users.list": 2,
    "users.lookupByEmail": 3,
    "usergroups.list": 2,
    "usergroups.users.list": 2,
    "functions.completeSuccess": 3,
    "functions.completeError": 3,
}
_POSTS = 300  # chat.postMessage in a minute, over all channels
_BURST = 10  # chat.postMessage to one channel at once; then one each second


class Limits:
    """Calls of the last minute of the machine's clock (monotonic seconds)."""

    def __init__(self) -> None:
        self._calls: dict[str, deque[float]] = defaultdict(deque)
        self._channels: dict[str, tuple[float, float]] = {}  # tokens and when they were counted

    def wait(self, method: str, channel: str, now: float) -> int | None:
        """Count a call, or return the seconds after which it may be tried again."""
        most = _POSTS if method == "chat.postMessage" else _TIERS.get(_METHODS.get(method, 0))
        if most is None:
            return None
        calls = self._calls[method]
        while calls and calls[0] <= now - 60:
            calls.popleft()
        if len(calls) >= most:
            return max(1, ceil(calls[0] + 60 - now))
        if method == "chat.postMessage":
            tokens, at = self._channels.get(channel, (float(_BURST), now))
            tokens = min(float(_BURST), tokens + now - at)
            if tokens < 1:
                return 1
            self._channels[channel] = (tokens - 1, now)
        calls.append(now)
        return None
