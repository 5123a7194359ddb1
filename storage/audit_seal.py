"""The hash chain over the audit log: changing an entry afterwards breaks every later seal."""

import hashlib

import asyncpg
import orjson

from storage.database import Unit
from storage.queries import load

_SQL = load("audit_seal")


async def seal(unit: Unit, *, limit: int) -> int:
    """Seal up to *limit* entries and return how many."""
    previous: bytes = await unit.value(_SQL["last_seal"]) or b""
    entries = await unit.rows(_SQL["unsealed"], limit=limit)
    seals: list[bytes] = []
    for entry in entries:
        previous = sealed(previous, entry)
        seals.append(previous)
    if entries:
        await unit.run(_SQL["seal"], ids=[entry["id"] for entry in entries], seals=seals)
    return len(entries)


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
