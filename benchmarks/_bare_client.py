"""A bare aiohttp client: as many workers as connections, nothing between one call and the next."""

import asyncio
import json
import sys
import time
from collections.abc import Iterator

import aiohttp
import orjson
import uvloop

from benchmarks._frame import answer, requests
from worker.lane import UNLIMITED_IN_FLIGHT as WORKERS


def body(place: int) -> dict[str, object]:
    """Return a message as wide as those of the campaign."""
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": f"+316{place:08}",
        "type": "template",
        "template": {
            "name": "welcome",
            "language": {"code": "en", "policy": "deterministic"},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "Ada"}]}],
        },
        "biz_opaque_callback_data": f"d:{place:019}:1",
    }


async def main(url: str) -> None:
    connector = aiohttp.TCPConnector(limit=WORKERS)
    headers = {"Authorization": "Bearer token"}
    async with aiohttp.ClientSession(connector=connector) as session:
        async for request in requests():
            places = iter(range(request["count"]))
            begun = time.process_time()
            one = quick if request["orjson"] else plain
            await asyncio.gather(*(one(session, url, headers, places) for _ in range(WORKERS)))
            answer(cpu_s=time.process_time() - begun)


async def plain(
    session: aiohttp.ClientSession, url: str, headers: dict[str, str], places: Iterator[int]
) -> None:
    for place in places:
        async with session.post(url, json=body(place), headers=headers) as response:
            (await response.json())["messages"][0]["id"]


async def quick(
    session: aiohttp.ClientSession, url: str, headers: dict[str, str], places: Iterator[int]
) -> None:
    headers = headers | {"Content-Type": "application/json"}
    for place in places:
        async with session.post(url, data=orjson.dumps(body(place)), headers=headers) as response:
            orjson.loads(await response.read())["messages"][0]["id"]


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.argv[1])["url"]))
