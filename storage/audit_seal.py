"""The hash chain over the audit log: changing an entry afterwards breaks every later seal."""

import hashlib

import asyncpg
import orjson

from storage.database import Unit
from storage.queries import load

_SQL = load("audit_seal")


async def seal(unit: Unit, *, limit: int) -> int:
    """Seal up to *limit* entries and return how many; nobody else may be sealing."""
    last = await unit.row(_SQL["last_seal"])
    place, previous = (0, b"") if last is None else (last["place"], last["seal"])
    entries = await unit.rows(_SQL["unsealed"], limit=limit)
    seals: list[bytes] = []
    for entry in entries:
        previous = sealed(previous, entry)
        seals.append(previous)
    if entries:
        await unit.run(
            _SQL["seal"],
            ids=[entry["id"] for entry in entries],
            seals=seals,
            places=[place + number for number in range(1, len(entries) + 1)],
        )
    return len(entries)


async def broken_at(unit: Unit) -> int | None:
    """Return the place of the first entry that was changed, or follows one removed; None: none.

    What was removed from the end of the chain leaves no trace in it.
    """
    place, previous = 0, b""
    while entries := await unit.rows(_SQL["chain"], after=place, limit=_AT_ONCE):
        for entry in entries:
            place += 1
            previous = sealed(previous, entry)
            if (entry["place"], entry["seal"]) != (place, previous):
                return place
    return None


_AT_ONCE = 5_000


def sealed(previous: bytes, entry: asyncpg.Record) -> bytes:
    """Return the seal of *entry* after the seal *previous* (empty for the first)."""
    content = orjson.dumps(
        [
            entry["id"],
            entry["at"],
            entry["actor"],
            entry["action"],
            entry["subject"],
            entry["content"],
        ],
        option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z,
    )
    return hashlib.sha256(previous + content).digest()
