"""One browser for all tests; a fresh sandbox and a fresh recording product for each."""

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

import sandbox
from sandbox import demo
from sandbox.server import SANDBOX, serve
from sandbox.settings import Settings
from tests.browser.chromium import Page, browser
from tests.browser.product import Json, Product

PAGE = Path(sandbox.__file__).parent / "page"


@dataclass
class Parts:
    """Stands where the processes' supervisor does, and keeps what was asked of it."""

    asked: list[tuple[str, str]] = field(default_factory=list)

    async def health(self) -> tuple[bool, Json]:
        names = ("bot", "lanes", "jobs", "postgres", "redis")
        return True, {"parts": {name: {"pid": 100 + at} for at, name in enumerate(names)}}

    async def signal(self, name: str, signal: str) -> None:
        self.asked.append((name, signal))

    async def restart_postgres(self) -> None:
        self.asked.append(("postgres", "restart"))

    async def flush_redis(self) -> None:
        self.asked.append(("redis", "flush"))


@pytest.fixture
def parts() -> Parts:
    return Parts()


@pytest.fixture
async def product(parts: Parts, tmp_path: Path) -> AsyncIterator[Product]:
    """A running product beside a running sandbox."""
    bot_port, port = _free_ports(2)
    settings = Settings(
        state_dir=tmp_path / "state",
        clock_path=tmp_path / "clock",
        bot_url=f"http://127.0.0.1:{bot_port}",
        organization=demo.ORGANIZATION,
        app_secret=demo.APP_SECRET,
        verify_token=demo.VERIFY_TOKEN,
        access_token=demo.ACCESS_TOKEN,
        business_account_id=demo.BUSINESS_ACCOUNT_ID,
        slack_signing_secret=demo.SLACK_SIGNING_SECRET,
        slack_bot_token=demo.SLACK_BOT_TOKEN,
        slack_team_id=demo.SLACK_TEAM_ID,
        numbers=demo.NUMBERS,
        templates=demo.TEMPLATES,
        users=demo.USERS,
        channels=demo.CHANNELS,
        port=port,
        page=PAGE,
    )
    async with AsyncExitStack() as running:
        session = await running.enter_async_context(aiohttp.ClientSession())
        recording = Product(
            sandbox_url=settings.url,
            bot_token=settings.slack_bot_token,
            access_token=settings.access_token,
            session=session,
        )
        bot = web.AppRunner(recording.application(), access_log=None, shutdown_timeout=1)
        await bot.setup()
        running.push_async_callback(bot.cleanup)
        await web.TCPSite(bot, "127.0.0.1", bot_port).start()
        served = await serve(settings, parts)
        running.push_async_callback(served.cleanup)
        yield recording
        served.app[SANDBOX].changes.touch("end")  # lets go of the page's long poll


@pytest.fixture(scope="session")
async def chromium(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Page]:
    async with browser(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.fixture
async def page(chromium: Page, product: Product) -> AsyncIterator[Page]:
    """The sandbox's page, which must not complain: no error, nothing its policy blocked."""
    chromium.complaints.clear()
    await chromium.open(f"{product.sandbox_url}/")
    await chromium.wait_for(".composer-field")
    await chromium.wait_for(".phone-list")
    yield chromium
    complaints = list(chromium.complaints)
    await chromium.open("about:blank")
    assert complaints == []


def _free_ports(count: int) -> list[int]:
    """Ports nobody listens on; taken all at once, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports
