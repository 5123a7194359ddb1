"""One claim: what is due on a number, through taps and gate, claimed in one transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from engine import gate
from engine.campaign import Type
from engine.content import Content, Text
from engine.ids import CampaignId, ContactId, MessageId, NumberId, StepId
from engine.message import State, callback_data, hour_of
from engine.personalise import Missing
from engine.phone import Phone
from engine.reasons import Reason
from engine.rendering import Rendering, values_of
from storage import leases, messages, sending
from storage.database import Unit
from storage.leases import Lease
from storage.messages import Row
from storage.sending import REPLIES, Due, OpenCampaign, Recipient
from worker.rules import SendingRules
from worker.whatsapp.payloads import Unsendable, message_payload


class LeaseMoved(Exception):
    """Another process holds the lane now; nothing may be claimed or started under the old lease."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A message claimed and ready to be posted.

    Attributes:
        body: The JSON of the call.
        until: Given back to the queue if not started by then (business time); None: no limit.
        priority: Replies and confirmations, which go first and are not paced.
    """

    row: Row
    phone: Phone | None
    body: bytes
    until: datetime | None
    priority: bool


class Claims:
    """Claims of one number. Keeps what campaigns say between claims, and whose turn it is."""

    def __init__(self, rules: SendingRules, number: NumberId) -> None:
        self.rules = rules
        self.number = number
        self._renderings: dict[tuple[CampaignId, int], dict[StepId, Rendering]] = {}
        self._turn = 0

    async def claim(self, unit: Unit, lease: Lease, *, room: int) -> list[Call]:
        """Claim up to *room* messages under *lease*; empty when nothing may go now.

        Raises:
            LeaseMoved: The lane is somebody else's.
        """
        if not await leases.hold(unit, lease):
            raise LeaseMoved
        state = await sending.number_state(unit, number=self.number)
        if state.closed or await sending.organization_closed(unit):
            return []
        room = await self._within_the_hour(unit, room)
        campaigns = await sending.open_campaigns(unit, number=self.number)
        quotas = self._quotas(unit.at, campaigns, room)
        due = await sending.due(unit, number=self.number, quotas=quotas)
        by_id = {campaign.id: campaign for campaign in campaigns}
        await self._know_contents(unit, campaigns)
        calls = await self._through_the_gate(unit, due[:room], by_id)
        if calls:
            await self._take(unit, lease, calls, by_id)
        return calls

    async def _within_the_hour(self, unit: Unit, room: int) -> int:
        limit = self.rules.messages_per_hour
        if not limit:
            return room
        hour = hour_of(unit.at)
        left = limit - await sending.hour_used(unit, hour=hour)
        if left <= 0:
            await sending.close_organization(
                unit, until=hour + timedelta(hours=1), why="messages_per_hour"
            )
        return max(0, min(room, left))

    def _quotas(
        self, at: datetime, campaigns: Iterable[OpenCampaign], room: int
    ) -> dict[CampaignId, int]:
        """Share *room* by priority; what rounding leaves over goes around, so that all move."""
        quotas = {REPLIES: room}
        sharing = sorted(campaigns, key=lambda campaign: campaign.id)
        if not sharing or not room:
            return quotas
        self._turn = (self._turn + 1) % len(sharing)
        sharing = sharing[self._turn :] + sharing[: self._turn]
        weight = sum(campaign.priority for campaign in sharing)
        for campaign in sharing:
            share = max(1, room * campaign.priority // weight)
            quotas[campaign.id] = min(share, self._allowance(campaign, at))
        return quotas

    def _allowance(self, campaign: OpenCampaign, at: datetime) -> int:
        allowed = 1 << 30
        if campaign.settings.rate is not None:
            # Spread evenly: a second's worth at most goes together.
            allowed = max(1, int(_BURST / campaign.settings.rate.interval))
        if campaign.settings.per_day is not None:
            used = campaign.day_count if campaign.day_on == self._day(at) else 0
            allowed = min(allowed, max(0, campaign.settings.per_day - used))
        return allowed

    def _day(self, at: datetime) -> object:
        return at.astimezone(self.rules.zone).date()

    async def _know_contents(self, unit: Unit, campaigns: Iterable[OpenCampaign]) -> None:
        wanted = {(campaign.id, campaign.version) for campaign in campaigns}
        for old in self._renderings.keys() - wanted:
            del self._renderings[old]
        new = [campaign for campaign, _ in wanted - self._renderings.keys()]
        if not new:
            return
        contents = await sending.contents_of(unit, campaigns=new)
        for key in wanted - self._renderings.keys():
            self._renderings[key] = {
                step: Rendering.of(content) for step, content in contents.items()
            }

    async def _through_the_gate(
        self, unit: Unit, due: Iterable[Due], campaigns: Mapping[CampaignId, OpenCampaign]
    ) -> list[Call]:
        calls: list[Call] = []
        skipped: list[tuple[Row, Reason]] = []
        deferred: dict[MessageId, datetime] = {}
        promoted: set[ContactId] = set()
        for one in due:
            match self._judge(one, campaigns, unit.at, promoted):
                case Call() as call:
                    calls.append(call)
                case gate.Defer(until=until):
                    deferred[one.row.message.id] = until
                case gate.Skip(reason=reason):
                    skipped.append((one.row, reason))
        if deferred:
            await sending.defer(unit, due_ats=deferred)
        if skipped:
            await messages.save(unit, [(row, _left_out(row, why, unit.at)) for row, why in skipped])
        return calls

    def _judge(
        self,
        due: Due,
        campaigns: Mapping[CampaignId, OpenCampaign],
        at: datetime,
        promoted: set[ContactId],
    ) -> Call | gate.Defer | gate.Skip:
        if due.row.campaign_id is None:
            return _call(due, Text(body=due.body or ""), until=None)
        campaign = campaigns[due.row.campaign_id]
        rendering = self._renderings[campaign.id, campaign.version].get(due.row.step_id)
        if rendering is None:
            return gate.Skip(reason=Reason.STEP_REMOVED)
        content = rendering.filled(_values(due.recipient))
        candidate = self._candidate(due, campaign, rendering, content, at)
        decision = gate.decide(candidate, at=at, cooldown=self.rules.cooldown)
        if not isinstance(decision, gate.Send):
            return decision
        if isinstance(content, Missing):
            return gate.Skip(reason=Reason.MISSING_VALUE)
        if candidate.promotional and self.rules.cooldown and due.row.contact_id in promoted:
            # A second campaign's message to the same contact in this very claim.
            return gate.Defer(until=at + timedelta(seconds=1), reason=Reason.COOLDOWN)
        call = _call(due, content, until=decision.until)
        if isinstance(call, Call) and candidate.promotional:
            promoted.add(due.row.contact_id)
        return call

    def _candidate(
        self,
        due: Due,
        campaign: OpenCampaign,
        rendering: Rendering,
        content: Content | Missing,
        at: datetime,
    ) -> gate.Candidate:
        recipient = due.recipient
        window = self.rules.hours_of(campaign.settings)
        zone = self.rules.zone_of(recipient.timezone)
        return gate.Candidate(
            campaign_id=campaign.id,
            promotional=campaign.type is Type.PROMOTIONAL,
            consent=recipient.consent,
            addressed=bool(recipient.phone or recipient.bsuid),
            deadline_at=due.deadline_at,
            run=due.run,
            promoted_at=recipient.promoted_at,
            promoted_campaign_id=recipient.promoted_campaign_id,
            last_inbound_at=recipient.last_inbound_at,
            free_form=rendering.free_form,
            missing=isinstance(content, Missing),
            opens_at=window.opens(at, zone),
            closes_at=window.closes(at, zone),
        )

    async def _take(
        self,
        unit: Unit,
        lease: Lease,
        calls: list[Call],
        campaigns: Mapping[CampaignId, OpenCampaign],
    ) -> None:
        await sending.mark_claimed(
            unit, ids=[call.row.message.id for call in calls], generation=lease.generation
        )
        promoted = {
            call.row.contact_id: call.row.campaign_id
            for call in calls
            if call.row.campaign_id is not None
            and campaigns[call.row.campaign_id].type is Type.PROMOTIONAL
        }
        if promoted:
            await sending.note_promoted(unit, campaigns=promoted)
        if self.rules.messages_per_hour:
            await sending.use_hour(unit, hour=hour_of(unit.at), count=len(calls))
        for campaign in campaigns.values():
            taken = sum(call.row.campaign_id == campaign.id for call in calls)
            if taken:
                await self._reserve(unit, campaign, taken)

    async def _reserve(self, unit: Unit, campaign: OpenCampaign, taken: int) -> None:
        settings = campaign.settings
        if settings.rate is None and settings.per_day is None:
            return
        next_slot_at = None
        if settings.rate is not None:
            begun = max(campaign.next_slot_at or unit.at, unit.at - settings.rate.interval)
            next_slot_at = begun + taken * settings.rate.interval
        day = unit.at.astimezone(self.rules.zone).date()
        count = taken + (campaign.day_count if campaign.day_on == day else 0)
        used_up = settings.per_day is not None and count >= settings.per_day
        await sending.reserve_slots(
            unit,
            campaign=campaign.id,
            next_slot_at=next_slot_at,
            day_on=day,
            day_count=count,
            closed_until=self.rules.day_after(unit.at) if used_up else None,
        )


_BURST = timedelta(seconds=1)


def _call(due: Due, content: Content, *, until: datetime | None) -> Call | gate.Skip:
    attempt = due.row.message.attempt + 1
    try:
        payload = message_payload(
            to=due.recipient.phone,
            bsuid=due.recipient.bsuid,
            content=content,
            callback_data=callback_data(due.row.message.id, attempt),
        )
    except Unsendable:
        return gate.Skip(reason=Reason.TEMPLATE_UNUSABLE)
    return Call(
        row=due.row.with_message(due.row.message.claimed(attempt)),
        phone=due.recipient.phone,
        body=orjson.dumps(payload),
        until=until,
        priority=due.row.campaign_id is None,
    )


def _left_out(row: Row, reason: Reason, at: datetime) -> Row:
    return row.with_message(row.message.ended(State.SKIPPED, at=at, reason=reason))


def _values(recipient: Recipient) -> dict[str, str]:
    return values_of(
        name=recipient.name,
        first_name=recipient.first_name,
        company=recipient.company,
        email=recipient.email,
        phone=recipient.phone,
        attributes=recipient.attributes,
    )
