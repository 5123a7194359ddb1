"""What a group of statuses asks of the database: few statements, however many statuses."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import asyncpg

from engine.automation import Milestone
from engine.failures import Suppress
from engine.ids import CampaignId, ContactId, MessageId, OrganizationId
from engine.message import Message, Progress
from engine.ports import FailedMessage, Known
from storage import effects, media, messages, occurrences
from storage.database import Database, Unit
from storage.effects import Consequence
from storage.messages import Row
from storage.queries import load

_SQL = load("statuses")


async def progress(
    database: Database, organization: OrganizationId, got_on: Collection[Progress], *, at: datetime
) -> frozenset[MessageId]:
    """Raise messages that only got on, where nothing else has been heard of them.

    What `record_statuses` comes to for such a message, without reading it: this happens several
    times for every message. A transaction of its own; the others are for `record_statuses`.

    Args:
        got_on: One of each message.

    Returns:
        Messages of which nothing is left to be recorded.
    """
    if not got_on:
        return frozenset()
    ids, attempts, numbers, wamids, states, *ats = zip(*got_on, strict=True)
    sent_ats, delivered_ats, read_ats = ats

    async def work(unit: Unit) -> list[asyncpg.Record]:
        return await unit.rows(
            _SQL["progress"],
            ids=ids,
            attempts=attempts,
            numbers=numbers,
            wamids=wamids,
            states=states,
            sent_ats=sent_ats,
            delivered_ats=delivered_ats,
            read_ats=read_ats,
        )

    rows = await database.run(organization, at, work, owner=True, single=True)
    return frozenset(row["id"] for row in rows)


class LockedMessages:
    """`engine.ports.Messages`: rows are saved against what was locked."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.rows: dict[MessageId, Row] = {}
        self.campaigns: Mapping[CampaignId, str] = {}
        self.awaited: Collection[Milestone] = ()

    async def lock(self, ids: Collection[MessageId]) -> Mapping[MessageId, Row]:
        self.rows = await messages.locked(self.unit, ids) if ids else {}
        return self.rows

    async def save(self, changed: Collection[Message]) -> None:
        """Write messages locked before, with all that counts them and all that waits for them."""
        pairs = [(self.rows[each.id], self.rows[each.id].with_message(each)) for each in changed]
        await messages.save(self.unit, pairs, campaigns=self.campaigns)
        if self.awaited:
            await occurrences.reached(self.unit, milestones=self.awaited, changes=pairs)


class StatusReports(LockedMessages):
    """`engine.ports.Reports`."""

    async def known(self, *, ids: Collection[MessageId], wamids: Collection[str]) -> list[Known]:
        wanted = list(ids)
        if wamids:
            found = await self.unit.rows(_SQL["ids_of"], wamids=list(wamids))
            wanted += [row["id"] for row in found]
        rows = await self.unit.rows(_SQL["known"], ids=wanted)
        self.awaited = frozenset(Milestone(each) for each in rows[0]["awaited"]) if rows else ()
        return [
            Known(
                id=row["id"],
                wamid=row["wamid"],
                attempt=row["attempt"],
                contact_id=row["contact_id"],
                number_id=row["number_id"],
                unreachable=row["unreachable"],
                doubts=row["doubts"],
            )
            for row in rows
        ]

    async def doubted_before(self, ids: Collection[MessageId]) -> list[MessageId]:
        rows = await self.unit.rows(_SQL["doubted_before"], ids=list(ids))
        return [row["id"] for row in rows]

    async def prepare(
        self,
        failing: Collection[tuple[MessageId, int | None]],
        *,
        reached: Collection[ContactId],
    ) -> None:
        self.campaigns = await effects.prepare(self.unit, failing, reached=reached)

    async def control(self, ids: Collection[MessageId]) -> None:
        await self.unit.run(_SQL["control"], ids=list(ids))

    async def reached(self, contacts: Mapping[ContactId, datetime]) -> None:
        await self.unit.run(_SQL["reached"], contacts=list(contacts), ats=list(contacts.values()))

    async def renew_files(self, ids: Collection[MessageId]) -> Collection[MessageId]:
        return await media.renew_of(self.unit, messages=ids)

    async def follow(self, failed: Sequence[FailedMessage]) -> None:
        await effects.apply(
            self.unit,
            [
                Consequence(
                    row=self.rows[each.message],
                    failure=each.failure,
                    effects=each.effects,
                    at=each.at,
                )
                for each in failed
            ],
        )
        await self._remember_reached(failed)

    async def _remember_reached(self, failed: Sequence[FailedMessage]) -> None:
        """Reports of delivery that came before were not noted; now they make a difference."""
        contacts = {
            self.rows[each.message].contact_id
            for each in failed
            if any(isinstance(effect, Suppress) for effect in each.effects)
        }
        if not contacts:
            return
        rows = await self.unit.rows(_SQL["reached_before"], contacts=list(contacts))
        if rows:
            await self.reached({row["contact_id"]: row["at"] for row in rows})
