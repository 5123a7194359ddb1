"""A headless Chromium, driven over its DevTools protocol with nothing but aiohttp.

Source: chromedevtools.github.io/devtools-protocol (domains Page, Runtime, Input, DOM, Log).
"""

import asyncio
import base64
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

BINARIES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--mute-audio",
    "--remote-debugging-port=0",
)
_START_S = 30
_CALL_S = 30
_LOOK_S = 0.05
_KEYS = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowUp": 38, "ArrowDown": 40, "Backspace": 8}


class NoSuchState(AssertionError):
    """The page did not come to what was waited for."""


def binary() -> str | None:
    """Return the browser's path, or None where there is none."""
    return next((path for name in BINARIES if (path := shutil.which(name))), None)


class Page:
    """One page: what a person does on it, and what it complained of.

    Attributes:
        complaints: Uncaught exceptions, console errors and violations of the content security
            policy, in order.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.complaints: list[str] = []
        self._socket = socket
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0
        self._reader = asyncio.create_task(self._read())

    async def prepare(self, *, width: int, height: int) -> None:
        for domain in ("Page", "Runtime", "Log", "DOM"):
            await self.call(f"{domain}.enable")
        await self.resize(width, height)

    async def resize(self, width: int, height: int) -> None:
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    async def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call one method of the protocol and return its result.

        Raises:
            RuntimeError: The browser refused.
        """
        self._number += 1
        number = self._number
        answer = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(_CALL_S):
            reply = await answer
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply['error']['message']}")
        return dict(reply["result"])

    async def open(self, url: str) -> None:
        await self.call("Page.navigate", url=url)

    async def value(self, expression: str) -> Any:  # noqa: ANN401 — whatever JSON the page has
        """Return the JSON value of a JavaScript expression; promises are awaited.

        Raises:
            RuntimeError: It threw.
        """
        result = await self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description", details["text"]))
        return result["result"].get("value")

    async def until(self, expression: str, *, seconds: float = 30) -> Any:  # noqa: ANN401 — as value
        """Return the expression's value once it is true-ish.

        Raises:
            NoSuchState: It was not within *seconds* of the machine's time.
        """
        try:
            async with asyncio.timeout(seconds):
                # The page has no event for "it looks like this".
                while not (value := await self.value(expression)):  # noqa: ASYNC110 — as said
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            raise NoSuchState(f"not within {seconds} s: {expression}") from None
        return value

    async def text(self, selector: str) -> str:
        """Return the visible text of the first element, once there is one."""
        return str(
            await self.until(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")
        )

    async def wait_for(self, selector: str, *, containing: str = "", seconds: float = 30) -> None:
        """Wait for a visible element that contains the text.

        Raises:
            NoSuchState: There was none.
        """
        await self.until(
            f"({_FIND})({json.dumps(selector)}, {json.dumps(containing)}) !== null", seconds=seconds
        )

    async def click(self, selector: str, *, containing: str = "") -> None:
        """Click the first visible element with a real mouse press, once it is there."""
        await self.wait_for(selector, containing=containing)
        place = await self.value(
            f"(() => {{ const box = ({_FIND})({json.dumps(selector)}, {json.dumps(containing)});"
            "box.scrollIntoView({block: 'nearest'}); const r = box.getBoundingClientRect();"
            "return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        x, y = place
        for kind, buttons in (("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 0)):
            await self.call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=x,
                y=y,
                button="none" if kind == "mouseMoved" else "left",
                buttons=buttons,
                clickCount=0 if kind == "mouseMoved" else 1,
            )

    async def type(self, selector: str, text: str, *, enter: bool = False) -> None:
        """Put *text* into a field in place of what it holds, and press Enter if asked."""
        await self.wait_for(selector)
        await self.value(
            f"(() => {{ const field = ({_FIND})({json.dumps(selector)}, '');"
            "field.focus(); field.select?.(); })()"
        )
        await self.call("Input.insertText", text=text)
        if enter:
            await self.press("Enter")

    async def press(self, key: str) -> None:
        code = _KEYS[key]
        text = {"Enter": "\r"}.get(key)
        for kind in ("keyDown", "keyUp"):
            extra = {"text": text} if text and kind == "keyDown" else {}
            await self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                **extra,
            )

    async def choose_file(self, selector: str, path: Path) -> None:
        """Choose a file in a file field."""
        document = await self.call("DOM.getDocument")
        found = await self.call(
            "DOM.querySelector", nodeId=document["root"]["nodeId"], selector=selector
        )
        await self.call("DOM.setFileInputFiles", files=[str(path)], nodeId=found["nodeId"])

    async def screenshot(self, path: Path) -> None:
        shot = await self.call("Page.captureScreenshot", format="png")
        await asyncio.to_thread(path.write_bytes, base64.b64decode(shot["data"]))

    async def close(self) -> None:
        self._reader.cancel()
        with suppress(asyncio.CancelledError):
            await self._reader

    async def _read(self) -> None:
        async for frame in self._socket:
            message = json.loads(frame.data)
            answer = self._answers.pop(message.get("id", 0), None)
            if answer is not None:
                answer.set_result(message)
            else:
                self._hear(message.get("method", ""), message.get("params", {}))

    def _hear(self, method: str, event: dict[str, Any]) -> None:
        match method:
            case "Runtime.exceptionThrown":
                details = event["exceptionDetails"]
                said = details.get("exception", {}).get("description", details["text"])
                self.complaints.append(f"exception: {said}")
            case "Runtime.consoleAPICalled" if event["type"] in ("error", "warning", "assert"):
                said = " ".join(str(part.get("value", "")) for part in event["args"])
                self.complaints.append(f"console.{event['type']}: {said}")
            case "Log.entryAdded" if event["entry"]["level"] in ("error", "warning"):
                entry = event["entry"]
                self.complaints.append(
                    f"{entry['source']}: {entry['text']} ({entry.get('url', '')})"
                )


# The first visible element whose text contains the words: what a person would look for.
_FIND = """(selector, words) => [...document.querySelectorAll(selector)].find((element) =>
  element.checkVisibility() && (element.innerText ?? '').includes(words)) ?? null"""


@asynccontextmanager
async def browser(profile: Path, *, width: int = 1440, height: int = 900) -> AsyncIterator[Page]:
    """Start a browser with a fresh *profile* folder and give its one page.

    Raises:
        FileNotFoundError: There is no Chromium; ask ``binary`` first.
    """
    path = binary()
    if path is None:
        raise FileNotFoundError("no chromium on PATH")
    process = await asyncio.create_subprocess_exec(
        path,
        *_FLAGS,
        f"--user-data-dir={profile}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port = await _port(profile)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as response:
                targets = await response.json()
            url = next(
                target["webSocketDebuggerUrl"] for target in targets if target["type"] == "page"
            )
            async with session.ws_connect(url, max_msg_size=0) as socket:
                page = Page(socket)
                try:
                    await page.prepare(width=width, height=height)
                    yield page
                finally:
                    await page.close()
    finally:
        # Its other processes go with it, and all of them with a test run that is interrupted.
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _port(profile: Path) -> int:
    """Return the port the browser chose, which it writes into its profile."""
    file = profile / "DevToolsActivePort"
    async with asyncio.timeout(_START_S):
        while not file.exists() or not (text := file.read_text()).strip():  # noqa: ASYNC110 — a file, not an event
            await asyncio.sleep(_LOOK_S)
    return int(text.split()[0])
