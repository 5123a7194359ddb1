"""The consent ledger: append-only, each act with its proof."""

from collections.abc import Sequence
from typing import Any

from engine.ports import ConsentEntry
from storage.database import Unit
from storage.queries import load

_SQL = load("consents")


class ConsentLedger:
    """`engine.ports.Ledger`."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit

    async def append(self, entries: Sequence[ConsentEntry]) -> list[int]:
        rows = await self.unit.rows(_SQL["append"], **_columns(entries))
        return sorted(row["id"] for row in rows)

    async def append_new(self, entries: Sequence[ConsentEntry]) -> None:
        await self.unit.run(_SQL["append_new"], **_columns(entries))


def _columns(entries: Sequence[ConsentEntry]) -> dict[str, list[Any]]:
    return {
        "contacts": [entry.contact_id for entry in entries],
        "kinds": [entry.act for entry in entries],
        "ats": [entry.at for entry in entries],
        "channels": [entry.channel for entry in entries],
        "texts": [entry.text for entry in entries],
        "references": [entry.reference for entry in entries],
    }
