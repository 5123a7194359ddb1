"""What has changed since when, for a page that waits for news."""

import asyncio

from sandbox.wire import Json


class Changes:
    """A version that grows with every change, and the version at which a topic changed last."""

    def __init__(self) -> None:
        self.version = 1
        self._topics: dict[str, int] = {}
        self._news = asyncio.Event()

    def touch(self, topic: str) -> None:
        self.version += 1
        self._topics[topic] = self.version
        self._news.set()

    async def since(self, version: int, *, wait: float) -> Json:
        """Return ``{version, topics}`` once there is news, or after *wait* seconds.

        A version of the future, as of an earlier start of the sandbox, changes everything.
        """
        if version > self.version:
            return {"version": self.version, "topics": sorted(self._topics)}
        try:
            async with asyncio.timeout(wait):
                while self.version <= version:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pass
        topics = sorted(topic for topic, at in self._topics.items() if at > version)
        return {"version": self.version, "topics": topics}
