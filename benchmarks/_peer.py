"""A peer that takes messages as the Cloud API does, as quickly as Python can: the least of it.

It reads no JSON and keeps the time of each answer. Asked by its parent, it says those times.
"""

import asyncio
import time
from array import array
from typing import Final, cast

import uvloop

from benchmarks._frame import answer, requests

_LENGTH: Final = b"content-length: "
_BODY: Final = (
    b'{"messaging_product":"whatsapp","contacts":[{"input":"0","wa_id":"0"}],'
    b'"messages":[{"id":"wamid.%016d"}]}'
)
_ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    % len(_BODY % 0)
) + _BODY


class Peer(asyncio.Protocol):
    """One connection; requests come one after the other, in however many pieces."""

    taken = array("d")
    count = 0

    def __init__(self) -> None:
        self._kept = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        if self._kept:
            data = self._kept + data
        while (head := data.find(b"\r\n\r\n")) >= 0:
            at = data[:head].lower().find(_LENGTH) + len(_LENGTH)
            end = head + 4 + int(data[at : (data.find(b"\r", at))])
            if len(data) < end:
                break
            data = data[end:]
            Peer.count += 1
            Peer.taken.append(time.monotonic())
            self._transport.write(_ANSWER % Peer.count)
        self._kept = data


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", 0)
    async for request in requests():
        match request["ask"]:
            case "port":
                answer(port=server.sockets[0].getsockname()[1])
            case "wait":
                while len(Peer.taken) < request["count"]:  # noqa: ASYNC110 — an event would be work for each message
                    await asyncio.sleep(0.02)
                answer()
            case "times":
                answer(times=Peer.taken.tobytes().hex(), cpu_s=time.process_time())
                Peer.taken = array("d")
    server.close()


if __name__ == "__main__":
    uvloop.run(main())
