"""Named SQL: `storage/sql/<aggregate>.sql`, each query with a name, a promise and named parameters.

    -- name: claim_due
    -- Take up to $limit due messages …
    select … where organization_id = $organization

`$organization` and `$at` are filled in by the unit that runs the query.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "sql"
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
# Strings and comments first, so that a $ inside them is none of ours.
_TOKENS = re.compile(r"'(?:[^']|'')*'|--[^\n]*|\$(\w+)")


@dataclass(frozen=True, slots=True)
class Query:
    """One statement, ready for Postgres: `parameters[0]` is `$1` of *text*."""

    name: str
    text: str
    parameters: tuple[str, ...]


@cache
def load(aggregate: str) -> dict[str, Query]:
    """Return the queries of `sql/<aggregate>.sql` by name."""
    return {query.name: query for query in _split((FOLDER / f"{aggregate}.sql").read_text())}


def aggregates() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in FOLDER.glob("*.sql")))


def _split(text: str) -> Iterator[Query]:
    pieces = _NAME.split(text)[1:]
    for name, body in zip(pieces[::2], pieces[1::2], strict=True):
        yield _numbered(name, body.strip().rstrip(";"))


def _numbered(name: str, text: str) -> Query:
    parameters: list[str] = []

    def number(match: re.Match[str]) -> str:
        parameter = match[1]
        if parameter is None:
            return match[0]
        if parameter not in parameters:
            parameters.append(parameter)
        return f"${parameters.index(parameter) + 1}"

    return Query(name, _TOKENS.sub(number, text), tuple(parameters))
