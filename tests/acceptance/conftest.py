"""One running sandbox for all tests of this folder; each uses names, tags and phones of its own."""

from collections.abc import AsyncIterator

import pytest

from tests.system import System, fresh


@pytest.fixture(scope="session")
async def system() -> AsyncIterator[System]:
    async with fresh() as running:
        yield running


THROUGHPUT = 130429


@pytest.fixture
def provoked() -> None:
    """Let a test provoke refusals of the pretend platforms, which otherwise fail it."""


@pytest.fixture(autouse=True)
async def nothing_refused(system: System, request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Neither platform refused anything the product sent, but for calls that arrived bunched.

    The product bounds when calls start; a busy machine decides when they arrive, and 130429 is
    how WhatsApp defers them. That every message arrives all the same is each test's own matter.
    """
    before = len((await system.get("refusals"))["refusals"])
    yield
    if "provoked" not in request.fixturenames:
        refused = (await system.get("refusals"))["refusals"][before:]
        assert [each for each in refused if each.get("code") != THROUGHPUT] == []
