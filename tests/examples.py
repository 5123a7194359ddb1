"""How many examples a property tries, where it is not as many as tests/conftest.py says."""

from typing import Final

from hypothesis import HealthCheck, settings

ON_POSTGRES: Final = settings(
    max_examples=min(200, settings().max_examples),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""Decorates a property whose examples each begin anew in a real database: 200 are its proof."""

MORE: Final = settings(
    max_examples=max(settings().max_examples, min(5 * settings().max_examples, 1500))
)
"""Decorates a property that few of its examples put to the test."""

LONG: Final = settings(ON_POSTGRES, max_examples=200 if settings().max_examples >= 200 else 10)
"""Decorates one whose examples each play a whole campaign through in a real database."""
