"""The whole product against the sandbox: started as a newcomer does, spoken to as people do."""

import asyncio
import base64
import os
import re
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

Json = dict[str, Any]

OWNER, OWNER2, SUPERVISOR, AGENT, STRANGER = (
    "U0OWNER",
    "U0OWNER2",
    "U0SUPER",
    "U0AGENT",
    "U0STRANGER",
)
ALERTS, INBOX = "C0ALERTS", "C0INBOX"
NUMBER = "+15550001111"

# A word with our sign of an empty text glued to it: a part was left out in the wrong way.
_HOLE = re.compile(r"[\w)]—")

_READY_S = 90.0
_STOP_S = 45.0


class Refused(AssertionError):
    """The sandbox's interface answered with an error."""

    def __init__(self, path: str, status: int, answer: str) -> None:
        super().__init__(f"{path}: {status} {answer}")
        self.status = status


class System:
    """A running sandbox, through its interface.

    Attributes:
        url: Of the page; the interface is below it.
        data: The folder of its state.
    """

    def __init__(self, url: str, data: Path, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.data = data
        self._session = session

    async def get(self, path: str, **query: str | int) -> Any:  # noqa: ANN401 — JSON
        async with self._session.get(f"{self.url}/sandbox/api/{path}", params=query) as response:
            return await _answer(path, response)

    async def post(self, path: str, **body: object) -> Any:  # noqa: ANN401 — JSON
        async with self._session.post(f"{self.url}/sandbox/api/{path}", json=body) as response:
            return await _answer(path, response)

    # Slack

    async def command(
        self, text: str, *, user: str = OWNER, wait_ms: int = 8000, **more: object
    ) -> Json:
        answer: Json = await self.post(
            "slack/command", user=user, text=text, wait_ms=wait_ms, **more
        )
        return answer

    async def ask(self, text: str, *, user: str = OWNER) -> str:
        """Give a command and return all that was said, as a person reads it."""
        answer = await self.command(text, user=user)
        assert answer["status"] == 200, answer
        said = "\n".join(words(message) for message in answer["replies"])
        assert not _HOLE.search(said), said
        return said

    async def upload(
        self, name: str, content: bytes, *, text: str = "import", user: str = OWNER, **more: object
    ) -> Json:
        answer: Json = await self.post(
            "slack/upload",
            user=user,
            channel=more.pop("channel", ALERTS),
            name=name,
            content_base64=base64.b64encode(content).decode(),
            text=text,
            **more,
        )
        return answer

    async def click(
        self, message: Json, action_id: str, *, user: str = OWNER, **more: object
    ) -> Json:
        answer: Json = await self.post(
            "slack/click",
            user=user,
            action_id=action_id,
            message_ts=message["ts"],
            channel=message["channel"],
            **more,
        )
        return answer

    async def channel(self, channel: str = ALERTS) -> list[Json]:
        """Return everything in a channel, threads included, as it stands now."""
        messages: list[Json] = (await self.get("slack/messages", channel=channel))["messages"]
        return messages

    async def says(self, *pieces: str, channel: str = ALERTS, within: float = 20.0) -> Json:
        """Wait for a message of the channel that has all *pieces*, and return it."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + within
        while True:
            messages = await self.channel(channel)
            for message in reversed(messages):
                if not message["deleted"] and all(piece in words(message) for piece in pieces):
                    assert not _HOLE.search(words(message)), words(message)
                    return message
            assert loop.time() < ends, (
                f"nothing in {channel} says {pieces}: {[words(each) for each in messages][-8:]}"
            )
            await asyncio.sleep(0.1)

    # WhatsApp

    async def ledger(self, **query: str | int) -> list[Json]:
        """Return what the platform accepted, in order."""
        messages: list[Json] = (await self.get("whatsapp/messages", **query))["messages"]
        return messages

    async def writes(self, phone: str, text: str, **more: object) -> Json:
        answer: Json = await self.post("whatsapp/inbound", **{"from": phone, "text": text, **more})
        return answer

    # Time and parts

    async def advance(self, *, seconds: float = 0, **spans: float) -> Json:
        """Move the business clock and return when everything has settled."""
        factors = {"days": 86400, "hours": 3600, "minutes": 60}
        seconds += sum(factors[name] * span for name, span in spans.items())
        answer: Json = await self.post("clock/advance", seconds=seconds)
        for _ in range(20):
            if answer["settled"]:
                return answer
            answer = await self.post("clock/advance", seconds=0)
        raise AssertionError(f"never settled: {answer}")

    async def settle(self) -> Json:
        return await self.advance(seconds=0)

    async def ready(self, *, within: float = _READY_S) -> Json:
        """Wait until every part runs and is ready."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + within
        while True:
            try:
                answer: Json = await self.get("health")
            except (Refused, aiohttp.ClientError, OSError) as error:
                if loop.time() >= ends:
                    raise AssertionError(f"not ready after {within} s") from error
                await asyncio.sleep(0.1)
            else:
                return answer


def words(message: Mapping[str, Any]) -> str:
    """Return what a person can read in a message: its text, and the texts in its blocks."""
    pieces = [message.get("text") or ""]
    pieces += _texts(message.get("blocks") or [])
    return "\n".join(piece for piece in pieces if piece)


def button(message: Mapping[str, Any], label: str) -> Json:
    """Return the only button of an actions block whose label begins with *label*."""
    found = [
        element
        for block in message["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
        if element["type"] == "button" and element["text"]["text"].startswith(label)
    ]
    assert len(found) == 1, [block for block in message["blocks"] if block["type"] == "actions"]
    return dict(found[0])


def _texts(value: Any) -> list[str]:  # noqa: ANN401 — any JSON
    match value:
        case {"text": str() as text, **rest}:
            return [text, *_texts(list(rest.values()))]
        case dict():
            return _texts(list(value.values()))
        case list():
            return [text for each in value for text in _texts(each)]
        case _:
            return []


async def _answer(path: str, response: aiohttp.ClientResponse) -> Any:  # noqa: ANN401 — JSON
    if response.status != 200:
        raise Refused(path, response.status, await response.text())
    if response.content_type != "application/json":
        return await response.read()
    return await response.json()


@asynccontextmanager
async def running(
    data: Path, *, port: int | None = None, numbers: Iterable[str] = ()
) -> AsyncIterator[System]:
    """Run `dripline sandbox` on *data* for the length of the block.

    Args:
        data: The folder of its state.
        port: Of the page; None: any.
        numbers: Further ones, such as "+15550002222=1000".
    """
    port = port or free_port()
    log = (data.parent / f"{data.name}.log").open("ab")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "sandbox",
        "--port",
        str(port),
        "--data",
        str(data),
        *(part for each in numbers for part in ("--number", each)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},  # noqa: TID251 — as a person's shell would
    )
    try:
        async with aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=120), connector=aiohttp.TCPConnector(limit=0)
        ) as session:
            system = System(f"http://127.0.0.1:{port}", data, session)
            await system.ready()
            yield system
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()
        log.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def fresh(*, numbers: Iterable[str] = ()) -> AsyncIterator[System]:
    """Run the sandbox in an empty folder that every account may enter."""
    with tempfile.TemporaryDirectory(prefix="dripline-system-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101, S103 — the account that runs Postgres must get in
        async with running(Path(folder) / "data", numbers=numbers) as system:
            yield system
