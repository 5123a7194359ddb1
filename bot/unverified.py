"""Bodies that nobody has verified yet: for how long, how many and how much of them is read.

Anybody may open connections and be slow on them. Who is verified in the end sends at once and
whole, so where it gets too much, those who have been at it for longest are sent away, and never
the newest.
"""

import asyncio
from typing import Final

from aiohttp import web

PATIENCE_S: Final = 10.0
MOST: Final = 2_000
MOST_BYTES: Final = 128 * 1024 * 1024

_CHUNK: Final = 64 * 1024


class Unverified:
    """The bodies being read at one door."""

    def __init__(
        self,
        *,
        largest: int,
        patience_s: float = PATIENCE_S,
        most: int = MOST,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """Begin.

        Args:
            largest: Bytes of a body, whatever limit the application around us has.
            most_bytes: Of all bodies together, as far as they have come.
        """
        self._largest = largest
        self._patience_s = patience_s
        self._most = most
        self._most_bytes = most_bytes
        # How much each has sent, by its time limit; who came first is first.
        self._sent: dict[asyncio.Timeout, int] = {}
        self._bytes = 0

    async def read(self, request: web.Request) -> bytes:
        """Return the body as it came.

        Raises:
            web.HTTPRequestEntityTooLarge: It is larger than any that we expect.
            web.HTTPRequestTimeout: It took its sender too long.
            web.HTTPServiceUnavailable: It had to make room for others.
        """
        if (request.content_length or 0) > self._largest:
            raise web.HTTPRequestEntityTooLarge(self._largest, request.content_length or 0)
        if request.content.is_eof() and (request.content_length or 0) <= self._largest:
            # All of it came with the head, as nearly every body does: there is nothing to wait for.
            whole = await request.content.read()
            if len(whole) > self._largest:
                raise web.HTTPRequestEntityTooLarge(self._largest, len(whole))
            return whole
        body = bytearray()
        limit = asyncio.timeout(self._patience_s)
        try:
            async with limit:
                self._sent[limit] = 0
                self._make_room()
                async for chunk in request.content.iter_chunked(_CHUNK):
                    body += chunk
                    if len(body) > self._largest:
                        raise web.HTTPRequestEntityTooLarge(self._largest, len(body))
                    self._count(limit, len(chunk))
        except TimeoutError:
            if limit in self._sent:
                raise web.HTTPRequestTimeout from None
            raise web.HTTPServiceUnavailable from None
        finally:
            self._bytes -= self._sent.pop(limit, 0)
        return bytes(body)

    def _count(self, limit: asyncio.Timeout, more: int) -> None:
        if limit not in self._sent:  # sent away as this was coming in
            raise web.HTTPServiceUnavailable
        self._sent[limit] += more
        self._bytes += more
        self._make_room()

    def _make_room(self) -> None:
        while len(self._sent) > self._most or self._bytes > self._most_bytes:
            longest = next(iter(self._sent))
            self._bytes -= self._sent.pop(longest)
            longest.reschedule(asyncio.get_running_loop().time())
