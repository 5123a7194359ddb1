"""Doors for status updates, each as a process of its own: ours, and one that only looks at them."""

import hashlib
import hmac
import json
import resource
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson
import uvloop
from aiohttp import web

from benchmarks._frame import answer, requests
from benchmarks._world import ENVIRONMENT, Clock
from bot.cli.running import spare_collector
from bot.whatsapp.webhook import PATH, WebhookRoom
from engine.config import load
from storage.database import Database

_CONNECTIONS: Final = 20  # as many as the bot has


@asynccontextmanager
async def ours(given: dict[str, Any]) -> AsyncIterator[list[web.RouteDef]]:
    """The room of the bot: applied, counted and durable before it is answered."""
    spare_collector()
    database = await Database.open(given["url"], name="door", largest=_CONNECTIONS)
    config = load(given["config"], environment=ENVIRONMENT)
    room = WebhookRoom(config=config, database=database, clock=Clock())
    await room.start()
    yield room.routes()
    await room.close()
    await database.close()


@asynccontextmanager
async def bare(_: dict[str, Any]) -> AsyncIterator[list[web.RouteDef]]:
    """What verifies the signature and parses, and forgets."""
    secret = ENVIRONMENT["SECRET"].encode()

    async def receive(request: web.Request) -> web.Response:
        body = await request.read()
        expected = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, request.headers.get("X-Hub-Signature-256", "")):
            raise web.HTTPUnauthorized
        orjson.loads(body)
        return web.Response()

    yield [web.post(PATH, receive)]


async def main(given: dict[str, Any]) -> None:
    async with (ours if given["side"] == "ours" else bare)(given) as routes:
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.add_routes(routes)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=False)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        async for request in requests():
            match request["ask"]:
                case "port":
                    answer(port=runner.addresses[0][1])
                case "cost":
                    answer(
                        cpu_s=time.process_time(),
                        rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                    )
        await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.argv[1])))
