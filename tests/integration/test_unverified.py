"""Strangers who send slowly, many or much keep nobody else from being read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.unverified import Unverified

LARGEST = 1000


@dataclass
class Door:
    port: int
    stack: AsyncExitStack

    async def begin(self, *, length: int = LARGEST, sent: int = 1) -> "Connection":
        """Send headers and the first bytes of a body; return once it is being read."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.stack.callback(writer.close)
        # The answer to "expect" comes from the very step that begins to read.
        writer.write(
            b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
            b"Content-Length: %d\r\n\r\n" % length
        )
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"x" * sent)
        await writer.drain()
        return Connection(reader, writer, left=length - sent)


@dataclass
class Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    left: int

    async def end(self) -> int:
        self.writer.write(b"x" * self.left)
        return await self.answered()

    async def answered(self) -> int:
        async with asyncio.timeout(30):
            return int((await self.reader.readline()).split()[1])


@asynccontextmanager
async def door(unverified: Unverified) -> AsyncIterator[Door]:
    async def receive(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await unverified.read(request))))

    app = web.Application()
    app.router.add_post("/", receive)
    async with TestServer(app) as server, AsyncExitStack() as stack:
        assert server.port is not None
        yield Door(server.port, stack)


async def test_who_is_slow_is_told_so() -> None:
    async with door(Unverified(largest=LARGEST, patience_s=0.05)) as here:
        slow = await here.begin()

        assert await slow.answered() == 408


async def test_of_too_many_the_one_that_takes_longest_makes_room() -> None:
    async with door(Unverified(largest=LARGEST, most=2)) as here:
        first, second = await here.begin(), await here.begin()
        third = await here.begin()

        assert await first.answered() == 503
        assert (await second.end(), await third.end()) == (200, 200)
        assert await (await here.begin()).end() == 200


async def test_of_too_much_the_one_that_takes_longest_makes_room() -> None:
    async with door(Unverified(largest=LARGEST, most_bytes=2 * LARGEST)) as here:
        first, second = await here.begin(sent=900), await here.begin(sent=900)
        third = await here.begin(sent=900)

        assert await first.answered() == 503
        assert (await second.end(), await third.end()) == (200, 200)
        assert await (await here.begin()).end() == 200


@pytest.mark.parametrize("length", [LARGEST, LARGEST + 1])
async def test_a_body_is_as_large_as_it_may_be(length: int) -> None:
    async with door(Unverified(largest=LARGEST)) as here:
        told = await here.begin(length=length, sent=0)

        assert await told.end() == (200 if length == LARGEST else 413)
