"""How long the proofs of this folder take: as long as they should, or short with few seeds."""

import pytest

_FEW = 5


@pytest.fixture(scope="session")
def thorough(request: pytest.FixtureRequest) -> bool:
    """Whether many seeds were asked for, and with them the long versions."""
    return int(request.config.getoption("--seeds") or 0) > _FEW
