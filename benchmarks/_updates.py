"""Meta as it posts status updates: one in a request, signed, over so many connections.

It speaks the protocol raw, from requests made beforehand, so that it is not what is measured.
"""

import asyncio
import hashlib
import hmac
import json
import random
import sys
import time
from array import array
from collections import deque
from typing import Any, Final, cast

import orjson
import uvloop

from benchmarks._frame import answer, requests
from benchmarks._world import ENVIRONMENT, NUMBER
from bot.whatsapp.webhook import PATH

CONNECTIONS: Final = 64
STATUSES: Final = ("sent", "delivered", "read")


def made(ids: list[int], *, seed: int) -> list[bytes]:
    """Return the requests that report each message sent, delivered and read, in mixed order."""
    at = str(int(time.time()))
    secret = ENVIRONMENT["SECRET"].encode()
    posted = []
    for place, id_ in enumerate(ids):
        for status in STATUSES:
            value = {
                "messaging_product": "whatsapp",
                "metadata": {"display_phone_number": "15550001111", "phone_number_id": NUMBER},
                "statuses": [
                    {
                        "id": f"wamid.{id_}",
                        "status": status,
                        "timestamp": at,
                        "recipient_id": f"316{10000001 + place}",
                        "biz_opaque_callback_data": f"d:{id_}:1",
                        "pricing": {
                            "billable": True,
                            "pricing_model": "PMP",
                            "type": "regular",
                            "category": "marketing",
                        },
                    }
                ],
            }
            changes = [{"field": "messages", "value": value}]
            body = orjson.dumps(
                {
                    "object": "whatsapp_business_account",
                    "entry": [{"id": "1029384756", "changes": changes}],
                }
            )
            signature = hmac.new(secret, body, hashlib.sha256).hexdigest()
            head = (
                f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                f"X-Hub-Signature-256: sha256={signature}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n"
            )
            posted.append(head.encode() + body)
    random.Random(seed).shuffle(posted)  # noqa: S311 — to repeat a run
    return posted


class Connection(asyncio.Protocol):
    """One of them: a request, its answer, and the next one."""

    def __init__(self, round_: "Round") -> None:
        self._round = round_
        self._since = 0.0
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def post(self, request: bytes, since: float) -> None:
        self._since = since
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._read += data
        if b"\r\n\r\n" not in self._read:
            return
        if not self._read.startswith(b"HTTP/1.1 200"):
            self._round.refused += 1
        self._read = b""
        self._round.answered(self, self._since)

    def close(self) -> None:
        self._transport.close()


class Round:
    """All of *posted*, as fast as they are answered or at *rate* a second."""

    def __init__(self, posted: list[bytes], rate: float | None) -> None:
        self.posted = posted
        self.rate = rate
        self.refused = 0
        self.times = array("d")
        self.took = array("d")
        self._next = 0
        self._free: deque[Connection] = deque()
        self._done = asyncio.Event()
        self._begun = 0.0

    async def run(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        connections = [
            (await loop.create_connection(lambda: Connection(self), "127.0.0.1", port))[1]
            for _ in range(CONNECTIONS)
        ]
        self._begun = time.monotonic()
        for each in connections:
            self._go_on(each)
        while self.rate is not None and self._next < len(self.posted):
            # Whatever has come up since the last look; a request late by us counts as late.
            due = int((time.monotonic() - self._begun) * self.rate)
            while self._free and self._next < min(due, len(self.posted)):
                self._go_on(self._free.popleft())
            await asyncio.sleep(0.001)
        await self._done.wait()
        for each in connections:
            each.close()

    def answered(self, connection: Connection, since: float) -> None:
        now = time.monotonic()
        self.times.append(now)
        self.took.append(now - since)
        if len(self.times) == len(self.posted):
            self._done.set()
        self._go_on(connection)

    def _go_on(self, connection: Connection) -> None:
        now = time.monotonic()
        since = now
        if self._next >= len(self.posted):
            return
        if self.rate is not None:
            since = self._begun + self._next / self.rate
            if since > now:
                self._free.append(connection)
                return
        request = self.posted[self._next]
        self._next += 1
        connection.post(request, since)


async def main() -> None:
    async for request in requests():
        posted = made(request["ids"], seed=request["seed"])
        round_ = Round(posted, request.get("rate"))
        begun = time.process_time()
        await round_.run(request["port"])
        answer(**_told(round_), cpu_s=time.process_time() - begun)


def _told(round_: Round) -> dict[str, Any]:
    return {
        "times": round_.times.tobytes().hex(),
        "took": round_.took.tobytes().hex(),
        "refused": round_.refused,
    }


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps({"error": "no arguments"}), file=sys.stderr)
        sys.exit(2)
    uvloop.run(main())
