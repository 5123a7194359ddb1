"""Exports of contacts: whom, as what, and how far they are written."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

import asyncpg

from engine import setback
from engine.audience import Audience
from engine.consent import FIELD, Act, Consent
from engine.contact_export import Exported, Format, LastAct
from engine.ids import BlobId, ContactId
from storage.database import Unit
from storage.queries import load

ExportId = NewType("ExportId", int)

_SQL = load("exports")


class State(StrEnum):
    WRITING = "writing"
    WRITTEN = "written"


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """An export as it stands.

    Attributes:
        named: The `<who>` as staff wrote it.
        attributes: The columns behind the fixed ones.
        position: The last contact written.
        done: How many are.
        blob_id: The file; None: it is not begun.
        channel: Where it is delivered, a conversation with who asked.
    """

    id: ExportId
    audience: Audience
    named: str
    format: Format
    attributes: tuple[str, ...]
    state: State
    position: ContactId
    done: int
    blob_id: BlobId | None
    actor: str
    channel: str


async def begin(
    unit: Unit,
    *,
    audience: Audience,
    named: str,
    format_: Format,
    attributes: Sequence[str],
    actor: str,
    channel: str,
) -> ExportId:
    """Have an export written."""
    new: ExportId = await unit.value(
        _SQL["begin"],
        audience=audience.to_json(),
        named=named,
        format=format_,
        attributes=list(attributes),
        actor=actor,
        channel=channel,
    )
    return new


async def find(unit: Unit, *, export: ExportId) -> Export | None:
    return _from_row(await unit.row(_SQL["find"], export=export))


async def next_open(unit: Unit, *, at_once: int) -> Export | None:
    """Return which of the *at_once* oldest has waited longest; None: there is none."""
    return _from_row(await unit.row(_SQL["next_open"], at_once=at_once))


async def lock(unit: Unit, seen: Export) -> bool:
    """Lock an export as it was *seen*; False: another process moved it, or is about to."""
    found = await unit.value(
        _SQL["lock"],
        export=seen.id,
        state=seen.state,
        position=seen.position,
        blob=seen.blob_id,
    )
    return found is not None


async def advance(unit: Unit, after: Export) -> None:
    """Write how far an export has come; this unit holds its lock."""
    await unit.run(
        _SQL["advance"],
        export=after.id,
        state=after.state,
        position=after.position,
        done=after.done,
        blob=after.blob_id,
    )


async def failed(unit: Unit, seen: Export) -> bool:
    """Put it behind the others, or aside for a while; whether that was for the first time."""
    failures = await unit.value(
        _SQL["failed"], export=seen.id, state=seen.state, position=seen.position
    )
    if failures is None:
        return False  # somebody else has moved it
    pause = setback.pause(failures)
    if pause:
        await unit.run(_SQL["set_aside"], export=seen.id, again=unit.at + pause)
    return bool(failures == setback.TRIES)


async def contacts(unit: Unit, *, ids: Sequence[ContactId]) -> list[Exported]:
    """Return contacts as they leave, those of *ids* that are still there, by id."""
    return [_exported(row) for row in await unit.rows(_SQL["contacts"], contacts=list(ids))]


def _exported(row: asyncpg.Record) -> Exported:
    act = None
    if row["act"] is not None:
        act = LastAct(
            act=Act(row["act"]),
            at=row["act_at"],
            channel=row["act_channel"],
            actor=row["act_actor"],
        )
    identities = [each.partition(" ") for each in row["identities"]]
    return Exported(
        id=row["id"],
        name=row["name"],
        first_name=row["first_name"],
        company=row["company"],
        email=row["email"],
        language=row["language"],
        timezone=row["timezone"],
        attributes=row["attributes"],
        identities=[(kind, value) for kind, _, value in identities],
        tags=row["tags"],
        consent=Consent(**{name: row[name] for name in FIELD.values()}),
        last_act=act,
        source=row["source"],
        created_at=row["created_at"],
    )


def _from_row(row: asyncpg.Record | None) -> Export | None:
    if row is None:
        return None
    return Export(
        id=row["id"],
        audience=Audience.from_json(row["audience"]),
        named=row["named"],
        format=Format(row["format"]),
        attributes=tuple(row["attributes"]),
        state=State(row["state"]),
        position=row["position"],
        done=row["done"],
        blob_id=row["blob_id"],
        actor=row["actor"],
        channel=row["channel"],
    )
