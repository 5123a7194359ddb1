"""One running sandbox for all tests of this folder; each uses names and phones of its own."""

from collections.abc import AsyncIterator

import pytest

from tests.system import System, fresh


@pytest.fixture(scope="session")
async def system() -> AsyncIterator[System]:
    async with fresh() as running:
        yield running
