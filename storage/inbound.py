"""What people write, as it is stored, and what follows from it for messages and enrollments."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import orjson

from engine.automation import Kind, Milestone
from engine.ids import CampaignId, ContactId, MessageId, NumberId
from engine.message import Message
from engine.ports import Confirmation, Received, Tie
from storage import automations, occurrences, revocations
from storage.database import Unit
from storage.identities import Overtaken
from storage.leases import EXPIRY_S
from storage.listener import WAKE
from storage.queries import load
from storage.statuses import LockedMessages

_SQL = load("inbound")


class InboundMessages(LockedMessages):
    """`engine.ports.Inbox`."""

    async def stored(self, wamids: Collection[str]) -> frozenset[str]:
        rows = await self.unit.rows(_SQL["stored"], wamids=list(wamids))
        return frozenset(row["wamid"] for row in rows)

    async def by_wamid(self, wamids: Collection[str]) -> Mapping[str, Tie]:
        if not wamids:
            return {}
        rows = await self.unit.rows(_SQL["by_wamid"], wamids=list(wamids))
        return {
            row["wamid"]: _tie(row["id"], row["contact_id"], row["campaign_id"]) for row in rows
        }

    async def latest(
        self, moments: Sequence[tuple[Collection[ContactId], datetime]], *, within_s: int
    ) -> list[Tie | None]:
        asked = [
            (place, contact, at)
            for place, (contacts, at) in enumerate(moments)
            for contact in contacts
            if contact > 0
        ]
        rows = await self.unit.rows(
            _SQL["latest"],
            places=[place for place, _, _ in asked],
            contacts=[contact for _, contact, _ in asked],
            ats=[at for _, _, at in asked],
            within_s=within_s,
        )
        ties: list[Tie | None] = [None] * len(moments)
        for row in reversed(rows):  # the first of each place is the latest
            ties[row["place"]] = _tie(row["id"], row["contact_id"], row["campaign_id"])
        return ties

    async def keep(self, received: Sequence[Received]) -> list[int]:
        """Store inbound messages and return their ids in the same order.

        Raises:
            Overtaken: One of them was stored by another transaction meanwhile.
        """
        rows = await self.unit.rows(
            _SQL["keep"],
            wamids=[each.inbound.wamid for each in received],
            numbers=[each.inbound.number_id for each in received],
            contacts=[each.contact_id for each in received],
            kinds=[each.inbound.kind.value for each in received],
            texts=[each.inbound.text for each in received],
            payloads=[each.inbound.payload for each in received],
            context_ids=[each.inbound.context_id for each in received],
            messages=[each.tie.message_id if each.tie else None for each in received],
            campaigns=[each.tie.campaign_id if each.tie else None for each in received],
            meanings=[each.meaning for each in received],
            contents=[each.inbound.raw for each in received],
            ats=[each.at for each in received],
        )
        if len(rows) != len(received):
            raise Overtaken("an inbound message was stored by another transaction meanwhile")
        return sorted(row["id"] for row in rows)

    async def open_windows(self, windows: Mapping[tuple[NumberId, ContactId], datetime]) -> None:
        if not windows:
            return
        await self.unit.run(
            _SQL["open_windows"],
            numbers=[number for number, _ in windows],
            contacts=[contact for _, contact in windows],
            ats=list(windows.values()),
        )

    async def stops_on_reply(self, campaigns: Collection[CampaignId]) -> frozenset[CampaignId]:
        rows = await self.unit.rows(_SQL["stops_on_reply"], ids=list(campaigns))
        return frozenset(row["id"] for row in rows)

    async def end_runs(
        self,
        *,
        stopped: Collection[ContactId],
        replied: Collection[tuple[ContactId, CampaignId]],
        answered: Collection[MessageId] = (),
    ) -> None:
        whose = _pairs(stopped, replied)
        runs = await self.unit.rows(_SQL["lock_runs"], **whose, answered=list(answered))
        if runs:
            await self.unit.run(_SQL["end_runs"], **whose, ids=[run["id"] for run in runs])

    async def queued(
        self, *, stopped: Collection[ContactId], replied: Collection[tuple[ContactId, CampaignId]]
    ) -> frozenset[MessageId]:
        rows = await self.unit.rows(_SQL["queued"], **_pairs(stopped, replied))
        return frozenset(row["id"] for row in rows)

    async def save(self, changed: Collection[Message]) -> None:
        self.awaited = await automations.awaited(self.unit, milestones=[Milestone.REPLIED])
        await super().save(changed)

    async def keywords(self) -> Collection[str]:
        return await automations.keywords(self.unit)

    async def tell_of_keywords(self, written: Sequence[tuple[ContactId, str]]) -> None:
        await occurrences.note(
            self.unit,
            happened=[
                occurrences.New(kind=Kind.KEYWORD, contact_id=contact, value=word)
                for contact, word in written
            ],
        )

    async def confirm(self, confirmations: Sequence[Confirmation]) -> None:
        await self.unit.value(_SQL["attach_leaf"])
        await self.unit.run(
            _SQL["confirm"],
            second=int(self.unit.at.timestamp()),
            consents=[each.consent_id for each in confirmations],
            contacts=[each.contact_id for each in confirmations],
            numbers=[each.number_id for each in confirmations],
            bodies=[each.body for each in confirmations],
        )
        for number in sorted({each.number_id for each in confirmations}):
            await self.unit.notify(WAKE, _payload(self.unit, number=number))

    async def revoke(self, contacts: Collection[ContactId]) -> None:
        await revocations.revoke(self.unit, contacts=contacts)

    async def tell_of_replies(self, replies: Sequence[tuple[int, Received]]) -> None:
        await self.unit.run(
            _SQL["tell_of_replies"],
            campaigns=[each.tie.campaign_id if each.tie else None for _, each in replies],
            contents=[_reply(id_, each) for id_, each in replies],
        )


async def about_to_start(unit: Unit, *, contacts: Collection[ContactId]) -> bool:
    """Whether a living lane has a campaign message of *contacts* claimed."""
    waiting: bool = await unit.value(
        _SQL["claimed_under_live_lease"], contacts=list(contacts), expiry_s=EXPIRY_S
    )
    return waiting


def _tie(message: int, contact: int, campaign: int) -> Tie:
    return Tie(
        message_id=MessageId(message),
        contact_id=ContactId(contact),
        campaign_id=CampaignId(campaign) if campaign else None,
    )


def _pairs(
    stopped: Collection[ContactId], replied: Collection[tuple[ContactId, CampaignId]]
) -> dict[str, list[int]]:
    return {
        "stopped": list(stopped),
        "repliers": [contact for contact, _ in replied],
        "campaigns": [campaign for _, campaign in replied],
    }


def _payload(unit: Unit, **values: object) -> str:
    return orjson.dumps({"organization": unit.organization, **values}).decode()


def _reply(inbound: int, reply: Received) -> dict[str, str | None]:
    campaign = reply.tie.campaign_id if reply.tie else None
    return {
        "contact": str(reply.contact_id),
        "inbound": str(inbound),
        "campaign": str(campaign) if campaign else None,
    }
