"""One running sandbox for all tests of this folder; each uses names, tags and phones of its own."""

from collections.abc import AsyncIterator

import pytest

from tests.system import System, fresh


@pytest.fixture(scope="session")
async def system() -> AsyncIterator[System]:
    async with fresh() as running:
        yield running


@pytest.fixture
def provoked() -> None:
    """Let a test provoke refusals of the pretend platforms, which otherwise fail it."""


@pytest.fixture(autouse=True)
async def nothing_refused(system: System, request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Neither platform refused anything the product sent."""
    before = len((await system.get("refusals"))["refusals"])
    yield
    if "provoked" not in request.fixturenames:
        assert (await system.get("refusals"))["refusals"][before:] == []
