import doctest
import importlib
import pkgutil

import pytest

import engine

MODULES = [found.name for found in pkgutil.walk_packages(engine.__path__, "engine.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples_to_try() -> None:
    finder = doctest.DocTestFinder()

    found = [case for name in MODULES for case in finder.find(importlib.import_module(name))]

    assert sum(len(case.examples) for case in found) > 20
